//! Agents and other lists of named settings.

use std::sync::Arc;

use super::{
    ItemRef,
    annotation::literal,
    checker::Checker,
    suggest::{did_you_mean, nearest},
    ty::{FunctionType, Literal, ParamType, RecordType, Type},
    union::{map, record},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{AgentItem, Annotation, Expr, Name},
};

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Text,
    Int,
    Float,
    Bool,
    Duration,
    /// A type as a value.
    Type,
    /// Tools.
    Tools,
    /// Keys and data.
    Options,
    /// A function of an error that says yes or no.
    When,
}

/// The settings of `@retry`, in the order in which they may stand without names.
pub(super) const RETRY: [(&str, Takes); 6] = [
    ("attempts", Takes::Int),
    ("backoff", Takes::Duration),
    ("factor", Takes::Float),
    ("max_backoff", Takes::Duration),
    ("jitter", Takes::Bool),
    ("when", Takes::When),
];

/// The settings of an agent.
const AGENT: [(&str, Takes); 9] = [
    ("model", Takes::Text),
    ("instructions", Takes::Text),
    ("description", Takes::Text),
    ("tools", Takes::Tools),
    ("output", Takes::Type),
    ("temperature", Takes::Float),
    ("max_tokens", Takes::Int),
    ("max_turns", Takes::Int),
    ("options", Takes::Options),
];

const FACTOR: &str = "each wait is that many times the one before: write `2.0`";

/// What a `catch` binds.
pub(super) fn error_type() -> Type {
    record([
        ("kind", Type::String),
        ("message", Type::String),
        ("data", Type::Any),
        ("retryable", Type::Bool),
        ("step", Type::Any),
        ("trace", Type::Any),
    ])
}

fn type_of(takes: Takes) -> Type {
    match takes {
        Takes::Text => Type::String,
        Takes::Int => Type::Int,
        Takes::Float => Type::Float,
        Takes::Bool => Type::Bool,
        Takes::Duration => Type::Duration,
        Takes::Type => Type::TypeOf(Arc::new(Type::Unknown)),
        Takes::Tools => Type::List(Arc::new(Type::Tool)),
        Takes::Options => map(Type::Payload),
        Takes::When => {
            let error = ParamType { name: "e".into(), ty: error_type(), has_default: false };
            Type::Function(Arc::new(FunctionType { params: vec![error], result: Type::Bool }))
        }
    }
}

impl<'a> Checker<'a> {
    /// Checks the settings of an agent; its type is known as soon as its `output` is.
    pub(super) fn check_agent(&mut self, item: ItemRef, agent: &'a AgentItem) {
        let output = agent.fields.iter().find(|(name, _)| name.text == "output");
        let answer = match output {
            Some((_, value)) => match self.check(value, &type_of(Takes::Type)) {
                Type::TypeOf(answer) => (*answer).clone(),
                _ => Type::Unknown,
            },
            None => Type::String,
        };
        self.values.insert(item, Type::Agent(Arc::new(answer)));
        let mut seen: Vec<&Name> = Vec::new();
        for (name, value) in &agent.fields {
            if let Some(before) = seen.iter().find(|other| other.text == name.text) {
                let message = format!("setting `{}` is given twice", name.text);
                self.report(Diagnostic::new(Code::DeclaredTwice, name.span, message).label(before.span, "given here"));
                self.infer(value, None);
                continue;
            }
            seen.push(name);
            match AGENT.iter().find(|(known, _)| *known == name.text) {
                Some((_, Takes::Type)) => {}
                Some((_, takes)) => {
                    self.check(value, &type_of(*takes));
                }
                None => {
                    self.unknown_setting(name, "an agent has", AGENT.iter().map(|(known, _)| *known));
                    self.infer(value, None);
                }
            }
        }
    }

    /// Checks the arguments of an annotation that takes settings.
    pub(super) fn check_settings(&mut self, annotation: &'a Annotation, known: &[(&'static str, Takes)]) {
        let mut seen: Vec<&str> = Vec::new();
        for (position, arg) in annotation.args.iter().enumerate() {
            let setting = match &arg.name {
                Some(name) => known.iter().find(|(known, _)| *known == name.text),
                None => known.get(position),
            };
            if arg.name.is_none() && annotation.args.iter().take(position).any(|before| before.name.is_some()) {
                let message = "a setting without a name follows a named one";
                let help = "settings go by position first, then by name";
                self.report(Diagnostic::new(Code::BadArguments, arg.value.span, message).help(help));
                self.infer(&arg.value, None);
                continue;
            }
            if let Some((setting, takes)) = setting {
                if seen.contains(setting) {
                    let message = format!("setting `{setting}` is given twice");
                    let span = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
                    self.report(Diagnostic::new(Code::BadArguments, span, message).help("take one of them out"));
                }
                seen.push(setting);
                self.check(&arg.value, &type_of(*takes));
                self.refuse_senseless(setting, &arg.value);
                continue;
            }
            let title = format!("`@{}` has", annotation.name.text);
            match &arg.name {
                Some(name) => self.unknown_setting(name, &title, known.iter().map(|(known, _)| *known)),
                None => self.error(Code::BadArguments, arg.value.span, format!("{title} {} settings", known.len())),
            }
            self.infer(&arg.value, None);
        }
    }

    /// A literal that the setting of an annotation cannot mean.
    pub(super) fn refuse_senseless(&mut self, setting: &str, value: &Expr) {
        let (least, help) = match (setting, literal(value)) {
            ("attempts", Some(Literal::Int(n))) if n < 1 => ("at least 1", "the first run is an attempt, too"),
            ("factor", Some(Literal::Int(n))) if n < 0 => ("not negative", FACTOR),
            ("factor", Some(Literal::Float(n))) if n < 0.0 => ("not negative", FACTOR),
            (_, Some(Literal::Duration(n))) if n < 0 => ("not negative", "write a duration such as `1s`"),
            _ => return,
        };
        let message = format!("`{setting}` is {least}");
        self.report(Diagnostic::new(Code::BadArguments, value.span, message).help(help));
    }

    fn unknown_setting(&mut self, name: &Name, title: &str, known: impl Iterator<Item = &'static str>) {
        if name.text.is_empty() {
            return;
        }
        let known: Vec<&str> = known.collect();
        let message = format!("{title} no setting `{}`", name.text);
        let found = nearest(&name.text, known.iter().copied());
        let help = did_you_mean(&found).unwrap_or_else(|| format!("there are `{}`", known.join("`, `")));
        self.report(Diagnostic::new(Code::UnknownField, name.span, message).help(help));
    }

    /// The type of `ctx.usage`.
    pub(super) fn usage_type(&self) -> Type {
        self.library.types.get("Usage").map_or(Type::Any, |item| Type::Named(*item))
    }

    /// What an agent may be asked.
    pub(super) fn prompt_type(&self) -> Type {
        let part = self.library.types.get("Part").map_or(Type::Any, |item| Type::Named(*item));
        super::union::union([Type::String, super::union::list(part)])
    }

    /// A record type as what it is: a type.
    pub(super) fn of_record(fields: RecordType) -> Type {
        Type::Record(Arc::new(fields))
    }
}
