//! The store remembers runs: what they need to go on (checkpoints) and what they told (events).
//!
//! It knows rows, epochs and numbers, not what is in the rows: the bytes come sealed from [`crate::checkpoint`]. One
//! [`Delta`] holds everything that becomes true together, so no second write can come between. The trait is narrow on
//! purpose: nothing above it may know which store it is.

use std::{future::Future, pin::Pin, sync::Arc};

mod delta;
mod error;
mod locks;
mod memory;
mod migrate;
mod owner;
mod refusals;
mod rules;
mod sqlite;

pub use delta::{Delta, EventBatch, FiberRow, Moved};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use owner::Owner;
pub use sqlite::SqliteStore;

/// The name of a run: a UUID, or what `--id` gave.
pub type RunId = Arc<str>;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// How often a run has changed hands. Every write names the epoch it was acquired with; a stale one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// How long an owner may be silent before another may take its run, in milliseconds.
pub const LEASE_MS: i64 = 10_000;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// A process has it, or had it when it died.
    Running,
    /// Only answers or timers move it on.
    Paused,
    /// It ended with a value.
    Completed,
    /// It ended with an error.
    Failed,
    /// It is cancelled and its cleanup is under way.
    Cancelling,
    /// It was cancelled.
    Cancelled,
}

impl RunStatus {
    /// As users and the store write it.
    pub fn text(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Paused => "paused",
            RunStatus::Completed => "completed",
            RunStatus::Failed => "failed",
            RunStatus::Cancelling => "cancelling",
            RunStatus::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens by itself.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The reverse of [`RunStatus::text`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Paused, Self::Completed, Self::Failed, Self::Cancelling, Self::Cancelled]
            .into_iter()
            .find(|status| status.text() == text)
    }
}

/// What a run starts with.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its name; taken already is [`StoreError::Exists`].
    pub id: RunId,
    /// The declared name of the workflow.
    pub workflow: String,
    /// The path of the script as it was given, for people.
    pub script: String,
    /// The hash of the code.
    pub code_hash: [u8; 32],
    /// The code: sources, manifest and bytecode, as [`crate::code`] packs them. Stored once per hash.
    pub code: Arc<[u8]>,
    /// The arguments, as JSON.
    pub input: String,
    /// What the run was given (permissions, model, retention), as JSON; the store does not look inside.
    pub settings: String,
    /// When.
    pub created_at: Millis,
    /// Who executes it.
    pub owner: Owner,
}

/// A run as the store knows it.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// Its name.
    pub id: RunId,
    /// The declared name of the workflow.
    pub workflow: String,
    /// The path of the script as it was given.
    pub script: String,
    /// The hash of its code, as of its latest checkpoint: see [`Store::code_at`].
    pub code_hash: [u8; 32],
    /// The arguments, as JSON.
    pub input: String,
    /// What it was given, as JSON.
    pub settings: String,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was started.
    pub created_at: Millis,
    /// When it was last written.
    pub updated_at: Millis,
    /// Its epoch.
    pub epoch: Epoch,
    /// Who has it, if anyone.
    pub owner: Option<Owner>,
    /// Until when that owner may be silent.
    pub lease_until: Millis,
    /// The number of its latest checkpoint; 0 before the first.
    pub last_checkpoint: u64,
    /// The sequence number of its latest event; 0 before the first.
    pub last_seq: u64,
    /// When its next timer is due, if nothing else can go on before.
    pub wake_at: Option<Millis>,
    /// Its result so far, as JSON: output, state, error.
    pub result: Option<String>,
    /// How many bytes of rows it has, its code aside.
    pub bytes: u64,
}

/// A request that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// Its id, unique among the open ones of its run.
    pub id: String,
    /// What is shown of it, as JSON: `{ id, data, schema, title, to, path, asked_at, due_at }`.
    pub json: String,
    /// When it was asked.
    pub asked_at: Millis,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEnd {
    /// The run took an answer.
    Answered,
    /// The run no longer wants one.
    Withdrawn,
    /// The run refused the recorded answer; the request is open again, without it.
    Refused,
}

/// An open request of some run.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// The run.
    pub run: RunId,
    /// Its workflow.
    pub workflow: String,
    /// The request.
    pub request: RequestRow,
    /// Whether people were told of it.
    pub notified: bool,
    /// An answer that was recorded and waits for the owner.
    pub recorded: Option<RecordedAnswer>,
}

/// The oldest open requests of all runs.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// As many as were asked for, oldest first.
    pub requests: Vec<OpenRequest>,
    /// How many more there are, counted up to [`COUNTED`].
    pub more: u64,
}

/// How many requests are counted that are not read, so that to count them takes no time either.
pub const COUNTED: usize = 10_000;

/// An answer that waits for whoever executes the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The answer, as JSON.
    pub value: String,
    /// When it was given.
    pub at: Millis,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is recorded; the owner, now or later, takes or refuses it.
    Recorded,
    /// There is no such request, or it no longer waits: the reason says which.
    Refused(String),
}

/// The rows of one checkpoint.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Its number.
    pub n: u64,
    /// The sealed header.
    pub header: Vec<u8>,
    /// Every fiber row that it consists of, by fiber and segment.
    pub fibers: Vec<FiberRow>,
}

/// Reads chunks inside the transaction in which a checkpoint is loaded.
pub trait Chunks {
    /// The sealed bytes of a chunk, `None` if the checkpoint cannot name it: it is not there, is newer, or was dead.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn chunk(&mut self, id: u64) -> Result<Option<Vec<u8>>, StoreError>;
}

/// Receives the rows of a checkpoint, with the means to read its chunks.
pub type Visit<'v> = &'v mut dyn FnMut(&Saved, &mut dyn Chunks) -> Result<(), StoreError>;

/// Becomes ready when a commit is durable, or says why it is not. Dropping it does not undo the commit.
pub type Receipt = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// Which checkpoints a run still has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The oldest.
    pub first: u64,
    /// The latest.
    pub last: u64,
    /// How many.
    pub count: u64,
}

/// So many rows, with so many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Rows, or what they stand for.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What the bytes of a run hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The arguments and settings.
    pub input: u64,
    /// The result so far.
    pub result: u64,
    /// The checkpoints that are kept; their rows are counted by the others.
    pub headers: Counted,
    /// The stack of each branch that lives: (fiber, bytes).
    pub fibers: Vec<(u32, u64)>,
    /// Parts of large values that live.
    pub chunks: Counted,
    /// Stacks that only older checkpoints need.
    pub old_fibers: Counted,
    /// Parts of large values that only older checkpoints need.
    pub old_chunks: Counted,
    /// The events that are kept.
    pub events: Counted,
    /// Requests and answers.
    pub requests: Counted,
    /// The code, which runs share; no part of [`Sizes::total`].
    pub code: u64,
    /// How many other runs started with the same code, counted up to [`COUNTED`].
    pub code_shared_by: u64,
}

impl Sizes {
    /// What [`RunRecord::bytes`] says.
    pub fn total(&self) -> u64 {
        let counted = [self.headers, self.chunks, self.old_fibers, self.old_chunks, self.events, self.requests];
        let counted: u64 = counted.iter().map(|part| part.bytes).sum();
        let fibers: u64 = self.fibers.iter().map(|(_, bytes)| bytes).sum();
        self.input + self.result + counted + fibers
    }
}

/// What became of a run that was to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Nobody finds it any more; its rows go with the next [`SqliteStore::sweep`].
    Removed {
        /// How many bytes of rows it had.
        bytes: u64,
    },
    /// It has this status, so it may still go on.
    Unfinished(String),
    /// This process executes it.
    Executed(String),
}

/// What is left of removed runs outside of their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The file was rewritten. Otherwise gaps in pages of other runs may hold remains.
    pub rewritten: bool,
    /// The write-ahead log is empty. Otherwise somebody reads the store, and it is emptied later.
    pub log_emptied: bool,
}

/// How many transactions a store has written, and how many deltas were in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Transactions, each made durable by itself.
    pub transactions: u64,
    /// Deltas committed; several runs share a transaction.
    pub deltas: u64,
    /// Bytes of rows handed over in them.
    pub bytes: u64,
}

/// Where runs live. All methods may block on the disk, briefly; only [`Store::commit`] may be called from async code.
pub trait Store: Send + Sync + 'static {
    /// Enters a run and gives it to its owner, with no checkpoint yet.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the id is taken.
    fn begin(&self, run: NewRun) -> Result<Epoch, StoreError>;

    /// Queues a delta; deltas of one run are written in the order in which they were queued, those of many runs share
    /// transactions. The epoch and the number are checked in the same transaction. When a delta is refused or cannot be
    /// written, so is every later one of that run and epoch, with the same error, until somebody acquires the run.
    fn commit(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt;

    /// Gives a run to `owner` and begins a new epoch. Refused with [`StoreError::Owned`] while another owner is alive
    /// (see [`Owner::is_dead`]) and its lease has not expired, unless `take_over`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Owned`].
    fn acquire(&self, run: &RunId, owner: Owner, take_over: bool, now: Millis) -> Result<Epoch, StoreError>;

    /// Extends the lease to `now` plus [`LEASE_MS`].
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the run has changed hands.
    fn renew(&self, run: &RunId, epoch: Epoch, now: Millis) -> Result<(), StoreError>;

    /// Gives the run up, if it is still held under that epoch.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn release(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError>;

    /// Records an answer for whoever executes the run. A second answer to a request that has a recorded one is refused.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    fn answer(&self, run: &RunId, request: &str, value: &str, now: Millis) -> Result<Answered, StoreError>;

    /// Asks whoever executes the run, now or next, to cancel it; whether it can still be. The wish lasts until the run ends.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    fn cancel(&self, run: &RunId) -> Result<bool, StoreError>;

    /// Whether somebody has asked for the run to be cancelled.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    fn wants_cancelled(&self, run: &RunId) -> Result<bool, StoreError>;

    /// Notes that people were told of an open request, if the run is still held under that epoch.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the run has changed hands.
    fn notified(&self, run: &RunId, epoch: Epoch, request: &str, now: Millis) -> Result<(), StoreError>;

    /// Reads one checkpoint, the latest unless `at` names one, in one read transaction. A run without a checkpoint is
    /// not visited and gives `false`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NoCheckpoint`] when `at` is gone, and what `visit` gives.
    fn load(&self, run: &RunId, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError>;

    /// The code stored under a hash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn code(&self, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError>;

    /// The hash of the code that a run had at a checkpoint: what it started with, or what it has moved to before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn code_at(&self, run: &RunId, at: u64) -> Result<[u8; 32], StoreError>;

    /// What a run told from checkpoint `from` to checkpoint `to`, each batch with the number of its checkpoint.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn told(&self, run: &RunId, from: u64, to: u64) -> Result<Vec<(u64, EventBatch)>, StoreError>;

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn run(&self, id: &str) -> Result<RunRecord, StoreError>;

    /// All runs, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError>;

    /// Runs that nobody alive executes and that can go on by themselves: those whose timer has come by `now`, the longest
    /// due first, and with `interrupted` those that were stopped while they were running; at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn due(&self, now: Millis, interrupted: bool, limit: usize) -> Result<Vec<RunRecord>, StoreError>;

    /// The ids that begin or end with `part`, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn ids_like(&self, part: &str, limit: usize) -> Result<Vec<RunId>, StoreError>;

    /// The open requests of a run, or of all runs, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn requests(&self, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError>;

    /// The oldest open requests of all runs, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn inbox(&self, limit: usize) -> Result<Inbox, StoreError>;

    /// The events of a run whose sequence numbers are greater than `after`, in batches; a batch may begin earlier. Those
    /// of the last 10,000 checkpoints are kept, or of as many as checkpoints are kept when those are more.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn events(&self, run: &RunId, after: u64) -> Result<Vec<EventBatch>, StoreError>;

    /// Which checkpoints a run still has; `None` before the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn kept(&self, run: &RunId) -> Result<Option<Kept>, StoreError>;

    /// The numbers of the checkpoints that a run still has, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn checkpoints(&self, run: &RunId) -> Result<Vec<u64>, StoreError>;

    /// What this store object has written so far.
    fn counts(&self) -> StoreCounts;
}
