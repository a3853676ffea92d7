//! `wf resume`: a run goes on from exactly where it stopped, with the code that it started with.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use wf_runtime::{
    drive::{self, Begin, DriveError, Ended, Failure, Options, Report, Run},
    host::{Host, Permissions, System},
    machine::Image,
    store::{Answered, OpenRequest, RunRecord, RunStatus, SqliteStore, Store, StoreError},
};

use crate::{
    compiled, detach, due,
    engine::{self, Settings, Showing},
    notify,
    out::{self, Exit},
    place, value,
};

/// How long the command waits for another process to take an answer.
const WAIT_FOR_OWNER: Duration = Duration::from_secs(2);

/// Go on with a paused, interrupted or failed run, from exactly where it stopped
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf resume 4f7c1a approve             answers the only open request of that run
  wf resume last --respond q1=yes      answers one of several
  wf resume --due                      goes on with every run whose timer has come
  wf resume last                       goes on after a crash, or from before the error of a run that failed

RUN is an id, an unambiguous beginning or ending of one, or `last`.")]
pub(crate) struct Resume {
    /// The run
    #[arg(required_unless_present = "due")]
    run: Option<String>,
    /// The answer to its only open request: text where the answer's type takes text, else JSON
    #[arg(allow_negative_numbers = true)]
    value: Option<String>,
    /// An answer to the request of that id
    #[arg(long, value_name = "ID=VALUE")]
    respond: Vec<String>,
    /// Allow more than the run was given
    #[arg(long, value_name = "LIST")]
    allow: Vec<String>,
    /// Take the run from a process that does not seem to be dead; its writes are refused from then on
    #[arg(long)]
    take_over: bool,
    /// Go on from an older checkpoint, when the latest is damaged; what came after it is done again
    #[arg(long, value_name = "N")]
    at: Option<u64>,
    /// Go on with every run whose timer has come
    #[arg(long, conflicts_with_all = ["run", "value", "respond", "take_over", "at"])]
    due: bool,
    /// The process that `wf run --detach` starts
    #[arg(long, hide = true)]
    detached: bool,
    /// With --due, also go on with every run whose process died
    #[arg(long, requires = "due")]
    interrupted: bool,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
    #[command(flatten)]
    showing: Showing,
}

/// What a run goes on with.
#[derive(Clone, Debug, Default)]
pub(crate) struct GoOn {
    /// Answers: of a request, or of the only one.
    pub(crate) answers: Vec<(Option<String>, String)>,
    pub(crate) allow: Permissions,
    pub(crate) take_over: bool,
    pub(crate) at: Option<u64>,
    /// Wait for timers without end.
    pub(crate) unlimited: bool,
}

impl Resume {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        Ok(self.resume().unwrap_or_else(|message| {
            out::complain(&message, None);
            Exit::Wrong
        }))
    }

    fn resume(self) -> Result<Exit, String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let here = std::env::current_dir().map_err(|error| error.to_string())?;
        let mut allow = Permissions::default();
        for list in &self.allow {
            allow.extend(Permissions::parse(list, &here)?);
        }
        if self.due {
            let with = GoOn { allow, ..GoOn::default() };
            return due::go_on(&store, &path, &self.showing, &with, self.interrupted);
        }
        let id = place::find_run(&*store, self.run.as_deref().unwrap_or("last"))?;
        let record = store.run(&id).map_err(|error| error.to_string())?;
        let mut go_on_with = GoOn { take_over: self.take_over, at: self.at, allow, ..GoOn::default() };
        for respond in &self.respond {
            let (request, value) =
                respond.split_once('=').ok_or_else(|| format!("`--respond {respond}`: write ID=VALUE"))?;
            go_on_with.answers.push((Some(request.to_owned()), value.to_owned()));
        }
        if let Some(value) = &self.value {
            go_on_with.answers.push((None, value.clone()));
        }
        if matches!(record.status, RunStatus::Completed | RunStatus::Cancelled) && self.at.is_none() {
            if go_on_with.answers.is_empty() {
                return show_ended(&record, &self.showing);
            }
            return Err(format!("the run is {}; it takes no answers any more", record.status.text()));
        }
        if self.detached {
            detach::leave_terminal();
            go_on_with.unlimited = self.showing.max_wait.is_none();
        }
        go_on(&store, &path, &record, &self.showing, go_on_with)
    }
}

/// Goes on with a run that has not ended.
pub(crate) fn go_on(
    store: &Arc<SqliteStore>,
    path: &Path,
    record: &RunRecord,
    showing: &Showing,
    with: GoOn,
) -> Result<Exit, String> {
    let options = |keep| {
        let options = showing.options(keep)?;
        Ok(if with.unlimited { Options { max_wait: None, ..options } } else { options })
    };
    let Taken { run, image, host } = take(store, path, record, &with, options)?;
    let short = place::short(&**store, &record.id);
    let flag = place::store_flag(path);
    match run {
        Ok(mut run) => {
            let refused = give(&mut run, &with.answers);
            if !refused.is_empty() {
                // None is taken: what was given is given again, with what did not fit mended.
                run.give_up().map_err(|error| place::unusable(path, &error))?;
                let others = with.answers.len() > refused.len();
                let none = if others { "no answer was taken; " } else { "" };
                let help = format!("{none}the run still waits; `wf show {short}{flag}` shows for what");
                for (index, message) in refused.iter().enumerate() {
                    out::complain(message, (index + 1 == refused.len()).then_some(&*help));
                }
                return Ok(Exit::Wrong);
            }
            Ok(engine::drive(run, showing, store, path))
        }
        Err(DriveError::Store(StoreError::Owned { owner, .. })) if !with.answers.is_empty() => {
            let fits = |id: &str, answer: &Json| drive::fits(&image, &**store, record, id, answer);
            record_answers(store, record, &with, host.now(), &owner, &fits)
        }
        Err(DriveError::Store(error @ StoreError::Owned { .. })) => {
            let help = format!("wait for it, or take the run from it: wf resume {short} --take-over{flag}");
            out::complain(&error.to_string(), Some(&help));
            Ok(Exit::Wrong)
        }
        Err(error @ DriveError::Damaged { usable: Some(n), .. }) => {
            let help = format!("go on from there, doing again what came after it: wf resume {short} --at {n}{flag}");
            out::complain(&error.to_string(), Some(&help));
            Ok(Exit::Wrong)
        }
        Err(error @ DriveError::Refused(_)) if record.status == RunStatus::Failed => {
            let help = match Failure::of(record) {
                Some(failure) => {
                    format!("in a run of its own it can: wf fork {short} --at {}{flag}", failure.at.max(1))
                }
                None => format!("`wf show {short}{flag}` shows the error"),
            };
            out::complain(&error.to_string(), Some(&help));
            Ok(Exit::Wrong)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// A run that was taken, or why not.
pub(crate) struct Taken {
    pub(crate) run: Result<Run, DriveError>,
    image: Arc<Image>,
    host: Arc<dyn Host>,
}

/// Takes a run with the code that it started with, and what it was given.
///
/// # Errors
/// When its code or its settings cannot be read.
pub(crate) fn take(
    store: &Arc<SqliteStore>,
    path: &Path,
    record: &RunRecord,
    with: &GoOn,
    options: impl FnOnce(Option<u64>) -> Result<Options, String>,
) -> Result<Taken, String> {
    let code = compiled::stored_at(&**store, record, with.at)?;
    let image = code.image().map_err(|error| error.to_string())?;
    let mut settings = Settings::of(record)?;
    settings.allow.extend(with.allow.clone());
    let host = System::new(Arc::clone(&image), settings.allow.clone(), settings.folder.clone(), settings.models());
    let host = match notify::with_hook(host, &settings.folder, &record.id, &record.script, store, path) {
        Ok(host) => host,
        Err((host, reason)) => {
            // A hook never keeps a run from going on.
            out::complain(&reason, Some("the run goes on, and nobody is told of its requests"));
            host
        }
    };
    let host: Arc<dyn Host> = Arc::new(host);
    let options = options(settings.keep)?;
    let begin = Begin { store: store.clone(), host: Arc::clone(&host), image: Arc::clone(&image), options };
    let run = match record.status {
        RunStatus::Failed if with.at.is_none() => drive::retry(begin, record, with.take_over),
        _ => drive::reopen(begin, record, with.at, with.take_over),
    };
    Ok(Taken { run, image, host })
}

pub(crate) fn misfit(request: &Json, reason: &str) -> String {
    let (id, hint) = (request["id"].as_str().unwrap_or_default(), value::hint(&request["schema"]));
    format!("the answer to `{id}` does not fit: {reason}; it takes {hint}")
}

/// Gives answers to a run that is not driven yet; says of each that is refused why.
fn give(run: &mut Run, answers: &[(Option<String>, String)]) -> Vec<String> {
    let mut refused = Vec::new();
    for (request, text) in answers {
        let requests = run.open_requests();
        let taken = chosen(&requests, request.as_deref()).and_then(|request| {
            let id = request["id"].as_str().unwrap_or_default().to_owned();
            let value = value::read(text, &request["schema"]).map_err(|reason| misfit(request, &reason))?;
            run.respond(&id, &value).map_err(|reason| {
                // One whose time came just now is not waited for any more.
                let waits = run.open_requests().iter().any(|open| open["id"] == request["id"]);
                if waits { misfit(request, &reason) } else { reason }
            })
        });
        refused.extend(taken.err());
    }
    refused
}

/// The request that an answer is for.
pub(crate) fn chosen<'r>(requests: &'r [Json], id: Option<&str>) -> Result<&'r Json, String> {
    let ids = || {
        let ids: Vec<String> =
            requests.iter().map(|request| format!("`{}`", request["id"].as_str().unwrap_or(""))).collect();
        ids.join(", ")
    };
    match (id, requests) {
        (Some(id), []) => Err(format!("the run has no open request `{id}`")),
        (None, []) => Err("the run has no open request".into()),
        (None, [one]) => Ok(one),
        (None, _) => Err(format!("the run has several open requests; name one with `--respond ID=VALUE`: {}", ids())),
        (Some(id), _) => requests
            .iter()
            .find(|request| request["id"] == id)
            .ok_or_else(|| format!("the run has no open request `{id}`; open are {}", ids())),
    }
}

/// Another process has the run: its answers are recorded for it.
fn record_answers(
    store: &Arc<SqliteStore>,
    record: &RunRecord,
    with: &GoOn,
    now: i64,
    owner: &str,
    fits: &dyn Fn(&str, &Json) -> Result<(), String>,
) -> Result<Exit, String> {
    let failed = |error: StoreError| error.to_string();
    let open =
        |store: &SqliteStore| -> Result<Vec<OpenRequest>, String> { store.requests(Some(&record.id)).map_err(failed) };
    let parse = |open: &OpenRequest| serde_json::from_str::<Json>(&open.request.json).unwrap_or_default();
    let requests: Vec<Json> = open(store)?.iter().map(parse).collect();
    // All of them fit before one is recorded.
    let mut answers = Vec::new();
    for (request, text) in &with.answers {
        let request = chosen(&requests, request.as_deref())?;
        let id = request["id"].as_str().unwrap_or_default().to_owned();
        let value = value::read(text, &request["schema"]).map_err(|reason| misfit(request, &reason))?;
        fits(&id, &value).map_err(|reason| misfit(request, &reason))?;
        answers.push((request, id, value));
    }
    let mut waiting = Vec::new();
    for (request, id, value) in answers {
        match store.answer(&record.id, &id, &value.to_string(), now).map_err(failed)? {
            Answered::Recorded => waiting.push((id, request.clone())),
            Answered::Refused(reason) => return Err(reason),
        }
    }
    let since = Instant::now();
    while since.elapsed() < WAIT_FOR_OWNER {
        let still = open(store)?;
        // One that is asked again under the same id is another request.
        let same = |(id, asked): &(String, Json)| {
            still.iter().find(|open| open.request.id == *id && parse(open)["asked_at"] == asked["asked_at"])
        };
        if !waiting.iter().any(|asked| same(asked).is_some_and(|open| open.recorded.is_some())) {
            if let Some((refused, _)) = waiting.iter().find(|asked| same(asked).is_some()) {
                return Err(format!("the answer to `{refused}` does not fit and was refused; the run still waits"));
            }
            out::tell(&format!("taken by {owner}\n"));
            return Ok(Exit::Done);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    out::tell(&format!("recorded; {owner} has the run and has not taken it yet\n"));
    Ok(Exit::Done)
}

/// A run that has ended is shown as it ended.
pub(crate) fn show_ended(record: &RunRecord, showing: &Showing) -> Result<Exit, String> {
    let stored: Json = record.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let result = serde_json::json!({
        "run_id": &*record.id,
        "workflow": record.workflow,
        "status": record.status.text(),
        "output": stored["output"],
        "state": stored["state"],
        "requests": [],
        "error": stored["error"],
        "usage": stored["usage"],
        "wake_at": null,
    });
    let ended = match record.status {
        RunStatus::Completed => Ended::Completed,
        RunStatus::Cancelled => Ended::Cancelled,
        _ => Ended::Failed,
    };
    Ok(engine::finish(&Report { ended, result }, showing, &record.id, ""))
}
