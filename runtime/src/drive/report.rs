//! How a run stopped, for whoever started it.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{
    Run, Sink,
    commit::{Standing, result},
};
use crate::{
    event::Event,
    json::{time_text, to_json},
    machine::Outcome,
    store::{RunStatus, StoreError},
};

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It gave its value.
    Completed,
    /// It threw.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Only answers and timers move it on.
    Paused,
    /// It was told to stop, or nobody listened any more.
    Interrupted,
}

/// How a run stopped.
#[derive(Clone, Debug)]
pub struct Report {
    /// Why.
    pub ended: Ended,
    /// The result as users see it: `{ run_id, workflow, status, output, state, requests, error, usage, wake_at }`.
    pub result: Json,
}

impl Run {
    /// Whether nothing is left to wait for in this process.
    pub(super) fn can_only_pause(&self) -> bool {
        if !self.nothing_under_way() || self.machine.can_run() || self.is_telling() {
            return false;
        }
        if self.options.wait_for_answers && !self.requests.is_empty() {
            return false;
        }
        match (self.next_timer(), self.options.max_wait) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(moment), Some(max_wait)) => {
                let wait = Duration::from_millis(u64::try_from(moment - self.host.now()).unwrap_or_default());
                wait > max_wait.saturating_sub(self.started.elapsed())
            }
        }
    }

    /// The run has come to its end.
    pub(super) async fn finish(&mut self, outcome: Option<Outcome>, sink: &mut dyn Sink) -> Result<Report, StoreError> {
        let state = to_json(&self.machine.state(&self.workflow)).unwrap_or_default();
        // A workflow's value is data unless its type says otherwise; what is not cannot be shown.
        let failure = match &outcome {
            Some(Err(fault)) => self.failure(fault, sink).await?,
            _ => None,
        };
        let (ended, output, error) = match outcome.map(|outcome| outcome.and_then(|value| to_json(&value))) {
            None => (Ended::Cancelled, Json::Null, Json::Null),
            Some(Ok(output)) => (Ended::Completed, output, Json::Null),
            Some(Err(fault)) => {
                let error = to_json(&fault.clone().into_value()).unwrap_or_else(|_| {
                    json!({
                        "kind": fault.kind.name(),
                        "message": fault.message.as_str(),
                    })
                });
                (Ended::Failed, Json::Null, error)
            }
        };
        self.asking.clear();
        for request in std::mem::take(&mut self.requests).into_values() {
            self.end_request(&request, crate::store::RequestEnd::Withdrawn);
        }
        self.take_told();
        let status = match ended {
            Ended::Completed => {
                self.told.push(Event::Output(output.clone()));
                self.told.push(Event::Completed);
                RunStatus::Completed
            }
            Ended::Cancelled => {
                self.told.push(Event::Cancelled);
                RunStatus::Cancelled
            }
            _ => {
                self.told.push(Event::Failed { error: error.clone() });
                RunStatus::Failed
            }
        };
        self.timers.clear();
        let mut stored = result(output.clone(), state, error.clone(), self.machine.usage());
        let pins = failure.iter().map(|failure| failure.at).filter(|at| *at > 0).collect();
        if let Some(failure) = failure {
            stored["resume"] = serde_json::to_value(failure).unwrap_or_default();
        }
        self.commit(Standing { status, pinned: ended == Ended::Failed, result: Some(stored), pins }, sink).await?;
        self.drain(sink).await?;
        Ok(self.report(ended, output, error))
    }

    /// Only answers and timers move the run on, and this process does not wait for them.
    pub(super) async fn pause(&mut self, sink: &mut dyn Sink) -> Result<Report, StoreError> {
        if !self.paused {
            self.tell_paused();
            self.commit(Standing { status: RunStatus::Paused, pinned: true, result: None, pins: Vec::new() }, sink)
                .await?;
            self.drain(sink).await?;
        }
        Ok(self.report(Ended::Paused, Json::Null, Json::Null))
    }

    /// Saves and stops; what is under way will be asked again.
    pub(super) async fn stop(&mut self, sink: &mut dyn Sink) -> Result<Report, StoreError> {
        // What was computed since the last checkpoint is saved too.
        self.unsaved |= self.machine.can_run();
        self.keep_in();
        self.commit_if_needed(sink).await?;
        self.drain(sink).await?;
        Ok(self.report(Ended::Interrupted, Json::Null, Json::Null))
    }

    /// The test that the run is has failed: what it has told is saved, and nothing of it goes on.
    pub(super) async fn give_way(&mut self, sink: &mut dyn Sink) -> Result<Report, StoreError> {
        self.keep_in();
        self.commit_if_needed(sink).await?;
        self.keep_in();
        self.drain(sink).await?;
        Ok(self.report(Ended::Interrupted, Json::Null, Json::Null))
    }

    fn report(&self, ended: Ended, output: Json, error: Json) -> Report {
        let status = match ended {
            Ended::Completed => "completed",
            Ended::Failed => "failed",
            Ended::Cancelled => "cancelled",
            Ended::Paused => "paused",
            Ended::Interrupted => "running",
        };
        let requests: Vec<&Json> = self.in_order().map(|request| &request.json).collect();
        let state = to_json(&self.machine.state(&self.workflow)).unwrap_or_default();
        let result = json!({
            "run_id": &*self.id,
            "workflow": self.workflow.name.as_str(),
            "status": status,
            "output": output,
            "state": state,
            "requests": requests,
            "error": error,
            "usage": self.machine.usage(),
            "wake_at": self.next_timer().map(time_text),
        });
        Report { ended, result }
    }
}
