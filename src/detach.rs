//! `wf run --detach`: the run goes on in a process of its own, which survives the terminal.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use wf_runtime::{
    drive::Run,
    store::{RunId, SqliteStore, Store},
};

use crate::{
    engine::Showing,
    list::pretty,
    out::{self, Exit},
    place,
};

/// How long is waited until the process has the run.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hands a run that has just begun to a process that goes on with it.
///
/// # Errors
/// When the store cannot be written, or no process be started; the run is in the store all the same.
pub(crate) fn hand_over(
    run: Run,
    showing: &Showing,
    short: &str,
    runs: &SqliteStore,
    store: &Path,
) -> Result<Exit, String> {
    let id: RunId = run.id().clone();
    run.give_up().map_err(|error| place::unusable(store, &error))?;
    let store_path = std::path::absolute(store).unwrap_or_else(|_| store.to_owned());
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut command = Command::new(program);
    command.args(["resume", &id, "--detached", "--store"]).arg(&store_path);
    if let Some(wait) = &showing.max_wait {
        command.args(["--max-wait", wait]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let flag = place::store_flag(store);
    command.spawn().map_err(|error| {
        format!("the run is saved, but no process could be started for it: {error}; `wf resume {short}{flag}` goes on with it")
    })?;
    // Who asks where the run stands finds that it is executed; a process that dies at once is none to wait for.
    let since = Instant::now();
    while since.elapsed() < PATIENCE && runs.run(&id).is_ok_and(|run| run.owner.is_none() && run.last_checkpoint == 0) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let follow = format!("wf events {short} --follow{flag}");
    if showing.json {
        let store = store_path.display().to_string();
        let started = json!({ "run_id": &*id, "status": "running", "store": store, "follow": follow });
        return out::answer(Ok(pretty(&started))).map_err(|error| error.to_string());
    }
    let done = out::answer(Ok(format!("{id}\n"))).map_err(|error| error.to_string());
    out::tell(&format!("  follow it: {follow}\n  see where it stands: wf show {short}{flag}\n"));
    done
}

/// Leaves the session of the terminal, so that its end does not end this process.
pub(crate) fn leave_terminal() {
    #[cfg(unix)]
    // It leads a session already when it was started so.
    let _ = rustix::process::setsid();
}
