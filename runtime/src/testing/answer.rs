//! `answer` lines: what a person answers to which request, and when.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;
use wf_lang::Span;

use super::{
    failure::{Failure, brief},
    show::pattern,
    world::{Inner, Line, World},
};
use crate::{
    effect::{Effect, EffectKind},
    fault::Fault,
    host::Woken,
    json::{from_json, to_json},
    machine::{Machine, Outcome},
    request::Request,
    value::Value,
};

/// The answer that a request will get.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    request: String,
    due: i64,
    answer: Json,
    /// The line that gives it.
    span: Span,
}

/// The answers that requests will get, by identity.
#[derive(Debug, Default)]
pub(super) struct Plans {
    all: BTreeMap<String, Plan>,
    /// The identities, by the ids of requests.
    requests: HashMap<String, String>,
    /// When answers come that are not given yet.
    due: BTreeSet<(i64, String)>,
}

impl Plans {
    /// A request is asked, and may have been before: whether its answer is known. The same request of an attempt before
    /// is withdrawn.
    fn ask(&mut self, identity: &str, request: &str) -> bool {
        if let Some(before) = self.requests.get(request).filter(|before| *before != identity).cloned() {
            self.requests.remove(request);
            if let Some(plan) = self.all.remove(&before) {
                self.due.remove(&(plan.due, before));
            }
        }
        let known = self.all.get(identity);
        self.due.extend(known.map(|plan| (plan.due, identity.to_owned())));
        known.is_some()
    }

    fn insert(&mut self, identity: String, plan: Plan) {
        self.requests.insert(plan.request.clone(), identity.clone());
        self.due.insert((plan.due, identity.clone()));
        self.all.insert(identity, plan);
    }

    fn of_request(&self, request: &str) -> Option<&Plan> {
        self.all.get(self.requests.get(request)?)
    }
}

impl Inner {
    /// The next answer that comes: when, and to which request.
    pub(super) fn next_answer(&self) -> Option<(i64, String)> {
        self.plans.due.first().cloned()
    }

    /// Brings the answer to a request.
    pub(super) fn bring(&mut self, identity: &str) -> Woken {
        let Some(plan) = self.plans.all.get(identity) else { return Woken::Stuck };
        self.plans.due.remove(&(plan.due, identity.to_owned()));
        Woken::Answer { request: plan.request.clone(), value: plan.answer.clone() }
    }
}

impl World {
    /// A request is open: the first line that fits its data says what it will be answered, and when.
    pub(super) fn plan(&self, effect: &Effect, request: &Request, machine: &Machine) {
        let identity = format!("{}#{}", machine.identity_of(effect.fiber), effect.ordinal);
        let (lines, known) = {
            let mut inner = self.lock();
            let span = machine.own_span_of(effect.fiber).unwrap_or(effect.span);
            let place = || (span, machine.calls_around(effect.fiber));
            inner.asked.entry(request.id.clone()).or_insert_with(place);
            let known = inner.plans.ask(&identity, &request.id);
            (inner.lines.clone(), known)
        };
        if known {
            return;
        }
        // What a step asks after a crash is asked in the place of its call.
        let data = match effect.name.as_str() {
            "_request" => effect.args.first().cloned().unwrap_or_default(),
            _ => from_json(&request.json["data"]).unwrap_or_default(),
        };
        for (number, line) in lines.iter().enumerate() {
            match self.answer_of(number, line, &data, machine) {
                Ok(None) => {}
                Ok(Some((after, answer))) => {
                    let due = request.asked_at.saturating_add(after);
                    let plan = Plan { request: request.id.clone(), due, answer, span: line.span };
                    self.lock().plans.insert(identity, plan);
                    return;
                }
                Err(fault) => {
                    let failure = Failure::new(format!("an `answer` has no value: {}", fault.message.as_str()));
                    return self.fail(failure.at(line.span).value("the request", &data));
                }
            }
        }
    }

    /// What a line answers to data that fits its pattern, and after how many milliseconds.
    fn answer_of(
        &self,
        number: usize,
        line: &Line,
        data: &Value,
        machine: &Machine,
    ) -> Result<Option<(i64, Json)>, Fault> {
        let evaluate = |function: &Value, args: Vec<Value>| {
            machine.evaluate(function, args, &|effect| self.answered_at_once(effect))
        };
        let found = evaluate(&line.function, vec![data.clone()])?;
        let Some(values) = found.get("values").and_then(Value::as_list) else { return Ok(None) };
        let turn = {
            let mut inner = self.lock();
            let turns = inner.answered.entry(number).or_default();
            *turns += 1;
            *turns - 1
        };
        let value = values.get(turn.min(values.len().saturating_sub(1))).cloned().unwrap_or_default();
        let answer = evaluate(&value, Vec::new())?;
        let after = found.get("after").and_then(Value::as_duration).unwrap_or_default();
        Ok(Some((after, to_json(&answer)?)))
    }

    /// What a value beside the run may ask.
    fn answered_at_once(&self, effect: &Effect) -> Outcome {
        match effect.kind() {
            EffectKind::Hook => self.hook(effect).0,
            _ => self.instant(effect),
        }
    }

    /// An answer does not fit the type that the request asks for.
    pub(super) fn refused(&self, request: &str, reason: &str) {
        let plan = self.lock().plans.of_request(request).cloned();
        let mut failure = Failure::new(format!("this answer does not fit what is asked: {reason}"));
        if let Some(plan) = plan {
            failure = failure.at(plan.span).value("the answer", &from_json(&plan.answer).unwrap_or_default());
        }
        self.fail(failure);
    }

    /// The failure of a test in which nothing can go on but by an answer.
    pub(super) fn unanswered(&self, request: &Json) -> Failure {
        let data = from_json(&request["data"]).unwrap_or_default();
        let failure = Failure::new("nobody answers this request, and nothing else can go on")
            .value("it asks", &data)
            .help(format!("add a line that answers it before it is asked: `answer {} => …`", pattern(&data)));
        match request["id"].as_str().and_then(|id| self.lock().asked.get(id).cloned()) {
            Some((span, trace)) => Failure { span: Some(span), trace, ..failure },
            None => failure,
        }
    }
}

/// What a request asks, on one line.
pub(super) fn asks(request: &Json) -> String {
    brief(&from_json(&request["data"]).unwrap_or_default())
}
