//! Values as a failed test shows them: as source would write them, on several lines where one would be long.

use crate::{
    json,
    ops::display,
    value::{Map, Value},
};

/// The longest line that a value is put on by itself.
const WIDTH: usize = 72;
/// How many lines of a value are shown.
const MOST_LINES: usize = 400;
/// How many characters of a text without line breaks are shown.
const MOST_CHARS: usize = 4000;

/// The lines of a value.
pub(super) fn lines(value: &Value) -> Vec<String> {
    written(value, WIDTH)
}

/// The lines of a value, with each element and field on a line of its own, however short they are.
pub(super) fn parted(value: &Value) -> Vec<String> {
    written(value, 0)
}

fn written(value: &Value, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    write(value, "", "", 0, width, &mut out);
    if out.len() > MOST_LINES {
        let more = out.len() - MOST_LINES;
        out.truncate(MOST_LINES);
        out.push(format!("… {more} more lines"));
    }
    out
}

/// The value on one line, whatever its length, up to a limit.
pub(super) fn inline(value: &Value) -> String {
    let mut out = String::new();
    put(value, &mut out);
    cut(out)
}

/// Writes a value on one line where it fits the width, else part by part; its parts always have the full width.
fn write(value: &Value, before: &str, after: &str, depth: usize, width: usize, out: &mut Vec<String>) {
    if out.len() > MOST_LINES {
        // Counted, not shown.
        return out.push(String::new());
    }
    let indent = "  ".repeat(depth);
    let short = fits(value, width.saturating_sub(indent.len() + before.len()));
    match value {
        _ if short.is_some() => out.push(format!("{indent}{before}{}{after}", short.unwrap_or_default())),
        Value::List(list) if !list.is_empty() && depth < 32 => {
            out.push(format!("{indent}{before}["));
            list.iter().for_each(|item| write(item, "", ",", depth + 1, WIDTH, out));
            out.push(format!("{indent}]{after}"));
        }
        Value::Map(map) if !map.is_empty() && depth < 32 => {
            out.push(format!("{indent}{before}{{"));
            map.iter().for_each(|(key, item)| write(item, &format!("{}: ", name(key)), ",", depth + 1, WIDTH, out));
            out.push(format!("{indent}}}{after}"));
        }
        _ => out.push(format!("{indent}{before}{}{after}", inline(value))),
    }
}

/// The value on one line, if it is not longer than that.
fn fits(value: &Value, width: usize) -> Option<String> {
    let mut out = String::new();
    put_within(value, width, &mut out).then_some(out)
}

fn put_within(value: &Value, width: usize, out: &mut String) -> bool {
    match value {
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                if !put_within(item, width, out) || out.len() > width {
                    return false;
                }
            }
            out.push(']');
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            for (index, (key, item)) in map.iter().enumerate() {
                out.push_str(if index == 0 { "{ " } else { ", " });
                out.push_str(&name(key));
                out.push_str(": ");
                if !put_within(item, width, out) || out.len() > width {
                    return false;
                }
            }
            out.push_str(" }");
        }
        Value::Str(text) => out.push_str(&quoted(text)),
        Value::Float(number) => out.push_str(&serde_json::Value::from(*number).to_string()),
        Value::Duration(millis) => out.push_str(&json::duration_text(*millis)),
        other => out.push_str(&display(other)),
    }
    out.len() <= width
}

fn put(value: &Value, out: &mut String) {
    put_within(value, MOST_CHARS, out);
}

fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(MOST_CHARS) {
        text.truncate(at);
        text.push('…');
    }
    text
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A key as source would write it.
fn name(key: &str) -> String {
    let plain = key.chars().all(|c| c == '_' || c.is_alphanumeric()) && !key.starts_with(|c: char| c.is_numeric());
    if plain && !key.is_empty() { key.to_owned() } else { quoted(key) }
}

/// A record pattern that fits data like this, for the line that would answer it.
pub(super) fn pattern(data: &Value) -> String {
    match data {
        Value::Map(map) if !map.is_empty() => format!("{{ {}: _ }}", first_key(map)),
        Value::Str(text) if text.chars().count() <= 40 && !text.contains('\n') => quoted(text),
        _ => "_".to_owned(),
    }
}

fn first_key(map: &Map) -> String {
    map.keys().next().map(|key| name(key)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_source_would_write_them() {
        let json = serde_json::json!({ "a": 1, "odd key": [true, null, 1.5], "text": "x\ny" });
        let value = json::from_json(&json).expect("data");
        assert_eq!(lines(&value), [r#"{ a: 1, "odd key": [true, null, 1.5], text: "x\ny" }"#]);
        assert_eq!(lines(&Value::Duration(5_400_000)), ["1h30m"]);
    }

    #[test]
    fn long_values_take_several_lines() {
        let json = serde_json::json!({ "items": ["one".repeat(20), "two".repeat(20)], "n": 1 });
        let value = json::from_json(&json).expect("data");
        let shown = lines(&value).join("\n");
        let expected =
            format!("{{\n  items: [\n    \"{}\",\n    \"{}\",\n  ],\n  n: 1,\n}}", "one".repeat(20), "two".repeat(20));
        assert_eq!(shown, expected);
    }

    #[test]
    fn parts_are_told_apart_however_short_they_are() {
        let value = json::from_json(&serde_json::json!({ "a": [1, 2], "b": {} })).expect("data");
        assert_eq!(parted(&value), ["{", "  a: [1, 2],", "  b: {},", "}"]);
        assert_eq!(parted(&Value::Int(3)), ["3"]);
    }

    #[test]
    fn what_is_endless_is_cut() {
        let value = Value::str("a".repeat(1_000_000));
        assert!(inline(&value).len() < 10_000);
        let list = json::from_json(&serde_json::json!(vec!["a".repeat(100); 10_000])).expect("data");
        assert_eq!(lines(&list).len(), MOST_LINES + 1);
    }
}
