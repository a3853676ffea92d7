//! Maps and records.

use super::{
    NativeContext,
    args::{count, map, take, text, wrong},
};
use crate::{
    fault::Fault,
    value::{List, Map, Value},
};

pub(super) fn len(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    count(map(args, 0)?.len())
}

pub(super) fn is_empty(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(map(args, 0)?.is_empty()))
}

pub(super) fn keys(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    List::collect(map(args, 0)?.keys().cloned().map(Value::Str)).map(Value::List)
}

pub(super) fn values(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    List::collect(map(args, 0)?.values().cloned()).map(Value::List)
}

pub(super) fn entries(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let mut out = List::new();
    for (key, value) in map(args, 0)?.iter() {
        out.push(Value::record([("key", Value::Str(key.clone())), ("value", value.clone())])?)?;
    }
    Ok(Value::List(out))
}

pub(super) fn get(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(map(args, 0)?.get(text(args, 1)?).cloned().unwrap_or_default())
}

/// The map that a method changes.
fn receiver(args: &mut [Value]) -> Result<&mut Map, Fault> {
    match args.first_mut() {
        Some(Value::Map(map)) => Ok(map),
        Some(other) => Err(wrong("a map", other)),
        None => Err(wrong("a map", &Value::Missing)),
    }
}

pub(super) fn set(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let key = text(args, 1)?.clone();
    let value = take(args, 2);
    receiver(args)?.insert(key, value)?;
    Ok(Value::Null)
}

pub(super) fn remove(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let key = text(args, 1)?.clone();
    Ok(receiver(args)?.remove(&key).unwrap_or_default())
}

pub(super) fn merge(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let other = map(args, 1)?.clone();
    match take(args, 0) {
        Value::Map(mut merged) => {
            merged.extend(&other)?;
            Ok(Value::Map(merged))
        }
        found => Err(wrong("a map", &found)),
    }
}
