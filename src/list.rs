//! `wf list`: the runs of a store, or what they wait for.

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use wf_runtime::{
    json::time_text,
    store::{COUNTED, Inbox, OpenRequest, RunRecord, SqliteStore, Store},
};

use crate::{
    out::{self, Exit},
    place, value,
};

/// How many requests are looked through for those to one person.
const MOST_SEARCHED: usize = 10_000;

/// List runs, newest first, or the requests that wait for a person, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf list                the runs of the store here
  wf list --requests            the inbox: what waits for a person, with the commands that answer
  wf list --requests --to lead  the part of it that is for `lead`")]
pub(crate) struct List {
    /// List the open requests instead
    #[arg(long)]
    requests: bool,
    /// Only the requests to this person or group
    #[arg(long, value_name = "NAME", requires = "requests")]
    to: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// How many runs or requests at most
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
}

impl List {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        out::answer(self.text())
    }

    fn text(&self) -> Result<String, String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let flag = place::store_flag(&path);
        if self.requests {
            // What is for somebody is looked for among more than are shown.
            let limit = if self.to.is_some() { MOST_SEARCHED } else { self.limit };
            let mut found = store.inbox(limit).map_err(|error| place::unusable(&path, &error))?;
            if let Some(to) = &self.to {
                let is_to = |open: &OpenRequest| {
                    serde_json::from_str::<Json>(&open.request.json).is_ok_and(|json| json["to"] == **to)
                };
                found.requests.retain(is_to);
                found.requests.truncate(self.limit);
            }
            if self.json {
                tell_more(&found);
                return Ok(json_requests(&found.requests));
            }
            return Ok(inbox(&store, &found.requests, &flag) + &more(&found).unwrap_or_default());
        }
        let runs = store.runs(self.limit).map_err(|error| place::unusable(&path, &error))?;
        if self.json {
            let runs: Vec<Json> = runs.iter().map(summary).collect();
            return Ok(pretty(&json!(runs)));
        }
        if runs.is_empty() {
            return Ok(format!("no runs yet in {}\n", path.display()));
        }
        let width = runs.iter().map(|run| run.workflow.chars().count()).max().unwrap_or_default();
        let ids: Vec<String> = runs.iter().map(|run| place::short(&*store, &run.id)).collect();
        let id_width = ids.iter().map(String::len).max().unwrap_or_default();
        let mut text = String::new();
        for (run, id) in runs.iter().zip(&ids) {
            let status = status(run);
            let started = time_text(run.created_at);
            let bytes = value::bytes(run.bytes);
            text.push_str(&format!("{id:<id_width$}  {:<width$}  {status:<11}  {started}  {bytes:>7}\n", run.workflow));
        }
        Ok(text)
    }
}

/// Where a run stands: one that nobody executes although it is running was interrupted.
pub(crate) fn status(run: &RunRecord) -> &'static str {
    let dead = run.owner.as_ref().is_none_or(|owner| owner.is_dead() == Some(true));
    match run.status {
        wf_runtime::store::RunStatus::Running if dead => "interrupted",
        status => status.text(),
    }
}

/// A run in short, as JSON.
pub(crate) fn summary(run: &RunRecord) -> Json {
    json!({
        "run_id": &*run.id,
        "workflow": run.workflow,
        "script": run.script,
        "status": status(run),
        "created_at": time_text(run.created_at),
        "updated_at": time_text(run.updated_at),
        "checkpoint": run.last_checkpoint,
        "wake_at": run.wake_at.map(time_text),
        "bytes": run.bytes,
        "owner": run.owner.as_ref().map(ToString::to_string),
    })
}

fn json_requests(requests: &[OpenRequest]) -> String {
    let requests: Vec<Json> = requests
        .iter()
        .map(|open| {
            let mut request: Json = serde_json::from_str(&open.request.json).unwrap_or_default();
            request["run_id"] = json!(&*open.run);
            request["workflow"] = json!(open.workflow);
            request["recorded"] = json!(open.recorded.is_some());
            request
        })
        .collect();
    pretty(&json!(requests))
}

/// How many requests there are beyond those that are shown.
fn more(found: &Inbox) -> Option<String> {
    match found.more {
        0 => None,
        more if more >= COUNTED as u64 => Some(format!("and {more} more or above; `--limit N` shows more\n")),
        more => Some(format!("and {more} more; `--limit N` shows more\n")),
    }
}

/// The list itself is for programs, so the rest is told beside it.
fn tell_more(found: &Inbox) {
    if let Some(more) = more(found) {
        out::tell(&more);
    }
}

fn inbox(store: &SqliteStore, requests: &[OpenRequest], flag: &str) -> String {
    if requests.is_empty() {
        return "nobody waits for an answer\n".into();
    }
    let mut text = String::new();
    for open in requests {
        let request: Json = serde_json::from_str(&open.request.json).unwrap_or_default();
        let run = place::short(store, &open.run);
        let part = |name: &str, before: &str| {
            request[name].as_str().map_or_else(String::new, |text| format!("  {before} {text}"))
        };
        let (to, due) = (part("to", "for"), part("due_at", "until"));
        text.push_str(&format!("{}  {}  {run}{to}{due}\n", time_text(open.request.asked_at), open.workflow));
        text.push_str(&format!("  {}\n", value::question(&request)));
        let example = value::example(&request["schema"]);
        text.push_str(&match &open.recorded {
            Some(answer) => format!("  an answer is recorded: {}\n", answer.value),
            None => {
                let id = place::quoted(&open.request.id);
                let hint = value::hint(&request["schema"]);
                format!("  answer ({hint}): wf resume {run} --respond {id}={example}{flag}\n")
            }
        });
    }
    text
}

pub(crate) fn pretty(json: &Json) -> String {
    format!("{}\n", serde_json::to_string_pretty(json).unwrap_or_default())
}
