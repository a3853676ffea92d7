//! Cancellations: a fiber leaves its frames down to one of them, by every `finally` on its way.
//!
//! What cancels says only down to where; the fiber does it itself when its turn comes, innermost branches first: one that
//! joins branches waits until they have ended. A `finally` that runs holds a cancellation up, whatever it runs for: frames
//! that stand in one are not left until it is done. No `catch` sees a cancellation.

use wf_lang::program::{HandlerKind, Op, Pc};

use super::{
    Machine, Stop,
    fiber::{Cancel, Delivered, End, Ending, Fiber, FiberState, Then},
    unwind::{Origin, Trace, covering, enter},
};
use crate::{
    event::{CallEvent, Event},
    fault::{Fault, Kind},
    json, ops,
    value::Value,
};

impl Machine {
    /// Cancels the run: every branch leaves its stack, innermost first, and runs the `finally` blocks on its way.
    pub fn cancel(&mut self) {
        self.cancel_fiber(0, 0, Then::End);
    }

    /// Whether the run is cancelled, and its `finally` blocks are under way.
    pub fn is_cancelling(&self) -> bool {
        self.fibers.get(&0).is_some_and(|fiber| fiber.cancels.iter().any(|cancel| cancel.then == Then::End))
    }

    /// Cancels a fiber down to one of its frames, after the branches that it joins.
    pub(super) fn cancel_fiber(&mut self, id: u32, to: u32, then: Then) {
        let mut todo = vec![(id, Cancel { to, then })];
        while let Some((id, cancel)) = todo.pop() {
            let Some(mut fiber) = self.fibers.remove(&id) else { continue };
            if !fiber.cancels.iter().any(|known| known.to == cancel.to) {
                let at = fiber.cancels.partition_point(|known| known.to < cancel.to);
                fiber.cancels.insert(at, cancel);
                self.turns.mark(&mut fiber);
                let at = self.position(&fiber);
                if self.due(&fiber, self.stands_shielded(&fiber, at)).is_some() {
                    self.interrupt(&mut fiber, &mut todo);
                }
            }
            self.fibers.insert(id, fiber);
        }
    }

    /// A fiber waits no longer for what it waits for, once the branches that it joins have ended.
    fn interrupt(&mut self, fiber: &mut Fiber, todo: &mut Vec<(u32, Cancel)>) {
        match &mut fiber.state {
            FiberState::Ready(_) => {}
            FiberState::Waiting(_) => {
                // What it is given is not looked at: it leaves first.
                let waited =
                    std::mem::replace(&mut fiber.state, FiberState::Ready(Some(Delivered::Value(Value::Null))));
                if let FiberState::Waiting(effect) = waited {
                    self.cancelled.push(*effect);
                }
                self.turns.last(fiber);
            }
            FiberState::Joining(group) => {
                let branches = group.children.iter().rev();
                todo.extend(branches.map(|id| (*id, Cancel { to: 0, then: Then::End })));
                if let Some(Ending::Error(error)) = group.ending.replace(Ending::Cancelled) {
                    let path = group.path.clone();
                    group.left.get_or_insert_with(|| error.clone());
                    self.report_left(&path, &error);
                }
            }
        }
    }

    /// The op at which the top frame of a fiber stands that does not run.
    pub(super) fn position(&self, fiber: &Fiber) -> Pc {
        let Some(top) = fiber.frames.last() else { return 0 };
        let code = &self.image.function(top.function).code;
        match &fiber.state {
            FiberState::Ready(None) if code.get(top.pc as usize).is_some_and(|op| op.ends_round()) => top.pc,
            _ => top.pc.saturating_sub(1),
        }
    }

    fn stands_shielded(&self, fiber: &Fiber, at: Pc) -> bool {
        fiber.frames.last().is_some_and(|top| self.image.function(top.function).is_shielded(at))
    }

    /// The lowest cancellation of a fiber that nothing holds up; `shielded` says whether its top frame is in a `finally`.
    pub(super) fn due(&self, fiber: &Fiber, shielded: bool) -> Option<usize> {
        if fiber.cancels.is_empty() {
            return None;
        }
        let top = fiber.frames.len().checked_sub(1)?;
        fiber.cancels.iter().position(|cancel| {
            let below = fiber.frames.get(cancel.to as usize..top);
            !shielded
                && below.is_some_and(|below| {
                    below
                        .iter()
                        .all(|frame| !self.image.function(frame.function).is_shielded(frame.pc.saturating_sub(1)))
                })
        })
    }

    /// Gives a fiber what it waited for, when its turn has come; a cancellation comes first.
    pub(super) fn take_up(&mut self, fiber: &mut Fiber) -> Option<Stop> {
        let at = self.position(fiber);
        let delivered = match &mut fiber.state {
            FiberState::Ready(delivered) => delivered.take(),
            FiberState::Waiting(_) | FiberState::Joining(_) => None,
        };
        if let Some(cancel) = self.due(fiber, self.stands_shielded(fiber, at)) {
            return self.leave(fiber, cancel, at);
        }
        match delivered? {
            Delivered::Value(value) => {
                self.deliver(fiber, value);
                None
            }
            Delivered::Thrown(error) => {
                self.throw(fiber, Fault::from_value(&error), Origin { at, trace: Trace::All, outside: false })
            }
        }
    }

    /// A `finally` is left: the cancellation that waited for it comes first, then what the block held up.
    pub(super) fn leave_finally(&mut self, fiber: &mut Fiber, op: Op) -> Option<Stop> {
        let top = fiber.frames.last()?;
        let at = top.pc.saturating_sub(1);
        let held = match op {
            Op::Resume { how, value } => {
                let held = |reg| fiber.regs.get(top.base as usize + usize::from(reg)).cloned().unwrap_or_default();
                (held(how) == Value::Int(1)).then(|| held(value))
            }
            _ => None,
        };
        if let Some(cancel) = self.due(fiber, self.stands_shielded(fiber, at)) {
            if let Some(error) = held.filter(|error| !matches!(error, Value::Null)) {
                self.report_left(&fiber.path(), &error);
                fiber.left = Some(error);
            }
            return self.leave(fiber, cancel, at);
        }
        let fault = Fault::from_value(&held?);
        self.throw(fiber, fault, Origin { at, trace: Trace::Below, outside: false })
    }

    /// A cancellation leaves frames from an op of the top one on, until it meets a `finally`, or is where it goes to.
    pub(super) fn leave(&mut self, fiber: &mut Fiber, cancel: usize, mut at: Pc) -> Option<Stop> {
        let image = std::sync::Arc::clone(&self.image);
        let (to, ends) = fiber.cancels.get(cancel).map_or((0, true), |found| (found.to, found.then == Then::End));
        while let Some(frame) = fiber.frames.last().copied() {
            let function = image.function(frame.function);
            if let Some(handler) = covering(function, at).find(|handler| handler.kind == HandlerKind::Finally) {
                enter(fiber, function, handler, Value::Null);
                return None;
            }
            if !ends && fiber.frames.len() == to as usize + 1 {
                return self.arrive(fiber, cancel, at);
            }
            if function.kind.is_told() {
                self.tell_call(fiber, fiber.scopes.len(), CallEvent::Cancelled, Vec::new());
                self.boundary = true;
                self.forget_answers(fiber);
            }
            fiber.pop_frame();
            at = fiber.frames.last().map_or(0, |frame| frame.pc.saturating_sub(1));
        }
        fiber.regs.clear();
        Some(Stop::Finished(End::Cancelled(fiber.left.take())))
    }

    /// A cancellation has come to the frame of the step that it is about.
    fn arrive(&mut self, fiber: &mut Fiber, cancel: usize, at: Pc) -> Option<Stop> {
        let then = fiber.cancels.remove(cancel).then;
        fiber.cancels.truncate(cancel);
        let outside = Origin { at, trace: Trace::All, outside: true };
        match (then, fiber.left.take()) {
            (Then::Throw(error), _) => self.throw(fiber, Fault::from_value(&error), outside),
            (Then::Give(_) | Then::End, Some(left)) => self.throw(fiber, Fault::from_value(&left), outside),
            (Then::Give(value), None) => self.give(fiber, value),
            (Then::End, None) => None,
        }
    }

    /// A step has its value, wherever it stands.
    fn give(&mut self, fiber: &mut Fiber, value: Value) -> Option<Stop> {
        self.end(fiber);
        let base = fiber.pop_frame()?.base as usize;
        let Some(caller) = fiber.frames.last() else {
            fiber.regs.clear();
            return Some(Stop::Finished(End::Value(value)));
        };
        let registers = caller.base as usize + usize::from(self.image.function(caller.function).registers);
        fiber.regs.truncate(base + 1);
        fiber.regs.resize(registers.max(base + 1), Value::Null);
        fiber.regs[base] = value;
        fiber.regs.truncate(registers);
        None
    }

    /// Tells of an error that no handler will see.
    pub(super) fn report_left(&mut self, path: &str, error: &Value) {
        let message = error.get("message").map_or_else(String::new, ops::display);
        let text = format!("`{path}` was cancelled, and left an error: {message}");
        self.events.push(Event::Log { text, data: json::to_json(error).unwrap_or_default(), print: false });
        self.boundary = true;
    }

    /// What a branch comes to that was cancelled though nobody has cancelled it, as only a checkpoint could say.
    pub(super) fn nobody_cancelled() -> Fault {
        Fault::new(Kind::Error, "the branch was cancelled")
    }
}
