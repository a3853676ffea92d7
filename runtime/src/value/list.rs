//! Lists: flat, changed in place while nobody else holds them.

use super::{Arc, MAX_SIZE, Nest, SCALAR, Saved, Value, count_copy};
use crate::fault::Fault;

/// A list. Whatever would nest it deeper than [`super::MAX_DEPTH`], or make it larger than [`super::MAX_SIZE`], fails with kind `limit` and changes nothing.
#[derive(Clone)]
pub struct List(Arc<Body>);

#[derive(Clone)]
struct Body {
    items: Vec<Value>,
    nest: Nest,
    saved: Saved,
}

impl List {
    /// An empty list.
    pub fn new() -> List {
        Self::build(Vec::new(), Nest::EMPTY)
    }

    /// An empty list with room for `capacity` elements.
    pub fn with_capacity(capacity: usize) -> List {
        Self::build(Vec::with_capacity(capacity), Nest::EMPTY)
    }

    /// A list of these elements.
    pub fn from_vec(items: Vec<Value>) -> Result<List, Fault> {
        let nest = Nest::EMPTY.with_all(&items)?;
        Ok(Self::build(items, nest))
    }

    /// A list of the elements that an iterator gives.
    pub fn collect(items: impl IntoIterator<Item = Value>) -> Result<List, Fault> {
        Self::from_vec(items.into_iter().collect())
    }

    fn build(items: Vec<Value>, nest: Nest) -> List {
        List(Arc::new(Body { items, nest, saved: Saved::default() }))
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.0.items.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.items.is_empty()
    }

    /// The element at `index`.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.0.items.get(index)
    }

    /// The elements.
    pub fn as_slice(&self) -> &[Value] {
        &self.0.items
    }

    /// The elements, one after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.items.iter()
    }

    /// Adds an element at the end.
    #[inline]
    pub fn push(&mut self, item: Value) -> Result<(), Fault> {
        let nest = self.0.nest.with(&item)?;
        let body = self.body();
        body.saved.touch_from(body.items.len());
        body.nest = nest;
        body.items.push(item);
        Ok(())
    }

    /// Adds an element at the end, if it is a scalar and nobody else holds the list; `false`, and nothing, if not.
    #[inline(always)]
    pub(crate) fn push_scalar(&mut self, item: &Value) -> bool {
        if !item.is_scalar() {
            return false;
        }
        let Some(body) = Arc::get_mut(&mut self.0) else { return false };
        let nest = body.nest.with_bytes(SCALAR);
        if nest.size as usize > MAX_SIZE {
            return false;
        }
        body.nest = nest;
        body.saved.touch_from(body.items.len());
        body.items.push(Value::Null);
        if let Some(last) = body.items.last_mut() {
            last.copy_from(item);
        }
        true
    }

    /// Replaces a scalar by another one, if nobody else holds the list; `false`, and nothing, if not.
    #[inline(always)]
    pub(crate) fn set_scalar(&mut self, at: i64, item: &Value) -> bool {
        let Some(body) = Arc::get_mut(&mut self.0) else { return false };
        let Ok(at) = usize::try_from(at) else { return false };
        let Some(slot) = body.items.get_mut(at) else { return false };
        if !slot.is_scalar() || !item.is_scalar() {
            return false;
        }
        body.saved.touch(at);
        slot.copy_from(item);
        true
    }

    /// Takes the last element away.
    pub fn pop(&mut self) -> Option<Value> {
        let last = self.len().checked_sub(1)?;
        let body = self.body();
        body.saved.touch_from(last);
        let item = body.items.pop()?;
        body.nest = body.nest.without(item.size());
        Some(item)
    }

    /// Puts an element before the one at `at`, or at the end when `at` is the length; fails silently (`false`) beyond.
    pub fn insert(&mut self, at: usize, item: Value) -> Result<bool, Fault> {
        if at > self.len() {
            return Ok(false);
        }
        let nest = self.0.nest.with(&item)?;
        let body = self.body();
        body.saved.touch_from(at);
        body.nest = nest;
        body.items.insert(at, item);
        Ok(true)
    }

    /// Takes the element at `at` away.
    pub fn remove(&mut self, at: usize) -> Option<Value> {
        if at >= self.len() {
            return None;
        }
        let body = self.body();
        body.saved.touch_from(at);
        let item = body.items.remove(at);
        body.nest = body.nest.without(item.size());
        Some(item)
    }

    /// Replaces the element at `at`; `false` when there is none.
    pub fn set(&mut self, at: usize, item: Value) -> Result<bool, Fault> {
        let Some(old) = self.get(at) else { return Ok(false) };
        let nest = self.0.nest.replaced(old, &item)?;
        let body = self.body();
        body.saved.touch(at);
        body.nest = nest;
        if let Some(slot) = body.items.get_mut(at) {
            slot.assign(item);
        }
        Ok(true)
    }

    /// Changes the element at `at` in place; `None` when there is none.
    ///
    /// An element that `change` nests too deeply becomes null, and this fails: callers look first.
    pub fn update<R>(&mut self, at: usize, change: impl FnOnce(&mut Value) -> R) -> Option<Result<R, Fault>> {
        if at >= self.len() {
            return None;
        }
        let body = self.body();
        let item = body.items.get_mut(at)?;
        body.saved.touch(at);
        let before = item.size();
        let result = change(item);
        let nest = body.nest.changed(before, item);
        if nest.is_err() {
            *item = Value::Null;
        }
        Some(nest.map(|nest| {
            body.nest = nest;
            result
        }))
    }

    /// Adds the elements of another list at the end.
    pub fn extend(&mut self, other: &List) -> Result<(), Fault> {
        if self.is_empty() {
            *self = other.clone();
        } else if !other.is_empty() {
            let nest = self.0.nest.join(other.0.nest)?;
            let body = self.body();
            body.saved.touch_from(body.items.len());
            body.nest = nest;
            body.items.extend_from_slice(other.as_slice());
        }
        Ok(())
    }

    /// The elements from `start` to before `end`, clamped to the list.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> List {
        let end = end.min(self.len());
        if start == 0 && end == self.len() {
            return self.clone();
        }
        match self.0.items.get(start..end) {
            Some([]) | None => List::new(),
            Some(items) => {
                let size = SCALAR + items.iter().map(Value::size).sum::<usize>();
                Self::build(items.to_vec(), Nest { size: 0, ..self.0.nest }.with_bytes(size))
            }
        }
    }

    /// The elements: moved out when nobody else holds the list, else copied.
    pub fn into_vec(self) -> Vec<Value> {
        Arc::try_unwrap(self.0).map_or_else(|body| body.items.clone(), |body| body.items)
    }

    pub(crate) fn nest(&self) -> Nest {
        self.0.nest
    }

    pub(crate) fn saved(&self) -> &Saved {
        &self.0.saved
    }

    #[inline]
    fn body(&mut self) -> &mut Body {
        if !Arc::is_unique(&self.0) && !self.0.items.is_empty() {
            count_copy();
        }
        Arc::make_mut(&mut self.0)
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.items == other.0.items
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
