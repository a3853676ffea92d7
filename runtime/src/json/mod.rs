//! JSON of values, and the texts of durations, times and bytes.
//!
//! A duration is its literal, a time RFC 3339, bytes base64: text, in JSON. What is no data has no JSON.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::fault::{Fault, Kind};
use crate::ops::describe;
use crate::value::{List, MAX_DEPTH, MAX_SIZE, Map, Value, too_deep, too_large};

mod quick;
mod read;
mod texts;

pub use read::from_text;
pub use texts::{base64_bytes, base64_text, duration_text, float_text, parse_duration, parse_time, time_text};

/// The value as JSON text, with `indent` spaces a level, or on one line when that is 0.
pub fn to_text(value: &Value, indent: usize) -> Result<String, Fault> {
    let mut out = String::new();
    write(value, indent.min(16), 0, &mut out)?;
    Ok(out)
}

fn write(value: &Value, indent: usize, level: usize, out: &mut String) -> Result<(), Fault> {
    if out.len() > MAX_SIZE {
        return Err(too_large());
    }
    match value {
        Value::List(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                separate(at > 0, indent, level + 1, out);
                write(item, indent, level + 1, out)?;
            }
            close(list.is_empty(), ']', indent, level, out);
        }
        Value::Map(map) => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                separate(at > 0, indent, level + 1, out);
                quote(key, out);
                out.push_str(if indent > 0 { ": " } else { ":" });
                write(value, indent, level + 1, out)?;
            }
            close(map.is_empty(), '}', indent, level, out);
        }
        Value::Int(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::Float(number) => out.push_str(&float_text(*number)),
        Value::Str(text) => quote(text, out),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Null => out.push_str("null"),
        scalar => match to_json(scalar)? {
            Json::String(text) => quote(&text, out),
            other => drop(write!(out, "{other}")),
        },
    }
    Ok(())
}

fn separate(comma: bool, indent: usize, level: usize, out: &mut String) {
    if comma {
        out.push(',');
    }
    line(indent, level, out);
}

fn close(empty: bool, bracket: char, indent: usize, level: usize, out: &mut String) {
    if !empty {
        line(indent, level, out);
    }
    out.push(bracket);
}

fn line(indent: usize, level: usize, out: &mut String) {
    if indent > 0 {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * level));
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            other => drop(write!(out, "\\u{other:04x}")),
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// The value as JSON; faults with kind `type` when it is no data.
pub fn to_json(value: &Value) -> Result<Json, Fault> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Duration(millis) => Json::String(duration_text(*millis)),
        Value::Time(millis) => Json::String(time_text(*millis)),
        Value::Str(text) => Json::String(text.as_str().into()),
        Value::Bytes(bytes) => Json::String(base64_text(bytes.as_slice())),
        Value::List(list) => Json::Array(list.iter().map(to_json).collect::<Result<_, _>>()?),
        Value::Map(map) => Json::Object(
            map.iter()
                .map(|(key, value)| Ok((key.as_str().to_owned(), to_json(value)?)))
                .collect::<Result<_, Fault>>()?,
        ),
        Value::Range(_) => to_json(&Value::List(crate::ops::as_list(value)?))?,
        other => return Err(Fault::new(Kind::Type, format!("{} is no data and has no JSON", describe(other)))),
    })
}

/// The value that JSON stands for; faults with kind `json` for a number that no value has, and with kind `limit` for what
/// nests too deeply.
pub fn from_json(json: &Json) -> Result<Value, Fault> {
    from_json_at(json, MAX_DEPTH)
}

fn from_json_at(json: &Json, room: usize) -> Result<Value, Fault> {
    let inner = || room.checked_sub(1).ok_or_else(too_deep);
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(float)) if float.is_finite() && !number.is_u64() => Value::Float(float),
            _ => return Err(out_of_range(&number.to_string())),
        },
        Json::String(text) => Value::str(text.as_str()),
        Json::Array(items) => {
            let mut list = List::with_capacity(items.len());
            let room = inner()?;
            items.iter().try_for_each(|item| list.push(from_json_at(item, room)?))?;
            Value::List(list)
        }
        Json::Object(fields) => {
            let mut map = Map::with_capacity(fields.len());
            let room = inner()?;
            fields
                .iter()
                .try_for_each(|(key, value)| map.insert(key.as_str(), from_json_at(value, room)?).map(drop))?;
            Value::Map(map)
        }
    })
}

pub(crate) fn out_of_range(number: &str) -> Fault {
    Fault::new(Kind::Json, format!("the number {number} is out of range"))
}
