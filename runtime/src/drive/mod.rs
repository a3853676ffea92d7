//! The loop that lets a run go on: run the machine, save what changed, let out what is durable, settle what came back.
//!
//! Everything that becomes true between two checkpoints is one delta. Its effects leave, and its events are shown, when
//! it is durable; meanwhile outcomes are settled and other branches go on. A failed commit ends the run here: nothing
//! later may be written. Going on after a crash is the same loop on the loaded machine, with its open questions asked
//! again.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use tokio::sync::mpsc;

use crate::{
    checkpoint::Saver,
    effect::{Effect, EffectKind},
    event::Event,
    host::{Host, Woken},
    machine::{Image, Machine, Outcome, Progress},
    request::Request,
    store::{Epoch, LEASE_MS, Millis, Moved, RequestEnd, RunId, Store, StoreError},
};

mod answer;
mod cancel;
mod commit;
mod failure;
mod fork;
mod moved;
mod perform;
mod report;
mod start;
mod tell;
mod timers;

pub use failure::Failure;
pub use fork::{Fork, InFlight};
pub use report::{Ended, Report};
pub use start::{Begin, DriveError, arguments, begin, fits, look, reopen, retry};

/// How many loop heads and calls a machine may pass before others have their turn.
const FUEL: u32 = 100_000;
/// How many deltas of a run may wait to become durable.
const QUEUED: usize = 2;
/// How long an event or an unsaved result may wait while the machine computes. It is shown when it is durable, which
/// takes a disk some milliseconds more, and ten are promised for both.
const NEWS_MAY_WAIT: Duration = Duration::from_millis(5);
/// How often the store is asked for what other processes have recorded: answers, and that the run is to be cancelled.
const LOOK_FOR_WISHES: Duration = Duration::from_millis(200);

/// Who sees the events of a run, once they are durable, in order.
pub trait Sink: Send {
    /// One event, as users see it. `false` when nobody listens any more: the run is saved and stops.
    fn event(&mut self, event: &Json) -> bool;
}

/// How a run is driven.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long to wait for timers when nothing else can go on; `None` is without end.
    pub max_wait: Option<Duration>,
    /// How many checkpoints are kept beside the pinned ones; `None` keeps all.
    pub keep: Option<u64>,
    /// Every boundary is a checkpoint of its own, as in tests.
    pub each_boundary: bool,
    /// Wait for answers to open requests instead of pausing.
    pub wait_for_answers: bool,
    /// What `ctx.is_streaming` says.
    pub streaming: bool,
}

/// How many checkpoints are kept unless told otherwise.
pub const KEEP: u64 = 500;

impl Default for Options {
    fn default() -> Self {
        Self { max_wait: None, keep: Some(KEEP), each_boundary: false, wait_for_answers: false, streaming: false }
    }
}

/// What can be said to a run while it is driven.
#[derive(Debug)]
pub enum Command {
    /// An answer to a request; what became of it is sent back.
    Answer {
        /// The request's id.
        request: String,
        /// The answer.
        value: Json,
        /// Receives why it was refused.
        reply: tokio::sync::oneshot::Sender<Result<(), String>>,
    },
    /// Save and stop.
    Interrupt,
    /// Cancel the run: its `finally` blocks run, and then it ends.
    Cancel,
    /// Pause instead of waiting for answers any longer.
    Pause,
}

/// A run that this process executes.
pub struct Run {
    id: RunId,
    epoch: Epoch,
    store: Arc<dyn Store>,
    host: Arc<dyn Host>,
    image: Arc<Image>,
    options: Options,
    workflow: wf_lang::program::Workflow,
    machine: Machine,
    saver: Saver,
    /// The number of the latest checkpoint that was queued.
    n: u64,
    next_seq: u64,
    /// The first checkpoint of this process writes everything anew.
    reset: bool,
    floor: u64,
    /// Told by the driver itself since the last checkpoint.
    told: Vec<Event>,
    /// What came of calls since the last checkpoint.
    recent: Vec<failure::Recent>,
    /// What was told before the run failed, and is computed again.
    told_already: VecDeque<Json>,
    /// Calls asked since the last checkpoint, which leave with the next.
    asked: Vec<Effect>,
    /// Requests opened, by effect, and ended since the last checkpoint.
    opened: BTreeMap<u64, String>,
    ended: Vec<(String, RequestEnd)>,
    requests: BTreeMap<String, Request>,
    /// The ids of those, by effect.
    asking: BTreeMap<u64, String>,
    /// How requests ended that this process had open.
    closed: BTreeMap<String, &'static str>,
    /// Whose answers were taken since the last checkpoint; they are told when it is durable.
    replies: Vec<commit::Reply>,
    timers: timers::Timers,
    /// Calls under way, by effect, with what ends them.
    calls: BTreeMap<u64, tokio::task::AbortHandle>,
    /// Requests of which people are being told, and where it arrives what came of it.
    tellings: (
        BTreeMap<String, tokio::task::AbortHandle>,
        (mpsc::UnboundedSender<tell::Told>, mpsc::UnboundedReceiver<tell::Told>),
    ),
    /// Open requests of the loaded checkpoint of which people are still to be told.
    untold: Vec<String>,
    /// Deltas that are not durable yet.
    queued: VecDeque<commit::Queued>,
    settled: (mpsc::UnboundedSender<Settled>, mpsc::UnboundedReceiver<Settled>),
    /// A result came in, or a request ended, that is not saved yet.
    unsaved: bool,
    last_commit: Instant,
    /// When others last had their turn while the machine computes.
    last_pause: Instant,
    started: Instant,
    /// The machine has more to compute, and was stopped so that others have their turn.
    computes: bool,
    /// Calls of the loaded checkpoint that leave when the loop begins.
    again: Vec<Effect>,
    /// The last delta that was queued says that the run is paused.
    paused: bool,
    /// From the next checkpoint on its code is this.
    moves: Option<Moved>,
    /// What was last told of that: the open requests, and the next timer.
    told_paused: Option<(Vec<String>, usize, Option<Millis>)>,
    listening: bool,
}

/// How far the machine has come.
enum Ready {
    /// The run has come to its end; without an outcome when it was cancelled.
    Done(Option<Outcome>),
    /// Every fiber waits.
    Waits,
    /// It has more to compute, and was stopped so that the lease, commands and timers have their turn.
    Computes,
}

/// What came back from the world.
pub(crate) struct Settled {
    fiber: u32,
    effect: u64,
    outcome: Outcome,
}

impl Run {
    /// Its id.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Lets the run go on until it ends, pauses, or is interrupted. The run is given up in any case.
    ///
    /// # Errors
    /// When the store refuses what the run has to remember; what was durable before stays so.
    pub async fn drive(
        mut self,
        sink: &mut dyn Sink,
        mut commands: mpsc::UnboundedReceiver<Command>,
    ) -> Result<Report, StoreError> {
        let result = self.go_on(sink, &mut commands).await;
        if result.is_ok() {
            self.finish_telling().await;
        }
        for task in self.calls.values().chain(self.tellings.0.values()) {
            task.abort();
        }
        let (store, id, epoch) = (Arc::clone(&self.store), Arc::clone(&self.id), self.epoch);
        let released = aside(move || store.release(&id, epoch)).await;
        let ended = result?;
        released?;
        Ok(ended)
    }

    async fn go_on(
        &mut self,
        sink: &mut dyn Sink,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Result<Report, StoreError> {
        let mut lease = tokio::time::interval(Duration::from_millis(LEASE_MS as u64 / 3));
        lease.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        lease.reset();
        let mut look = tokio::time::interval(LOOK_FOR_WISHES);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for effect in std::mem::take(&mut self.again) {
            self.let_out(effect);
        }
        for request in std::mem::take(&mut self.untold) {
            self.tell_of(&request);
        }
        self.take_recorded().await?;
        let mut commands_open = true;
        let mut interrupted = false;
        loop {
            self.machine.keep_time(self.host.now());
            if !self.computes {
                // Others had their turn while the run waited. What came in and what it leads to share a checkpoint.
                self.last_pause = Instant::now();
            }
            let ready = self.run_ready(sink).await?;
            self.machine.keep_time(self.host.now());
            let computes = match ready {
                Ready::Done(outcome) => return self.finish(outcome, sink).await,
                Ready::Waits => false,
                Ready::Computes => true,
            };
            if self.host.stopped(&self.machine) {
                return self.give_way(sink).await;
            }
            if interrupted || !self.listening {
                return self.stop(sink).await;
            }
            self.computes = computes;
            if computes {
                self.fire_timers();
            } else {
                self.commit_if_needed(sink).await?;
            }
            if self.can_only_pause() {
                self.drain(sink).await?;
                if !self.listening {
                    return self.stop(sink).await;
                }
                if !self.is_telling() {
                    return self.pause(sink).await;
                }
            }
            let waiting = self.host.wait(self.next_timer(), !computes && self.is_idle());
            tokio::select! {
                biased;
                durable = commit::first(&mut self.queued), if !self.queued.is_empty() => {
                    durable?;
                    self.release_first(sink);
                }
                Some(settled) = self.settled.1.recv() => self.settle(settled),
                Some(told) = self.tellings.1.1.recv() => self.was_told(told).await?,
                command = commands.recv(), if commands_open => match command {
                    Some(Command::Answer { request, value, reply }) => match self.answer(&request, &value) {
                        Ok(()) => self.replies.push(reply),
                        Err(reason) => {
                            let _ = reply.send(Err(reason));
                        }
                    },
                    Some(Command::Interrupt) => interrupted = true,
                    Some(Command::Cancel) => self.cancel(),
                    Some(Command::Pause) => self.options.wait_for_answers = false,
                    None => commands_open = false,
                },
                woken = waiting => match woken {
                    Woken::Moment => self.fire_timers(),
                    Woken::Answer { request, value } => self.brought(&request, &value),
                    Woken::Stuck if self.leave_observed() => {}
                    Woken::Stuck => return self.pause(sink).await,
                },
                _ = lease.tick() => self.renew().await?,
                _ = look.tick() => {
                    self.take_recorded().await?;
                    self.take_wish().await?;
                }
                () = tokio::task::yield_now(), if computes => {}
            }
        }
    }

    /// Runs the machine until every fiber waits, the run has come to its end, or others must have their turn.
    async fn run_ready(&mut self, sink: &mut dyn Sink) -> Result<Ready, StoreError> {
        loop {
            let progress = self.machine.run(FUEL);
            if self.machine.wants_time() {
                self.machine.keep_time(self.host.now());
            }
            // Before anything that is asked now: it may take the place of what was withdrawn.
            self.withdraw();
            match progress {
                // Both give the machine new fuel, so a program that only asks for the time, or only begins and ends
                // steps, is stopped by the clock instead.
                Progress::Effect(effect) if effect.kind() == EffectKind::Hook => {
                    if self.hook(&effect) {
                        self.commit_if_needed(sink).await?;
                        self.drain(sink).await?;
                    }
                    if self.host.stopped(&self.machine) {
                        return Ok(Ready::Waits);
                    }
                }
                Progress::Effect(effect) => {
                    let asks = effect.kind() != EffectKind::Instant;
                    self.take_effect(effect);
                    if self.options.each_boundary && asks {
                        self.commit_if_needed(sink).await?;
                        self.drain(sink).await?;
                    }
                }
                Progress::Boundary if self.options.each_boundary => {
                    self.commit_if_needed(sink).await?;
                    self.drain(sink).await?;
                }
                Progress::Boundary => {}
                Progress::OutOfFuel => {
                    // A result that was paid for is saved before a computation that takes longer than its fuel.
                    if self.unsaved {
                        self.commit_if_needed(sink).await?;
                    }
                    return self.breathe(sink).await;
                }
                Progress::Waiting => return Ok(Ready::Waits),
                Progress::Done(outcome) => return Ok(Ready::Done(Some(outcome))),
                Progress::Cancelled => return Ok(Ready::Done(None)),
            }
            if self.last_pause.elapsed() >= NEWS_MAY_WAIT {
                return self.breathe(sink).await;
            }
        }
    }

    /// Gives others their turn while the machine computes; what was told does not wait for long.
    async fn breathe(&mut self, sink: &mut dyn Sink) -> Result<Ready, StoreError> {
        self.last_pause = Instant::now();
        while let Ok(settled) = self.settled.1.try_recv() {
            self.settle(settled);
        }
        if self.last_commit.elapsed() >= NEWS_MAY_WAIT {
            self.commit_if_needed(sink).await?;
        }
        self.release_durable(sink)?;
        Ok(Ready::Computes)
    }

    /// Tells of something that happens after all that the program has told so far.
    fn tell(&mut self, event: Event) {
        self.take_told();
        self.told.push(event);
    }

    async fn renew(&mut self) -> Result<(), StoreError> {
        let (store, id, epoch, now) = (Arc::clone(&self.store), Arc::clone(&self.id), self.epoch, self.host.now());
        aside(move || store.renew(&id, epoch, now)).await
    }
}

/// Asks the store something that may wait for the disk, without holding up other runs.
async fn aside<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(ask).await {
        Ok(answer) => answer,
        Err(error) => Err(StoreError::Unusable(error.to_string())),
    }
}
