//! Faults on their way to a handler.
//!
//! A fault leaves frames until it meets one with a handler around the op at which that frame stands. A fault that meets
//! none finishes the fiber; the fiber that joins it receives the fault in turn. In a fiber that is cancelled it comes no
//! further than the `finally` that threw it.

use wf_lang::program::{Function, FunctionKind, Handler, HandlerKind, Pc};

use super::{
    Machine, Stop,
    fiber::{End, Fiber},
    origin::hash,
};
use crate::{
    event::CallEvent,
    fault::{Fault, TraceFrame},
    json,
    value::Value,
};

/// How many frames a fault remembers; deeper ones are left out.
const MAX_TRACE: usize = 50;

/// Which of the frames that it leaves a fault remembers.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Trace {
    All,
    /// Those below the one in which it goes on.
    Below,
    /// None: it was caught, and is thrown again unchanged.
    Kept,
}

/// Where a fault comes from.
pub(super) struct Origin {
    /// The op of the top frame.
    pub(super) at: Pc,
    pub(super) trace: Trace,
    /// It ends the attempt of the top frame's step from outside, so what stands in the step does not take it.
    pub(super) outside: bool,
}

impl Machine {
    /// Hands `fault` to the nearest handler of `fiber`, or finishes the fiber with it. One that was caught and is
    /// thrown again (`rethrown`) keeps the trace of its origin.
    pub(super) fn unwind(&mut self, fiber: &mut Fiber, fault: Fault, rethrown: bool) -> Option<Stop> {
        let at = fiber.frames.last().map_or(0, |frame| frame.pc.saturating_sub(1));
        let trace = if rethrown && !fault.trace.is_empty() { Trace::Kept } else { Trace::All };
        if fault.trace.is_empty() {
            self.thrown(fiber.id, fiber.parent.map(|(parent, _)| parent), &fault, None);
        }
        self.throw(fiber, fault, Origin { at, trace, outside: false })
    }

    /// The same from any op of the top frame.
    pub(super) fn throw(&mut self, fiber: &mut Fiber, mut fault: Fault, mut from: Origin) -> Option<Stop> {
        let image = std::sync::Arc::clone(&self.image);
        while let Some(frame) = fiber.frames.last().copied() {
            let function = image.function(frame.function);
            let shown = from.trace == Trace::All && function.kind != FunctionKind::Hidden;
            if shown && fault.trace.len() < MAX_TRACE {
                let place = image.place(function.span(from.at));
                let before = fault.trace.is_empty().then(|| hash(&fault));
                fault.trace.push(TraceFrame { function: function.name.as_str().into(), place: place.as_str().into() });
                if let Some(before) = before {
                    self.placed(fiber.id, before, &fault);
                }
            }
            let takes = |handler: &&Handler| !from.outside || handler.kind == HandlerKind::Attempt;
            let handler = covering(function, from.at).find(takes);
            if let Some(cancel) = self.due(fiber, handler.is_some_and(|handler| handler.shielded)) {
                fault.step = fault.step.take().or_else(|| self.step_path(fiber));
                let error = fault.into_value();
                self.report_left(&fiber.path(), &error);
                fiber.left = Some(error);
                return self.leave(fiber, cancel, from.at);
            }
            if let Some(handler) = handler {
                fault.step = fault.step.take().or_else(|| self.step_path(fiber));
                if handler.kind == HandlerKind::Attempt {
                    self.drop_deadline(fiber);
                }
                enter(fiber, function, handler, fault.into_value());
                return None;
            }
            if function.kind.is_told() || fiber.frames.len() == 1 {
                fault.step = fault.step.take().or_else(|| self.step_path(fiber));
            }
            if function.kind.is_told() {
                let error = json::to_json(&fault.clone().into_value()).unwrap_or_default();
                self.tell_call(fiber, fiber.scopes.len(), CallEvent::Failed, vec![("error", error)]);
                self.boundary = true;
                self.forget_answers(fiber);
            }
            fiber.pop_frame();
            from.at = fiber.frames.last().map_or(0, |frame| frame.pc.saturating_sub(1));
            from.outside = false;
            if from.trace == Trace::Below {
                from.trace = Trace::All;
            }
        }
        fiber.regs.clear();
        Some(Stop::Finished(End::Error(fault)))
    }
}

/// The handlers around an op, the innermost first.
pub(super) fn covering(function: &Function, at: Pc) -> impl Iterator<Item = &Handler> {
    function.handlers.iter().filter(move |handler| (handler.start..handler.end).contains(&at))
}

/// Lets the top frame go on at a handler.
pub(super) fn enter(fiber: &mut Fiber, function: &Function, handler: &Handler, error: Value) {
    let Some(top) = fiber.frames.last_mut() else { return };
    top.pc = handler.target;
    let base = top.base as usize;
    fiber.regs.truncate(base + usize::from(function.registers));
    fiber.regs.resize(base + usize::from(function.registers), Value::Null);
    fiber.regs[base + usize::from(handler.error)] = error;
}
