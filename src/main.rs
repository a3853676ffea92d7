//! The wf command: arguments in; text and exit codes out.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod backup;
mod cancel;
mod check;
mod compiled;
mod detach;
mod diff;
mod due;
mod engine;
mod events;
mod find;
mod fork;
mod list;
mod load;
mod lsp;
mod moment;
mod notify;
mod out;
mod place;
mod prompt;
mod report;
mod resume;
mod rm;
mod run;
mod show;
mod size;
mod test;
mod value;

use args::{Args, Command};
use out::Exit;

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if cfg!(windows) {
        let help =
            "process groups, stopping a program, and the owner of a run are not built for it; use Linux, macOS or WSL";
        out::complain("wf does not run on Windows yet", Some(help));
        return Exit::Wrong.into();
    }
    let done = match Args::parse().command {
        Command::Run(run) => run.run(),
        Command::Resume(resume) => resume.run(),
        Command::List(list) => list.run(),
        Command::Show(show) => show.run(),
        Command::Diff(diff) => diff.run(),
        Command::Fork(fork) => fork.run(),
        Command::Events(events) => events.run(),
        Command::Cancel(cancel) => cancel.run(),
        Command::Remove(remove) => remove.run(),
        Command::Backup(backup) => backup.run(),
        Command::Check(check) => check.run(),
        Command::Test(test) => test.run(),
        Command::Lsp(lsp) => lsp.run(),
    };
    let exit = done.unwrap_or_else(|error| {
        out::complain(&error.to_string(), None);
        Exit::Failed
    });
    exit.into()
}
