//! Failures that a script may catch.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::value::{List, Map, Str, Value};

/// What sort of failure it is: the `kind` that a handler sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number out of range, a division by zero.
    Arithmetic,
    /// No element at an index.
    Index,
    /// No such field or key.
    Key,
    /// No arm of a `match` fits.
    Match,
    /// A value that does not fit a type, or that an operator does not take.
    Type,
    /// Text that is no JSON.
    Json,
    /// An HTTP status outside 2xx.
    Http,
    /// The network failed.
    Network,
    /// Time ran out.
    Timeout,
    /// A program ended with a code other than 0.
    Exec,
    /// A file could not be read or written.
    File,
    /// Something that was not allowed.
    Permission,
    /// A limit of the engine.
    Limit,
    /// An answer of a model that does not fit.
    Output,
    /// An agent that did not come to an end.
    MaxTurns,
    /// A model that refused.
    Refused,
    /// A call that may or may not have happened before a crash.
    UnknownOutcome,
    /// A request that could not be made.
    Request,
    /// `throw "…"`.
    Error,
    /// A kind of the program's own.
    Own(Str),
}

const KINDS: &[(&str, Kind)] = &[
    ("arithmetic", Kind::Arithmetic),
    ("index", Kind::Index),
    ("key", Kind::Key),
    ("match", Kind::Match),
    ("type", Kind::Type),
    ("json", Kind::Json),
    ("http", Kind::Http),
    ("network", Kind::Network),
    ("timeout", Kind::Timeout),
    ("exec", Kind::Exec),
    ("file", Kind::File),
    ("permission", Kind::Permission),
    ("limit", Kind::Limit),
    ("output", Kind::Output),
    ("max_turns", Kind::MaxTurns),
    ("refused", Kind::Refused),
    ("unknown_outcome", Kind::UnknownOutcome),
    ("request", Kind::Request),
    ("error", Kind::Error),
];

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Kind {
        KINDS.iter().find(|(known, _)| *known == name).map_or_else(|| Kind::Own(name.into()), |(_, kind)| kind.clone())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Kind::Own(name) => name,
            kind => KINDS.iter().find(|(_, known)| known == kind).map_or("error", |(name, _)| name),
        }
    }
}

/// A call that a failure left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFrame {
    /// The function.
    pub function: Str,
    /// Where in the source, as people read it: `main.wf:12:5`.
    pub place: Str,
}

/// What a [`Fault`] says.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultBody {
    /// What sort of failure it is.
    pub kind: Kind,
    /// For people: lower-case, no full stop.
    pub message: Str,
    /// What a handler may want to know further.
    pub data: Value,
    /// Whether trying again may help.
    pub retryable: bool,
    /// The path of the step in which it happened.
    pub step: Option<Str>,
    /// The calls it left, the innermost first.
    pub trace: Vec<TraceFrame>,
}

/// A failure that a script may catch. Its parts are those of [`FaultBody`].
#[derive(Clone, Debug, PartialEq)]
pub struct Fault(Box<FaultBody>);

impl Fault {
    /// A failure of this kind.
    pub fn new(kind: Kind, message: impl Into<Str>) -> Fault {
        let retryable = matches!(kind, Kind::Network | Kind::Timeout);
        let message = message.into();
        Fault(Box::new(FaultBody { kind, message, data: Value::Null, retryable, step: None, trace: Vec::new() }))
    }

    /// The same with data.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Fault {
        self.data = data;
        self
    }

    /// What a handler sees: `{ kind, message, data, retryable, step, trace }`.
    pub fn into_value(self) -> Value {
        let body = *self.0;
        let trace = body.trace.into_iter().filter_map(|frame| {
            Value::record([("function", Value::Str(frame.function)), ("place", Value::Str(frame.place))]).ok()
        });
        let trace = List::collect(trace).unwrap_or_default();
        let kind = match body.kind {
            Kind::Own(name) => name,
            kind => kind.name().into(),
        };
        let mut record = Map::with_capacity(6);
        // Data at the limit of nesting cannot stand in a record any more; the failure counts, not its data.
        let fields: [(&str, Value); 6] = [
            ("kind", kind.into()),
            ("message", body.message.into()),
            ("data", body.data),
            ("retryable", body.retryable.into()),
            ("step", body.step.into()),
            ("trace", trace.into()),
        ];
        for (name, value) in fields {
            if record.insert(name, value).is_err() {
                record.insert(name, Value::Null).ok();
            }
        }
        Value::Map(record)
    }

    /// The failure that `throw value` throws: of text (kind `error`), or of a record, whose missing parts are filled in.
    pub fn from_value(value: &Value) -> Fault {
        let Value::Map(record) = value else {
            return Fault::new(Kind::Error, crate::ops::display(value));
        };
        let text = |name: &str| record.get(name).and_then(Value::as_text).cloned();
        let kind = text("kind").map_or(Kind::Error, |kind| Kind::named(&kind));
        let message = text("message").unwrap_or_else(|| match record.get("message") {
            None | Some(Value::Null) => kind.name().into(),
            Some(other) => crate::ops::display(other).into(),
        });
        let mut fault = Fault::new(kind, message);
        fault.data = record.get("data").cloned().unwrap_or_default();
        if let Some(retryable) = record.get("retryable").and_then(Value::as_bool) {
            fault.retryable = retryable;
        }
        fault.step = text("step");
        let frames = record.get("trace").and_then(Value::as_list).map_or(&[][..], List::as_slice);
        fault.trace = frames
            .iter()
            .filter_map(|frame| {
                let part = |name| frame.get(name).and_then(Value::as_text).cloned();
                Some(TraceFrame { function: part("function")?, place: part("place")? })
            })
            .collect();
        fault
    }
}

impl Deref for Fault {
    type Target = FaultBody;

    fn deref(&self) -> &FaultBody {
        &self.0
    }
}

impl DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut FaultBody {
        &mut self.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.kind.name())
    }
}

impl std::error::Error for Fault {}
