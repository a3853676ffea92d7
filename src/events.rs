//! `wf events`: what a run told, as JSON lines.

use std::{path::PathBuf, time::Duration};

use wf_runtime::store::{RunStatus, SqliteStore, Store};

use crate::{
    out::{self, Exit, Reader},
    place,
};

/// How often a store is asked for what is new.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Print the events of a run as JSON lines
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf events last                        all that the newest run told
  wf events 4f7c1a --follow | jq .type  and what it tells from now on, until it ends")]
pub(crate) struct Events {
    /// The run
    run: String,
    /// Go on until the run ends
    #[arg(long)]
    follow: bool,
    /// Only those after this number
    #[arg(long, default_value_t = 0, value_name = "SEQ")]
    after: u64,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
}

impl Events {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        let found = place::open_here(self.store.as_deref())
            .and_then(|(store, path)| place::find_run(&*store, &self.run).map(|id| (store, path, id)));
        let (store, path, id) = match found {
            Ok(found) => found,
            Err(message) => {
                out::complain(&message, None);
                return Ok(Exit::Wrong);
            }
        };
        let mut after = self.after;
        loop {
            // Read before its events, so that those of its end are printed too.
            let ended = store
                .run(&id)
                .map(|run| matches!(run.status, RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled));
            match (ended, self.print_new(&store, &id, &mut after)?) {
                (Err(error), _) | (_, Err(error)) => {
                    out::complain(&place::unusable(&path, &error), None);
                    return Ok(Exit::Wrong);
                }
                (Ok(ended), Ok(reader)) => {
                    if ended || !self.follow || reader == Reader::Gone {
                        return Ok(Exit::Done);
                    }
                }
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Prints the events after a number, which becomes that of the last one.
    fn print_new(
        &self,
        store: &SqliteStore,
        id: &wf_runtime::store::RunId,
        after: &mut u64,
    ) -> std::io::Result<Result<Reader, wf_runtime::store::StoreError>> {
        let batches = match store.events(id, *after) {
            Ok(batches) => batches,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(first) = batches.first().map(|batch| batch.first_seq).filter(|first| *first > *after + 1) {
            let gone = if first == *after + 2 {
                format!("event {} is", *after + 1)
            } else {
                format!("events {}–{} are", *after + 1, first - 1)
            };
            out::tell(&format!("{gone} no longer kept; `--keep all` at `wf run` keeps all\n"));
        }
        let mut text = String::new();
        for batch in batches {
            for (seq, line) in (batch.first_seq..).zip(batch.lines.lines()) {
                if seq > *after {
                    text.push_str(line);
                    text.push('\n');
                    *after = seq;
                }
            }
        }
        if text.is_empty() { Ok(Ok(Reader::Listens)) } else { out::print(&text).map(Ok) }
    }
}
