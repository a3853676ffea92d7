//! A store with somebody at its door, who decides what becomes of each commit.

use std::sync::Arc;

use wf_runtime::store::{
    Answered, Delta, Epoch, EventBatch, Inbox, Kept, Millis, NewRun, OpenRequest, Owner, Receipt, RunId, RunRecord,
    Store, StoreCounts, StoreError, Visit,
};

/// Who decides.
pub(crate) trait Gate: Send + Sync + 'static {
    /// A delta is handed in.
    fn commit(&self, store: &dyn Store, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt;

    /// Whether who comes is alive: the dead give nothing up.
    fn lives(&self) -> bool {
        true
    }
}

/// The store, and its gate.
pub(crate) struct Gated<G> {
    store: Arc<dyn Store>,
    pub(crate) gate: G,
}

impl<G: Gate> Gated<G> {
    pub(crate) fn new(store: Arc<dyn Store>, gate: G) -> Self {
        Self { store, gate }
    }
}

impl<G: Gate> Store for Gated<G> {
    fn commit(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        self.gate.commit(&*self.store, run, epoch, delta)
    }

    fn begin(&self, run: NewRun) -> Result<Epoch, StoreError> {
        self.store.begin(run)
    }
    fn acquire(&self, run: &RunId, owner: Owner, take_over: bool, now: Millis) -> Result<Epoch, StoreError> {
        self.store.acquire(run, owner, take_over, now)
    }
    fn renew(&self, run: &RunId, epoch: Epoch, now: Millis) -> Result<(), StoreError> {
        self.store.renew(run, epoch, now)
    }
    fn release(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError> {
        if self.gate.lives() { self.store.release(run, epoch) } else { Err(StoreError::Unusable("killed".into())) }
    }
    fn answer(&self, run: &RunId, request: &str, value: &str, now: Millis) -> Result<Answered, StoreError> {
        self.store.answer(run, request, value, now)
    }
    fn cancel(&self, run: &RunId) -> Result<bool, StoreError> {
        self.store.cancel(run)
    }

    fn wants_cancelled(&self, run: &RunId) -> Result<bool, StoreError> {
        self.store.wants_cancelled(run)
    }

    fn notified(&self, run: &RunId, epoch: Epoch, request: &str, now: Millis) -> Result<(), StoreError> {
        self.store.notified(run, epoch, request, now)
    }

    fn load(&self, run: &RunId, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError> {
        self.store.load(run, at, visit)
    }
    fn code(&self, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.store.code(hash)
    }
    fn code_at(&self, run: &RunId, at: u64) -> Result<[u8; 32], StoreError> {
        self.store.code_at(run, at)
    }
    fn told(&self, run: &RunId, from: u64, to: u64) -> Result<Vec<(u64, EventBatch)>, StoreError> {
        self.store.told(run, from, to)
    }
    fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        self.store.run(id)
    }
    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.store.runs(limit)
    }
    fn due(&self, now: Millis, interrupted: bool, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.store.due(now, interrupted, limit)
    }

    fn ids_like(&self, part: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        self.store.ids_like(part, limit)
    }
    fn requests(&self, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError> {
        self.store.requests(run)
    }
    fn inbox(&self, limit: usize) -> Result<Inbox, StoreError> {
        self.store.inbox(limit)
    }

    fn events(&self, run: &RunId, after: u64) -> Result<Vec<EventBatch>, StoreError> {
        self.store.events(run, after)
    }
    fn kept(&self, run: &RunId) -> Result<Option<Kept>, StoreError> {
        self.store.kept(run)
    }
    fn checkpoints(&self, run: &RunId) -> Result<Vec<u64>, StoreError> {
        self.store.checkpoints(run)
    }
    fn counts(&self) -> StoreCounts {
        self.store.counts()
    }
}
