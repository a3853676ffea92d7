//! Values as bytes: kind byte, variable-length integers, bounded reading.
//!
//! What is small stands in place. A container or text of more than [`INLINE_MAX`] bytes is a tree of chunks, written
//! through a [`ChunkSink`], and its place names the root. What has been saved and not changed since is neither walked
//! nor written again, so saving costs what has changed times the depth of the tree.
//!
//! Tags are never reused. An extension stands before the value it speaks of and is skipped by readers that do not know
//! it.

mod bytes;
mod decode;
mod encode;
mod fuzz;
mod live;
mod seal;

pub use bytes::{Reader, Writer};
pub use decode::{ChunkSource, Decoder};
pub use encode::{ChunkSink, Encoder};
pub use fuzz::fuzz_decode;
pub use live::LiveChunks;
pub use seal::{FORMAT, open, seal};

/// What encodes longer than this goes out of line.
pub const INLINE_MAX: usize = 256;
/// What a leaf should take.
pub const LEAF_BYTES: usize = 1024;
/// What a leaf may take before its value is cut anew.
pub const LEAF_MAX: usize = 4096;
/// The fewest elements of a leaf.
pub const MIN_WIDTH: usize = 8;
/// The most elements of a leaf.
pub const MAX_WIDTH: usize = 256;
/// The most that one decoder gives: sixteen bytes a value, texts by their length, chunks by theirs. Several times what a
/// run may hold, so whatever was saved can be loaded.
pub const MAX_DECODED: usize = 256 << 20;

/// The kind bytes of values.
pub mod tag {
    /// `null`.
    pub const NULL: u8 = 0;
    /// An argument that was left out.
    pub const MISSING: u8 = 1;
    /// `false`.
    pub const FALSE: u8 = 2;
    /// `true`.
    pub const TRUE: u8 = 3;
    /// An integer: signed varint.
    pub const INT: u8 = 4;
    /// A float: eight bytes, little end first.
    pub const FLOAT: u8 = 5;
    /// A duration: signed varint of milliseconds.
    pub const DURATION: u8 = 6;
    /// A time: signed varint of milliseconds.
    pub const TIME: u8 = 7;
    /// Text: length, bytes.
    pub const TEXT: u8 = 8;
    /// A constant of the program: number.
    pub const CONSTANT: u8 = 9;
    /// Bytes: length, bytes.
    pub const BYTES: u8 = 10;
    /// A list: count, values.
    pub const LIST: u8 = 11;
    /// A map: count, pairs of text and value.
    pub const MAP: u8 = 12;
    /// A range: flags (1 has a start, 2 has an end, 4 inclusive), signed varints.
    pub const RANGE: u8 = 13;
    /// A closure: function, count of captures, values.
    pub const CLOSURE: u8 = 14;
    /// A type: id.
    pub const TYPE: u8 = 15;
    /// An agent: declaration, map value.
    pub const AGENT: u8 = 16;
    /// A secret: count of parts; each a byte (0 text, 1 name) and a text value.
    pub const SECRET: u8 = 17;
    /// A tool: server, name, schema, each a text value.
    pub const TOOL: u8 = 18;
    /// Text in chunks: length in bytes, width, root.
    pub const CHUNKED_TEXT: u8 = 19;
    /// Bytes in chunks: length, width, root.
    pub const CHUNKED_BYTES: u8 = 20;
    /// A list in chunks: length, width, root.
    pub const CHUNKED_LIST: u8 = 21;
    /// A map in chunks: length, width, root.
    pub const CHUNKED_MAP: u8 = 22;
    /// Something about the value that follows: what, length, bytes. Skipped by who does not know it.
    pub const EXTENSION: u8 = 127;
}

/// The first bytes of chunks.
pub mod chunk {
    /// Bytes of a text or of bytes, as they are.
    pub const RAW: u8 = 1;
    /// Elements of a list: values to the end.
    pub const ITEMS: u8 = 2;
    /// Entries of a map: pairs of text and value to the end.
    pub const ENTRIES: u8 = 3;
    /// Names of chunks: varints to the end.
    pub const NODE: u8 = 4;
}

/// Kinds of sealed rows.
pub mod row {
    /// A chunk.
    pub const CHUNK: u8 = 1;
    /// A value by itself.
    pub const VALUE: u8 = 2;
    /// The first of the kinds that others may give.
    pub const FREE: u8 = 16;
}

/// Why bytes are no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What was being read, from the outermost on: `chunk 12: list`.
    pub what: String,
    /// What is wrong with it.
    pub reason: String,
}

impl DecodeError {
    /// An error in `what`.
    pub fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { what: what.into(), reason: reason.into() }
    }

    /// The same, seen from further out.
    #[must_use]
    pub fn inside(mut self, outer: &str) -> Self {
        // A value may be nested 256 levels deep; the innermost places are those that help.
        if self.what.len() < 200 {
            self.what = format!("{outer}: {}", self.what);
        }
        self
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot read {}: {}", self.what, self.reason)
    }
}

impl std::error::Error for DecodeError {}
