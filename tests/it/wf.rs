//! The command, run in a folder of its own.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// A folder with files, and the command in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with these files.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("written");
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command, with nothing to read.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wf"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the command.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("it runs")
    }

    /// Runs the command and writes down what it says: the command, standard output, standard error, and the exit code
    /// when it is not 0.
    pub(crate) fn transcript(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = match output.status.code() {
            Some(0) => String::new(),
            code => format!("exit code {}\n", code.expect("no signal")),
        };
        format!("$ wf {}\n{}{}{code}", args.join(" "), text(output.stdout), text(output.stderr))
    }
}
