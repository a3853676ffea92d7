//! Bytes and chunks to values. Whatever the bytes are, this ends, takes bounded memory and does not panic.

use std::collections::HashMap;

use wf_lang::program::{Constant, FunctionId, Program, TypeId};

use super::{DecodeError, MAX_DECODED, Reader, chunk, open, row, tag};
use crate::fault::Fault;
use crate::value::{
    Agent, Bytes, Closure, FANOUT, List, MAX_DEPTH, Map, Range, SavedTree, Secret, SecretPart, Str, Tool, Value,
};

/// Where chunks come from.
pub trait ChunkSource {
    /// The row that was written under this id.
    fn read(&mut self, id: u64) -> Result<Vec<u8>, DecodeError>;
}

/// The widest leaf that is read, in elements or bytes.
const WIDEST: usize = 1 << 20;

/// Reads values, and what is large of them from a source.
pub struct Decoder<'a> {
    program: &'a Program,
    source: &'a mut dyn ChunkSource,
    run_tag: Option<u64>,
    /// How much memory may still be filled.
    budget: usize,
    /// Chunks may only name lesser ids than their own.
    below: u64,
    /// What was read already, so that what was shared is shared again.
    loaded: HashMap<(u8, u64, usize), Value>,
}

impl<'a> Decoder<'a> {
    /// Reads values of `program`, and chunks from `source`.
    ///
    /// With a `run_tag` the values know under which ids they are saved, so nothing is written again after a load.
    /// Without one they count as unsaved, and constants become plain text: for a run that moves to other code.
    pub fn new(program: &'a Program, source: &'a mut dyn ChunkSource, run_tag: Option<u64>) -> Self {
        Self { program, source, run_tag, budget: MAX_DECODED, below: u64::MAX, loaded: HashMap::new() }
    }

    /// Reads a value.
    pub fn value(&mut self, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
        self.nested(from, MAX_DEPTH)
    }

    /// Reads a text.
    pub fn text(&mut self, from: &mut Reader<'_>) -> Result<Str, DecodeError> {
        match self.nested(from, 0)? {
            Value::Str(text) => Ok(text),
            other => Err(from.error(format!("a text was expected, found a {}", other.kind_name()))),
        }
    }

    fn nested(&mut self, from: &mut Reader<'_>, room: usize) -> Result<Value, DecodeError> {
        self.charge(size_of::<Value>(), from)?;
        let mut kind = from.byte()?;
        while kind == tag::EXTENSION {
            from.uint()?;
            from.block()?;
            kind = from.byte()?;
        }
        Ok(match kind {
            tag::NULL => Value::Null,
            tag::MISSING => Value::Missing,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INT => Value::Int(from.int()?),
            tag::FLOAT => Value::Float(from.float()?),
            tag::DURATION => Value::Duration(from.int()?),
            tag::TIME => self.time(from)?,
            tag::TEXT => {
                let text = from.text()?;
                self.charge(text.len(), from)?;
                Value::str(text)
            }
            tag::CONSTANT => Value::Str(self.constant(from)?),
            tag::BYTES => {
                let bytes = from.block()?;
                self.charge(bytes.len(), from)?;
                Value::Bytes(bytes.to_vec().into())
            }
            tag::LIST => {
                let count = from.count(1)?;
                let mut list = List::new();
                self.items(&mut list, count, from, room)?;
                Value::List(list)
            }
            tag::MAP => {
                let count = from.count(2)?;
                let mut map = Map::new();
                self.entries(&mut map, count, from, room)?;
                Value::Map(map)
            }
            tag::RANGE => range(from)?,
            tag::CLOSURE => self.closure(from, room)?,
            tag::TYPE => self.ty(from)?,
            tag::AGENT => self.agent(from, room)?,
            tag::SECRET => self.secret(from)?,
            tag::TOOL => {
                let (server, name, schema) = (self.text(from)?, self.text(from)?, self.text(from)?);
                Value::from(Tool { server, name, schema })
            }
            tag::CHUNKED_TEXT | tag::CHUNKED_BYTES | tag::CHUNKED_LIST | tag::CHUNKED_MAP => {
                self.chunked(kind, from, room)?
            }
            other => return Err(from.error(format!("there is no kind of value {other}"))),
        })
    }

    fn charge(&mut self, bytes: usize, at: &Reader<'_>) -> Result<(), DecodeError> {
        self.budget = self.budget.checked_sub(bytes).ok_or_else(|| at.error("the values take too much memory"))?;
        Ok(())
    }

    fn time(&self, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
        let millis = from.int()?;
        match jiff::Timestamp::from_millisecond(millis) {
            Ok(_) => Ok(Value::Time(millis)),
            Err(_) => Err(from.error("a time is out of range")),
        }
    }

    fn constant(&self, from: &mut Reader<'_>) -> Result<Str, DecodeError> {
        let number = from.id()?;
        match self.program.constants.get(number as usize) {
            Some(Constant::String(text)) if self.run_tag.is_some() => Ok(Str::constant(text, number)),
            Some(Constant::String(text)) => Ok(text.as_str().into()),
            _ => Err(from.error(format!("the program has no text as constant {number}"))),
        }
    }

    fn items(&mut self, list: &mut List, count: usize, from: &mut Reader<'_>, room: usize) -> Result<(), DecodeError> {
        let room = deeper(from, room)?;
        for _ in 0..count {
            let item = self.nested(from, room)?;
            list.push(item).map_err(|fault| refused(from, &fault))?;
        }
        Ok(())
    }

    fn entries(&mut self, map: &mut Map, count: usize, from: &mut Reader<'_>, room: usize) -> Result<(), DecodeError> {
        let room = deeper(from, room)?;
        for _ in 0..count {
            let key = self.text(from)?;
            let value = self.nested(from, room)?;
            if map.insert(key, value).map_err(|fault| refused(from, &fault))?.is_some() {
                return Err(from.error("a key stands twice in a map"));
            }
        }
        Ok(())
    }

    fn closure(&mut self, from: &mut Reader<'_>, room: usize) -> Result<Value, DecodeError> {
        let room = deeper(from, room)?;
        let id = FunctionId(from.id()?);
        let count = from.count(1)?;
        match self.program.function(id) {
            Some(function) if usize::from(function.captures) == count => {}
            Some(function) => {
                let wanted = function.captures;
                return Err(from.error(format!("function `{}` captures {wanted} values, not {count}", function.path)));
            }
            None => return Err(from.error(format!("the program has no function {}", id.0))),
        }
        let captures = (0..count).map(|_| self.nested(from, room)).collect::<Result<_, _>>()?;
        Closure::new(id, captures).map(Value::from).map_err(|fault| refused(from, &fault))
    }

    fn ty(&self, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
        let id = from.id()?;
        if id as usize >= self.program.types.defs.len() {
            return Err(from.error(format!("the program has no type {id}")));
        }
        Ok(Value::Type(TypeId(id)))
    }

    fn agent(&mut self, from: &mut Reader<'_>, room: usize) -> Result<Value, DecodeError> {
        let room = deeper(from, room)?;
        let declaration = from.id()?;
        if declaration as usize >= self.program.agents.len() {
            return Err(from.error(format!("the program has no agent {declaration}")));
        }
        match self.nested(from, room)? {
            Value::Map(changes) => {
                Agent::new(declaration, changes).map(Value::from).map_err(|fault| refused(from, &fault))
            }
            other => Err(from.error(format!("the changes of an agent are a {}", other.kind_name()))),
        }
    }

    fn secret(&mut self, from: &mut Reader<'_>) -> Result<Value, DecodeError> {
        let count = from.count(2)?;
        let mut parts = Vec::new();
        for _ in 0..count {
            let kind = from.byte()?;
            let text = self.text(from)?;
            parts.push(match kind {
                0 => SecretPart::Text(text),
                1 => SecretPart::Name(text),
                other => return Err(from.error(format!("there is no part {other} of a secret"))),
            });
        }
        Ok(Value::from(Secret { parts }))
    }

    fn chunked(&mut self, kind: u8, from: &mut Reader<'_>, room: usize) -> Result<Value, DecodeError> {
        let (len, width, root) = (from.size()?, from.size()?, from.uint()?);
        if len == 0 || !width.is_power_of_two() || width > WIDEST {
            return Err(from.error(format!("there are no chunks of {len} elements, {width} a leaf")));
        }
        if root == 0 || root >= self.below {
            return Err(from.error(format!("chunk {root} is named by chunk {}", self.below)));
        }
        if let Some(value) = self.loaded.get(&(kind, root, len)) {
            return Ok(value.clone());
        }
        let levels = self.nodes(len, width, root)?;
        let value = self.leaves(kind, len, width, levels.first().map_or(&[], Vec::as_slice), room)?;
        if let Some(run_tag) = self.run_tag {
            let saved = match &value {
                Value::Str(text) => Some(text.saved()),
                Value::Bytes(bytes) => Some(bytes.saved()),
                Value::List(list) => Some(list.saved()),
                Value::Map(map) => Some(map.saved()),
                _ => None,
            };
            if let Some(saved) = saved {
                saved.put(Some(Box::new(SavedTree { run_tag, width, levels })));
            }
        }
        self.loaded.insert((kind, root, len), value.clone());
        Ok(value)
    }

    /// The ids of all chunks of a tree: the leaves first, the root last.
    fn nodes(&mut self, len: usize, width: usize, root: u64) -> Result<Vec<Vec<u64>>, DecodeError> {
        let mut counts = vec![len.div_ceil(width)];
        while let Some(count) = counts.last().filter(|count| **count > 1) {
            counts.push(count.div_ceil(FANOUT));
        }
        let mut levels = vec![vec![root]];
        counts.pop();
        for count in counts.into_iter().rev() {
            let mut children = Vec::new();
            for (number, parent) in levels.last().into_iter().flatten().enumerate() {
                let row = self.read(*parent)?;
                let mut from = body(&row, chunk::NODE).map_err(|error| at_chunk(error, *parent))?;
                let wanted = count.saturating_sub(number.saturating_mul(FANOUT)).min(FANOUT);
                for _ in 0..wanted {
                    let child = from.uint().map_err(|error| at_chunk(error, *parent))?;
                    if child == 0 || child >= *parent {
                        return Err(at_chunk(from.error(format!("it names chunk {child}")), *parent));
                    }
                    children.push(child);
                }
                from.end().map_err(|error| at_chunk(error, *parent))?;
                self.charge(wanted * 8, &from)?;
            }
            levels.push(children);
        }
        levels.reverse();
        Ok(levels)
    }

    fn leaves(&mut self, kind: u8, len: usize, width: usize, ids: &[u64], room: usize) -> Result<Value, DecodeError> {
        let mut raw = Vec::new();
        let (mut list, mut map) = (List::new(), Map::new());
        let leaf_kind = match kind {
            tag::CHUNKED_LIST => chunk::ITEMS,
            tag::CHUNKED_MAP => chunk::ENTRIES,
            _ => chunk::RAW,
        };
        for (number, id) in ids.iter().enumerate() {
            let count = len.saturating_sub(number.saturating_mul(width)).min(width);
            let row = self.read(*id)?;
            let outer = std::mem::replace(&mut self.below, *id);
            let mut leaf = || {
                let mut from = body(&row, leaf_kind)?;
                match kind {
                    tag::CHUNKED_LIST => self.items(&mut list, count, &mut from, room)?,
                    tag::CHUNKED_MAP => self.entries(&mut map, count, &mut from, room)?,
                    _ => raw.extend_from_slice(from.raw(count)?),
                }
                from.end()
            };
            let read = leaf();
            self.below = outer;
            read.map_err(|error| at_chunk(error, *id))?;
        }
        match kind {
            tag::CHUNKED_LIST => Ok(Value::List(list)),
            tag::CHUNKED_MAP => Ok(Value::Map(map)),
            tag::CHUNKED_BYTES => Ok(Value::Bytes(Bytes::from(raw))),
            _ => match String::from_utf8(raw) {
                Ok(text) => Ok(Value::str(text)),
                Err(_) => Err(DecodeError::new("a text in chunks", "it is not UTF-8")),
            },
        }
    }

    fn read(&mut self, id: u64) -> Result<Vec<u8>, DecodeError> {
        let row = self.source.read(id)?;
        self.charge(row.len(), &Reader::new(&[], "a chunk"))?;
        Ok(row)
    }
}

fn body(row: &[u8], kind: u8) -> Result<Reader<'_>, DecodeError> {
    let mut from = Reader::new(open(row::CHUNK, row)?, "a chunk");
    match from.byte()? {
        found if found == kind => Ok(from),
        found => Err(from.error(format!("it is of kind {found}, not {kind}"))),
    }
}

fn at_chunk(error: DecodeError, id: u64) -> DecodeError {
    error.inside(&format!("chunk {id}"))
}

fn deeper(from: &Reader<'_>, room: usize) -> Result<usize, DecodeError> {
    room.checked_sub(1).ok_or_else(|| from.error("it is nested too deeply"))
}

fn refused(from: &Reader<'_>, fault: &Fault) -> DecodeError {
    from.error(fault.message.as_str())
}

fn range(from: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let flags = from.byte()?;
    if flags > 7 {
        return Err(from.error(format!("there are no flags {flags} of a range")));
    }
    let mut end = |bit: u8| if flags & bit == 0 { Ok(None) } else { from.int().map(Some) };
    let (start, end) = (end(1)?, end(2)?);
    Ok(Value::from(Range { start, end, inclusive: flags & 4 != 0 }))
}
