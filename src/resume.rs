//! `wf resume`: a run goes on from exactly where it stopped, with the code that it started with.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use wf_runtime::{
    drive::{self, Begin, DriveError, Ended, Report},
    host::{Host, Permissions, System},
    store::{Answered, OpenRequest, RunRecord, RunStatus, SqliteStore, Store, StoreError},
};

use crate::{
    compiled,
    engine::{self, Settings, Showing},
    out::{self, Exit},
    place, value,
};

/// How long the command waits for another process to take an answer.
const WAIT_FOR_OWNER: Duration = Duration::from_secs(2);

/// Go on with a paused or interrupted run, from exactly where it stopped
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf resume 4f7c1a approve             answers the only open request of that run
  wf resume last --respond q1=yes      answers one of several
  wf resume last                       goes on after a crash

RUN is an id, an unambiguous beginning or ending of one, or `last`.")]
pub(crate) struct Resume {
    /// The run
    run: String,
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
        let id = place::find_run(&*store, &self.run)?;
        let record = store.run(&id).map_err(|error| error.to_string())?;
        let mut go_on_with = GoOn { take_over: self.take_over, at: self.at, ..GoOn::default() };
        for respond in &self.respond {
            let (request, value) =
                respond.split_once('=').ok_or_else(|| format!("`--respond {respond}`: write ID=VALUE"))?;
            go_on_with.answers.push((Some(request.to_owned()), value.to_owned()));
        }
        if let Some(value) = &self.value {
            go_on_with.answers.push((None, value.clone()));
        }
        let here = std::env::current_dir().map_err(|error| error.to_string())?;
        for list in &self.allow {
            go_on_with.allow.extend(Permissions::parse(list, &here)?);
        }
        if matches!(record.status, RunStatus::Completed | RunStatus::Cancelled) && self.at.is_none() {
            if go_on_with.answers.is_empty() {
                return show_ended(&record, &self.showing);
            }
            return Err(format!("the run is {}; it takes no answers any more", record.status.text()));
        }
        if record.status == RunStatus::Failed && self.at.is_none() {
            let short = place::short(&*store, &record.id);
            return Err(format!(
                "the run failed, and going on from before the error is not built yet in this version; \
                 `wf show {short}` shows the error"
            ));
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
    let code = compiled::stored_at(&**store, record, with.at)?;
    let image = code.image().map_err(|error| error.to_string())?;
    let mut settings = Settings::of(record)?;
    settings.allow.extend(with.allow.clone());
    let host = System::new(Arc::clone(&image), settings.allow.clone(), settings.folder.clone(), settings.models());
    let host: Arc<dyn Host> = Arc::new(host);
    let options = showing.options(settings.keep)?;
    let asked = Arc::clone(&image);
    let begin = Begin { store: store.clone(), host: Arc::clone(&host), image, options };
    let short = place::short(&**store, &record.id);
    let flag = place::store_flag(path);
    match drive::reopen(begin, record, with.at, with.take_over) {
        Ok(mut run) => {
            for (request, text) in &with.answers {
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
                if let Err(message) = taken {
                    run.give_up().map_err(|error| place::unusable(path, &error))?;
                    out::complain(
                        &message,
                        Some(&format!("the run still waits; `wf show {short}{flag}` shows for what")),
                    );
                    return Ok(Exit::Wrong);
                }
            }
            Ok(engine::drive(run, showing, store, path))
        }
        Err(DriveError::Store(StoreError::Owned { owner, .. })) if !with.answers.is_empty() => {
            let fits = |id: &str, answer: &Json| drive::fits(&asked, &**store, record, id, answer);
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
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) fn misfit(request: &Json, reason: &str) -> String {
    let (id, hint) = (request["id"].as_str().unwrap_or_default(), value::hint(&request["schema"]));
    format!("the answer to `{id}` does not fit: {reason}; it takes {hint}")
}

/// The request that an answer is for.
pub(crate) fn chosen<'r>(requests: &'r [Json], id: Option<&str>) -> Result<&'r Json, String> {
    let ids = || {
        let ids: Vec<String> =
            requests.iter().map(|request| format!("`{}`", request["id"].as_str().unwrap_or(""))).collect();
        ids.join(", ")
    };
    match (id, requests) {
        (_, []) => Err("the run has no open request".into()),
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
    let mut waiting = Vec::new();
    for (request, text) in &with.answers {
        let request = chosen(&requests, request.as_deref())?;
        let id = request["id"].as_str().unwrap_or_default().to_owned();
        let value = value::read(text, &request["schema"]).map_err(|reason| misfit(request, &reason))?;
        fits(&id, &value).map_err(|reason| misfit(request, &reason))?;
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
    let ended = if record.status == RunStatus::Completed { Ended::Completed } else { Ended::Failed };
    Ok(engine::finish(&Report { ended, result }, showing, &record.id, ""))
}
