//! The instruction set: eight bytes an op, registers of the running frame as operands.
//!
//! Where an op takes several values they stand in consecutive registers from `base`, and its result replaces the first
//! of them. Evaluation is left to right. An op that can leave the frame (a call, an effect, the start or end of a step, a
//! loop head) is a safe point: the frame can be saved there, see [`super::SafePoint`].

use serde::{Deserialize, Serialize};

/// A register of the running frame.
pub type Reg = u16;
/// Index of an op in its function.
pub type Pc = u32;
/// The same in ops that have room for two bytes; a function has no more ops than that.
pub type ShortPc = u16;

/// One instruction.
#[allow(missing_docs, reason = "the comment of each op explains its operands")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// `dst = null`
    Null { dst: Reg },
    /// `dst = value`
    Bool { dst: Reg, value: bool },
    /// `dst = value`
    Int { dst: Reg, value: i32 },
    /// `dst = constants[constant]`
    Const { dst: Reg, constant: u32 },
    /// `dst = ` an argument that was left out, so that the parameter's default is computed
    Missing { dst: Reg },
    /// `dst = src`
    Copy { dst: Reg, src: Reg },
    /// `dst = src`, which is left null: the last use of `src`
    Move { dst: Reg, src: Reg },
    /// `dst = globals[global]`
    Global { dst: Reg, global: u32 },
    /// `globals[global] = src`; only in the program's start
    SetGlobal { src: Reg, global: u32 },
    /// `dst = ` the function as a value, with the captures in `dst..`
    Closure { dst: Reg, function: u32 },
    /// `dst = ` the type as a value
    Type { dst: Reg, ty: u32 },
    /// `dst = ` the agent as declared
    Agent { dst: Reg, agent: u32 },
    /// `dst = [first, …]`
    List { dst: Reg, first: Reg, count: u16 },
    /// pushes `item` to the list, which takes it over when that was its `last` use
    ListPush { list: Reg, item: Reg, last: bool },
    /// pushes every element of `items` to the list under construction
    ListExtend { list: Reg, items: Reg },
    /// `dst = { … }` with the keys of `shapes[shape]` and the values in `first..`
    Record { dst: Reg, first: Reg, shape: u16 },
    /// puts a field into the record under construction
    RecordPut { record: Reg, key: Reg, value: Reg },
    /// puts every field of `fields` into the record under construction
    RecordExtend { record: Reg, fields: Reg },
    /// `dst = ` the text of the `count` values in `first..`; null throws
    Concat { dst: Reg, first: Reg, count: u16 },
    /// `dst = a + b`; text and lists grow in place when that was the `last` use of `a`
    Add { dst: Reg, a: Reg, b: Reg, last: bool },
    /// `dst = a - b`
    Sub { dst: Reg, a: Reg, b: Reg },
    /// `dst = a * b`
    Mul { dst: Reg, a: Reg, b: Reg },
    /// `dst = a / b`
    Div { dst: Reg, a: Reg, b: Reg },
    /// `dst = a % b`
    Rem { dst: Reg, a: Reg, b: Reg },
    /// `dst = a + value`
    AddInt { dst: Reg, a: Reg, value: i16 },
    /// `dst = a - value`
    SubInt { dst: Reg, a: Reg, value: i16 },
    /// `dst = a * value`
    MulInt { dst: Reg, a: Reg, value: i16 },
    /// `dst = a % value`
    RemInt { dst: Reg, a: Reg, value: i16 },
    /// `dst = a == b`
    Eq { dst: Reg, a: Reg, b: Reg },
    /// `dst = a != b`
    Ne { dst: Reg, a: Reg, b: Reg },
    /// `dst = a < b`
    Lt { dst: Reg, a: Reg, b: Reg },
    /// `dst = a <= b`
    Le { dst: Reg, a: Reg, b: Reg },
    /// `dst = a > b`
    Gt { dst: Reg, a: Reg, b: Reg },
    /// `dst = a >= b`
    Ge { dst: Reg, a: Reg, b: Reg },
    /// `dst = ` whether the order of `a` and `value` passes the test
    TestInt { test: Comparison, dst: Reg, a: Reg, value: i16 },
    /// `dst = a in b`
    In { dst: Reg, a: Reg, b: Reg },
    /// `dst = !a`
    Not { dst: Reg, a: Reg },
    /// `dst = -a`
    Neg { dst: Reg, a: Reg },
    /// `dst = first..first+1`, either end null where it is open
    Range { dst: Reg, first: Reg, inclusive: bool },
    /// `dst = object.name`; absent throws kind `key`
    Field { dst: Reg, object: Reg, name: u16 },
    /// `dst = object.name`; absent gives null
    FieldOrNull { dst: Reg, object: Reg, name: u16 },
    /// `dst = object[index]`
    Index { dst: Reg, object: Reg, index: Reg },
    /// `dst = ` how many elements, keys or characters `a` has
    Count { dst: Reg, a: Reg },
    /// `object.name = value`, which takes the value over when that was its `last` use
    SetField { object: Reg, name: u16, value: Reg, last: bool },
    /// `object[index] = value`, which takes the value over when that was its `last` use
    SetIndex { object: Reg, index: Reg, value: Reg, last: bool },
    /// `dst = object.name` if it is a record that has it, else nothing, as for [`Op::JumpIfMissing`]
    Part { dst: Reg, object: Reg, name: u16 },
    /// the same, with null for what a record lacks
    PartOrNull { dst: Reg, object: Reg, name: u16 },
    /// `dst = ` how many elements the list or range in `object` has; null if it is none
    Len { dst: Reg, object: Reg },
    /// reads or changes `places[place]`; its keys and operands are in `base..`, its result is in `base`
    Place { base: Reg, place: u16 },
    /// throws kind `type` unless the value fits; numbers are brought into the type's form
    Check { reg: Reg, ty: u32 },
    /// throws kind `type` unless the value fits, as one from outside: the text of a duration, time or bytes becomes one
    Convert { reg: Reg, ty: u32 },
    /// `dst = ` whether the value fits the type
    Fits { reg: Reg, ty: u32 },
    /// `dst = ` the JSON Schema of the type
    Schema { dst: Reg, ty: u32 },
    /// goes on at `to`
    Jump { to: Pc },
    /// goes on at `to` when `cond` is true; anything but a bool throws
    JumpIf { cond: Reg, to: Pc },
    /// goes on at `to` when `cond` is false; anything but a bool throws
    JumpIfNot { cond: Reg, to: Pc },
    /// goes on at `to` when `reg` is null
    JumpIfNull { reg: Reg, to: Pc },
    /// goes on at `to` when `reg` is not null
    JumpIfNotNull { reg: Reg, to: Pc },
    /// goes on at `to` when the argument was given
    JumpIfGiven { reg: Reg, to: Pc },
    /// goes on at `to` when there is nothing: an argument that was left out, a part that is not there
    JumpIfMissing { reg: Reg, to: Pc },
    /// goes on at `to` when `a == b`
    JumpEq { a: Reg, b: Reg, to: ShortPc },
    /// goes on at `to` when `a != b`
    JumpNe { a: Reg, b: Reg, to: ShortPc },
    /// goes on at `to` when `a < b`
    JumpLt { a: Reg, b: Reg, to: ShortPc },
    /// goes on at `to` when `a <= b`
    JumpLe { a: Reg, b: Reg, to: ShortPc },
    /// goes on at `to` when `a > b`
    JumpGt { a: Reg, b: Reg, to: ShortPc },
    /// goes on at `to` when `a >= b`
    JumpGe { a: Reg, b: Reg, to: ShortPc },
    /// goes on at `to` when `a == value`
    JumpEqInt { a: Reg, value: i16, to: ShortPc },
    /// goes on at `to` when `a != value`
    JumpNeInt { a: Reg, value: i16, to: ShortPc },
    /// goes on at `to` when `a < value`
    JumpLtInt { a: Reg, value: i16, to: ShortPc },
    /// goes on at `to` when `a <= value`
    JumpLeInt { a: Reg, value: i16, to: ShortPc },
    /// goes on at `to` when `a > value`
    JumpGtInt { a: Reg, value: i16, to: ShortPc },
    /// goes on at `to` when `a >= value`
    JumpGeInt { a: Reg, value: i16, to: ShortPc },
    /// goes on at `to` when `a == constants[constant]`
    JumpEqConst { a: Reg, constant: u16, to: ShortPc },
    /// goes on at `to` when `a != constants[constant]`
    JumpNeConst { a: Reg, constant: u16, to: ShortPc },
    /// the end of a round: goes on at `to`; fuel is counted here. Safe point
    Loop { to: Pc },
    /// prepares a loop over the range `base..base+1`, either end null where it is open: `base` becomes the number before
    /// the first, `base + 1` how many there are
    RangeStart { base: Reg, inclusive: bool },
    /// the next round goes on at `to`: `base` = the next number. At the end goes on behind. Fuel is counted here. Safe point
    RangeNext { base: Reg, to: Pc },
    /// prepares a loop over `base`: `base + 1` becomes the position
    IterStart { base: Reg },
    /// the next round goes on at `to`: `base + 2` = the next element. At the end goes on behind. Fuel is counted here. Safe point
    IterNext { base: Reg, to: Pc },
    /// the same: `base + 2` = the next index or key, `base + 3` = the next element. Safe point
    IterNextPair { base: Reg, to: Pc },
    /// what `reg` holds is not needed any more
    Forget { reg: Reg },
    /// calls a function with the arguments in `base..`. Safe point
    Call { base: Reg, function: u32 },
    /// calls the function value in `callee` with the `argc` arguments in `base..`. Safe point
    CallValue { base: Reg, callee: Reg, argc: u8, checked: bool },
    /// calls the function value in `base` with the elements of the list that follows it. Safe point
    Apply { base: Reg },
    /// calls the method `names[name]` of the value in `base` with the `argc` arguments that follow it. Safe point
    CallMethod { base: Reg, name: u16, argc: u16 },
    /// calls the function that computes the settings of the agent in `base`. Safe point
    CallSettings { base: Reg },
    /// `base = ` a function of the runtime that needs nothing but its `argc` arguments
    Native { base: Reg, native: u16, argc: u16 },
    /// asks the world, with the `argc` arguments in `base..`. Safe point
    Effect { base: Reg, effect: u16, argc: u16 },
    /// tells the world, with the `argc` arguments in `base..`; `base` becomes null
    Tell { base: Reg, tell: u16, argc: u16 },
    /// ends the frame with a value; of its registers, only the first `shared` may hold anything but numbers and the like
    Return { src: Reg, shared: u16 },
    /// throws
    Throw { src: Reg },
    /// throws kind `match`: no arm fits the value
    NoMatch { src: Reg },
    /// an attempt of a step, or a workflow, begins; `attempt` counts from 1. Safe point
    Begin { attempt: Reg },
    /// a step or workflow ends with a value. Safe point
    End { src: Reg },
    /// tells that a step will be tried again after a wait
    Retrying { error: Reg, attempt: Reg, delay: Reg },
    /// a `finally` has run: goes on with what it held up. With 1 in `how` that is the error in `value`, or a cancellation if
    /// `value` is null; with any other number the ops that follow say what. A cancellation that waited comes first
    Resume { how: Reg, value: Reg },
    /// a `finally` is left halfway, by `return`, `break` or `continue`: a cancellation that waited for it comes first
    Leave,
    /// the attempt of a step that begins may take so long
    Deadline { duration: Reg },
    /// runs the branches of `gathers[gather]`; what they need is in `base..`. Safe point
    Gather { base: Reg, gather: u16 },
    /// `dst = ` a member of `ctx`
    Ctx { dst: Reg, member: CtxMember },
    /// in tests: `dst = ` whether no workflow or step stands around the call that begins here
    Outermost { dst: Reg },
}

/// Which orders of two values pass a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
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
}

impl Comparison {
    /// The test that passes when this one does not.
    pub fn negated(self) -> Comparison {
        match self {
            Comparison::Eq => Comparison::Ne,
            Comparison::Ne => Comparison::Eq,
            Comparison::Lt => Comparison::Ge,
            Comparison::Le => Comparison::Gt,
            Comparison::Gt => Comparison::Le,
            Comparison::Ge => Comparison::Lt,
        }
    }

    /// Whether an order passes.
    pub fn passes(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Eq => order.is_eq(),
            Comparison::Ne => order.is_ne(),
            Comparison::Lt => order.is_lt(),
            Comparison::Le => order.is_le(),
            Comparison::Gt => order.is_gt(),
            Comparison::Ge => order.is_ge(),
        }
    }
}

/// The members of `ctx` beside `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CtxMember {
    /// `ctx.run_id`.
    RunId,
    /// `ctx.workflow`.
    Workflow,
    /// `ctx.workflow_title`.
    WorkflowTitle,
    /// `ctx.step`.
    Step,
    /// `ctx.attempt`.
    Attempt,
    /// `ctx.idempotency_key`.
    IdempotencyKey,
    /// `ctx.is_streaming`.
    IsStreaming,
    /// `ctx.usage`.
    Usage,
}

const _: () = assert!(size_of::<Op>() == 8, "an op is eight bytes");

impl Op {
    /// Whether the frame can be saved at this op.
    pub fn is_safe_point(self) -> bool {
        self.ends_round()
            || matches!(
                self,
                Op::Call { .. }
                    | Op::CallValue { .. }
                    | Op::Apply { .. }
                    | Op::CallMethod { .. }
                    | Op::CallSettings { .. }
                    | Op::Effect { .. }
                    | Op::Begin { .. }
                    | Op::End { .. }
                    | Op::Gather { .. }
            )
    }

    /// Whether it ends a round of a loop. A frame that is saved there has still to run it; one that is saved at any other
    /// safe point goes on behind it.
    pub fn ends_round(self) -> bool {
        matches!(self, Op::Loop { .. } | Op::RangeNext { .. } | Op::IterNext { .. } | Op::IterNextPair { .. })
    }

    /// Where the op may go on beside the next one.
    pub fn target(mut self) -> Option<Pc> {
        self.jump().map(|to| match to {
            Target::Long(to) => *to,
            Target::Short(to) => Pc::from(*to),
        })
    }

    /// Points a jump somewhere else; `false` when that is too far for it.
    pub(crate) fn set_target(&mut self, target: Pc) -> bool {
        match self.jump() {
            Some(Target::Long(to)) => *to = target,
            Some(Target::Short(to)) => match ShortPc::try_from(target) {
                Ok(target) => *to = target,
                Err(_) => return false,
            },
            None => {}
        }
        true
    }

    fn jump(&mut self) -> Option<Target<'_>> {
        match self {
            Op::Jump { to }
            | Op::JumpIf { to, .. }
            | Op::JumpIfNot { to, .. }
            | Op::JumpIfNull { to, .. }
            | Op::JumpIfNotNull { to, .. }
            | Op::JumpIfGiven { to, .. }
            | Op::JumpIfMissing { to, .. }
            | Op::Loop { to }
            | Op::RangeNext { to, .. }
            | Op::IterNext { to, .. }
            | Op::IterNextPair { to, .. } => Some(Target::Long(to)),
            Op::JumpEq { to, .. }
            | Op::JumpNe { to, .. }
            | Op::JumpLt { to, .. }
            | Op::JumpLe { to, .. }
            | Op::JumpGt { to, .. }
            | Op::JumpGe { to, .. }
            | Op::JumpEqInt { to, .. }
            | Op::JumpNeInt { to, .. }
            | Op::JumpLtInt { to, .. }
            | Op::JumpLeInt { to, .. }
            | Op::JumpGtInt { to, .. }
            | Op::JumpGeInt { to, .. }
            | Op::JumpEqConst { to, .. }
            | Op::JumpNeConst { to, .. } => Some(Target::Short(to)),
            _ => None,
        }
    }

    /// Whether the next op may follow.
    pub fn falls_through(self) -> bool {
        !matches!(self, Op::Jump { .. } | Op::Loop { .. } | Op::Return { .. } | Op::Throw { .. } | Op::NoMatch { .. })
    }
}

/// The operand that says where a jump goes.
enum Target<'o> {
    Long(&'o mut Pc),
    Short(&'o mut ShortPc),
}
