//! The tree: the whole language as written, with a span on every node.
//!
//! Source that did not parse is an `Error` node; the rest of the file stands beside it. Every expression has an id
//! that is unique in its module, so what later stages learn of it lives in tables beside the tree.

use smol_str::SmolStr;

use crate::span::Span;

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

/// The operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`.
    Not,
    /// `-`.
    Neg,
}

/// The operators between operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `??`.
    Coalesce,
    /// `||`.
    Or,
    /// `&&`.
    And,
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// `in`.
    In,
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`.
    Div,
    /// `%`.
    Rem,
}

impl BinaryOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Coalesce => "??",
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::In => "in",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }
}
