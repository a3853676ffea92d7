//! Which chunks values name.

use std::collections::HashSet;

use crate::value::{List, Map, Saved, SecretPart, Str, Value};

/// The chunks that the values of a run name. Nothing is read: the ids are in memory. Right only for values that were saved
/// and not changed since: what has changed has no id.
pub struct LiveChunks {
    run_tag: u64,
    ids: HashSet<u64>,
}

impl LiveChunks {
    /// None yet, of the run with this tag.
    pub fn new(run_tag: u64) -> Self {
        Self { run_tag, ids: HashSet::new() }
    }

    /// Whether a chunk is named.
    pub fn contains(&self, id: u64) -> bool {
        self.ids.contains(&id)
    }

    /// The ids, in no order.
    pub fn into_ids(self) -> HashSet<u64> {
        self.ids
    }

    /// Adds the chunks of `value`. What was met before, shared by another value, is not gone through again.
    pub fn mark(&mut self, value: &Value) {
        match value {
            Value::Str(text) => self.text(text),
            Value::Bytes(bytes) => drop(self.tree(bytes.saved(), bytes.as_slice().len())),
            Value::List(list) => self.list(list),
            Value::Map(map) => self.map(map),
            Value::Closure(closure) => closure.captures().iter().for_each(|capture| self.mark(capture)),
            Value::Agent(agent) => self.map(agent.changes()),
            Value::Secret(secret) => {
                for SecretPart::Text(text) | SecretPart::Name(text) in &secret.parts {
                    self.text(text);
                }
            }
            Value::Tool(tool) => [&tool.server, &tool.name, &tool.schema].into_iter().for_each(|part| self.text(part)),
            _ => {}
        }
    }

    fn text(&mut self, text: &Str) {
        self.tree(text.saved(), text.byte_len());
    }

    fn list(&mut self, list: &List) {
        if self.tree(list.saved(), list.len()) {
            list.iter().for_each(|item| self.mark(item));
        }
    }

    fn map(&mut self, map: &Map) {
        if self.tree(map.saved(), map.len()) {
            for (key, value) in map.iter() {
                self.text(key);
                self.mark(value);
            }
        }
    }

    /// Adds the ids of a tree; gives whether there may be something new below.
    fn tree(&mut self, saved: &Saved, len: usize) -> bool {
        saved.with(|tree| {
            let Some(tree) = tree.filter(|tree| tree.run_tag == self.run_tag) else { return true };
            if tree.root(len).is_some_and(|root| self.ids.contains(&root)) {
                return false;
            }
            self.ids.extend(tree.ids());
            true
        })
    }
}
