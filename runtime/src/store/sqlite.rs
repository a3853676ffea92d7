//! The store on disk: one SQLite file.
//!
//! Everything that writes goes through one thread, which owns the writing connection and takes whatever waits into
//! one transaction; so a hundred runs that commit at once wait for the disk once. Readers have connections of their
//! own and wait for nobody.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction};
use tokio::sync::oneshot;

use super::{
    Answered, Delta, Epoch, EventBatch, Inbox, Kept, Millis, NewRun, OpenRequest, Owner, Receipt, Removal, RunId,
    RunRecord, Sizes, Store, StoreCounts, StoreError, Swept, Visit, locks, migrate,
};
use committer::{Change, Job, Queued};

mod apply;
mod backup;
mod committer;
pub(super) mod fault;
mod hand;
mod number;
mod query;
mod read;
mod remove;
mod size;

/// How long a writer waits for another process; a failed commit stops a run, so it is patient.
const WRITER_PATIENCE: Duration = Duration::from_secs(30);
const READER_PATIENCE: Duration = Duration::from_secs(10);

/// How every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Reading connections that are kept open while nobody reads.
const SPARE_READERS: usize = 4;

/// Runs in a SQLite file. Dropping it writes what is still queued.
pub struct SqliteStore {
    path: PathBuf,
    warning: Option<String>,
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
    counts: Arc<Mutex<StoreCounts>>,
}

impl SqliteStore {
    /// Opens the store at `path`; creates it, with its folder, if there is none.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] for a file that is something else, [`StoreError::Newer`] for one of a newer version, and
    /// [`StoreError::Unusable`] when it cannot be read or written.
    pub fn open(path: &Path) -> Result<Arc<Self>, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                StoreError::Unusable(format!("the folder `{}` cannot be created: {error}", folder.display()))
            })?;
        }
        Self::start(path)
    }

    /// Opens the store at `path`, and creates nothing.
    ///
    /// # Errors
    /// As [`SqliteStore::open`]; [`StoreError::Unusable`] also when there is no such file.
    pub fn open_existing(path: &Path) -> Result<Arc<Self>, StoreError> {
        match std::fs::metadata(path) {
            Ok(_) => Self::start(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::Unusable(format!("there is no store at `{}`", path.display())))
            }
            Err(error) => Err(StoreError::Unusable(format!("`{}`: {error}", path.display()))),
        }
    }

    /// What speaks against the place where it lies, though it can be used.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a run gone for every reader, unless a process that lives executes it, or (without `force`) it has not ended.
    /// [`SqliteStore::sweep`] then deletes its rows.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the store cannot be written.
    pub fn remove(&self, run: &str, force: bool, now: Millis) -> Result<Removal, StoreError> {
        remove::mark(&mut self.eraser()?, run, force, now)
    }

    /// Deletes the rows of removed runs and overwrites where they stood; others write meanwhile. A file of at most `quick`
    /// bytes is rewritten whole, which is the only way to be sure of gaps in pages that other runs use.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn sweep(&self, quick: u64) -> Result<Swept, StoreError> {
        remove::sweep(&mut self.eraser()?, quick)
    }

    /// A connection that overwrites what it deletes.
    fn eraser(&self) -> Result<Connection, StoreError> {
        let conn = connect(&self.path, OpenFlags::empty(), WRITER_PATIENCE).map_err(|error| at(&self.path, error))?;
        conn.execute_batch("PRAGMA secure_delete = ON").map_err(fault::of)?;
        Ok(conn)
    }

    /// Copies the store as it is at this moment to `target`, which is written over; runs go on meanwhile. `partial` is
    /// where the copy grows: a name beside it. Gives how many bytes the copy has.
    ///
    /// # Errors
    /// When the store cannot be read, or the copy not be written.
    pub fn backup(&self, target: &Path, partial: &Path) -> Result<u64, StoreError> {
        let source = reader(&self.path).map_err(|error| at(&self.path, error))?;
        backup::copy(&source, target, partial)
    }

    /// What the bytes of a run hold.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn sizes(&self, run: &RunId) -> Result<Sizes, StoreError> {
        self.read(|tx| size::of(tx, run))
    }

    /// The runs that were last written before `before`, the one that rests longest first. Looks at every run.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn resting(&self, before: Millis) -> Result<Vec<RunId>, StoreError> {
        self.read(|tx| query::resting(tx, before))
    }

    fn start(path: &Path) -> Result<Arc<Self>, StoreError> {
        if path.is_dir() {
            return Err(StoreError::Unusable(format!("`{}` is a folder", path.display())));
        }
        check_magic(path)?;
        let warning = locks::check(path, !path.exists()).map_err(|error| at(path, error))?;
        let mut writer =
            connect(path, OpenFlags::SQLITE_OPEN_CREATE, WRITER_PATIENCE).map_err(|error| at(path, error))?;
        migrate::prepare(&mut writer).map_err(|error| at(path, error))?;
        let counts = Arc::new(Mutex::new(StoreCounts::default()));
        let (jobs, queue) = mpsc::channel();
        let shared = counts.clone();
        let thread = std::thread::Builder::new()
            .name("wf-store".into())
            .spawn(move || committer::run(writer, &queue, &shared))
            .map_err(|error| StoreError::Unusable(format!("no thread can be started: {error}")))?;
        Ok(Arc::new(SqliteStore {
            path: path.to_owned(),
            warning,
            jobs: Some(jobs),
            thread: Some(thread),
            readers: Mutex::default(),
            counts,
        }))
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(writer_gone)
    }

    /// Has the writing thread do `work` in a transaction of its own.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.change(None, work)
    }

    /// As [`SqliteStore::write`], and begins a new epoch of `run`.
    fn begin_epoch(
        &self,
        run: &RunId,
        work: impl FnOnce(&Transaction<'_>) -> Result<Epoch, StoreError> + Send + 'static,
    ) -> Result<Epoch, StoreError> {
        self.change(Some(run.clone()), work)
    }

    fn change<T: Send + 'static>(
        &self,
        begins: Option<RunId>,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let change = Change::new(begins, work, move |result| {
            // Who asked may be gone.
            let _ = reply.send(result);
        });
        self.send(Job::Change(change))?;
        answer.recv().unwrap_or_else(|_| Err(writer_gone()))
    }

    /// Has a spare connection read in one transaction.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let spare = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut conn = match spare {
            Some(conn) => conn,
            None => reader(&self.path).map_err(|error| at(&self.path, error))?,
        };
        let result = conn.transaction().map_err(fault::of).and_then(|tx| work(&tx));
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < SPARE_READERS {
            readers.push(conn);
        }
        result
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else { return };
        // A receipt may hold the last reference, and be dropped by the writing thread when it answers it.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn begin(&self, run: NewRun) -> Result<Epoch, StoreError> {
        self.begin_epoch(&run.id.clone(), move |tx| hand::begin(tx, &run))
    }

    fn commit(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        let (reply, answer) = oneshot::channel();
        let sent = self.send(Job::Commit(Box::new(Queued { run: run.clone(), epoch, delta, reply })));
        Box::pin(async move {
            sent?;
            answer.await.unwrap_or_else(|_| Err(writer_gone()))
        })
    }

    fn acquire(&self, run: &RunId, owner: Owner, take_over: bool, now: Millis) -> Result<Epoch, StoreError> {
        let id = run.clone();
        self.begin_epoch(run, move |tx| hand::acquire(tx, &id, &owner, take_over, now))
    }

    fn renew(&self, run: &RunId, epoch: Epoch, now: Millis) -> Result<(), StoreError> {
        let id = run.clone();
        self.write(move |tx| hand::renew(tx, &id, epoch, now))
    }

    fn release(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError> {
        let id = run.clone();
        self.write(move |tx| hand::release(tx, &id, epoch))
    }

    fn answer(&self, run: &RunId, request: &str, value: &str, now: Millis) -> Result<Answered, StoreError> {
        let (id, request, value) = (run.clone(), request.to_owned(), value.to_owned());
        self.write(move |tx| hand::answer(tx, &id, &request, &value, now))
    }

    fn cancel(&self, run: &RunId) -> Result<bool, StoreError> {
        let id = run.clone();
        self.write(move |tx| hand::cancel(tx, &id))
    }

    fn wants_cancelled(&self, run: &RunId) -> Result<bool, StoreError> {
        self.read(|tx| hand::wants_cancelled(tx, run))
    }

    fn notified(&self, run: &RunId, epoch: Epoch, request: &str, now: Millis) -> Result<(), StoreError> {
        let (id, request) = (run.clone(), request.to_owned());
        self.write(move |tx| hand::notified(tx, &id, epoch, &request, now))
    }

    fn load(&self, run: &RunId, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError> {
        self.read(|tx| read::load(tx, run, at, visit))
    }

    fn code(&self, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.read(|tx| read::code(tx, hash))
    }

    fn code_at(&self, run: &RunId, at: u64) -> Result<[u8; 32], StoreError> {
        self.read(|tx| query::code_at(tx, run, at))
    }

    fn told(&self, run: &RunId, from: u64, to: u64) -> Result<Vec<(u64, EventBatch)>, StoreError> {
        self.read(|tx| query::told(tx, run, from, to))
    }

    fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        self.read(|tx| query::run(tx, id))
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.read(|tx| query::runs(tx, limit))
    }

    fn due(&self, now: Millis, interrupted: bool, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.read(|tx| query::due(tx, now, interrupted, limit))
    }

    fn ids_like(&self, part: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        self.read(|tx| query::ids_like(tx, part, limit))
    }

    fn requests(&self, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError> {
        self.read(|tx| query::requests(tx, run))
    }

    fn inbox(&self, limit: usize) -> Result<Inbox, StoreError> {
        self.read(|tx| query::inbox(tx, limit))
    }

    fn events(&self, run: &RunId, after: u64) -> Result<Vec<EventBatch>, StoreError> {
        self.read(|tx| query::events(tx, run, after))
    }

    fn kept(&self, run: &RunId) -> Result<Option<Kept>, StoreError> {
        self.read(|tx| query::kept(tx, run))
    }

    fn checkpoints(&self, run: &RunId) -> Result<Vec<u64>, StoreError> {
        self.read(|tx| query::checkpoints(tx, run))
    }

    fn counts(&self) -> StoreCounts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a file that does not begin as a database does. SQLite takes one that is shorter than a page for a new one,
/// and would write over somebody's notes.
fn check_magic(path: &Path) -> Result<(), StoreError> {
    let unreadable = |error| StoreError::Unusable(format!("`{}`: {error}", path.display()));
    let mut start = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(512).read_to_end(&mut start).map_err(unreadable)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    };
    let foreign = |reason| Err(StoreError::Foreign(format!("`{}`: {reason}", path.display())));
    match start.len() {
        0 | 512 if start.is_empty() || start.starts_with(MAGIC) => Ok(()),
        1..512 if start.starts_with(MAGIC) => foreign("the file is torn: it is shorter than its first page"),
        _ => foreign("the file is not a database"),
    }
}

/// A connection with the settings that every one needs; the file may turn out to be no store.
fn connect(path: &Path, flags: OpenFlags, patience: Duration) -> Result<Connection, StoreError> {
    // Without the URI flag: a path is a path, whatever characters it has.
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(fault::at_open)?;
    conn.busy_timeout(patience).map_err(fault::at_open)?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST;",
    )
    .map_err(fault::at_open)?;
    Ok(conn)
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = connect(path, OpenFlags::empty(), READER_PATIENCE)?;
    conn.pragma_update(None, "query_only", true).map_err(fault::of)?;
    Ok(conn)
}

/// Names the file where the error alone would leave the reader guessing.
fn at(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Unusable(reason) => StoreError::Unusable(format!("`{}`: {reason}", path.display())),
        StoreError::Foreign(reason) => StoreError::Foreign(format!("`{}`: {reason}", path.display())),
        other => other,
    }
}

fn writer_gone() -> StoreError {
    StoreError::Unusable("the thread that writes it has ended".into())
}

#[cfg(test)]
mod plans;
