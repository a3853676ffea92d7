//! YAML: one document of the core schema.
//!
//! Values are built from a stream of events, on a stack of their own. An alias is a copy of what its anchor stands for,
//! which costs a counter; its size counts wherever it stands, so a document that would explode is too large instead.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{
    NativeContext,
    args::{room, text},
};
use crate::{
    fault::{Fault, Kind},
    ops::{describe, quote, render},
    value::{List, MAX_DEPTH, Map, Str, Value, too_deep},
};

pub(super) fn parse(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text(args, 0)?) {
        let (event, span) = event.map_err(|error| bad(error.marker(), error.info()))?;
        reader.read(event, &span.start)?;
    }
    Ok(reader.document.unwrap_or_default())
}

fn bad(at: &Marker, what: &str) -> Fault {
    Fault::new(Kind::Json, format!("this is no YAML: {what} at line {} column {}", at.line(), at.col() + 1))
}

/// What is being built.
#[derive(Default)]
struct Reader {
    /// The lists and maps that are open, from the outside in.
    open: Vec<Open>,
    /// What anchors stand for.
    anchors: HashMap<usize, Value>,
    /// What the document is, once it is complete.
    document: Option<Value>,
    documents: usize,
}

/// A list or map that is open, with its anchor.
enum Open {
    List(List, usize),
    Map(OpenMap, usize),
}

#[derive(Default)]
struct OpenMap {
    map: Map,
    /// What `<<` brings in; the map's own keys come before.
    merged: Vec<Map>,
    /// The key whose value comes next.
    key: Option<Key>,
}

enum Key {
    Name(Str),
    Merge,
}

impl Reader {
    fn read(&mut self, event: Event<'_>, at: &Marker) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(bad(at, "a second document begins"));
                }
                Ok(())
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(value) => self.put(value, 0, false, at),
                None => Err(bad(at, "an alias stands within what it stands for")),
            },
            Event::Scalar(text, style, anchor, tag) => {
                let merge = style == ScalarStyle::Plain && text == "<<" && tag.is_none();
                let value = scalar(&text, style == ScalarStyle::Plain, tag.as_deref(), at)?;
                self.put(value, anchor, merge, at)
            }
            Event::SequenceStart(anchor, _) => self.push(Open::List(List::new(), anchor)),
            Event::MappingStart(anchor, _) => self.push(Open::Map(OpenMap::default(), anchor)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(list, anchor)) => self.put(Value::List(list), anchor, false, at),
                Some(Open::Map(map, anchor)) => {
                    let map = map.finish()?;
                    self.put(Value::Map(map), anchor, false, at)
                }
                None => Ok(()),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn push(&mut self, open: Open) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.open.push(open);
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn put(&mut self, value: Value, anchor: usize, merge: bool, at: &Marker) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => {
                self.document = Some(value);
                Ok(())
            }
            Some(Open::List(list, _)) => list.push(value),
            Some(Open::Map(open, _)) => open.put(value, merge, at),
        }
    }
}

impl OpenMap {
    fn put(&mut self, value: Value, merge: bool, at: &Marker) -> Result<(), Fault> {
        match self.key.take() {
            None => {
                self.key = Some(if merge { Key::Merge } else { Key::Name(key(&value, at)?) });
                Ok(())
            }
            Some(Key::Merge) => self.merge(value, at),
            Some(Key::Name(name)) => {
                if self.map.contains(&name) {
                    return Err(bad(at, &format!("the key {} stands twice", quote(&name))));
                }
                self.map.insert(name, value).map(drop)
            }
        }
    }

    fn merge(&mut self, value: Value, at: &Marker) -> Result<(), Fault> {
        match value {
            Value::Map(map) => self.merged.push(map),
            Value::List(list) => {
                for item in &list {
                    let Value::Map(map) = item else { return Err(no_merge(item, at)) };
                    self.merged.push(map.clone());
                }
            }
            other => return Err(no_merge(&other, at)),
        }
        // The same map may be merged many times, which takes time and adds nothing.
        room(self.merged.iter().map(|map| 8 * map.len()).sum())
    }

    /// The map with what was merged into it: its own keys win, then what was named first.
    fn finish(mut self) -> Result<Map, Fault> {
        for other in self.merged {
            for (key, value) in other.iter() {
                if !self.map.contains(key) {
                    self.map.insert(key, value.clone())?;
                }
            }
        }
        Ok(self.map)
    }
}

fn no_merge(found: &Value, at: &Marker) -> Fault {
    bad(at, &format!("`<<` takes a map or a list of maps, found {}", describe(found)))
}

/// A key as text; what is neither text nor a number, bool or null is none.
fn key(value: &Value, at: &Marker) -> Result<Str, Fault> {
    match value {
        Value::Null => Ok("null".into()),
        Value::List(_) | Value::Map(_) => Err(bad(at, &format!("a key must be a scalar, found {}", describe(value)))),
        other => render(other),
    }
}

fn scalar(text: &str, plain: bool, tag: Option<&Tag>, at: &Marker) -> Result<Value, Fault> {
    let tag = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    let fits = |value: Option<Value>, what: &str| {
        value.ok_or_else(|| bad(at, &format!("expected {what}, found {}", quote(text))))
    };
    match tag {
        Some("str") => Ok(Value::str(text)),
        Some("int") => fits(int(text), "an int"),
        Some("float") => fits(float(text), "a float"),
        Some("bool") => fits(truth(text), "a bool"),
        Some("null") => Ok(Value::Null),
        _ if !plain => Ok(Value::str(text)),
        _ if matches!(text, "" | "~" | "null" | "Null" | "NULL") => Ok(Value::Null),
        _ if is_no_number(text) => Err(bad(at, &format!("{} is no number that a value can have", quote(text)))),
        _ => Ok(truth(text).or_else(|| int(text)).or_else(|| float(text)).unwrap_or_else(|| Value::str(text))),
    }
}

fn truth(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn int(text: &str) -> Option<Value> {
    let number = match text.get(..2) {
        Some("0x") => {
            text.get(2..).and_then(|digits| i64::from_str_radix(digits, 16).ok().filter(|_| is_unsigned(digits)))
        }
        Some("0o") => {
            text.get(2..).and_then(|digits| i64::from_str_radix(digits, 8).ok().filter(|_| is_unsigned(digits)))
        }
        _ => text.parse().ok(),
    };
    number.map(Value::Int)
}

fn is_unsigned(digits: &str) -> bool {
    digits.starts_with(|c: char| c.is_ascii_hexdigit())
}

/// Digits with a dot, an exponent, or both. An int that is too large is a float, as in other languages.
fn float(text: &str) -> Option<Value> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && body.contains(|c: char| c.is_ascii_digit())
        && body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if plain { text.parse().ok().and_then(Value::float) } else { None }
}

fn is_no_number(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(body, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}
