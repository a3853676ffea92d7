//! The protocol's messages.
//!
//! The library polls handlers side by side. A handler that changes a document does so before its first wait, and waits
//! for nothing; so changes keep the order of their messages.

use std::{
    io::Write,
    sync::{Arc, OnceLock},
};

use tower_lsp::{
    Client, LanguageServer,
    jsonrpc::{Error, Result},
    ls_types as lsp,
};

use crate::{
    Check, Files,
    convert::{self, Agreed},
    publish::{Imported, Publisher},
    world::World,
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
    files: Files,
    world: Arc<World>,
    imported: Arc<Imported>,
    agreed: OnceLock<Agreed>,
}

impl Backend {
    /// A server without documents.
    pub(crate) fn new(client: Client, check: Check, files: Files) -> Self {
        Self { client, check, files, world: Arc::default(), imported: Arc::default(), agreed: OnceLock::new() }
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

    async fn initialized(&self, _: lsp::InitializedParams) {
        if self.agreed().watches {
            let client = self.client.clone();
            tokio::spawn(async move {
                if let Err(error) = client.register_capability(vec![convert::watch_scripts()]).await {
                    log(&format!("the editor does not watch files: {error}"));
                }
            });
        }
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: lsp::DidOpenTextDocumentParams) {
        let document = params.text_document;
        let path = convert::path_of(&document.uri);
        let latest = self.world.open(document.uri.as_str(), &path, document.version, &document.text);
        let Some(latest) = latest else { return };
        let publisher = Publisher {
            uri: document.uri,
            path,
            client: self.client.clone(),
            check: Arc::clone(&self.check),
            files: Arc::clone(&self.files),
            world: Arc::downgrade(&self.world),
            imported: Arc::clone(&self.imported),
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

    async fn did_change_watched_files(&self, params: lsp::DidChangeWatchedFilesParams) {
        for change in &params.changes {
            self.world.changed(&convert::path_of(&change.uri));
        }
    }

    async fn did_save(&self, _: lsp::DidSaveTextDocumentParams) {}

    async fn did_close(&self, params: lsp::DidCloseTextDocumentParams) {
        if !self.world.close(params.text_document.uri.as_str()) {
            log(&format!("`{}` is closed, but not open", params.text_document.uri.as_str()));
        }
    }
}
