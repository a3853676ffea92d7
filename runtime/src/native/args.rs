//! Arguments of natives, and results that are built piece by piece.

use wf_lang::program::{TypeId, Types};

use crate::fault::{Fault, Kind};
use crate::ops::{as_list, describe};
use crate::value::{List, MAX_SIZE, Map, Str, Value, too_large};

/// The argument at a position; null when it was left out.
pub(super) fn arg(args: &[Value], at: usize) -> &Value {
    match args.get(at) {
        Some(Value::Missing) | None => &Value::Null,
        Some(value) => value,
    }
}

/// Takes an argument away.
pub(super) fn take(args: &mut [Value], at: usize) -> Value {
    match args.get_mut(at).map(Value::take) {
        Some(Value::Missing) | None => Value::Null,
        Some(value) => value,
    }
}

/// The failure of an argument of another kind.
pub(super) fn wrong(wanted: &str, found: &Value) -> Fault {
    Fault::new(Kind::Type, format!("expected {wanted}, found {}", describe(found)))
}

/// A failure of kind `type`.
pub(super) fn misfit(message: impl Into<Str>) -> Fault {
    Fault::new(Kind::Type, message)
}

/// A failure of a number that is out of range.
pub(super) fn out_of_range(message: impl Into<Str>) -> Fault {
    Fault::new(Kind::Arithmetic, message)
}

pub(super) fn text(args: &[Value], at: usize) -> Result<&Str, Fault> {
    arg(args, at).as_text().ok_or_else(|| wrong("a string", arg(args, at)))
}

/// An integer; a float that is one will do.
pub(super) fn int(args: &[Value], at: usize) -> Result<i64, Fault> {
    match arg(args, at) {
        Value::Int(number) => Ok(*number),
        Value::Float(number) if Value::Int(*number as i64) == Value::Float(*number) => Ok(*number as i64),
        other => Err(wrong("an int", other)),
    }
}

/// How many: an integer, of which those below zero count as zero.
pub(super) fn amount(args: &[Value], at: usize) -> Result<usize, Fault> {
    Ok(usize::try_from(int(args, at)?.max(0)).unwrap_or(usize::MAX))
}

pub(super) fn float(args: &[Value], at: usize) -> Result<f64, Fault> {
    arg(args, at).as_number().ok_or_else(|| wrong("a number", arg(args, at)))
}

pub(super) fn truth(args: &[Value], at: usize) -> Result<bool, Fault> {
    match arg(args, at) {
        Value::Null => Ok(false),
        other => other.as_bool().ok_or_else(|| wrong("a bool", other)),
    }
}

/// A list; a range is one.
pub(super) fn list(args: &[Value], at: usize) -> Result<List, Fault> {
    as_list(arg(args, at))
}

/// The elements of a list, moved out when nobody else holds it.
pub(super) fn elements(args: &mut [Value], at: usize) -> Result<Vec<Value>, Fault> {
    match take(args, at) {
        Value::List(list) => Ok(list.into_vec()),
        other => Ok(as_list(&other)?.into_vec()),
    }
}

pub(super) fn map(args: &[Value], at: usize) -> Result<&Map, Fault> {
    arg(args, at).as_map().ok_or_else(|| wrong("a map", arg(args, at)))
}

/// Bytes, or the bytes of text.
pub(super) fn data(args: &[Value], at: usize) -> Result<&[u8], Fault> {
    match arg(args, at) {
        Value::Bytes(bytes) => Ok(bytes.as_slice()),
        Value::Str(text) => Ok(text.as_bytes()),
        other => Err(wrong("a string or bytes", other)),
    }
}

/// A type argument; `any` when it was left out.
pub(super) fn ty(args: &[Value], at: usize) -> Result<TypeId, Fault> {
    match arg(args, at) {
        Value::Type(ty) => Ok(*ty),
        Value::Null => Ok(Types::ANY),
        other => Err(wrong("a type", other)),
    }
}

/// A length as a value.
pub(super) fn count(len: usize) -> Result<Value, Fault> {
    Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

/// A list of what an iterator gives; the first element that is too much ends it.
pub(super) fn listed(items: impl IntoIterator<Item = Value>) -> Result<Value, Fault> {
    let mut list = List::new();
    items.into_iter().try_for_each(|item| list.push(item))?;
    Ok(Value::List(list))
}

/// A list of texts.
pub(super) fn texts<'t>(items: impl IntoIterator<Item = &'t str>) -> Result<Value, Fault> {
    listed(items.into_iter().map(Value::str))
}

/// Whether there is room for a text or list of so many bytes.
pub(super) fn room(bytes: usize) -> Result<(), Fault> {
    if bytes > MAX_SIZE { Err(too_large()) } else { Ok(()) }
}

/// Text that grows up to the size that a value may have.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Appends `part`.
    pub(super) fn push(&mut self, part: &str) -> Result<(), Fault> {
        room(self.0.len().saturating_add(part.len()))?;
        self.0.push_str(part);
        Ok(())
    }

    /// What was put together.
    pub(super) fn finish(self) -> Value {
        Value::from(self.0)
    }
}

/// Text as a value, if it is not too large.
pub(super) fn sized(text: String) -> Result<Value, Fault> {
    room(text.len())?;
    Ok(Value::from(text))
}
