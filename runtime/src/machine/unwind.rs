//! Faults on their way to a handler.
//!
//! A fault leaves frames until it meets one with a handler around the op at which that frame stands. A fault that meets
//! none finishes the fiber; the fiber that joins it receives the fault in turn.

use wf_lang::program::FunctionKind;

use super::{Machine, Stop, fiber::Fiber};
use crate::{
    event::CallEvent,
    fault::{Fault, TraceFrame},
    json,
    value::Value,
};

/// How many frames a fault remembers; deeper ones are left out.
const MAX_TRACE: usize = 50;

impl Machine {
    /// Hands `fault` to the nearest handler of `fiber`, or finishes the fiber with it. One that was caught and is
    /// thrown again (`rethrown`) keeps the trace of its origin.
    pub(super) fn unwind(&mut self, fiber: &mut Fiber, mut fault: Fault, rethrown: bool) -> Option<Stop> {
        let fresh = !rethrown || fault.trace.is_empty();
        let end = fiber.end(&self.image);
        while let Some(frame) = fiber.frames.last().copied() {
            let image = std::sync::Arc::clone(&self.image);
            let function = image.function(frame.function);
            let at = frame.pc.saturating_sub(1);
            if fresh && fault.trace.len() < MAX_TRACE && function.kind != FunctionKind::Hidden {
                let place = image.place(function.span(at));
                fault.trace.push(TraceFrame { function: function.name.as_str().into(), place: place.as_str().into() });
            }
            let handler = function.handlers.iter().find(|handler| (handler.start..handler.end).contains(&at));
            if let Some(handler) = handler {
                if fault.step.is_none() {
                    fault.step = self.step_path(fiber);
                }
                let base = frame.base as usize;
                // Nobody needs what the frames that it left hold.
                let behind = base + usize::from(function.registers);
                fiber.regs.get_mut(behind..end).into_iter().flatten().for_each(Value::release);
                fiber.regs[base + usize::from(handler.error)] = fault.into_value();
                if let Some(top) = fiber.frames.last_mut() {
                    top.pc = handler.target;
                }
                return None;
            }
            if function.kind.is_told() {
                if fault.step.is_none() {
                    fault.step = self.step_path(fiber);
                }
                let error = json::to_json(&fault.clone().into_value()).unwrap_or_default();
                self.tell_call(fiber, fiber.scopes.len(), CallEvent::Failed, vec![("error", error)]);
                self.boundary = true;
                self.forget_answers(fiber);
            }
            fiber.pop_frame();
        }
        fiber.regs.clear();
        Some(Stop::Finished(Err(fault)))
    }
}
