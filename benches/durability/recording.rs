//! A store that hands everything on to another, and keeps the deltas.

use std::sync::{Arc, Mutex, PoisonError};

use wf_runtime::store::*;

/// Keeps what is committed through it.
pub(crate) struct Recording {
    inner: Arc<dyn Store>,
    deltas: Mutex<Vec<Delta>>,
}

impl Recording {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { inner, deltas: Mutex::default() })
    }

    /// What was committed so far.
    pub(crate) fn deltas(&self) -> Vec<Delta> {
        self.deltas.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store for Recording {
    fn begin(&self, run: NewRun) -> Result<Epoch, StoreError> {
        self.inner.begin(run)
    }

    fn commit(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        self.deltas.lock().unwrap_or_else(PoisonError::into_inner).push(delta.clone());
        self.inner.commit(run, epoch, delta)
    }

    fn acquire(&self, run: &RunId, owner: Owner, take_over: bool, now: Millis) -> Result<Epoch, StoreError> {
        self.inner.acquire(run, owner, take_over, now)
    }

    fn renew(&self, run: &RunId, epoch: Epoch, now: Millis) -> Result<(), StoreError> {
        self.inner.renew(run, epoch, now)
    }

    fn release(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError> {
        self.inner.release(run, epoch)
    }

    fn answer(&self, run: &RunId, request: &str, value: &str, now: Millis) -> Result<Answered, StoreError> {
        self.inner.answer(run, request, value, now)
    }

    fn cancel(&self, run: &RunId) -> Result<bool, StoreError> {
        self.inner.cancel(run)
    }

    fn wants_cancelled(&self, run: &RunId) -> Result<bool, StoreError> {
        self.inner.wants_cancelled(run)
    }

    fn notified(&self, run: &RunId, epoch: Epoch, request: &str, now: Millis) -> Result<(), StoreError> {
        self.inner.notified(run, epoch, request, now)
    }

    fn load(&self, run: &RunId, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError> {
        self.inner.load(run, at, visit)
    }

    fn code(&self, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.inner.code(hash)
    }

    fn code_at(&self, run: &RunId, at: u64) -> Result<[u8; 32], StoreError> {
        self.inner.code_at(run, at)
    }

    fn told(&self, run: &RunId, from: u64, to: u64) -> Result<Vec<(u64, EventBatch)>, StoreError> {
        self.inner.told(run, from, to)
    }

    fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        self.inner.run(id)
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.inner.runs(limit)
    }

    fn due(&self, now: Millis, interrupted: bool, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.inner.due(now, interrupted, limit)
    }

    fn ids_like(&self, part: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        self.inner.ids_like(part, limit)
    }

    fn requests(&self, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError> {
        self.inner.requests(run)
    }

    fn inbox(&self, limit: usize) -> Result<Inbox, StoreError> {
        self.inner.inbox(limit)
    }

    fn events(&self, run: &RunId, after: u64) -> Result<Vec<EventBatch>, StoreError> {
        self.inner.events(run, after)
    }

    fn kept(&self, run: &RunId) -> Result<Option<Kept>, StoreError> {
        self.inner.kept(run)
    }

    fn checkpoints(&self, run: &RunId) -> Result<Vec<u64>, StoreError> {
        self.inner.checkpoints(run)
    }

    fn counts(&self) -> StoreCounts {
        self.inner.counts()
    }
}
