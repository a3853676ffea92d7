//! `wf list`: the runs of a store, or what they wait for.

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use wf_runtime::{
    json::time_text,
    store::{OpenRequest, RunRecord, SqliteStore, Store},
};

use crate::{
    out::{self, Exit},
    place, value,
};

/// List runs, newest first, or the requests that wait for a person, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf list                the runs of the store here
  wf list --requests     the inbox: what waits for a person, with the commands that answer")]
pub(crate) struct List {
    /// List the open requests instead
    #[arg(long)]
    requests: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// How many runs at most
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
            let requests = store.requests(None).map_err(|error| place::unusable(&path, &error))?;
            return Ok(if self.json { json_requests(&requests) } else { inbox(&store, &requests, &flag) });
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
            text.push_str(&format!("{id:<id_width$}  {:<width$}  {status:<11}  {started}\n", run.workflow));
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

fn inbox(store: &SqliteStore, requests: &[OpenRequest], flag: &str) -> String {
    if requests.is_empty() {
        return "nobody waits for an answer\n".into();
    }
    let mut text = String::new();
    for open in requests {
        let request: Json = serde_json::from_str(&open.request.json).unwrap_or_default();
        let run = place::short(store, &open.run);
        text.push_str(&format!("{}  {}  {run}\n", time_text(open.request.asked_at), open.workflow));
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
