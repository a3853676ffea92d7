//! A store in memory whose process may be killed at a write, before it or behind it.

use std::sync::Arc;

use super::{
    Kill,
    failure::Failure,
    world::{Doom, World},
};
use crate::store::{
    Answered, Delta, Epoch, EventBatch, Inbox, Kept, Millis, NewRun, OpenRequest, Owner, Receipt, RunId, RunRecord,
    Store, StoreCounts, StoreError, Visit,
};

/// How many bytes of events a test may tell.
const MOST_TOLD: usize = 64 << 20;

/// A store in memory whose process may be killed at a write.
pub(super) struct Killing {
    world: Arc<World>,
    kill: Option<Kill>,
}

impl Killing {
    pub(super) fn new(world: Arc<World>, kill: Option<Kill>) -> Self {
        Self { world, kill }
    }

    /// What comes of the next write.
    fn doom(&self, delta: &Delta) -> Option<Doom> {
        let mut inner = self.world.lock();
        inner.writes += 1;
        if let Some(own) = inner.doom.take() {
            (inner.foreign, inner.settled) = (false, false);
            return Some(own);
        }
        let due = |kill: &Kill| {
            if kill.once { inner.writes == kill.every } else { inner.writes.is_multiple_of(kill.every) }
        };
        let kill = self.kill.filter(due)?;
        // What a crash of the test itself has left, is left by it until the run is saved again.
        inner.foreign = inner.settled;
        inner.when = Some(self.world.moment(&inner, delta));
        Some(if kill.before { Doom::Before } else { Doom::After })
    }

    fn write(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Result<(), StoreError> {
        let killed = || StoreError::Unusable("the process was killed by the test".into());
        let doom = self.doom(&delta);
        if doom == Some(Doom::Before) {
            self.world.lock().killed = true;
            return Err(killed());
        }
        let told = delta.events.as_ref().map_or(0, |events| events.lines.len());
        let receipt = self.world.store.commit(run, epoch, delta);
        futures_util::FutureExt::now_or_never(receipt).unwrap_or(Ok(()))?;
        let mut inner = self.world.lock();
        inner.was_saved();
        inner.settled = doom.is_none() || inner.foreign;
        if doom == Some(Doom::After) {
            inner.killed = true;
            return Err(killed());
        }
        inner.told += told;
        if inner.told > MOST_TOLD {
            inner.failure.get_or_insert_with(|| Failure::new("the test tells more than 64 MiB of events"));
        }
        Ok(())
    }
}

impl Store for Killing {
    fn begin(&self, run: NewRun) -> Result<Epoch, StoreError> {
        self.world.store.begin(run)
    }

    fn commit(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        Box::pin(std::future::ready(self.write(run, epoch, delta)))
    }

    fn acquire(&self, run: &RunId, owner: Owner, take_over: bool, now: Millis) -> Result<Epoch, StoreError> {
        self.world.store.acquire(run, owner, take_over, now)
    }

    fn renew(&self, run: &RunId, epoch: Epoch, now: Millis) -> Result<(), StoreError> {
        self.world.store.renew(run, epoch, now)
    }

    fn release(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError> {
        if self.world.lock().killed {
            // A process that was killed gives nothing up.
            return Ok(());
        }
        self.world.store.release(run, epoch)
    }

    fn answer(&self, run: &RunId, request: &str, value: &str, now: Millis) -> Result<Answered, StoreError> {
        self.world.store.answer(run, request, value, now)
    }

    fn cancel(&self, run: &RunId) -> Result<bool, StoreError> {
        self.world.store.cancel(run)
    }

    fn wants_cancelled(&self, run: &RunId) -> Result<bool, StoreError> {
        self.world.store.wants_cancelled(run)
    }

    fn notified(&self, run: &RunId, epoch: Epoch, request: &str, now: Millis) -> Result<(), StoreError> {
        self.world.store.notified(run, epoch, request, now)
    }

    fn load(&self, run: &RunId, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError> {
        self.world.store.load(run, at, visit)
    }

    fn code(&self, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.world.store.code(hash)
    }

    fn code_at(&self, run: &RunId, at: u64) -> Result<[u8; 32], StoreError> {
        self.world.store.code_at(run, at)
    }

    fn told(&self, run: &RunId, from: u64, to: u64) -> Result<Vec<(u64, EventBatch)>, StoreError> {
        self.world.store.told(run, from, to)
    }

    fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        self.world.store.run(id)
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.world.store.runs(limit)
    }

    fn due(&self, now: Millis, interrupted: bool, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.world.store.due(now, interrupted, limit)
    }

    fn ids_like(&self, part: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        self.world.store.ids_like(part, limit)
    }

    fn requests(&self, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError> {
        self.world.store.requests(run)
    }

    fn inbox(&self, limit: usize) -> Result<Inbox, StoreError> {
        self.world.store.inbox(limit)
    }

    fn events(&self, run: &RunId, after: u64) -> Result<Vec<EventBatch>, StoreError> {
        self.world.store.events(run, after)
    }

    fn kept(&self, run: &RunId) -> Result<Option<Kept>, StoreError> {
        self.world.store.kept(run)
    }

    fn checkpoints(&self, run: &RunId) -> Result<Vec<u64>, StoreError> {
        self.world.store.checkpoints(run)
    }

    fn counts(&self) -> StoreCounts {
        self.world.store.counts()
    }
}
