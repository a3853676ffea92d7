//! A question to the world.

use wf_lang::{Span, program::TypeId};

use crate::{
    store::Millis,
    value::{Str, Value},
};

/// A question to the world. It is part of its fiber, so a run that was stopped asks it again, under the same key.
#[derive(Clone, Debug)]
pub struct Effect {
    /// Its number in the run: questions are asked, and asked again, in this order.
    pub id: u64,
    /// The fiber that asks.
    pub fiber: u32,
    /// What is asked: the stable name of the library function.
    pub name: Str,
    /// The arguments, one for each parameter.
    pub args: Vec<Value>,
    /// The path of the call's scope.
    pub path: Str,
    /// Its ordinal among the outside calls of that scope.
    pub ordinal: u32,
    /// How often this very call was answered with an error before: each such answer gives the next attempt a new key.
    pub generation: u32,
    /// The path of the enclosing step or workflow.
    pub step: Option<Str>,
    /// The call in the source.
    pub span: Span,
    /// Whether it leaves.
    pub hold: Hold,
}

/// Whether a call leaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Hold {
    /// It leaves as soon as its checkpoint is durable, so when the run is loaded it may have happened.
    #[default]
    No,
    /// The run was stopped before it left.
    Kept,
    /// It may have happened, and a person decides what becomes of it.
    Asks(Box<Question>),
}

/// What a person is asked about a call that may have happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is shown: `{ on_crash, call, args }`.
    pub data: Value,
    /// The type of the answer.
    pub answer: TypeId,
    /// When it is asked.
    pub asked_at: Millis,
}

/// What sort of question it is, which decides who answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// Clock and randomness: answered at once, without a checkpoint.
    Instant,
    /// A moment to wait for.
    Timer,
    /// A question to a person.
    Request,
    /// A call that leaves the process.
    Outside,
    /// What `wf test` compiles into a program: the test's world answers at once.
    Hook,
}

/// Every effect of the library: its stable name, its kind, and the event that tells of it.
pub const EFFECTS: &[(&str, EffectKind)] = &[
    ("time.now", EffectKind::Instant),
    ("uuid", EffectKind::Instant),
    ("random.float", EffectKind::Instant),
    ("sleep_until", EffectKind::Timer),
    ("_request", EffectKind::Request),
    ("exec", EffectKind::Outside),
    ("fs.append", EffectKind::Outside),
    ("agent._model", EffectKind::Outside),
    ("test._mock", EffectKind::Hook),
    ("test._answer", EffectKind::Hook),
    ("test._crash", EffectKind::Hook),
    ("test._failed", EffectKind::Hook),
    ("test._calls", EffectKind::Hook),
    ("test._call", EffectKind::Hook),
    ("test._arguments", EffectKind::Hook),
    ("test._value", EffectKind::Hook),
    ("test._answer_of", EffectKind::Hook),
    ("test._wire", EffectKind::Hook),
    ("test._done", EffectKind::Hook),
    ("test._observe", EffectKind::Hook),
    ("test._observed_from", EffectKind::Hook),
    ("test._observed", EffectKind::Hook),
];

impl Effect {
    /// What sort of question it is; an unknown one is a call that leaves the process, and is refused there.
    pub fn kind(&self) -> EffectKind {
        if let Hold::Asks(_) = self.hold {
            return EffectKind::Request;
        }
        EFFECTS.iter().find(|(name, _)| *name == self.name.as_str()).map_or(EffectKind::Outside, |(_, kind)| *kind)
    }

    /// Whether it does no harm to make the call once more: it asks a model, or reads.
    pub fn is_repeatable(&self) -> bool {
        let name = self.name.as_str();
        let reads = |arg: &Value| arg.as_str().is_some_and(|text| matches!(text, "GET" | "HEAD" | "OPTIONS"));
        match name.split_once('.') {
            Some(("agent", _)) => true,
            Some(("fs", call)) => !matches!(call, "write" | "append"),
            Some(("http", call)) => call.starts_with("get") || self.args.iter().take(2).any(reads),
            _ => false,
        }
    }

    /// The call as the author of a script knows it.
    pub fn called(&self) -> &str {
        match self.name.as_str() {
            "_request" => "request_info",
            "sleep_until" => "sleep",
            "agent._model" => "an answer of a model",
            other => other,
        }
    }

    /// The key under which the world may recognise that it is asked again: a hash of the run, the path without
    /// attempts, and the ordinal, as 32 hexadecimal digits. A call that got no answer keeps it; one that was answered
    /// with an error has been dealt with, so its next attempt has another.
    pub fn key(&self, run: &str) -> String {
        idempotency_key(run, &self.path, Some((self.ordinal, self.generation)))
    }
}

/// The key of a call (by its ordinal, and how often it was answered with an error), or of a step.
pub fn idempotency_key(run: &str, path: &str, call: Option<(u32, u32)>) -> String {
    let mut hash = blake3::Hasher::new();
    for part in [run, path] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let (ordinal, generation) = call.map_or((u64::MAX, 0), |(ordinal, generation)| (ordinal.into(), generation));
    hash.update(&ordinal.to_le_bytes());
    hash.update(&generation.to_le_bytes());
    hash.finalize().to_hex()[..32].to_owned()
}
