//! `wf run --detach`: the run goes on in a process of its own, which survives the terminal.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use wf_runtime::{drive::Run, store::RunId};

use crate::{
    engine::Showing,
    list::pretty,
    out::{self, Exit},
    place,
};

/// Hands a run that has just begun to a process that goes on with it.
///
/// # Errors
/// When the store cannot be written, or no process be started; the run is in the store all the same.
pub(crate) fn hand_over(run: Run, showing: &Showing, short: &str, store: &Path) -> Result<Exit, String> {
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
    if showing.json {
        let started = json!({ "run_id": &*id, "status": "running", "store": store_path.display().to_string() });
        return out::answer(Ok(pretty(&started))).map_err(|error| error.to_string());
    }
    out::tell(&format!(
        "run {id}\n  follow it: wf events {short} --follow{flag}\n  see where it stands: wf show {short}{flag}\n"
    ));
    Ok(Exit::Done)
}

/// Leaves the session of the terminal, so that its end does not end this process.
pub(crate) fn leave_terminal() {
    #[cfg(unix)]
    // It leads a session already when it was started so.
    let _ = rustix::process::setsid();
}
