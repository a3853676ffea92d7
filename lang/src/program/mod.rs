//! A checked script, ready to run: immutable, shared by all runs of it, stored with them by hash.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::span::Span;

mod bytes;
pub mod op;
pub mod types;
mod uses;
mod verify;

pub use bytes::FORMAT;
pub use op::{Comparison, Op, Pc, Reg, ShortPc};
pub use types::{Field, Literal, TypeDef, TypeId, TypeKind, Types};
pub use uses::{Uses, uses_of};
pub use verify::verify;

/// Index into [`Program::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FunctionId(pub u32);

/// A program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// What can be called.
    pub functions: Vec<Function>,
    /// What `Const` loads.
    pub constants: Vec<Constant>,
    /// The names of fields and methods.
    pub names: Vec<SmolStr>,
    /// The keys of record literals.
    pub shapes: Vec<Vec<SmolStr>>,
    /// What `Place` reads and changes.
    pub places: Vec<Place>,
    /// What `Gather` runs.
    pub gathers: Vec<Gather>,
    /// The types.
    pub types: Types,
    /// The functions of the runtime that `Native` calls, by stable name.
    pub natives: Vec<SmolStr>,
    /// What `Effect` asks, by stable name.
    pub effects: Vec<SmolStr>,
    /// The names of the parameters of each.
    pub effect_params: Vec<Vec<SmolStr>>,
    /// What `Tell` tells, by stable name.
    pub tells: Vec<SmolStr>,
    /// The workflows of the main module, in order of declaration.
    pub workflows: Vec<Workflow>,
    /// The agents.
    pub agents: Vec<Agent>,
    /// The modules; a function names its own by index.
    pub modules: Vec<Module>,
    /// How many top-level `let`s there are.
    pub globals: u32,
    /// Methods by name and kind of receiver, for calls whose receiver is known only at run time.
    pub methods: Vec<Method>,
    /// The library function that asks an agent: (agent, prompt, output).
    pub ask: Option<FunctionId>,
    /// The tests, where the program was compiled to be tested; each is one of the workflows.
    pub tests: Vec<Test>,
    /// What the tests mock, count or crash after: what the hooks in the code name by index.
    pub watched: Vec<Watched>,
}

/// A test of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Its name, as it is written.
    pub name: SmolStr,
    /// The workflow that it is; its name is unique.
    pub workflow: SmolStr,
    /// Its name in the source.
    pub span: Span,
}

/// What a test mocks, counts or crashes after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Its name, as tests write it.
    pub name: SmolStr,
    /// What sort of thing it is.
    pub kind: WatchedKind,
    /// What a call of it gives.
    pub result: TypeId,
}

/// What sort of thing is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WatchedKind {
    /// `workflow`, `step`.
    Told,
    /// `fn`, also of the library.
    Function,
    /// A library function that reaches the outside, by the stable name of its effect.
    Outside(SmolStr),
    /// An agent, an index into [`Program::agents`].
    Agent(u32),
    /// Every call of a model, by the stable name of its effect.
    Model(SmolStr),
}

/// A module of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// Its name, as it is shown in places: a path, or `std/list`.
    pub name: SmolStr,
    /// The type of its `ctx.state`; `None` for an open one.
    pub state: Option<TypeId>,
    /// Of the library.
    pub library: bool,
}

/// A workflow that can be started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// Its declared name.
    pub name: SmolStr,
    /// Itself.
    pub function: FunctionId,
    /// What a run begins with: computes the globals and the state, then calls the workflow with the same parameters.
    pub start: FunctionId,
}

/// A declared agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its declared name.
    pub name: SmolStr,
    /// What its calls are called in paths, as [`Function::element`].
    pub element: SmolStr,
    /// Computes its settings: a record.
    pub settings: FunctionId,
    /// The type of its answers.
    pub output: TypeId,
}

/// A method that is chosen at run time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// Its name.
    pub name: SmolStr,
    /// The kind of its receiver.
    pub receiver: Receiver,
    /// The library function that it is.
    pub function: FunctionId,
}

/// The kinds of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receiver {
    /// Text.
    String,
    /// Lists and ranges.
    List,
    /// Maps and records.
    Map,
    /// Numbers.
    Number,
    /// Durations.
    Duration,
    /// Times.
    Time,
    /// Bytes.
    Bytes,
    /// Agents.
    Agent,
}

/// What sort of function it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FunctionKind {
    /// `workflow`.
    Workflow,
    /// `step`.
    Step,
    /// `fn`.
    Fn,
    /// A lambda.
    Lambda,
    /// A branch of a `gather`.
    Branch,
    /// A library function that asks the agent in its first argument, and is called by that agent's name.
    Ask,
    /// The body of a test.
    Test,
    /// Made by the compiler: the start of a run, the settings of an agent.
    Hidden,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name; unique in the program with [`Function::path`].
    pub name: SmolStr,
    /// What its calls are called in paths: its name, with its module where two share it (`steps.draft`).
    pub element: SmolStr,
    /// Where it stands: `main.draft`, `main.headline/lambda[0]`, `steps.wf.draft`. Stable while the text of what encloses
    /// it is.
    pub path: SmolStr,
    /// The title that `@name` gives.
    pub title: Option<SmolStr>,
    /// Its doc comment.
    pub doc: Option<SmolStr>,
    /// Its module, an index into [`Program::modules`].
    pub module: u16,
    /// What sort it is.
    pub kind: FunctionKind,
    /// What `@on_crash` says.
    pub on_crash: Option<OnCrash>,
    /// Calls of it are elements of the paths of what it calls, and have counters of their own.
    pub scoped: bool,
    /// Its parameters; their values are in the first registers.
    pub params: Vec<Param>,
    /// The type of its result.
    pub result: TypeId,
    /// How many captured values follow the parameters.
    pub captures: u16,
    /// How many registers a frame has.
    pub registers: u16,
    /// Its ops.
    pub code: Vec<Op>,
    /// Where each op comes from: the pc from which on a span holds, ascending.
    pub spans: Vec<(Pc, Span)>,
    /// Where frames can be saved: the entry, then the ops that are safe points, by pc, ascending.
    pub safe_points: Vec<SafePoint>,
    /// Where faults go; the first that covers the pc takes it.
    pub handlers: Vec<Handler>,
    /// The ops of its `finally` blocks, as ranges, ascending: a cancellation waits until the frame has left them.
    pub shields: Vec<(Pc, Pc)>,
    /// Its locals, in order of declaration, for people.
    pub locals: Vec<Local>,
    /// The identity of its safe points and slots: a saved frame fits a function with the same digest.
    pub digest: u64,
}

/// What becomes of a call that was in flight when its run was stopped, and may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnCrash {
    /// It is made again under the same key.
    Retry,
    /// A person decides: the type of the answer.
    Ask(TypeId),
    /// It throws kind `unknown_outcome`.
    Throw,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: SmolStr,
    /// Its type.
    pub ty: TypeId,
    /// It may be left out.
    pub has_default: bool,
    /// Its doc comment.
    pub doc: Option<SmolStr>,
}

/// A variable of a function, and where it is in force: registers are used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Local {
    /// Its name.
    pub name: SmolStr,
    /// Its register.
    pub reg: Reg,
    /// The first op at which it has the register.
    pub from: Pc,
    /// The first op at which it no longer has it.
    pub to: Pc,
}

/// A place where a frame can be saved, and what must be saved of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SafePoint {
    /// The op at which the frame stands: it has not run (the entry, the end of a round), or it has left the frame and goes
    /// on behind it (all others).
    pub pc: Pc,
    /// The registers that the rest of the function reads, in order of their slots: locals in order of declaration, then
    /// temporaries in order of evaluation. The register that receives the op's result is none of them.
    pub live: Vec<Reg>,
}

/// Where a fault goes, and what a cancellation passes through.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// The first op that it covers.
    pub start: Pc,
    /// The op after the last that it covers.
    pub end: Pc,
    /// Where the function goes on.
    pub target: Pc,
    /// What receives the error.
    pub error: Reg,
    /// What it stands for.
    pub kind: HandlerKind,
    /// It stands in a `finally`, which no cancellation reaches.
    pub shielded: bool,
}

/// What a handler stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandlerKind {
    /// `catch`: takes errors.
    Catch,
    /// `finally`: takes errors, and null for a cancellation.
    Finally,
    /// The `@retry` of a step: takes errors, and those that end an attempt from outside.
    Attempt,
}

/// A value that a program holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Constant {
    /// An integer that does not fit its op.
    Int(i64),
    /// A float.
    Float(f64),
    /// A duration, in milliseconds.
    Duration(i64),
    /// Text.
    String(SmolStr),
}

/// A variable and the way into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The variable.
    pub root: Root,
    /// The way into it. Each `Index` takes its key from the next register.
    pub steps: Vec<PlaceStep>,
    /// What is done there. Its operands follow the keys.
    pub action: PlaceAction,
}

/// The variable of a place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Root {
    /// A register.
    Local(Reg),
    /// `ctx.state` of the function's module.
    State,
}

/// A step into a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PlaceStep {
    /// `.names[name]`.
    Field {
        /// The field.
        name: u16,
        /// Absent reads as null.
        lenient: bool,
    },
    /// `[key]`.
    Index,
}

/// What is done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PlaceAction {
    /// Reads it.
    Get,
    /// Replaces it by the operand.
    Set,
    /// `place op= operand`.
    Update(Operator),
    /// A library method that changes its receiver, with so many further arguments.
    Method {
        /// Index into [`Program::natives`].
        native: u16,
        /// How many arguments follow the receiver.
        argc: u16,
    },
}

/// The operators of `op=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// `+=`.
    Add,
    /// `-=`.
    Sub,
    /// `*=`.
    Mul,
    /// `/=`.
    Div,
    /// `%=`.
    Rem,
}

/// A `gather` or `race`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gather {
    /// Its branches.
    pub branches: GatherBranches,
    /// What becomes of what they come to.
    pub mode: GatherMode,
    /// How many may run at a time is the next operand.
    pub limit: bool,
    /// How many have to finish is the next operand; those of the branches follow.
    pub first: bool,
}

/// What becomes of the values and errors of branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatherMode {
    /// The values are collected; the first error cancels the others and is thrown.
    All,
    /// Values and errors are collected, each with what its branch was about.
    Settle,
    /// The first to finish wins, with its value or its error.
    Race,
    /// In tests: how the one branch went. Its calls have the paths that they would have without it.
    Observe,
}

/// The branches of a `gather` or `race`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GatherBranches {
    /// Of a collection and a function of (index or key, element), in that order in the registers.
    For,
    /// Of as many functions without parameters, which have these names.
    Named(Vec<SmolStr>),
    /// Of so many functions without parameters.
    List(u16),
}

impl Program {
    /// A function by id; ids are checked when a program is loaded.
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.functions.get(id.0 as usize)
    }

    /// The workflow of that name, or the only one, or the first.
    pub fn workflow(&self, name: Option<&str>) -> Option<&Workflow> {
        match name {
            Some(name) => self.workflows.iter().find(|workflow| workflow.name == name),
            None => self.workflows.first(),
        }
    }
}

impl Function {
    /// Where the op at `pc` comes from.
    pub fn span(&self, pc: Pc) -> Span {
        let after = self.spans.partition_point(|(from, _)| *from <= pc);
        after.checked_sub(1).and_then(|index| self.spans.get(index)).map_or_else(Span::default, |(_, span)| *span)
    }

    /// Whether the op at `pc` belongs to a `finally`.
    pub fn is_shielded(&self, pc: Pc) -> bool {
        let after = self.shields.partition_point(|(start, _)| *start <= pc);
        after.checked_sub(1).and_then(|index| self.shields.get(index)).is_some_and(|(_, end)| pc < *end)
    }

    /// The variables that the rest of the function reads from a safe point on, with their registers.
    pub fn live_locals(&self, point: &SafePoint) -> impl Iterator<Item = (&str, Reg)> {
        let here = |local: &&Local| local.from <= point.pc && point.pc < local.to && point.live.contains(&local.reg);
        self.locals.iter().filter(here).map(|local| (local.name.as_str(), local.reg))
    }

    /// The register in which a step or workflow counts its attempts.
    pub fn attempt(&self) -> Option<Reg> {
        self.code.iter().find_map(|op| match op {
            Op::Begin { attempt } => Some(*attempt),
            _ => None,
        })
    }

    /// The number of the safe point that the op at `pc` is.
    pub fn safe_point(&self, pc: Pc) -> Option<usize> {
        let ops = self.safe_points.get(1..)?;
        ops.binary_search_by_key(&pc, |point| point.pc).ok().map(|index| index + 1)
    }
}
