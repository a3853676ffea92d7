//! Rounding to decimal places: halves go away from zero, and what decides is the number that is really there, not
//! what is left of it after a multiplication.

use super::{
    NativeContext,
    args::{arg, int, out_of_range, wrong},
};
use crate::{fault::Fault, ops::describe, value::Value};

/// Up to this power of ten a float holds it exactly.
const EXACT: i64 = 22;
/// The first one that it does not.
const INEXACT: i64 = EXACT + 1;

/// `(number, digits)`.
pub(super) fn round(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let digits = if arg(args, 1).is_null() { 0 } else { int(args, 1)? };
    let rounded = match arg(args, 0) {
        Value::Int(number) if digits >= 0 => Some(Value::Int(*number)),
        Value::Int(number) => whole(*number, digits.unsigned_abs()).map(Value::Int),
        // What is rounded to nothing has no sign.
        Value::Float(number) => Value::float(fraction(*number, digits) + 0.0),
        other => return Err(wrong("a number", other)),
    };
    rounded.ok_or_else(|| out_of_range(format!("cannot round {}: the result is out of range", describe(arg(args, 0)))))
}

/// An int to a multiple of a power of ten.
fn whole(number: i64, zeros: u64) -> Option<i64> {
    let Some(unit) = u32::try_from(zeros).ok().and_then(|zeros| 10i128.checked_pow(zeros)) else { return Some(0) };
    let rest = i128::from(number) % unit;
    let down = i128::from(number) - rest;
    let rounded = if rest.abs() * 2 >= unit { down + unit * rest.signum() } else { down };
    i64::try_from(rounded).ok()
}

fn fraction(number: f64, digits: i64) -> f64 {
    match digits {
        0 => number.round(),
        // More than that has no float, or it is too small to hold.
        400.. => number,
        ..=-309 => 0.0,
        1..=EXACT => scaled(number, 10f64.powi(digits as i32)),
        INEXACT..400 => format!("{number:.*}", digits as usize).parse().unwrap_or(number),
        _ => {
            let unit = 10f64.powi(-digits as i32);
            let rest = number % unit;
            let down = number - rest;
            if rest.abs() * 2.0 >= unit { down + unit.copysign(number) } else { down }
        }
    }
}

fn scaled(number: f64, unit: f64) -> f64 {
    let large = number * unit;
    // From here on a float has no fraction that could be rounded away.
    if large.abs() >= 4_503_599_627_370_496.0 {
        return number;
    }
    // What the multiplication lost: it may have made a half of what is none.
    let lost = number.mul_add(unit, -large);
    let below_half = (large - large.trunc()).abs() == 0.5 && lost * large < 0.0;
    (if below_half { large.trunc() } else { large.round() }) / unit
}
