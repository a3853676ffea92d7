//! Values as text: for `${…}`, and for messages.

use compact_str::CompactString;

use super::join_secrets;
use crate::fault::{Fault, Kind};
use crate::json;
use crate::value::{MAX_SIZE, Str, Value, too_large};

/// How many characters of a value a message shows.
const SHORT: usize = 60;

/// What `${value}` gives: text as it is, the rest as JSON would write it but for quotes. Null faults, and so does what
/// is no data.
pub fn render(value: &Value) -> Result<Str, Fault> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Null => Err(Fault::new(Kind::Type, "null cannot be put into text; give it a value with `??` first")),
        Value::Int(number) => Ok(itoa::Buffer::new().format(*number).into()),
        Value::Bool(value) => Ok(if *value { "true" } else { "false" }.into()),
        Value::Duration(millis) => Ok(json::duration_text(*millis).into()),
        Value::Time(millis) => Ok(json::time_text(*millis).into()),
        Value::Bytes(bytes) => Ok(json::base64_text(bytes.as_slice()).into()),
        other => json::to_text(other, 0).map(Str::from),
    }
}

/// The text of `values`, one after the other; a secret among them makes it one.
pub fn concat(values: &[Value]) -> Result<Value, Fault> {
    if values.iter().any(|value| matches!(value, Value::Secret(_))) {
        let rendered: Result<Vec<_>, _> = values
            .iter()
            .map(
                |value| {
                    if matches!(value, Value::Secret(_)) { Ok(value.clone()) } else { render(value).map(Value::Str) }
                },
            )
            .collect();
        return Ok(join_secrets(&rendered?));
    }
    let mut text = CompactString::with_capacity(values.iter().map(likely_len).sum());
    for value in values {
        match value {
            Value::Str(part) => text.push_str(part),
            Value::Int(number) => text.push_str(itoa::Buffer::new().format(*number)),
            other => text.push_str(&render(other)?),
        }
        if text.len() > MAX_SIZE {
            return Err(too_large());
        }
    }
    Ok(Value::Str(text.into()))
}

/// How long the text of a value will be, for most.
fn likely_len(value: &Value) -> usize {
    match value {
        Value::Str(text) => text.byte_len(),
        Value::Int(number) => number.unsigned_abs().checked_ilog10().map_or(1, |tens| tens as usize + 1),
        _ => 8,
    }
}

/// The value as people read it; never fails. What is no data shows what it is.
pub fn display(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Secret(secret) => secret.placeholder(),
        _ => render(value).map_or_else(|_| format!("<{}>", value.kind_name()), |text| text.as_str().into()),
    }
}

/// The value as messages show it: its kind, and as much of it as fits.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::List(list) if list.is_empty() => "an empty list".into(),
        Value::List(list) => format!("a list of {}", list.len()),
        Value::Map(map) if map.is_empty() => "an empty record".into(),
        Value::Map(map) => {
            let names: Vec<&str> = map.keys().take(4).map(Str::as_str).collect();
            let more = if map.len() > names.len() { ", …" } else { "" };
            shorten(&format!("a record {{ {}{more} }}", names.join(", ")))
        }
        Value::Str(text) => format!("string {}", quote(text)),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) | Value::Time(_) => {
            format!("{} {}", value.kind_name(), display(value))
        }
        Value::Secret(secret) => shorten(&secret.placeholder()),
        Value::Agent(_) | Value::Missing => format!("an {}", value.kind_name()).replace("an missing", "a missing"),
        Value::Bytes(bytes) => format!("{} bytes", bytes.as_slice().len()),
        other => format!("a {}", other.kind_name()),
    }
}

/// Text in quotes, shortened.
pub(crate) fn quote(text: &str) -> String {
    let short: String = text.chars().take(SHORT).collect();
    let quoted = serde_json::to_string(&short).unwrap_or_default();
    if short.len() < text.len() { format!("{quoted}…") } else { quoted }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHORT + 20) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into(),
    }
}
