//! The world of a test: it outlives the crashes of the run in it.
//!
//! What it knows is of two sorts. Which mocks, answers and crashes the test has declared, and which calls were made so
//! far, goes back with the run when it crashes, to where it was when the run was last saved. What the world has done goes
//! not: the clock, and what each call was given, by the call's identity, so that a call that is made again is given the
//! same.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use wf_lang::{
    Span,
    program::{Watched, WatchedKind},
};

use super::{answer::Plans, failure::Failure};
use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    host::{Host, Performing, System, Waiting, Woken},
    machine::{Image, Machine, Outcome},
    request::Request,
    store::{MemoryStore, RunId},
    value::{List, Value},
};

/// When the clock of a test starts: 2030-01-07T09:00:00Z, a Monday.
pub const START: i64 = 1_894_006_800_000;
/// How often time may pass in a test.
const MOST_JUMPS: u32 = 100_000;

/// The world of a test.
pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) run: RunId,
    pub(super) image: Arc<Image>,
    /// What random numbers and ids are made from: the name of the test.
    seed: String,
    /// Answers models that do not leave the process.
    pub(super) system: System,
    /// The model of agents that name none.
    pub(super) default_model: Option<String>,
    inner: Mutex<Inner>,
}

/// What the world knows.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) clock: i64,
    jumps: u32,
    /// What goes back with the run.
    pub(super) mocks: Vec<Mock>,
    pub(super) lines: Vec<Line>,
    pub(super) crashes: Vec<Crash>,
    /// The calls so far, as indices of `calls`, in order of their starts.
    pub(super) made: Vec<usize>,
    /// How much of the four above was there when the run was last saved.
    saved: [usize; 4],
    /// Every call that was ever made, and which call has which number.
    pub(super) calls: Vec<Call>,
    pub(super) known: BTreeMap<(u16, String), usize>,
    /// What each call was given, by entry and identity: which mock, and which of its elements.
    pub(super) given: BTreeMap<(u16, String), (usize, usize)>,
    /// How many calls each mock has given an element.
    pub(super) turns: BTreeMap<usize, usize>,
    /// What a mock gave for the call on the wire, by the path of the call.
    pub(super) wires: BTreeMap<String, Value>,
    /// The answers that requests will get, by identity.
    pub(super) plans: Plans,
    /// Where each request was asked, by its id, and the calls around it.
    pub(super) asked: BTreeMap<String, (Span, Vec<(String, String)>)>,
    /// How many requests each `answer` line has answered.
    pub(super) answered: BTreeMap<usize, usize>,
    /// The identity of the latest call that reaches the outside at a path.
    pub(super) outside: BTreeMap<String, String>,
    /// The calls that crashes are counted by, each with its number from 1: those that have completed, and those whose result could be lost.
    pub(super) completed: BTreeMap<(u16, bool), BTreeMap<String, usize>>,
    /// The crash lines that have fired.
    pub(super) fired: Vec<bool>,
    /// What the next write to the store comes to.
    pub(super) doom: Option<Doom>,
    pub(super) killed: bool,
    /// How often the process was killed, and how many writes there were.
    pub(super) kills: u32,
    pub(super) writes: u64,
    /// How many bytes of events were told.
    pub(super) told: usize,
    pub(super) failure: Option<Failure>,
}

/// A `mock` line.
pub(super) struct Mock {
    pub(super) entry: u16,
    /// Functions that give its values in turn.
    pub(super) elements: List,
    /// Whether each takes the arguments of the call.
    pub(super) lambdas: Vec<bool>,
    pub(super) span: Span,
}

/// An `answer` line.
#[derive(Clone)]
pub(super) struct Line {
    /// A function of a request's data.
    pub(super) function: Value,
    pub(super) span: Span,
}

/// A `crash` line.
pub(super) struct Crash {
    pub(super) entry: u16,
    pub(super) during: bool,
    pub(super) nth: usize,
    pub(super) span: Span,
}

/// A call that was made.
pub(super) struct Call {
    pub(super) entry: u16,
    pub(super) identity: String,
    /// Whether it was made so far.
    pub(super) made: bool,
    /// Its arguments by name.
    pub(super) arguments: Value,
}

/// What kills the process at its next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doom {
    /// The write does not happen.
    Before,
    /// The write happens, and nothing after it.
    After,
}

impl World {
    pub(super) fn new(image: Arc<Image>, seed: &str, system: System, default_model: Option<String>) -> Arc<Self> {
        let inner = Inner { clock: START, ..Inner::default() };
        let run = id_from(&digest(&["run", seed])).as_str().into();
        Arc::new(Self {
            store: MemoryStore::new(),
            run,
            image,
            seed: seed.to_owned(),
            system,
            default_model,
            inner: Mutex::new(inner),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The test has failed; what comes after the first failure is only its consequence.
    pub(super) fn fail(&self, failure: Failure) {
        self.lock().failure.get_or_insert(failure);
    }

    /// What is watched under an entry.
    pub(super) fn watched(&self, entry: u16) -> Option<&Watched> {
        self.image.program.watched.get(usize::from(entry))
    }

    /// The name of what is watched under an entry.
    pub(super) fn name(&self, entry: u16) -> &str {
        self.watched(entry).map_or("it", |watched| watched.name.as_str())
    }

    /// Whether it is a workflow or step.
    pub(super) fn is_told(&self, entry: u16) -> bool {
        self.watched(entry).is_some_and(|watched| watched.kind == WatchedKind::Told)
    }

    /// The entry that a hook names: by number, or by the agent that is asked.
    pub(super) fn entry(&self, of: Option<&Value>) -> Option<u16> {
        match of? {
            Value::Int(number) => u16::try_from(*number).ok(),
            Value::Agent(agent) => {
                let same = |watched: &Watched| watched.kind == WatchedKind::Agent(agent.declaration());
                self.image.program.watched.iter().position(same).and_then(|entry| u16::try_from(entry).ok())
            }
            _ => None,
        }
    }

    /// The entry under which calls of an effect are watched.
    pub(super) fn entry_of_effect(&self, effect: &str) -> Option<u16> {
        let same = |watched: &Watched| match &watched.kind {
            WatchedKind::Outside(name) | WatchedKind::Model(name) => name == effect,
            _ => false,
        };
        self.image.program.watched.iter().position(same).and_then(|entry| u16::try_from(entry).ok())
    }

    /// 256 bits that are the same whenever the same call draws them.
    fn draw(&self, effect: &Effect) -> [u8; 32] {
        digest(&[&self.seed, effect.name.as_str(), effect.path.as_str(), &effect.ordinal.to_string()])
    }

    /// The run has crashed: what it declared and called since it was last saved did not happen.
    pub(super) fn go_back(&self) -> bool {
        let mut inner = self.lock();
        let crashed = std::mem::take(&mut inner.killed);
        inner.kills += u32::from(crashed);
        let [mocks, lines, crashes, made] = inner.saved;
        inner.mocks.truncate(mocks);
        inner.lines.truncate(lines);
        inner.crashes.truncate(crashes);
        let inner = &mut *inner;
        for lost in inner.made.drain(made..) {
            inner.calls[lost].made = false;
        }
        crashed
    }
}

impl Inner {
    /// The identity of a call that is known by its path only.
    pub(super) fn identity(&self, path: &str) -> String {
        self.outside.get(path).map_or_else(|| path.to_owned(), String::clone)
    }

    /// The run as it is now was saved.
    pub(super) fn was_saved(&mut self) {
        self.saved = [self.mocks.len(), self.lines.len(), self.crashes.len(), self.made.len()];
    }
}

/// A hash of texts, each with its length.
pub(super) fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    *hash.finalize().as_bytes()
}

/// A UUID made from such a hash.
pub(super) fn id_from(bits: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&bits[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// The run's handle on its world.
pub(super) struct Handle(pub(super) Arc<World>);

impl Host for Handle {
    fn instant(&self, effect: &Effect) -> Outcome {
        self.0.instant(effect)
    }

    fn perform(&self, effect: Effect, key: String) -> Performing {
        self.0.perform(effect, key)
    }

    fn now(&self) -> i64 {
        self.0.lock().clock
    }

    fn wait(&self, moment: Option<i64>, idle: bool) -> Waiting {
        let world = Arc::clone(&self.0);
        Box::pin(async move {
            // Time stands still while anything else can go on; whoever waits is asked again then.
            match idle.then(|| world.pass_time(moment)).flatten() {
                Some(woken) => woken,
                None => std::future::pending().await,
            }
        })
    }

    fn asked(&self, effect: &Effect, request: &Request, machine: &Machine) {
        self.0.plan(effect, request, machine);
    }

    fn refused(&self, request: &str, reason: &str) {
        self.0.refused(request, reason);
    }

    fn hook(&self, effect: &Effect) -> (Outcome, bool) {
        self.0.hook(effect)
    }

    fn stopped(&self, machine: &Machine) -> bool {
        let mut inner = self.0.lock();
        let Some(failure) = &mut inner.failure else { return false };
        if let Some(fiber) = failure.fiber.take() {
            failure.trace = machine.calls_around(fiber);
        }
        true
    }
}

impl World {
    /// Clock and randomness.
    pub(super) fn instant(&self, effect: &Effect) -> Outcome {
        match effect.name.as_str() {
            "time.now" => Ok(Value::Time(self.lock().clock)),
            "uuid" => Ok(Value::str(id_from(&self.draw(effect)))),
            "random.float" => {
                let word = self.draw(effect)[..8].try_into().map_or(0, u64::from_le_bytes);
                // The 53 highest bits, which is as many as a float holds below 1.
                Ok(Value::Float((word >> 11) as f64 / (1_u64 << 53) as f64))
            }
            other => Err(Fault::new(Kind::Error, format!("this engine has no library function `{other}`"))),
        }
    }

    /// Lets time pass to what comes first: a timer of the run, or an answer. At the same moment the timer is first.
    fn pass_time(&self, timer: Option<i64>) -> Option<Woken> {
        let mut inner = self.lock();
        let answer = inner.next_answer();
        let timer = timer.filter(|timer| answer.as_ref().is_none_or(|(due, _)| timer <= due));
        let moment = timer.or(answer.as_ref().map(|(due, _)| *due));
        let Some(moment) = moment else { return Some(Woken::Stuck) };
        if moment > inner.clock {
            inner.clock = moment;
            inner.jumps += 1;
        }
        if inner.jumps > MOST_JUMPS {
            let failure = Failure::new(format!("time passed {MOST_JUMPS} times, and the test did not come to an end"));
            let help = "a loop with a `sleep` in it may have no end; let it end, or race it with a limit";
            inner.failure.get_or_insert(failure.help(help));
            // Whoever waits looks whether the test has failed before anything else.
            return Some(Woken::Moment);
        }
        if timer.is_some() {
            return Some(Woken::Moment);
        }
        answer.map(|(_, identity)| inner.bring(&identity))
    }
}
