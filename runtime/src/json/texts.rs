//! Durations, times and bytes as text.

/// The units of a duration, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

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

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64, with padding.
pub fn base64_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let sixth = (word >> (18 - 6 * place) & 63) as usize;
            out.push(match ALPHABET.get(sixth) {
                Some(letter) if place <= group.len() => char::from(*letter),
                _ => '=',
            });
        }
    }
    out
}

/// The bytes that base64 text stands for; padding may be left out, line breaks may not stand in it.
pub fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    if padding > 2 || body.len() % 4 == 1 || padding > 0 && !text.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 2);
    for group in body.as_bytes().chunks(4) {
        let mut word = 0u32;
        for letter in group {
            word = word << 6 | ALPHABET.iter().position(|known| known == letter)? as u32;
        }
        word <<= 6 * (4 - group.len());
        out.extend(word.to_be_bytes().iter().skip(1).take(group.len() - 1));
    }
    Some(out)
}
