//! The open documents: one owner, changed at once and in the order of the messages.
//!
//! A document's newest state lies in a channel of one place, from which its publisher takes it. What was not taken is
//! replaced, so a publisher that is slow skips to the newest.

use std::{
    collections::HashMap,
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
    documents: Mutex<HashMap<String, watch::Sender<Latest>>>,
}

impl World {
    /// Opens a document, or replaces it when it is open. Gives what its publisher reads when it has none yet.
    pub(crate) fn open(&self, uri: &str, version: i32, text: &str) -> Option<watch::Receiver<Latest>> {
        let latest = Some(Snapshot { version, text: text.into() });
        let mut documents = self.documents();
        if let Some(document) = documents.get(uri) {
            document.send_replace(latest);
            return None;
        }
        let (document, publisher) = watch::channel(None);
        document.send_replace(latest);
        documents.insert(uri.to_owned(), document);
        Some(publisher)
    }

    /// Changes a document; tells whether it is open.
    pub(crate) fn change(&self, uri: &str, version: i32, edits: &[Edit], encoding: Encoding) -> bool {
        let documents = self.documents();
        let Some(document) = documents.get(uri) else { return false };
        document.send_if_modified(|latest| {
            let Some(snapshot) = latest else { return false };
            let mut text = snapshot.text.to_string();
            edits.iter().for_each(|edit| edit.apply(&mut text, encoding));
            *snapshot = Snapshot { version, text: text.into() };
            true
        })
    }

    /// Closes a document; tells whether it was open.
    pub(crate) fn close(&self, uri: &str) -> bool {
        self.documents().get(uri).is_some_and(|document| document.send_replace(None).is_some())
    }

    /// Forgets a document that is closed, so that its publisher may end; tells whether it did.
    pub(crate) fn forget(&self, uri: &str) -> bool {
        let mut documents = self.documents();
        let closed = documents.get(uri).is_none_or(|document| document.borrow().is_none());
        if closed {
            documents.remove(uri);
        }
        closed
    }

    fn documents(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Latest>>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_forgotten_only_while_it_is_closed() {
        let world = World::default();
        let publisher = world.open("a", 1, "x").expect("its publisher");
        assert!(!world.forget("a"));
        assert!(world.close("a") && !world.close("a"));
        assert!(world.open("a", 1, "y").is_none(), "the publisher is still there");
        assert!(!world.forget("a"));
        assert_eq!(&*publisher.borrow().as_ref().expect("open").text, "y");
        assert!(world.close("a") && world.forget("a"));
        assert!(world.open("a", 1, "z").is_some(), "a new publisher");
    }

    #[test]
    fn what_is_not_open_is_not_changed() {
        let world = World::default();
        let edit = Edit { range: None, text: "x".into() };
        assert!(!world.change("a", 2, std::slice::from_ref(&edit), Encoding::Utf8));
        let _publisher = world.open("a", 1, "");
        assert!(world.change("a", 7, std::slice::from_ref(&edit), Encoding::Utf8));
        world.close("a");
        assert!(!world.change("a", 8, &[edit], Encoding::Utf8));
    }
}
