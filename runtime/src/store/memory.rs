//! The store in memory, for tests: plain maps under a mutex, and a commit that is done when it returns.
//!
//! What it holds outlives the run that wrote it for as long as the store is kept, so a test stops a run as a crash
//! would ([`MemoryStore::fail_after`]) and goes on from the same rows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Answered, COUNTED, Chunks, Delta, Epoch, EventBatch, Inbox, Kept, LEASE_MS, Millis, NewRun, OpenRequest, Owner,
    Receipt, RunId, RunRecord, RunStatus, Store, StoreCounts, StoreError, Visit, owner, refusals::Refusals, rules,
};
use run::Run;

mod run;

/// Runs in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    runs: BTreeMap<RunId, Run>,
    codes: BTreeMap<[u8; 32], Arc<[u8]>>,
    refusals: Refusals,
    counts: StoreCounts,
    /// How many commits are still let through; without a limit if `None`.
    left: Option<u64>,
    /// How many runs and requests were entered, to tell the order of those of one millisecond.
    entered: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Lets `commits` more commits succeed and refuses all later ones, as if the process had ended there;
    /// `u64::MAX` lifts it. Who was refused stays refused under its epoch.
    pub fn fail_after(&self, commits: u64) {
        self.lock().left = (commits < u64::MAX).then_some(commits);
    }

    /// How many commits succeeded so far.
    pub fn commits(&self) -> u64 {
        self.lock().counts.deltas
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn run(&self, id: &str) -> Result<&Run, StoreError> {
        self.runs.get(id).ok_or_else(|| unknown(id))
    }

    fn run_mut(&mut self, id: &str) -> Result<&mut Run, StoreError> {
        self.runs.get_mut(id).ok_or_else(|| unknown(id))
    }

    fn next(&mut self) -> u64 {
        self.entered += 1;
        self.entered
    }

    fn commit(&mut self, id: &RunId, epoch: Epoch, delta: Delta) -> Result<(), StoreError> {
        self.refusals.check(id, epoch)?;
        let result = self.write(id, epoch, delta);
        if let Err(error) = &result {
            self.refusals.remember(id, epoch, error);
        }
        result
    }

    fn write(&mut self, id: &RunId, epoch: Epoch, delta: Delta) -> Result<(), StoreError> {
        let record = &self.run(id)?.record;
        rules::check_delta(&delta, epoch, record.epoch, record.last_checkpoint, record.last_seq)?;
        if self.left == Some(0) {
            return Err(StoreError::Unusable("stopped by the test".into()));
        }
        let bytes = delta.bytes() as u64;
        let order = self.entered;
        self.entered += delta.opened.len() as u64;
        let moved = delta.moved.clone();
        self.run_mut(id)?.apply(delta, order)?;
        if let Some(moved) = moved {
            self.codes.entry(moved.code_hash).or_insert(moved.code);
        }
        self.left = self.left.map(|left| left - 1);
        self.counts.transactions += 1;
        self.counts.deltas += 1;
        self.counts.bytes += bytes;
        Ok(())
    }
}

impl Store for MemoryStore {
    fn begin(&self, run: NewRun) -> Result<Epoch, StoreError> {
        let mut inner = self.lock();
        if inner.runs.contains_key(&run.id) {
            return Err(StoreError::Exists(run.id.to_string()));
        }
        let entered = inner.next();
        inner.codes.entry(run.code_hash).or_insert_with(|| run.code.clone());
        inner.refusals.forget(&run.id);
        inner.counts.transactions += 1;
        inner.runs.insert(run.id.clone(), Run::new(record(run), entered));
        Ok(Epoch(1))
    }

    fn commit(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        Box::pin(std::future::ready(self.lock().commit(run, epoch, delta)))
    }

    fn acquire(&self, run: &RunId, owner: Owner, take_over: bool, now: Millis) -> Result<Epoch, StoreError> {
        let mut inner = self.lock();
        let record = &mut inner.run_mut(run)?.record;
        if !take_over {
            owner::check_free(record.owner.as_ref(), record.lease_until, &owner, now)?;
        }
        record.epoch = Epoch(record.epoch.0.saturating_add(1));
        record.owner = Some(owner);
        record.lease_until = now.saturating_add(LEASE_MS);
        let epoch = record.epoch;
        inner.refusals.forget(run);
        inner.counts.transactions += 1;
        Ok(epoch)
    }

    fn renew(&self, run: &RunId, epoch: Epoch, now: Millis) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let record = &mut inner.run_mut(run)?.record;
        if record.epoch != epoch {
            return Err(StoreError::Stale);
        }
        record.lease_until = now.saturating_add(LEASE_MS);
        inner.counts.transactions += 1;
        Ok(())
    }

    fn release(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let record = &mut inner.run_mut(run)?.record;
        if record.epoch == epoch {
            record.owner = None;
            record.lease_until = 0;
        }
        inner.counts.transactions += 1;
        Ok(())
    }

    fn answer(&self, run: &RunId, request: &str, value: &str, now: Millis) -> Result<Answered, StoreError> {
        let mut inner = self.lock();
        let answered = inner.run_mut(run)?.answer(request, value, now);
        inner.counts.transactions += 1;
        Ok(answered)
    }

    fn cancel(&self, run: &RunId) -> Result<bool, StoreError> {
        let mut inner = self.lock();
        let run = inner.run_mut(run)?;
        let record = &run.record;
        let asked = !record.status.has_ended() || record.status == RunStatus::Failed && record.owner.is_some();
        run.cancel |= asked;
        inner.counts.transactions += 1;
        Ok(asked)
    }

    fn wants_cancelled(&self, run: &RunId) -> Result<bool, StoreError> {
        Ok(self.lock().run(run)?.cancel)
    }

    fn notified(&self, run: &RunId, epoch: Epoch, request: &str, _now: Millis) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let run = inner.run_mut(run)?;
        if run.record.epoch != epoch {
            return Err(StoreError::Stale);
        }
        run.notified(request);
        inner.counts.transactions += 1;
        Ok(())
    }

    fn load(&self, run: &RunId, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError> {
        // Copied out, so that whoever visits may ask the store again.
        let (saved, mut chunks) = match self.lock().run(run)?.checkpoint(at)? {
            Some((saved, chunks)) => (saved, Copied(chunks)),
            None => return Ok(false),
        };
        visit(&saved, &mut chunks)?;
        Ok(true)
    }

    fn code(&self, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        let code = self.lock().codes.get(hash).map(|code| code.to_vec());
        code.ok_or_else(|| StoreError::NotFound(format!("code {}", rules::hex(hash))))
    }

    fn code_at(&self, run: &RunId, at: u64) -> Result<[u8; 32], StoreError> {
        Ok(self.lock().run(run)?.code_at(at))
    }

    fn told(&self, run: &RunId, from: u64, to: u64) -> Result<Vec<(u64, EventBatch)>, StoreError> {
        Ok(self.lock().run(run)?.told(from, to))
    }

    fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        self.lock().run(id).map(Run::record)
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        let inner = self.lock();
        let mut runs: Vec<_> = inner.runs.values().collect();
        runs.sort_by_key(|run| std::cmp::Reverse((run.record.created_at, run.entered)));
        Ok(runs.into_iter().take(limit).map(Run::record).collect())
    }

    fn due(&self, now: Millis, interrupted: bool, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        let inner = self.lock();
        let records = || inner.runs.values().map(|run| &run.record);
        let free = |run: &&RunRecord| owner::is_free(run.owner.as_ref(), run.lease_until, now);
        let is_due = |run: &RunRecord| run.wake_at.is_some_and(|at| at <= now) && !run.status.has_ended();
        let mut due: Vec<&RunRecord> = records().filter(|run| is_due(run)).filter(free).collect();
        due.sort_by_key(|run| run.wake_at);
        let running = |run: &&RunRecord| matches!(run.status, RunStatus::Running | RunStatus::Cancelling);
        let mut stopped: Vec<&RunRecord> =
            records().filter(running).filter(|run| interrupted && !is_due(run)).filter(free).collect();
        stopped.sort_by_key(|run| run.updated_at);
        Ok(due.into_iter().chain(stopped).take(limit).cloned().collect())
    }

    fn ids_like(&self, part: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        let inner = self.lock();
        let mut ids: Vec<_> = inner.runs.keys().filter(|id| id.starts_with(part) || id.ends_with(part)).collect();
        // The very id first, so that a limit does not cut it off.
        ids.sort_by_key(|id| (&***id != part, *id));
        Ok(ids.into_iter().take(limit).cloned().collect())
    }

    fn requests(&self, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError> {
        let inner = self.lock();
        let mut open: Vec<_> = match run {
            Some(run) => inner.run(run)?.open_requests().collect(),
            None => inner.runs.values().flat_map(Run::open_requests).collect(),
        };
        open.sort_by_key(|(entered, open)| (open.request.asked_at, *entered));
        Ok(open.into_iter().map(|(_, open)| open).collect())
    }

    fn inbox(&self, limit: usize) -> Result<Inbox, StoreError> {
        let mut requests = self.requests(None)?;
        let more = requests.len().saturating_sub(limit).min(COUNTED) as u64;
        requests.truncate(limit);
        Ok(Inbox { requests, more })
    }

    fn events(&self, run: &RunId, after: u64) -> Result<Vec<EventBatch>, StoreError> {
        Ok(self.lock().run(run)?.events_after(after))
    }

    fn kept(&self, run: &RunId) -> Result<Option<Kept>, StoreError> {
        Ok(self.lock().run(run)?.kept())
    }

    fn checkpoints(&self, run: &RunId) -> Result<Vec<u64>, StoreError> {
        Ok(self.lock().run(run)?.checkpoints.keys().rev().copied().collect())
    }

    fn counts(&self) -> StoreCounts {
        self.lock().counts
    }
}

/// The chunks that a checkpoint may name.
struct Copied(BTreeMap<u64, Arc<[u8]>>);

impl Chunks for Copied {
    fn chunk(&mut self, id: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&id).map(|data| data.to_vec()))
    }
}

fn record(run: NewRun) -> RunRecord {
    RunRecord {
        id: run.id,
        workflow: run.workflow,
        script: run.script,
        code_hash: run.code_hash,
        input: run.input,
        settings: run.settings,
        status: RunStatus::Running,
        created_at: run.created_at,
        updated_at: run.created_at,
        epoch: Epoch(1),
        owner: Some(run.owner),
        lease_until: run.created_at.saturating_add(LEASE_MS),
        last_checkpoint: 0,
        last_seq: 0,
        wake_at: None,
        result: None,
        bytes: 0,
    }
}

fn unknown(id: &str) -> StoreError {
    StoreError::NotFound(format!("run `{id}`"))
}
