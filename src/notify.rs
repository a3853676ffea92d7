//! The hook of `wf.toml` that tells people of requests: from its settings to the host.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value as Json, json};
use wf_runtime::{
    host::{Notify, System},
    store::{RunId, SqliteStore},
};

use crate::{engine, place, value};

/// How long one try may take unless `timeout` says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The host of a run, with the hook of the project that its script is in.
///
/// # Errors
/// What is wrong with the settings.
pub(crate) fn with_hook(
    host: System,
    folder: &Path,
    run: &RunId,
    script: &str,
    store: &Arc<SqliteStore>,
    store_path: &Path,
) -> Result<System, String> {
    // Most runs have none, and `wf.toml` may be gone by now.
    let (root, project) = place::project(folder)?;
    let Some(settings) = project.notify else { return Ok(host) };
    if settings.command.is_empty() && settings.url.is_none() {
        return Err(
            "`[notify]` in `wf.toml` says neither `command` nor `url`; such as: command = [\"./notify.sh\"]".into()
        );
    }
    let timeout = match &settings.timeout {
        None => TIMEOUT,
        Some(text) => engine::duration(text)
            .ok_or_else(|| format!("`[notify]` in `wf.toml`: `{text}` is no duration; write timeout = \"10s\""))?,
    };
    let folder = root.unwrap_or_else(|| folder.to_owned());
    let notify = Notify { command: settings.command, url: settings.url, folder, timeout };
    let path: PathBuf = std::path::absolute(store_path).unwrap_or_else(|_| store_path.to_owned());
    let (store, run, script) = (Arc::clone(store), Arc::clone(run), script.to_owned());
    Ok(host.telling(notify, move |about| {
        let short = place::short(&*store, &run);
        let id = about["request"]["id"].as_str().unwrap_or_default();
        let example = value::example(&about["request"]["schema"]);
        let flag = place::quoted(&path.display().to_string());
        let answer = format!("wf resume {short} --respond {}={example} --store {flag}", place::quoted(id));
        if let Json::Object(about) = about {
            about.insert("script".into(), json!(script));
            about.insert("store".into(), json!(path.display().to_string()));
            about.insert("answer".into(), json!(answer));
        }
    }))
}
