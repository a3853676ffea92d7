//! The wf language server: what an editor shows while a script is written.
//!
//! [`serve`] speaks the protocol over any pair of streams. What comes in passes `frames`, which keeps out what would end
//! the protocol library; documents are held by the `world`, changed in the order of their messages; each has one
//! publisher, in `publish`. The types of the protocol stop at `convert`.

mod convert;
mod frames;
mod publish;
mod server;
mod text;
mod world;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp::{LspService, Server};
use wf_lang::load::{Library, Loaded, Main, Texts, load_with};

pub use frames::End;
use server::Backend;

/// How long the last answers may take to leave when the editor has said `exit`.
const GRACE: Duration = Duration::from_millis(500);

/// Checks a text, and what it imports.
pub type Check = Arc<dyn Fn(Main<'_>, &dyn Texts) -> Loaded + Send + Sync>;

/// Where the texts are of files that are not open; paths are absolute, with `/` between folders.
pub type Files = Arc<dyn Texts + Send + Sync>;

/// Serves an editor until it says `exit` or closes its end.
pub async fn serve<I, O>(stdin: I, stdout: O, files: Files) -> End
where
    I: AsyncRead + Unpin,
    O: AsyncWrite,
{
    static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::new(wf_stdlib::MODULES.iter().copied()));
    serve_with(stdin, stdout, files, Arc::new(|main, texts| load_with(&LIBRARY, main, texts))).await
}

/// As [`serve`], with another way to check a text. It runs on a thread of its own and may panic.
pub async fn serve_with<I, O>(stdin: I, stdout: O, files: Files, check: Check) -> End
where
    I: AsyncRead + Unpin,
    O: AsyncWrite,
{
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (service, socket) = LspService::build(|client| Backend::new(client, check, files))
        .custom_method(frames::MALFORMED, Backend::malformed)
        .custom_method(frames::INVALID, Backend::invalid)
        .finish();
    let answer = Server::new(theirs, stdout, socket).serve(service);
    let mut end = End::Abrupt;
    let input = async {
        end = frames::pump(stdin, ours).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = answer => {}
        () = input => {}
    }
    end
}
