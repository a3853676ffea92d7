//! What leaves a machine: questions to the world, and what the program tells it.

use wf_lang::Span;

use super::{Machine, fiber::Fiber, testing::DRAWS};
use crate::{
    effect::{Effect, EffectKind, Hold},
    event::Event,
    fault::{Fault, Kind},
    json, ops,
    value::{Str, Value},
};

/// What a program can tell the world: the stable names of library functions.
pub const TELLS: &[&str] = &["print", "log", "emit"];

impl Machine {
    /// Makes the question that an op asks.
    pub(super) fn ask(&mut self, fiber: &mut Fiber, effect: u16, args: Vec<Value>, span: Span) -> Effect {
        let name = self.image.program.effects.get(usize::from(effect)).map_or("", |name| name.as_str());
        let mut asked = Effect {
            id: self.next_effect,
            fiber: fiber.id,
            name: name.into(),
            args,
            path: Str::default(),
            ordinal: 0,
            generation: 0,
            step: None,
            span,
            hold: Hold::No,
        };
        self.next_effect += 1;
        // Clock and randomness are no calls to the outside: they have no key and are never asked again.
        if matches!(asked.kind(), EffectKind::Instant | EffectKind::Hook) {
            if self.is_test() {
                asked.span = self.own_span(fiber).unwrap_or(span);
                asked.path = self.identity(fiber).as_str().into();
                asked.ordinal = if asked.kind() == EffectKind::Instant { fiber.count_call(DRAWS) } else { 0 };
            }
        } else {
            asked.path = fiber.path().as_str().into();
            asked.ordinal = fiber.count_ask();
            if !self.answered.is_empty() {
                let call = (asked.path.as_str().to_owned(), asked.ordinal);
                asked.generation = self.answered.get(&call).copied().unwrap_or_default();
            }
            asked.step = self.step_path(fiber);
            self.boundary = true;
            if self.is_test() {
                asked.span = self.own_span(fiber).unwrap_or(span);
            }
        }
        asked
    }

    /// Tells the world.
    pub(super) fn tell(&mut self, tell: u16, args: &[Value]) -> Result<(), Fault> {
        let name = self.image.program.tells.get(usize::from(tell)).map_or("", |name| name.as_str());
        let data = |index: usize| match args.get(index) {
            Some(value) => json::to_json(value),
            None => Ok(serde_json::Value::Null),
        };
        let text = match args.first() {
            Some(Value::Str(text)) => text.as_str().to_owned(),
            other => {
                let found = other.map_or("nothing".into(), ops::describe);
                return Err(Fault::new(Kind::Type, format!("`{name}` takes text, found {found}")));
            }
        };
        let event = match name {
            "print" => Event::Log { text, data: serde_json::Value::Null, print: true },
            "log" => Event::Log { text, data: data(1)?, print: false },
            "emit" => Event::Own { name: text, data: data(1)? },
            other => return Err(Fault::new(Kind::Type, format!("this engine has no library function `{other}`"))),
        };
        self.events.push(event);
        Ok(())
    }
}
