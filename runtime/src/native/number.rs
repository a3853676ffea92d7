//! Numbers: ints and floats have the same methods, and an int stays one where that makes sense.

use std::cmp::Ordering;

use super::{
    NativeContext,
    args::{arg, float, out_of_range, wrong},
};
use crate::{
    fault::{Fault, Kind},
    ops::{compare, describe, display, neg},
    value::Value,
};

pub(super) fn abs(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    match arg(args, 0) {
        Value::Int(number) if *number < 0 => neg(arg(args, 0)),
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Float(number) => Ok(Value::Float(number.abs())),
        other => Err(wrong("a number", other)),
    }
}

/// How often the second number goes into the first, towards zero, so that `%` is what is left.
pub(super) fn div(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (a, b) = (arg(args, 0), arg(args, 1));
    let divided_by_zero = || Fault::new(Kind::Arithmetic, format!("cannot divide {} by zero", describe(a)));
    match (a, b) {
        (Value::Int(_), Value::Int(0)) => Err(divided_by_zero()),
        (Value::Int(x), Value::Int(y)) => x.checked_div(*y).map(Value::Int).ok_or_else(|| {
            out_of_range(format!("cannot divide {} and {}: the result is out of range", describe(a), describe(b)))
        }),
        _ => {
            let (x, y) = (float(args, 0)?, float(args, 1)?);
            if y == 0.0 { Err(divided_by_zero()) } else { whole((x / y).trunc()) }
        }
    }
}

/// A float without a fraction as an int.
fn whole(number: f64) -> Result<Value, Fault> {
    let int = number as i64;
    if Value::Int(int) == Value::Float(number) {
        return Ok(Value::Int(int));
    }
    Err(out_of_range(format!("{number:e} is out of the range of ints")))
}

fn rounded(args: &[Value], round: fn(f64) -> f64) -> Result<Value, Fault> {
    match arg(args, 0) {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Float(number) => whole(round(*number)),
        other => Err(wrong("a number", other)),
    }
}

pub(super) fn floor(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    rounded(args, f64::floor)
}

pub(super) fn ceil(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    rounded(args, f64::ceil)
}

pub(super) fn to_int(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    rounded(args, f64::trunc)
}

pub(super) fn clamp(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (value, lo, hi) = (arg(args, 0), arg(args, 1), arg(args, 2));
    (0..3).try_for_each(|at| float(args, at).map(drop))?;
    if compare(lo, hi)? == Ordering::Greater {
        return Err(out_of_range(format!("the lower bound {} is above the upper one, {}", display(lo), display(hi))));
    }
    let found = if compare(value, lo)?.is_lt() {
        lo
    } else if compare(value, hi)?.is_gt() {
        hi
    } else {
        value
    };
    Ok(found.clone())
}

pub(super) fn to_string(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    float(args, 0)?;
    Ok(Value::from(display(arg(args, 0))))
}
