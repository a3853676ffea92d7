//! The tree: the whole language as written, with a span on every node.
//!
//! Source that did not parse is an `Error` node; the rest of the file stands beside it. Every expression has an id
//! that is unique in its module, so what later stages learn of it lives in tables beside the tree.

use smol_str::SmolStr;

use crate::span::Span;

mod body;
mod operator;
mod shape;

pub use body::{
    Arg, Arm, Block, Body, Branches, Element, Expr, ExprKind, Gather, MockValue, RecordField, Stmt, StmtKind, StrPart,
};
pub use operator::{BinaryOp, UnaryOp};
pub use shape::{FieldType, Pattern, PatternKind, TypeExpr, TypeExprKind};

/// The number of an expression in its module, counted from 0 in the order in which the parser made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ExprId(pub u32);

/// A name where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: SmolStr,
    /// Where it stands; for a binder, the offset of its start names the binding in the checker's tables.
    pub span: Span,
}

/// A file.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// The text of its `//!` lines.
    pub doc: Option<String>,
    /// Its declarations, in order.
    pub items: Vec<Item>,
    /// How many expressions it has: one more than the largest id.
    pub expr_count: u32,
}

/// A declaration, with what is written before it.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is declared.
    pub kind: ItemKind,
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
    /// `@name("…")` and the like, in order.
    pub annotations: Vec<Annotation>,
    /// The declaration from its first annotation to its end.
    pub span: Span,
}

/// `@retry(attempts: 3)`.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// The name after the `@`.
    pub name: Name,
    /// What stands in the parentheses.
    pub args: Vec<Arg>,
    /// The whole annotation.
    pub span: Span,
}

/// What a declaration declares.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `import { a, b as c } from "./x.wf"` or `import "./x.wf" as x`.
    Import(Import),
    /// `let MAX = 3`.
    Let(LetItem),
    /// `type Review = { … }`.
    Type(TypeItem),
    /// `state { spend: float = 0.0 }`.
    State(Vec<StateField>),
    /// `agent drafter { instructions: "…" }`.
    Agent(AgentItem),
    /// `workflow`, `step` or `fn`.
    Function(Function),
    /// `test "…" { … }`.
    Test(TestItem),
    /// Source that did not parse.
    Error,
}

/// An import of another module.
#[derive(Clone, Debug)]
pub struct Import {
    /// The names in braces, each with its `as` name; `None` for a whole module.
    pub names: Option<Vec<(Name, Option<Name>)>>,
    /// The path as it stands in the quotes.
    pub path: Name,
    /// The name after the last `as`, of a whole module.
    pub alias: Option<Name>,
}

/// A constant of the run.
#[derive(Clone, Debug)]
pub struct LetItem {
    /// Its name.
    pub name: Name,
    /// Its written type.
    pub ty: Option<TypeExpr>,
    /// What computes it.
    pub value: Expr,
}

/// A named type.
#[derive(Clone, Debug)]
pub struct TypeItem {
    /// Its name.
    pub name: Name,
    /// What it stands for.
    pub ty: TypeExpr,
}

/// A field of a `state` block.
#[derive(Clone, Debug)]
pub struct StateField {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// What it holds at the start of a run.
    pub value: Option<Expr>,
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct AgentItem {
    /// Its name.
    pub name: Name,
    /// Its settings, in order.
    pub fields: Vec<(Name, Expr)>,
}

/// What sort of function a declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// `workflow`.
    Workflow,
    /// `step`.
    Step,
    /// `fn`.
    Fn,
}

/// A workflow, step or function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Which of the three.
    pub kind: FunctionKind,
    /// Its name.
    pub name: Name,
    /// The names in angle brackets.
    pub type_params: Vec<Name>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// The type after `->`.
    pub result: Option<TypeExpr>,
    /// Its body; library files alone leave it out.
    pub body: Option<Block>,
}

/// A parameter of a function or lambda.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name; `self` in a method of the library.
    pub name: Name,
    /// Its type.
    pub ty: Option<TypeExpr>,
    /// Its default.
    pub default: Option<Expr>,
    /// `mut self`.
    pub mutable: bool,
    /// The text of the `///` lines before it.
    pub doc: Option<String>,
}

/// A test.
#[derive(Clone, Debug)]
pub struct TestItem {
    /// Its name, with its quotes' span.
    pub name: Name,
    /// What it does.
    pub body: Block,
}
