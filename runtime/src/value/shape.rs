//! The keys of maps and records, in order: one list for all that have the same, until one gets a key of its own.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::{LazyLock, OnceLock};

use hashbrown::HashTable;

use super::{Arc, Str};

/// Up to this many keys, looking at each is quicker than an index.
const UNINDEXED: usize = 8;

/// Seeded anew in each process, so that nobody outside can choose keys that meet.
static HASHER: LazyLock<foldhash::fast::RandomState> = LazyLock::new(Default::default);

static EMPTY: LazyLock<Arc<Shape>> =
    LazyLock::new(|| Arc::new(Shape { keys: Vec::new(), bytes: 0, index: OnceLock::new() }));

/// Keys, in order; no two are the same.
#[derive(Clone)]
pub(crate) struct Shape {
    keys: Vec<Str>,
    /// How many bytes they take together.
    bytes: usize,
    /// The positions by the hash of their keys; made when first needed.
    index: OnceLock<HashTable<Entry>>,
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    position: u32,
}

impl Entry {
    /// Its place in the table, which looks at the upper bits and the lower ones.
    fn spread(self) -> u64 {
        spread(self.hash)
    }
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Never 0, which is what a text has whose hash is not known.
fn hash(key: &str) -> u32 {
    (HASHER.hash_one(key) as u32).max(1)
}

impl Shape {
    /// That of an empty map.
    pub(crate) fn empty() -> Arc<Shape> {
        Arc::clone(&EMPTY)
    }

    /// These keys, which are known to differ.
    pub(crate) fn of(keys: Vec<Str>) -> Arc<Shape> {
        let bytes = keys.iter().map(Str::byte_len).sum();
        Arc::new(Shape { keys, bytes, index: OnceLock::new() })
    }

    /// The same for keys that may not differ; they are given back if they do not.
    pub(crate) fn unlike(keys: Vec<Str>) -> Result<Arc<Shape>, Vec<Str>> {
        let twice = match keys.len() <= UNINDEXED {
            true => keys.iter().enumerate().any(|(at, key)| keys.iter().take(at).any(|other| other == key)),
            false => keys.iter().map(Str::as_str).collect::<HashSet<_>>().len() < keys.len(),
        };
        if twice { Err(keys) } else { Ok(Self::of(keys)) }
    }

    /// The keys.
    pub(crate) fn keys(&self) -> &[Str] {
        &self.keys
    }

    /// How many bytes they take together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The position of a key.
    pub(super) fn find(&self, key: &str) -> Option<usize> {
        if self.keys.len() <= UNINDEXED {
            return self.keys.iter().position(|other| other.as_str() == key);
        }
        self.look_up(hash(key), |other| other.as_str() == key)
    }

    /// The same for a text, whose hash is computed once. It is likely to be the very one that stands here, as the names in a
    /// program are, and the keys that were taken from a map.
    #[inline]
    pub(super) fn find_same(&self, key: &Str) -> Option<usize> {
        if self.keys.len() <= UNINDEXED {
            let same = self.keys.iter().position(|other| other.is_same(key));
            return same.or_else(|| self.find(key));
        }
        self.look_up(key.hash(hash), |other| other == key)
    }

    /// The position of the key with a hash that is the one that is looked for.
    fn look_up(&self, hash: u32, is: impl Fn(&Str) -> bool) -> Option<usize> {
        let index = self.index.get_or_init(|| self.index());
        let here = |entry: &Entry| entry.hash == hash && self.keys.get(entry.position as usize).is_some_and(&is);
        index.find(spread(hash), here).map(|entry| entry.position as usize)
    }

    fn index(&self) -> HashTable<Entry> {
        let mut table = HashTable::with_capacity(self.keys.len());
        for (position, key) in (0u32..).zip(&self.keys) {
            let entry = Entry { hash: key.hash(hash), position };
            table.insert_unique(entry.spread(), entry, |entry| entry.spread());
        }
        table
    }

    /// Adds a key that is not there.
    pub(super) fn push(&mut self, key: Str) {
        if let Some(index) = self.index.get_mut() {
            let entry = Entry { hash: key.hash(hash), position: self.keys.len() as u32 };
            index.insert_unique(entry.spread(), entry, |entry| entry.spread());
        }
        self.bytes = self.bytes.saturating_add(key.byte_len());
        self.keys.push(key);
    }

    /// Takes a key away; those behind it move up.
    pub(super) fn remove(&mut self, position: usize) -> Option<Str> {
        if position >= self.keys.len() {
            return None;
        }
        let key = self.keys.remove(position);
        self.bytes = self.bytes.saturating_sub(key.byte_len());
        if let Some(index) = self.index.get_mut() {
            if let Ok(entry) = index.find_entry(spread(key.hash(hash)), |entry| entry.position as usize == position) {
                entry.remove();
            }
            for entry in index.iter_mut().filter(|entry| entry.position as usize > position) {
                entry.position -= 1;
            }
        }
        Some(key)
    }
}
