//! Putting values into lists and records, in place while nobody else holds them.

use super::{as_list, describe, key_text, place_set};
use crate::fault::{Fault, Kind};
use crate::ops::PlaceStep;
use crate::value::{Str, Value};

/// Adds an element at the end of a list; a range becomes one.
#[cold]
pub(crate) fn push(list: &mut Value, item: Value) -> Result<(), Fault> {
    if let Value::Range(_) = list {
        *list = Value::List(as_list(list)?);
    }
    match list {
        Value::List(list) => list.push(item),
        other => Err(Fault::new(Kind::Type, format!("expected a list, found {}", describe(other)))),
    }
}

/// Adds the elements of another list to one under construction.
pub(crate) fn extend_list(list: &mut Value, items: &Value) -> Result<(), Fault> {
    let items = as_list(items)?;
    match list {
        Value::List(list) => list.extend(&items),
        _ => Ok(()),
    }
}

/// Puts a field into a record under construction.
pub(crate) fn put(record: &mut Value, key: &Value, value: Value) -> Result<(), Fault> {
    let key = key_text(key)?;
    match record {
        Value::Map(record) => record.insert(key, value).map(drop),
        _ => Ok(()),
    }
}

/// Puts the fields of another record into one under construction.
pub(crate) fn extend_record(record: &mut Value, fields: &Value) -> Result<(), Fault> {
    match (record, fields) {
        (Value::Map(record), Value::Map(fields)) => record.extend(fields),
        (_, Value::Map(_) | Value::Null) => Ok(()),
        (_, other) => {
            Err(Fault::new(Kind::Type, format!("`...` in a record needs a record, found {}", describe(other))))
        }
    }
}

/// `object.name = value`.
#[inline]
pub(crate) fn set_field(object: &mut Value, name: &Str, value: Value) -> Result<(), Fault> {
    match object {
        Value::Map(map) => map.set_field(name, value),
        other => place_set(other, &[PlaceStep::Field { name, lenient: false }], value),
    }
}

/// `object[index] = value`.
#[inline]
pub(crate) fn set_index(object: &mut Value, index: &Value, value: Value) -> Result<(), Fault> {
    match (object, index) {
        (Value::List(list), Value::Int(at)) if usize::try_from(*at).is_ok_and(|at| at < list.len()) => {
            list.set(*at as usize, value).map(drop)
        }
        (Value::Map(map), Value::Str(key)) => map.set_field(key, value),
        (object, index) => place_set(object, &[PlaceStep::Index(index)], value),
    }
}
