//! Mocks: which stands in for a call, with what arguments, and what its value is worth.

use wf_lang::program::{TypeId, TypeKind, Types, WatchedKind};

use super::{
    failure::Failure,
    world::{Call, Mock, World},
};
use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    host::{first_of, usage},
    json::to_json,
    machine::Outcome,
    native::answer::read as read_answer,
    validate::fits,
    value::{List, Map, Value},
};

/// The parts of what an agent's `run` gives.
const PARTS: [&str; 5] = ["value", "text", "messages", "usage", "turns"];

impl World {
    /// `_mock(of, elements, lambdas)`.
    pub(super) fn mock(&self, effect: &Effect) -> Outcome {
        let [of, elements, lambdas] = effect.args.as_slice() else { return Ok(Value::Null) };
        let Some(entry) = self.entry(Some(of)) else { return Ok(Value::Null) };
        let elements = elements.as_list().cloned().unwrap_or_default();
        let lambdas = lambdas.as_list().map_or(&[][..], List::as_slice);
        let lambdas = lambdas.iter().map(|lambda| lambda.as_bool() == Some(true)).collect();
        self.lock().mocks.push(Mock { entry, elements, lambdas, span: effect.span });
        Ok(Value::Null)
    }

    /// `_call(of, arguments)`: a call begins. What stands in for it is decided once for each call.
    pub(super) fn call(&self, effect: &Effect) -> Outcome {
        let Some(entry) = self.entry(effect.args.first()) else { return Ok(Value::Null) };
        let arguments = effect.args.get(1).cloned().unwrap_or_default();
        let attempt = effect.path.as_str();
        let identity = without_attempt(attempt).to_owned();
        let call = (entry, identity.clone());
        let outside = self.reaches_outside(entry);
        let mut inner = self.lock();
        if outside {
            inner.outside.insert(without_attempts(attempt), attempt.to_owned());
        }
        let number = match inner.known.get(&call) {
            Some(number) => *number,
            None => {
                let number = inner.calls.len();
                inner.calls.push(Call { entry, identity, made: false, arguments: arguments.clone() });
                inner.known.insert(call, number);
                number
            }
        };
        if !std::mem::replace(&mut inner.calls[number].made, true) {
            inner.made.push(number);
        }
        let this = (entry, attempt.to_owned());
        let (mock, element) = match inner.given.get(&this) {
            Some(given) => *given,
            None => {
                let Some(mock) = inner.mocks.iter().rposition(|mock| mock.entry == entry) else {
                    return Ok(Value::Null);
                };
                let turn = inner.turns.entry(mock).or_default();
                let element = *turn;
                *turn += 1;
                let last = inner.mocks[mock].elements.len().saturating_sub(1);
                inner.given.insert(this, (mock, element.min(last)));
                (mock, element.min(last))
            }
        };
        let Some(mock) = inner.mocks.get(mock) else { return Ok(Value::Null) };
        let give = mock.elements.get(element).cloned().unwrap_or_default();
        let lambda = mock.lambdas.get(element) == Some(&true);
        let passed = if lambda { self.arguments_for(&give, &arguments).unwrap_or_default() } else { Vec::new() };
        let passed = Value::list(passed)?;
        Value::record([("give", give), ("arguments", passed), ("done", Value::Bool(lambda))])
    }

    /// `_arguments(of, f)`: what a function takes of the arguments of the call that it stands in for.
    pub(super) fn arguments(&self, effect: &Effect) -> Outcome {
        let [of, function] = effect.args.as_slice() else { return Ok(Value::Null) };
        let call = self.entry(Some(of)).map(|entry| (entry, without_attempt(effect.path.as_str()).to_owned()));
        let arguments = {
            let inner = self.lock();
            let number = call.and_then(|call| inner.known.get(&call).copied());
            number.and_then(|number| inner.calls.get(number)).map(|call| call.arguments.clone())
        };
        match self.arguments_for(function, &arguments.unwrap_or_default()) {
            Some(passed) => Value::list(passed),
            None => Ok(Value::Null),
        }
    }

    /// By name where all of a function's parameters are among the names, else by position; null for what is no function.
    fn arguments_for(&self, function: &Value, arguments: &Value) -> Option<Vec<Value>> {
        let arguments = arguments.as_map().cloned().unwrap_or_default();
        let params = match function {
            Value::Closure(closure) => self.image.find(closure.function())?.params.as_slice(),
            Value::Agent(_) => return Some(arguments.values().take(1).cloned().collect()),
            _ => return None,
        };
        if params.iter().all(|param| arguments.get(&param.name).is_some()) {
            return Some(params.iter().filter_map(|param| arguments.get(&param.name).cloned()).collect());
        }
        Some(arguments.values().take(params.len()).cloned().collect())
    }

    /// `_calls(of)`: the arguments of the calls so far, in order of their starts.
    pub(super) fn calls(&self, effect: &Effect) -> Outcome {
        let Some(entry) = self.entry(effect.args.first()) else { return Value::list(Vec::new()) };
        let inner = self.lock();
        let made = inner.made.iter().filter_map(|number| inner.calls.get(*number));
        Value::list(made.filter(|call| call.entry == entry).map(|call| call.arguments.clone()).collect())
    }

    /// `_value(of, value, type)`: what a mock gave has to fit what the call gives.
    pub(super) fn value(&self, effect: &Effect) -> Outcome {
        let [of, value, ty] = effect.args.as_slice() else { return Ok(Value::Null) };
        let Value::Type(ty) = ty else { return Ok(value.clone()) };
        if *ty == Types::ANY {
            return Ok(value.clone());
        }
        match fits(&self.image.program.types, *ty, value.clone()) {
            Ok(value) => Ok(value),
            Err(misfit) => self.misfit(of, effect, value, &misfit.to_string()),
        }
    }

    /// `_answer_of(of, value, output, prompt, history)`: what a mock of an agent gave, as the whole result of `run`. What
    /// fits the agent's output is the value; else it is a part of the result, and the rest is filled in.
    pub(super) fn answer_of_agent(&self, effect: &Effect) -> Outcome {
        let [of, given, output, prompt, history] = effect.args.as_slice() else { return Ok(Value::Null) };
        let types = &self.image.program.types;
        let ty = self.output_of(of, output);
        let whole = match fits(types, ty, given.clone()) {
            Ok(value) => self.whole(Map::new(), Some(value), ty, prompt, history),
            Err(misfit) => match given.as_map().filter(|part| is_part(part)) {
                None => return self.misfit(of, effect, given, &misfit.to_string()),
                Some(part) => {
                    let value = part.get("value").cloned();
                    match value.map(|value| fits(types, ty, value)).transpose() {
                        Err(misfit) => return self.misfit(of, effect, given, &misfit.to_string()),
                        Ok(value) => self.whole(part.clone(), value, ty, prompt, history),
                    }
                }
            },
        };
        match whole {
            Ok(whole) => Ok(whole),
            Err(fault) => self.misfit(of, effect, given, fault.message.as_str()),
        }
    }

    /// The type that an agent answers with: that of the call, of `with`, of its declaration.
    fn output_of(&self, of: &Value, output: &Value) -> TypeId {
        let Value::Agent(agent) = of else { return Types::ANY };
        let declared = self.image.program.agents.get(agent.declaration() as usize);
        match (output, agent.changes().get("output")) {
            (Value::Type(ty), _) | (_, Some(Value::Type(ty))) => *ty,
            _ => declared.map_or(Types::ANY, |declared| declared.output),
        }
    }

    /// The whole result of `run`, with what is missing filled in.
    fn whole(&self, part: Map, value: Option<Value>, ty: TypeId, prompt: &Value, history: &Value) -> Outcome {
        let types = &self.image.program.types;
        let text = part.get("text").and_then(Value::as_text).cloned();
        let value = match (value, &text) {
            (Some(value), _) => value,
            (None, Some(text)) => read_answer(types, ty, text).map_err(|reason| Fault::new(Kind::Output, reason))?,
            (None, None) if *types.get(ty) == TypeKind::String => Value::str(""),
            (None, None) => crate::json::from_json(&first_of(types, ty))?,
        };
        let text = match (text, &value) {
            (Some(text), _) => Value::Str(text),
            (None, Value::Str(text)) => Value::Str(text.clone()),
            (None, other) => Value::from(to_json(other)?.to_string()),
        };
        let messages = match part.get("messages") {
            Some(messages) => messages.clone(),
            None => {
                let message = |role: &str, content: &Value| {
                    Value::record([("role", Value::str(role)), ("content", content.clone())])
                };
                let mut messages = history.as_list().cloned().unwrap_or_default();
                messages.push(message("user", prompt)?)?;
                messages.push(message("assistant", &text)?)?;
                Value::List(messages)
            }
        };
        let usage = usage(part.get("usage"))?;
        let turns = part.get("turns").cloned().unwrap_or(Value::Int(1));
        Value::record([("value", value), ("text", text), ("messages", messages), ("usage", usage), ("turns", turns)])
    }

    /// `_wire(of, value)`: kept for the call that is about to reach the outside.
    pub(super) fn wire(&self, effect: &Effect) -> Outcome {
        let [_, value] = effect.args.as_slice() else { return Ok(Value::Null) };
        self.lock().wires.insert(without_attempts(effect.path.as_str()), value.clone());
        Ok(Value::Null)
    }

    /// A mock gave what the call cannot give: the test has failed, and the call gets nothing.
    pub(super) fn misfit(&self, of: &Value, effect: &Effect, value: &Value, reason: &str) -> Outcome {
        let entry = self.entry(Some(of));
        let name = entry.map_or("a call", |entry| self.name(entry));
        let failure = Failure::new(format!("the mock of `{name}` gives what `{name}` cannot give: {reason}"));
        let span = entry.and_then(|entry| {
            let inner = self.lock();
            let given = inner.given.get(&(entry, inner.identity(effect.path.as_str()))).map(|(mock, _)| *mock);
            let mock = given.or_else(|| inner.mocks.iter().rposition(|mock| mock.entry == entry))?;
            inner.mocks.get(mock).map(|mock| mock.span)
        });
        self.fail(failure.at(span.unwrap_or(effect.span)).value("it gives", value));
        Ok(Value::Null)
    }

    /// Whether an entry is that of something that tells its own end.
    pub(super) fn reaches_outside(&self, entry: u16) -> bool {
        let kind = self.watched(entry).map(|watched| &watched.kind);
        matches!(kind, Some(WatchedKind::Outside(_) | WatchedKind::Model(_)))
    }
}

/// Whether a record is made of parts of what `run` gives.
fn is_part(part: &Map) -> bool {
    !part.is_empty() && part.keys().all(|key| PARTS.contains(&key.as_str()))
}

/// The identity of a call without the attempt that it is: a step that is tried again is one call.
pub(super) fn without_attempt(identity: &str) -> &str {
    match identity.rsplit_once('@') {
        Some((before, attempt)) if !attempt.contains('/') => before,
        _ => identity,
    }
}

/// The path of a call: its identity without any attempts.
pub(super) fn without_attempts(identity: &str) -> String {
    identity.split('/').map(without_attempt).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_taken_out_of_identities() {
        assert_eq!(without_attempt("a[0]@2/b[1]@3"), "a[0]@2/b[1]");
        assert_eq!(without_attempt("a[0]@2/b[1]"), "a[0]@2/b[1]");
        assert_eq!(without_attempts("a[0]@2/gather[0].1/b[1]@3"), "a[0]/gather[0].1/b[1]");
    }
}
