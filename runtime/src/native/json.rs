//! JSON as text.

use super::{
    NativeContext,
    args::{amount, arg, text, ty},
};
use crate::{fault::Fault, json, validate::fits_outside, value::Value};

pub(super) fn parse(context: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let value = json::from_text(text(args, 0)?)?;
    Ok(fits_outside(&context.program.types, ty(args, 1)?, value)?)
}

pub(super) fn stringify(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let indent = if arg(args, 1).is_null() { 0 } else { amount(args, 1)? };
    json::to_text(arg(args, 0), indent).map(Value::from)
}
