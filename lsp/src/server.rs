//! The protocol's messages, and the publisher that each open document has.
//!
//! The library polls handlers side by side. A handler that changes a document does so before its first wait, and waits
//! for nothing; so changes keep the order of their messages.

use std::{
    io::Write,
    sync::{Arc, OnceLock, Weak},
};

use tokio::sync::watch;
use tower_lsp::{
    Client, LanguageServer,
    jsonrpc::{Error, Result},
    ls_types as lsp,
};

use crate::{
    Check,
    convert::{self, Agreed, Document},
    world::{Latest, Snapshot, World},
};

/// Writes a line to standard error: standard output belongs to the protocol.
pub(crate) fn log(message: &str) {
    // There is nobody to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "wf lsp: {message}");
}

/// The server: what it knows, and the editor that it serves.
pub(crate) struct Backend {
    client: Client,
    check: Check,
    world: Arc<World>,
    agreed: OnceLock<Agreed>,
}

impl Backend {
    /// A server without documents.
    pub(crate) fn new(client: Client, check: Check) -> Self {
        Self { client, check, world: Arc::default(), agreed: OnceLock::new() }
    }

    /// Answers a message that was no JSON.
    pub(crate) async fn malformed(&self) -> Result<()> {
        Err(Error::parse_error())
    }

    /// Answers JSON that was no message.
    pub(crate) async fn invalid(&self) -> Result<()> {
        Err(Error::invalid_request())
    }

    fn agreed(&self) -> Agreed {
        self.agreed.get().copied().unwrap_or_default()
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: lsp::InitializeParams) -> Result<lsp::InitializeResult> {
        let agreed = *self.agreed.get_or_init(|| Agreed::with(&params.capabilities));
        let info = lsp::ServerInfo { name: "wf".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        Ok(lsp::InitializeResult {
            capabilities: agreed.capabilities(),
            server_info: Some(info),
            ..lsp::InitializeResult::default()
        })
    }

    async fn initialized(&self, _: lsp::InitializedParams) {}

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: lsp::DidOpenTextDocumentParams) {
        let document = params.text_document;
        let Some(latest) = self.world.open(document.uri.as_str(), document.version, &document.text) else { return };
        let publisher = Publisher {
            uri: document.uri,
            client: self.client.clone(),
            check: self.check.clone(),
            world: Arc::downgrade(&self.world),
            agreed: self.agreed(),
        };
        tokio::spawn(publisher.run(latest));
    }

    async fn did_change(&self, params: lsp::DidChangeTextDocumentParams) {
        let document = params.text_document;
        let edits: Vec<_> = params.content_changes.into_iter().map(convert::edit).collect();
        if !self.world.change(document.uri.as_str(), document.version, &edits, self.agreed().encoding) {
            log(&format!("`{}` is changed, but not open", document.uri.as_str()));
        }
    }

    async fn did_save(&self, _: lsp::DidSaveTextDocumentParams) {}

    async fn did_close(&self, params: lsp::DidCloseTextDocumentParams) {
        if !self.world.close(params.text_document.uri.as_str()) {
            log(&format!("`{}` is closed, but not open", params.text_document.uri.as_str()));
        }
    }
}

/// Tells the editor what is wrong with one document, one result after the other.
struct Publisher {
    uri: lsp::Uri,
    client: Client,
    check: Check,
    world: Weak<World>,
    agreed: Agreed,
}

impl Publisher {
    /// Goes on until the document is closed, or the server is gone.
    async fn run(self, mut latest: watch::Receiver<Latest>) {
        while latest.changed().await.is_ok() {
            let snapshot = latest.borrow_and_update().clone();
            let Some(snapshot) = snapshot else {
                self.client.publish_diagnostics(self.uri.clone(), Vec::new(), None).await;
                if self.world.upgrade().is_none_or(|world| world.forget(self.uri.as_str())) {
                    return;
                }
                continue;
            };
            let version = snapshot.version;
            let diagnostics = self.diagnostics(snapshot).await;
            // Of what is out of date, nobody hears.
            if latest.has_changed().is_ok_and(|changed| !changed) {
                self.client.publish_diagnostics(self.uri.clone(), diagnostics, Some(version)).await;
            }
        }
    }

    /// Checks on a thread where it may take its time; a check that panics is logged and shown.
    async fn diagnostics(&self, snapshot: Snapshot) -> Vec<lsp::Diagnostic> {
        let (uri, check, agreed) = (self.uri.clone(), self.check.clone(), self.agreed);
        let checked = tokio::task::spawn_blocking(move || {
            let loaded = check(uri.as_str(), &snapshot.text);
            Document::new(&uri, &snapshot.text, &loaded, agreed).diagnostics()
        });
        checked.await.unwrap_or_else(|error| {
            log(&format!("the check of `{}` broke off: {error}", self.uri.as_str()));
            vec![convert::broken()]
        })
    }
}
