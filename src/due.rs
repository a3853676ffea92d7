//! `wf resume --due`: goes on with every run whose timer has come, many at once in one process.
//!
//! They share one store, so that they share its transactions. A run that cannot be taken is told of and left, and the
//! others go on.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value as Json;
use tokio::{
    sync::{Semaphore, broadcast, mpsc},
    task::JoinSet,
};
use wf_runtime::{
    drive::{Command, DriveError, Ended, Options, Report, Run, Sink},
    store::{RunRecord, SqliteStore, Store, StoreError},
};

use crate::{
    engine::{self, Showing},
    list::pretty,
    out::{self, Exit, Reader},
    place,
    resume::{GoOn, take},
};

/// How many runs are under way at a time.
const AT_ONCE: usize = 1000;
/// How many are looked for.
const MOST: usize = 100_000;
/// How long is waited for further timers unless told otherwise.
const WAIT: Duration = Duration::from_secs(60);

/// What became of a run.
enum Became {
    /// It was driven.
    Driven(Report),
    /// Another process has it, or has had it meanwhile.
    Left,
    /// It could not be taken, or its store broke off.
    Broken(String),
}

/// Goes on with all that are due; exit code 1 when one of them failed or could not be taken.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn go_on(
    store: &Arc<SqliteStore>,
    path: &Path,
    showing: &Showing,
    with: &GoOn,
    interrupted: bool,
) -> Result<Exit, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let due = store.due(now, interrupted, MOST).map_err(|error| place::unusable(path, &error))?;
    let mut showing = showing.clone();
    showing.max_wait.get_or_insert_with(|| format!("{}s", WAIT.as_secs()));
    showing.options(None)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let all = All { store: Arc::clone(store), path: path.to_owned(), showing, with: with.clone() };
    let became = runtime.block_on(all.drive(due));
    runtime.shutdown_background();
    all.tell(&became?)
}

struct All {
    store: Arc<SqliteStore>,
    path: PathBuf,
    showing: Showing,
    with: GoOn,
}

impl All {
    async fn drive(&self, due: Vec<RunRecord>) -> Result<Vec<(RunRecord, Became)>, String> {
        let (stop, _) = broadcast::channel(2);
        let mut interrupts = engine::Interrupts::listen().map_err(|error| error.to_string())?;
        let stopping = stop.clone();
        let listener = tokio::spawn(async move {
            interrupts.next().await;
            let _ = stopping.send(());
            interrupts.next().await;
            std::process::exit(interrupts.code());
        });
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut runs = JoinSet::new();
        for record in due {
            let Ok(room) = Arc::clone(&room).acquire_owned().await else { break };
            let (store, path, with) = (Arc::clone(&self.store), self.path.clone(), self.with.clone());
            let (showing, mut stopped) = (self.showing.clone(), stop.subscribe());
            runs.spawn(async move {
                let options = {
                    let showing = showing.clone();
                    move |keep| Ok(Options { wait_for_answers: false, ..showing.options(keep)? })
                };
                let taken = record.clone();
                let taking = move || take(&store, &path, &taken, &with, options).map(|taken| taken.run);
                let became = match tokio::task::spawn_blocking(taking).await {
                    Ok(Ok(Ok(run))) => {
                        let (commands, received) = mpsc::unbounded_channel();
                        let forward = tokio::spawn(async move {
                            if stopped.recv().await.is_ok() {
                                let _ = commands.send(Command::Interrupt);
                            }
                        });
                        let became = driven(run, &showing, received).await;
                        forward.abort();
                        became
                    }
                    Ok(Ok(Err(DriveError::Store(StoreError::Owned { .. })))) => Became::Left,
                    Ok(Ok(Err(error))) => Became::Broken(error.to_string()),
                    Ok(Err(error)) => Became::Broken(error),
                    Err(error) => Became::Broken(error.to_string()),
                };
                drop(room);
                (record, became)
            });
        }
        let mut all = Vec::new();
        while let Some(done) = runs.join_next().await {
            if let Ok((record, became)) = done {
                self.line(&record, &became);
                all.push((record, became));
            }
        }
        listener.abort();
        Ok(all)
    }

    /// One line for each run, as it stops.
    fn line(&self, record: &RunRecord, became: &Became) {
        let how = match became {
            Became::Driven(report) if report.ended == Ended::Interrupted => "interrupted".into(),
            Became::Driven(report) => {
                let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
                let status = text(&report.result["status"]);
                match report.ended {
                    Ended::Failed => format!("{status}: {}", text(&report.result["error"]["message"])),
                    Ended::Paused if !report.result["wake_at"].is_null() => {
                        format!("{status} until {}", text(&report.result["wake_at"]))
                    }
                    _ => status,
                }
            }
            Became::Left => "another process has it".into(),
            Became::Broken(reason) => format!("cannot go on: {reason}"),
        };
        let _ = writeln!(anstream::stderr(), "{}  {}  {how}", place::short(&*self.store, &record.id), record.workflow);
    }

    /// Prints the results, and says how it ended.
    fn tell(&self, all: &[(RunRecord, Became)]) -> Result<Exit, String> {
        let ended =
            |how: Ended| all.iter().any(|(_, became)| matches!(became, Became::Driven(report) if report.ended == how));
        if self.showing.json {
            let results: Vec<&Json> = all
                .iter()
                .filter_map(|(_, became)| match became {
                    Became::Driven(report) => Some(&report.result),
                    Became::Left | Became::Broken(_) => None,
                })
                .collect();
            let _ = out::print(&pretty(&serde_json::json!(results))).map_err(|error| error.to_string())?;
        }
        if all.is_empty() && !self.showing.json && self.showing.stream.is_none() {
            out::tell("no run is due\n");
        }
        let broken = all.iter().any(|(_, became)| matches!(became, Became::Broken(_)));
        Ok(match () {
            () if ended(Ended::Interrupted) => Exit::Interrupted,
            () if broken || ended(Ended::Failed) => Exit::Failed,
            () => Exit::Done,
        })
    }
}

async fn driven(run: Run, showing: &Showing, commands: mpsc::UnboundedReceiver<Command>) -> Became {
    let mut events = Events { stream: showing.stream.is_some() };
    match run.drive(&mut events, commands).await {
        Ok(report) => Became::Driven(report),
        Err(StoreError::Stale) => Became::Left,
        Err(error) => Became::Broken(error.to_string()),
    }
}

/// The events of all runs, each a line; what scripts print is in them and nowhere else.
struct Events {
    stream: bool,
}

impl Sink for Events {
    fn event(&mut self, event: &Json) -> bool {
        !self.stream || matches!(out::print(&format!("{event}\n")), Ok(Reader::Listens))
    }
}
