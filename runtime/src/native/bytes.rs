//! Bytes.

use super::{
    NativeContext,
    args::{arg, count, misfit, wrong},
};
use crate::{
    fault::Fault,
    value::{Bytes, Value},
};

fn bytes(args: &[Value]) -> Result<&Bytes, Fault> {
    match arg(args, 0) {
        Value::Bytes(bytes) => Ok(bytes),
        other => Err(wrong("bytes", other)),
    }
}

pub(super) fn len(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    count(bytes(args)?.as_slice().len())
}

pub(super) fn is_empty(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(bytes(args)?.as_slice().is_empty()))
}

pub(super) fn text(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let bytes = bytes(args)?.as_slice();
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Value::str(text)),
        Err(error) => Err(misfit(format!("these bytes are no UTF-8 text: see byte {}", error.valid_up_to()))),
    }
}
