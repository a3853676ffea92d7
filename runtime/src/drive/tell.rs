//! Telling people of requests: a hook outside of the run, since the person is not at the terminal.
//!
//! A request is told of after the checkpoint that holds it is durable. The store knows of each whether it is done, in a
//! write of its own, for it is no part of the run's state: whoever takes the run tells of what is still to be told.

use serde_json::json;

use super::{Run, aside};
use crate::{effect::idempotency_key, event::Event, store::StoreError};

/// What came of telling of a request.
pub(super) struct Told {
    id: String,
    outcome: Result<(), String>,
}

impl Run {
    /// Tells of a request, if somebody wants to be told, and it is still open.
    pub(super) fn tell_of(&mut self, id: &str) {
        let Some(request) = self.requests.get(id) else { return };
        let about = json!({
            "run_id": &*self.id,
            "workflow": self.workflow.name.as_str(),
            "request": request.json,
        });
        let key = idempotency_key(&self.id, &format!("notify/{id}/{}", request.asked_at), None);
        let Some(telling) = self.host.notify(about, key) else { return };
        let (sender, id) = (self.tellings.1.0.clone(), id.to_owned());
        let named = id.clone();
        let task = tokio::spawn(async move {
            let outcome = telling.await;
            // Nobody listens when the run has stopped; the next process tells again.
            let _ = sender.send(Told { id: named, outcome });
        });
        if let Some(before) = self.tellings.0.insert(id, task.abort_handle()) {
            before.abort();
        }
    }

    /// Whether somebody is being told.
    pub(super) fn is_telling(&self) -> bool {
        !self.tellings.0.is_empty()
    }

    /// A request that is no longer open is not told of.
    pub(super) fn tell_no_more(&mut self, id: &str) {
        if let Some(task) = self.tellings.0.remove(id) {
            task.abort();
        }
    }

    /// Somebody was told, or could not be.
    pub(super) async fn was_told(&mut self, told: Told) -> Result<(), StoreError> {
        if self.tellings.0.remove(&told.id).is_none() {
            return Ok(());
        }
        match told.outcome {
            Ok(()) => {
                let (store, run, epoch, now) = (self.store.clone(), self.id.clone(), self.epoch, self.host.now());
                aside(move || store.notified(&run, epoch, &told.id, now)).await
            }
            Err(reason) => {
                let text = format!("nobody could be told of the request `{}`: {reason}", told.id);
                self.tell(Event::Log { text, data: serde_json::Value::Null, print: false });
                Ok(())
            }
        }
    }
}
