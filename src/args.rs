//! The command line: one struct for each command, beside what it does.

use clap::{Parser, Subcommand};

use crate::{check::Check, lsp::Lsp};

const EXAMPLES: &str = "\
Examples:
  wf check hello.wf            say what is wrong with a script
  wf check --json flows/*.wf   the same for a machine
  wf lsp                       what an editor starts

Exit codes: 0 done, 1 a check failed, 2 the command line is wrong or a file cannot be read";

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
    /// Say what is wrong with scripts, without running them
    Check(Check),
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
