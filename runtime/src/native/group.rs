//! What needs to find values again: distinct elements, groups, and maps made of keys.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, Hasher, RandomState},
};

use hashbrown::HashTable;

use super::{
    NativeContext,
    args::{elements, list, wrong},
};
use crate::{
    fault::Fault,
    value::{List, Map, Str, Value},
};

/// Of lists that are longer, only the ends are hashed.
const WHOLE: usize = 4096;
/// How much of such an end.
const END: usize = 64;

pub(super) fn unique(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let items = list(args, 0)?;
    distinct(&items, &items)
}

/// `(items, keys)`: the items whose keys are not those of an earlier one.
pub(super) fn unique_by(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    distinct(&list(args, 0)?, &list(args, 1)?)
}

fn distinct(items: &List, keys: &List) -> Result<Value, Fault> {
    let keys = keys.as_slice();
    let state = RandomState::new();
    let hash = |at: usize| keys.get(at).map_or(0, |key| hash(&state, key));
    let mut seen: HashTable<usize> = HashTable::new();
    let mut out = List::new();
    for (at, (item, key)) in items.iter().zip(keys).enumerate() {
        let hashed = hash(at);
        if seen.find(hashed, |other| keys.get(*other) == Some(key)).is_none() {
            seen.insert_unique(hashed, at, |other| hash(*other));
            out.push(item.clone())?;
        }
    }
    Ok(Value::List(out))
}

fn hash(state: &RandomState, value: &Value) -> u64 {
    let mut hasher = state.build_hasher();
    feed(state, value, &mut hasher);
    hasher.finish()
}

/// Feeds a hash such that equal values feed the same: ints and floats by value, maps whatever their order.
fn feed(state: &RandomState, value: &Value, hasher: &mut impl Hasher) {
    match value {
        Value::Null | Value::Missing => 0u8.hash(hasher),
        Value::Bool(value) => value.hash(hasher),
        Value::Int(number) => number.hash(hasher),
        Value::Float(number) if Value::Int(*number as i64) == Value::Float(*number) => (*number as i64).hash(hasher),
        Value::Float(number) => number.to_bits().hash(hasher),
        Value::Duration(millis) | Value::Time(millis) => (1u8, millis).hash(hasher),
        Value::Str(text) => text.as_str().hash(hasher),
        Value::Bytes(bytes) => bytes.as_slice().hash(hasher),
        Value::List(list) => feed_items(state, list.len(), |at| list.get(at).cloned(), hasher),
        Value::Range(range) => {
            feed_items(state, range.len().unwrap_or_default(), |at| range.get(at).map(Value::Int), hasher);
        }
        Value::Map(map) => {
            // A sum does not depend on the order.
            let entries = map.iter().map(|(key, value)| {
                let mut entry = state.build_hasher();
                key.as_str().hash(&mut entry);
                feed(state, value, &mut entry);
                entry.finish()
            });
            (map.len(), entries.fold(0u64, u64::wrapping_add)).hash(hasher);
        }
        // Few, and seldom compared.
        other => other.kind_name().hash(hasher),
    }
}

fn feed_items(state: &RandomState, len: usize, item: impl Fn(usize) -> Option<Value>, hasher: &mut impl Hasher) {
    len.hash(hasher);
    let (head, tail) = if len <= WHOLE { (len, len) } else { (END, len - END) };
    for value in (0..head).chain(tail..len).filter_map(item) {
        feed(state, &value, hasher);
    }
}

/// A key as text.
fn key(value: &Value) -> Result<&Str, Fault> {
    value.as_text().ok_or_else(|| wrong("a string as a key", value))
}

/// `(items, keys)`: the items of each key, in the order in which the keys first come up.
pub(super) fn group(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let keys = list(args, 1)?;
    let mut positions: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&Str, Vec<Value>)> = Vec::new();
    for (item, name) in elements(args, 0)?.into_iter().zip(&keys) {
        let name = key(name)?;
        let at = *positions.entry(name.as_str()).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, members)) => members.push(item),
            None => groups.push((name, vec![item])),
        }
    }
    let mut out = Map::with_capacity(groups.len());
    for (name, members) in groups {
        out.insert(name, Value::list(members)?)?;
    }
    Ok(Value::Map(out))
}

/// `(keys, values)`: a map of them; of equal keys the last one counts.
pub(super) fn pair(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let keys = list(args, 0)?;
    let mut out = Map::new();
    for (name, value) in keys.iter().zip(elements(args, 1)?) {
        out.insert(key(name)?, value)?;
    }
    Ok(Value::Map(out))
}
