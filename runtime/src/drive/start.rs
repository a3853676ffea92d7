//! Taking a run: a new one, or one that the store remembers.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use serde_json::Value as Json;
use tokio::sync::mpsc;
use wf_lang::program::Workflow;

use super::{Failure, Options, Run, moved};
use crate::{
    checkpoint::{self, LoadError, Saver},
    effect::{Effect, EffectKind, Hold},
    event::Event,
    fault::Fault,
    host::Host,
    json::from_json,
    machine::{Image, Machine, Unknown},
    request::Request,
    store::{
        Chunks, Epoch, LEASE_MS, Millis, NewRun, Owner, RequestEnd, RunId, RunRecord, RunStatus, Saved, Store,
        StoreError,
    },
    validate::{fits_outside, show_type},
    value::Value,
};

/// What a run is driven with.
pub struct Begin {
    /// Where it is remembered.
    pub store: Arc<dyn Store>,
    /// What answers its questions.
    pub host: Arc<dyn Host>,
    /// Its code.
    pub image: Arc<Image>,
    /// How it is driven.
    pub options: Options,
}

/// Why a run could not be taken.
#[derive(Clone, Debug)]
pub enum DriveError {
    /// The store could not give it.
    Store(StoreError),
    /// Its checkpoint does not hold what was written.
    Damaged {
        /// The number of the checkpoint.
        checkpoint: u64,
        /// Which row, and what is wrong with it.
        error: LoadError,
        /// The newest checkpoint that does not need that row.
        usable: Option<u64>,
    },
    /// It cannot go on: it has ended, or has no such workflow.
    Refused(String),
}

impl std::fmt::Display for DriveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Damaged { checkpoint, error, usable } => {
                write!(f, "checkpoint {checkpoint} cannot be used: {error}; ")?;
                match usable {
                    Some(n) => write!(f, "checkpoint {n} is the newest that does not need it"),
                    None => write!(f, "no other checkpoint can be used instead"),
                }
            }
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for DriveError {}

impl From<StoreError> for DriveError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Reads the arguments of a workflow from a JSON object, against the types of its parameters.
///
/// # Errors
/// The first argument that is missing, not known, or does not fit.
pub fn arguments(image: &Image, workflow: &Workflow, input: &Json) -> Result<Vec<Value>, String> {
    let Some(function) = image.find(workflow.function) else { return Err("the workflow has no function".into()) };
    let nothing = serde_json::Map::new();
    let given = match input {
        Json::Object(given) => given,
        Json::Null => &nothing,
        _ => return Err("the input of a workflow is a JSON object with a field for each parameter".into()),
    };
    let known: Vec<&str> = function.params.iter().map(|param| param.name.as_str()).collect();
    if let Some(unknown) = given.keys().find(|name| !known.contains(&name.as_str())) {
        let known = if known.is_empty() { "none".into() } else { format!("`{}`", known.join("`, `")) };
        return Err(format!("workflow `{}` has no parameter `{unknown}`; its parameters: {known}", workflow.name));
    }
    let read = |param: &wf_lang::program::Param| match given.get(param.name.as_str()) {
        None if param.has_default => Ok(Value::Missing),
        value => {
            let json = value.cloned().unwrap_or_default();
            let found = from_json(&json).map_err(|fault: Fault| fault.message.as_str().to_owned());
            let fitted = found.and_then(|found| {
                fits_outside(&image.program.types, param.ty, found).map_err(|misfit| misfit.to_string())
            });
            fitted.map_err(|reason| match value {
                None => {
                    let ty = show_type(&image.program.types, param.ty);
                    let (workflow, name) = (&workflow.name, &param.name);
                    format!("workflow `{workflow}` needs `{name}`, which takes `{ty}`; give it as {name}=VALUE")
                }
                Some(_) => format!("`{}`: {reason}", param.name),
            })
        }
    };
    function.params.iter().map(read).collect()
}

/// Enters a new run in the store and takes it.
///
/// # Errors
/// When the arguments do not fit, or the store does not take it.
pub fn begin(begin: Begin, new: NewRun) -> Result<Run, DriveError> {
    let input: Json = serde_json::from_str(&new.input).unwrap_or_default();
    let workflow = workflow(&begin.image, &new.workflow)?;
    let args = arguments(&begin.image, &workflow, &input).map_err(DriveError::Refused)?;
    let id = Arc::clone(&new.id);
    let code_hash = new.code_hash;
    let epoch = begin.store.begin(new)?;
    let machine = Machine::start(Arc::clone(&begin.image), Arc::clone(&id), &workflow, args);
    let mut run = Run::new(begin, id, epoch, workflow, machine, Saver::new(code_hash));
    run.told.push(Event::Started { workflow: run.workflow.name.to_string(), input });
    Ok(run)
}

/// Takes a run that the store remembers, at its latest checkpoint or at `at`.
///
/// # Errors
/// When another process has it, or its checkpoint cannot be read.
pub fn reopen(begin: Begin, record: &RunRecord, at: Option<u64>, take_over: bool) -> Result<Run, DriveError> {
    take(begin, record, at.map_or(Point::Latest, Point::Checkpoint), take_over)
}

/// Takes a run that has failed, at the last checkpoint before its error was thrown.
///
/// # Errors
/// [`DriveError::Refused`] when it has not failed, or when a call has left since; else as [`reopen`].
pub fn retry(begin: Begin, record: &RunRecord, take_over: bool) -> Result<Run, DriveError> {
    let Some(failure) = Failure::of(record) else {
        return Err(DriveError::Refused(
            "where the run failed is not known; `wf fork` can go on from an older checkpoint".into(),
        ));
    };
    if failure.since {
        let reason = "the run made a call after its error was thrown, in a `catch` or a `finally`, which going on from before \
                      the error would make again";
        return Err(DriveError::Refused(reason.into()));
    }
    take(begin, record, Point::Failure(&failure), take_over)
}

/// Where a run is taken up.
#[derive(Clone, Copy)]
enum Point<'f> {
    /// At its latest checkpoint.
    Latest,
    /// At the checkpoint of that number.
    Checkpoint(u64),
    /// Before the error with which it failed.
    Failure(&'f Failure),
}

fn take(begin: Begin, record: &RunRecord, from: Point<'_>, take_over: bool) -> Result<Run, DriveError> {
    let id = Arc::clone(&record.id);
    let workflow = workflow(&begin.image, &record.workflow)?;
    // Whoever had it renewed its lease until shortly before it died.
    let alive = record.lease_until.saturating_sub(LEASE_MS).min(begin.host.now());
    let epoch = begin.store.acquire(&id, Owner::current(), take_over, begin.host.now())?;
    match load(begin, record, workflow, epoch, from, alive) {
        Ok(run) => Ok(run),
        Err((store, error)) => {
            store.release(&id, epoch)?;
            Err(error)
        }
    }
}

/// The machine of a run as it was at a checkpoint, to look at; `None` before the first.
///
/// # Errors
/// When the checkpoint cannot be read.
pub fn look(
    image: &Arc<Image>,
    store: &dyn Store,
    record: &RunRecord,
    at: Option<u64>,
) -> Result<Option<Machine>, DriveError> {
    Ok(read(image, store, record, at, true)?.map(|(machine, _)| machine))
}

/// Whether an answer fits an open request of a run that another process executes; one whose request the latest
/// checkpoint does not hold is left to that process.
///
/// # Errors
/// Why it does not fit.
pub fn fits(
    image: &Arc<Image>,
    store: &dyn Store,
    record: &RunRecord,
    request: &str,
    answer: &Json,
) -> Result<(), String> {
    let Ok(Some(machine)) = look(image, store, record, None) else { return Ok(()) };
    let types = &image.program.types;
    let asked = machine.open_effects().into_iter().filter(|effect| effect.kind() == EffectKind::Request);
    let mut open = asked.filter_map(|effect| Request::new(&effect, &record.id, types).ok());
    match open.find(|open| open.id == request) {
        Some(open) => open.read(types, answer).map(|_| ()),
        None => Ok(()),
    }
}

type Unloaded = (Arc<dyn Store>, DriveError);

fn load(
    begin: Begin,
    record: &RunRecord,
    workflow: Workflow,
    epoch: Epoch,
    from: Point<'_>,
    alive: Millis,
) -> Result<Run, Unloaded> {
    let store = Arc::clone(&begin.store);
    let failed = |error: DriveError| (Arc::clone(&store), error);
    let id = Arc::clone(&record.id);
    // What was written since the record was read counts too.
    let known = record.code_hash;
    let record = &store.run(&id).map_err(|error| failed(error.into()))?;
    let last = record.last_checkpoint;
    let at = match from {
        Point::Latest => None,
        Point::Checkpoint(at) => Some(at),
        Point::Failure(_) if record.status != RunStatus::Failed => {
            return Err(failed(DriveError::Refused(format!("the run is {} meanwhile", record.status.text()))));
        }
        Point::Failure(failure) => Some(failure.at),
    };
    let moves = moved::back(&*store, record, at).map_err(|error| failed(error.into()))?;
    if at.is_none() && record.code_hash != known {
        return Err(failed(DriveError::Refused("the run moved to other code meanwhile; try again".into())));
    }
    let fresh = at.is_some_and(|at| at != last);
    let found = match from {
        Point::Failure(Failure { at: 0, .. }) => None,
        _ => read(&begin.image, &*store, record, at, fresh).map_err(failed)?,
    };
    let mut run = match found {
        Some((mut machine, mut saver)) => {
            if fresh {
                saver.skip_used(last);
            } else {
                machine.was_alive(alive);
            }
            let mut run = Run::new(begin, id, epoch, workflow, machine, saver);
            // A run that pauses again where it stood is not written again.
            run.paused = record.status == RunStatus::Paused && !fresh;
            run
        }
        None => {
            let input: Json = serde_json::from_str(&record.input).unwrap_or_default();
            let args =
                arguments(&begin.image, &workflow, &input).map_err(|reason| failed(DriveError::Refused(reason)))?;
            let machine = Machine::start(Arc::clone(&begin.image), Arc::clone(&id), &workflow, args);
            let mut saver = Saver::new(record.code_hash);
            if last > 0 {
                saver.skip_used(last);
            }
            let mut run = Run::new(begin, id, epoch, workflow, machine, saver);
            if last == 0 {
                run.told.push(Event::Started { workflow: run.workflow.name.to_string(), input });
                run.take_up_wish().map_err(|error| failed(error.into()))?;
                return Ok(run);
            }
            run
        }
    };
    run.n = last;
    run.next_seq = record.last_seq + 1;
    run.reset = fresh;
    run.moves = moves;
    run.told.push(Event::Resumed);
    run.machine.checkpoint = at.unwrap_or(last);
    let mut failed_calls = Vec::new();
    if let Point::Failure(failure) = from {
        run.machine.start_anew(&failure.fibers, &failure.calls);
        run.machine.keep_time(run.host.now());
        failed_calls.extend(failure.calls.iter().map(|(call, _)| *call));
        run.told_already.extend(failure.told.iter().cloned());
    }
    run.ask_again(fresh, &failed_calls);
    let stored = store.requests(Some(&run.id)).map_err(|error| failed(error.into()))?;
    if fresh {
        // What was asked after that checkpoint is asked no more.
        for open in stored {
            if !run.requests.contains_key(&open.request.id) {
                run.end_stored(&open.request.id, RequestEnd::Withdrawn);
            }
        }
    } else {
        let untold = stored.iter().filter(|open| !open.notified).map(|open| open.request.id.clone());
        run.untold.extend(untold);
        // Before any answer that is brought now.
        run.apply_recorded(stored);
    }
    run.take_up_wish().map_err(|error| failed(error.into()))?;
    Ok(run)
}

/// Reads a checkpoint; one that is damaged names the newest that can be used instead.
pub(super) fn read(
    image: &Arc<Image>,
    store: &dyn Store,
    record: &RunRecord,
    at: Option<u64>,
    fresh: bool,
) -> Result<Option<(Machine, Saver)>, DriveError> {
    match read_one(image, store, record, at, fresh)? {
        Ok(found) => Ok(found),
        Err((checkpoint, error)) => {
            let others = store.checkpoints(&record.id)?;
            let mut older = others.into_iter().filter(|n| *n < checkpoint);
            let usable = older.find(|n| matches!(read_one(image, store, record, Some(*n), true), Ok(Ok(Some(_)))));
            Err(DriveError::Damaged { checkpoint, error, usable })
        }
    }
}

type Found = Result<Option<(Machine, Saver)>, (u64, LoadError)>;

fn read_one(
    image: &Arc<Image>,
    store: &dyn Store,
    record: &RunRecord,
    at: Option<u64>,
    fresh: bool,
) -> Result<Found, StoreError> {
    let mut found = Ok(None);
    let code_hash = match at {
        Some(at) => store.code_at(&record.id, at)?,
        None => record.code_hash,
    };
    let mut visit = |saved: &Saved, chunks: &mut dyn Chunks| {
        let id = Arc::clone(&record.id);
        let loaded = checkpoint::load(image, id, code_hash, saved, chunks, fresh);
        found = match loaded {
            Ok((machine, saver, _)) => Ok(Some((machine, saver))),
            Err(LoadError::Store(error)) => return Err(error),
            Err(error) => Err((saved.n, error)),
        };
        Ok(())
    };
    store.load(&record.id, at, &mut visit)?;
    Ok(found)
}

pub(super) fn workflow(image: &Image, name: &str) -> Result<Workflow, DriveError> {
    let found = image.program.workflow(Some(name)).cloned();
    found.ok_or_else(|| DriveError::Refused(format!("the script has no workflow `{name}`")))
}

impl Run {
    pub(super) fn new(
        begin: Begin,
        id: RunId,
        epoch: Epoch,
        workflow: Workflow,
        mut machine: Machine,
        saver: Saver,
    ) -> Self {
        let Begin { store, host, image, options } = begin;
        machine.set_streaming(options.streaming);
        machine.was_away(host.now());
        Self {
            id,
            epoch,
            store,
            host,
            image,
            options,
            workflow,
            machine,
            saver,
            n: 0,
            next_seq: 1,
            reset: false,
            floor: 0,
            told: Vec::new(),
            recent: Vec::new(),
            told_already: VecDeque::new(),
            asked: Vec::new(),
            opened: BTreeMap::new(),
            ended: Vec::new(),
            requests: BTreeMap::new(),
            asking: BTreeMap::new(),
            closed: BTreeMap::new(),
            timers: Default::default(),
            replies: Vec::new(),
            calls: BTreeMap::new(),
            tellings: (BTreeMap::new(), mpsc::unbounded_channel()),
            untold: Vec::new(),
            queued: VecDeque::new(),
            settled: mpsc::unbounded_channel(),
            unsaved: false,
            last_commit: Instant::now(),
            last_pause: Instant::now(),
            started: Instant::now(),
            computes: false,
            again: Vec::new(),
            paused: false,
            moves: None,
            told_paused: None,
            listening: true,
        }
    }

    /// A call that was in flight when the run was stopped: it is made again, unless its step says otherwise.
    fn recover(&mut self, effect: Effect, fresh: bool) {
        match self.machine.unknown(&effect, self.host.now()) {
            Unknown::Again if fresh => self.asked.push(effect),
            Unknown::Again => self.again.push(effect),
            Unknown::Throws(fault) => {
                self.host.left_unknown(&effect);
                self.unsaved |= self.machine.settle(effect.fiber, effect.id, Err(fault));
            }
            Unknown::Asks(effect) => {
                if let Err(fault) = self.open_request(&effect, true) {
                    self.machine.settle(effect.fiber, effect.id, Err(fault));
                }
            }
        }
    }

    /// A call that was kept in leaves with the next checkpoint, which says that it may have left.
    fn let_go(&mut self, effect: &Effect) {
        self.asked.extend(self.machine.hold(effect.fiber, effect.id, Hold::No));
    }

    /// Asks the open questions of a loaded machine again, in the order in which they were asked first. They are durable
    /// already, so calls leave at once; when the run goes on from an older checkpoint, they leave with the next one. Of the
    /// calls that have failed it is known that they have.
    pub(super) fn ask_again(&mut self, fresh: bool, failed: &[u64]) {
        for effect in self.machine.open_effects() {
            match effect.kind() {
                EffectKind::Outside if effect.hold == Hold::Kept => self.let_go(&effect),
                EffectKind::Outside if failed.contains(&effect.id) => self.asked.push(effect),
                EffectKind::Outside => self.recover(effect, fresh),
                EffectKind::Timer => {
                    if let Some(Value::Time(moment)) = effect.args.first() {
                        self.timers.set(*moment, effect.id, effect.fiber);
                    }
                }
                EffectKind::Request => {
                    if let Err(fault) = self.open_request(&effect, fresh) {
                        self.machine.settle(effect.fiber, effect.id, Err(fault));
                    }
                }
                // Answered before anything is saved, so none is open.
                EffectKind::Instant | EffectKind::Hook => {
                    let outcome = match effect.kind() {
                        EffectKind::Hook => self.host.hook(&effect).0,
                        _ => self.host.instant(&effect),
                    };
                    self.machine.settle(effect.fiber, effect.id, outcome);
                }
            }
        }
    }
}
