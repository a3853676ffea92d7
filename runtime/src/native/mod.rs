//! The functions of the library that are written in Rust: pure, short, known by name.
//!
//! None of them calls the machine; what takes a function is written in wf. A method that changes its receiver finds it in
//! its first argument and leaves it there; when it fails, it has changed nothing.

use wf_lang::program::{Program, TypeId, Types};

use crate::fault::{Fault, Kind};
use crate::json;
use crate::ops::{as_list, concat, describe};
use crate::validate::fits_outside;
use crate::value::{List, Map, Str, Value};

pub(crate) mod answer;
mod equal;
mod pattern;

/// What a native may look at beside its arguments.
#[derive(Clone, Copy)]
pub struct NativeContext<'a> {
    /// The program that calls it.
    pub program: &'a Program,
}

/// A function of the library.
pub type NativeFn = fn(&NativeContext<'_>, &mut [Value]) -> Result<Value, Fault>;

/// All of them, by name.
pub const NATIVES: &[(&str, NativeFn)] = &[
    ("agent._merge", answer::merge),
    ("agent._read_answer", answer::read_answer),
    ("json.parse", json_parse),
    ("json.stringify", json_stringify),
    ("list.is_empty", list_is_empty),
    ("list.join", list_join),
    ("list.len", list_len),
    ("list.pop", list_pop),
    ("list.push", list_push),
    ("map.is_empty", map_is_empty),
    ("map.keys", map_keys),
    ("map.len", map_len),
    ("map.values", map_values),
    ("pattern.equal", equal::equal),
    ("pattern.list", pattern::list),
    ("pattern.rest", pattern::rest),
    ("string.is_empty", string_is_empty),
    ("string.len", string_len),
];

/// The function of that name.
pub fn native(name: &str) -> Option<NativeFn> {
    NATIVES
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()
        .and_then(|at| NATIVES.get(at))
        .map(|(_, native)| *native)
}

fn count(len: usize) -> Result<Value, Fault> {
    Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

fn arg(args: &[Value], at: usize) -> &Value {
    match args.get(at) {
        Some(Value::Missing) | None => &Value::Null,
        Some(value) => value,
    }
}

fn wrong(wanted: &str, found: &Value) -> Fault {
    Fault::new(Kind::Type, format!("expected {wanted}, found {}", describe(found)))
}

fn text(args: &[Value], at: usize) -> Result<&Str, Fault> {
    arg(args, at).as_text().ok_or_else(|| wrong("a string", arg(args, at)))
}

fn map(args: &[Value]) -> Result<&Map, Fault> {
    arg(args, 0).as_map().ok_or_else(|| wrong("a map", arg(args, 0)))
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

fn list_len(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    match arg(args, 0) {
        Value::List(list) => count(list.len()),
        Value::Range(range) if range.len().is_some() => count(range.len().unwrap_or_default()),
        other => count(as_list(other)?.len()),
    }
}

fn list_is_empty(context: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    list_len(context, args).map(|len| Value::Bool(len == Value::Int(0)))
}

fn list_push(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let item = args.get_mut(1).map(Value::take).unwrap_or_default();
    receiver(args)?.push(item)?;
    Ok(Value::Null)
}

fn list_pop(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(receiver(args)?.pop().unwrap_or_default())
}

fn list_join(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let list = as_list(arg(args, 0))?;
    let separator = match arg(args, 1) {
        Value::Null => Value::str(""),
        Value::Str(separator) => Value::Str(separator.clone()),
        other => return Err(wrong("a string", other)),
    };
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

fn map_len(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    count(map(args)?.len())
}

fn map_is_empty(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(map(args)?.is_empty()))
}

fn map_keys(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    List::collect(map(args)?.keys().cloned().map(Value::Str)).map(Value::List)
}

fn map_values(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    List::collect(map(args)?.values().cloned()).map(Value::List)
}

fn string_len(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    count(text(args, 0)?.chars_len())
}

fn string_is_empty(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(text(args, 0)?.is_empty()))
}

fn json_parse(context: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let value = json::from_text(text(args, 0)?)?;
    Ok(fits_outside(&context.program.types, ty(args, 1)?, value)?)
}

fn json_stringify(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let indent = arg(args, 1).as_int().unwrap_or_default();
    json::to_text(arg(args, 0), usize::try_from(indent).unwrap_or_default()).map(Value::from)
}

/// A type argument; `any` when it was left out.
fn ty(args: &[Value], at: usize) -> Result<TypeId, Fault> {
    match arg(args, at) {
        Value::Type(ty) => Ok(*ty),
        Value::Null => Ok(Types::ANY),
        other => Err(wrong("a type", other)),
    }
}
