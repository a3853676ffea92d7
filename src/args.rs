//! The command line: one struct for each command, beside what it does.

use clap::{Parser, Subcommand};

use crate::{
    backup::Backup, cancel::Cancel, check::Check, diff::Diff, events::Events, fork::Fork, list::List, lsp::Lsp,
    resume::Resume, rm::Remove, run::Run, show::Show, test::Test,
};

const EXAMPLES: &str = "\
Examples:
  wf run headline.wf product=NebulaCloud   start a workflow
  wf resume last approve                   answer what it asks, and go on
  wf list --requests                       what waits for a person
  wf check flows/*.wf                      say what is wrong with scripts
  wf test                                  run the tests of all scripts here

Exit codes: 0 done, 1 failed, 2 the command line or the script is wrong, 3 paused, 130 interrupted (and saved)";

/// Scripts that pause, crash and go on from exactly there.
#[derive(Debug, Parser)]
#[command(name = "wf", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Resume(Resume),
    List(List),
    Show(Show),
    Events(Events),
    Diff(Diff),
    Fork(Fork),
    Cancel(Cancel),
    #[command(name = "rm")]
    Remove(Remove),
    Backup(Backup),
    /// Say what is wrong with scripts, without running them
    Check(Check),
    /// Run the tests of scripts: no network, in memory, time passes by itself
    Test(Test),
    /// Speak the language server protocol with an editor, over standard input and output
    Lsp(Lsp),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
