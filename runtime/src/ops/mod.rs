//! The operators.
//!
//! Integers are checked: what does not fit faults with kind `arithmetic`, as do NaN and infinity, so neither ever
//! stands in a value. What an operator does not take faults with kind `type`.

use std::cmp::Ordering;

use wf_lang::program::Comparison;

use crate::fault::{Fault, Kind};
use crate::value::{MAX_SIZE, Secret, SecretPart, Value, compare_int_float, too_large};

mod access;
mod build;
mod place;
mod show;

pub(crate) use access::{as_list, count, key_text, no_such_index, range_len};
pub use access::{contains, field, field_or_null, index, iter_len, iter_next, list_len, part};
pub(crate) use build::{extend_list, extend_record, push, put, set_field, set_index};
pub use place::{PlaceStep, place_get, place_method, place_set, place_update};
pub(crate) use show::quote;
pub use show::{concat, describe, display, render};

/// The failure of an operator that takes no such operands: `cannot add int 1 and string "a"`.
fn refused(what: &str, a: &Value, b: &Value) -> Fault {
    Fault::new(Kind::Type, format!("cannot {what} {} and {}", describe(a), describe(b)))
}

#[cold]
fn overflow(what: &str, a: &Value, b: &Value) -> Fault {
    Fault::new(
        Kind::Arithmetic,
        format!("cannot {what} {} and {}: the result is out of range", describe(a), describe(b)),
    )
}

fn float(number: f64, what: &str, a: &Value, b: &Value) -> Result<Value, Fault> {
    Value::float(number).ok_or_else(|| overflow(what, a, b))
}

/// A moment, if it is one that can be written.
fn time(millis: Option<i64>) -> Option<Value> {
    millis.filter(|at| jiff::Timestamp::from_millisecond(*at).is_ok()).map(Value::Time)
}

/// `a + b`: numbers, durations, a time and a duration, two texts, two lists.
pub fn add(a: &Value, b: &Value) -> Result<Value, Fault> {
    let mut sum = a.clone();
    add_assign(&mut sum, b)?;
    Ok(sum)
}

/// `a += b`: in place for texts and lists that nobody else holds. `a` is unchanged when it faults.
pub fn add_assign(a: &mut Value, b: &Value) -> Result<(), Fault> {
    let what = "add";
    let sum = match (&mut *a, b) {
        (Value::Str(text), Value::Str(tail)) => {
            if text.byte_len() + tail.byte_len() > MAX_SIZE {
                return Err(too_large());
            }
            text.push_str(tail);
            return Ok(());
        }
        (Value::List(list), Value::List(tail)) => {
            return list.extend(tail);
        }
        // A range is a list.
        (Value::Range(_) | Value::List(_), Value::Range(_) | Value::List(_)) => {
            let mut list = as_list(a)?;
            list.extend(&as_list(b)?)?;
            *a = Value::List(list);
            return Ok(());
        }
        (Value::Int(x), Value::Int(y)) => x.checked_add(*y).map(Value::Int),
        (Value::Duration(x), Value::Duration(y)) => x.checked_add(*y).map(Value::Duration),
        (Value::Time(x), Value::Duration(y)) | (Value::Duration(x), Value::Time(y)) => time(x.checked_add(*y)),
        (Value::Secret(_), Value::Str(_) | Value::Secret(_)) | (Value::Str(_), Value::Secret(_)) => {
            Some(join_secrets(&[a.clone(), b.clone()]))
        }
        _ => match (a.as_number(), b.as_number()) {
            (Some(x), Some(y)) => Value::float(x + y),
            _ => return Err(hint_text(refused(what, a, b), a, b)),
        },
    };
    *a = sum.ok_or_else(|| overflow(what, a, b))?;
    Ok(())
}

fn hint_text(mut fault: Fault, a: &Value, b: &Value) -> Fault {
    if matches!(a, Value::Str(_)) || matches!(b, Value::Str(_)) {
        fault.message.push_str("; write \"${…}\" to put a value into text");
    }
    fault
}

fn join_secrets(values: &[Value]) -> Value {
    let mut parts = Vec::new();
    for value in values {
        match value {
            Value::Secret(secret) => parts.extend(secret.parts.iter().cloned()),
            Value::Str(text) => parts.push(SecretPart::Text(text.clone())),
            other => parts.push(SecretPart::Text(display(other).into())),
        }
    }
    Value::from(Secret { parts })
}

/// `a - b`: numbers, durations, a time and a duration, two times.
pub fn sub(a: &Value, b: &Value) -> Result<Value, Fault> {
    let what = "subtract";
    let result = match (a, b) {
        (Value::Int(x), Value::Int(y)) => x.checked_sub(*y).map(Value::Int),
        (Value::Duration(x), Value::Duration(y)) | (Value::Time(x), Value::Time(y)) => {
            x.checked_sub(*y).map(Value::Duration)
        }
        (Value::Time(x), Value::Duration(y)) => time(x.checked_sub(*y)),
        _ => match (a.as_number(), b.as_number()) {
            (Some(x), Some(y)) => return float(x - y, what, a, b),
            _ => return Err(refused(what, a, b)),
        },
    };
    result.ok_or_else(|| overflow(what, a, b))
}

/// `a * b`: numbers, a duration and a number.
pub fn mul(a: &Value, b: &Value) -> Result<Value, Fault> {
    let what = "multiply";
    let result = match (a, b) {
        (Value::Int(x), Value::Int(y)) => x.checked_mul(*y).map(Value::Int),
        (Value::Duration(x), Value::Int(y)) | (Value::Int(x), Value::Duration(y)) => {
            x.checked_mul(*y).map(Value::Duration)
        }
        (Value::Duration(x), Value::Float(y)) | (Value::Float(y), Value::Duration(x)) => scaled(*x as f64 * y),
        _ => match (a.as_number(), b.as_number()) {
            (Some(x), Some(y)) => return float(x * y, what, a, b),
            _ => return Err(refused(what, a, b)),
        },
    };
    result.ok_or_else(|| overflow(what, a, b))
}

/// A duration of so many milliseconds, rounded.
fn scaled(millis: f64) -> Option<Value> {
    let rounded = millis.round();
    let fits = rounded.is_finite()
        && compare_int_float(i64::MAX, rounded).is_ge()
        && compare_int_float(i64::MIN, rounded).is_le();
    fits.then_some(Value::Duration(rounded as i64))
}

fn divided_by_zero(a: &Value) -> Fault {
    Fault::new(Kind::Arithmetic, format!("cannot divide {} by zero", describe(a)))
}

/// `a / b`: numbers (the result is a float), a duration and a number, two durations (a float).
pub fn div(a: &Value, b: &Value) -> Result<Value, Fault> {
    let what = "divide";
    let (x, y, is_duration) = match (a, b) {
        (Value::Duration(x), Value::Duration(y)) => (*x as f64, *y as f64, false),
        (Value::Duration(x), Value::Int(_) | Value::Float(_)) => (*x as f64, b.as_number().unwrap_or_default(), true),
        _ => match (a.as_number(), b.as_number()) {
            (Some(x), Some(y)) => (x, y, false),
            _ => return Err(refused(what, a, b)),
        },
    };
    if y == 0.0 {
        return Err(divided_by_zero(a));
    }
    match is_duration {
        true => scaled(x / y).ok_or_else(|| overflow(what, a, b)),
        false => float(x / y, what, a, b),
    }
}

/// `a % b`: numbers, two durations; with the sign of the dividend.
pub fn rem(a: &Value, b: &Value) -> Result<Value, Fault> {
    let what = "take the remainder of";
    match (a, b) {
        (Value::Int(_) | Value::Float(_), Value::Int(0)) | (Value::Duration(_), Value::Duration(0)) => {
            Err(divided_by_zero(a))
        }
        // The one pair that overflows, `MIN % -1`, is 0.
        (Value::Int(x), Value::Int(y)) => Ok(Value::Int(x.wrapping_rem(*y))),
        (Value::Duration(x), Value::Duration(y)) => Ok(Value::Duration(x.wrapping_rem(*y))),
        _ => match (a.as_number(), b.as_number()) {
            (Some(_), Some(0.0)) => Err(divided_by_zero(a)),
            (Some(x), Some(y)) => float(x % y, what, a, b),
            _ => Err(refused(what, a, b)),
        },
    }
}

/// `-a`.
pub fn neg(a: &Value) -> Result<Value, Fault> {
    let result = match a {
        Value::Int(x) => x.checked_neg().map(Value::Int),
        Value::Float(x) => Some(Value::Float(-x)),
        Value::Duration(x) => x.checked_neg().map(Value::Duration),
        _ => return Err(Fault::new(Kind::Type, format!("cannot negate {}", describe(a)))),
    };
    result.ok_or_else(|| {
        Fault::new(Kind::Arithmetic, format!("cannot negate {}: the result is out of range", describe(a)))
    })
}

/// `!a`.
pub fn not(a: &Value) -> Result<Value, Fault> {
    condition(a).map(|value| Value::Bool(!value))
}

/// What a condition says: it is a bool and nothing else.
pub fn condition(value: &Value) -> Result<bool, Fault> {
    value
        .as_bool()
        .ok_or_else(|| Fault::new(Kind::Type, format!("a condition must be a bool, found {}", describe(value))))
}

/// `a == b`.
#[inline(always)]
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (a, b) => a == b,
    }
}

/// `a == value`.
#[inline(always)]
pub(crate) fn equal_int(a: &Value, value: i16) -> bool {
    match a {
        Value::Int(a) => *a == i64::from(value),
        Value::Float(a) => *a == f64::from(value),
        _ => false,
    }
}

/// Whether a value that is no int passes a test against one.
pub(crate) fn test_int(test: Comparison, a: &Value, value: i16) -> Result<bool, Fault> {
    match test {
        Comparison::Eq => Ok(equal_int(a, value)),
        Comparison::Ne => Ok(!equal_int(a, value)),
        test => compare(a, &Value::Int(i64::from(value))).map(|order| test.passes(order)),
    }
}

/// The order of two numbers, texts, durations, times or bools.
pub fn compare(a: &Value, b: &Value) -> Result<Ordering, Fault> {
    match (a, b) {
        (Value::Int(x), Value::Int(y))
        | (Value::Duration(x), Value::Duration(y))
        | (Value::Time(x), Value::Time(y)) => Ok(x.cmp(y)),
        (Value::Float(x), Value::Float(y)) => Ok(x.partial_cmp(y).unwrap_or(Ordering::Equal)),
        (Value::Int(x), Value::Float(y)) => Ok(compare_int_float(*x, *y)),
        (Value::Float(x), Value::Int(y)) => Ok(compare_int_float(*y, *x).reverse()),
        (Value::Str(x), Value::Str(y)) => Ok(x.cmp(y)),
        (Value::Bool(x), Value::Bool(y)) => Ok(x.cmp(y)),
        _ => Err(refused("compare", a, b)),
    }
}

/// The operator of `a op= b`, in place where it can be. `a` is unchanged when it faults.
pub fn assign(operator: wf_lang::program::Operator, a: &mut Value, b: &Value) -> Result<(), Fault> {
    use wf_lang::program::Operator;
    *a = match operator {
        Operator::Add => return add_assign(a, b),
        Operator::Sub => sub(a, b)?,
        Operator::Mul => mul(a, b)?,
        Operator::Div => div(a, b)?,
        Operator::Rem => rem(a, b)?,
    };
    Ok(())
}
