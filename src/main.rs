//! The wf command: arguments in; text and exit codes out.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod check;
mod load;
mod lsp;
mod out;
mod report;

use args::{Args, Command};
use out::Exit;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Check(check) => check.run(),
        Command::Lsp(lsp) => lsp.run(),
    };
    let exit = done.unwrap_or_else(|error| {
        out::complain(&error.to_string(), None);
        Exit::Failed
    });
    exit.into()
}
