//! Effects on their way out, and outcomes on their way back.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value as Json;

use super::{Run, Settled};
use crate::{
    effect::{Effect, EffectKind},
    event::Event,
    fault::{Fault, Kind},
    json::{from_json, time_text},
    ops::describe,
    request::Request,
    store::{Millis, RequestEnd},
    value::Value,
};

impl Run {
    /// Takes what the machine asks: some is answered at once, the rest leaves with the next checkpoint.
    pub(super) fn take_effect(&mut self, effect: Effect) {
        match effect.kind() {
            EffectKind::Instant => {
                let outcome = self.host.instant(&effect);
                self.machine.settle_now(effect.fiber, effect.id, outcome);
            }
            EffectKind::Timer => match effect.args.first() {
                Some(Value::Time(moment)) => {
                    self.tell(Event::Sleeping { path: effect.path.as_str().to_owned(), until: time_text(*moment) });
                    self.timers.set(*moment, effect.id, effect.fiber);
                    self.unsaved = true;
                }
                other => {
                    let found = other.map_or("nothing".into(), describe);
                    let fault = Fault::new(Kind::Type, format!("`sleep_until` takes a time, found {found}"));
                    self.machine.settle_now(effect.fiber, effect.id, Err(fault));
                }
            },
            EffectKind::Request => match self.open_request(&effect, true) {
                Ok(()) => self.unsaved = true,
                Err(fault) => {
                    self.machine.settle_now(effect.fiber, effect.id, Err(fault));
                }
            },
            EffectKind::Outside => self.asked.push(effect),
            EffectKind::Hook => {
                self.hook(&effect);
            }
        }
    }

    /// A hook of a test is answered at once. Whether what is true then has to be saved.
    pub(super) fn hook(&mut self, effect: &Effect) -> bool {
        let (outcome, saves) = self.host.hook(effect);
        if let (Ok(value), "test._answer_of") = (&outcome, effect.name.as_str()) {
            self.count_usage(value);
        }
        self.unsaved |= saves;
        self.machine.settle_now(effect.fiber, effect.id, outcome);
        saves
    }

    /// What a test observes cannot go on: the test is told what it asks, and goes on without it. Whether there is such.
    pub(super) fn leave_observed(&mut self) -> bool {
        let Some((observing, within)) = self.machine.observing() else { return false };
        let inside: BTreeSet<u32> = within.iter().copied().collect();
        let open = self.in_order().filter(|request| inside.contains(&request.waits.0));
        let open: Vec<Json> = open.map(|request| request.json.clone()).collect();
        let told = i64::try_from(self.next_seq.saturating_sub(1)).unwrap_or(i64::MAX);
        let requests = from_json(&Json::Array(open)).unwrap_or_default();
        let went = Value::record([("requests", requests), ("told", Value::Int(told))]).unwrap_or_default();
        self.machine.leave_observed(observing, &within, went);
        true
    }

    /// Adds the tokens that an answer of a model was made of.
    fn count_usage(&mut self, answer: &Value) {
        if let Some(usage) = answer.get("usage") {
            let tokens = |name| usage.get(name).and_then(Value::as_int).unwrap_or_default();
            self.machine.add_usage(tokens("input_tokens"), tokens("output_tokens"));
        }
    }

    /// Opens the request that an effect asks; one that is `new` is told and stored.
    pub(super) fn open_request(&mut self, effect: &Effect, new: bool) -> Result<(), Fault> {
        let request = Request::new(effect, &self.id, &self.image.program.types)?;
        if self.requests.contains_key(&request.id) {
            let message = format!("a request with the id `{}` is open already", request.id);
            return Err(Fault::new(Kind::Request, message));
        }
        self.closed.remove(&request.id);
        if new {
            self.tell(Event::RequestInfo(request.json.clone()));
            self.opened.insert(effect.id, request.id.clone());
        }
        if let Some(due) = request.due_at {
            self.timers.set(due, effect.id, effect.fiber);
        }
        self.host.asked(effect, &request, &self.machine);
        self.asking.insert(effect.id, request.id.clone());
        self.requests.insert(request.id.clone(), request);
        Ok(())
    }

    /// A durable effect leaves.
    pub(super) fn let_out(&mut self, effect: Effect) {
        if effect.kind() != EffectKind::Outside {
            return;
        }
        let (fiber, id) = (effect.fiber, effect.id);
        self.machine.let_out();
        let key = effect.key(&self.id);
        let sender = self.settled.0.clone();
        let performing = self.host.perform(effect, key);
        let call = tokio::spawn(async move {
            let outcome = performing.await;
            // Nobody listens when the run has stopped; it will ask again.
            let _ = sender.send(Settled { fiber, effect: id, outcome });
        });
        self.calls.insert(id, call.abort_handle());
    }

    /// An outcome came back.
    pub(super) fn settle(&mut self, settled: Settled) {
        if self.calls.remove(&settled.effect).is_none() {
            return;
        }
        if let Ok(value) = &settled.outcome {
            self.count_usage(value);
        }
        self.keep_recent(settled.fiber, settled.effect, &settled.outcome);
        self.unsaved |= self.machine.settle(settled.fiber, settled.effect, settled.outcome);
    }

    /// The moment of the next timer.
    pub(super) fn next_timer(&self) -> Option<Millis> {
        let timer = self.timers.first().map(|(moment, ..)| moment);
        timer.into_iter().chain(self.machine.next_deadline()).min()
    }

    /// Settles every timer whose moment has come, in order of their moments.
    pub(super) fn fire_timers(&mut self) {
        self.fire_timers_until(self.host.now());
    }

    /// Settles every timer that was due by `now`, and ends the attempts of steps that were to be over. What was due before
    /// takes effect before an attempt is ended.
    pub(super) fn fire_timers_until(&mut self, now: Millis) {
        loop {
            let timer = self.timers.first();
            let deadline = self.machine.next_deadline().filter(|due| *due <= now);
            if let Some(due) = deadline
                && timer.is_none_or(|(moment, ..)| due < moment)
            {
                if self.machine.can_run() && !self.computes {
                    break;
                }
                self.machine.time_out();
                self.unsaved = true;
                continue;
            }
            let Some((_, effect, fiber)) = timer.filter(|(moment, ..)| *moment <= now) else { break };
            self.timers.forget(effect);
            let outcome = match self.take_request(effect) {
                Some(request) => {
                    let outcome = request.timed_out();
                    self.tell(Event::RequestWithdrawn { id: request.id.clone() });
                    self.end_request(&request, RequestEnd::Withdrawn);
                    self.closed.insert(request.id, "is no longer open: its time is over");
                    outcome
                }
                None => Ok(Value::Null),
            };
            self.unsaved |= self.machine.settle(fiber, effect, outcome);
        }
    }

    /// The request that an effect asks, which is no longer open.
    pub(super) fn take_request(&mut self, effect: u64) -> Option<Request> {
        let id = self.asking.remove(&effect)?;
        self.requests.remove(&id)
    }

    /// Nobody waits any more for what the machine has cancelled: calls are ended, requests withdrawn, timers forgotten.
    pub(super) fn withdraw(&mut self) {
        let cancelled = self.machine.take_cancelled();
        if cancelled.is_empty() {
            return;
        }
        let effects: HashSet<u64> = cancelled.iter().map(|effect| effect.id).collect();
        self.asked.retain(|asked| !effects.contains(&asked.id));
        for queued in &mut self.queued {
            queued.forget(&effects);
        }
        // What was asked since the last checkpoint is not told of at all.
        let untold: HashSet<String> = effects.iter().filter_map(|effect| self.opened.get(effect).cloned()).collect();
        if !untold.is_empty() {
            self.told.retain(
                |event| !matches!(event, Event::RequestInfo(json) if json["id"].as_str().is_some_and(|id| untold.contains(id))),
            );
        }
        for effect in cancelled {
            if let Some(call) = self.calls.remove(&effect.id) {
                call.abort();
            }
            self.timers.forget(effect.id);
            if let Some(request) = self.take_request(effect.id) {
                if !untold.contains(&request.id) {
                    self.tell(Event::RequestWithdrawn { id: request.id.clone() });
                }
                self.end_request(&request, RequestEnd::Withdrawn);
            }
        }
    }
}
