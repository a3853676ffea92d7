//! A folder with scripts and a store, and the command in it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

pub(crate) use serde_json::{Value as Json, json};

/// How long anything may take before a test gives up: long, because machines are slow when everything runs at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of its own for a test.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// A folder with these scripts of `tests/scripts`.
    pub(crate) fn with(scripts: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // A project of its own: otherwise folders above this one are looked into.
        std::fs::write(folder.path().join("wf.toml"), "").expect("written");
        for script in scripts {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(script);
            std::fs::copy(&from, folder.path().join(script))
                .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path(".wf/runs.db")
    }

    /// `wf` with arguments, in the folder, with no settings from outside.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wf"));
        command.args(args).current_dir(self.folder.path());
        for name in ["WF_STORE", "WF_MODEL", "NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `wf` until it ends.
    pub(crate) fn wf(&self, args: &[&str]) -> Done {
        self.command(args).output().expect("wf starts").into()
    }

    /// Runs `wf` with text on its standard input.
    pub(crate) fn wf_fed(&self, args: &[&str], input: &str) -> Done {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().expect("wf starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("taken");
        child.wait_with_output().expect("it ends").into()
    }

    /// Starts `wf`, whose standard output is read line by line.
    pub(crate) fn start(&self, args: &[&str]) -> Started {
        let mut child = self.command(args).spawn().expect("wf starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Started { child, lines }
    }

    /// The lines that effects left outside of the run: a name, and the key of the call.
    pub(crate) fn effects(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("effects")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The stored events of the newest run.
    pub(crate) fn events(&self) -> Vec<Json> {
        let done = self.wf(&["events", "last"]);
        done.out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
    }

    /// Changes rows of the store, as a fault of the disk would.
    pub(crate) fn sql(&self, text: &str) -> usize {
        let store = rusqlite::Connection::open(self.store()).expect("a store");
        let changed = store.execute(text, []).unwrap_or_else(|error| panic!("{text}: {error}"));
        store.pragma_update(None, "wal_checkpoint", "TRUNCATE").expect("written");
        changed
    }
}

impl Done {
    /// The same, if it ended with this code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n-- out\n{}\n-- err\n{}", self.out, self.err);
        self
    }

    /// The same, if it says this on standard error.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "expected `{text}` in\n{}", self.err);
        self
    }

    /// The result that `--json` printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A command under way.
pub(crate) struct Started {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Started {
    /// The next line of its standard output; `None` when there is no more.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).expect("text");
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads events until one is of this type.
    #[track_caller]
    pub(crate) fn until(&mut self, kind: &str) -> Json {
        while let Some(line) = self.line() {
            let event: Json = serde_json::from_str(&line).expect("an event");
            if event["type"] == kind {
                return event;
            }
        }
        let mut err = String::new();
        let _ = self.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut err));
        panic!("no event `{kind}` came\n{err}");
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        assert!(self.signal_if_there(name), "no process to send {name} to");
    }

    /// Sends a signal to a process that may have ended by itself. Whether it was there.
    pub(crate) fn signal_if_there(&self, name: &str) -> bool {
        let mut kill = Command::new("kill");
        kill.args([&format!("-{name}"), &self.child.id().to_string()]).stderr(Stdio::null());
        kill.status().expect("kill starts").success()
    }

    /// `kill -9`, and waits until it is dead. Whether it was still alive.
    pub(crate) fn kill(mut self) -> bool {
        self.child.kill().expect("killed");
        self.child.wait().expect("dead").code().is_none()
    }

    /// Waits for its end.
    pub(crate) fn done(self) -> Done {
        let Self { mut child, mut lines } = self;
        let mut stderr = child.stderr.take().expect("a pipe");
        let errors = std::thread::spawn(move || {
            let mut err = String::new();
            stderr.read_to_string(&mut err).map(|_| err)
        });
        let mut out = String::new();
        lines.read_to_string(&mut out).expect("text");
        let code = child.wait().expect("it ends").code();
        Done { code, out, err: errors.join().expect("read").expect("text") }
    }
}

/// Asks again until something holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
