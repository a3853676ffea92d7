//! `observe`: how a call went, whatever came of it, with what it told and called.

use serde_json::Value as Json;

use super::{mock::without_attempts, world::World};
use crate::{effect::Effect, fault::Fault, json::from_json, machine::Outcome, store::Store, value::Value};

/// What only says how the process fared in which the test runs.
const OF_THE_PROCESS: [&str; 1] = ["resumed"];

impl World {
    /// `_observed_from()`: what was told and called before.
    pub(super) fn observed_from(&self) -> Outcome {
        let told = self.store.run(&self.run).map_or(0, |record| record.last_seq);
        let made = self.lock().made.len();
        Value::record([("told", number(told)), ("made", number(made as u64))])
    }

    /// `_observed(from, went, state, direct)`.
    pub(super) fn observed(&self, effect: &Effect) -> Outcome {
        let [from, went, state, direct] = effect.args.as_slice() else { return Ok(Value::Null) };
        let position = |of: &Value, name: &str| of.get(name).and_then(Value::as_int).map(|n| n.max(0).unsigned_abs());
        let nothing = || Value::list(Vec::new());
        let (status, requests) = match (went.get("requests"), went.get("error")) {
            (Some(requests), _) => ("paused", requests.clone()),
            (None, Some(_)) => ("failed", nothing()?),
            (None, None) => ("completed", nothing()?),
        };
        let part = |name: &str| went.get(name).cloned().unwrap_or_default();
        let told = position(from, "told").unwrap_or_default();
        let events = self.events(told, position(went, "told").unwrap_or(u64::MAX))?;
        let made = position(from, "made").unwrap_or_default() as usize;
        let calls = self.calls_in(made + usize::from(direct.as_bool() == Some(true)))?;
        Value::record([
            ("status", Value::str(status)),
            ("output", part("output")),
            ("state", state.clone()),
            ("error", part("error")),
            ("events", events),
            ("requests", requests),
            ("calls", calls),
        ])
    }

    /// What was told behind one number up to another.
    fn events(&self, from: u64, to: u64) -> Outcome {
        let batches = self.store.events(&self.run, from).unwrap_or_default();
        let lines = batches.iter().flat_map(|batch| batch.lines.lines());
        let events = lines.filter_map(|line| serde_json::from_str::<Json>(line).ok()).filter(|event| {
            let seq = event["seq"].as_u64().unwrap_or_default();
            let kind = event["type"].as_str().unwrap_or_default();
            seq > from && seq <= to && !OF_THE_PROCESS.contains(&kind)
        });
        Value::list(events.map(|event| from_json(&event)).collect::<Result<_, Fault>>()?)
    }

    /// The workflows and steps that were called, but for the first few calls of anything.
    fn calls_in(&self, from: usize) -> Outcome {
        let inner = self.lock();
        let made = inner.made.iter().skip(from).filter_map(|number| inner.calls.get(*number));
        let calls = made.filter(|call| self.is_told(call.entry)).map(|call| {
            let name = self.name(call.entry);
            let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
            let path = without_attempts(&call.identity);
            Value::record([("name", Value::str(name)), ("path", Value::str(path)), ("args", call.arguments.clone())])
        });
        Value::list(calls.collect::<Result<_, Fault>>()?)
    }
}

fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
