//! What values look like: patterns and written types.

use super::{Expr, Name};
use crate::span::Span;

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Which.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// The patterns.
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// `_`.
    Wildcard,
    /// `x`, `x: T`.
    Bind(Name, Option<TypeExpr>),
    /// `1`, `-1`, `"a"`, `true`, `null`, `2s`: an expression without names.
    Literal(Box<Expr>),
    /// `{ kind: "a", value, ...rest }`; a field without pattern binds its name.
    Record {
        /// The fields.
        fields: Vec<(Name, Option<Pattern>)>,
        /// `...rest`; the name may be left out.
        rest: Option<Option<Name>>,
    },
    /// `[first, ...rest]`: the rest may stand anywhere, once.
    List {
        /// What stands before the rest.
        before: Vec<Pattern>,
        /// `...rest`; the name may be left out.
        rest: Option<Option<Name>>,
        /// What stands after the rest.
        after: Vec<Pattern>,
    },
    /// `a | b`.
    Or(Vec<Pattern>),
    /// `_: T`.
    Type(TypeExpr),
    /// Source that did not parse.
    Error,
}

/// A written type.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    /// Which.
    pub kind: TypeExprKind,
    /// Where.
    pub span: Span,
}

/// The written types.
#[derive(Clone, Debug)]
pub enum TypeExprKind {
    /// `string`, `Review`, `agents.Review`, `map<T>`, `agent<T>`, `type<T>`, `null`.
    Name {
        /// The module before the dot.
        module: Option<Name>,
        /// The name; `type` and `null` are names here.
        name: Name,
        /// What stands in the angle brackets.
        args: Vec<TypeExpr>,
    },
    /// `[T]`.
    List(Box<TypeExpr>),
    /// `{ a: T, b?: U }`.
    Record(Vec<FieldType>),
    /// `fn(A, B) -> C`.
    Fn {
        /// The parameters.
        params: Vec<TypeExpr>,
        /// The result.
        result: Option<Box<TypeExpr>>,
    },
    /// `"approve"`, `1`, `-1`, `true`: an expression without names.
    Literal(Box<Expr>),
    /// `A | B`.
    Union(Vec<TypeExpr>),
    /// `T?`.
    Optional(Box<TypeExpr>),
    /// Source that did not parse.
    Error,
}

/// A field of a record type.
#[derive(Clone, Debug)]
pub struct FieldType {
    /// Its name.
    pub name: Name,
    /// `name?: T`.
    pub optional: bool,
    /// Its type.
    pub ty: TypeExpr,
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
}
