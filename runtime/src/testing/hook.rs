//! Hooks: what `wf test` has compiled into a program, answered at once.

use super::{
    failure::Failure,
    world::{Line, World},
};
use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    machine::Outcome,
    value::Value,
};

impl World {
    /// Answers a hook; whether what is true then has to be saved.
    pub(super) fn hook(&self, effect: &Effect) -> (Outcome, bool) {
        let outcome = match effect.name.as_str() {
            "test._mock" => self.mock(effect),
            "test._answer" => self.answer(effect),
            "test._crash" => self.crash(effect),
            "test._failed" => {
                self.fail(Failure::of_assertion(effect));
                Ok(Value::Null)
            }
            "test._calls" => self.calls(effect),
            "test._call" => self.call(effect),
            "test._arguments" => self.arguments(effect),
            "test._value" => self.value(effect),
            "test._answer_of" => self.answer_of_agent(effect),
            "test._wire" => self.wire(effect),
            "test._observed_from" => self.observed_from(),
            "test._observed" => self.observed(effect),
            "test._observe" => return (Ok(Value::Null), true),
            "test._done" => return (Ok(Value::Null), self.done(effect)),
            other => Err(Fault::new(Kind::Error, format!("this engine has no library function `{other}`"))),
        };
        (outcome, false)
    }

    /// `_answer(line)`.
    fn answer(&self, effect: &Effect) -> Outcome {
        if let Some(line) = effect.args.first() {
            self.lock().lines.push(Line { function: line.clone(), span: effect.span });
        }
        Ok(Value::Null)
    }
}
