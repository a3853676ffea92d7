//! What has been saved of a large value.
//!
//! Lists, maps and texts are flat in memory. Saved, a large one is a tree of chunks: leaves of `width` neighbouring
//! elements (bytes, for a text), nodes of [`FANOUT`] chunks. This is that tree as far as it is known: the id under
//! which each chunk was saved, 0 where the chunk is not saved or has changed since. Whoever takes `&mut` of an element
//! clears the ids from its leaf to the root; the next save writes what has none.

use std::sync::{Mutex, PoisonError};

/// How many chunks a node names.
pub(crate) const FANOUT: usize = 64;

/// The ids of the chunks of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedTree {
    /// The run to which the ids belong.
    pub(crate) run_tag: u64,
    /// How many elements, or bytes, a leaf holds: a power of two.
    pub(crate) width: usize,
    /// The ids: of the leaves, of the nodes above them, and so on to the root.
    pub(crate) levels: Vec<Vec<u64>>,
}

impl SavedTree {
    /// The tree of a value of which nothing is saved.
    pub(crate) fn new(run_tag: u64, width: usize) -> Self {
        Self { run_tag, width: width.max(1), levels: vec![Vec::new()] }
    }

    /// The id of the root, if all `len` elements are saved.
    pub(crate) fn root(&self, len: usize) -> Option<u64> {
        let leaves = self.levels.first()?;
        if leaves.len() != len.div_ceil(self.width) {
            return None;
        }
        match self.levels.last()?.as_slice() {
            [root] if *root != 0 => Some(*root),
            _ => None,
        }
    }

    /// Forgets the chunks that hold element `index`.
    pub(crate) fn touch(&mut self, index: usize) {
        let mut chunk = index / self.width;
        for level in &mut self.levels {
            if let Some(id) = level.get_mut(chunk) {
                *id = 0;
            }
            chunk /= FANOUT;
        }
    }

    /// Forgets the chunks that hold element `index` or one behind it.
    pub(crate) fn touch_from(&mut self, index: usize) {
        let mut keep = index / self.width;
        for level in &mut self.levels {
            level.truncate(keep);
            keep /= FANOUT;
        }
    }

    /// The chunks without an id: for each level their numbers, ascending. Only nodes without an id are looked into, for
    /// whoever clears one clears those above it too.
    pub(crate) fn unsaved(&self) -> Vec<Vec<usize>> {
        let mut found: Vec<Vec<usize>> = Vec::with_capacity(self.levels.len());
        for ids in self.levels.iter().rev() {
            let bare = |number: &usize| ids.get(*number) == Some(&0);
            found.push(match found.last() {
                None => (0..ids.len()).filter(bare).collect(),
                Some(above) => above.iter().flat_map(|node| node * FANOUT..(node + 1) * FANOUT).filter(bare).collect(),
            });
        }
        found.reverse();
        found
    }

    /// Remembers under which id a chunk was saved.
    pub(crate) fn set(&mut self, level: usize, number: usize, id: u64) {
        if let Some(slot) = self.levels.get_mut(level).and_then(|ids| ids.get_mut(number)) {
            *slot = id;
        }
    }

    /// The ids of the chunks below a node.
    pub(crate) fn children(&self, level: usize, number: usize) -> &[u64] {
        let below = level.checked_sub(1).and_then(|level| self.levels.get(level)).map_or(&[][..], Vec::as_slice);
        let start = number * FANOUT;
        below.get(start..below.len().min(start + FANOUT)).unwrap_or_default()
    }

    /// All ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        self.levels.iter().flatten().copied().filter(|id| *id != 0)
    }

    /// Makes room for `len` elements: as many leaves and nodes as they take, those that are new without an id.
    pub(crate) fn fit(&mut self, len: usize) {
        let mut count = len.div_ceil(self.width).max(1);
        let mut level = 0;
        loop {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            if let Some(ids) = self.levels.get_mut(level) {
                ids.resize(count, 0);
            }
            level += 1;
            if count == 1 {
                break;
            }
            count = count.div_ceil(FANOUT);
        }
        self.levels.truncate(level);
    }
}

/// The place in a body where its tree is kept. Saving goes through a shared reference, hence the lock; changing has an
/// exclusive one and never locks.
#[derive(Debug, Default)]
pub(crate) struct Saved(Mutex<Option<Box<SavedTree>>>);

impl Saved {
    /// The tree, for whoever changes the value. `None` for most.
    pub(crate) fn tree(&mut self) -> Option<&mut SavedTree> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).as_deref_mut()
    }

    /// Takes the tree away to save with it.
    pub(crate) fn take(&self) -> Option<Box<SavedTree>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts a tree in place.
    pub(crate) fn put(&self, tree: Option<Box<SavedTree>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tree;
    }

    /// Looks at the tree.
    pub(crate) fn with<R>(&self, look: impl FnOnce(Option<&SavedTree>) -> R) -> R {
        look(self.0.lock().unwrap_or_else(PoisonError::into_inner).as_deref())
    }

    /// Forgets the chunks of element `index`.
    pub(crate) fn touch(&mut self, index: usize) {
        if let Some(tree) = self.tree() {
            tree.touch(index);
        }
    }

    /// Forgets the chunks of element `index` and of all behind it.
    pub(crate) fn touch_from(&mut self, index: usize) {
        if let Some(tree) = self.tree() {
            tree.touch_from(index);
        }
    }
}

impl Clone for Saved {
    /// A copy of a body has the same contents, so the ids are right for it too.
    fn clone(&self) -> Self {
        Self(Mutex::new(self.with(|tree| tree.cloned().map(Box::new))))
    }
}
