//! One delta for all that changed, and what leaves when it is durable.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};

use super::{Run, Sink};
use crate::{
    effect::{Effect, Hold},
    event::Event,
    json::time_text,
    request::Request,
    store::{Delta, EventBatch, Receipt, RequestEnd, RunStatus, StoreError},
};

/// The floor moves in steps, so that cleaning up costs little.
const FLOOR_STEP: u64 = 64;

/// About as long as the line of an event gets.
const LINE: usize = 256;

/// How many open requests the event lists that says that a run is paused.
const MOST_LISTED: usize = 100;

/// After this time the event that a run was resumed is worth a checkpoint of its own.
const TELL_RESUMED: Duration = Duration::from_secs(2);

/// A delta that is not durable yet, and what leaves when it is.
pub(super) struct Queued {
    receipt: Receipt,
    effects: Vec<Effect>,
    /// Requests that it opens.
    opened: Vec<String>,
    events: Told,
    replies: Vec<Reply>,
    /// It ends requests, so until it is durable the store does not know that they have an answer.
    pub(super) ends_requests: bool,
}

/// Events of one commit. As JSON they take several times as much memory, so each is made into JSON when it is shown.
struct Told {
    events: Vec<Event>,
    first_seq: u64,
    time: String,
}

/// Where whoever gave an answer learns what became of it.
pub(super) type Reply = tokio::sync::oneshot::Sender<Result<(), String>>;

impl Queued {
    /// Effects that nobody waits for any more do not leave.
    pub(super) fn forget(&mut self, effects: &HashSet<u64>) {
        self.effects.retain(|asked| !effects.contains(&asked.id));
    }
}

/// Waits for the first delta to become durable.
pub(super) async fn first(queued: &mut VecDeque<Queued>) -> Result<(), StoreError> {
    match queued.front_mut() {
        Some(queued) => (&mut queued.receipt).await,
        None => std::future::pending().await,
    }
}

/// How a run stands when it is saved.
pub(super) struct Standing {
    pub(super) status: RunStatus,
    /// Only answers and timers move it on.
    pub(super) pauses: bool,
    pub(super) pinned: bool,
    pub(super) result: Option<Json>,
    /// Earlier checkpoints that are kept from now on.
    pub(super) pins: Vec<u64>,
}

impl Run {
    /// Queues a delta if anything has changed that others may learn of, or that was paid for.
    pub(super) async fn commit_if_needed(&mut self, sink: &mut dyn Sink) -> Result<(), StoreError> {
        let changed = self.unsaved
            || self.machine.has_news()
            || !self.asked.is_empty()
            || self.has_told()
            || !self.opened.is_empty()
            || !self.ended.is_empty();
        if !changed {
            return Ok(());
        }
        let pauses = self.waits_for_people_only();
        if pauses {
            self.tell_paused();
        }
        self.commit(
            Standing {
                status: self.status(pauses),
                pauses,
                pinned: pauses || self.n == 0,
                result: None,
                pins: Vec::new(),
            },
            sink,
        )
        .await
    }

    /// Whether something was told that is worth a checkpoint. That a process has taken the run is not, for a while: it
    /// shares one with the first thing that happens, so that every write of a run gets it further.
    fn has_told(&self) -> bool {
        self.told.iter().any(|event| !matches!(event, Event::Resumed) || self.started.elapsed() > TELL_RESUMED)
    }

    /// Queues a delta for all that changed.
    pub(super) async fn commit(&mut self, standing: Standing, sink: &mut dyn Sink) -> Result<(), StoreError> {
        while self.queued.len() >= super::QUEUED {
            first(&mut self.queued).await?;
            self.release_first(sink);
        }
        let now = self.host.now();
        self.machine.keep_time(now);
        let time = time_text(now);
        self.take_told();
        let told = std::mem::take(&mut self.told);
        let first_seq = self.next_seq;
        self.next_seq += told.len() as u64;
        if self.recent.drain(..).any(|came| came.outcome.is_ok()) {
            self.machine.lacks_results();
        }
        self.n += 1;
        let rows = self.saver.save(&mut self.machine, self.n, self.next_seq);
        if let Some(keep) = self.options.keep
            && self.n.saturating_sub(keep) >= self.floor + FLOOR_STEP
        {
            self.floor = self.n - keep;
        }
        let opened = std::mem::take(&mut self.opened);
        let settled = std::mem::take(&mut self.ended);
        let ends_requests = !settled.is_empty();
        // A run that goes on from an older checkpoint has not come to the end that it had.
        let result = standing.result.or_else(|| self.reset.then_some(Json::Null));
        let delta = Delta {
            n: self.n,
            time: now,
            header: rows.header,
            pinned: standing.pinned,
            pins: standing.pins,
            fibers: rows.fibers,
            closed: rows.closed,
            chunks: rows.chunks,
            dead: rows.dead,
            reset: std::mem::take(&mut self.reset),
            floor: self.floor,
            events: self.batch(first_seq, &told, &time),
            opened: opened.values().filter_map(|id| self.requests.get(id)).map(Request::row).collect(),
            settled,
            status: standing.status,
            wake_at: self.next_timer().filter(|_| !standing.status.has_ended()),
            result: result.map(|result| result.to_string()),
            moved: self.moves.take(),
        };
        self.paused = standing.pauses;
        self.unsaved = false;
        self.last_commit = Instant::now();
        let receipt = self.store.commit(&self.id, self.epoch, delta);
        let (effects, replies) = (std::mem::take(&mut self.asked), std::mem::take(&mut self.replies));
        let events = Told { events: told, first_seq, time };
        let opened = opened.into_values().collect();
        self.queued.push_back(Queued { receipt, effects, opened, events, replies, ends_requests });
        Ok(())
    }

    fn batch(&self, first_seq: u64, events: &[Event], time: &str) -> Option<EventBatch> {
        if events.is_empty() {
            return None;
        }
        // Doubled as it grows, the text of very many events would be there twice. What is not written to takes no memory.
        let mut lines = String::with_capacity(events.len().saturating_mul(LINE));
        for (event, seq) in events.iter().zip(first_seq..) {
            event.write_line(&self.id, seq, time, &mut lines);
        }
        Some(EventBatch { first_seq, count: events.len() as u64, lines })
    }

    /// The first delta is durable: its effects leave and its events are shown.
    pub(super) fn release_first(&mut self, sink: &mut dyn Sink) {
        let Some(durable) = self.queued.pop_front() else { return };
        let Told { events, first_seq, time } = durable.events;
        for (event, seq) in events.iter().zip(first_seq..) {
            self.listening = self.listening && sink.event(&event.to_json(&self.id, seq, &time));
        }
        for reply in durable.replies {
            // Who gave the answer may be gone.
            let _ = reply.send(Ok(()));
        }
        for effect in durable.effects {
            self.let_out(effect);
        }
        for request in durable.opened {
            self.tell_of(&request);
        }
    }

    /// Nothing leaves any more. What was asked is in the checkpoint, which says that it has not left, and will be asked
    /// again.
    pub(super) fn keep_in(&mut self) {
        let queued = self.queued.iter_mut().flat_map(|queued| std::mem::take(&mut queued.effects));
        let kept: Vec<Effect> = queued.chain(std::mem::take(&mut self.asked)).collect();
        self.unsaved |= !kept.is_empty();
        for effect in kept {
            self.machine.hold(effect.fiber, effect.id, Hold::Kept);
        }
    }

    /// Lets out what is durable by now, without waiting.
    pub(super) fn release_durable(&mut self, sink: &mut dyn Sink) -> Result<(), StoreError> {
        use std::task::{Context, Poll, Waker};
        while let Some(queued) = self.queued.front_mut() {
            match queued.receipt.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(durable) => {
                    durable?;
                    self.release_first(sink);
                }
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Waits until everything that was queued is durable.
    pub(super) async fn drain(&mut self, sink: &mut dyn Sink) -> Result<(), StoreError> {
        while !self.queued.is_empty() {
            first(&mut self.queued).await?;
            self.release_first(sink);
        }
        Ok(())
    }

    /// Whether nothing is under way, and requests are open.
    pub(super) fn waits_for_people_only(&self) -> bool {
        !self.requests.is_empty() && self.nothing_under_way() && !self.machine.can_run()
    }

    /// Whether only answers and timers can move the run on, and nothing waits to be saved.
    pub(super) fn is_idle(&self) -> bool {
        self.nothing_under_way() && self.queued.is_empty() && !self.machine.can_run()
    }

    /// Whether nothing can go on but by answers and timers.
    pub(super) fn nothing_under_way(&self) -> bool {
        self.calls.is_empty() && self.asked.is_empty() && self.queued.iter().all(|queued| queued.effects.is_empty())
    }

    /// Tells that only answers and timers move the run on, unless that was the last thing that was told.
    pub(super) fn tell_paused(&mut self) {
        // A run with very many pauses again after each answer, and does not list them all each time.
        let open = self.requests.len();
        let requests = match open <= MOST_LISTED {
            true => self.in_order().map(|request| request.id.clone()).collect(),
            false => self.asking.values().take(MOST_LISTED).cloned().collect(),
        };
        let told = (requests, open, self.next_timer());
        if self.paused && self.told_paused.as_ref() == Some(&told) {
            return;
        }
        self.tell(Event::Paused { requests: told.0.clone(), open, wake_at: told.2.map(time_text) });
        self.told_paused = Some(told);
    }

    /// A request is no longer open.
    pub(super) fn end_request(&mut self, request: &Request, end: RequestEnd) {
        match self.opened.remove(&request.waits.1) {
            // One that was never saved as open needs no end.
            Some(_) => self.close(&request.id, end),
            None => self.end_stored(&request.id, end),
        }
    }

    /// The same for one that the store has as open.
    pub(super) fn end_stored(&mut self, id: &str, end: RequestEnd) {
        self.close(id, end);
        self.ended.push((id.to_owned(), end));
    }

    fn close(&mut self, id: &str, end: RequestEnd) {
        self.tell_no_more(id);
        let how = match end {
            RequestEnd::Answered => "is answered already",
            RequestEnd::Withdrawn | RequestEnd::Refused => "was withdrawn",
        };
        self.closed.insert(id.to_owned(), how);
        self.unsaved = true;
    }
}

/// What is stored, and shown, of how a run ended.
pub(super) fn result(output: Json, state: Json, error: Json, usage: Json) -> Json {
    json!({ "output": output, "state": state, "error": error, "usage": usage })
}
