//! Lists: their ends and parts, and what changes them. A range is a list here; what looks at a few elements of one does
//! not make the others.

use super::{
    NativeContext,
    args::{amount, arg, count, elements, int, list, out_of_range, room, take, wrong},
};
use crate::{
    fault::Fault,
    ops::{self, as_list, concat, index, no_such_index},
    value::{List, Range, Value},
};

/// How many elements there are.
fn length(value: &Value) -> Result<usize, Fault> {
    match value {
        Value::List(list) => Ok(list.len()),
        Value::Range(range) if range.len().is_some() => Ok(range.len().unwrap_or_default()),
        other => Ok(as_list(other)?.len()),
    }
}

pub(super) fn len(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    count(length(arg(args, 0))?)
}

pub(super) fn is_empty(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(length(arg(args, 0))? == 0))
}

/// The element at one of the ends, if there is one.
fn end(value: &Value, at: i64) -> Result<Value, Fault> {
    if length(value)? == 0 { Ok(Value::Null) } else { index(value, &Value::Int(at)) }
}

pub(super) fn first(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    end(arg(args, 0), 0)
}

pub(super) fn last(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    end(arg(args, 0), -1)
}

/// The elements from `start` to before `end`, as far as there are any.
fn part(value: &Value, start: Option<usize>, end: Option<usize>) -> Result<Value, Fault> {
    length(value)?;
    let bound = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    index(value, &Value::from(Range { start: start.map(bound), end: end.map(bound), inclusive: false }))
}

pub(super) fn take_first(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    part(arg(args, 0), None, Some(amount(args, 1)?))
}

pub(super) fn drop_first(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    part(arg(args, 0), Some(amount(args, 1)?), None)
}

/// The list that a method changes; a range in its place becomes one.
fn receiver(args: &mut [Value]) -> Result<&mut List, Fault> {
    if let Some(first @ Value::Range(_)) = args.first_mut() {
        *first = Value::List(as_list(first)?);
    }
    match args.first_mut() {
        Some(Value::List(list)) => Ok(list),
        Some(other) => Err(wrong("a list", other)),
        None => Err(wrong("a list", &Value::Missing)),
    }
}

pub(super) fn push(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let item = take(args, 1);
    receiver(args)?.push(item)?;
    Ok(Value::Null)
}

pub(super) fn pop(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(receiver(args)?.pop().unwrap_or_default())
}

/// An index as a position up to `last`; negative ones count from the end of `len` elements.
fn position(at: i64, len: usize, last: usize) -> Result<usize, Fault> {
    let from_start = if at < 0 { at.checked_add_unsigned(len as u64) } else { Some(at) };
    let found = from_start.and_then(|at| usize::try_from(at).ok()).filter(|at| *at <= last);
    found.ok_or_else(|| no_such_index(at, len, "element"))
}

pub(super) fn insert(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let at = int(args, 1)?;
    let item = take(args, 2);
    let list = receiver(args)?;
    let position = position(at, list.len(), list.len())?;
    list.insert(position, item)?;
    Ok(Value::Null)
}

pub(super) fn remove(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let at = int(args, 1)?;
    let list = receiver(args)?;
    let len = list.len();
    let last = len.checked_sub(1).ok_or_else(|| no_such_index(at, len, "element"))?;
    let position = position(at, len, last)?;
    list.remove(position).ok_or_else(|| no_such_index(at, len, "element"))
}

pub(super) fn index_of(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let found = list(args, 0)?.iter().position(|item| item == arg(args, 1));
    found.map_or(Ok(Value::Null), count)
}

pub(super) fn reversed(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let mut items = elements(args, 0)?;
    items.reverse();
    Value::list(items)
}

pub(super) fn flatten(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let mut out = List::new();
    for inner in &list(args, 0)? {
        out.extend(&as_list(inner)?)?;
    }
    Ok(Value::List(out))
}

pub(super) fn chunks(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let size = int(args, 1)?;
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        return Err(out_of_range(format!("a chunk has at least 1 element, found {size}")));
    };
    let mut out = List::new();
    for chunk in list(args, 0)?.as_slice().chunks(size) {
        out.push(Value::list(chunk.to_vec())?)?;
    }
    Ok(Value::List(out))
}

/// Pairs, as many as the shorter of the two lists has elements.
pub(super) fn zip(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let shorter = length(arg(args, 0))?.min(length(arg(args, 1))?);
    let side = |at: usize| part(arg(args, at), None, Some(shorter)).and_then(|side| as_list(&side));
    let (left, right) = (side(0)?, side(1)?);
    let mut out = List::new();
    for (left, right) in left.iter().zip(&right) {
        out.push(Value::record([("left", left.clone()), ("right", right.clone())])?)?;
    }
    Ok(Value::List(out))
}

pub(super) fn compact(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let mut items = elements(args, 0)?;
    items.retain(|item| !item.is_null());
    Value::list(items)
}

pub(super) fn join(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let list = list(args, 0)?;
    let separator = match arg(args, 1) {
        Value::Null => Value::str(""),
        Value::Str(separator) => Value::Str(separator.clone()),
        other => return Err(wrong("a string", other)),
    };
    if let (true, Value::Str(separator)) = (list.iter().all(|item| matches!(item, Value::Str(_))), &separator) {
        return join_texts(&list, separator);
    }
    let mut parts = Vec::with_capacity(list.len() * 2);
    for item in &list {
        if !matches!(item, Value::Str(_) | Value::Secret(_)) {
            return Err(wrong("a list of strings", item));
        }
        if !parts.is_empty() {
            parts.push(separator.clone());
        }
        parts.push(item.clone());
    }
    concat(&parts)
}

fn join_texts(list: &List, separator: &str) -> Result<Value, Fault> {
    let texts = || list.iter().filter_map(Value::as_str);
    let size: usize = texts().map(str::len).sum();
    let between = separator.len().saturating_mul(list.len().saturating_sub(1));
    room(size.saturating_add(between))?;
    let mut out = String::with_capacity(size + between);
    for (at, text) in texts().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
    }
    Ok(Value::from(out))
}

/// `(items, zero)`: what the elements add up to, and `zero` for none.
pub(super) fn sum(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let items = list(args, 0)?;
    let mut items = items.iter();
    let Some(first) = items.next() else { return Ok(take(args, 1)) };
    let mut total = first.clone();
    let addable = |item: &Value| matches!(item, Value::Int(_) | Value::Float(_) | Value::Duration(_));
    if !addable(&total) {
        return Err(wrong("a list of numbers or durations", &total));
    }
    for item in items {
        if !addable(item) {
            return Err(wrong("a list of numbers or durations", item));
        }
        ops::add_assign(&mut total, item)?;
    }
    Ok(total)
}
