//! What declarations are made of: statements and expressions.

use smol_str::SmolStr;

use super::{BinaryOp, ExprId, Name, Param, Pattern, TypeExpr, UnaryOp};
use crate::span::Span;

/// Statements between braces.
#[derive(Clone, Debug)]
pub struct Block {
    /// The statements; the last one's value is the block's, if it is an expression.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// Which.
    pub kind: StmtKind,
    /// Where.
    pub span: Span,
}

/// The statements.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// `let x: T = e`.
    Let {
        /// What is bound.
        pattern: Pattern,
        /// The written type.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `x.a[i] += e`; `op` is `None` for `=`.
    Assign {
        /// A name with fields and indices.
        place: Expr,
        /// The operator before the `=`.
        op: Option<BinaryOp>,
        /// The value.
        value: Expr,
    },
    /// An expression.
    Expr(Expr),
    /// `for i, x in xs { … }`.
    For {
        /// The index or key.
        index: Option<Name>,
        /// The element.
        item: Pattern,
        /// What is gone through.
        iter: Expr,
        /// The body.
        body: Block,
    },
    /// `while c { … }`.
    While {
        /// The condition.
        cond: Expr,
        /// The body.
        body: Block,
    },
    /// `mock NAME => value`, in tests.
    Mock {
        /// The dotted name of what is replaced.
        target: Vec<Name>,
        /// What replaces it.
        value: MockValue,
    },
    /// `answer PATTERN after 3h => value`, in tests.
    Answer {
        /// Which requests.
        pattern: Pattern,
        /// How long after the request.
        after: Option<Expr>,
        /// The answer.
        value: MockValue,
    },
    /// `crash after draft 3`, `crash during pay`, in tests.
    Crash {
        /// `during` instead of `after`.
        during: bool,
        /// The dotted name of what is called.
        target: Vec<Name>,
        /// The how-manieth call.
        nth: Option<Expr>,
    },
    /// `assert c`, `assert f() throws { … }`, in tests.
    Assert {
        /// What must hold.
        cond: Expr,
        /// The pattern after `throws`.
        throws: Option<Option<Pattern>>,
    },
    /// Source that did not parse.
    Error,
}

/// What a `mock` or `answer` line gives.
#[derive(Clone, Debug)]
pub enum MockValue {
    /// One value, or a lambda.
    Value(Expr),
    /// `each [ … ]`.
    Each(Vec<Expr>),
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Its number in the module.
    pub id: ExprId,
    /// Which.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true`.
    Bool(bool),
    /// `42`.
    Int(i64),
    /// `1.5`.
    Float(f64),
    /// `1h30m`, in milliseconds.
    Duration(i64),
    /// `"a ${b}"`: text and inserted expressions in turn; text is unescaped and without indentation.
    Str(Vec<StrPart>),
    /// `[a, ...b]`.
    List(Vec<Element>),
    /// `{ a: 1, b, ...c }`.
    Record(Vec<RecordField>),
    /// `x`.
    Name(SmolStr),
    /// `type [Review]`.
    TypeValue(TypeExpr),
    /// `!a`, `-a`.
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `1..n`, `1..=n`; also `..n` and `n..` between brackets.
    Range {
        /// Where it begins.
        start: Option<Box<Expr>>,
        /// Where it ends.
        end: Option<Box<Expr>>,
        /// `..=`.
        inclusive: bool,
    },
    /// `a.b`, `a?.b`.
    Field {
        /// What has the field.
        object: Box<Expr>,
        /// The field; empty where nothing follows the dot.
        name: Name,
        /// `?.`.
        optional: bool,
    },
    /// `a[i]`; a slice when the index is a `Range`.
    Index {
        /// What is indexed.
        object: Box<Expr>,
        /// The index or key.
        index: Box<Expr>,
    },
    /// `f(a, k: b)`.
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// The arguments as written.
        args: Vec<Arg>,
    },
    /// `a |> f(b)`: the call at the root of `call`'s postfixes (a `Call`, or the name path itself) gets `value` first.
    Pipe {
        /// The left side.
        value: Box<Expr>,
        /// The right side as written.
        call: Box<Expr>,
    },
    /// `e as T`.
    As {
        /// What is converted.
        value: Box<Expr>,
        /// To what.
        ty: TypeExpr,
    },
    /// `(a, b) => a + b`.
    Lambda {
        /// The parameters.
        params: Vec<Param>,
        /// The body.
        body: Box<Body>,
    },
    /// `if c { } else { }`.
    If {
        /// The condition.
        cond: Box<Expr>,
        /// When it holds.
        then: Block,
        /// Otherwise: a `Do` block, or another `If`.
        otherwise: Option<Box<Expr>>,
    },
    /// `do { }`, and the block after `else`.
    Do(Block),
    /// `match x { … }`.
    Match {
        /// What is looked at.
        subject: Box<Expr>,
        /// The arms.
        arms: Vec<Arm>,
    },
    /// `try { } catch e { } finally { }`.
    Try {
        /// What may throw.
        body: Block,
        /// The handler and the name of the error.
        catch: Option<(Option<Name>, Block)>,
        /// What runs in the end.
        finally: Option<Block>,
    },
    /// `gather …`.
    Gather(Box<Gather>),
    /// `race …`.
    Race(Branches),
    /// `return e`.
    Return(Option<Box<Expr>>),
    /// `throw e`.
    Throw(Box<Expr>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `observe f(x)`, in tests.
    Observe(Box<Expr>),
    /// `( e )`.
    Paren(Box<Expr>),
    /// Source that did not parse.
    Error,
}

/// A part of a string.
#[derive(Clone, Debug)]
pub enum StrPart {
    /// Text as it will be.
    Text(SmolStr),
    /// `${e}`.
    Expr(Expr),
}

/// An element of a list.
#[derive(Clone, Debug)]
pub enum Element {
    /// `a`.
    Item(Expr),
    /// `...a`.
    Spread(Expr),
}

/// A field of a record expression.
#[derive(Clone, Debug)]
pub enum RecordField {
    /// `name: e`, `name` (the value is then a `Name` of the same span), `"a key": e`.
    Named {
        /// The key.
        name: Name,
        /// The value.
        value: Expr,
        /// Whether only the name is written.
        shorthand: bool,
    },
    /// `[e]: v`.
    Computed {
        /// The key.
        key: Expr,
        /// The value.
        value: Expr,
    },
    /// `...e`.
    Spread(Expr),
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Arg {
    /// The name before the colon.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// What follows `=>`.
#[derive(Clone, Debug)]
pub enum Body {
    /// An expression.
    Expr(Expr),
    /// A block.
    Block(Block),
}

/// An arm of a `match`.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What it matches.
    pub pattern: Pattern,
    /// The condition after `if`.
    pub guard: Option<Expr>,
    /// What it gives.
    pub body: Body,
    /// The whole arm.
    pub span: Span,
}

/// `gather`, with what stands before its branches.
#[derive(Clone, Debug)]
pub struct Gather {
    /// `limit n`.
    pub limit: Option<Expr>,
    /// `settle`.
    pub settle: bool,
    /// `first n`.
    pub first: Option<Expr>,
    /// The branches.
    pub branches: Branches,
}

/// The branches of a `gather` or `race`.
#[derive(Clone, Debug)]
pub enum Branches {
    /// `for i, x in xs { … }`.
    For {
        /// The index or key.
        index: Option<Name>,
        /// The element.
        item: Pattern,
        /// What is gone through.
        iter: Box<Expr>,
        /// A branch.
        body: Block,
    },
    /// `{ a: e, b: e }`.
    Named(Vec<(Name, Expr)>),
    /// `[e, e]`.
    List(Vec<Expr>),
}
