//! Why a test failed, with the values that say so.

use wf_lang::Span;

use super::{
    diff::{DiffLine, diff},
    show::{inline, lines, parted},
};
use crate::{
    effect::Effect,
    value::{List, Value},
};

/// Why a test failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// For people: lower-case, no full stop.
    pub message: String,
    /// The place in the source.
    pub span: Option<Span>,
    /// Values: what each is of, and its lines.
    pub values: Vec<(String, Vec<String>)>,
    /// What differs between the two values that were compared, where that says more than they do.
    pub diff: Vec<DiffLine>,
    /// What to do.
    pub help: Vec<String>,
    /// The fiber that asked what cannot be, while the calls around it are not told yet.
    pub(crate) fiber: Option<u32>,
    /// The calls that an error left, or that stand around the place: function and place, innermost first.
    pub trace: Vec<(String, String)>,
}

impl Failure {
    /// A failure without anything but its reason.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    pub(super) fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The failure of what a fiber asks.
    pub(super) fn of(mut self, effect: &Effect) -> Self {
        self.fiber = Some(effect.fiber);
        self.at(effect.span)
    }

    pub(super) fn value(mut self, of: impl Into<String>, value: &Value) -> Self {
        self.values.push((of.into(), lines(value)));
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// An assertion that does not hold: `_failed(what, how, texts, values)`.
    pub(super) fn of_assertion(effect: &Effect) -> Self {
        let [what, how, texts, values] = effect.args.as_slice() else {
            return Self::new("an assertion does not hold").at(effect.span);
        };
        let failure = match what.as_str() {
            Some("compare") => compared(how.as_str().unwrap_or_default(), texts, values),
            Some("throws") => thrown(how.as_str(), texts.as_bool() == Some(true), values),
            _ => pairs(texts, values)
                .into_iter()
                .fold(Self::new("this does not hold"), |failure, (text, value)| failure.value(text, &value)),
        };
        failure.of(effect)
    }
}

/// The elements of two lists, pair by pair.
fn pairs(texts: &Value, values: &Value) -> Vec<(String, Value)> {
    let list = |value: &Value| value.as_list().cloned().unwrap_or_default();
    let (texts, values): (List, List) = (list(texts), list(values));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    texts.iter().zip(values.iter()).map(|(a, b)| (text(a), b.clone())).collect()
}

fn compared(operator: &str, texts: &Value, values: &Value) -> Failure {
    let sides = pairs(texts, values);
    let [(left_text, left), (right_text, right)] = sides.as_slice() else {
        return Failure::new("this does not hold");
    };
    let mut failure = Failure::new(format!("`{operator}` does not hold"));
    for (text, value) in [(left_text, left), (right_text, right)] {
        // What is written out is to be seen already.
        if inline(value) != *text {
            failure = failure.value(one_line(text), value);
        }
    }
    let comparable = matches!(
        (left, right),
        (Value::Str(_), Value::Str(_)) | (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_))
    );
    if operator == "==" && comparable {
        let (left, right) = (parts(left), parts(right));
        if left.len() > 1 || right.len() > 1 {
            failure.diff = diff(&left, &right);
        }
    }
    failure
}

/// What a value is compared by: the lines of a text, else the lines of its parts.
fn parts(value: &Value) -> Vec<String> {
    match value {
        Value::Str(text) if text.as_str().contains('\n') => text.as_str().split('\n').map(str::to_owned).collect(),
        other => parted(other),
    }
}

fn thrown(pattern: Option<&str>, thrown: bool, value: &Value) -> Failure {
    let wanted = pattern.map(|pattern| format!(" that fits `{}`", one_line(pattern))).unwrap_or_default();
    if !thrown {
        return Failure::new(format!("expected an error{wanted}, but nothing was thrown")).value("it gave", value);
    }
    let mut failure = Failure::new(format!("expected an error{wanted}, but another was thrown"));
    for part in ["kind", "message", "data"] {
        if let Some(value) = value.get(part).filter(|value| !value.is_null()) {
            failure = failure.value(part, value);
        }
    }
    failure
}

/// Source text on one line, shortened.
fn one_line(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

/// A value on one line, for the middle of a sentence.
pub(super) fn brief(value: &Value) -> String {
    one_line(&inline(value))
}
