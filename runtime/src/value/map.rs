//! Maps and records: entries in the order in which their keys were first put in.

use smallvec::SmallVec;

use super::{Arc, Nest, Saved, Shape, Str, Value, count_copy};
use crate::fault::Fault;

/// Records of so many fields are one piece of memory.
const INLINE: usize = 4;

/// A map or record. Whatever would nest it deeper than [`super::MAX_DEPTH`], or make it larger than
/// [`super::MAX_SIZE`], fails with kind `limit` and changes nothing.
#[derive(Clone)]
pub struct Map(Arc<Body>);

#[derive(Clone)]
struct Body {
    shape: Arc<Shape>,
    /// As many as the shape has keys.
    values: SmallVec<[Value; INLINE]>,
    nest: Nest,
    saved: Saved,
}

impl Map {
    /// An empty map.
    pub fn new() -> Map {
        Self::build(Shape::empty(), SmallVec::new(), Nest::EMPTY)
    }

    /// An empty map with room for `capacity` entries.
    pub fn with_capacity(capacity: usize) -> Map {
        Self::build(Shape::empty(), SmallVec::with_capacity(capacity), Nest::EMPTY)
    }

    /// A map of these entries, later ones winning.
    pub fn from_entries(entries: impl IntoIterator<Item = (Str, Value)>) -> Result<Map, Fault> {
        let mut map = Map::new();
        for (key, value) in entries {
            map.insert(key, value)?;
        }
        Ok(map)
    }

    /// A record with the keys of a shape, and as many values.
    #[inline]
    pub(crate) fn from_shape(shape: &Arc<Shape>, values: impl Iterator<Item = Value>) -> Result<Map, Fault> {
        let values: SmallVec<[Value; INLINE]> = values.collect();
        let nest = Nest::EMPTY.with_bytes(shape.bytes()).with_all(&values)?;
        Ok(Self::build(Arc::clone(shape), values, nest))
    }

    fn build(shape: Arc<Shape>, values: SmallVec<[Value; INLINE]>, nest: Nest) -> Map {
        Map(Arc::new(Body { shape, values, nest, saved: Saved::default() }))
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.0.values.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.values.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.shape.find(key).and_then(|position| self.0.values.get(position))
    }

    /// The same for a key that is a text of its own, such as a name in the program.
    #[inline]
    pub(crate) fn field(&self, name: &Str) -> Option<&Value> {
        self.0.shape.find_same(name).and_then(|position| self.0.values.get(position))
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: &Str) -> bool {
        self.0.shape.find_same(key).is_some()
    }

    /// The entry at a position.
    pub fn entry(&self, position: usize) -> Option<(&Str, &Value)> {
        Some((self.0.shape.keys().get(position)?, self.0.values.get(position)?))
    }

    /// The keys.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Str> {
        self.0.shape.keys().iter()
    }

    /// The values.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.values.iter()
    }

    /// The entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> {
        self.0.shape.keys().iter().zip(&self.0.values)
    }

    /// Sets the value of a key, which keeps its position if it is there, and gives the one it had.
    pub fn insert(&mut self, key: impl Into<Str>, value: Value) -> Result<Option<Value>, Fault> {
        let key = key.into();
        match self.0.shape.find_same(&key) {
            Some(position) => self.replace(position, value).map(Some),
            None => self.add(key, value).map(|()| None),
        }
    }

    /// The same for a field, by its name in the program, and whatever it had before.
    #[inline]
    pub(crate) fn set_field(&mut self, name: &Str, value: Value) -> Result<(), Fault> {
        match self.0.shape.find_same(name) {
            Some(position) => self.replace(position, value).map(drop),
            None => self.add(name.clone(), value),
        }
    }

    #[inline]
    fn replace(&mut self, position: usize, value: Value) -> Result<Value, Fault> {
        let old = self.0.values.get(position).unwrap_or(&Value::Null);
        let nest = self.0.nest.replaced(old, &value)?;
        let body = self.body();
        body.nest = nest;
        body.saved.touch(position);
        Ok(body.values.get_mut(position).map(|slot| std::mem::replace(slot, value)).unwrap_or_default())
    }

    fn add(&mut self, key: Str, value: Value) -> Result<(), Fault> {
        let nest = self.0.nest.with_bytes(key.byte_len()).with(&value)?;
        let body = self.body();
        body.nest = nest;
        body.saved.touch_from(body.values.len());
        Arc::make_mut(&mut body.shape).push(key);
        body.values.push(value);
        Ok(())
    }

    /// Takes a key and its value away; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let position = self.0.shape.find(key)?;
        let body = self.body();
        body.saved.touch_from(position);
        let key = Arc::make_mut(&mut body.shape).remove(position)?;
        let value = body.values.remove(position);
        body.nest = body.nest.without(value.size().saturating_add(key.byte_len()));
        Some(value)
    }

    /// Changes the value of a key in place; `None` when there is no such key.
    ///
    /// A value that `change` nests too deeply becomes null, and this fails: callers look first.
    pub fn update<R>(&mut self, key: &str, change: impl FnOnce(&mut Value) -> R) -> Option<Result<R, Fault>> {
        let position = self.0.shape.find(key)?;
        self.update_at(position, change)
    }

    /// The same for a field, by its name in the program.
    pub(crate) fn update_field<R>(
        &mut self,
        name: &Str,
        change: impl FnOnce(&mut Value) -> R,
    ) -> Option<Result<R, Fault>> {
        let position = self.0.shape.find_same(name)?;
        self.update_at(position, change)
    }

    fn update_at<R>(&mut self, position: usize, change: impl FnOnce(&mut Value) -> R) -> Option<Result<R, Fault>> {
        let body = self.body();
        let value = body.values.get_mut(position)?;
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

    pub(crate) fn nest(&self) -> Nest {
        self.0.nest
    }

    pub(crate) fn saved(&self) -> &Saved {
        &self.0.saved
    }

    #[inline]
    fn body(&mut self) -> &mut Body {
        if !Arc::is_unique(&self.0) && !self.0.values.is_empty() {
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
        if Arc::ptr_eq(&self.0.shape, &other.0.shape) {
            return self.0.values == other.0.values;
        }
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|((key, value), (same, twin))| {
                if key == same { value == twin } else { other.get(key) == Some(value) }
            })
    }
}
