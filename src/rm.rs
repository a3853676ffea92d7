//! `wf rm`: runs leave the store, and no bytes of theirs stay.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value as Json, json};
use wf_runtime::{
    json::time_text,
    store::{Removal, RunId, RunRecord, SqliteStore, Store, StoreError},
};

use crate::{
    engine::duration,
    list::{self, pretty},
    out::{self, Exit},
    place, value,
};

/// A store up to this size is rewritten whole after a removal: it takes a moment.
const QUICK: u64 = 64 << 20;

/// Remove runs that have ended, with all that they left in the store
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf rm 4f7c1a                         one run
  wf rm --older-than 30d --dry-run     which runs ended and were last written 30 days ago or more
  wf rm --older-than 30d               and remove them
  wf rm 4f7c1a --force                 a run that is paused, or was interrupted
  wf rm --vacuum                       rewrite a large store, so that nothing is left of what was removed before

A run that a process is executing is never removed. What is removed is overwritten on the disk; the blocks of the disk
itself, its snapshots and backups are not within reach.")]
pub(crate) struct Remove {
    /// The runs: an id, an unambiguous beginning or ending of one, or `last`
    #[arg(required_unless_present_any = ["older_than", "vacuum"], conflicts_with = "older_than")]
    runs: Vec<String>,
    /// All runs that were last written so long ago
    #[arg(long, value_name = "DURATION", value_parser = age)]
    older_than: Option<Duration>,
    /// Also runs that have not ended
    #[arg(long)]
    force: bool,
    /// Only say which
    #[arg(long)]
    dry_run: bool,
    /// Rewrite the file whatever its size: certain that nothing remains, while other commands wait
    #[arg(long)]
    vacuum: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
}

fn age(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "expected a duration such as `30d` or `12h`".into())
}

/// What became of the runs that were meant.
#[derive(Default)]
struct Done {
    removed: Vec<RunRecord>,
    /// With the reason.
    stayed: Vec<(RunId, String)>,
}

impl Remove {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        let (text, stayed) = match self.text() {
            Ok(done) => done,
            Err(message) => {
                out::complain(&message, None);
                return Ok(Exit::Wrong);
            }
        };
        out::print(&text)?.ignore();
        for reason in &stayed {
            out::complain(reason, None);
        }
        Ok(if stayed.is_empty() { Exit::Done } else { Exit::Wrong })
    }

    /// What is printed, and why runs that were named stayed.
    fn text(&self) -> Result<(String, Vec<String>), String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let failed = |error: StoreError| place::unusable(&path, &error);
        let mut done = Done::default();
        for id in self.meant(&store, &path)? {
            let record = match store.run(&id) {
                Ok(record) => record,
                // Another process was faster.
                Err(StoreError::NotFound(_)) => continue,
                Err(error) => return Err(failed(error)),
            };
            match self.refused(&record) {
                Some(reason) => done.stayed.push((id, reason)),
                None if self.dry_run => done.removed.push(record),
                None => match store.remove(&id, self.force, now()).map_err(failed)? {
                    Removal::Removed { .. } => done.removed.push(record),
                    Removal::Unfinished(status) => done.stayed.push((id, unfinished(&status))),
                    Removal::Executed(owner) => done.stayed.push((id, executed(&owner))),
                },
            }
        }
        if !self.dry_run {
            self.sweep(&store, &path)?;
        }
        let text = if self.json { self.as_json(&done) } else { self.as_text(&store, &done) };
        // Runs that were found by their age stay without a complaint.
        let named = self.older_than.is_none();
        let stayed = done.stayed.iter().filter(|_| named).map(|(id, reason)| format!("the run `{id}` {reason}"));
        Ok((text, stayed.collect()))
    }

    fn meant(&self, store: &SqliteStore, path: &Path) -> Result<Vec<RunId>, String> {
        if let Some(age) = self.older_than {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            return store.resting(now().saturating_sub(age)).map_err(|error| place::unusable(path, &error));
        }
        let mut ids: Vec<RunId> = Vec::new();
        for run in &self.runs {
            let id = place::find_run(store, run)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// Why a run would stay, as far as can be told before.
    fn refused(&self, record: &RunRecord) -> Option<String> {
        let owner = record.owner.as_ref().filter(|owner| owner.is_dead() != Some(true) && record.lease_until > now());
        match owner {
            Some(owner) => Some(executed(&owner.to_string())),
            None if self.force || record.status.has_ended() => None,
            None => Some(unfinished(list::status(record))),
        }
    }

    fn sweep(&self, store: &SqliteStore, path: &Path) -> Result<(), String> {
        let quick = if self.vacuum { u64::MAX } else { QUICK };
        let swept = store.sweep(quick).map_err(|error| place::unusable(path, &error))?;
        if !swept.rewritten {
            out::tell(
                "note: the store is large, so it was not rewritten: gaps beside rows of other runs may hold remains; \
                 `wf rm --vacuum` rewrites it, while other commands wait\n",
            );
        }
        if !swept.log_emptied {
            out::tell(
                "note: another process reads the store, so its write-ahead log is not emptied yet; the next `wf rm` does\n",
            );
        }
        Ok(())
    }

    fn as_json(&self, done: &Done) -> String {
        let removed: Vec<Json> = done.removed.iter().map(list::summary).collect();
        let stayed: Vec<Json> =
            done.stayed.iter().map(|(id, reason)| json!({ "run_id": &**id, "reason": reason })).collect();
        let key = if self.dry_run { "would_remove" } else { "removed" };
        pretty(&json!({ key: removed, "kept": stayed }))
    }

    fn as_text(&self, store: &SqliteStore, done: &Done) -> String {
        let mut text = String::new();
        for run in &done.removed {
            // A run that is gone is no longer told from others by its ending.
            let id = if self.dry_run { place::short(store, &run.id) } else { run.id.to_string() };
            let verb = if self.dry_run { "would remove" } else { "removed" };
            let (status, written) = (list::status(run), time_text(run.updated_at));
            let bytes = value::bytes(run.bytes);
            text.push_str(&format!("{verb} {id}  {}  {status}  {written}  {bytes}\n", run.workflow));
        }
        if done.removed.is_empty() && self.older_than.is_some() {
            text.push_str("no run that has ended is that old\n");
        }
        let not_ended = done.stayed.len();
        if self.older_than.is_some() && not_ended > 0 {
            text.push_str(&format!(
                "{not_ended} that old have not ended and stay; `--force` removes those that nobody executes\n"
            ));
        }
        text
    }
}

fn unfinished(status: &str) -> String {
    format!("is {status} and may go on; `--force` removes it all the same")
}

fn executed(owner: &str) -> String {
    format!("is being executed by {owner}; stop that first")
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
