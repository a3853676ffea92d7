//! `wf lsp`: the language server on standard input and output.

use std::{io, sync::Arc};

use clap::Args;

use crate::{load::Files, out::Exit};

/// The arguments of `wf lsp`.
#[derive(Debug, Args)]
pub(crate) struct Lsp {
    /// Use standard input and output, which is what happens anyway; editors pass it
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    /// Serves until the editor says `exit` or closes its end.
    pub(crate) fn run(self) -> io::Result<Exit> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let end = runtime.block_on(wf_lsp::serve(tokio::io::stdin(), tokio::io::stdout(), Arc::new(Files)));
        // A read of standard input may still be under way; it is not waited for.
        runtime.shutdown_background();
        Ok(match end {
            wf_lsp::End::Orderly => Exit::Done,
            wf_lsp::End::Abrupt => Exit::Failed,
        })
    }
}
