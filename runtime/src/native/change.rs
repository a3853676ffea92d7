//! Methods that change a receiver whose kind is known only at run time.

use super::{NativeContext, args::arg, list, map};
use crate::{fault::Fault, value::Value};

/// `remove`: of a map by key, of a list by index.
pub(super) fn remove(context: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    match arg(args, 0) {
        Value::Map(_) => map::remove(context, args),
        _ => list::remove(context, args),
    }
}
