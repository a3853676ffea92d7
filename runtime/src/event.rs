//! What a run tells: one list of events, each a JSON object.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use crate::value::Str;

/// Something that a run tells. It is shown once the checkpoint that it belongs to is durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run began.
    Started {
        /// The declared name of its workflow.
        workflow: String,
        /// Its arguments.
        input: Json,
    },
    /// A process went on with the run.
    Resumed,
    /// A process went on with the run, on other code.
    Moved {
        /// The hash of the code.
        code: String,
    },
    /// The run began as a copy of another one.
    Forked {
        /// The other run.
        from: String,
        /// At which checkpoint of it.
        checkpoint: u64,
        /// The declared name of its workflow.
        workflow: String,
        /// The arguments that the other run was started with.
        input: Json,
    },
    /// The run's status changed.
    Status(&'static str),
    /// A workflow, step or called workflow began, ended, failed or will be tried again.
    Call {
        /// What happened.
        what: CallEvent,
        /// Workflow or step.
        step: bool,
        /// The declared name.
        name: Str,
        /// The title that people see.
        title: Option<Str>,
        /// The path of the call.
        path: String,
        /// Which attempt.
        attempt: u32,
        /// Further fields: the error, the wait.
        more: Vec<(&'static str, Json)>,
    },
    /// The run asks a person: the request as it is published.
    RequestInfo(Json),
    /// The run no longer wants an answer.
    RequestWithdrawn {
        /// The request's id.
        id: String,
    },
    /// The run took an answer.
    Response {
        /// The request's id.
        id: String,
        /// The answer.
        value: Json,
    },
    /// A branch waits for a moment.
    Sleeping {
        /// The path of the call's scope.
        path: String,
        /// The moment.
        until: String,
    },
    /// `print` and `log`.
    Log {
        /// The text.
        text: String,
        /// What `log` was given beside it.
        data: Json,
        /// Whether it goes to the standard output.
        print: bool,
    },
    /// The workflow's value.
    Output(Json),
    /// The run ended with a value.
    Completed,
    /// The run ended with an error.
    Failed {
        /// The error.
        error: Json,
    },
    /// The run is cancelled, and its cleanup is under way.
    Cancelling,
    /// The run was cancelled, and has ended.
    Cancelled,
    /// Only answers and timers move the run on.
    Paused {
        /// The ids of its open requests, or of the first hundred.
        requests: Vec<String>,
        /// How many are open.
        open: usize,
        /// When its next timer is due.
        wake_at: Option<String>,
    },
    /// `emit`.
    Own {
        /// The program's own type.
        name: String,
        /// Its data.
        data: Json,
    },
}

/// What happened to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// It began.
    Started,
    /// It gave its value.
    Completed,
    /// It threw.
    Failed,
    /// It threw and will be tried again.
    Retrying,
    /// It was cancelled with its branch.
    Cancelled,
}

impl Event {
    /// Its type, as users see it.
    pub fn name(&self) -> &str {
        match self {
            Event::Started { .. } => "started",
            Event::Resumed | Event::Moved { .. } => "resumed",
            Event::Forked { .. } => "forked",
            Event::Status(_) => "status",
            Event::Call { what, step, .. } => match (what, step) {
                (CallEvent::Started, true) => "step_started",
                (CallEvent::Completed, true) => "step_completed",
                (CallEvent::Failed, true) => "step_failed",
                (CallEvent::Retrying, _) => "step_retrying",
                (CallEvent::Cancelled, _) => "step_cancelled",
                (CallEvent::Started, false) => "workflow_started",
                (CallEvent::Completed, false) => "workflow_completed",
                (CallEvent::Failed, false) => "workflow_failed",
            },
            Event::RequestInfo(_) => "request_info",
            Event::RequestWithdrawn { .. } => "request_withdrawn",
            Event::Response { .. } => "response",
            Event::Sleeping { .. } => "sleeping",
            Event::Log { .. } => "log",
            Event::Output(_) => "output",
            Event::Completed => "completed",
            Event::Failed { .. } => "failed",
            Event::Cancelling => "cancelling",
            Event::Cancelled => "cancelled",
            Event::Paused { .. } => "paused",
            Event::Own { name, .. } => name,
        }
    }

    /// Adds the event as it is stored: a line of JSON, the same as [`Event::to_json`] gives.
    pub(crate) fn write_line(&self, run: &str, seq: u64, time: &str, lines: &mut String) {
        match self {
            // Most events are of this kind.
            Event::Call { name, title, path, attempt, more, .. } => {
                let mut put = |key: &str, value: &dyn std::fmt::Display| {
                    // Writing to a text does not fail.
                    let _ = write!(lines, "{}\"{key}\":{value}", if key == "type" { '{' } else { ',' });
                };
                let text = |text: &str| Json::from(text);
                put("type", &text(self.name()));
                put("run_id", &text(run));
                put("seq", &seq);
                put("time", &text(time));
                put("name", &text(name.as_str()));
                put("title", &text(title.as_ref().map_or(name.as_str(), Str::as_str)));
                put("path", &text(path));
                put("attempt", attempt);
                more.iter().for_each(|(key, value)| put(key, value));
                lines.push('}');
            }
            other => lines.push_str(&other.to_json(run, seq, time).to_string()),
        }
        lines.push('\n');
    }

    /// The event as users see it: `type run_id seq time` and its own fields.
    pub fn to_json(&self, run: &str, seq: u64, time: &str) -> Json {
        let mut object = Map::new();
        let mut put = |key: &str, value: Json| {
            object.insert(key.to_owned(), value);
        };
        put("type", json!(self.name()));
        put("run_id", json!(run));
        put("seq", json!(seq));
        put("time", json!(time));
        match self {
            Event::Started { workflow, input } => {
                put("workflow", json!(workflow));
                put("input", input.clone());
            }
            Event::Moved { code } => put("code", json!(code)),
            Event::Forked { from, checkpoint, workflow, input } => {
                put("from", json!(from));
                put("checkpoint", json!(checkpoint));
                put("workflow", json!(workflow));
                put("input", input.clone());
            }
            Event::Status(status) => put("status", json!(status)),
            Event::Call { name, title, path, attempt, more, .. } => {
                put("name", json!(name.as_str()));
                put("title", json!(title.as_ref().map_or(name.as_str(), Str::as_str)));
                put("path", json!(path));
                put("attempt", json!(attempt));
                for (key, value) in more {
                    put(key, value.clone());
                }
            }
            Event::RequestInfo(Json::Object(request)) => {
                for (key, value) in request {
                    put(key, value.clone());
                }
            }
            Event::RequestWithdrawn { id } => put("id", json!(id)),
            Event::Response { id, value } => {
                put("id", json!(id));
                put("value", value.clone());
            }
            Event::Sleeping { path, until } => {
                put("path", json!(path));
                put("until", json!(until));
            }
            Event::Log { text, data, print } => {
                put("text", json!(text));
                if !data.is_null() {
                    put("data", data.clone());
                }
                put("print", json!(print));
            }
            Event::Output(value) => put("output", value.clone()),
            Event::Failed { error } => put("error", error.clone()),
            Event::Paused { requests, open, wake_at } => {
                put("requests", json!(requests));
                if *open > requests.len() {
                    put("open", json!(open));
                }
                put("wake_at", json!(wake_at));
            }
            Event::Own { data, .. } => put("data", data.clone()),
            Event::Resumed | Event::Completed | Event::Cancelling | Event::Cancelled | Event::RequestInfo(_) => {}
        }
        Json::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_json_of_its_event() {
        let call = |title: Option<&str>, more| Event::Call {
            what: CallEvent::Retrying,
            step: true,
            name: "pay".into(),
            title: title.map(Str::from),
            path: "main[0]/\"pay\"[1]".into(),
            attempt: 2,
            more,
        };
        let events = [
            call(None, Vec::new()),
            call(Some("Pay\n\u{e9}"), vec![("error", json!({ "message": "no\\" })), ("next_attempt", json!(3))]),
            Event::Log { text: "a line\n".into(), data: json!([1, null]), print: true },
            Event::Resumed,
        ];
        for event in events {
            let mut line = String::new();
            event.write_line("a \"run\"", 7, "2030-01-07T09:00:00Z", &mut line);
            assert_eq!(line, format!("{}\n", event.to_json("a \"run\"", 7, "2030-01-07T09:00:00Z")));
        }
    }
}
