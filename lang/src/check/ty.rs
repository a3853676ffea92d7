//! What the checker knows of a value.

use std::sync::Arc;

use smol_str::SmolStr;

use super::ItemRef;
pub use crate::program::Literal;

/// A type. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Of source that is wrong already: fits everything, silently.
    Unknown,
    /// `any`: JSON from elsewhere, checked where it meets a type.
    Any,
    /// Of what never gives a value: `return`, `throw`.
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
    /// `payload`: data in which secrets may stand.
    Payload,
    /// `tool`.
    Tool,
    /// `"approve"`, `1`, `true`, where they are written as types.
    Literal(Literal),
    /// The same as the value of an expression: what a `let` that is changed, or an inferred result, makes `string`,
    /// `int` and so on of.
    Exact(Literal),
    /// `[T]`.
    List(Arc<Type>),
    /// `map<T>`.
    Map(Arc<Type>),
    /// `{ a: T, b?: U }`.
    Record(Arc<RecordType>),
    /// `A | B`: flat, without duplicates, at least two.
    Union(Arc<[Type]>),
    /// `fn(A, B) -> C`.
    Function(Arc<FunctionType>),
    /// `agent<T>`.
    Agent(Arc<Type>),
    /// `type<T>`: the type itself as a value.
    TypeOf(Arc<Type>),
    /// A declared type; [`super::Checked::named`] tells what it stands for.
    Named(ItemRef),
    /// A type variable of the generic function that is being checked, by its place among the names in angle brackets.
    Var(u32),
    /// What a `[]`, `{}` or `null` has yet to be filled with; while its declaration is checked, and never afterwards.
    Hole(u32),
}

/// `{ a: T, b?: U }`, in the order as written.
#[derive(Clone, Debug)]
pub struct RecordType {
    /// The fields.
    pub fields: Vec<FieldType>,
    /// It is the type of a literal, so its values have no other fields.
    pub closed: bool,
}

/// The same fields are the same type, whether there may be others or not.
impl PartialEq for RecordType {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl RecordType {
    /// The type of a literal.
    pub(super) fn closed(fields: Vec<FieldType>) -> Self {
        Self { fields, closed: true }
    }

    /// A declared type: its values may have further fields.
    pub(super) fn open(fields: Vec<FieldType>) -> Self {
        Self { fields, closed: false }
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&FieldType> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FieldType {
    /// What reading the field gives.
    pub(super) fn read(&self) -> Type {
        if self.optional { super::union::optional(self.ty.clone()) } else { self.ty.clone() }
    }
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldType {
    /// Its name.
    pub name: SmolStr,
    /// Its type.
    pub ty: Type,
    /// It may be absent or null, and reads as null.
    pub optional: bool,
    /// Its doc comment.
    pub doc: Option<Arc<str>>,
}

/// `fn(A, B) -> C`.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionType {
    /// The parameters.
    pub params: Vec<ParamType>,
    /// The result.
    pub result: Type,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamType {
    /// Its name; empty in a written function type.
    pub name: SmolStr,
    /// Its type.
    pub ty: Type,
    /// It may be left out.
    pub has_default: bool,
}
