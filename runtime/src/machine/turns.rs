//! Whose turn it is, and what has changed since somebody looked: so that nobody has to look at every branch.

use std::collections::{BTreeMap, VecDeque};

use super::fiber::{Fiber, FiberState};

/// The fibers that can run, in order, and those that have changed.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    ready: VecDeque<u32>,
    /// Greater than the turn of every fiber that can run.
    next: i64,
    /// The fibers that have changed since they were last saved.
    changed: Vec<u32>,
    /// The fibers that have changed since clocks were last looked at.
    stirred: Vec<u32>,
}

impl Turns {
    /// A fiber has changed.
    pub(super) fn mark(&mut self, fiber: &mut Fiber) {
        if !fiber.ran {
            fiber.ran = true;
            self.changed.push(fiber.id);
        }
        if !fiber.stirred {
            fiber.stirred = true;
            self.stirred.push(fiber.id);
        }
    }

    /// A fiber can run, after all others.
    pub(super) fn last(&mut self, fiber: &mut Fiber) {
        fiber.turn = self.next;
        self.next = self.next.saturating_add(1);
        self.ready.push_back(fiber.id);
        self.mark(fiber);
    }

    /// The fiber that became ready last goes on before all others.
    pub(super) fn first(&mut self, fibers: &mut BTreeMap<u32, Fiber>) {
        let Some(id) = self.ready.pop_back() else { return };
        // One that was given up may still stand there.
        let first = self.ready.iter().find_map(|id| fibers.get(id)).map(|fiber| fiber.turn);
        if let (Some(first), Some(fiber)) = (first, fibers.get_mut(&id)) {
            fiber.turn = first.saturating_sub(1);
        }
        self.ready.push_front(id);
    }

    /// Takes up the fibers of a machine that was loaded: those that can run have their turns.
    pub(super) fn adopt(&mut self, fibers: &BTreeMap<u32, Fiber>) {
        let mut ready: Vec<(i64, u32)> = fibers.values().filter(|f| can_run(f)).map(|f| (f.turn, f.id)).collect();
        ready.sort_unstable();
        self.next = ready.last().map_or(0, |(turn, _)| turn.saturating_add(1));
        self.ready = ready.into_iter().map(|(_, id)| id).collect();
        self.changed = fibers.values().filter(|fiber| fiber.ran).map(|fiber| fiber.id).collect();
    }

    /// The fiber whose turn it is.
    pub(super) fn front(&self) -> Option<u32> {
        self.ready.front().copied()
    }

    /// That fiber has had its turn.
    pub(super) fn pop(&mut self) {
        self.ready.pop_front();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// The fibers that have changed since the last call, in order of their numbers.
    pub(crate) fn take_changed(&mut self) -> Vec<u32> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed
    }

    /// The fibers that have changed since the last call, for whoever keeps clocks.
    pub(super) fn take_stirred(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.stirred)
    }
}

fn can_run(fiber: &Fiber) -> bool {
    matches!(fiber.state, FiberState::Ready(_))
}
