//! Where errors come from: what a run goes on from that has failed.
//!
//! An error is known by its kind, its message and the place where it was thrown, however often it is caught and thrown
//! again. Of the last few it is kept which checkpoint was the latest when they were thrown, and how many calls had left by
//! then: a run goes on from that checkpoint only if nothing has left since.

use super::{Machine, fiber::FiberState};
use crate::{fault::Fault, value::Value};

/// How many errors are kept; an older one is forgotten.
pub(crate) const MOST_ORIGINS: usize = 64;

/// Where an error was thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Which error: a hash of its kind and message, and of the place once it is known.
    pub(crate) error: u64,
    /// The number of the latest checkpoint then; 0 before the first.
    pub(crate) at: u64,
    /// How many calls had left.
    pub(crate) left: u64,
    /// Results of calls came in before it that this checkpoint does not have, and later ones do.
    pub(crate) lacks: bool,
    /// The fiber, and those that join it, up to the main line.
    pub(crate) fibers: Vec<u32>,
    /// The call whose outcome it was, and whether the world had dealt with that call.
    pub(crate) call: Option<(u64, bool)>,
}

impl Machine {
    /// An error is thrown in a fiber. One that was thrown before and comes by again keeps its origin.
    pub(super) fn thrown(&mut self, fiber: u32, parent: Option<u32>, fault: &Fault, call: Option<(u64, bool)>) {
        let mut fibers = vec![fiber];
        let mut above = parent;
        while let Some(id) = above {
            fibers.push(id);
            above = self.fibers.get(&id).and_then(|fiber| fiber.parent).map(|(parent, _)| parent);
        }
        let origin = Origin { error: hash(fault), at: self.checkpoint, left: self.left, lacks: false, fibers, call };
        if self.origins.contains(&origin) {
            return;
        }
        self.origins.retain(|known| known.error != origin.error);
        if self.origins.len() == MOST_ORIGINS {
            self.origins.remove(0);
        }
        self.origins.push(origin);
        self.root_changed = true;
    }

    /// It is known in which place of the source an error was thrown, of which `before` was known.
    pub(super) fn placed(&mut self, fiber: u32, before: u64, fault: &Fault) {
        let found =
            self.origins.iter().position(|origin| origin.error == before && origin.fibers.first() == Some(&fiber));
        if let Some(found) = found {
            let mut origin = self.origins.remove(found);
            origin.error = hash(fault);
            self.origins.retain(|known| known.error != origin.error);
            self.origins.push(origin);
        }
    }

    /// Where an error was thrown, if that is still known.
    pub(crate) fn origin(&self, fault: &Fault) -> Option<&Origin> {
        let error = hash(fault);
        self.origins.iter().find(|origin| origin.error == error)
    }

    /// Results that came in since the latest checkpoint are saved by the next one, with what became of the errors thrown
    /// since.
    pub(crate) fn lacks_results(&mut self) {
        for origin in self.origins.iter_mut().filter(|origin| origin.at == self.checkpoint && !origin.lacks) {
            origin.lacks = true;
            self.root_changed = true;
        }
    }

    /// All of it is written by the next checkpoint.
    pub(crate) fn save_anew(&mut self) {
        self.root_changed = true;
        self.gone.clear();
        for fiber in self.fibers.values_mut() {
            (fiber.low_water, fiber.saved_segments) = (0, 0);
            self.turns.mark(fiber);
        }
    }

    /// A call has left the process.
    pub(crate) fn let_out(&mut self) {
        self.left = self.left.saturating_add(1);
    }

    /// How many calls have left so far.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The run goes on from before an error: the attempts of the steps around it start anew, and calls that failed are others
    /// than before where the world had dealt with them.
    pub(crate) fn start_anew(&mut self, fibers: &[u32], calls: &[(u64, bool)]) {
        for id in fibers {
            let Some(mut fiber) = self.fibers.remove(id) else { continue };
            for index in 0..fiber.scopes.len() {
                let scope = &fiber.scopes[index];
                if scope.attempt > 1
                    && let Some(frame) = fiber.frames.get(scope.frame as usize)
                    && let Some(attempt) = self.image.function(frame.function).attempt()
                {
                    let register = frame.base as usize + usize::from(attempt);
                    if let Some(value) = fiber.regs.get_mut(register) {
                        *value = Value::Int(1);
                    }
                    fiber.scopes[index].attempt = 1;
                }
            }
            self.renew_deadlines(&mut fiber);
            self.turns.mark(&mut fiber);
            self.fibers.insert(*id, fiber);
        }
        for fiber in self.fibers.values_mut() {
            if let FiberState::Waiting(effect) = &mut fiber.state
                && calls.contains(&(effect.id, true))
            {
                effect.generation = effect.generation.saturating_add(1);
                let key = (effect.path.as_str().to_owned(), effect.ordinal);
                self.answered.insert(key, effect.generation);
                self.root_changed = true;
                self.turns.mark(fiber);
            }
        }
    }
}

/// Which error it is.
pub(super) fn hash(fault: &Fault) -> u64 {
    let mut hash = blake3::Hasher::new();
    let place = fault.trace.first().map_or("", |frame| frame.place.as_str());
    for part in [fault.kind.name(), fault.message.as_str(), place] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    u64::from_le_bytes(bytes.as_bytes()[..8].try_into().unwrap_or_default())
}
