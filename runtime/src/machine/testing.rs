//! What only tests ask of a machine: the identity of calls, a fresh `ctx.state`, and a function's value beside the run.

use std::sync::Arc;

use wf_lang::{
    Span,
    program::{Function, FunctionKind, GatherMode},
};

use super::{Around, Delivered, FiberState, Machine, Outcome, Progress, fiber::Fiber};
use crate::{
    effect::{Effect, EffectKind},
    fault::{Fault, Kind},
    value::{List, Map, Value},
};

/// The counter of a scope's draws: clock, randomness, identifiers.
pub(super) const DRAWS: u32 = u32::MAX - 64;
/// How many loop heads and calls a value beside the run may take.
const FUEL: u32 = 10_000_000;

impl Machine {
    /// Whether the program is one that is tested.
    pub(crate) fn is_test(&self) -> bool {
        !self.image.program.tests.is_empty()
    }

    /// How many states there are of each module: more than one in tests only.
    pub(crate) fn contexts(&self) -> usize {
        self.states.len().checked_div(self.image.program.modules.len()).unwrap_or(1).max(1)
    }

    /// Where the innermost call stands that the user has written, of a fiber by its number.
    pub(crate) fn own_span_of(&self, fiber: u32) -> Option<Span> {
        self.fibers.get(&fiber).and_then(|fiber| self.own_span(fiber))
    }

    /// Where the innermost call of a fiber stands that the user has written.
    pub(super) fn own_span(&self, fiber: &Fiber) -> Option<Span> {
        let program = &self.image.program;
        let own = |function: &Function| program.modules.get(usize::from(function.module)).is_some_and(|m| !m.library);
        let mut frames = fiber.frames.iter().rev().map(|frame| (self.image.function(frame.function), frame.pc));
        let (function, pc) = frames.find(|(function, _)| own(function))?;
        Some(function.span(pc.saturating_sub(1)))
    }

    /// The calls of the user's that stand around what a fiber waits for: function and place, innermost first.
    pub(crate) fn calls_around(&self, fiber: u32) -> Vec<(String, String)> {
        let mut calls = Vec::new();
        let mut next = Some(fiber);
        while let Some(fiber) = next.and_then(|id| self.fibers.get(&id)) {
            for frame in fiber.frames.iter().rev() {
                let function = self.image.function(frame.function);
                let library = self.image.program.modules.get(usize::from(function.module)).is_none_or(|m| m.library);
                if !library && function.kind != FunctionKind::Hidden {
                    let place = self.image.place(function.span(frame.pc.saturating_sub(1)));
                    calls.push((function.name.to_string(), place));
                }
            }
            next = fiber.parent.map(|(parent, _)| parent);
        }
        calls
    }

    /// The path of a fiber's innermost scope with the attempts of all that stands around it: what tells its calls from
    /// those of another attempt.
    pub(crate) fn identity(&self, fiber: &Fiber) -> String {
        let parent = fiber.parent.and_then(|(parent, _)| self.fibers.get(&parent));
        let own = fiber.around.path.as_str();
        let mut identity = match parent {
            Some(parent) => {
                let from = parent.path().len().min(own.len());
                self.identity(parent) + own.get(from..).unwrap_or_default()
            }
            None => own.to_owned(),
        };
        for scope in fiber.scopes.iter().skip(1) {
            if !identity.is_empty() {
                identity.push('/');
            }
            identity.push_str(&format!("{}[{}]", scope.name.as_str(), scope.index));
            if scope.attempt > 1 {
                identity.push_str(&format!("@{}", scope.attempt));
            }
        }
        identity
    }

    /// The identity of what a fiber waits for.
    pub fn identity_of(&self, fiber: u32) -> String {
        self.fibers.get(&fiber).map(|fiber| self.identity(fiber)).unwrap_or_default()
    }

    /// Whether no workflow or step stands around the call that begins: its `ctx.state` is empty from then on.
    pub(super) fn outermost(&mut self, fiber: &mut Fiber) -> bool {
        let around = &fiber.around;
        let before = &fiber.scopes[..fiber.scopes.len().saturating_sub(1)];
        let outermost = around.workflow.is_none() && around.step.is_none() && !before.iter().any(|s| self.is_told(s));
        if outermost {
            self.fresh_context(fiber);
        }
        outermost
    }

    /// Empties the state of a fiber's context; a branch that shares one with others gets its own.
    fn fresh_context(&mut self, fiber: &mut Fiber) {
        let count = self.image.program.modules.len();
        if fiber.parent.is_some() && !fiber.around.own_context {
            fiber.around.context = (self.states.len() / count.max(1)) as u32;
            fiber.around.own_context = true;
            self.states.resize(self.states.len() + count, Value::Null);
        }
        let first = fiber.around.context as usize * count;
        self.states[first..first + count].iter_mut().for_each(|state| *state = Value::Map(Map::new()));
        self.root_changed = true;
    }

    fn is_told(&self, scope: &super::Scope) -> bool {
        self.image.program.functions.get(scope.function as usize).is_some_and(|function| function.kind.is_told())
    }

    /// The fiber that observes a branch most closely, with the fibers of that branch.
    pub(crate) fn observing(&self) -> Option<(u32, Vec<u32>)> {
        let observes = |fiber: &Fiber| match &fiber.state {
            FiberState::Joining(group) => {
                let spec = self.image.program.gathers.get(usize::from(group.gather));
                spec.is_some_and(|spec| spec.mode == GatherMode::Observe)
            }
            FiberState::Ready(_) | FiberState::Waiting(_) => false,
        };
        let observing = self.fibers.values().rev().find(|fiber| observes(fiber))?.id;
        let mut within = vec![observing];
        for fiber in self.fibers.values() {
            // A branch has a higher number than the fiber that joins it.
            if fiber.parent.is_some_and(|(parent, _)| within.contains(&parent)) {
                within.push(fiber.id);
            }
        }
        within.remove(0);
        Some((observing, within))
    }

    /// What is observed cannot go on: its branch is given up as it stands, and whoever observes it is told so.
    pub(crate) fn leave_observed(&mut self, observing: u32, within: &[u32], told: Value) {
        for id in within.iter().rev() {
            let Some(fiber) = self.fibers.remove(id) else { continue };
            self.gone.push((fiber.id, fiber.saved_segments));
            if let Some(joining) = self.fibers.get_mut(&observing).filter(|joining| is_branch_of(&fiber, joining)) {
                observed(joining, &fiber);
            }
            if let FiberState::Waiting(effect) = fiber.state {
                self.cancelled.push(*effect);
            }
        }
        if let Some(joining) = self.fibers.get_mut(&observing) {
            joining.state = FiberState::Ready(Some(Delivered::Value(told)));
            self.turns.last(joining);
            self.boundary = true;
        }
    }

    /// Calls the function value at `base` with the elements of the list behind it.
    pub(super) fn apply(&self, fiber: &mut Fiber, base: usize) -> Result<(), Fault> {
        let (function, arguments) = (fiber.regs[base].take(), fiber.regs[base + 1].take());
        let arguments = arguments.as_list().map_or(&[][..], List::as_slice);
        let argc = arguments.len();
        if u16::try_from(argc).is_err() {
            return Err(Fault::new(Kind::Type, format!("a call with {argc} arguments")));
        }
        // The function behind its arguments.
        if fiber.regs.len() <= base + argc {
            fiber.regs.resize(base + argc + 1, Value::Null);
        }
        for (reg, argument) in fiber.regs[base..].iter_mut().zip(arguments) {
            *reg = argument.clone();
        }
        fiber.regs[base + argc] = function;
        self.call_value(fiber, base, base + argc, argc, true)
    }

    /// The value of a function beside the run, which stays as it is: on a machine of its own, with the run's constants
    /// and state. `answer` gives what is answered at once.
    ///
    /// # Errors
    /// What it throws; and when it waits for anything, or does not come to an end.
    pub fn evaluate(&self, function: &Value, args: Vec<Value>, answer: &dyn Fn(&Effect) -> Outcome) -> Outcome {
        let Value::Closure(closure) = function else {
            return Err(Fault::new(Kind::Type, "only a function has a value"));
        };
        let mut beside = Self::empty(Arc::clone(&self.image), Arc::clone(&self.run));
        beside.globals.clone_from(&self.globals);
        beside.states.clone_from(&self.states);
        let mut fiber = Fiber::new(0, None, Around::default());
        beside.enter(&mut fiber, closure.function().0, args, closure.captures());
        fiber.state = FiberState::Ready(None);
        beside.turns.last(&mut fiber);
        beside.fibers.insert(0, Box::new(fiber));
        beside.next_fiber = 1;
        loop {
            match beside.run(FUEL) {
                Progress::Done(outcome) => return outcome,
                Progress::Effect(effect) if matches!(effect.kind(), EffectKind::Instant | EffectKind::Hook) => {
                    let outcome = answer(&effect);
                    beside.settle_now(effect.fiber, effect.id, outcome);
                }
                Progress::Boundary => {}
                Progress::Effect(effect) => {
                    let message = format!("it calls `{}`, which waits", effect.name.as_str());
                    return Err(Fault::new(Kind::Error, message));
                }
                Progress::Waiting | Progress::Cancelled => return Err(Fault::new(Kind::Error, "it waits")),
                Progress::OutOfFuel => return Err(Self::limit("it does not come to an end")),
            }
        }
    }
}

fn is_branch_of(fiber: &Fiber, joining: &Fiber) -> bool {
    fiber.parent.is_some_and(|(parent, _)| parent == joining.id)
}

/// A branch that is observed counts its calls on from where the fiber stands that observes it.
pub(super) fn observe(branch: &mut Fiber, observing: &Fiber) {
    if let (Some(own), Some(around)) = (branch.scopes.first_mut(), observing.scopes.last()) {
        own.counts.clone_from(&around.counts);
    }
    branch.around.own_context = observing.parent.is_none() || observing.around.own_context;
}

/// And the fiber that observes it from where the branch has ended.
pub(super) fn observed(observing: &mut Fiber, branch: &Fiber) {
    if let (Some(own), Some(around)) = (branch.scopes.first(), observing.scopes.last_mut()) {
        around.counts.clone_from(&own.counts);
        observing.low_water = observing.low_water.min(around.frame as usize);
    }
    observing.around.context = branch.around.context;
    observing.around.own_context = observing.parent.is_some() && branch.around.own_context;
}
