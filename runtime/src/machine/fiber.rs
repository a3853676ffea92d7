//! A fiber: a stack of frames as plain data. The main line of a run is one, each branch of a `gather` another.

use std::collections::BTreeSet;

use wf_lang::program::Pc;

use crate::{
    effect::Effect,
    fault::Fault,
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
    /// How many calls of each declaration were made in it.
    pub(crate) calls: Vec<(u32, u32)>,
    /// How many calls to the outside were made in it.
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
    /// The frames below this one are as they were last saved.
    pub(crate) low_water: usize,
    /// How many segments of its stack are saved.
    pub(crate) saved_segments: usize,
    /// It ran since it was last saved.
    pub(crate) ran: bool,
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

/// The branches of a `gather` under way.
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
    /// How many gave their value.
    pub(crate) done: u32,
    /// How many may run at a time.
    pub(crate) limit: u32,
    /// The list of their values, by branch.
    pub(crate) results: Value,
    /// The path of the construct.
    pub(crate) path: Str,
    /// The branches under way; not saved, for they name their parent.
    pub(crate) children: BTreeSet<u32>,
}

impl Fiber {
    pub(crate) fn new(id: u32, parent: Option<(u32, u32)>, around: Around) -> Self {
        let own = Scope { function: u32::MAX, ..Scope::default() };
        Self {
            id,
            parent,
            around,
            frames: Vec::new(),
            regs: Vec::new(),
            scopes: vec![own],
            state: FiberState::Ready(None),
            low_water: 0,
            saved_segments: 0,
            ran: true,
        }
    }

    /// The path of the innermost scope.
    pub(crate) fn path(&self) -> String {
        self.path_to(self.scopes.len())
    }

    /// The path of the first `count` scopes.
    pub(crate) fn path_to(&self, count: usize) -> String {
        let mut path = self.around.path.as_str().to_owned();
        for scope in self.scopes.iter().take(count).skip(1) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&format!("{}[{}]", scope.name.as_str(), scope.index));
        }
        path
    }

    /// Counts a call of a declaration in the innermost scope; gives its index there.
    pub(crate) fn count_call(&mut self, declaration: u32) -> u32 {
        let Some(scope) = self.scopes.last_mut() else { return 0 };
        self.low_water = self.low_water.min(scope.frame as usize);
        match scope.calls.iter_mut().find(|(known, _)| *known == declaration) {
            Some((_, count)) => {
                let index = *count;
                *count = index.saturating_add(1);
                index
            }
            None => {
                scope.calls.push((declaration, 1));
                0
            }
        }
    }

    /// Counts a call to the outside in the innermost scope; gives its ordinal there.
    pub(crate) fn count_ask(&mut self) -> u32 {
        let Some(scope) = self.scopes.last_mut() else { return 0 };
        self.low_water = self.low_water.min(scope.frame as usize);
        let ordinal = scope.asks;
        scope.asks = ordinal.saturating_add(1);
        ordinal
    }

    /// Removes the top frame, and its scope if it has one. What is below will change.
    pub(crate) fn pop_frame(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        let index = self.frames.len();
        while self.scopes.len() > 1 && self.scopes.last().is_some_and(|scope| scope.frame as usize >= index) {
            self.scopes.pop();
        }
        self.low_water = self.low_water.min(index.saturating_sub(1));
        Some(frame)
    }
}
