//! What editors are told of documents, and of the files that these import.
//!
//! An open document is told of by its own publisher only. What is wrong with a file that is not open is found by the
//! checks of those who import it, and told as long as one of them is open.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Weak},
};

use tokio::sync::{Mutex, watch};
use tower_lsp::{Client, ls_types as lsp};
use wf_lang::load::{Main, Texts, Unreadable};

use crate::{
    Check, Files,
    convert::{self, Agreed, Found},
    server::log,
    world::{Latest, Snapshot, World},
};

/// What is wrong with files by their path.
type ByPath = BTreeMap<String, Vec<lsp::Diagnostic>>;

/// What is wrong with imported files, by the URI of the document whose check has found it.
#[derive(Debug, Default)]
pub(crate) struct Imported(Mutex<HashMap<String, ByPath>>);

/// Tells the editor what is wrong with one document, one result after the other.
pub(crate) struct Publisher {
    pub(crate) uri: lsp::Uri,
    /// Where the document lies.
    pub(crate) path: String,
    pub(crate) client: Client,
    pub(crate) check: Check,
    pub(crate) files: Files,
    pub(crate) world: Weak<World>,
    pub(crate) imported: Arc<Imported>,
    pub(crate) agreed: Agreed,
}

impl Publisher {
    /// Goes on until the document is closed, or the server is gone.
    pub(crate) async fn run(self, mut latest: watch::Receiver<Latest>) {
        while latest.changed().await.is_ok() {
            let snapshot = latest.borrow_and_update().clone();
            let Some(snapshot) = snapshot else {
                self.tell_of_imported(ByPath::new()).await;
                self.imported.tell_of(&self.client, self.uri.clone(), &self.path).await;
                if self.world.upgrade().is_none_or(|world| world.forget(self.uri.as_str())) {
                    return;
                }
                continue;
            };
            let version = snapshot.version;
            let found = self.found(snapshot).await;
            // Of what is out of date, nobody hears.
            if latest.has_changed().is_ok_and(|changed| !changed) {
                self.client.publish_diagnostics(self.uri.clone(), found.own, Some(version)).await;
                self.tell_of_imported(found.imported).await;
            }
        }
    }

    /// Checks on a thread where it may take its time; a check that panics is logged and shown.
    async fn found(&self, snapshot: Snapshot) -> Found {
        let Some(world) = self.world.upgrade() else { return Found::default() };
        world.begin(self.uri.as_str());
        let (uri, path, agreed) = (self.uri.clone(), self.path.clone(), self.agreed);
        let (check, files) = (Arc::clone(&self.check), Arc::clone(&self.files));
        let checked = tokio::task::spawn_blocking(move || {
            let texts = OpenFirst { world: &world, uri: uri.as_str(), files: &*files };
            let main = Main { path: &path, shown: wf_lang::path::file(&path), text: &snapshot.text };
            let loaded = check(main, &texts);
            Found::of(&uri, &snapshot.text, &loaded, agreed)
        });
        checked.await.unwrap_or_else(|error| {
            log(&format!("the check of `{}` broke off: {error}", self.uri.as_str()));
            Found { own: vec![convert::broken()], ..Found::default() }
        })
    }

    /// Replaces what this document's check has found in imported files, and tells of those of which it has changed.
    async fn tell_of_imported(&self, new: ByPath) {
        let Some(world) = self.world.upgrade() else { return };
        let mut imported = self.imported.0.lock().await;
        let old = imported.insert(self.uri.as_str().to_owned(), new.clone()).unwrap_or_default();
        if new.is_empty() {
            imported.remove(self.uri.as_str());
        }
        let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for path in paths.into_iter().filter(|path| old.get(*path) != new.get(*path) && !world.is_open(path)) {
            if let Some(uri) = convert::uri_of(path) {
                self.client.publish_diagnostics(uri, together(&imported, path), None).await;
            }
        }
    }
}

impl Imported {
    /// Tells of a file that is no longer open.
    async fn tell_of(&self, client: &Client, uri: lsp::Uri, path: &str) {
        let imported = self.0.lock().await;
        client.publish_diagnostics(uri, together(&imported, path), None).await;
    }
}

/// What all checks have found in a file, each place once.
fn together(imported: &HashMap<String, ByPath>, path: &str) -> Vec<lsp::Diagnostic> {
    let mut documents: Vec<&String> = imported.keys().collect();
    documents.sort_unstable();
    let mut all: Vec<lsp::Diagnostic> = Vec::new();
    for found in documents.into_iter().filter_map(|document| imported[document].get(path)) {
        // Documents may call a file by different names, so messages may differ.
        let known = |new: &lsp::Diagnostic| all.iter().any(|old| old.range == new.range && old.code == new.code);
        let new: Vec<_> = found.iter().filter(|new| !known(new)).cloned().collect();
        all.extend(new);
    }
    all
}

/// Texts from open documents, else from files; what is looked at is noted.
struct OpenFirst<'a> {
    world: &'a World,
    /// The document that is checked.
    uri: &'a str,
    files: &'a (dyn Texts + Send + Sync),
}

impl Texts for OpenFirst<'_> {
    fn read(&self, path: &str, shown: &str) -> Result<String, Unreadable> {
        if convert::uri_of(path).is_none() {
            let unreadable =
                Unreadable::new(format!("where `{shown}` is cannot be known: this document is no file yet"));
            return Err(unreadable.help("save it first"));
        }
        match self.world.read_for(self.uri, path) {
            Some(text) => Ok(text.to_string()),
            None => self.files.read(path, shown),
        }
    }
}
