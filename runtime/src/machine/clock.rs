//! The clocks of `@timeout`: each attempt of a step that has one must be over when its clock has run down.
//!
//! A clock stands still while every branch of its step waits for a person. The machine reads no clock: it is told what
//! time it is, before it runs and when it has come to rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// The clocks that run, in order of their moments.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// (Moment, fiber, frame). An attempt that has ended, or whose clock stands still, may still be in here.
    due: BTreeSet<(Millis, u32, u32)>,
    /// How many there were when those were last taken out.
    swept: usize,
    /// There is one whose clock does not run yet.
    unclocked: bool,
}

/// Below this many, attempts that have ended are left among the clocks.
const FEW: usize = 64;

impl Clocks {
    fn sweep(&mut self, fibers: &BTreeMap<u32, Box<Fiber>>) {
        while self.due.first().is_some_and(|first| !is_running(fibers, first)) {
            self.due.pop_first();
        }
        if self.due.len() > FEW + 2 * self.swept {
            self.due.retain(|clock| is_running(fibers, clock));
            self.swept = self.due.len();
        }
    }
}

/// Whether a clock of an attempt runs until that moment.
fn is_running(fibers: &BTreeMap<u32, Box<Fiber>>, (due, fiber, frame): &(Millis, u32, u32)) -> bool {
    let Some(fiber) = fibers.get(fiber) else { return false };
    let at = fiber.deadlines.binary_search_by_key(frame, |deadline| deadline.frame);
    at.is_ok_and(|at| fiber.deadlines[at].clock == Clock::Runs(*due))
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
        self.clocks.unclocked = true;
        Ok(())
    }

    /// The attempt of the top frame's step is over.
    pub(super) fn drop_deadline(&mut self, fiber: &mut Fiber) {
        let frame = fiber.frames.len().saturating_sub(1) as u32;
        fiber.deadlines.retain(|deadline| deadline.frame < frame);
    }

    /// Whether a clock has to be started that is not told the time yet.
    pub(crate) fn wants_time(&self) -> bool {
        self.clocks.unclocked
    }

    /// Tells the time: clocks that stand still while only persons are waited for are stopped, others started.
    pub(crate) fn keep_time(&mut self, now: Millis) {
        self.clock = now;
        self.clocks.unclocked = false;
        let mut todo = self.turns.take_stirred();
        while let Some(id) = todo.pop() {
            let Some(fiber) = self.fibers.get_mut(&id) else { continue };
            fiber.stirred = false;
            let quiet = is_quiet(fiber);
            let turned = quiet != std::mem::replace(&mut fiber.quiet, quiet);
            if start_and_stop(fiber, now, &mut self.clocks) {
                self.turns.mark(fiber);
            }
            if let Some((parent, _)) = fiber.parent.filter(|_| turned)
                && let Some(FiberState::Joining(group)) = self.fibers.get_mut(&parent).map(|parent| &mut parent.state)
            {
                group.busy = if quiet { group.busy.saturating_sub(1) } else { group.busy + 1 };
                todo.push(parent);
            }
        }
        self.clocks.sweep(&self.fibers);
    }

    /// Finds out which clocks run in a machine that was loaded, and which branches wait for persons only.
    pub(super) fn find_clocks(&mut self) {
        let rest = self.rest();
        let mut busy: BTreeMap<u32, u32> = BTreeMap::new();
        for fiber in self.fibers.values_mut() {
            fiber.quiet = rest.get(&fiber.id) == Some(&Rest::People);
            if let Some((parent, _)) = fiber.parent.filter(|_| !fiber.quiet) {
                *busy.entry(parent).or_default() += 1;
            }
            for deadline in &fiber.deadlines {
                match deadline.clock {
                    Clock::Runs(due) => drop(self.clocks.due.insert((due, fiber.id, deadline.frame))),
                    Clock::Stands(_) => {}
                }
            }
        }
        for (id, busy) in busy {
            if let Some(FiberState::Joining(group)) = self.fibers.get_mut(&id).map(|fiber| &mut fiber.state) {
                group.busy = busy;
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
        if self.clocks.due.is_empty() || since == 0 {
            return;
        }
        let rest = self.rest();
        for fiber in self.fibers.values_mut() {
            let counted = match rest.get(&fiber.id) {
                Some(Rest::Until(last)) => (*last).clamp(since, now.max(since)),
                _ => since,
            };
            let mut moved = false;
            for deadline in &mut fiber.deadlines {
                if let Clock::Runs(due) = &mut deadline.clock
                    && *due > counted
                {
                    *due = due.saturating_add(now.saturating_sub(counted));
                    self.clocks.due.insert((*due, fiber.id, deadline.frame));
                    moved = true;
                }
            }
            if moved {
                self.turns.mark(fiber);
            }
        }
        self.clocks.sweep(&self.fibers);
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
            self.clocks.unclocked = true;
        }
    }

    /// The next moment at which an attempt of a step is out of time.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.first_deadline().map(|(due, ..)| due)
    }

    fn first_deadline(&self) -> Option<(Millis, u32, u32)> {
        self.clocks.due.iter().find(|clock| is_running(&self.fibers, clock)).copied()
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
        self.clocks.sweep(&self.fibers);
    }
}

/// Whether a fiber, with all below it, waits for persons only.
fn is_quiet(fiber: &Fiber) -> bool {
    match &fiber.state {
        FiberState::Ready(_) => false,
        FiberState::Waiting(effect) => effect.kind() == EffectKind::Request,
        FiberState::Joining(group) => group.busy == 0,
    }
}

/// Stops the clocks of a fiber, or starts them; whether there were any. Where one runs, so do those of the steps around.
fn start_and_stop(fiber: &mut Fiber, now: Millis, clocks: &mut Clocks) -> bool {
    let mut any = false;
    for deadline in fiber.deadlines.iter_mut().rev() {
        deadline.clock = match deadline.clock {
            Clock::Runs(due) if fiber.quiet => Clock::Stands(due.saturating_sub(now)),
            Clock::Stands(left) if !fiber.quiet => {
                let due = now.saturating_add(left);
                clocks.due.insert((due, fiber.id, deadline.frame));
                Clock::Runs(due)
            }
            Clock::Runs(_) => break,
            Clock::Stands(_) => continue,
        };
        any = true;
    }
    any
}
