//! Which chunks a value names.

use crate::value::{Saved, Value};

/// Hands the id of every chunk that `value` names for this run to `found`, some more than once. Nothing is read: the
/// ids are in memory. Right only after the value was saved: what has changed since has no id.
pub fn live_chunks(value: &Value, run_tag: u64, found: &mut dyn FnMut(u64)) {
    match value {
        Value::Str(text) => ids(text.saved(), run_tag, found),
        Value::Bytes(bytes) => ids(bytes.saved(), run_tag, found),
        Value::List(list) => {
            ids(list.saved(), run_tag, found);
            list.iter().for_each(|item| live_chunks(item, run_tag, found));
        }
        Value::Map(map) => {
            ids(map.saved(), run_tag, found);
            for (key, value) in map.iter() {
                ids(key.saved(), run_tag, found);
                live_chunks(value, run_tag, found);
            }
        }
        Value::Closure(closure) => {
            closure.captures().iter().for_each(|capture| live_chunks(capture, run_tag, found));
        }
        Value::Agent(agent) => live_chunks(&Value::Map(agent.changes().clone()), run_tag, found),
        Value::Secret(secret) => {
            for part in &secret.parts {
                let (crate::value::SecretPart::Text(text) | crate::value::SecretPart::Name(text)) = part;
                ids(text.saved(), run_tag, found);
            }
        }
        Value::Tool(tool) => {
            [&tool.server, &tool.name, &tool.schema].into_iter().for_each(|part| ids(part.saved(), run_tag, found));
        }
        _ => {}
    }
}

fn ids(saved: &Saved, run_tag: u64, found: &mut dyn FnMut(u64)) {
    saved.with(|tree| {
        if let Some(tree) = tree.filter(|tree| tree.run_tag == run_tag) {
            tree.ids().for_each(found);
        }
    });
}
