//! Mathematics.

use super::{
    NativeContext,
    args::{arg, float, out_of_range},
};
use crate::{fault::Fault, ops::display, value::Value};

fn number(args: &[Value], what: &str, apply: impl FnOnce(f64) -> f64) -> Result<Value, Fault> {
    let x = float(args, 0)?;
    Value::float(apply(x)).ok_or_else(|| out_of_range(format!("there is no {what} of {}", display(arg(args, 0)))))
}

pub(super) fn sqrt(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    number(args, "square root", f64::sqrt)
}

pub(super) fn exp(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    number(args, "power of e that is in range", f64::exp)
}

pub(super) fn log(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    number(args, "logarithm", f64::ln)
}

pub(super) fn log10(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    number(args, "logarithm", f64::log10)
}

pub(super) fn sin(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    number(args, "sine", f64::sin)
}

pub(super) fn cos(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    number(args, "cosine", f64::cos)
}

pub(super) fn tan(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    number(args, "tangent", f64::tan)
}

pub(super) fn pow(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (base, exponent) = (float(args, 0)?, float(args, 1)?);
    Value::float(base.powf(exponent)).ok_or_else(|| {
        let (base, exponent) = (display(arg(args, 0)), display(arg(args, 1)));
        out_of_range(format!("{base} to the power of {exponent} is no number, or out of range"))
    })
}
