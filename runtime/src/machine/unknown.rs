//! Calls that were in flight when their run was stopped: whether they have happened is not known.
//!
//! What may be made once more without harm is. For the rest, the innermost step with `@on_crash` says what becomes of it.

use wf_lang::program::{FunctionKind, OnCrash};

use super::{
    Machine,
    fiber::{Delivered, Fiber, FiberState, Then},
};
use crate::{
    effect::{Effect, Hold, Question},
    fault::{Fault, Kind},
    json,
    store::Millis,
    value::{Map, Value},
};

/// What becomes of a call that may have happened.
pub(crate) enum Unknown {
    /// It is made again.
    Again,
    /// It throws.
    Throws(Fault),
    /// A person is asked by this, which has taken its place.
    Asks(Effect),
}

impl Machine {
    /// Decides about an open call of a machine that was loaded.
    pub(crate) fn unknown(&mut self, effect: &Effect, now: Millis) -> Unknown {
        if effect.is_repeatable() {
            return Unknown::Again;
        }
        let Some((fiber, frame, on_crash)) = self.on_crash(effect.fiber) else { return Unknown::Again };
        match on_crash {
            OnCrash::Retry => Unknown::Again,
            OnCrash::Throw => Unknown::Throws(outcome_unknown(effect, None)),
            OnCrash::Ask(answer) => {
                let step = self.fibers.get(&fiber).and_then(|fiber| self.step_name(fiber, frame)).unwrap_or_default();
                let question = Question { data: self.question(effect, &step), answer, asked_at: now };
                match self.hold(effect.fiber, effect.id, Hold::Asks(Box::new(question))) {
                    Some(asks) => Unknown::Asks(asks),
                    None => Unknown::Again,
                }
            }
        }
    }

    /// Sets whether an open call leaves; gives the call.
    pub(crate) fn hold(&mut self, fiber: u32, effect: u64, hold: Hold) -> Option<Effect> {
        let fiber = self.fibers.get_mut(&fiber)?;
        let FiberState::Waiting(asked) = &mut fiber.state else { return None };
        if asked.id != effect {
            return None;
        }
        asked.hold = hold;
        let asked = (**asked).clone();
        self.turns.mark(fiber);
        Some(asked)
    }

    /// Takes the decision of a person about a call that may have happened; gives the call when it is to be made again, and
    /// `None` when it was no such call, or needs nothing further.
    pub(crate) fn decide(&mut self, id: u32, effect: u64, decision: &Value) -> Decided {
        let Some(fiber) = self.fibers.get(&id) else { return Decided::NotAsked };
        let call = match &fiber.state {
            FiberState::Waiting(asked) if asked.id == effect && matches!(asked.hold, Hold::Asks(_)) => {
                (**asked).clone()
            }
            _ => return Decided::NotAsked,
        };
        let text = |name: &str| decision.get(name).and_then(Value::as_str);
        match (text("action"), self.on_crash(id)) {
            (Some("result"), Some((step, frame, _))) => {
                let value = decision.get("value").cloned().unwrap_or_default();
                self.cancel_fiber(step, frame, Then::Give(value));
            }
            (Some("fail"), _) => {
                let fault = outcome_unknown(&call, text("message"));
                let parent = fiber.parent.map(|(parent, _)| parent);
                self.thrown(id, parent, &fault, Some((effect, true)));
                if let Some(fiber) = self.fibers.get_mut(&id) {
                    fiber.state = FiberState::Ready(Some(Delivered::Thrown(fault.into_value())));
                    self.turns.last(fiber);
                }
            }
            _ => return self.hold(id, effect, Hold::No).map_or(Decided::Taken, Decided::Again),
        }
        Decided::Taken
    }

    /// The innermost step around a fiber that says what becomes of its calls: its fiber, its frame, and what it says.
    fn on_crash(&self, fiber: u32) -> Option<(u32, u32, OnCrash)> {
        let mut at = self.fibers.get(&fiber)?;
        loop {
            let found = at.scopes.iter().rev().find_map(|scope| {
                let function = self.image.program.functions.get(scope.function as usize)?;
                let frame = at.frames.get(scope.frame as usize)?;
                let own = frame.function == scope.function && function.kind == FunctionKind::Step;
                function.on_crash.filter(|_| own).map(|on_crash| (at.id, scope.frame, on_crash))
            });
            match found {
                Some(found) => return Some(found),
                None => at = self.fibers.get(&at.parent?.0)?,
            }
        }
    }

    fn step_name(&self, fiber: &Fiber, frame: u32) -> Option<String> {
        let frame = fiber.frames.get(frame as usize)?;
        Some(self.image.program.functions.get(frame.function as usize)?.name.to_string())
    }

    /// What a person is shown of a call.
    fn question(&self, effect: &Effect, step: &str) -> Value {
        let names = self.image.program.effects.iter().position(|name| name == effect.name.as_str());
        let names = names.and_then(|at| self.image.program.effect_params.get(at)).map_or(&[][..], Vec::as_slice);
        let args = names.iter().zip(&effect.args).map(|(name, arg)| (name.as_str().into(), shown(arg)));
        let args = Map::from_entries(args).unwrap_or_default();
        let fields =
            [("on_crash", Value::str(step)), ("call", Value::str(effect.called())), ("args", Value::Map(args))];
        Value::record(fields).unwrap_or_default()
    }
}

/// What came of a decision.
pub(crate) enum Decided {
    /// The request was not about a call.
    NotAsked,
    /// It has taken effect.
    Taken,
    /// The call leaves with the next checkpoint.
    Again(Effect),
}

/// An argument as a person may see it: secrets by their names.
fn shown(arg: &Value) -> Value {
    match arg {
        Value::Map(map) => Map::from_entries(map.iter().map(|(key, value)| (key.clone(), shown(value))))
            .map_or(Value::Null, Value::Map),
        Value::List(list) => Value::list(list.iter().map(shown).collect()).unwrap_or_default(),
        arg if json::to_json(arg).is_ok() => arg.clone(),
        arg => Value::str(crate::ops::display(arg)),
    }
}

fn outcome_unknown(effect: &Effect, message: Option<&str>) -> Fault {
    let call = effect.called();
    let usual = || format!("whether `{call}` has happened is not known: the run was stopped while it was under way");
    Fault::new(Kind::UnknownOutcome, message.map_or_else(usual, str::to_owned))
}
