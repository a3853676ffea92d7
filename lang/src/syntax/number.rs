//! Numbers and durations: what is written, and what it is worth.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::{ast::ExprKind, token::TokenKind},
};

/// The length and kind of the number at the beginning of `rest`, with what is wrong with it; `at` is the empty span
/// where it begins.
pub(super) fn scan(rest: &str, at: Span) -> (usize, TokenKind, Option<Diagnostic>) {
    let mut length = length(rest);
    if ends_in_dot(&rest[..length], &rest[length..]) {
        length += 1;
    }
    match value(&rest[..length]) {
        Ok(ExprKind::Float(_)) => (length, TokenKind::Float, None),
        Ok(ExprKind::Duration(_)) => (length, TokenKind::Duration, None),
        Ok(_) => (length, TokenKind::Int, None),
        Err(problem) => {
            let start = at.start as usize;
            let span = Span::new(at.source, start, start + length);
            (length, TokenKind::BadNumber, Some(diagnostic(problem, span)))
        }
    }
}

fn diagnostic((message, help): Problem, span: Span) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Code::BadNumber, span, message);
    diagnostic.help.extend(help);
    diagnostic
}

/// The message for a number that does not fit.
pub(super) fn too_large(text: &str, span: Span) -> Diagnostic {
    diagnostic(does_not_fit(text), span)
}

/// What a number is worth; `Error` if it is written wrongly. The one above the largest int is given as the lowest, which
/// it is behind a `-`.
pub(super) fn lower(text: &str) -> ExprKind {
    value(text).unwrap_or(ExprKind::Error)
}

/// How far a number goes: letters and digits, a dot with a digit behind it, the sign of an exponent.
fn length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut at = 0;
    let mut dot = false;
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        match bytes[at] {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => at += 1,
            b'.' if !dot && !hex && next.is_ascii_digit() && bytes[at - 1].is_ascii_digit() => {
                dot = true;
                at += 2;
            }
            b'+' | b'-' if !hex && matches!(bytes[at - 1], b'e' | b'E') && next.is_ascii_digit() => at += 2,
            0..=127 => break,
            _ => match rest[at..].chars().next() {
                Some(c) if unicode_ident::is_xid_continue(c) => at += c.len_utf8(),
                _ => break,
            },
        }
    }
    at
}

/// Whether the dot behind an integer has nothing behind it: neither digits nor a name, and it is no range.
fn ends_in_dot(number: &str, rest: &str) -> bool {
    let mut after = rest.chars();
    number.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && after.next() == Some('.')
        && after.next().is_none_or(|c| c != '.' && c != '_' && !unicode_ident::is_xid_start(c))
}

type Problem = (String, Option<String>);

fn value(text: &str) -> Result<ExprKind, Problem> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if digits.len() < text.len() && !separates_digits(text) {
        return Err((format!("`{text}` has a `_` that separates no digits"), None));
    }
    if let Some(whole) = digits.strip_suffix('.') {
        return Err((format!("`{text}` lacks the digits that a float needs"), Some(format!("write `{whole}.0`"))));
    }
    if let Some(hex) = digits.strip_prefix("0x") {
        return match u64::from_str_radix(hex, 16) {
            Ok(value) => int(value, text),
            Err(_) if hex.is_empty() || hex.contains(|c: char| !c.is_ascii_hexdigit()) => {
                Err((format!("`{text}` is no hexadecimal number"), None))
            }
            Err(_) => Err(does_not_fit(text)),
        };
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits.parse().map_err(|_| does_not_fit(text)).and_then(|value| int(value, text));
    }
    if let Some(problem) = other_base(text, &digits) {
        return Err(problem);
    }
    let mantissa = digits.trim_end_matches(|c: char| c.is_ascii_digit() || c == '+' || c == '-');
    let is_float = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if is_float && digits.contains('.') && !digits.ends_with(['e', 'E']) {
        return match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(ExprKind::Float(value)),
            _ => Err((format!("`{text}` does not fit a float"), None)),
        };
    }
    if is_float && mantissa.ends_with(['e', 'E']) {
        let (whole, exponent) = digits.split_once(['e', 'E']).unwrap_or((&digits, "0"));
        let exponent = if exponent.is_empty() { "0" } else { exponent };
        let whole = if whole.contains('.') { whole.to_owned() } else { format!("{whole}.0") };
        let help = format!("write `{whole}e{exponent}`");
        return Err((format!("`{text}` lacks the digits that a float needs"), Some(help)));
    }
    duration(text, &digits)
}

/// Whether each `_` stands between two digits.
fn separates_digits(text: &str) -> bool {
    let hex = text.starts_with("0x");
    let is_digit = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_digit() || hex && b.is_ascii_hexdigit());
    let bytes = text.as_bytes();
    (0..bytes.len())
        .filter(|at| bytes[*at] == b'_')
        .all(|at| is_digit(bytes.get(at - 1)) && is_digit(bytes.get(at + 1)))
}

fn int(value: u64, text: &str) -> Result<ExprKind, Problem> {
    match i64::try_from(value) {
        Ok(value) => Ok(ExprKind::Int(value)),
        Err(_) if value == i64::MIN.unsigned_abs() => Ok(ExprKind::Int(i64::MIN)),
        Err(_) => Err(does_not_fit(text)),
    }
}

/// `0b101`, `0o17`, `0XFF`
fn other_base(text: &str, digits: &str) -> Option<Problem> {
    let (message, base) = match digits.get(..2)? {
        "0b" | "0B" => ("wf has no binary numbers".to_owned(), 2),
        "0o" | "0O" => ("wf has no octal numbers".to_owned(), 8),
        "0X" => (format!("`{text}` begins with a large `X`"), 16),
        _ => return None,
    };
    let value = u64::from_str_radix(&digits[2..], base).ok()?;
    Some((message, Some(format!("write `0x{value:x}` or `{value}`"))))
}

const UNITS: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// `1h30m`: units from large to small, each once.
fn duration(text: &str, digits: &str) -> Result<ExprKind, Problem> {
    let mut rest = digits;
    let mut total = 0i64;
    let mut last = None;
    while !rest.is_empty() {
        let count = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(count);
        let unit_length = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_length);
        let Some(index) = UNITS.iter().position(|known| known.0 == unit) else {
            return Err(unknown_unit(text, unit));
        };
        if last.is_some_and(|last| last >= index) {
            return Err((format!("the units of `{text}` do not go from large to small"), None));
        }
        last = Some(index);
        total = number
            .parse::<i64>()
            .ok()
            .and_then(|number| number.checked_mul(UNITS[index].1))
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| (format!("the duration `{text}` is too long"), None))?;
        rest = tail;
    }
    Ok(ExprKind::Duration(total))
}

fn unknown_unit(text: &str, unit: &str) -> Problem {
    let units = "durations have the units `ms`, `s`, `m`, `h` and `d`".to_owned();
    match unit {
        "" => (format!("`{text}` lacks a unit at its end"), Some(units)),
        _ if unit.starts_with('.') => {
            (format!("`{text}` is no number"), Some("durations have no fractions: write `1h30m`".to_owned()))
        }
        _ => {
            let written = match unit.to_ascii_lowercase().as_str() {
                "min" | "mins" | "minute" | "minutes" => "m",
                "sec" | "secs" | "second" | "seconds" => "s",
                "hr" | "hrs" | "hour" | "hours" => "h",
                "day" | "days" => "d",
                "msec" | "msecs" | "millis" => "ms",
                lower => UNITS.iter().find(|known| known.0 == lower).map_or("", |known| known.0),
            };
            let help = match (written, unit) {
                ("", "w" | "week" | "weeks") => "a week is `7d`".to_owned(),
                ("", _) => units,
                _ => format!("write `{}`", text.replace(unit, written)),
            };
            (format!("`{unit}` is no suffix of a number"), Some(help))
        }
    }
}

fn does_not_fit(text: &str) -> Problem {
    (format!("`{text}` does not fit an int"), Some(format!("the largest is {}", i64::MAX)))
}
