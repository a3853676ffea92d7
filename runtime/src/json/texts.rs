//! Durations, times and bytes as text.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use compact_str::{CompactString, format_compact};

/// The units of a duration, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A float as its literal, which is JSON too: `0.1`, `1.0e300`.
pub fn float_text(number: f64) -> CompactString {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format(number);
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            format_compact!("{digits}{point}e{}", exponent.trim_start_matches('+'))
        }
        None => text.into(),
    }
}

/// A duration as its literal: `1h30m`, `250ms`, `0s`.
pub fn duration_text(millis: i64) -> String {
    let mut rest = millis.unsigned_abs();
    if rest == 0 {
        return "0s".into();
    }
    let mut out = String::from(if millis < 0 { "-" } else { "" });
    for (unit, size) in UNITS {
        if rest >= size {
            out.push_str(&(rest / size).to_string());
            out.push_str(unit);
            rest %= size;
        }
    }
    out
}

/// The duration that a literal stands for, in milliseconds: `1h30m`.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let (unit, tail) = tail.split_at_checked(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()))?;
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let part = i128::from(digits.parse::<u64>().ok()?).checked_mul(i128::from(*size))?;
        total = total.checked_add(part)?;
        rest = tail;
    }
    i64::try_from(sign * total).ok()
}

/// A moment as RFC 3339, in UTC.
pub fn time_text(millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(at) => at.to_string(),
        Err(_) => if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX }.to_string(),
    }
}

/// The moment that RFC 3339 text stands for, in milliseconds since 1970.
pub fn parse_time(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond())
}

/// The standard alphabet; what is read may leave its padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes as base64, with padding.
pub fn base64_text(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes that base64 text stands for; padding may be left out, line breaks may not stand in it.
pub fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}
