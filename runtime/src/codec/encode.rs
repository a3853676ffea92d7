//! Values to bytes and chunks.

use super::{INLINE_MAX, LEAF_BYTES, LEAF_MAX, MAX_WIDTH, MIN_WIDTH, Writer, chunk, row, seal, tag};
use crate::value::{Bytes, List, Map, Saved, SavedTree, Secret, SecretPart, Str, Value};

/// Where chunks go. Ids are given in ascending order, from 1.
pub trait ChunkSink {
    /// Takes a chunk (a sealed row) and gives its id, which is greater than all that it has given.
    fn write(&mut self, bytes: Vec<u8>) -> u64;

    /// What marks the ids of this run; never 0.
    fn run_tag(&self) -> u64;
}

/// Writes values, and what is large of them to a sink.
pub struct Encoder<'a> {
    sink: &'a mut dyn ChunkSink,
    run_tag: u64,
}

impl<'a> Encoder<'a> {
    /// Writes chunks to `sink`.
    pub fn new(sink: &'a mut dyn ChunkSink) -> Self {
        let run_tag = sink.run_tag();
        Self { sink, run_tag }
    }

    /// Writes a value. Whatever it names is in the sink before this returns.
    pub fn value(&mut self, value: &Value, out: &mut Writer) {
        match value {
            Value::Null => out.byte(tag::NULL),
            Value::Missing => out.byte(tag::MISSING),
            Value::Bool(false) => out.byte(tag::FALSE),
            Value::Bool(true) => out.byte(tag::TRUE),
            Value::Int(number) => signed(tag::INT, *number, out),
            Value::Float(number) => {
                out.byte(tag::FLOAT);
                out.float(*number);
            }
            Value::Duration(millis) => signed(tag::DURATION, *millis, out),
            Value::Time(millis) => signed(tag::TIME, *millis, out),
            Value::Str(text) => self.text(text, out),
            Value::Bytes(bytes) => self.bytes(bytes, out),
            Value::List(list) => self.list(list, out),
            Value::Map(map) => self.map(map, out),
            Value::Range(range) => {
                out.byte(tag::RANGE);
                let flag = |set: bool, bit: u8| if set { bit } else { 0 };
                out.byte(flag(range.start.is_some(), 1) | flag(range.end.is_some(), 2) | flag(range.inclusive, 4));
                range.start.into_iter().chain(range.end).for_each(|end| out.int(end));
            }
            Value::Closure(closure) => {
                out.byte(tag::CLOSURE);
                out.uint(closure.function().0.into());
                out.size(closure.captures().len());
                closure.captures().iter().for_each(|capture| self.value(capture, out));
            }
            Value::Type(ty) => {
                out.byte(tag::TYPE);
                out.uint(ty.0.into());
            }
            Value::Agent(agent) => {
                out.byte(tag::AGENT);
                out.uint(agent.declaration().into());
                self.map(agent.changes(), out);
            }
            Value::Secret(secret) => self.secret(secret, out),
            Value::Tool(tool) => {
                out.byte(tag::TOOL);
                [&tool.server, &tool.name, &tool.schema].into_iter().for_each(|part| self.text(part, out));
            }
        }
    }

    fn secret(&mut self, secret: &Secret, out: &mut Writer) {
        out.byte(tag::SECRET);
        out.size(secret.parts.len());
        for part in &secret.parts {
            let (kind, text) = match part {
                SecretPart::Text(text) => (0, text),
                SecretPart::Name(name) => (1, name),
            };
            out.byte(kind);
            self.text(text, out);
        }
    }

    /// Writes a text: as a constant, in place, or in chunks.
    pub fn text(&mut self, text: &Str, out: &mut Writer) {
        if let Some(constant) = text.constant_number() {
            out.byte(tag::CONSTANT);
            out.uint(constant.into());
        } else if text.byte_len() <= INLINE_MAX {
            out.byte(tag::TEXT);
            out.block(text.as_bytes());
        } else {
            self.raw(tag::CHUNKED_TEXT, text.as_bytes(), text.saved(), out);
        }
    }

    fn bytes(&mut self, bytes: &Bytes, out: &mut Writer) {
        if bytes.as_slice().len() <= INLINE_MAX {
            out.byte(tag::BYTES);
            out.block(bytes.as_slice());
        } else {
            self.raw(tag::CHUNKED_BYTES, bytes.as_slice(), bytes.saved(), out);
        }
    }

    fn raw(&mut self, kind: u8, bytes: &[u8], saved: &Saved, out: &mut Writer) {
        let mut tree = self.tree(saved).unwrap_or_else(|| Box::new(SavedTree::new(self.run_tag, LEAF_BYTES)));
        tree.fit(bytes.len());
        let unsaved = tree.unsaved();
        for leaf in unsaved.first().into_iter().flatten() {
            let start = leaf * tree.width;
            let mut body = Writer::new();
            body.byte(chunk::RAW);
            body.raw(bytes.get(start..bytes.len().min(start + tree.width)).unwrap_or_default());
            tree.set(0, *leaf, self.write(body));
        }
        self.nodes(&mut tree, &unsaved);
        place(kind, bytes.len(), &tree, out);
        saved.put(Some(tree));
    }

    fn list(&mut self, list: &List, out: &mut Writer) {
        let write = |encoder: &mut Self, at: usize, out: &mut Writer| {
            encoder.value(list.get(at).unwrap_or(&Value::Null), out);
        };
        self.elements(tag::LIST, chunk::ITEMS, list.len(), list.saved(), out, write);
    }

    fn map(&mut self, map: &Map, out: &mut Writer) {
        let write = |encoder: &mut Self, at: usize, out: &mut Writer| {
            if let Some((key, value)) = map.entry(at) {
                encoder.text(key, out);
                encoder.value(value, out);
            }
        };
        self.elements(tag::MAP, chunk::ENTRIES, map.len(), map.saved(), out, write);
    }

    /// Writes a container of `len` elements, each by its position.
    fn elements(
        &mut self,
        kind: u8,
        leaf_kind: u8,
        len: usize,
        saved: &Saved,
        out: &mut Writer,
        write: impl Fn(&mut Self, usize, &mut Writer) + Copy,
    ) {
        // One that has shrunk to a leaf may fit in place again.
        let worth = |tree: &SavedTree| len > tree.width || tree.root(len).is_some();
        let mut tree = match self.tree(saved).filter(|tree| len > 0 && worth(tree)) {
            Some(tree) => tree,
            None => {
                if self.inline(kind, len, out, write) {
                    return;
                }
                Box::new(SavedTree::new(self.run_tag, self.first_width(len, write)))
            }
        };
        while let Err(narrower) = self.leaves(leaf_kind, len, &mut tree, write) {
            tree = Box::new(SavedTree::new(self.run_tag, narrower));
        }
        let chunked = if kind == tag::LIST { tag::CHUNKED_LIST } else { tag::CHUNKED_MAP };
        place(chunked, len, &tree, out);
        saved.put(Some(tree));
    }

    /// Writes a container in place; `false`, and nothing, when that takes too much.
    fn inline(
        &mut self,
        kind: u8,
        len: usize,
        out: &mut Writer,
        write: impl Fn(&mut Self, usize, &mut Writer),
    ) -> bool {
        let start = out.len();
        out.byte(kind);
        out.size(len);
        for at in 0..len {
            write(self, at, out);
            if out.len() - start > INLINE_MAX {
                out.truncate(start);
                return false;
            }
        }
        true
    }

    /// Writes what has no id. Gives a lesser width when a leaf takes too much.
    fn leaves(
        &mut self,
        kind: u8,
        len: usize,
        tree: &mut SavedTree,
        write: impl Fn(&mut Self, usize, &mut Writer),
    ) -> Result<(), usize> {
        tree.fit(len);
        let width = tree.width;
        let unsaved = tree.unsaved();
        for leaf in unsaved.first().into_iter().flatten() {
            let elements = leaf * width..len.min((leaf + 1) * width);
            let count = elements.len();
            let mut body = Writer::new();
            body.byte(kind);
            elements.for_each(|at| write(self, at, &mut body));
            if body.len() > LEAF_MAX && width > MIN_WIDTH {
                return Err(width_for(body.len().div_ceil(count.max(1))).min(width / 2));
            }
            tree.set(0, *leaf, self.write(body));
        }
        self.nodes(tree, &unsaved);
        Ok(())
    }

    /// The width for elements like these, by a sample.
    fn first_width(&mut self, len: usize, write: impl Fn(&mut Self, usize, &mut Writer)) -> usize {
        let step = len.div_ceil(64).max(1);
        let mut sample = Writer::new();
        let taken = (0..len).step_by(step).map(|at| write(self, at, &mut sample)).count();
        width_for(sample.len().div_ceil(taken.max(1)))
    }

    /// Writes the nodes that have no id, from those above the leaves up.
    fn nodes(&mut self, tree: &mut SavedTree, unsaved: &[Vec<usize>]) {
        for (level, nodes) in unsaved.iter().enumerate().skip(1) {
            for node in nodes {
                let mut body = Writer::new();
                body.byte(chunk::NODE);
                tree.children(level, *node).iter().for_each(|child| body.uint(*child));
                tree.set(level, *node, self.write(body));
            }
        }
    }

    fn write(&mut self, body: Writer) -> u64 {
        self.sink.write(seal(row::CHUNK, body.as_slice()))
    }

    /// Takes the tree of a value, if it is one of this run.
    fn tree(&self, saved: &Saved) -> Option<Box<SavedTree>> {
        saved.take().filter(|tree| tree.run_tag == self.run_tag)
    }
}

fn signed(kind: u8, value: i64, out: &mut Writer) {
    out.byte(kind);
    out.int(value);
}

fn place(kind: u8, len: usize, tree: &SavedTree, out: &mut Writer) {
    out.byte(kind);
    out.size(len);
    out.size(tree.width);
    out.uint(tree.root(len).unwrap_or_default());
}

/// How many elements of so many bytes a leaf should hold: a power of two.
fn width_for(average: usize) -> usize {
    let fit = (LEAF_BYTES / average.max(1)).clamp(MIN_WIDTH, MAX_WIDTH);
    1 << fit.ilog2()
}
