//! Values: sixteen bytes, trees, changed by copy.
//!
//! A value never refers to a place: assigning one copies it, which costs a counter, and changing one copies its body
//! only while somebody else holds it too. So there are no cycles and no aliasing. Nesting is limited to
//! [`MAX_DEPTH`], which bounds everything that follows a value: comparing, saving, dropping.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use wf_lang::program::{Constant, TypeId};

use crate::fault::{Fault, Kind};

mod list;
mod map;
mod opaque;
mod saved;
mod text;

pub use list::List;
pub use map::Map;
pub use opaque::{Agent, Bytes, Closure, Range, Secret, SecretPart, Tool};
pub(crate) use saved::{FANOUT, Saved, SavedTree};
pub use text::Str;

/// How deep values may be nested: a list of numbers has depth 1.
pub const MAX_DEPTH: usize = 256;
/// How large a value may be, see [`Value::size`]. What is shared counts wherever it stands, so this bounds how long it
/// takes to go through a value.
pub const MAX_SIZE: usize = 16 << 20;
/// What a value without contents counts for in [`Value::size`].
const SCALAR: usize = 8;

/// A value of the language.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// An argument that was left out; no expression gives it.
    Missing,
    /// `true`, `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float; never NaN and never infinite.
    Float(f64),
    /// A duration, in milliseconds.
    Duration(i64),
    /// A moment, in milliseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// Text.
    Str(Str),
    /// Bytes.
    Bytes(Bytes),
    /// A list.
    List(List),
    /// A map or a record: they are one kind.
    Map(Map),
    /// `1..n`.
    Range(Arc<Range>),
    /// A function with what it captured.
    Closure(Arc<Closure>),
    /// A type as a value.
    Type(TypeId),
    /// An agent.
    Agent(Arc<Agent>),
    /// Text that is known only at the moment of use.
    Secret(Arc<Secret>),
    /// A tool of another process.
    Tool(Arc<Tool>),
}

const _: () = assert!(size_of::<Value>() == 16, "a value is sixteen bytes");
const fn crosses_threads<T: Send + Sync>() {}
const _: () = crosses_threads::<Value>();
const _: () = assert!(size_of::<Result<Value, Fault>>() <= 24, "a fault is a pointer");

thread_local! {
    static COPIES: Cell<u64> = const { Cell::new(0) };
}

/// How many bodies of lists, maps and strings this thread has copied because they were shared when they were changed.
pub fn copies() -> u64 {
    COPIES.with(Cell::get)
}

fn count_copy() {
    COPIES.with(|copies| copies.set(copies.get() + 1));
}

/// What a container remembers of what is in it. The first two are bounds: taking something out lowers neither.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nest {
    depth: u16,
    opaque: bool,
    size: usize,
}

impl Nest {
    /// Of an empty container.
    const EMPTY: Nest = Nest { depth: 1, opaque: false, size: SCALAR };

    fn flat(opaque: bool, contents: usize) -> Nest {
        Nest { depth: 0, opaque, size: contents.saturating_add(SCALAR) }
    }

    /// Of this container with `value` in it; fails when that is nested too deeply or too large.
    fn with(self, value: &Value) -> Result<Nest, Fault> {
        let inner = value.nest();
        if usize::from(inner.depth) >= MAX_DEPTH {
            return Err(too_deep());
        }
        let size = self.size.saturating_add(inner.size);
        if size > MAX_SIZE {
            return Err(too_large());
        }
        Ok(Nest { depth: self.depth.max(inner.depth + 1), opaque: self.opaque || inner.opaque, size })
    }

    /// Of this container with `value` under a new key.
    fn with_entry(self, key: &Str, value: &Value) -> Result<Nest, Fault> {
        Nest { size: self.size.saturating_add(key.byte_len()), ..self }.with(value)
    }

    /// Of this container with the elements of another one like it.
    fn join(self, other: Nest) -> Result<Nest, Fault> {
        let size = self.size.saturating_add(other.size).saturating_sub(SCALAR);
        if size > MAX_SIZE {
            return Err(too_large());
        }
        Ok(Nest { depth: self.depth.max(other.depth), opaque: self.opaque || other.opaque, size })
    }

    /// Of this container after so much was taken out of it.
    fn without(self, size: usize) -> Nest {
        Nest { size: self.size.saturating_sub(size), ..self }
    }

    /// Of this container after an element of so much became `value` in place; fails when that is nested too deeply.
    /// The container may become larger than it could have been made: callers look first.
    fn changed(self, before: usize, value: &Value) -> Result<Nest, Fault> {
        let rest = self.without(before);
        let inner = value.nest();
        if usize::from(inner.depth) >= MAX_DEPTH {
            return Err(too_deep());
        }
        Ok(Nest {
            depth: rest.depth.max(inner.depth + 1),
            opaque: rest.opaque || inner.opaque,
            size: rest.size.saturating_add(inner.size),
        })
    }

    /// Of this container with `values` in it.
    fn with_all<'v>(self, values: impl IntoIterator<Item = &'v Value>) -> Result<Nest, Fault> {
        values.into_iter().try_fold(self, Nest::with)
    }
}

/// The failure of what would nest too deeply.
pub(crate) fn too_deep() -> Fault {
    Fault::new(Kind::Limit, format!("a value may not be nested deeper than {MAX_DEPTH} levels"))
}

/// The failure of what would be too large.
pub(crate) fn too_large() -> Fault {
    Fault::new(Kind::Limit, format!("a value may not be larger than {} MiB", MAX_SIZE >> 20))
}

impl Value {
    /// What sort of value it is, as messages name it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Missing => "missing argument",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Duration(_) => "duration",
            Value::Time(_) => "time",
            Value::Str(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "record",
            Value::Range(_) => "range",
            Value::Closure(_) => "function",
            Value::Type(_) => "type",
            Value::Agent(_) => "agent",
            Value::Secret(_) => "secret",
            Value::Tool(_) => "tool",
        }
    }

    /// Text.
    pub fn str(text: impl Into<Str>) -> Value {
        Value::Str(text.into())
    }

    /// Constant `number` of a program; text is saved as that number. A float that is no number becomes 0.
    pub fn constant(constant: &Constant, number: u32) -> Value {
        match constant {
            Constant::Int(value) => Value::Int(*value),
            Constant::Float(value) => Value::float(*value).unwrap_or(Value::Float(0.0)),
            Constant::Duration(millis) => Value::Duration(*millis),
            Constant::String(text) => Value::Str(Str::constant(text, number)),
        }
    }

    /// A float, when it is a number: neither NaN nor infinite.
    pub fn float(number: f64) -> Option<Value> {
        number.is_finite().then_some(Value::Float(number))
    }

    /// A list of these elements; fails when that nests too deeply.
    pub fn list(items: Vec<Value>) -> Result<Value, Fault> {
        List::from_vec(items).map(Value::List)
    }

    /// A record of these fields, later ones winning; fails when that nests too deeply.
    pub fn record<K: Into<Str>>(fields: impl IntoIterator<Item = (K, Value)>) -> Result<Value, Fault> {
        let mut map = Map::new();
        for (key, value) in fields {
            map.insert(key.into(), value)?;
        }
        Ok(Value::Map(map))
    }

    /// How deep it is nested at most: 0 for what holds no values. O(1).
    pub fn depth(&self) -> usize {
        usize::from(self.nest().depth)
    }

    /// How large it is, in bytes: texts and bytes by their length, everything else at eight bytes and what is in it.
    /// O(1), and so a fair measure of what a run holds.
    pub fn size(&self) -> usize {
        self.nest().size
    }

    /// What two values have in common that share one body, as long as both are there; none for what has no body.
    pub(crate) fn identity(&self) -> Option<usize> {
        let saved = match self {
            Value::Str(text) => text.saved(),
            Value::Bytes(bytes) => bytes.saved(),
            Value::List(list) => list.saved(),
            Value::Map(map) => map.saved(),
            _ => return None,
        };
        Some(std::ptr::from_ref(saved) as usize)
    }

    fn nest(&self) -> Nest {
        match self {
            Value::List(list) => list.nest(),
            Value::Map(map) => map.nest(),
            Value::Str(text) => Nest::flat(false, text.byte_len()),
            Value::Bytes(bytes) => Nest::flat(false, bytes.as_slice().len()),
            Value::Closure(closure) => closure.nest(),
            Value::Agent(agent) => {
                let changes = agent.changes().nest();
                Nest { depth: changes.depth + 1, opaque: true, ..changes }
            }
            Value::Secret(secret) => Nest::flat(true, secret.len()),
            Value::Tool(tool) => {
                Nest::flat(true, tool.server.byte_len() + tool.name.byte_len() + tool.schema.byte_len())
            }
            Value::Missing | Value::Type(_) => Nest::flat(true, 0),
            _ => Nest::flat(false, 0),
        }
    }

    /// Whether it is data all the way down: what fits `any`, JSON and `ctx.state`.
    pub fn is_data(&self) -> bool {
        self.holds_only(&|value| !value.nest().opaque)
    }

    /// Whether it is data in which secrets may stand: what fits `payload`.
    pub fn is_payload(&self) -> bool {
        self.holds_only(&|value| !value.nest().opaque || matches!(value, Value::Secret(_)))
    }

    fn holds_only(&self, plain: &dyn Fn(&Value) -> bool) -> bool {
        plain(self)
            || match self {
                Value::List(list) => list.iter().all(|item| item.holds_only(plain)),
                Value::Map(map) => map.values().all(|value| value.holds_only(plain)),
                _ => false,
            }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The bool, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(value) = self { Some(*value) } else { None }
    }

    /// The number as a float, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The duration in milliseconds, if it is one.
    pub fn as_duration(&self) -> Option<i64> {
        if let Value::Duration(value) = self { Some(*value) } else { None }
    }

    /// The moment in milliseconds since 1970, if it is one.
    pub fn as_time(&self) -> Option<i64> {
        if let Value::Time(value) = self { Some(*value) } else { None }
    }

    /// The text, if it is some.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(value) = self { Some(value.as_str()) } else { None }
    }

    /// The text with its body, if it is some.
    pub fn as_text(&self) -> Option<&Str> {
        if let Value::Str(value) = self { Some(value) } else { None }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&List> {
        if let Value::List(value) = self { Some(value) } else { None }
    }

    /// The map or record, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(value) = self { Some(value) } else { None }
    }

    /// The value of a field of a record.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.as_map().and_then(|map| map.get(field))
    }

    /// Takes the value away and leaves null.
    pub fn take(&mut self) -> Value {
        std::mem::take(self)
    }
}

impl PartialEq for Value {
    /// The `==` of the language: deep; ints and floats by value, maps without regard to order.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) | (Value::Missing, Value::Missing) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => compare_int_float(*a, *b).is_eq(),
            (Value::Duration(a), Value::Duration(b)) | (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Range(a), Value::Range(b)) => a.same(b),
            // A range is a list, wherever one looks at its elements.
            (Value::Range(range), Value::List(list)) | (Value::List(list), Value::Range(range)) => range.is(list),
            (Value::Closure(a), Value::Closure(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Type(a), Value::Type(b)) => a == b,
            (Value::Agent(a), Value::Agent(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Secret(a), Value::Secret(b)) => a == b,
            (Value::Tool(a), Value::Tool(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

/// Compares by value, without the rounding of a conversion. `b` is a number.
pub(crate) fn compare_int_float(a: i64, b: f64) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    // 2^63, the first float above every integer; its negative is the least integer.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if b >= LIMIT {
        return Ordering::Less;
    }
    if b < -LIMIT {
        return Ordering::Greater;
    }
    let whole = b.trunc();
    a.cmp(&(whole as i64)).then_with(|| {
        if b > whole {
            Ordering::Less
        } else if b < whole {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    })
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Duration(value) => f.write_str(&crate::json::duration_text(*value)),
            Value::Time(value) => f.write_str(&crate::json::time_text(*value)),
            Value::Str(value) => write!(f, "{:?}", value.as_str()),
            Value::List(list) => f.debug_list().entries(list.iter()).finish(),
            Value::Map(map) => f.debug_map().entries(map.iter().map(|(key, value)| (key.as_str(), value))).finish(),
            Value::Range(range) => write!(f, "{range:?}"),
            other => write!(f, "<{}>", other.kind_name()),
        }
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Value::Null
    }
}

macro_rules! from {
    ($($ty:ty => $variant:ident),*) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self {
                Value::$variant(value.into())
            }
        }
    )*};
}

from!(bool => Bool, i64 => Int, i32 => Int, u32 => Int, &str => Str, String => Str, Str => Str, List => List, Map => Map, Bytes => Bytes, TypeId => Type, Range => Range, Closure => Closure, Agent => Agent, Secret => Secret, Tool => Tool);

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
