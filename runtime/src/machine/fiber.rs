//! A fiber: a stack of frames as plain data. The main line of a run is one, each branch of a `gather` another.

use std::collections::BTreeSet;

use wf_lang::program::Pc;

use super::{
    Image,
    call::close_scopes,
    path::{self, Trail},
    weight::FIRST_LOOK,
};
use crate::{
    effect::Effect,
    fault::Fault,
    store::Millis,
    value::{Str, Value},
};

/// What something came to.
pub type Outcome = Result<Value, Fault>;

/// How many calls may be in progress in one fiber.
pub const MAX_FRAMES: usize = 10_000;

/// A call in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its function.
    pub(crate) function: u32,
    /// The op with which it goes on.
    pub(crate) pc: Pc,
    /// Where its registers begin in those of the fiber.
    pub(crate) base: u32,
}

/// What the paths of calls are made of: a call of a declaration, or (first in each fiber) the branch itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scope {
    /// The index of its frame; 0 for the branch itself.
    pub(crate) frame: u32,
    /// Its function; `u32::MAX` for the branch itself.
    pub(crate) function: u32,
    /// What it is called in paths: the declared name, with its module where two share it.
    pub(crate) name: Str,
    /// Its index among the calls of that declaration in the scope around it.
    pub(crate) index: u32,
    /// The attempt under way; 0 before the first, and for what has none.
    pub(crate) attempt: u32,
    /// What was called in it.
    pub(crate) counts: Counts,
    /// The same as it was when its first attempt began: defaults of parameters are computed before.
    pub(crate) before: Option<Box<Counts>>,
    /// What it knows of its path; not saved.
    pub(crate) trail: Trail,
}

/// What was called in a scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    /// How many calls of each declaration were made.
    pub(crate) calls: Vec<(u32, u32)>,
    /// How many calls to the outside were made.
    pub(crate) asks: u32,
}

/// What a branch knows of the calls around it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Around {
    /// The path of the branch; empty for the main line.
    pub(crate) path: Str,
    /// The innermost workflow.
    pub(crate) workflow: Option<u32>,
    /// The innermost step, and its attempt.
    pub(crate) step: Option<(u32, u32)>,
    /// The path of that step.
    pub(crate) step_path: Str,
    /// Whose `ctx.state` its calls see: 0, but in a test, where each call of a workflow or step by the test has its own.
    pub(crate) context: u32,
    /// That state was made for a call of this very branch.
    pub(crate) own_context: bool,
}

/// A stack of frames.
#[derive(Debug)]
pub(crate) struct Fiber {
    /// Its number; never used again in its run.
    pub(crate) id: u32,
    /// The fiber that joins it, and which of its branches it is.
    pub(crate) parent: Option<(u32, u32)>,
    pub(crate) around: Around,
    pub(crate) frames: Vec<Frame>,
    pub(crate) regs: Vec<Value>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) state: FiberState,
    /// What it is cancelled down to, the lowest first. One that a `finally` holds up waits.
    pub(crate) cancels: Vec<Cancel>,
    /// The error that a `finally` threw on the way of a cancellation, as a record: what the construct that cancelled
    /// throws if it has none of its own.
    pub(crate) left: Option<Value>,
    /// When attempts of steps under way must be over, the lowest frame first.
    pub(crate) deadlines: Vec<Deadline>,
    /// How many calls are in progress in the fibers that join it; not saved, for they are there.
    pub(crate) depth: usize,
    /// The number of frames at which the next call looks whether there is room for it; not saved.
    pub(crate) look_at: usize,
    /// The frames below this one are as they were last saved.
    pub(crate) low_water: usize,
    /// How many segments of its stack are saved.
    pub(crate) saved_segments: usize,
    /// It ran since it was last saved.
    pub(crate) ran: bool,
    /// It changed since clocks were last looked at; not saved.
    pub(super) stirred: bool,
    /// It and all below it wait for persons only, as far as its parent knows; not saved.
    pub(super) quiet: bool,
    /// Of those that can run, those with lesser ones go first.
    pub(crate) turn: i64,
}

/// What a fiber waits for.
#[derive(Debug)]
pub(crate) enum FiberState {
    /// It can run; with what it waited for, if it waited.
    Ready(Option<Delivered>),
    /// It asked the world.
    Waiting(Box<Effect>),
    /// It waits for its branches.
    Joining(Box<Group>),
}

/// What a fiber is given when it goes on: a value, or an error to throw. The error is held as the record that is saved of
/// it, so that the chunks of its data are known to be in use.
#[derive(Debug)]
pub(crate) enum Delivered {
    Value(Value),
    Thrown(Value),
}

impl From<Outcome> for Delivered {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(value) => Delivered::Value(value),
            Err(fault) => Delivered::Thrown(fault.into_value()),
        }
    }
}

/// A cancellation on its way through a fiber.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cancel {
    /// The frame down to which it leaves the stack.
    pub(crate) to: u32,
    pub(crate) then: Then,
}

/// What a cancellation comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Then {
    /// The fiber ends.
    End,
    /// The step of that frame throws this: a record, as a handler sees it.
    Throw(Value),
    /// The step of that frame has this value.
    Give(Value),
}

/// When the attempt of a step must be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    /// The step's frame.
    pub(crate) frame: u32,
    /// How long it may take.
    pub(crate) limit: Millis,
    pub(crate) clock: Clock,
}

/// A clock of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// It runs until this moment.
    Runs(Millis),
    /// It stands still, with so many milliseconds left.
    Stands(Millis),
}

/// How a fiber ends.
#[derive(Debug)]
pub(crate) enum End {
    Value(Value),
    Error(Fault),
    /// With the error of a `finally` on the way.
    Cancelled(Option<Value>),
}

/// The branches of a `gather` or `race` under way.
#[derive(Debug)]
pub(crate) struct Group {
    /// Which `gather` of the program it is.
    pub(crate) gather: u16,
    /// What is gone through, or the list of the branches' functions.
    pub(crate) items: Value,
    /// The function of the branches of a `gather for`; null otherwise.
    pub(crate) each: Value,
    /// How many branches there are.
    pub(crate) total: u32,
    /// How many were started.
    pub(crate) started: u32,
    /// How many have ended.
    pub(crate) ended: u32,
    /// How many may run at a time.
    pub(crate) limit: u32,
    /// How many have to finish; all of them unless `first` or `race` says so.
    pub(crate) wanted: u32,
    /// What they came to: by branch, or in order of finishing where not all are wanted.
    pub(crate) results: Value,
    /// What the construct comes to, once it is decided and only cancelled branches are under way.
    pub(crate) ending: Option<Ending>,
    /// The first error that a cancelled branch has left.
    pub(crate) left: Option<Value>,
    /// The path of the construct.
    pub(crate) path: Str,
    /// The branches under way; not saved, for they name their parent.
    pub(crate) children: BTreeSet<u32>,
    /// How many of those do not wait for persons only; not saved.
    pub(crate) busy: u32,
}

/// What a `gather` or `race` comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    /// Its results.
    Results,
    /// An error, as a record.
    Error(Value),
    /// Nothing: whoever joins the branches is cancelled.
    Cancelled,
}

impl Fiber {
    pub(crate) fn new(id: u32, parent: Option<(u32, u32)>, around: Around) -> Self {
        let own = Scope { function: u32::MAX, trail: path::of_branch(around.path.as_str()), ..Scope::default() };
        Self {
            id,
            parent,
            around,
            frames: Vec::new(),
            regs: Vec::new(),
            scopes: vec![own],
            state: FiberState::Ready(None),
            cancels: Vec::new(),
            left: None,
            deadlines: Vec::new(),
            depth: 0,
            look_at: FIRST_LOOK,
            low_water: 0,
            saved_segments: 0,
            ran: false,
            stirred: false,
            quiet: false,
            turn: 0,
        }
    }

    /// Counts a call of a declaration in the innermost scope; gives its index there.
    pub(crate) fn count_call(&mut self, declaration: u32) -> u32 {
        count_call(&mut self.scopes, &mut self.low_water, declaration)
    }

    /// Counts a call to the outside in the innermost scope; gives its ordinal there.
    pub(crate) fn count_ask(&mut self) -> u32 {
        let Some(scope) = self.scopes.last_mut() else { return 0 };
        self.low_water = self.low_water.min(scope.frame as usize);
        let ordinal = scope.counts.asks;
        scope.counts.asks = ordinal.saturating_add(1);
        ordinal
    }

    /// Where the registers of the top frame end; beyond are none that anybody reads.
    pub(super) fn end(&self, image: &Image) -> usize {
        let top = self.frames.last();
        top.map_or(0, |frame| frame.base as usize + usize::from(image.function(frame.function).registers))
    }

    /// Gives room back, for it will wait.
    pub(super) fn rest(&mut self, image: &Image) {
        self.regs.truncate(self.end(image));
        self.regs.shrink_to_fit();
        if self.scopes.capacity() >= 2 * self.scopes.len() {
            self.scopes.shrink_to_fit();
        }
    }

    /// Removes the top frame, and its scope if it has one. What is below will change.
    pub(crate) fn pop_frame(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        let index = self.frames.len();
        close_scopes(&mut self.scopes, &mut self.deadlines, &mut self.cancels, index);
        self.low_water = self.low_water.min(index.saturating_sub(1));
        Some(frame)
    }
}

/// Counts a call of a declaration in the innermost scope; gives its index there. The scope has changed since it was saved.
pub(super) fn count_call(scopes: &mut [Scope], low_water: &mut usize, declaration: u32) -> u32 {
    let Some(scope) = scopes.last_mut() else { return 0 };
    *low_water = (*low_water).min(scope.frame as usize);
    match scope.counts.calls.iter_mut().find(|(known, _)| *known == declaration) {
        Some((_, count)) => {
            let index = *count;
            *count = index.saturating_add(1);
            index
        }
        None => {
            scope.counts.calls.push((declaration, 1));
            0
        }
    }
}
