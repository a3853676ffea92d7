//! The programs that are drawn: a small tree, each of whose expressions has one of five types.

/// A type of a generated program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    Int,
    Str,
    /// `[int]`
    List,
    /// `map<int>`
    Map,
    /// `Pair`, which is `{ n: int, s: string }`
    Pair,
}

/// Declarations; one calls only those behind it, and the first is `main`.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) decls: Vec<Decl>,
}

#[derive(Clone, Debug)]
pub(super) struct Decl {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) params: Vec<(String, Ty)>,
    /// `any` if there is none, as for `main`.
    pub(super) result: Option<Ty>,
    pub(super) body: Block,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Workflow,
    Step(Notes),
    Fn,
}

/// What stands above a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub(super) retry: Option<Retry>,
    /// In milliseconds.
    pub(super) timeout: Option<i64>,
    pub(super) on_crash: Option<OnCrash>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnCrash {
    Retry,
    Ask,
    Throw,
}

#[derive(Clone, Debug)]
pub(super) struct Retry {
    pub(super) attempts: i64,
    /// In milliseconds, as is the longest wait.
    pub(super) backoff: i64,
    pub(super) factor: i64,
    pub(super) max: Option<i64>,
    /// Whether errors of this kind are tried again, instead of those that are retryable.
    pub(super) when: Option<&'static str>,
}

/// Statements, and the value behind them if one is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) stmts: Vec<Stmt>,
    pub(super) value: Option<Expr>,
}

#[derive(Clone, Debug)]
pub(super) enum Stmt {
    Let(String, Ty, Expr),
    /// A long list.
    LetMany(String, i64, Expr),
    /// `let f: fn(int) -> int = x => …`
    LetFn {
        name: String,
        param: String,
        body: Block,
    },
    Set(String, Expr),
    Add(String, Expr),
    Push(String, Expr),
    /// A key of a map, and its value.
    Put(String, Expr, Expr),
    SetField(String, Expr),
    /// `ctx.state.total += …`
    Total(Expr),
    /// `ctx.state.seen[key] = …`
    Seen(Expr, Expr),
    Expr(Expr),
    If(Cond, Block, Option<Block>),
    For {
        var: String,
        list: Expr,
        body: Block,
    },
    Repeat {
        var: String,
        times: i64,
        body: Block,
    },
    /// Counts up while the counter is smaller.
    While {
        var: String,
        times: i64,
        body: Block,
    },
    Break,
    Continue,
    Return(Expr),
    Try(Box<Try>),
    Throw(Thrown, Expr),
    /// `throw e`
    Rethrow(String),
    Emit(Expr),
    Log(Expr),
    Nap(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thrown {
    /// `throw "…"`
    Text,
    /// `throw { kind: "mine", … }`
    Mine,
    /// The same, `retryable`.
    Again,
}

#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) body: Block,
    pub(super) catch: Option<(String, Block)>,
    pub(super) finally: Option<Block>,
}

#[derive(Clone, Debug)]
pub(super) enum Cond {
    Less(Expr, Expr),
    Same(Expr, Expr),
    Not(Box<Cond>),
    Both(Box<Cond>, Box<Cond>),
    Either(Box<Cond>, Box<Cond>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Plus,
    Minus,
    Times,
    /// `%`, which throws for zero.
    Rest,
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Int(i64),
    Str(String),
    Var(String, Ty),
    Total,
    /// `ctx.state.seen[key] ?? 0`
    SeenAt(Box<Expr>),
    Attempt,
    Op(Op, Box<Expr>, Box<Expr>),
    /// `"a${…}b"`
    Text(String, Box<Expr>),
    Len(Box<Expr>),
    /// `list[i]`, which throws where there is no such element.
    Item(Box<Expr>, Box<Expr>),
    /// `map[key] ?? 0`
    Get(Box<Expr>, Box<Expr>),
    /// `pair.n` and `pair.s`
    Number(Box<Expr>),
    Word(Box<Expr>),
    List(Vec<Expr>),
    Join(Box<Expr>, Box<Expr>),
    Map(Vec<(String, Expr)>),
    Pair(Box<Expr>, Box<Expr>),
    /// What a caught error says: its message where that is the program's own, else its kind.
    Said(String),
    Call(usize, Vec<Expr>, Ty),
    Apply(String, Box<Expr>),
    /// `exec(…)`, whose answer the world decides: a number, or text.
    Exec {
        label: String,
        arg: Box<Expr>,
        text: bool,
    },
    /// A call below so many others.
    Deep(i64, Box<Expr>),
    Request(Box<Request>),
    If(Box<Cond>, Box<Block>, Box<Block>, Ty),
    Match(Box<Expr>, Vec<(i64, Block)>, Option<(String, i64, Box<Block>)>, Box<Block>, Ty),
    Try(Box<Try>, Ty),
    Do(Box<Block>, Ty),
    /// `list.map(x => …)`
    Each(Box<Expr>, String, Box<Block>),
    Gather(Box<Gather>),
    Race(Box<Branches>),
    /// What `main` gives: a list of values of any type.
    All(Vec<Expr>),
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) label: String,
    pub(super) arg: Expr,
    pub(super) id: Option<Expr>,
    /// In milliseconds.
    pub(super) timeout: Option<i64>,
}

/// `gather …`; gives a list of ints, one for each branch that counts.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    pub(super) branches: Branches,
    pub(super) limit: Option<i64>,
    pub(super) first: Option<i64>,
    pub(super) settle: bool,
}

/// Branches; each gives an int.
#[derive(Clone, Debug)]
pub(super) enum Branches {
    For { index: Option<String>, var: String, list: Expr, body: Block },
    List(Vec<Block>),
    Named(Vec<Block>),
}

/// The names of named branches.
pub(super) const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

impl Expr {
    pub(super) fn ty(&self) -> Ty {
        match self {
            Self::Str(_) | Self::Text(..) | Self::Word(_) | Self::Said(_) | Self::Exec { text: true, .. } => Ty::Str,
            Self::Var(_, ty)
            | Self::Call(_, _, ty)
            | Self::If(_, _, _, ty)
            | Self::Match(_, _, _, _, ty)
            | Self::Try(_, ty)
            | Self::Do(_, ty) => *ty,
            Self::List(_) | Self::Join(..) | Self::Each(..) | Self::Gather(_) | Self::All(_) => Ty::List,
            Self::Map(_) => Ty::Map,
            Self::Pair(..) => Ty::Pair,
            _ => Ty::Int,
        }
    }

    /// The plainest expression of a type.
    pub(super) fn plain(ty: Ty) -> Self {
        match ty {
            Ty::Int => Self::Int(1),
            Ty::Str => Self::Str("w".into()),
            Ty::List => Self::List(vec![Self::Int(1)]),
            Ty::Map => Self::Map(vec![("k".into(), Self::Int(1))]),
            Ty::Pair => Self::Pair(Box::new(Self::Int(1)), Box::new(Self::Str("w".into()))),
        }
    }
}

impl Block {
    /// A block that only gives a value.
    pub(super) fn of(value: Expr) -> Self {
        Self { stmts: Vec::new(), value: Some(value) }
    }
}

impl Program {
    /// Takes away what tries again or ends attempts, and what catches errors at the top.
    pub(super) fn leave_errors(&mut self) {
        for decl in &mut self.decls {
            if let Kind::Step(notes) = &mut decl.kind {
                (notes.retry, notes.timeout) = (None, None);
            }
        }
        let main = &mut self.decls[0].body.stmts;
        *main = std::mem::take(main)
            .into_iter()
            .flat_map(|stmt| match stmt {
                Stmt::Try(it) if it.finally.is_none() => it.body.stmts,
                stmt => vec![stmt],
            })
            .collect();
    }

    /// Whether a step of it has this annotation.
    pub(super) fn says(&self, what: OnCrash) -> bool {
        self.decls.iter().any(|decl| matches!(&decl.kind, Kind::Step(notes) if notes.on_crash == Some(what)))
    }
}
