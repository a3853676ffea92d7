//! `wf show`: where a run stands, or stood, with the live stack of every branch.

use std::path::PathBuf;

use wf_runtime::{
    json::time_text,
    store::{RunRecord, Store},
};

use crate::{
    engine::failure,
    list::{pretty, status},
    moment::Moment,
    out::{self, Exit},
    place, size, value,
};

mod history;
mod stack;

/// Show where a run stands: its status, what it waits for, and the stack of every branch at its source line
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf show last                   the newest run
  wf show 4f7c1a --json          the same for a machine
  wf show 4f7c1a --checkpoints   the checkpoints that are kept, and what happened at each
  wf show 4f7c1a --at 3          as it was at checkpoint 3
  wf show 4f7c1a --size          what holds its bytes

RUN is an id, an unambiguous beginning or ending of one, or `last`.")]
pub(crate) struct Show {
    /// The run
    run: String,
    /// As it was at this checkpoint
    #[arg(long, value_name = "N")]
    at: Option<u64>,
    /// What holds the bytes of the run
    #[arg(long, conflicts_with_all = ["at", "checkpoints"])]
    size: bool,
    /// List the checkpoints that are kept instead
    #[arg(long, conflicts_with = "at")]
    checkpoints: bool,
    /// Show all branches, however many there are
    #[arg(long)]
    all: bool,
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
        if self.size {
            return size::shown(&store, &record, self.json);
        }
        if self.checkpoints {
            return history::checkpoints(&store, &record, self.json);
        }
        let moment = Moment::of(&store, &record, self.at)?;
        if self.json {
            return Ok(pretty(&moment.json));
        }
        Ok(self.shown(&record, &moment, &place::short(&*store, &id), &place::store_flag(&path)))
    }

    fn shown(&self, record: &RunRecord, moment: &Moment, short: &str, flag: &str) -> String {
        let run = &moment.json;
        let (id, status_there) = (&record.id, run["status"].as_str().unwrap_or_default());
        let started = time_text(record.created_at);
        let mut text =
            format!("run {id}\n{} of {}, {status_there}, started {started}\n", record.workflow, record.script);
        if let Some(kept) = run["checkpoints"].as_object() {
            let (first, last, count) = (&kept["first"], &kept["last"], &kept["kept"]);
            match self.at {
                Some(at) => text.push_str(&format!("checkpoint {at} of {last} ({count} kept, from {first})\n")),
                None => text.push_str(&format!("checkpoint {last} ({count} kept, from {first})\n")),
            }
        }
        if let Some(owner) = run["owner"].as_str() {
            text.push_str(&format!("executed by {owner}\n"));
        }
        match status_there {
            "completed" => text.push_str(&format!("\noutput: {}\n", value::shown(&run["output"]))),
            "failed" => {
                text.push_str(&format!("\n{}", failure(&run["error"])));
                if self.at.is_none() {
                    text.push_str(&format!("  go on from before the error: wf resume {short}{flag}\n"));
                }
            }
            _ => {}
        }
        if run["state"].as_object().is_some_and(|state| !state.is_empty()) {
            text.push_str(&format!("\nstate: {}\n", run["state"]));
        }
        text.push_str(&stack::branches(moment, self.all));
        for request in run["requests"].as_array().into_iter().flatten() {
            let id = place::quoted(request["id"].as_str().unwrap_or_default());
            let hint = value::hint(&request["schema"]);
            text.push_str(&format!("\nwaits for an answer: {}\n", value::question(request)));
            let command = match self.at.filter(|at| *at != record.last_checkpoint) {
                Some(at) => format!("wf fork {short} --at {at} --respond {id}=VALUE{flag}"),
                None => format!("wf resume {short} --respond {id}=VALUE{flag}"),
            };
            text.push_str(&format!("  answer ({hint}): {command}\n"));
        }
        if self.at.is_none() && status(record) == "interrupted" {
            text.push_str(&format!("\nnobody executes it: wf resume {short}{flag} goes on\n"));
        }
        text
    }
}
