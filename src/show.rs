//! `wf show`: where a run stands, with the live stack of every branch.

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use wf_runtime::{
    code::Code,
    drive::look,
    json::time_text,
    store::{RunRecord, RunStatus, SqliteStore, Store},
};

use crate::{
    compiled,
    engine::failure,
    list::{pretty, status},
    out::{self, Exit},
    place, value,
};

/// Show where a run stands: its status, what it waits for, and the stack of every branch at its source line
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf show last             the newest run
  wf show 4f7c1a --json    the same for a machine
  wf show 4f7c1a --at 3    as it was at checkpoint 3

RUN is an id, an unambiguous beginning or ending of one, or `last`.")]
pub(crate) struct Show {
    /// The run
    run: String,
    /// As it was at this checkpoint
    #[arg(long, value_name = "N")]
    at: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
}

impl Show {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        out::answer(self.text())
    }

    fn text(&self) -> Result<String, String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let id = place::find_run(&*store, &self.run)?;
        let record = store.run(&id).map_err(|error| place::unusable(&path, &error))?;
        let shown = self.json(&store, &record)?;
        if self.json {
            return Ok(pretty(&shown.json));
        }
        let lines = |file: &str, line: u64| shown.lines(file, line);
        Ok(text(&record, &shown.json, &place::short(&*store, &id), &place::store_flag(&path), &lines))
    }

    fn json(&self, store: &SqliteStore, record: &RunRecord) -> Result<Shown, String> {
        let failed = |error: wf_runtime::store::StoreError| error.to_string();
        let code = compiled::stored_at(store, record, self.at)?;
        let image = code.image().map_err(|error| error.to_string())?;
        let machine = look(&image, store, record, self.at).map_err(|error| error.to_string())?;
        let stored: Json =
            record.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let requests: Vec<Json> = if let (Some(_), Some(machine)) = (self.at, &machine) {
            machine.open_requests()
        } else {
            store
                .requests(Some(&record.id))
                .map_err(failed)?
                .iter()
                .map(|open| serde_json::from_str(&open.request.json).unwrap_or_default())
                .collect()
        };
        let workflow = image.program.workflow(Some(&record.workflow));
        let state = match (&machine, workflow) {
            (Some(machine), Some(workflow)) if stored.is_null() || self.at.is_some() => {
                wf_runtime::json::to_json(&machine.state(workflow)).unwrap_or_default()
            }
            _ => stored["state"].clone(),
        };
        let kept = store.kept(&record.id).map_err(failed)?;
        let json = json!({
            "run_id": &*record.id,
            "workflow": record.workflow,
            "script": record.script,
            "status": status(record),
            "created_at": time_text(record.created_at),
            "updated_at": time_text(record.updated_at),
            "output": stored["output"],
            "state": state,
            "requests": requests,
            "error": stored["error"],
            "usage": machine.as_ref().map(wf_runtime::machine::Machine::usage),
            "wake_at": record.wake_at.map(time_text),
            "owner": record.owner.as_ref().map(ToString::to_string),
            "checkpoints": kept.map(|kept| json!({ "first": kept.first, "last": kept.last, "kept": kept.count })),
            "fibers": machine.as_ref().map_or_else(|| json!([]), |machine| machine.view()),
        });
        Ok(Shown { json, code })
    }
}

struct Shown {
    json: Json,
    code: Code,
}

impl Shown {
    /// A line of a stored source, from 1.
    fn lines(&self, file: &str, line: u64) -> Option<String> {
        let source = self.code.sources.iter().find(|source| source.name == file)?;
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        source.text.lines().nth(index).map(|line| line.trim().to_owned())
    }
}

fn text(
    record: &RunRecord,
    run: &Json,
    short: &str,
    flag: &str,
    line_of: &dyn Fn(&str, u64) -> Option<String>,
) -> String {
    let mut text = format!(
        "run {}\n{} of {}, {}, started {}\n",
        record.id,
        record.workflow,
        record.script,
        status(record),
        time_text(record.created_at)
    );
    if let Some(kept) = run["checkpoints"].as_object() {
        text.push_str(&format!("checkpoint {} ({} kept, from {})\n", kept["last"], kept["kept"], kept["first"]));
    }
    if let Some(owner) = run["owner"].as_str() {
        text.push_str(&format!("executed by {owner}\n"));
    }
    match record.status {
        RunStatus::Completed => text.push_str(&format!("\noutput: {}\n", value::shown(&run["output"]))),
        RunStatus::Failed => text.push_str(&format!("\n{}", failure(&run["error"]))),
        _ => {}
    }
    if run["state"].as_object().is_some_and(|state| !state.is_empty()) {
        text.push_str(&format!("\nstate: {}\n", run["state"]));
    }
    for fiber in run["fibers"].as_array().into_iter().flatten() {
        text.push_str(&branch(fiber, line_of));
    }
    for request in run["requests"].as_array().into_iter().flatten() {
        let id = request["id"].as_str().unwrap_or_default();
        text.push_str(&format!("\nwaits for an answer: {}\n", value::question(request)));
        let hint = value::hint(&request["schema"]);
        text.push_str(&format!("  answer ({hint}): wf resume {short} --respond {}=VALUE{flag}\n", place::quoted(id)));
    }
    if status(record) == "interrupted" {
        text.push_str(&format!("\nnobody executes it: wf resume {short}{flag} goes on\n"));
    }
    text
}

/// One branch: its frames, innermost first, each with its line and its locals.
fn branch(fiber: &Json, line_of: &dyn Fn(&str, u64) -> Option<String>) -> String {
    let path = fiber["path"].as_str().unwrap_or_default();
    let waits = match (fiber["waits_for"]["kind"].as_str(), &fiber["waits_for"]) {
        (Some("gather" | "race"), waits) => joined(waits),
        (Some(kind), waits) => format!(", waits for a {kind} ({})", waits["what"].as_str().unwrap_or_default()),
        (None, _) => String::new(),
    };
    let cancelled = if fiber["cancelled"] == true { ", cancelled and cleaning up" } else { "" };
    let mut text = format!("\n{path}{cancelled}{waits}\n");
    for frame in fiber["frames"].as_array().into_iter().flatten() {
        let (file, line) = (frame["file"].as_str().unwrap_or_default(), frame["line"].as_u64().unwrap_or_default());
        text.push_str(&format!("  {} at {file}:{line}\n", frame["function"].as_str().unwrap_or_default()));
        if let Some(source) = line_of(file, line) {
            text.push_str(&format!("    | {source}\n"));
        }
        for (name, local) in frame["locals"].as_object().into_iter().flatten() {
            text.push_str(&format!("      {name} = {}\n", shortened(&local.to_string())));
        }
    }
    text
}

/// What a branch waits for that joins others.
fn joined(waits: &Json) -> String {
    let (done, total) = (&waits["done"], &waits["total"]);
    match (waits["kind"].as_str(), waits["ending"].as_bool(), &waits["wanted"]) {
        (_, Some(true), _) => format!(", {done} of {total} branches done, waits for the others to clean up"),
        (Some("race"), ..) => format!(", waits for the first of {total} branches"),
        (_, _, Json::Null) => format!(", {done} of {total} branches done"),
        (_, _, wanted) => format!(", {done} of the first {wanted} of {total} branches done"),
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
