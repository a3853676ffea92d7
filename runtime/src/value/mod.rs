//! Values: sixteen bytes, trees, changed by copy.
//!
//! A value never refers to a place: assigning one copies it, which costs a counter, and changing one copies its body
//! only while somebody else holds it too. So there are no cycles and no aliasing. Nesting is limited to
//! [`MAX_DEPTH`], which bounds everything that follows a value: comparing, saving, dropping.

use std::cell::Cell;
use std::fmt;

pub use triomphe::Arc;
use wf_lang::program::{Constant, TypeId};

use crate::fault::Fault;

mod list;
mod map;
mod nest;
mod opaque;
mod register;
mod saved;
mod shape;
mod text;

pub use list::List;
pub use map::Map;
pub(crate) use nest::{Nest, too_deep, too_large};
pub use opaque::{Agent, Bytes, Closure, Range, Secret, SecretPart, Tool};
pub(crate) use saved::{FANOUT, Saved, SavedTree};
pub(crate) use shape::Shape;
pub use text::Str;

/// How deep values may be nested: a list of numbers has depth 1.
pub const MAX_DEPTH: usize = 256;
/// How large a value may be, see [`Value::size`]. What is shared counts wherever it stands, so this bounds how long it
/// takes to go through a value.
pub const MAX_SIZE: usize = 16 << 20;
/// What a value without contents counts for in [`Value::size`].
const SCALAR: usize = 8;

/// A value of the language.
///
/// In this order, one comparison tells scalars from the rest, and what holds something that is shared from what does not.
#[derive(Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
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
    /// An argument that was left out; no expression gives it.
    Missing,
    /// A type as a value.
    Type(TypeId),
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
        self.nest().size as usize
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

    /// Whether it is data without contents.
    #[inline(always)]
    fn is_scalar(&self) -> bool {
        matches!(
            self,
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) | Value::Time(_)
        )
    }

    /// Whether it holds nothing that is shared, so that copying and dropping it is nothing but moving bytes.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.is_scalar() || matches!(self, Value::Missing | Value::Type(_))
    }

    #[inline(never)]
    fn clone_shared(&self) -> Value {
        match self {
            Value::Str(text) => Value::Str(text.clone()),
            Value::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Value::List(list) => Value::List(list.clone()),
            Value::Map(map) => Value::Map(map.clone()),
            Value::Range(range) => Value::Range(Arc::clone(range)),
            Value::Closure(closure) => Value::Closure(Arc::clone(closure)),
            Value::Agent(agent) => Value::Agent(Arc::clone(agent)),
            Value::Secret(secret) => Value::Secret(Arc::clone(secret)),
            Value::Tool(tool) => Value::Tool(Arc::clone(tool)),
            _ => Value::Null,
        }
    }
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Self {
        match self {
            Value::Null => Value::Null,
            Value::Missing => Value::Missing,
            Value::Bool(value) => Value::Bool(*value),
            Value::Int(value) => Value::Int(*value),
            Value::Float(value) => Value::Float(*value),
            Value::Duration(value) => Value::Duration(*value),
            Value::Time(value) => Value::Time(*value),
            Value::Type(ty) => Value::Type(*ty),
            shared => shared.clone_shared(),
        }
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
