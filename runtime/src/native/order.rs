//! What needs an order: sorting, and the least and greatest of a list.
//!
//! The order is that of `<`: among numbers, texts, times, durations or bools, whose kinds do not mix.

use std::cmp::Ordering;

use super::{
    NativeContext,
    args::{arg, count, elements, list, truth},
};
use crate::{
    fault::{Fault, Kind},
    ops::{compare, describe},
    value::Value,
};

/// Fails unless each of the values can be compared with each other one.
fn orderable(values: &[Value]) -> Result<(), Fault> {
    let Some(first) = values.first() else { return Ok(()) };
    if compare(first, first).is_err() {
        let message =
            format!("{} has no order: numbers, strings, times, durations and bools have one", describe(first));
        return Err(Fault::new(Kind::Type, message));
    }
    // What can be compared with the first one is of its kind, and so comparable with all others that can be.
    values.iter().try_for_each(|value| compare(first, value).map(drop))
}

fn by_value(a: &Value, b: &Value) -> Ordering {
    // Looked at before: they can be compared.
    compare(a, b).unwrap_or(Ordering::Equal)
}

/// `(items, descending)`.
pub(super) fn sorted(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let descending = truth(args, 1)?;
    let mut items = elements(args, 0)?;
    orderable(&items)?;
    items.sort_by(|a, b| if descending { by_value(b, a) } else { by_value(a, b) });
    Value::list(items)
}

/// `(items, keys, descending)`: the items by their keys; those with equal keys stay in their order.
pub(super) fn order(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let descending = truth(args, 2)?;
    let keys = elements(args, 1)?;
    let items = elements(args, 0)?;
    orderable(&keys)?;
    let mut pairs: Vec<(Value, Value)> = keys.into_iter().zip(items).collect();
    pairs.sort_by(|(a, _), (b, _)| if descending { by_value(b, a) } else { by_value(a, b) });
    Value::list(pairs.into_iter().map(|(_, item)| item).collect())
}

/// The position of the first value that comes before all others, in this order or its opposite.
fn extreme(values: &[Value], wanted: Ordering) -> Result<Option<usize>, Fault> {
    orderable(values)?;
    let mut found = None;
    for (at, value) in values.iter().enumerate() {
        match found {
            Some((_, best)) if by_value(value, best) != wanted => {}
            _ => found = Some((at, value)),
        }
    }
    Ok(found.map(|(at, _)| at))
}

fn extreme_of(args: &[Value], wanted: Ordering) -> Result<Value, Fault> {
    let items = list(args, 0)?;
    let at = extreme(items.as_slice(), wanted)?;
    Ok(at.and_then(|at| items.get(at)).cloned().unwrap_or_default())
}

pub(super) fn min(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    extreme_of(args, Ordering::Less)
}

pub(super) fn max(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    extreme_of(args, Ordering::Greater)
}

/// `(keys)`: the position of the least one.
pub(super) fn least(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    extreme(list(args, 0)?.as_slice(), Ordering::Less)?.map_or(Ok(Value::Null), count)
}

/// `(keys)`: the position of the greatest one.
pub(super) fn greatest(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    extreme(list(args, 0)?.as_slice(), Ordering::Greater)?.map_or(Ok(Value::Null), count)
}

/// `(a, b)`: the lesser one.
pub(super) fn lesser(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(arg(args, usize::from(compare(arg(args, 0), arg(args, 1))?.is_gt())).clone())
}

/// `(a, b)`: the greater one.
pub(super) fn greater(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(arg(args, usize::from(compare(arg(args, 0), arg(args, 1))?.is_lt())).clone())
}
