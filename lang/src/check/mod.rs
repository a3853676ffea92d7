//! Tree to types: names resolved, calls planned, and the places found where a value must be checked at run time.
//!
//! What the checker learns stands in tables beside the tree ([`Tables`]), by the ids of expressions. The compiler reads
//! them and decides nothing about types by itself; the editor reads them too.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use smol_str::SmolStr;

use crate::{
    diagnostic::Diagnostic,
    source::Source,
    syntax::ast::{self, ExprId},
};

mod agent;
mod annotation;
mod args;
mod call;
mod checker;
mod coerce;
mod constants;
mod control;
mod declare;
mod elsewhere;
mod exhaust;
mod expr;
mod field;
mod flow;
mod forget;
mod gather;
mod generic;
mod holes;
mod import;
mod item;
mod lambda;
mod lint;
mod literal;
mod matching;
mod members;
mod method;
mod name;
mod names;
mod narrow;
mod operator;
mod pattern;
mod place;
mod prescan;
mod relate;
mod scope;
mod show;
mod stmt;
mod suggest;
mod testing;
pub mod ty;
mod unbuilt;
mod union;
mod waits;
mod walk;

pub use crate::program::op::CtxMember;
pub use names::declared_name;
pub use suggest::{did_you_mean, nearest};
pub use ty::{FieldType, FunctionType, Literal, ParamType, RecordType, Type};
pub use waits::is_instant;

/// A module among those that are checked together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ModuleId(pub u16);

/// A declaration: the module and its index among the module's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemRef {
    /// The module.
    pub module: ModuleId,
    /// Index into [`ast::Module::items`].
    pub item: u32,
}

/// A local variable: parameters, `let`s, loop variables and names bound by patterns, numbered in order of declaration
/// within one top-level declaration (its lambdas and branches included).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(pub u32);

/// A parsed module, as the checker takes it.
#[derive(Clone, Debug)]
pub struct ModuleInput {
    /// The name: `list` for the library file `stdlib/list.wf`; for a user's, the path from the folder of the main module.
    pub name: Arc<str>,
    /// What tells it from other modules, wherever the program is started.
    pub path: Arc<str>,
    /// Whether it is of the library: bodiless functions, `self`, ambient names.
    pub library: bool,
    /// Its source.
    pub source: Source,
    /// Its tree.
    pub module: Arc<ast::Module>,
    /// The modules that its imports lead to, by the index of each import among the items. What is missing leads nowhere,
    /// which has been reported.
    pub imports: Vec<(u32, ModuleId)>,
    /// Whether something is wrong with its text.
    pub broken: bool,
}

/// Modules with what the checker found out.
#[derive(Clone, Debug)]
pub struct Checked {
    /// As given: the library's, the main one, and what it imports; [`ModuleId`] is the index.
    pub modules: Vec<ModuleInput>,
    /// What was found out, per module.
    pub tables: Vec<Tables>,
    /// The declared types: what each name stands for.
    pub named: HashMap<ItemRef, NamedType>,
    /// The signatures of all functions, declared and of the library.
    pub signatures: HashMap<ItemRef, Signature>,
    /// Everything there is to tell the author, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
    /// Each `any` that nobody wrote, in the order of the source; they are told only to those who ask.
    pub implicit: Vec<Diagnostic>,
}

/// A declared type.
#[derive(Clone, Debug)]
pub struct NamedType {
    /// Its name.
    pub name: SmolStr,
    /// Its doc comment.
    pub doc: Option<Arc<str>>,
    /// What it stands for.
    pub ty: Type,
}

/// What a function takes and gives.
#[derive(Clone, Debug)]
pub struct Signature {
    /// How many names stand in its angle brackets.
    pub type_params: u32,
    /// Its parameters.
    pub params: Vec<ParamType>,
    /// Its result.
    pub result: Type,
}

/// What is known of one module, beside its tree.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The type of each expression, by its id.
    pub types: Vec<Type>,
    /// What a `Name`, or the `Field` that ends a dotted name, refers to.
    pub uses: HashMap<ExprId, Use>,
    /// How each `Call` and `Pipe` is made.
    pub calls: HashMap<ExprId, Call>,
    /// Expressions whose value must be checked against a type at run time, because what is known of it does not
    /// guarantee that it fits.
    pub expects: HashMap<ExprId, Type>,
    /// `Field` reads that give null when the field is absent: optional fields, and keys of an open `ctx.state`.
    /// All other reads without `?.` throw kind `key`.
    pub lenient: HashSet<ExprId>,
    /// The local that each binder introduces, by the offset of its name.
    pub locals: HashMap<u32, LocalId>,
    /// The type of each local, by declaration (the item's index) and number.
    pub local_types: HashMap<(u32, LocalId), Type>,
    /// The type that each written type means, by the offset of its start and its end.
    pub written: HashMap<(u32, u32), Type>,
    /// The fields of the module's `state` block; `None` without one.
    pub state: Option<RecordType>,
    /// Which of the names that its imports bring are used, by the offset of the name as it is bound: of `a as b` that of
    /// `b`.
    pub used_imports: std::collections::HashSet<u32>,
    /// What the statements of tests mock and crash after, by the offset of the first name.
    pub targets: HashMap<u32, Watched>,
    /// What each `calls(…)` of a test lists.
    pub counted: HashMap<ExprId, Watched>,
}

/// What a test mocks, counts or crashes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Watched {
    /// A declared workflow, step or function, or one of the library with all its signatures.
    Function(ItemRef),
    /// An agent.
    Agent(ItemRef),
    /// Every call of a model.
    Model,
}

impl Checked {
    /// The main module: the first that is not of the library, else the last.
    pub fn main(&self) -> ModuleId {
        let first = self.modules.iter().position(|input| !input.library);
        let index = first.unwrap_or_else(|| self.modules.len().saturating_sub(1));
        ModuleId(u16::try_from(index).unwrap_or(u16::MAX))
    }
}

/// What a name refers to.
#[derive(Clone, Debug, PartialEq)]
pub enum Use {
    /// A variable of the enclosing declaration.
    Local(LocalId),
    /// A workflow, step or function, as a value or called.
    Function(ItemRef),
    /// A top-level `let`.
    Let(ItemRef),
    /// An agent.
    Agent(ItemRef),
    /// A type's name as a value.
    Type(Type),
    /// `T.schema`.
    Schema(Type),
    /// `T.values`.
    Values(Type),
    /// `ctx` itself; only its members are values.
    Ctx,
    /// `ctx.state`, of the module in which it stands.
    CtxState,
    /// Another member of `ctx`.
    CtxMember(CtxMember),
    /// A module: one that is imported under a name, or a namespace of the library; only its members are values.
    Module(ModuleId),
}

/// How a call is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called.
    pub target: Target,
    /// Where each parameter's argument comes from, in order of parameters.
    pub args: Vec<ArgFrom>,
}

/// What is called.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A declared workflow, step or function, or one of the library (also as a method, see [`ArgFrom::Receiver`]).
    Function(ItemRef),
    /// The method of that name which the receiver has at run time; args begin with the receiver.
    Method(SmolStr),
    /// A function value: the callee is an expression that gives it. `checked` when its parameter types are not known.
    Value {
        /// The arguments are checked against the parameters at run time.
        checked: bool,
    },
    /// An agent value: the callee is an expression that gives it; args are the prompt and the output type.
    Agent,
}

/// Where an argument comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgFrom {
    /// The written argument of that index.
    Given(usize),
    /// What stands before the dot; of a `mut self` method it is a place that is changed.
    Receiver,
    /// What stands before `|>`.
    Piped,
    /// Left out: the parameter's default.
    Default,
}

/// Checks modules together: the library's first, then the main one, then those that are imported.
///
/// There is always a result; what is wrong is in its diagnostics, in the order of the source.
pub fn check(modules: Vec<ModuleInput>) -> Checked {
    let mut diagnostics = Vec::new();
    let mut names: Vec<_> = modules.iter().map(|input| names::module_names(input, &mut diagnostics)).collect();
    import::link(&modules, &mut names, &mut diagnostics);
    let tables = modules
        .iter()
        .map(|input| Tables { types: vec![Type::Unknown; input.module.expr_count as usize], ..Tables::default() });
    let mut checker = checker::Checker {
        modules: &modules,
        names,
        library: names::library(&modules),
        tables: tables.collect(),
        named: HashMap::new(),
        signatures: HashMap::new(),
        inferred: HashSet::new(),
        values: HashMap::new(),
        progress: HashMap::new(),
        diagnostics,
        implicit: Vec::new(),
        broken: HashSet::new(),
        putting: None,
        frame: checker::Frame::new(ModuleId(0), 0, false),
        pipe: None,
    };
    checker.declare_all();
    checker.check_all();
    lint::report(&modules, &checker.tables, &checker.library, &checker.broken, &mut checker.diagnostics);
    let checker::Checker { tables, named, signatures, mut diagnostics, mut implicit, .. } = checker;
    for input in modules.iter().filter(|input| !input.library) {
        unbuilt::report(&input.module, &mut diagnostics);
        testing::hidden_names(&input.module, &mut diagnostics);
    }
    waits::report(&modules, &tables, &mut diagnostics);
    constants::report(&modules, &tables, &mut diagnostics);
    for found in [&mut diagnostics, &mut implicit] {
        found.sort_by_key(|d| (d.span.source, d.span.start, d.span.end, d.code));
    }
    let signatures = signatures.into_iter().map(|(item, signature)| (item, Arc::unwrap_or_clone(signature))).collect();
    Checked { modules, tables, named, signatures, diagnostics, implicit }
}
