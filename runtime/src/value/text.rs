//! Text that grows in place.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use compact_str::CompactString;

use super::{Arc, Saved, count_copy};

/// The texts of one ASCII character.
static ASCII: LazyLock<[Str; 128]> =
    LazyLock::new(|| std::array::from_fn(|at| char::from(at as u8).to_string().into()));

/// Text. Lengths and indices count characters (Unicode scalar values).
#[derive(Clone)]
pub struct Str(Arc<Body>);

#[derive(Clone)]
struct Body {
    /// Short text stands in the body itself.
    text: CompactString,
    /// How many characters `text` has.
    chars: usize,
    /// The number of the program's constant that this is.
    constant: Option<u32>,
    hash: Hashed,
    saved: Saved,
}

/// The hash of a text, once it was needed; 0 before.
#[derive(Default)]
struct Hashed(AtomicU32);

impl Clone for Hashed {
    fn clone(&self) -> Self {
        Self(AtomicU32::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Str {
    /// A constant of the program: it is saved as its number.
    pub fn constant(text: &str, number: u32) -> Str {
        Self::build(text.into(), Some(number))
    }

    fn build(text: CompactString, constant: Option<u32>) -> Str {
        let chars = count_chars(&text);
        Str(Arc::new(Body { text, chars, constant, hash: Hashed::default(), saved: Saved::default() }))
    }

    /// Its hash, which lasts as long as the process: `compute` gives it, never 0, when it is not known yet.
    #[inline]
    pub(super) fn hash(&self, compute: impl FnOnce(&str) -> u32) -> u32 {
        match self.0.hash.0.load(Ordering::Relaxed) {
            0 => {
                let hash = compute(self.as_str());
                self.0.hash.0.store(hash, Ordering::Relaxed);
                hash
            }
            known => known,
        }
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// How many characters it has.
    pub fn chars_len(&self) -> usize {
        self.0.chars
    }

    /// How many bytes it has.
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.0.text.len()
    }

    /// Whether it is the very same body.
    #[inline]
    pub(super) fn is_same(&self, other: &Str) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The number of the program's constant that it is.
    pub fn constant_number(&self) -> Option<u32> {
        self.0.constant
    }

    /// Appends `tail`: in place when nobody else holds this text.
    pub fn push_str(&mut self, tail: &str) {
        if tail.is_empty() {
            return;
        }
        let more = count_chars(tail);
        match Arc::get_mut(&mut self.0) {
            Some(body) => {
                body.saved.touch_from(body.text.len());
                body.constant = None;
                body.hash = Hashed::default();
                body.chars += more;
                body.text.push_str(tail);
            }
            None => {
                let head = self.as_str();
                if !head.is_empty() {
                    count_copy();
                }
                let mut text = CompactString::with_capacity(head.len() + tail.len());
                text.push_str(head);
                text.push_str(tail);
                let mut saved = self.0.saved.clone();
                saved.touch_from(head.len());
                let chars = self.0.chars + more;
                *self = Str(Arc::new(Body { text, chars, constant: None, hash: Hashed::default(), saved }));
            }
        }
    }

    /// The characters from `start` to before `end`, both within the text.
    pub fn slice(&self, start: usize, end: usize) -> &str {
        let (start, end) = (self.offset(start), self.offset(end));
        self.0.text.get(start..end.max(start)).unwrap_or_default()
    }

    /// The character at `index`, which lies within the text.
    pub(crate) fn char_at(&self, index: usize) -> Str {
        if self.0.chars == self.0.text.len()
            && let Some(byte) = self.0.text.as_bytes().get(index)
            && let Some(known) = ASCII.get(usize::from(*byte))
        {
            return known.clone();
        }
        self.slice(index, index + 1).into()
    }

    /// The offset of a character; of one behind the last, the end.
    fn offset(&self, index: usize) -> usize {
        let text = self.as_str();
        if self.0.chars == text.len() {
            return index.min(text.len());
        }
        text.char_indices().nth(index).map_or(text.len(), |(offset, _)| offset)
    }

    pub(crate) fn saved(&self) -> &Saved {
        &self.0.saved
    }
}

#[inline]
fn count_chars(text: &str) -> usize {
    if text.len() <= 8 && text.is_ascii() { text.len() } else { text.chars().count() }
}

impl Default for Str {
    fn default() -> Self {
        Self::build(CompactString::default(), None)
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self::build(text.into(), None)
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self::build(text.into(), None)
    }
}

impl From<CompactString> for Str {
    fn from(text: CompactString) -> Self {
        Self::build(text, None)
    }
}

impl From<&Str> for Str {
    fn from(text: &Str) -> Self {
        text.clone()
    }
}

impl PartialEq for Str {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
