//! The hook that tells people of a request: a program, a web address, or both.
//!
//! It is told at least once, under a key that stays the same, and is tried a few times with growing waits. What a process
//! could not tell, the next one that has the run tries again.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value as Json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::model::client;

/// The waits between tries.
const WAITS: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];
/// How much of a refusal is shown.
const SHOWN: usize = 500;

/// Who is told of requests, and how.
#[derive(Clone, Debug, Default)]
pub struct Notify {
    /// A program with its arguments; it is given the JSON on its standard input.
    pub command: Vec<String>,
    /// Where the JSON is posted to.
    pub url: Option<String>,
    /// The folder in which the program runs.
    pub folder: PathBuf,
    /// How long one try may take.
    pub timeout: Duration,
}

impl Notify {
    /// Tells `about`. `key` is the same whenever the same is told again.
    ///
    /// # Errors
    /// Why the last try of the program, or of the address, was in vain.
    pub(super) async fn tell(&self, about: &Json, key: &str) -> Result<(), String> {
        // What was told by one way is not told again because of the other.
        let (mut command, mut url) = (self.command.is_empty(), self.url.is_none());
        let mut waits = WAITS.iter();
        loop {
            let mut failed = None;
            if !command {
                command = self.in_time(self.run(about, key)).await.map_err(|error| failed = Some(error)).is_ok();
            }
            if let (false, Some(to)) = (url, &self.url) {
                url = self.in_time(post(to, about, key)).await.map_err(|error| failed = Some(error)).is_ok();
            }
            match (failed, waits.next()) {
                (None, _) => return Ok(()),
                (Some(error), None) => return Err(error),
                (Some(_), Some(wait)) => tokio::time::sleep(*wait).await,
            }
        }
    }

    async fn in_time(&self, telling: impl Future<Output = Result<(), String>>) -> Result<(), String> {
        let late = || format!("it did not end in {} s", self.timeout.as_secs());
        tokio::time::timeout(self.timeout, telling).await.unwrap_or_else(|_| Err(late()))
    }

    async fn run(&self, about: &Json, key: &str) -> Result<(), String> {
        let Some((program, args)) = self.command.split_first() else { return Ok(()) };
        let failed = |error: std::io::Error| format!("cannot run `{program}`: {error}");
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.folder).env("WF_IDEMPOTENCY_KEY", key);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program may end without reading what it is given.
            let _ = stdin.write_all(format!("{about}\n").as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            let _ = stderr.take(64 << 10).read_to_end(&mut said).await;
        }
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&said);
        let end = said.trim_end();
        let end = &end[end.ceil_char_boundary(end.len().saturating_sub(SHOWN))..];
        let ended =
            status.code().map_or_else(|| "was ended by a signal".into(), |code| format!("ended with code {code}"));
        Err(if end.is_empty() { format!("`{program}` {ended}") } else { format!("`{program}` {ended}: {end}") })
    }
}

async fn post(url: &str, about: &Json, key: &str) -> Result<(), String> {
    let call = client()?.post(url).header("Idempotency-Key", key).json(about);
    let reply = call.send().await.map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        format!("cannot reach {url}: {cause}")
    })?;
    let status = reply.status();
    if status.is_success() { Ok(()) } else { Err(format!("{url} answered with status {}", status.as_u16())) }
}
