//! Calls that reach the outside, in a world that has none: what a mock gave for them, or a test that fails by name.

use wf_lang::program::{Literal, TypeId, TypeKind, Types};

use super::{
    failure::Failure,
    world::{Doom, World},
};
use crate::{
    effect::Effect,
    host::{Host, Performing, received},
    machine::Outcome,
    validate::{fits, show_type},
    value::Value,
};

impl World {
    /// Performs a call: with what a mock gave for it, or, for a model that does not leave the process, by itself.
    pub(super) fn perform(&self, effect: Effect, key: String) -> Performing {
        let mocked = self.lock().wires.get(effect.path.as_str()).cloned();
        let outcome = match mocked {
            Some(value) => self.on_the_wire(&effect, &value),
            None if effect.name.as_str() == "agent._model" && self.stays_here(&effect) => {
                self.is_answered(&effect);
                return self.system.perform(effect, key);
            }
            None => return self.unmocked(&effect),
        };
        self.is_answered(&effect);
        Box::pin(std::future::ready(outcome))
    }

    /// What comes back for a call, when a mock gave this for the wire.
    fn on_the_wire(&self, effect: &Effect, value: &Value) -> Outcome {
        match received(effect, value) {
            None => self.plain(effect, value),
            Some(Ok(outcome)) => outcome,
            Some(Err(reason)) => {
                let of = self.entry_of_effect(effect.name.as_str()).map_or(Value::Null, |e| Value::Int(e.into()));
                self.misfit(&of, effect, value, &reason)
            }
        }
    }

    /// A call of which nothing but the value is known.
    fn plain(&self, effect: &Effect, value: &Value) -> Outcome {
        let entry = self.entry_of_effect(effect.name.as_str());
        let Some(watched) = entry.and_then(|entry| self.watched(entry)) else { return Ok(value.clone()) };
        if watched.result == Types::ANY {
            return Ok(value.clone());
        }
        match fits(&self.image.program.types, watched.result, value.clone()) {
            Ok(value) => Ok(value),
            Err(misfit) => {
                let of = entry.map_or(Value::Null, |entry| Value::Int(entry.into()));
                self.misfit(&of, effect, value, &misfit.to_string())
            }
        }
    }

    /// Whether a model answers without leaving the process.
    fn stays_here(&self, effect: &Effect) -> bool {
        let named = effect.args.first().and_then(|request| request.get("model")).and_then(Value::as_str);
        named.or(self.default_model.as_deref()).is_some_and(|model| model.starts_with("offline/"))
    }

    /// The world has done what was asked: a crash during the call loses its result.
    fn is_answered(&self, effect: &Effect) {
        let Some(entry) = self.entry_of_effect(effect.name.as_str()) else { return };
        let identity = self.lock().identity(effect.path.as_str());
        if self.fires(entry, &identity, true) {
            self.lock().doom = Some(Doom::Before);
        }
    }

    /// A call that would leave the process fails the test, by name.
    fn unmocked(&self, effect: &Effect) -> Performing {
        let agent = effect.args.first().and_then(|request| request.get("name")).and_then(Value::as_str);
        let failure = match (effect.name.as_str(), agent) {
            ("agent._model", Some(agent)) => {
                let line = format!("mock {agent} => {}", self.sample_of_agent(agent));
                Failure::new(format!("`{agent}` asks a model, which would leave the process"))
                    .help(format!("mock it: `{line}`, or every model: `mock model => \"…\"`"))
            }
            (name, _) => {
                let failure = Failure::new(format!("`{name}` would leave the process"));
                failure
                    .value("it is called with", &first(effect))
                    .help(format!("mock it: `mock {name} => {}`", sample_of(name)))
            }
        };
        self.fail(failure.of(effect));
        Box::pin(std::future::pending())
    }

    fn sample_of_agent(&self, name: &str) -> String {
        let agent = self.image.program.agents.iter().find(|agent| agent.name == name);
        agent.map_or_else(|| "\"…\"".to_owned(), |agent| sample(&self.image.program.types, agent.output, 0))
    }
}

fn first(effect: &Effect) -> Value {
    effect.args.first().cloned().unwrap_or_default()
}

/// What the mock of a library function may look like.
fn sample_of(name: &str) -> &'static str {
    match name {
        "exec" => "{ stdout: \"…\" }",
        name if name.starts_with("http.") => "{ body: \"…\" }",
        "fs.read" => "\"…\"",
        "fs.list" | "fs.glob" => "[]",
        "fs.exists" => "true",
        name if name.starts_with("fs.") => "null",
        _ => "…",
    }
}

/// A value of a type, as a mock would write it.
fn sample(types: &Types, ty: TypeId, depth: usize) -> String {
    if depth > 2 {
        return "…".to_owned();
    }
    match types.get(ty) {
        TypeKind::String => "\"…\"".to_owned(),
        TypeKind::Int => "1".to_owned(),
        TypeKind::Float => "1.0".to_owned(),
        TypeKind::Bool => "true".to_owned(),
        TypeKind::Null => "null".to_owned(),
        TypeKind::Literal(Literal::String(text)) => format!("{text:?}"),
        TypeKind::Literal(_) => show_type(types, ty),
        TypeKind::List(item) => format!("[{}]", sample(types, *item, depth + 1)),
        TypeKind::Record(fields) => {
            let needed = fields.iter().filter(|field| !field.optional);
            let shown: Vec<String> =
                needed.map(|field| format!("{}: {}", field.name, sample(types, field.ty, depth + 1))).collect();
            format!("{{ {} }}", shown.join(", "))
        }
        TypeKind::Union(members) => members.first().map_or_else(|| "…".to_owned(), |m| sample(types, *m, depth)),
        _ => "…".to_owned(),
    }
}
