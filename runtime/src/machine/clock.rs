//! The clocks of `@timeout`: each attempt of a step that has one must be over when its clock has run down.
//!
//! A clock stands still while every branch of its step waits for a person. The machine reads no clock: it is told what
//! time it is, before it runs and when it has come to rest.

use std::collections::HashMap;

use super::{
    Machine,
    fiber::{Clock, Deadline, Fiber, FiberState, Then},
};
use crate::{
    effect::EffectKind,
    fault::{Fault, Kind},
    json::duration_text,
    ops,
    store::Millis,
    value::Value,
};

/// What the branches of a step wait for, all taken together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rest {
    /// Persons only.
    People,
    /// Moments, the last of which is this, and maybe persons.
    Until(Millis),
    /// Something is under way.
    Busy,
}

impl Rest {
    fn and(self, other: Rest) -> Rest {
        match (self, other) {
            (Rest::Busy, _) | (_, Rest::Busy) => Rest::Busy,
            (Rest::People, other) | (other, Rest::People) => other,
            (Rest::Until(one), Rest::Until(two)) => Rest::Until(one.max(two)),
        }
    }
}

impl Machine {
    /// The attempt of the top frame's step begins; its clock runs when the machine is next told the time.
    pub(super) fn deadline(&mut self, fiber: &mut Fiber, limit: &Value) -> Result<(), Fault> {
        let Some(limit) = limit.as_duration() else {
            return Err(Fault::new(Kind::Type, format!("`@timeout` takes a duration, found {}", ops::describe(limit))));
        };
        let frame = fiber.frames.len().saturating_sub(1) as u32;
        self.drop_deadline(fiber);
        fiber.deadlines.push(Deadline { frame, limit, clock: Clock::Stands(limit) });
        (self.timed, self.unclocked) = (true, true);
        Ok(())
    }

    /// The attempt of the top frame's step is over.
    pub(super) fn drop_deadline(&mut self, fiber: &mut Fiber) {
        let frame = fiber.frames.len().saturating_sub(1) as u32;
        fiber.deadlines.retain(|deadline| deadline.frame < frame);
    }

    /// Whether a clock has to be started that is not told the time yet.
    pub(crate) fn wants_time(&self) -> bool {
        self.unclocked
    }

    /// Tells the time: clocks that stand still while only persons are waited for are stopped, others started.
    pub(crate) fn keep_time(&mut self, now: Millis) {
        self.clock = now;
        self.unclocked = false;
        if !self.timed {
            return;
        }
        let rest = self.rest();
        self.timed = false;
        for fiber in self.fibers.values_mut().filter(|fiber| !fiber.deadlines.is_empty()) {
            self.timed = true;
            let stands = rest.get(&fiber.id) == Some(&Rest::People);
            for deadline in &mut fiber.deadlines {
                let clock = match deadline.clock {
                    Clock::Runs(due) if stands => Clock::Stands(due.saturating_sub(now)),
                    Clock::Stands(left) if !stands => Clock::Runs(now.saturating_add(left)),
                    same => same,
                };
                fiber.ran |= clock != deadline.clock;
                deadline.clock = clock;
            }
        }
    }

    /// A process had the run for longer than since it was last told the time, at least until then.
    pub(crate) fn was_alive(&mut self, until: Millis) {
        if self.clock != 0 {
            self.clock = self.clock.max(until);
        }
    }

    /// No process had the run since it was last told the time. That counts for a step only as far as it has slept.
    pub(crate) fn was_away(&mut self, now: Millis) {
        let since = self.clock;
        self.clock = now;
        if !self.timed || since == 0 {
            return;
        }
        let rest = self.rest();
        for fiber in self.fibers.values_mut() {
            let counted = match rest.get(&fiber.id) {
                Some(Rest::Until(last)) => (*last).clamp(since, now.max(since)),
                _ => since,
            };
            for deadline in &mut fiber.deadlines {
                if let Clock::Runs(due) = &mut deadline.clock
                    && *due > counted
                {
                    *due = due.saturating_add(now.saturating_sub(counted));
                    fiber.ran = true;
                }
            }
        }
    }

    /// What each fiber waits for together with those below it, which have higher numbers.
    fn rest(&self) -> HashMap<u32, Rest> {
        let mut all: HashMap<u32, Rest> = HashMap::with_capacity(self.fibers.len());
        for fiber in self.fibers.values().rev() {
            let own = match &fiber.state {
                FiberState::Ready(_) => Rest::Busy,
                FiberState::Waiting(effect) => match (effect.kind(), effect.args.first()) {
                    (EffectKind::Request, _) => Rest::People,
                    (EffectKind::Timer, Some(Value::Time(moment))) => Rest::Until(*moment),
                    _ => Rest::Busy,
                },
                FiberState::Joining(_) => all.get(&fiber.id).copied().unwrap_or(Rest::People),
            };
            all.insert(fiber.id, own);
            if let Some((parent, _)) = fiber.parent {
                all.entry(parent).and_modify(|rest| *rest = rest.and(own)).or_insert(own);
            }
        }
        all
    }

    /// The clocks of a fiber's attempts begin anew.
    pub(super) fn renew_deadlines(&mut self, fiber: &mut Fiber) {
        for deadline in &mut fiber.deadlines {
            deadline.clock = Clock::Stands(deadline.limit);
            (self.timed, self.unclocked) = (true, true);
        }
    }

    /// The next moment at which an attempt of a step is out of time.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.first_deadline().map(|(due, ..)| due)
    }

    fn first_deadline(&self) -> Option<(Millis, u32, u32)> {
        if !self.timed {
            return None;
        }
        let due = |fiber: &Fiber, deadline: &Deadline| match deadline.clock {
            Clock::Runs(due) => Some((due, fiber.id, deadline.frame)),
            Clock::Stands(_) => None,
        };
        self.fibers.values().flat_map(|fiber| fiber.deadlines.iter().filter_map(move |at| due(fiber, at))).min()
    }

    /// The attempt whose time is over first is ended: what runs below its step is cancelled, then the step throws.
    pub(crate) fn time_out(&mut self) {
        let Some((_, id, frame)) = self.first_deadline() else { return };
        let Some(fiber) = self.fibers.get_mut(&id) else { return };
        let Some(at) = fiber.deadlines.iter().position(|deadline| deadline.frame == frame) else { return };
        let limit = fiber.deadlines.remove(at).limit;
        let step = fiber
            .frames
            .get(frame as usize)
            .and_then(|frame| self.image.program.functions.get(frame.function as usize));
        let name = step.map_or("the step", |step| step.name.as_str());
        let fault = Fault::new(Kind::Timeout, format!("`{name}` took longer than {}", duration_text(limit)));
        let parent = fiber.parent.map(|(parent, _)| parent);
        self.thrown(id, parent, &fault, None);
        self.cancel_fiber(id, frame, Then::Throw(fault.into_value()));
    }
}
