//! Maps and records: entries in the order in which their keys were first put in.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, OnceLock};

use hashbrown::HashTable;

use super::{Nest, Saved, Str, Value, count_copy};
use crate::fault::Fault;

/// Up to this many entries, looking at each is quicker than an index.
const UNINDEXED: usize = 8;

static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A map or record. Whatever would nest it deeper than [`super::MAX_DEPTH`], or make it larger than
/// [`super::MAX_SIZE`], fails with kind `limit` and changes nothing.
#[derive(Clone)]
pub struct Map(Arc<Body>);

#[derive(Clone)]
struct Body {
    entries: Vec<(Str, Value)>,
    /// Positions by the hash of their keys; made when first needed, never saved.
    index: OnceLock<HashTable<u32>>,
    nest: Nest,
    saved: Saved,
}

fn hash(key: &str) -> u64 {
    HASHER.hash_one(key)
}

fn index_of(entries: &[(Str, Value)]) -> HashTable<u32> {
    let mut table = HashTable::with_capacity(entries.len());
    for (position, (key, _)) in (0u32..).zip(entries) {
        table.insert_unique(hash(key), position, |_| 0);
    }
    table
}

impl Body {
    fn find(&self, key: &str) -> Option<usize> {
        if self.entries.len() <= UNINDEXED {
            return self.entries.iter().position(|(other, _)| other.as_str() == key);
        }
        let index = self.index.get_or_init(|| index_of(&self.entries));
        let here =
            |position: &u32| self.entries.get(*position as usize).is_some_and(|(other, _)| other.as_str() == key);
        index.find(hash(key), here).map(|position| *position as usize)
    }

    fn push(&mut self, key: Str, value: Value) {
        let position = self.entries.len();
        self.saved.touch_from(position);
        if let Some(index) = self.index.get_mut() {
            let entries = &self.entries;
            index.insert_unique(hash(&key), position as u32, |other| {
                entries.get(*other as usize).map_or(0, |(key, _)| hash(key))
            });
        }
        self.entries.push((key, value));
    }

    fn remove(&mut self, position: usize) -> Option<(Str, Value)> {
        if position >= self.entries.len() {
            return None;
        }
        self.saved.touch_from(position);
        let (key, value) = self.entries.remove(position);
        self.nest = self.nest.without(value.size().saturating_add(key.byte_len()));
        if let Some(index) = self.index.get_mut() {
            if let Ok(entry) = index.find_entry(hash(&key), |other| *other as usize == position) {
                entry.remove();
            }
            for other in index.iter_mut().filter(|other| **other as usize > position) {
                *other -= 1;
            }
        }
        if self.entries.len() <= UNINDEXED {
            self.index.take();
        }
        Some((key, value))
    }
}

impl Map {
    /// An empty map.
    pub fn new() -> Map {
        Self::with_capacity(0)
    }

    /// An empty map with room for `capacity` entries.
    pub fn with_capacity(capacity: usize) -> Map {
        Map(Arc::new(Body {
            entries: Vec::with_capacity(capacity),
            index: OnceLock::new(),
            nest: Nest::EMPTY,
            saved: Saved::default(),
        }))
    }

    /// A map of these entries, later ones winning.
    pub fn from_entries(entries: impl IntoIterator<Item = (Str, Value)>) -> Result<Map, Fault> {
        let mut map = Map::new();
        for (key, value) in entries {
            map.insert(key, value)?;
        }
        Ok(map)
    }

    /// A record whose keys are known to differ, as those of a shape do.
    pub fn from_shape(keys: &[Str], values: impl IntoIterator<Item = Value>) -> Result<Map, Fault> {
        let entries: Vec<_> = keys.iter().cloned().zip(values).collect();
        let nest = entries.iter().try_fold(Nest::EMPTY, |nest, (key, value)| nest.with_entry(key, value))?;
        Ok(Map(Arc::new(Body { entries, index: OnceLock::new(), nest, saved: Saved::default() })))
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.find(key).and_then(|position| self.0.entries.get(position)).map(|(_, value)| value)
    }

    /// The value of a field, by its name in the program.
    pub(crate) fn field(&self, name: &Str) -> Option<&Value> {
        self.get(name)
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: &str) -> bool {
        self.0.find(key).is_some()
    }

    /// The entry at a position.
    pub fn entry(&self, position: usize) -> Option<(&Str, &Value)> {
        self.0.entries.get(position).map(|(key, value)| (key, value))
    }

    /// The keys.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> {
        self.0.entries.iter().map(|(key, _)| key)
    }

    /// The values.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.entries.iter().map(|(_, value)| value)
    }

    /// The entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> {
        self.0.entries.iter().map(|(key, value)| (key, value))
    }

    /// Sets the value of a key, which keeps its position if it is there, and gives the one it had.
    pub fn insert(&mut self, key: impl Into<Str>, value: Value) -> Result<Option<Value>, Fault> {
        let key = key.into();
        let found = self.0.find(&key);
        let nest = match found.and_then(|position| self.entry(position)) {
            Some((_, old)) => self.0.nest.without(old.size()).with(&value)?,
            None => self.0.nest.with_entry(&key, &value)?,
        };
        let body = self.body();
        body.nest = nest;
        let Some(position) = found else {
            body.push(key, value);
            return Ok(None);
        };
        body.saved.touch(position);
        Ok(body.entries.get_mut(position).map(|(_, slot)| std::mem::replace(slot, value)))
    }

    /// Takes a key and its value away; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let position = self.0.find(key)?;
        self.body().remove(position).map(|(_, value)| value)
    }

    /// Changes the value of a key in place; `None` when there is no such key.
    ///
    /// A value that `change` nests too deeply becomes null, and this fails: callers look first.
    pub fn update<R>(&mut self, key: &str, change: impl FnOnce(&mut Value) -> R) -> Option<Result<R, Fault>> {
        let position = self.0.find(key)?;
        let body = self.body();
        let (_, value) = body.entries.get_mut(position)?;
        body.saved.touch(position);
        let before = value.size();
        let result = change(value);
        let nest = body.nest.changed(before, value);
        if nest.is_err() {
            *value = Value::Null;
        }
        Some(nest.map(|nest| {
            body.nest = nest;
            result
        }))
    }

    /// Sets every entry of another map.
    pub fn extend(&mut self, other: &Map) -> Result<(), Fault> {
        if self.is_empty() {
            *self = other.clone();
            return Ok(());
        }
        other.iter().try_for_each(|(key, value)| self.insert(key, value.clone()).map(drop))
    }

    pub(crate) fn entries(&self) -> &[(Str, Value)] {
        &self.0.entries
    }

    pub(crate) fn nest(&self) -> Nest {
        self.0.nest
    }

    pub(crate) fn saved(&self) -> &Saved {
        &self.0.saved
    }

    fn body(&mut self) -> &mut Body {
        if Arc::strong_count(&self.0) != 1 && !self.0.entries.is_empty() {
            count_copy();
        }
        Arc::make_mut(&mut self.0)
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Map {
    /// The same keys with equal values, in any order.
    fn eq(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) {
            return true;
        }
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|((key, value), (same, twin))| {
                if key == same { value == twin } else { other.get(key) == Some(value) }
            })
    }
}
