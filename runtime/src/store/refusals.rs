//! Runs that may not write any more, because a write of theirs was refused.
//!
//! A delta rests on those before it: when one is not written, no later one of the same epoch may be, even if its
//! number would fit. Only who acquires the run anew, and so reads what is really stored, writes again.

use std::collections::HashMap;

use super::{Epoch, RunId, StoreError};

/// The first refusal of each run, by the epoch it happened in.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    runs: HashMap<RunId, (Epoch, StoreError)>,
}

impl Refusals {
    /// Refuses what was refused before.
    pub(super) fn check(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError> {
        match self.runs.get(run) {
            Some((refused, error)) if *refused == epoch => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Remembers a refusal. A stale epoch is refused for ever anyway, and must not hide a failure of the present one.
    pub(super) fn remember(&mut self, run: &RunId, epoch: Epoch, error: &StoreError) {
        if matches!(error, StoreError::Stale | StoreError::NotFound(_)) {
            return;
        }
        let entry = self.runs.entry(run.clone()).or_insert_with(|| (epoch, error.clone()));
        if entry.0 < epoch {
            *entry = (epoch, error.clone());
        }
    }

    /// The run has begun a new epoch.
    pub(super) fn forget(&mut self, run: &RunId) {
        self.runs.remove(run);
    }
}
