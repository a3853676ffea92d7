//! Reading out of values: fields, indices, `in`, and the steps of a loop.

use super::describe;
use super::show::quote;
use crate::fault::{Fault, Kind};
use crate::value::{List, MAX_SIZE, Map, Range, Str, Value, too_large};

/// `object.name`; absent faults with kind `key`.
#[inline]
pub fn field(object: &Value, name: &Str) -> Result<Value, Fault> {
    match object {
        Value::Map(map) => map.field(name).cloned().ok_or_else(|| no_field(map, name)),
        other => Err(no_fields(other, name)),
    }
}

/// `object.name`; absent gives null, and so does null.
#[inline]
pub fn field_or_null(object: &Value, name: &Str) -> Result<Value, Fault> {
    match object {
        Value::Map(map) => Ok(map.field(name).cloned().unwrap_or_default()),
        Value::Null => Ok(Value::Null),
        other => Err(no_fields(other, name)),
    }
}

/// `object.name` for a pattern: `absent` for what a record lacks, and nothing for what is no record.
pub fn part(object: &Value, name: &str, absent: Value) -> Value {
    match object {
        Value::Map(map) => map.get(name).cloned().unwrap_or(absent),
        _ => Value::Missing,
    }
}

/// How many elements a list or range has; null for what is none.
pub fn list_len(object: &Value) -> Value {
    let len = match object {
        Value::List(list) => Some(list.len()),
        Value::Range(range) => range.len(),
        _ => None,
    };
    len.and_then(|len| i64::try_from(len).ok()).map_or(Value::Null, Value::Int)
}

#[cold]
pub(super) fn no_field(map: &Map, name: &str) -> Fault {
    let near = map.keys().find(|key| key.eq_ignore_ascii_case(name));
    let hint = near.map_or_else(|| format!("; write `?.{name}` for null"), |near| format!("; did you mean `{near}`?"));
    Fault::new(Kind::Key, format!("{} has no field `{name}`{hint}", describe(&Value::Map(map.clone()))))
}

#[cold]
pub(super) fn no_fields(object: &Value, name: &str) -> Fault {
    Fault::new(Kind::Type, format!("{} has no field `{name}`", describe(object)))
}

/// `object[key]`: an element of a list, text, range or map, or a slice. A negative index counts from the end, a missing
/// key of a map gives null.
pub fn index(object: &Value, key: &Value) -> Result<Value, Fault> {
    match (object, key) {
        (Value::List(list), Value::Int(at)) => position(*at, list.len())
            .and_then(|at| list.get(at))
            .cloned()
            .ok_or_else(|| out_of_range(object, *at, list.len())),
        (Value::Map(map), Value::Str(key)) => Ok(map.field(key).cloned().unwrap_or_default()),
        (Value::Str(text), Value::Int(at)) => match position(*at, text.chars_len()) {
            Some(at) => Ok(Value::Str(text.char_at(at))),
            None => Err(out_of_range(object, *at, text.chars_len())),
        },
        (Value::Range(range), Value::Int(at)) => {
            let len = closed(range)?;
            position(*at, len)
                .and_then(|at| range.get(at))
                .map(Value::Int)
                .ok_or_else(|| out_of_range(object, *at, len))
        }
        (Value::List(list), Value::Range(range)) => {
            let (start, end) = range.clamp(list.len());
            Ok(Value::List(list.slice(start, end)))
        }
        (Value::Str(text), Value::Range(range)) => {
            let (start, end) = range.clamp(text.chars_len());
            Ok(Value::str(text.slice(start, end)))
        }
        (Value::Range(of), Value::Range(range)) => {
            let (start, end) = range.clamp(closed(of)?);
            let part = match (of.get(start), end.checked_sub(1).and_then(|last| of.get(last))) {
                (Some(first), Some(last)) if start < end => {
                    Range { start: Some(first), end: Some(last), inclusive: true }
                }
                _ => Range { start: Some(0), end: Some(0), inclusive: false },
            };
            Ok(Value::from(part))
        }
        (Value::Bytes(bytes), Value::Int(at)) => {
            let bytes = bytes.as_slice();
            let byte = position(*at, bytes.len()).and_then(|at| bytes.get(at));
            byte.map(|byte| Value::Int((*byte).into())).ok_or_else(|| out_of_range(object, *at, bytes.len()))
        }
        (Value::Bytes(bytes), Value::Range(range)) => {
            let (start, end) = range.clamp(bytes.as_slice().len());
            let part = bytes.as_slice().get(start..end).unwrap_or_default();
            Ok(Value::Bytes(part.to_vec().into()))
        }
        (Value::List(_) | Value::Str(_) | Value::Range(_) | Value::Bytes(_), _) => {
            Err(Fault::new(Kind::Type, format!("an index must be an int or a range, found {}", describe(key))))
        }
        (Value::Map(_), _) => Err(Fault::new(Kind::Type, format!("a key must be a string, found {}", describe(key)))),
        _ => Err(Fault::new(Kind::Type, format!("{} cannot be indexed", describe(object)))),
    }
}

/// An index as a position; negative ones count from the end.
pub(super) fn position(at: i64, len: usize) -> Option<usize> {
    let at = if at < 0 { at.checked_add_unsigned(len as u64)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < len)
}

#[cold]
pub(super) fn out_of_range(object: &Value, at: i64, len: usize) -> Fault {
    let what = match object {
        Value::Str(_) => "character",
        Value::Bytes(_) => "byte",
        _ => "element",
    };
    no_such_index(at, len, what)
}

/// The failure of an index where there is nothing.
#[cold]
pub(crate) fn no_such_index(at: i64, len: usize, what: &str) -> Fault {
    let there = if len == 1 { format!("there is 1 {what}") } else { format!("there are {len} {what}s") };
    Fault::new(Kind::Index, format!("index {at} is out of range: {there}"))
}

fn closed(range: &Range) -> Result<usize, Fault> {
    range.len().ok_or_else(|| Fault::new(Kind::Type, "a range that is open has no elements to go through"))
}

/// `item in container`: an element of a list or range, a key of a map, a part of a text.
pub fn contains(item: &Value, container: &Value) -> Result<bool, Fault> {
    match (container, item) {
        (Value::List(list), _) => Ok(list.iter().any(|other| other == item)),
        (Value::Map(map), Value::Str(key)) => Ok(map.contains(key)),
        (Value::Str(text), Value::Str(part)) => Ok(text.contains(part.as_str())),
        (Value::Range(range), Value::Int(number)) => Ok(range.contains(*number)),
        (Value::Range(range), Value::Float(number)) => {
            Ok(number.fract() == 0.0 && number.abs() < 9.2e18 && range.contains(*number as i64))
        }
        (Value::Range(_), _) => Ok(false),
        _ => Err(Fault::new(Kind::Type, format!("cannot look for {} in {}", describe(item), describe(container)))),
    }
}

/// How often a loop over `value` goes round; only lists, maps and ranges can be gone through.
pub fn iter_len(value: &Value) -> Result<usize, Fault> {
    match value {
        Value::List(list) => Ok(list.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Range(range) => range_len(range),
        Value::Str(text) => Err(Fault::new(
            Kind::Type,
            format!("cannot go through string {}; write `.chars()` for its characters", quote(text)),
        )),
        other => Err(Fault::new(Kind::Type, format!("cannot go through {}", describe(other)))),
    }
}

/// The same of a range, which may have no end.
pub(crate) fn range_len(range: &Range) -> Result<usize, Fault> {
    match range.end {
        None if range.start.is_some() => Ok(usize::MAX),
        _ => closed(range),
    }
}

/// Index (or key) and element of a round; `None` behind the last.
pub fn iter_next(value: &Value, round: usize) -> Option<(Value, Value)> {
    let number = || Value::Int(i64::try_from(round).unwrap_or(i64::MAX));
    match value {
        Value::List(list) => list.get(round).map(|item| (number(), item.clone())),
        Value::Map(map) => map.entry(round).map(|(key, value)| (Value::Str(key.clone()), value.clone())),
        Value::Range(range) => {
            let item = match range.end {
                Some(_) => range.get(round),
                None => range.start?.checked_add_unsigned(round as u64),
            };
            item.map(|item| (number(), Value::Int(item)))
        }
        _ => None,
    }
}

/// The elements of a list or a closed range, which is a list to methods.
pub(crate) fn as_list(value: &Value) -> Result<List, Fault> {
    match value {
        Value::List(list) => Ok(list.clone()),
        Value::Range(range) => {
            let len = closed(range)?;
            if len > MAX_SIZE / 8 {
                return Err(too_large());
            }
            List::collect((0..len).filter_map(|at| range.get(at)).map(Value::Int))
        }
        other => Err(Fault::new(Kind::Type, format!("expected a list, found {}", describe(other)))),
    }
}

/// How many elements, keys or characters a value has.
#[inline]
pub(crate) fn count(value: &Value) -> Result<i64, Fault> {
    let count = match value {
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Str(text) => text.chars_len(),
        Value::Range(range) => closed(range)?,
        other => {
            let message = format!("expected a list, a map or a string, found {}", describe(other));
            return Err(Fault::new(Kind::Type, message));
        }
    };
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A key or field name as text.
pub(crate) fn key_text(key: &Value) -> Result<&Str, Fault> {
    key.as_text().ok_or_else(|| Fault::new(Kind::Type, format!("a key must be a string, found {}", describe(key))))
}
