//! The thread that writes.
//!
//! It takes every delta that waits into one transaction, and answers after the COMMIT. A delta that cannot be written
//! is undone by itself, the others go on. Changes that are no deltas (a run begins, changes hands, is answered) are
//! transactions of their own, in the order in which they were asked.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError, mpsc},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{apply, fault};
use crate::store::{Delta, Epoch, RunId, StoreCounts, StoreError, refusals::Refusals};

/// A transaction takes no more deltas, nor bytes, than this, so that the first in it need not wait for ever.
const MOST_DELTAS: usize = 512;
const MOST_BYTES: usize = 1 << 20;

/// How often the free pages are looked at, in transactions; and how many are given back at a time.
const TIDY_EVERY: u64 = 256;
const TIDY_PAGES: i64 = 1024;

/// What the thread is asked to do.
pub(super) enum Job {
    /// Write a delta, with others.
    Commit(Box<Queued>),
    /// Change something else, alone.
    Change(Change),
}

/// A delta that waits.
pub(super) struct Queued {
    pub(super) run: RunId,
    pub(super) epoch: Epoch,
    pub(super) delta: Delta,
    pub(super) reply: oneshot::Sender<Result<(), StoreError>>,
}

/// A change in a transaction of its own.
pub(super) struct Change {
    /// The run of which a new epoch begins, if it succeeds.
    begins: Option<RunId>,
    work: Box<dyn FnOnce(&mut Connection) -> Changed + Send>,
}

/// What became of a change. Whoever waits is told when everything else is in order.
struct Changed {
    done: bool,
    reply: Box<dyn FnOnce()>,
}

impl Change {
    /// `work` in a transaction, and then `reply` with what it gave.
    pub(super) fn new<T: Send + 'static>(
        begins: Option<RunId>,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        reply: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Self {
        let work = move |conn: &mut Connection| {
            let result = in_transaction(conn, work);
            Changed { done: result.is_ok(), reply: Box::new(move || reply(result)) }
        };
        Change { begins, work: Box::new(work) }
    }
}

/// Works until nobody can ask any more and everything asked is done.
pub(super) fn run(conn: Connection, queue: &mpsc::Receiver<Job>, counts: &Mutex<StoreCounts>) {
    let mut committer = Committer { conn, counts, refusals: Refusals::default(), untidied: 0 };
    // What was taken from the queue and did not fit into the transaction.
    let mut waiting = VecDeque::new();
    while let Some(job) = waiting.pop_front().or_else(|| queue.recv().ok()) {
        match job {
            Job::Change(change) => committer.change(change),
            Job::Commit(first) => {
                let batch = take(*first, queue, &mut waiting);
                committer.commit(batch);
            }
        }
        committer.tidy();
    }
}

/// The first delta and those that wait behind it, up to the next change.
fn take(first: Queued, queue: &mpsc::Receiver<Job>, waiting: &mut VecDeque<Job>) -> Vec<Queued> {
    let mut bytes = first.delta.bytes();
    let mut batch = vec![first];
    while batch.len() < MOST_DELTAS && bytes < MOST_BYTES {
        match queue.try_recv() {
            Ok(Job::Commit(next)) => {
                bytes += next.delta.bytes();
                batch.push(*next);
            }
            Ok(change) => {
                waiting.push_back(change);
                break;
            }
            Err(_) => break,
        }
    }
    batch
}

struct Committer<'c> {
    conn: Connection,
    counts: &'c Mutex<StoreCounts>,
    refusals: Refusals,
    /// Transactions since the free pages were looked at.
    untidied: u64,
}

impl Committer<'_> {
    fn change(&mut self, change: Change) {
        let Changed { done, reply } = (change.work)(&mut self.conn);
        if done {
            self.untidied += 1;
            self.counts.lock().unwrap_or_else(PoisonError::into_inner).transactions += 1;
            if let Some(run) = &change.begins {
                self.refusals.forget(run);
            }
        }
        reply();
    }

    fn commit(&mut self, batch: Vec<Queued>) {
        let refusals = &mut self.refusals;
        let mut results = Vec::with_capacity(batch.len());
        let written = in_transaction(&mut self.conn, |tx| {
            for queued in &batch {
                results.push(write(tx, queued, refusals)?);
            }
            Ok(())
        });
        if let Err(error) = written {
            results = fail(&batch, &error, &results, refusals);
        }
        self.count(&batch, &results);
        for (queued, result) in batch.into_iter().zip(results) {
            // Who waited may be gone; what is written stays written.
            let _ = queued.reply.send(result);
        }
    }

    fn count(&mut self, batch: &[Queued], results: &[Result<(), StoreError>]) {
        let written = || batch.iter().zip(results).filter(|(_, result)| result.is_ok()).map(|(queued, _)| queued);
        let deltas = written().count() as u64;
        if deltas == 0 {
            return;
        }
        self.untidied += 1;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.transactions += 1;
        counts.deltas += deltas;
        counts.bytes += written().map(|queued| queued.delta.bytes() as u64).sum::<u64>();
    }

    /// Gives free pages back to the file system when they are many: a part now, a part later.
    fn tidy(&mut self) {
        if self.untidied < TIDY_EVERY {
            return;
        }
        self.untidied = 0;
        let number = |name| self.conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap_or(0);
        let (free, all) = (number("freelist_count"), number("page_count"));
        if free < TIDY_PAGES || free < all / 4 {
            return;
        }
        // Each step gives one page back. A failure costs nothing but the space.
        let sql = format!("PRAGMA incremental_vacuum({TIDY_PAGES})");
        if let Ok(mut statement) = self.conn.prepare(&sql)
            && let Ok(mut rows) = statement.query([])
        {
            while let Ok(Some(_)) = rows.next() {}
        }
    }
}

/// Writes one delta inside the transaction, or leaves no trace of it and says why. An outer error is one of the whole
/// transaction: a full disk, for one, may end it, and with it what the others wrote.
fn write(tx: &Transaction<'_>, queued: &Queued, refusals: &mut Refusals) -> Result<Result<(), StoreError>, StoreError> {
    let Queued { run, epoch, delta, .. } = queued;
    if let Err(error) = refusals.check(run, *epoch) {
        return Ok(Err(error));
    }
    let result = attempt(tx, run, *epoch, delta)?;
    if let Err(error) = &result {
        refusals.remember(run, *epoch, error);
    }
    Ok(result)
}

fn attempt(
    tx: &Transaction<'_>,
    run: &RunId,
    epoch: Epoch,
    delta: &Delta,
) -> Result<Result<(), StoreError>, StoreError> {
    let standing = match apply::check(tx, run, epoch, delta) {
        Ok(standing) => standing,
        Err(error) => return Ok(Err(error)),
    };
    apply::step(tx, "SAVEPOINT delta")?;
    let result = apply::apply(tx, &standing, delta);
    if let Err(error) = &result {
        if tx.is_autocommit() {
            return Err(error.clone());
        }
        apply::step(tx, "ROLLBACK TO delta")?;
    }
    apply::step(tx, "RELEASE delta")?;
    Ok(result)
}

/// The results of a batch of which nothing was written. What was refused by itself keeps its own reason.
fn fail(
    batch: &[Queued],
    error: &StoreError,
    results: &[Result<(), StoreError>],
    refusals: &mut Refusals,
) -> Vec<Result<(), StoreError>> {
    let own = |index: usize| results.get(index).filter(|result| result.is_err()).cloned();
    let mut failed = Vec::with_capacity(batch.len());
    for (index, queued) in batch.iter().enumerate() {
        failed.push(own(index).unwrap_or_else(|| {
            refusals.remember(&queued.run, queued.epoch, error);
            Err(error.clone())
        }));
    }
    failed
}

/// Does `work` and commits it, or undoes it.
fn in_transaction<T>(
    conn: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault::of)?;
    let value = work(&tx)?;
    tx.commit().map_err(fault::of)?;
    Ok(value)
}

#[cfg(test)]
mod tests;
