//! What `run` and `resume` have in common: drive a run, show its events, ask on a terminal, say how to go on.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::mpsc;
use wf_runtime::{
    drive::{Command, Ended, Options, Report, Run, Sink},
    host::{ModelSettings, Permissions},
    store::{RunRecord, SqliteStore, StoreError},
};

use crate::{
    out::{self, Exit, Reader},
    place, prompt, value,
};

/// What a run was given, kept with it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// What it may do.
    pub(crate) allow: Permissions,
    /// The model of agents that name none.
    pub(crate) model: Option<String>,
    /// How many checkpoints are kept; none is all.
    pub(crate) keep: Option<u64>,
    /// Where relative paths begin.
    pub(crate) folder: PathBuf,
}

impl Settings {
    /// Those of a run.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn of(run: &RunRecord) -> Result<Self, String> {
        serde_json::from_str(&run.settings).map_err(|error| format!("the settings of the run cannot be read: {error}"))
    }

    /// Where models are found: what was given, with base URL and key from the environment.
    pub(crate) fn models(&self) -> ModelSettings {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        ModelSettings {
            default_model: self.model.clone(),
            base_url: variable("OPENAI_BASE_URL"),
            api_key: variable("OPENAI_API_KEY"),
        }
    }
}

/// How a run is shown and how long it is waited for: the flags that `run` and `resume` share.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Showing {
    /// Print the result as JSON; the script's own output goes to standard error
    #[arg(long, conflicts_with = "stream")]
    pub(crate) json: bool,
    /// Print the events as JSON lines, as they happen; `--stream=status` prints changes of status too
    #[arg(long, value_name = "status", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) stream: Option<String>,
    /// How long to wait for timers when nothing else can go on, such as 30s (default: a minute off a terminal)
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_wait: Option<String>,
}

impl Showing {
    /// Whether questions are asked on the terminal.
    pub(crate) fn asks(&self) -> bool {
        !self.json && self.stream.is_none() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// The options that these flags give.
    ///
    /// # Errors
    /// A duration that is none.
    pub(crate) fn options(&self, keep: Option<u64>) -> Result<Options, String> {
        if let Some(stream) = &self.stream
            && !matches!(stream.as_str(), "" | "status")
        {
            return Err(format!("`--stream={stream}` is not known; write `--stream` or `--stream=status`"));
        }
        let max_wait = match &self.max_wait {
            Some(text) => Some(duration(text).ok_or_else(|| format!("`{text}` is no duration; write 30s or 5m"))?),
            None if std::io::stdout().is_terminal() => None,
            None => Some(Duration::from_secs(60)),
        };
        Ok(Options {
            max_wait,
            keep,
            each_boundary: false,
            wait_for_answers: self.asks(),
            streaming: self.stream.is_some(),
        })
    }
}

/// Reads `30s`, `1h30m`, `250ms`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let millis = wf_runtime::json::parse_duration(text)?;
    Some(Duration::from_millis(u64::try_from(millis).ok()?))
}

/// Lets a run go on, shows what it tells, and says how to go on when it stops.
pub(crate) fn drive(run: Run, showing: &Showing, store: &Arc<SqliteStore>, store_path: &Path) -> Exit {
    let id = Arc::clone(run.id());
    match report(run, How::GoOn, showing, store, store_path) {
        Ok(report) => finish(&report, showing, &place::short(&**store, &id), &place::store_flag(store_path)),
        Err(exit) => exit,
    }
}

/// What is done with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It goes on.
    GoOn,
    /// It ends as cancelled, at once.
    End,
}

/// Lets a run go on, or ends it, and shows what it tells.
///
/// # Errors
/// When the store broke off, which is said.
pub(crate) fn report(
    run: Run,
    how: How,
    showing: &Showing,
    store: &Arc<SqliteStore>,
    store_path: &Path,
) -> Result<Report, Exit> {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::complain(&format!("cannot start: {error}"), None);
            return Err(Exit::Failed);
        }
    };
    let id = Arc::clone(run.id());
    let (commands, received) = mpsc::unbounded_channel();
    let asker = showing.asks().then(|| prompt::Asker::start(commands.clone()));
    let mut screen = Screen { showing: showing.clone(), asker, told_of_end: false, cancelling: run.is_cancelling() };
    let driven = runtime.block_on(async {
        // Before the first event is shown: who sees it may interrupt.
        match Interrupts::listen() {
            Ok(signals) => drop(tokio::spawn(interrupts(signals, commands))),
            Err(error) => out::complain(&format!("Ctrl-C will not save before it stops: {error}"), None),
        }
        match how {
            How::GoOn => run.drive(&mut screen, received).await,
            How::End => run.end_now(&mut screen).await,
        }
    });
    // Whoever waits at a prompt is not waited for.
    runtime.shutdown_background();
    let short = place::short(&**store, &id);
    let flag = place::store_flag(store_path);
    match driven {
        Ok(report) => Ok(report),
        Err(StoreError::Stale) => {
            out::complain(
                &StoreError::Stale.to_string(),
                Some(&format!("`wf show {short}{flag}` shows where it stands")),
            );
            Err(Exit::Failed)
        }
        Err(error) => {
            let help =
                format!("what was saved before stays; when the cause is mended, `wf resume {short}{flag}` goes on");
            out::complain(&place::unusable(store_path, &error), Some(&help));
            Err(Exit::Failed)
        }
    }
}

/// Requests to stop from outside: Ctrl-C, and on Unix SIGTERM and the SIGHUP of a terminal that is closed.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: Vec<(tokio::signal::unix::Signal, i32)>,
    #[cfg(windows)]
    signals: tokio::signal::windows::CtrlC,
    code: i32,
}

impl Interrupts {
    /// What each arrives at from now on, whether it is waited for at that moment or not.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub(crate) fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        let signals = {
            use tokio::signal::unix::{SignalKind, signal};
            let mut signals = vec![(signal(SignalKind::interrupt())?, 130), (signal(SignalKind::terminate())?, 143)];
            if !ignores_hangup() {
                signals.push((signal(SignalKind::hangup())?, 129));
            }
            signals
        };
        #[cfg(windows)]
        let signals = tokio::signal::windows::ctrl_c()?;
        Ok(Self { signals, code: 130 })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        {
            let any = |context: &mut std::task::Context<'_>| {
                let came = self
                    .signals
                    .iter_mut()
                    .find_map(|(signal, code)| signal.poll_recv(context).is_ready().then_some(*code));
                came.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
            };
            self.code = std::future::poll_fn(any).await;
        }
        #[cfg(windows)]
        self.signals.recv().await;
    }

    /// The exit code that the latest stands for: 128 and the number of the signal.
    pub(crate) fn code(&self) -> i32 {
        self.code
    }
}

/// Whether whoever started this process had it ignore the end of its terminal, as `nohup` does.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// The first saves and stops; the second one stops at once.
async fn interrupts(mut interrupts: Interrupts, commands: mpsc::UnboundedSender<Command>) {
    interrupts.next().await;
    let _ = commands.send(Command::Interrupt);
    interrupts.next().await;
    std::process::exit(interrupts.code());
}

pub(crate) fn finish(report: &Report, showing: &Showing, short: &str, flag: &str) -> Exit {
    if showing.json {
        let text = serde_json::to_string_pretty(&report.result).unwrap_or_default();
        if let Err(error) = out::print(&format!("{text}\n")) {
            return not_written(&error);
        }
    }
    let quiet = showing.json || showing.stream.is_some();
    match report.ended {
        Ended::Completed => {
            let output = &report.result["output"];
            let text = format!("{}\n", value::shown(output));
            match if quiet || output.is_null() { Ok(Reader::Listens) } else { out::print(&text) } {
                Ok(_) => Exit::Done,
                Err(error) => not_written(&error),
            }
        }
        Ended::Failed => {
            if !quiet {
                out::tell(&failure(&report.result["error"]));
                out::tell(&format!("  go on from before the error: wf resume {short}{flag}\n"));
            }
            Exit::Failed
        }
        Ended::Cancelled => {
            if !quiet {
                out::tell("cancelled\n");
            }
            Exit::Failed
        }
        Ended::Paused => {
            if !quiet {
                out::tell(&paused(&report.result, short, flag));
            }
            Exit::Paused
        }
        Ended::Interrupted => {
            if !quiet {
                out::tell(&format!("interrupted; everything so far is saved\n  go on: wf resume {short}{flag}\n"));
            }
            Exit::Interrupted
        }
    }
}

/// The run is as it was; only its output is lost.
fn not_written(error: &std::io::Error) -> Exit {
    out::complain(&error.to_string(), Some("the run is saved; `wf show last` shows it"));
    Exit::Failed
}

/// An error of a run: what, where, and through which calls.
pub(crate) fn failure(error: &Json) -> String {
    let mut text = format!(
        "failed: {} ({})\n",
        error["message"].as_str().unwrap_or("unknown"),
        error["kind"].as_str().unwrap_or("error")
    );
    for frame in error["trace"].as_array().into_iter().flatten() {
        let part = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        text.push_str(&format!("  in {} at {}\n", part("function"), part("place")));
    }
    text
}

/// What a paused run waits for, and the commands that go on.
fn paused(result: &Json, short: &str, flag: &str) -> String {
    let requests = result["requests"].as_array().map_or(&[][..], Vec::as_slice);
    let mut text = String::new();
    for request in requests {
        text.push_str(&format!("waiting for an answer: {}\n", value::question(request)));
        let example = value::example(&request["schema"]);
        let command = match requests {
            [_] => format!("wf resume {short} {example}{flag}"),
            _ => {
                let id = request["id"].as_str().unwrap_or_default();
                format!("wf resume {short} --respond {}={example}{flag}", place::quoted(id))
            }
        };
        text.push_str(&format!("  answer ({}): {command}\n", value::hint(&request["schema"])));
    }
    if let Some(wake_at) = result["wake_at"].as_str() {
        text.push_str(&format!("waiting until {wake_at}\n  go on then: wf resume {short}{flag}\n"));
    }
    text
}

/// Shows the events of a run as they become durable.
struct Screen {
    showing: Showing,
    asker: Option<prompt::Asker>,
    told_of_end: bool,
    /// The run is being cancelled, whatever else happens to it.
    cancelling: bool,
}

impl Sink for Screen {
    fn event(&mut self, event: &Json) -> bool {
        if let Some(stream) = &self.showing.stream {
            let mut lines = format!("{event}\n");
            if stream == "status"
                && let Some(status) = self.status_of(event)
            {
                lines.push_str(&format!("{status}\n"));
            }
            return matches!(out::print(&lines), Ok(Reader::Listens));
        }
        let kind = event["type"].as_str().unwrap_or_default();
        if kind == "log" && event["print"] == true {
            let text = format!("{}\n", event["text"].as_str().unwrap_or_default());
            if self.showing.json {
                out::tell(&text);
                return true;
            }
            return matches!(out::print(&text), Ok(Reader::Listens));
        }
        if let (Some(asker), "request_info" | "request_withdrawn" | "response") = (&self.asker, kind) {
            asker.event(event);
        } else if !self.showing.json && !self.told_of_end {
            self.told_of_end = matches!(kind, "completed" | "failed" | "cancelled");
            progress(event, kind);
        }
        true
    }
}

impl Screen {
    /// A change of status as an event of its own: not stored, without a number.
    fn status_of(&mut self, event: &Json) -> Option<Json> {
        let status = match event["type"].as_str()? {
            status @ ("completed" | "failed" | "cancelled") => status,
            // A run that was to be cancelled before it is driven says so when it is taken.
            "cancelling" if std::mem::replace(&mut self.cancelling, true) => return None,
            "started" | "resumed" if self.cancelling => "cancelling",
            "cancelling" => "cancelling",
            "response" | "paused" if self.cancelling => return None,
            "started" | "resumed" | "response" => "running",
            "paused" => "paused",
            _ => return None,
        };
        Some(serde_json::json!({
            "type": "status", "run_id": event["run_id"], "time": event["time"], "status": status,
        }))
    }
}

/// One plain line for what a person at the terminal wants to know meanwhile.
fn progress(event: &Json, kind: &str) {
    let field = |name: &str| event[name].as_str().unwrap_or_default();
    let attempt = match event["attempt"].as_u64() {
        Some(attempt) if attempt > 1 => format!(" (attempt {attempt})"),
        _ => String::new(),
    };
    let line = match kind {
        "step_started" => format!("· {}{attempt}", field("title")),
        "step_completed" => format!("✓ {}{attempt}", field("title")),
        "step_failed" => format!("✗ {}{attempt}: {}", field("title"), event["error"]["message"].as_str().unwrap_or("")),
        "step_retrying" => {
            let reason = event["error"]["message"].as_str().unwrap_or_default();
            format!("↻ {} will be tried again in {}: {reason}", field("title"), field("delay"))
        }
        "step_cancelled" => format!("✗ {} cancelled", field("title")),
        "cancelling" => "cancelling".into(),
        "sleeping" => format!("… sleeping until {}", field("until")),
        "log" => format!("  {}", field("text")),
        _ => return,
    };
    let _ = writeln!(anstream::stderr(), "{line}");
}
