//! Types at run time: what values are validated against and what JSON Schemas are made from.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Index into [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeId(pub u32);

/// The types of a program; recursive by index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Types {
    /// Each with what is known of it.
    pub defs: Vec<TypeDef>,
}

impl Types {
    /// The type `any`, which every table begins with.
    pub const ANY: TypeId = TypeId(0);

    /// What a type is. An id of another program gives `any`.
    pub fn get(&self, id: TypeId) -> &TypeKind {
        self.defs.get(id.0 as usize).map_or(&TypeKind::Any, |def| &def.kind)
    }

    /// The declared name of a type, if it has one.
    pub fn name(&self, id: TypeId) -> Option<&str> {
        self.defs.get(id.0 as usize).and_then(|def| def.name.as_deref())
    }
}

/// An entry of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeDef {
    /// What it is.
    pub kind: TypeKind,
    /// The name it was declared under.
    pub name: Option<SmolStr>,
    /// Its doc comment.
    pub doc: Option<SmolStr>,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TypeKind {
    /// `any`.
    Any,
    /// No value.
    Never,
    /// `null`.
    Null,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `float`.
    Float,
    /// `string`.
    String,
    /// `duration`.
    Duration,
    /// `time`.
    Time,
    /// `bytes`.
    Bytes,
    /// `secret`.
    Secret,
    /// `payload`.
    Payload,
    /// `tool`.
    Tool,
    /// A literal.
    Literal(Literal),
    /// `[T]`.
    List(TypeId),
    /// `map<T>`.
    Map(TypeId),
    /// `{ a: T, b?: U }`.
    Record(Vec<Field>),
    /// `A | B`; `T?` is a union with null.
    Union(Vec<TypeId>),
    /// `fn(A) -> B`.
    Function {
        /// The parameters.
        params: Vec<TypeId>,
        /// The result.
        result: TypeId,
    },
    /// `agent<T>`.
    Agent(TypeId),
    /// `type<T>`.
    TypeOf(TypeId),
}

/// A literal as a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// `"approve"`.
    String(SmolStr),
    /// `1`.
    Int(i64),
    /// `1.5`.
    Float(f64),
    /// `true`.
    Bool(bool),
    /// `2s`, in milliseconds.
    Duration(i64),
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: SmolStr,
    /// Its type.
    pub ty: TypeId,
    /// It may be absent or null.
    pub optional: bool,
    /// Its doc comment.
    pub doc: Option<SmolStr>,
}
