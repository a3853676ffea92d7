//! Text; lengths and positions count characters.

use super::{
    NativeContext,
    args::{Text, amount, arg, count, room, sized, text, texts, wrong},
};
use crate::{
    fault::Fault,
    value::{Bytes, Str, Value},
};

pub(super) fn len(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    count(text(args, 0)?.chars_len())
}

pub(super) fn is_empty(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(text(args, 0)?.is_empty()))
}

/// What is left of a text after something was taken off its ends: itself, if that was nothing.
fn trimmed(args: &[Value], trim: impl FnOnce(&str) -> &str) -> Result<Value, Fault> {
    let whole = text(args, 0)?;
    let rest = trim(whole);
    Ok(Value::Str(if rest.len() == whole.len() { whole.clone() } else { rest.into() }))
}

pub(super) fn trim(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    trimmed(args, str::trim)
}

pub(super) fn trim_start(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    trimmed(args, str::trim_start)
}

pub(super) fn trim_end(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    trimmed(args, str::trim_end)
}

pub(super) fn upper(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    sized(text(args, 0)?.to_uppercase())
}

pub(super) fn lower(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    sized(text(args, 0)?.to_lowercase())
}

/// The parts between separators; its characters when the separator is empty.
pub(super) fn split(context: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let separator = text(args, 1)?;
    if separator.is_empty() {
        return chars(context, args);
    }
    texts(text(args, 0)?.split(separator.as_str()))
}

pub(super) fn lines(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    texts(text(args, 0)?.lines())
}

pub(super) fn words(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    texts(text(args, 0)?.split_whitespace())
}

pub(super) fn chars(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let whole = text(args, 0)?.as_str();
    texts(whole.char_indices().filter_map(|(at, c)| whole.get(at..at + c.len_utf8())))
}

pub(super) fn replace(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (whole, old, new) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    let mut out = Text::default();
    let mut done = 0;
    for (at, found) in whole.match_indices(old.as_str()) {
        out.push(whole.get(done..at).unwrap_or_default())?;
        out.push(new)?;
        done = at + found.len();
    }
    if done == 0 && !old.is_empty() {
        return Ok(Value::Str(whole.clone()));
    }
    out.push(whole.get(done..).unwrap_or_default())?;
    Ok(out.finish())
}

pub(super) fn starts_with(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(text(args, 0)?.starts_with(text(args, 1)?.as_str())))
}

pub(super) fn ends_with(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(text(args, 0)?.ends_with(text(args, 1)?.as_str())))
}

pub(super) fn find(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let whole = text(args, 0)?;
    let found = whole.find(text(args, 1)?.as_str()).and_then(|at| whole.get(..at));
    found.map_or(Ok(Value::Null), |before| count(before.chars().count()))
}

pub(super) fn repeat(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (text, times) = (text(args, 0)?, amount(args, 1)?);
    room(text.byte_len().saturating_mul(times))?;
    Ok(Value::from(text.repeat(if text.is_empty() { 0 } else { times })))
}

/// What has to be added to reach a width, in whole and partial copies of the fill.
fn padding(args: &[Value]) -> Result<String, Fault> {
    let (whole, width) = (text(args, 0)?, amount(args, 1)?);
    let fill = match arg(args, 2) {
        Value::Null => " ",
        Value::Str(fill) => fill,
        other => return Err(wrong("a string", other)),
    };
    let missing = width.saturating_sub(whole.chars_len());
    if fill.is_empty() {
        return Ok(String::new());
    }
    room(missing)?;
    let padding: String = fill.chars().cycle().take(missing).collect();
    room(padding.len() + whole.byte_len())?;
    Ok(padding)
}

pub(super) fn pad_start(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::from(padding(args)? + text(args, 0)?))
}

pub(super) fn pad_end(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let padding = padding(args)?;
    let mut whole = text(args, 0)?.clone();
    whole.push_str(&padding);
    Ok(Value::Str(whole))
}

/// Decimal digits with a sign, and blanks around them.
pub(super) fn to_int(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::from(text(args, 0)?.trim().parse::<i64>().ok()))
}

/// A decimal number, and blanks around it; the words for what is no number are none.
pub(super) fn to_float(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let number = text(args, 0)?.trim().parse::<f64>().ok();
    Ok(number.and_then(Value::float).unwrap_or_default())
}

pub(super) fn to_bytes(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bytes(Bytes::from(text(args, 0)?.as_bytes().to_vec())))
}

pub(super) fn truncate(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (whole, width) = (text(args, 0)?, amount(args, 1)?);
    if whole.chars_len() <= width {
        return Ok(Value::Str(whole.clone()));
    }
    let end = match arg(args, 2) {
        Value::Null => Str::from("…"),
        Value::Str(end) => end.clone(),
        other => return Err(wrong("a string", other)),
    };
    let end = end.slice(0, width.min(end.chars_len())).to_owned();
    let kept = width.saturating_sub(end.chars().count());
    sized(format!("{}{end}", whole.slice(0, kept)))
}
