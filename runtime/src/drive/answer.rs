//! Answers of people: given here, or recorded in the store by another process.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Run, aside};
use crate::{
    event::Event,
    machine::Decided,
    request::Request,
    store::{Answered, OpenRequest, RequestEnd, StoreError},
};

impl Run {
    /// The open requests as they are published, oldest first.
    pub fn open_requests(&self) -> Vec<Json> {
        self.open_requests_of(|_| true)
    }

    /// Those of some fibers.
    pub(super) fn open_requests_of(&self, of: impl Fn(u32) -> bool) -> Vec<Json> {
        self.in_order().filter(|request| of(request.waits.0)).map(|request| request.json.clone()).collect()
    }

    /// The open requests, oldest first.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Request> {
        let mut open: Vec<_> = self.requests.values().collect();
        open.sort_by_key(|request| (request.asked_at, request.waits.1));
        open.into_iter()
    }

    /// Gives an answer before the run is driven.
    ///
    /// # Errors
    /// Why it does not fit; the request is still open.
    pub fn respond(&mut self, id: &str, answer: &Json) -> Result<(), String> {
        self.fire_timers();
        if !self.requests.contains_key(id) && !self.closed.contains_key(id) {
            // One that was closed by an earlier process; the store knows how, and records nothing for it.
            return Err(match self.store.answer(&self.id, id, &answer.to_string(), self.host.now()) {
                Ok(Answered::Refused(reason)) => reason,
                Ok(Answered::Recorded) | Err(_) => self.not_open(id),
            });
        }
        self.answer(id, answer)
    }

    fn not_open(&self, id: &str) -> String {
        match self.closed.get(id) {
            Some(how) => format!("the request `{id}` {how}"),
            None => format!("the request `{id}` is not open"),
        }
    }

    /// Gives the run up without driving it; nothing of it was changed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn give_up(self) -> Result<(), StoreError> {
        self.store.release(&self.id, self.epoch)
    }

    /// Takes an answer that the host has brought; one for a request that was withdrawn meanwhile is late.
    pub(super) fn brought(&mut self, id: &str, answer: &Json) {
        if self.requests.contains_key(id)
            && let Err(reason) = self.answer(id, answer)
        {
            self.host.refused(id, &reason);
        }
    }

    /// Takes an answer, or says why not; a refused request is still open.
    pub(super) fn answer(&mut self, id: &str, answer: &Json) -> Result<(), String> {
        let Some(request) = self.requests.get(id) else { return Err(self.not_open(id)) };
        let value = request.read(&self.image.program.types, answer)?;
        let (fiber, effect) = request.waits;
        self.timers.forget(effect);
        self.tell(Event::Response { id: id.to_owned(), value: answer.clone() });
        if let Some(request) = self.take_request(effect) {
            self.end_request(&request, RequestEnd::Answered);
        }
        match self.machine.decide(fiber, effect, &value) {
            Decided::NotAsked => drop(self.machine.settle(fiber, effect, Ok(value))),
            Decided::Taken => {}
            Decided::Again(call) => self.asked.push(call),
        }
        Ok(())
    }

    /// Takes or refuses what other processes have recorded, in order of time.
    pub(super) async fn take_recorded(&mut self) -> Result<(), StoreError> {
        // While the store does not know of an answer that was taken, the recorded one it shows may be that.
        let unknown = !self.ended.is_empty() || self.queued.iter().any(|queued| queued.ends_requests);
        if self.requests.is_empty() || unknown {
            return Ok(());
        }
        let (store, id) = (Arc::clone(&self.store), Arc::clone(&self.id));
        let open = aside(move || store.requests(Some(&id))).await?;
        self.apply_recorded(open);
        Ok(())
    }

    /// Takes or refuses recorded answers, each after the timers that were due before it was given.
    pub(super) fn apply_recorded(&mut self, open: Vec<OpenRequest>) {
        let mut recorded: Vec<_> = open
            .into_iter()
            .filter_map(|open| open.recorded.map(|answer| (answer.at, open.request.id, answer.value)))
            .collect();
        recorded.sort();
        for (at, id, text) in recorded {
            self.fire_timers_until(at);
            let answer = serde_json::from_str(&text).unwrap_or(Json::Null);
            if self.requests.contains_key(&id)
                && !self.ended.iter().any(|(ended, _)| *ended == id)
                && self.answer(&id, &answer).is_err()
            {
                self.ended.push((id, RequestEnd::Refused));
                self.unsaved = true;
            }
        }
    }
}
