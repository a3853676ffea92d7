//! Bytes, ranges, and the values that are no data: functions, agents, secrets, tools.

use wf_lang::program::FunctionId;

use super::{Arc, List, MAX_DEPTH, Map, Nest, Saved, Str, Value, too_deep};
use crate::fault::Fault;

/// Bytes; they never change.
#[derive(Clone)]
pub struct Bytes(Arc<BytesBody>);

struct BytesBody {
    data: Vec<u8>,
    saved: Saved,
}

impl Bytes {
    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0.data
    }

    pub(crate) fn saved(&self) -> &Saved {
        &self.0.saved
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(data: Vec<u8>) -> Self {
        Bytes(Arc::new(BytesBody { data, saved: Saved::default() }))
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.data == other.0.data
    }
}

/// `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it starts; open for `..n`.
    pub start: Option<i64>,
    /// Where it ends; open for `n..`.
    pub end: Option<i64>,
    /// Whether the end is in it.
    pub inclusive: bool,
}

impl Range {
    /// How many integers are in it; `None` for one that is open.
    pub fn len(&self) -> Option<usize> {
        let (start, end) = (i128::from(self.start?), i128::from(self.end?) + i128::from(self.inclusive));
        Some(usize::try_from((end - start).max(0)).unwrap_or(usize::MAX))
    }

    /// Whether no integer is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The integer at `index`.
    pub fn get(&self, index: usize) -> Option<i64> {
        if index >= self.len()? {
            return None;
        }
        self.start?.checked_add_unsigned(index as u64)
    }

    /// Whether the same integers are in both; what is open is the same only as it is written.
    pub(super) fn same(&self, other: &Range) -> bool {
        match (self.len(), other.len()) {
            (Some(a), Some(b)) => a == b && self.get(0) == other.get(0),
            _ => self == other,
        }
    }

    /// Whether the elements of a list are the integers in it.
    pub(super) fn is(&self, list: &List) -> bool {
        let same = |(at, item): (usize, &Value)| self.get(at).is_some_and(|number| *item == Value::Int(number));
        self.len() == Some(list.len()) && list.iter().enumerate().all(same)
    }

    /// Whether it holds `number`.
    pub fn contains(&self, number: i64) -> bool {
        self.start.is_none_or(|start| start <= number)
            && self.end.is_none_or(|end| number < end || self.inclusive && number == end)
    }

    /// What it takes of something with `len` elements: from, and to before, within its bounds. Negative ends count from
    /// the end.
    pub fn clamp(&self, len: usize) -> (usize, usize) {
        let bound = |at: i64| {
            let from_end = if at < 0 { i128::try_from(len).unwrap_or(i128::MAX) } else { 0 };
            i128::from(at).saturating_add(from_end)
        };
        let within = |at: i128| usize::try_from(at.max(0)).unwrap_or(usize::MAX).min(len);
        let start = within(self.start.map_or(0, bound));
        let end = self.end.map_or(len, |end| within(bound(end) + i128::from(self.inclusive)));
        (start, end.max(start))
    }
}

/// A function with what it captured.
#[derive(Clone)]
pub struct Closure {
    function: FunctionId,
    captures: Box<[Value]>,
    nest: Nest,
}

impl Closure {
    /// A function with its captures; fails when that nests too deeply.
    pub fn new(function: FunctionId, captures: Vec<Value>) -> Result<Closure, Fault> {
        let nest = Nest::EMPTY.with_all(&captures)?;
        Ok(Closure { function, captures: captures.into(), nest: Nest { opaque: true, ..nest } })
    }

    /// The function.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// What it captured, in order.
    pub fn captures(&self) -> &[Value] {
        &self.captures
    }

    pub(super) fn nest(&self) -> Nest {
        self.nest
    }
}

impl PartialEq for Closure {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.captures == other.captures
    }
}

/// An agent: a declaration, and what `with` has changed.
#[derive(Clone, PartialEq)]
pub struct Agent {
    declaration: u32,
    changes: Map,
}

impl Agent {
    /// An agent of the program's table; fails when the changes nest too deeply.
    pub fn new(declaration: u32, changes: Map) -> Result<Agent, Fault> {
        if usize::from(changes.nest().depth) >= MAX_DEPTH {
            return Err(too_deep());
        }
        Ok(Agent { declaration, changes })
    }

    /// Index into the program's agents.
    pub fn declaration(&self) -> u32 {
        self.declaration
    }

    /// The settings that differ from the declaration.
    pub fn changes(&self) -> &Map {
        &self.changes
    }
}

/// Text with secrets in it, kept as the recipe: never the text itself.
#[derive(Clone, PartialEq)]
pub struct Secret {
    /// What it is made of, in order.
    pub parts: Vec<SecretPart>,
}

/// A part of a [`Secret`].
#[derive(Clone, PartialEq)]
pub enum SecretPart {
    /// Text as it is.
    Text(Str),
    /// The secret of this name.
    Name(Str),
}

impl SecretPart {
    fn len(&self) -> usize {
        let (SecretPart::Text(text) | SecretPart::Name(text)) = self;
        text.byte_len()
    }
}

impl Secret {
    /// The secret of a name.
    pub fn named(name: impl Into<Str>) -> Secret {
        Secret { parts: vec![SecretPart::Name(name.into())] }
    }

    /// How many bytes its parts take.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(SecretPart::len).sum()
    }

    /// What may be shown of it: `‹secret API_KEY›` in place of each secret.
    pub fn placeholder(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                SecretPart::Text(text) => out.push_str(text),
                SecretPart::Name(name) => {
                    out.push_str("‹secret ");
                    out.push_str(name);
                    out.push('›');
                }
            }
        }
        out
    }
}

/// A tool of another process.
#[derive(Clone, PartialEq)]
pub struct Tool {
    /// The server that has it.
    pub server: Str,
    /// Its name there.
    pub name: Str,
    /// The JSON Schema of its arguments, as JSON text.
    pub schema: Str,
}
