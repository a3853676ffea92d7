//! The open documents: one owner, changed at once and in the order of the messages.
//!
//! A document's newest state lies in a channel of one place, from which its publisher takes it. What was not taken is
//! replaced, so a publisher that is slow skips to the newest. The channel also tells when something was changed that the
//! document imports: a check notes what it reads before it reads it, so no change is missed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::text::{Edit, Encoding};

/// A document as it is at some time.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The version that the editor gave it. Versions may have gaps.
    pub(crate) version: i32,
    /// Its text.
    pub(crate) text: Arc<str>,
}

/// The newest state of a document; `None` when it is closed.
pub(crate) type Latest = Option<Snapshot>;

/// The open documents, by URI.
#[derive(Debug, Default)]
pub(crate) struct World {
    documents: Mutex<HashMap<String, Document>>,
}

#[derive(Debug)]
struct Document {
    latest: watch::Sender<Latest>,
    /// Where it lies.
    path: String,
    /// The paths that its last check has looked at.
    read: HashSet<String>,
}

impl World {
    /// Opens a document that lies at a path, or replaces it when it is open. Gives what its publisher reads when it has
    /// none yet.
    pub(crate) fn open(&self, uri: &str, path: &str, version: i32, text: &str) -> Option<watch::Receiver<Latest>> {
        let latest = Some(Snapshot { version, text: text.into() });
        let mut documents = self.documents();
        let publisher = match documents.get(uri) {
            Some(document) => {
                document.latest.send_replace(latest);
                None
            }
            None => {
                let (sender, publisher) = watch::channel(None);
                sender.send_replace(latest);
                let document = Document { latest: sender, path: path.to_owned(), read: HashSet::new() };
                documents.insert(uri.to_owned(), document);
                Some(publisher)
            }
        };
        tell_importers(&documents, path);
        publisher
    }

    /// Changes a document; tells whether it is open.
    pub(crate) fn change(&self, uri: &str, version: i32, edits: &[Edit], encoding: Encoding) -> bool {
        let documents = self.documents();
        let Some(document) = documents.get(uri) else { return false };
        let open = document.latest.send_if_modified(|latest| {
            let Some(snapshot) = latest else { return false };
            let mut text = snapshot.text.to_string();
            edits.iter().for_each(|edit| edit.apply(&mut text, encoding));
            *snapshot = Snapshot { version, text: text.into() };
            true
        });
        tell_importers(&documents, &document.path);
        open
    }

    /// Closes a document; tells whether it was open.
    pub(crate) fn close(&self, uri: &str) -> bool {
        let documents = self.documents();
        let Some(document) = documents.get(uri) else { return false };
        let open = document.latest.send_replace(None).is_some();
        tell_importers(&documents, &document.path);
        open
    }

    /// Has the documents checked again that have looked at a path; something there has changed.
    pub(crate) fn changed(&self, path: &str) {
        tell_importers(&self.documents(), path);
    }

    /// The text of the open document at a path, for the check of another one, which is told when it changes.
    pub(crate) fn read_for(&self, uri: &str, path: &str) -> Option<Arc<str>> {
        let mut documents = self.documents();
        if let Some(document) = documents.get_mut(uri) {
            document.read.insert(path.to_owned());
        }
        let mut at = documents.values().filter(|document| document.path == path);
        at.find_map(|document| document.latest.borrow().as_ref().map(|snapshot| Arc::clone(&snapshot.text)))
    }

    /// Forgets what the last check of a document has looked at: the next one begins.
    pub(crate) fn begin(&self, uri: &str) {
        if let Some(document) = self.documents().get_mut(uri) {
            document.read.clear();
        }
    }

    /// Whether a document at a path is open.
    pub(crate) fn is_open(&self, path: &str) -> bool {
        self.documents().values().any(|document| document.path == path && document.latest.borrow().is_some())
    }

    /// Forgets a document that is closed, so that its publisher may end; tells whether it did.
    pub(crate) fn forget(&self, uri: &str) -> bool {
        let mut documents = self.documents();
        let closed = documents.get(uri).is_none_or(|document| document.latest.borrow().is_none());
        if closed {
            documents.remove(uri);
        }
        closed
    }

    fn documents(&self) -> MutexGuard<'_, HashMap<String, Document>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell_importers(documents: &HashMap<String, Document>, path: &str) {
    let importers = documents.values().filter(|document| document.path != path && document.read.contains(path));
    importers.for_each(|document| document.latest.send_modify(|_| {}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_forgotten_only_while_it_is_closed() {
        let world = World::default();
        let publisher = world.open("a", "/a", 1, "x").expect("its publisher");
        assert!(!world.forget("a") && world.is_open("/a"));
        assert!(world.close("a") && !world.close("a") && !world.is_open("/a"));
        assert!(world.open("a", "/a", 1, "y").is_none(), "the publisher is still there");
        assert!(!world.forget("a"));
        assert_eq!(&*publisher.borrow().as_ref().expect("open").text, "y");
        assert!(world.close("a") && world.forget("a"));
        assert!(world.open("a", "/a", 1, "z").is_some(), "a new publisher");
    }

    #[test]
    fn what_is_not_open_is_not_changed() {
        let world = World::default();
        let edit = Edit { range: None, text: "x".into() };
        assert!(!world.change("a", 2, std::slice::from_ref(&edit), Encoding::Utf8));
        let _publisher = world.open("a", "/a", 1, "");
        assert!(world.change("a", 7, std::slice::from_ref(&edit), Encoding::Utf8));
        world.close("a");
        assert!(!world.change("a", 8, &[edit], Encoding::Utf8));
    }

    #[test]
    fn who_has_looked_at_a_path_is_told_of_its_changes() {
        let world = World::default();
        let mut a = world.open("a", "/a", 1, "").expect("its publisher");
        let told = |a: &mut watch::Receiver<Latest>| {
            let told = a.has_changed().expect("open");
            a.mark_unchanged();
            told
        };
        told(&mut a);
        assert!(world.read_for("a", "/b").is_none());
        let _b = world.open("b", "/b", 1, "one");
        assert!(told(&mut a), "it was opened");
        assert_eq!(world.read_for("a", "/b").as_deref(), Some("one"));
        world.change("b", 2, &[Edit { range: None, text: "two".into() }], Encoding::Utf8);
        assert!(told(&mut a));
        world.close("b");
        assert!(told(&mut a) && world.read_for("a", "/b").is_none());
        world.changed("/b");
        assert!(told(&mut a));
        world.begin("a");
        world.changed("/b");
        assert!(!told(&mut a), "it does not look there any more");
        world.changed("/a");
        assert!(!told(&mut a));
    }
}
