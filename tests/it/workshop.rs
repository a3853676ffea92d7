//! A folder of its own with the examples, and the command that was built.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// What the reader's own set-up must not change.
const FORGOTTEN: [&str; 5] = ["WF_STORE", "WF_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "CLICOLOR_FORCE"];

/// The folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder that is gone afterwards.
pub(crate) struct Workshop {
    folder: PathBuf,
    _temporary: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Workshop {
    /// A folder with a copy of `examples/`.
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().canonicalize().expect("a path");
        let examples = folder.join("examples");
        fs::create_dir(&examples).expect("a folder");
        for entry in fs::read_dir(root().join("examples")).expect("the examples") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::copy(&path, examples.join(path.file_name().expect("a name"))).expect("copied");
            }
        }
        Self { folder, _temporary: temporary }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `wf` here, to its end, without a terminal.
    pub(crate) fn wf(&self, args: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wf"));
        self.prepare(&mut command);
        let output = command.args(args).stdin(Stdio::null()).output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Ended { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A shell that does what `line` says, with `wf` being the command that was built.
    pub(crate) fn shell(&self, line: &str) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_wf")).parent().expect("a folder");
        let mut path = bin.as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        self.prepare(&mut command);
        command.args(["-c", line]).env("PATH", path);
        command
    }

    fn prepare(&self, command: &mut Command) {
        for name in FORGOTTEN {
            command.env_remove(name);
        }
        command.current_dir(&self.folder).env("NO_COLOR", "1");
    }
}
