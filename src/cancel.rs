//! `wf cancel`: a run ends, after its `finally` blocks or at once.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use wf_runtime::{
    drive::{DriveError, Ended, Report, Run},
    store::{RunRecord, RunStatus, SqliteStore, Store, StoreError},
};

use crate::{
    engine::{self, How, Showing},
    out::{self, Exit},
    place,
    resume::{GoOn, show_ended, take},
};

/// How often it is looked whether the owner of the run has cancelled it.
const LOOK: Duration = Duration::from_millis(50);
/// After which time it is said what is waited for, and an owner that waits for answers is left to it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Cancel a run: calls under way are ended, requests withdrawn, its `finally` blocks run
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf cancel 4f7c1a           cancels the run, also while another process executes it
  wf cancel last --now       ends it at once, without its `finally` blocks

Exit codes: 0 the run is cancelled, 2 it has ended otherwise, 3 its `finally` blocks wait for answers or timers

RUN is an id, an unambiguous beginning or ending of one, or `last`.")]
pub(crate) struct Cancel {
    /// The run
    run: String,
    /// Without its `finally` blocks; a process that executes it is refused further writes
    #[arg(long)]
    now: bool,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
    #[command(flatten)]
    showing: Showing,
}

impl Cancel {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        Ok(self.cancel().unwrap_or_else(|message| {
            out::complain(&message, None);
            Exit::Wrong
        }))
    }

    fn cancel(self) -> Result<Exit, String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let id = place::find_run(&*store, &self.run)?;
        let unusable = |error: StoreError| place::unusable(&path, &error);
        let mut asked: Option<Instant> = None;
        let mut told = false;
        loop {
            let record = store.run(&id).map_err(unusable)?;
            if is_over(&record) {
                return self.over(&record, asked.is_some());
            }
            let owner = match self.take(&store, &path, &record)? {
                // Whoever went on with it from before its error has given it up again.
                Ok(run) if record.status == RunStatus::Failed && !self.now => {
                    run.give_up().map_err(unusable)?;
                    continue;
                }
                Ok(run) => return self.end(run, &store, &path),
                Err(DriveError::Store(StoreError::Owned { owner, .. })) => owner,
                Err(error) => return Err(error.to_string()),
            };
            let since = match asked {
                Some(since) => since,
                None if store.cancel(&id).map_err(unusable)? => *asked.insert(Instant::now()),
                // It has ended just now.
                None => continue,
            };
            if since.elapsed() >= PATIENCE {
                let waits =
                    record.status == RunStatus::Cancelling && !store.requests(Some(&id)).map_err(unusable)?.is_empty();
                if waits {
                    let (short, flag) = (place::short(&*store, &id), place::store_flag(&path));
                    out::tell(&format!(
                        "{owner} cancels the run, whose `finally` blocks wait for answers\n  see which: wf show {short}{flag}\n"
                    ));
                    return Ok(Exit::Paused);
                }
                if !std::mem::replace(&mut told, true) {
                    out::tell(&match record.status {
                        RunStatus::Cancelling => format!("waiting for {owner}, which runs the `finally` blocks\n"),
                        _ => {
                            format!("waiting for {owner}, which has the run; that it is to be cancelled is recorded\n")
                        }
                    });
                }
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Takes the run, unless another process has it; with `--now` from that one too.
    fn take(
        &self,
        store: &Arc<SqliteStore>,
        path: &Path,
        record: &RunRecord,
    ) -> Result<Result<Run, DriveError>, String> {
        // One that failed and is under way again is not gone on with from before its error: it is to end.
        let record = RunRecord { status: RunStatus::Running, ..record.clone() };
        let with = GoOn { take_over: self.now, ..GoOn::default() };
        Ok(take(store, path, &record, &with, |keep| self.showing.options(keep))?.run)
    }

    fn end(&self, mut run: Run, store: &Arc<SqliteStore>, path: &Path) -> Result<Exit, String> {
        let id = Arc::clone(run.id());
        let how = if self.now {
            How::End
        } else {
            run.cancel();
            How::GoOn
        };
        match engine::report(run, how, &self.showing, store, path) {
            Ok(report) => {
                let exit =
                    engine::finish(&report, &self.showing, &place::short(&**store, &id), &place::store_flag(path));
                Ok(exit_of(&report, exit))
            }
            Err(exit) => Ok(exit),
        }
    }

    /// The run has ended.
    fn over(&self, record: &RunRecord, asked: bool) -> Result<Exit, String> {
        if record.status != RunStatus::Cancelled {
            let meanwhile = if asked { "meanwhile" } else { "already" };
            return Err(format!("the run is {} {meanwhile}; there is nothing to cancel", record.status.text()));
        }
        if !asked && !self.showing.json {
            out::tell("the run was cancelled already\n");
            return Ok(Exit::Done);
        }
        show_ended(record, &self.showing).map(|_| Exit::Done)
    }
}

/// Whether nothing can be cancelled any more. A run that has failed may be under way again.
fn is_over(record: &RunRecord) -> bool {
    record.status.has_ended() && (record.status != RunStatus::Failed || record.owner.is_none())
}

/// A run that ended while it was to be cancelled is not cancelled.
fn exit_of(report: &Report, exit: Exit) -> Exit {
    match report.ended {
        Ended::Cancelled => Exit::Done,
        Ended::Completed => Exit::Wrong,
        Ended::Failed | Ended::Paused | Ended::Interrupted => exit,
    }
}
