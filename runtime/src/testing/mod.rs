//! Tests: each is a run of its own, in memory, in a world that plays what is outside.
//!
//! A test's body is compiled as a workflow, with hooks in what it mocks, counts or crashes after, and is driven like any
//! other run: with a checkpoint at every boundary, and gone on with from the store when it is killed. What is special is
//! its world: a clock that jumps to what comes next, answers to requests, mocks.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::Value as Json;
use wf_lang::{Source, Span, program::Test};

use crate::{
    drive::{self, Begin, DriveError, Ended, Options, Report, Run, Sink},
    host::{ModelSettings, Permissions, System},
    machine::Image,
    store::{NewRun, Owner, RunStatus, Store},
};

mod answer;
mod crash;
mod diff;
mod everywhere;
mod failure;
mod hook;
mod mock;
mod observe;
mod outside;
mod show;
mod store;
mod world;

pub use diff::DiffLine;
pub use everywhere::{Crashes, Everywhere, MOST_WRITES, run_everywhere};
pub use failure::Failure;
pub use world::START;

use everywhere::Trace;
use store::Killing;
use world::{Handle, World};

/// How many checkpoints of a test are kept: it only ever goes on from the latest.
const KEEP: u64 = 8;
/// How often a test may crash.
const MOST_CRASHES: u32 = 10_000;
/// The most that is kept of what a test prints, in lines and in bytes.
const MOST_PRINTED: (usize, usize) = (1000, 64 << 10);

/// How tests are run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Kills the process at the write of that number, before it or after it, beside what the test itself says.
    pub kill: Option<Kill>,
    /// The model of agents that name none; only `offline/…` answers in a test.
    pub model: Option<String>,
    /// How long a test may take, in real time.
    pub timeout: Duration,
}

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Which write to the store, from 1; and again after as many more.
    pub every: u64,
    /// The write is lost, too.
    pub before: bool,
    /// Only at that write, and not again.
    pub once: bool,
}

/// What came of a test.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Why it failed; none when it has passed.
    pub failure: Option<Failure>,
    /// What it printed and logged, line by line.
    pub printed: Vec<String>,
    /// How often its process was killed.
    pub kills: u32,
    /// What came of it with a crash at each write, if that was tried.
    pub crashes: Option<Crashes>,
}

/// Runs a test of a program that was compiled to be tested.
pub async fn run(image: &Arc<Image>, test: &Test, settings: &Settings) -> Verdict {
    played(image, test, settings).await.0
}

/// Runs a test; beside the verdict, what it went through.
async fn played(image: &Arc<Image>, test: &Test, settings: &Settings) -> (Verdict, Trace) {
    let model = ModelSettings { default_model: settings.model.clone(), ..ModelSettings::default() };
    let system = System::new(Arc::clone(image), Permissions::default(), PathBuf::new(), model);
    let world = World::new(Arc::clone(image), &test.name, system, settings.model.clone());
    let stage = Stage {
        store: Arc::new(Killing::new(Arc::clone(&world), settings.kill)),
        id: Arc::clone(&world.run),
        world,
        image: Arc::clone(image),
        workflow: test.workflow.to_string(),
    };
    let played = tokio::time::timeout(settings.timeout, stage.play()).await;
    let failure = match played {
        Ok(Ok(report)) => stage.failure_of(&report),
        Ok(Err(reason)) => Some(Failure::new(reason)),
        Err(_) => Some(
            Failure::new(format!("the test did not come to an end in {:?}", settings.timeout))
                .help("look for a loop without an end, or give it more time with `--timeout`"),
        ),
    };
    let failure = stage.world.lock().failure.take().or(failure);
    let failure = failure.map(|failure| Failure { span: failure.span.or(Some(test.span)), ..failure });
    let mut trace = stage.trace();
    let kills = {
        let mut inner = stage.world.lock();
        (trace.writes, trace.unknown, trace.when) = (inner.writes, inner.unknown, inner.when.take());
        inner.kills
    };
    (Verdict { failure, printed: stage.printed(), kills, crashes: None }, trace)
}

/// A test under way.
struct Stage {
    store: Arc<Killing>,
    id: Arc<str>,
    world: Arc<World>,
    image: Arc<Image>,
    workflow: String,
}

/// Nobody looks at the events before the test is over.
struct Unseen;

impl Sink for Unseen {
    fn event(&mut self, _: &Json) -> bool {
        true
    }
}

impl Stage {
    /// Drives the run to its end, from the store again whenever it was killed.
    async fn play(&self) -> Result<Report, String> {
        let mut run = self.start().map_err(|error| error.to_string())?;
        for _ in 0..MOST_CRASHES {
            let (_commands, received) = tokio::sync::mpsc::unbounded_channel();
            match run.drive(&mut Unseen, received).await {
                Ok(report) => return Ok(report),
                Err(_) if self.world.go_back() => {}
                Err(error) => return Err(format!("the test could not go on: {error}")),
            }
            if let Some(report) = self.ended() {
                return Ok(report);
            }
            run = self.reopen().map_err(|error| format!("after a crash: {error}"))?;
        }
        Err(format!("the test crashed {MOST_CRASHES} times"))
    }

    /// How the run ended, if the write that killed it was the one that says so.
    fn ended(&self) -> Option<Report> {
        let record = self.store.run(&self.id).ok()?;
        let ended = match record.status {
            RunStatus::Completed => Ended::Completed,
            RunStatus::Failed => Ended::Failed,
            _ => return None,
        };
        let result = serde_json::from_str(record.result.as_deref()?).ok()?;
        Some(Report { ended, result })
    }

    fn begin(&self) -> Begin {
        let options = Options { keep: Some(KEEP), each_boundary: true, wait_for_answers: true, ..Options::default() };
        Begin {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            host: Arc::new(Handle(Arc::clone(&self.world))),
            image: Arc::clone(&self.image),
            options,
        }
    }

    fn start(&self) -> Result<Run, DriveError> {
        let new = NewRun {
            id: Arc::clone(&self.id),
            workflow: self.workflow.clone(),
            script: String::new(),
            code_hash: [0; 32],
            code: Arc::from([]),
            input: "{}".into(),
            settings: "{}".into(),
            created_at: START,
            owner: Owner::current(),
        };
        drive::begin(self.begin(), new)
    }

    fn reopen(&self) -> Result<Run, DriveError> {
        let record = self.store.run(&self.id)?;
        drive::reopen(self.begin(), &record, None, true)
    }

    /// Why a run that was driven to its end is no test that has passed.
    fn failure_of(&self, report: &Report) -> Option<Failure> {
        match report.ended {
            Ended::Completed => self.world.unfired(),
            Ended::Failed => Some(self.error(&report.result["error"])),
            Ended::Paused => Some(self.stuck(&report.result)),
            Ended::Cancelled | Ended::Interrupted => None,
        }
    }

    /// An error that nobody caught.
    fn error(&self, error: &Json) -> Failure {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let mut failure = Failure::new(format!("{} ({})", text(&error["message"]), text(&error["kind"])));
        let frames = error["trace"].as_array().map_or(&[][..], Vec::as_slice);
        failure.trace = frames.iter().map(|frame| (text(&frame["function"]), text(&frame["place"]))).collect();
        failure.span = failure.trace.iter().find_map(|(_, place)| self.span(place));
        failure
    }

    /// A place of the user's sources, as traces name it.
    fn span(&self, place: &str) -> Option<Span> {
        let mut parts = place.rsplitn(3, ':');
        let (column, line, name) = (parts.next()?, parts.next()?, parts.next()?);
        let (line, column) = (line.parse::<usize>().ok()?, column.parse::<usize>().ok()?);
        let library = |source: &Source| {
            self.image.program.modules.iter().any(|module| module.library && *module.name == *source.name)
        };
        let source = self.image.sources.iter().find(|source| *source.name == *name && !library(source))?;
        let start = source.text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
        let rest = source.text.get(start..)?;
        let at = rest.char_indices().nth(column.checked_sub(1)?).map_or(rest.len(), |(at, _)| at);
        let start = u32::try_from(start + at).ok()?;
        Some(Span { source: source.id, start, end: start })
    }

    fn stuck(&self, result: &Json) -> Failure {
        let requests = result["requests"].as_array().map_or(&[][..], Vec::as_slice);
        let Some((first, more)) = requests.split_first() else {
            return Failure::new("nothing can go on any more");
        };
        let failure = self.world.unanswered(first);
        more.iter()
            .fold(failure, |failure, request| failure.help(format!("it asks this, too: {}", answer::asks(request))))
    }

    /// The steps that completed.
    fn trace(&self) -> Trace {
        let batches = self.store.events(&self.id, 0).unwrap_or_default();
        let lines = batches.iter().flat_map(|batch| batch.lines.lines());
        let lines = lines.filter(|line| line.contains("step_completed"));
        let events = lines.filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let completed = events.filter(|event| event["type"] == "step_completed");
        let mut finished: Vec<String> =
            completed.map(|event| event["path"].as_str().unwrap_or_default().to_owned()).collect();
        finished.sort();
        Trace { finished, ..Trace::default() }
    }

    /// What was printed and logged, in order.
    fn printed(&self) -> Vec<String> {
        let batches = self.store.events(&self.id, 0).unwrap_or_default();
        let events = batches.iter().flat_map(|batch| batch.lines.lines());
        let logs = events.filter_map(|line| {
            let event: Json = serde_json::from_str(line).ok()?;
            (event["type"] == "log").then(|| event["text"].as_str().unwrap_or_default().to_owned())
        });
        let (mut lines, mut bytes, mut more) = (Vec::new(), 0, 0_usize);
        for line in logs {
            bytes += line.len();
            if lines.len() < MOST_PRINTED.0 && bytes <= MOST_PRINTED.1 {
                lines.push(line);
            } else {
                more += 1;
            }
        }
        if more > 0 {
            lines.push(format!("… {more} more lines"));
        }
        lines
    }
}
