//! Something to tell the author of a script: data, rendered elsewhere.

use serde::Serialize;

use crate::{code::Code, span::Span};

/// How certain it is that the program is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Style.
    Hint,
    /// May fail.
    Warning,
    /// Will fail, so the program does not run.
    Error,
}

/// A second place that a diagnostic speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it has to do with the matter.
    pub message: String,
}

/// A change of the source that mends the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, in the imperative.
    pub title: String,
    /// What is replaced; they do not overlap.
    pub edits: Vec<(Span, String)>,
}

/// A message about the source: lower-case, no full stop, source in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which of the registered diagnostics this is.
    pub code: Code,
    /// How certain it is that the program is wrong.
    pub severity: Severity,
    /// The smallest wrong thing.
    pub span: Span,
    /// What is wrong, with what was expected and what was found.
    pub message: String,
    /// Further places.
    pub labels: Vec<Label>,
    /// What to do, one sentence each.
    pub help: Vec<String>,
    /// A change that mends it, where there is one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic with the severity that its code has.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            span,
            message: message.into(),
            labels: Vec::new(),
            help: Vec::new(),
            fix: None,
        }
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Adds a sentence that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds the change that mends it.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: Vec<(Span, String)>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits });
        self
    }

    /// Whether the program cannot run because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
