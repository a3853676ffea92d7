//! How much a run may hold: all that its rows would hold, what is shared counted once.
//!
//! Whoever counts goes through every live value, so it is done seldom: when as much work was done as the last count took,
//! when something large was seen on top of a stack, and when a stack has grown by a quarter.

use std::collections::HashSet;

use super::{
    Machine, Stop,
    fiber::{Fiber, MAX_FRAMES},
    unwind::{Origin, Trace},
};
use crate::{fault::Fault, value::Value};

/// How much may be live in a run, as [`Value::size`] measures it.
const MAX_LIVE: usize = 64 << 20;
/// What is smaller is counted wherever it stands.
const SMALL: usize = 4 << 10;
/// What is at least this large is noticed on top of a stack.
const LARGE: usize = 64 << 10;
/// How much of that makes a count worth its while.
const NOTICED: usize = 16 << 20;
/// The most work before somebody looks whether it is time to count.
const SLICE: u32 = 10_000;
/// The least work between two counts.
const LEAST: usize = 1024;
/// How deep a stack may be before it is looked at for the first time.
pub(super) const FIRST_LOOK: usize = 64;

/// When live values are counted next.
#[derive(Debug)]
pub(super) struct Weight {
    /// Loop heads, calls and turns since the last count.
    worked: usize,
    /// How many values the last count went through.
    values: usize,
    /// How much was noticed since.
    noticed: usize,
}

impl Weight {
    pub(super) fn new() -> Self {
        Self { worked: 0, values: LEAST, noticed: 0 }
    }
}

impl Machine {
    /// Runs a fiber until it stops, or throws because there is too much; `fuel` is what is left of it.
    pub(super) fn turn(&mut self, fiber: &mut Fiber, fuel: &mut u32) -> Stop {
        loop {
            let given = SLICE.min(*fuel);
            self.fuel = given;
            let stop = self.exec(fiber);
            let work = given.saturating_sub(self.fuel);
            *fuel = fuel.saturating_sub(work);
            self.notice(fiber, work);
            match stop {
                Stop::Finished(_) => return stop,
                _ if self.is_too_much(fiber) => {
                    let origin = Origin { at: self.position(fiber), trace: Trace::All, outside: false };
                    if let Some(stop) = self.throw(fiber, Self::too_much(), origin) {
                        return stop;
                    }
                }
                Stop::OutOfFuel if *fuel > 0 => {}
                stop => return stop,
            }
        }
    }

    /// A fiber has done so much work.
    fn notice(&mut self, fiber: &Fiber, work: u32) {
        self.weight.worked += work as usize + 1;
        let top = fiber.frames.last().map_or(0, |top| top.base as usize);
        let sizes = fiber.regs.get(top..).into_iter().flatten().map(Value::size);
        self.weight.noticed += sizes.filter(|size| *size >= LARGE).sum::<usize>();
    }

    /// Counts what is live, if it is time to.
    fn is_too_much(&mut self, running: &Fiber) -> bool {
        let weight = &self.weight;
        let noticed = weight.noticed >= NOTICED && weight.worked >= weight.values / 64;
        if weight.worked < weight.values && !noticed {
            return false;
        }
        let (size, values) = self.live(running);
        self.weight = Weight { values: values.max(LEAST), ..Weight::new() };
        size > MAX_LIVE
    }

    /// A stack has come to the depth at which it is looked at: whether one more call may be made.
    pub(super) fn look(&self, fiber: &mut Fiber) -> Result<(), Fault> {
        let frames = fiber.frames.len();
        if fiber.depth + frames >= MAX_FRAMES {
            return Err(Self::limit(format!("more than {MAX_FRAMES} nested calls")));
        }
        // Only its own values: those of all are counted as work is done.
        let mut own = 0_usize;
        self.each_value_of(fiber, &mut |value| own = own.saturating_add(value.size()));
        if own > MAX_LIVE / 4 && self.live(fiber).0 > MAX_LIVE {
            return Err(Self::too_much());
        }
        fiber.look_at = (frames + FIRST_LOOK.max(frames / 4)).min(MAX_FRAMES.saturating_sub(fiber.depth));
        Ok(())
    }

    fn too_much() -> Fault {
        Self::limit("the run holds more than 64 MiB of values")
    }

    /// The size of all live values, with those of the fiber that runs, and how many there are.
    fn live(&self, running: &Fiber) -> (usize, usize) {
        let mut seen = HashSet::new();
        let (mut size, mut values) = (0_usize, 0);
        let mut count = |value: &Value| {
            values += 1;
            let own = value.size();
            if own < SMALL || value.identity().is_none_or(|identity| seen.insert(identity)) {
                size = size.saturating_add(own);
            }
        };
        self.each_value(&mut count);
        self.each_value_of(running, &mut count);
        (size, values)
    }
}
