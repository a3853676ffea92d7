//! Effects that wait for a moment, by that moment and by effect.

use std::collections::{BTreeMap, HashMap};

use crate::store::Millis;

/// The timers of a run.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// The fibers that wait, by (moment, effect).
    order: BTreeMap<(Millis, u64), u32>,
    /// The moments, by effect.
    moments: HashMap<u64, Millis>,
}

impl Timers {
    /// An effect of a fiber waits for a moment.
    pub(super) fn set(&mut self, moment: Millis, effect: u64, fiber: u32) {
        self.forget(effect);
        self.order.insert((moment, effect), fiber);
        self.moments.insert(effect, moment);
    }

    /// An effect waits no longer.
    pub(super) fn forget(&mut self, effect: u64) {
        if let Some(moment) = self.moments.remove(&effect) {
            self.order.remove(&(moment, effect));
        }
    }

    /// The first of them: its moment, its effect, and its fiber.
    pub(super) fn first(&self) -> Option<(Millis, u64, u32)> {
        self.order.first_key_value().map(|(&(moment, effect), &fiber)| (moment, effect, fiber))
    }

    /// Nothing waits for a moment any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
