//! Running a fiber: the loop over its ops, and what comes of each way out of it.

use std::sync::Arc;

use wf_lang::program::Op;

use super::{
    End, Machine, Stop,
    dispatch::run,
    fiber::Fiber,
    window::{Narrow, Wide, Window},
};
use crate::{fault::Fault, value::Value};

/// Why the loop over ops was left.
pub(super) enum Exit {
    OutOfFuel,
    /// The first frame has ended.
    Finished(Value),
    /// The top frame's registers need another kind of window.
    Window,
    /// An op that is done outside; the frame stands behind it.
    Rare(Op),
    Fault(Fault),
}

impl Machine {
    /// Runs one fiber until it stops.
    pub(super) fn exec(&mut self, fiber: &mut Fiber) -> Stop {
        let image = Arc::clone(&self.image);
        if let Some(stop) = self.take_up(fiber) {
            return stop;
        }
        loop {
            let Some(frame) = fiber.frames.last() else {
                return Stop::Finished(End::Value(Value::Null));
            };
            let exit = match Narrow::fits(image.function(frame.function)) {
                true => run::<Narrow>(self, &image, fiber),
                false => run::<Wide>(self, &image, fiber),
            };
            let stop = match exit {
                Exit::OutOfFuel => return Stop::OutOfFuel,
                Exit::Finished(value) => return Stop::Finished(End::Value(value)),
                Exit::Window => None,
                Exit::Rare(op) => self.rare(fiber, op).unwrap_or_else(|fault| self.unwind(fiber, fault, false)),
                Exit::Fault(fault) => self.unwind(fiber, fault, false),
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
    }
}
