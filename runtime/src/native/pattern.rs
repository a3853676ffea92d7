//! What destructuring needs: the parts of a list, and what a record has beside the fields that are named.

use super::{
    NativeContext,
    args::{arg, wrong},
};
use crate::{
    fault::{Fault, Kind},
    ops::{as_list, describe},
    value::{List, Map, Value},
};

/// `(list, before, rest, after)`: the first `before` elements, the list of those in the middle if `rest`, and the last
/// `after` ones; kind `match` when there are not as many.
pub(super) fn list(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let items = as_list(arg(args, 0))?;
    let size = |at: usize| arg(args, at).as_int().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    let (before, rest, after) = (size(1), arg(args, 2).as_bool().unwrap_or_default(), size(3));
    let fits = if rest { items.len() >= before + after } else { items.len() == before + after };
    if !fits {
        let least = if rest { "at least " } else { "" };
        let message = format!(
            "expected a list of {least}{} elements, found {}",
            before + after,
            describe(&Value::List(items.clone()))
        );
        return Err(Fault::new(Kind::Match, message));
    }
    let last = items.len() - after;
    let middle = rest.then(|| Value::List(items.slice(before, last)));
    let parts = items.iter().take(before).cloned().chain(middle).chain(items.iter().skip(last).cloned());
    List::collect(parts).map(Value::List)
}

/// `(record, names)`: the record without the fields of those names.
pub(super) fn rest(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let Value::Map(record) = arg(args, 0) else { return Err(wrong("a record", arg(args, 0))) };
    let names = as_list(arg(args, 1))?;
    let named = |key: &str| names.iter().any(|name| name.as_str() == Some(key));
    Map::from_entries(record.iter().filter(|(key, _)| !named(key)).map(|(key, value)| (key.clone(), value.clone())))
        .map(Value::Map)
}
