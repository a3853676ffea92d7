//! Reading and changing through a path: `m[k].items[0].n += 1`.
//!
//! Each level is changed in place while nobody else holds it, and only the chunks on the way count as changed. A fault
//! leaves everything as it was: whatever may fail is looked at before the first change.

use wf_lang::program::Operator;

use super::access::{field, field_or_null, index, key_text, no_field, no_fields, out_of_range, position};
use super::{assign, describe};
use crate::fault::{Fault, Kind};
use crate::value::{MAX_DEPTH, MAX_SIZE, Str, Value, too_deep, too_large};

/// A step into a value.
#[derive(Clone, Copy, Debug)]
pub enum PlaceStep<'a> {
    /// `.name`.
    Field {
        /// The field.
        name: &'a Str,
        /// Absent reads as null.
        lenient: bool,
    },
    /// `[key]`.
    Index(&'a Value),
}

/// What stands at the place. A missing key of a map reads as null, as in any other expression.
pub fn place_get(root: &Value, steps: &[PlaceStep<'_>]) -> Result<Value, Fault> {
    let mut value = root;
    for (at, step) in steps.iter().enumerate() {
        let inner = match (value, step) {
            (Value::Map(map), PlaceStep::Field { name, .. }) => map.field(name),
            (Value::List(list), PlaceStep::Index(Value::Int(key))) => {
                position(*key, list.len()).and_then(|at| list.get(at))
            }
            (Value::Map(map), PlaceStep::Index(Value::Str(key))) => map.get(key),
            _ => None,
        };
        match inner {
            Some(inner) => value = inner,
            None => return get_slowly(value, &steps[at..]),
        }
    }
    Ok(value.clone())
}

/// The same where something is missing, or comes to be by reading: a slice, a character.
#[cold]
fn get_slowly(value: &Value, steps: &[PlaceStep<'_>]) -> Result<Value, Fault> {
    let mut value = value.clone();
    for step in steps {
        value = match step {
            PlaceStep::Field { name, lenient: true } => field_or_null(&value, name)?,
            PlaceStep::Field { name, lenient: false } => field(&value, name)?,
            PlaceStep::Index(key) => index(&value, key)?,
        };
    }
    Ok(value)
}

/// Puts `new` at the place. The last key is put in if it is missing; one missing on the way faults with kind `key`.
pub fn place_set(root: &mut Value, steps: &[PlaceStep<'_>], new: Value) -> Result<(), Fault> {
    let Some((last, way)) = steps.split_last() else {
        *root = new;
        return Ok(());
    };
    room(root, steps, new.depth(), || new.size().saturating_sub(place_get(root, steps).map_or(0, |old| old.size())))?;
    at(root, way, |holder| match (holder, last) {
        (Value::Map(map), PlaceStep::Field { name, .. }) => map.set_field(name, new),
        (Value::Map(map), PlaceStep::Index(key)) => map.insert(key_text(key)?, new).map(drop),
        (Value::List(list), PlaceStep::Index(Value::Int(key))) => match position(*key, list.len()) {
            Some(at) => list.set(at, new).map(drop),
            None => Err(out_of_range(&Value::Null, *key, list.len())),
        },
        (holder, step) => Err(no_place(holder, step)),
    })
}

/// `place op= operand`. A missing key faults with kind `key`.
pub fn place_update(
    root: &mut Value,
    steps: &[PlaceStep<'_>],
    operator: Operator,
    operand: &Value,
) -> Result<(), Fault> {
    room(root, steps, operand.depth(), || operand.size())?;
    at(root, steps, |value| assign(operator, value, operand))
}

/// Calls a method that changes its receiver: what stands at the place is moved into `args[0]` and back.
pub fn place_method(
    root: &mut Value,
    steps: &[PlaceStep<'_>],
    args: &mut [Value],
    method: impl FnOnce(&mut [Value]) -> Result<Value, Fault>,
) -> Result<Value, Fault> {
    let deepest = args.iter().skip(1).map(Value::depth).max().unwrap_or_default();
    room(root, steps, deepest + 1, || args.iter().skip(1).map(Value::size).sum())?;
    at(root, steps, |value| {
        if let Some(receiver) = args.first_mut() {
            *receiver = value.take();
        }
        let result = method(args);
        if let Some(receiver) = args.first_mut() {
            *value = receiver.take();
        }
        result
    })
}

/// Whether there is room behind these steps for values of that depth and size.
fn room(root: &Value, steps: &[PlaceStep<'_>], depth: usize, more: impl Fn() -> usize) -> Result<(), Fault> {
    if steps.len() + depth > MAX_DEPTH {
        return Err(too_deep());
    }
    if root.size().saturating_add(more()) > MAX_SIZE { Err(too_large()) } else { Ok(()) }
}

/// Goes along `way` and hands what is there to `act`, which changes nothing when it fails.
fn at<R>(
    root: &mut Value,
    way: &[PlaceStep<'_>],
    act: impl FnOnce(&mut Value) -> Result<R, Fault>,
) -> Result<R, Fault> {
    // Looking first keeps a place that is not there from copying, or unsaving, what leads to it.
    look(root, way)?;
    walk(root, way, act)
}

fn look(root: &Value, way: &[PlaceStep<'_>]) -> Result<(), Fault> {
    let mut value = root;
    for step in way {
        value = match (value, step) {
            (Value::Map(map), PlaceStep::Field { name, .. }) => map.field(name).ok_or_else(|| no_field(map, name))?,
            (Value::Map(map), PlaceStep::Index(key)) => {
                let key = key_text(key)?;
                map.get(key).ok_or_else(|| no_key(key))?
            }
            (Value::List(list), PlaceStep::Index(Value::Int(key))) => position(*key, list.len())
                .and_then(|at| list.get(at))
                .ok_or_else(|| out_of_range(value, *key, list.len()))?,
            (holder, step) => return Err(no_place(holder, step)),
        };
    }
    Ok(())
}

fn walk<R>(
    value: &mut Value,
    way: &[PlaceStep<'_>],
    act: impl FnOnce(&mut Value) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let Some((step, rest)) = way.split_first() else {
        return act(value);
    };
    // One more level of generic recursion would not end; the rest of the way goes through a pointer.
    let mut act = Some(act);
    let mut result = None;
    descend(value, step, rest, &mut |value| result = act.take().map(|act| act(value)));
    // The place was looked at before.
    result.unwrap_or_else(|| Err(no_place(value, step)))
}

fn descend(value: &mut Value, step: &PlaceStep<'_>, rest: &[PlaceStep<'_>], act: &mut dyn FnMut(&mut Value)) {
    let next = |inner: &mut Value| match rest.split_first() {
        Some((step, rest)) => descend(inner, step, rest, act),
        None => act(inner),
    };
    // What stands there was looked at before; there is room for what is put there.
    match (value, step) {
        (Value::Map(map), PlaceStep::Field { name, .. }) => drop(map.update_field(name, next)),
        (Value::Map(map), PlaceStep::Index(Value::Str(key))) => drop(map.update(key, next)),
        (Value::List(list), PlaceStep::Index(Value::Int(key))) => {
            if let Some(at) = position(*key, list.len()) {
                drop(list.update(at, next));
            }
        }
        _ => {}
    }
}

fn no_key(key: &str) -> Fault {
    Fault::new(Kind::Key, format!("there is no key {}", super::show::quote(key)))
}

fn no_place(holder: &Value, step: &PlaceStep<'_>) -> Fault {
    match step {
        PlaceStep::Field { name, .. } => no_fields(holder, name),
        PlaceStep::Index(key) => Fault::new(
            Kind::Type,
            match holder {
                Value::List(_) => format!("an index must be an int, found {}", describe(key)),
                _ => format!("{} has no elements that can be changed", describe(holder)),
            },
        ),
    }
}
