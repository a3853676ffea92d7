//! The rows of one run in memory.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
    sync::Arc,
};

use crate::store::{
    Answered, Delta, EventBatch, FiberRow, Kept, Millis, OpenRequest, RecordedAnswer, RequestEnd, RequestRow,
    RunRecord, Saved, StoreError, rules,
};

/// Checkpoints that a row belongs to: from `since` until before `until`, `None` while it is open.
#[derive(Debug)]
struct Row {
    since: u64,
    until: Option<u64>,
    data: Arc<[u8]>,
}

impl Row {
    fn holds(&self, n: u64) -> bool {
        self.since <= n && self.until.is_none_or(|until| n < until)
    }

    fn close(&mut self, n: u64) {
        self.until.get_or_insert(n);
    }
}

#[derive(Debug)]
pub(super) struct Checkpoint {
    header: Vec<u8>,
    pinned: bool,
}

#[derive(Debug)]
struct Request {
    row: RequestRow,
    state: &'static str,
    recorded: Option<RecordedAnswer>,
    notified: bool,
    entered: u64,
    /// The checkpoint at which it was answered or withdrawn.
    settled: Option<u64>,
}

impl Request {
    fn is_open(&self) -> bool {
        matches!(self.state, "open" | "recorded")
    }
}

/// A run and its rows.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) record: RunRecord,
    pub(super) entered: u64,
    pub(super) checkpoints: BTreeMap<u64, Checkpoint>,
    fibers: BTreeMap<(u32, i32), Vec<Row>>,
    chunks: BTreeMap<u64, Row>,
    /// With the checkpoint that they belong to.
    events: VecDeque<(u64, EventBatch)>,
    /// The code from each of these checkpoints on.
    codes: BTreeMap<u64, [u8; 32]>,
    requests: BTreeMap<String, Request>,
    /// Somebody asked for it to be cancelled.
    pub(super) cancel: bool,
    floor: u64,
    /// Below this one, only what is pinned is left.
    pruned: u64,
    /// What was closed at each checkpoint that the floor has not come to.
    closed: BTreeMap<u64, Vec<Closed>>,
}

/// A row that was closed.
#[derive(Clone, Copy, Debug)]
enum Closed {
    Fiber(u32, i32),
    Chunk(u64),
}

impl Run {
    pub(super) fn new(record: RunRecord, entered: u64) -> Self {
        let codes = BTreeMap::from([(0, record.code_hash)]);
        Run {
            record,
            codes,
            entered,
            checkpoints: BTreeMap::new(),
            fibers: BTreeMap::new(),
            chunks: BTreeMap::new(),
            events: VecDeque::new(),
            requests: BTreeMap::new(),
            cancel: false,
            floor: 0,
            pruned: 0,
            closed: BTreeMap::new(),
        }
    }

    /// Writes a delta that was checked; `entered` counts what is opened in it.
    pub(super) fn apply(&mut self, delta: Delta, entered: u64) -> Result<(), StoreError> {
        let mut ids = BTreeSet::new();
        if let Some((id, _)) = delta.chunks.iter().find(|(id, _)| self.chunks.contains_key(id) || !ids.insert(*id)) {
            return Err(rules::chunk_again(*id));
        }
        self.events.extend(delta.told().map(|batch| (delta.n, batch.clone())));
        if let Some(moved) = &delta.moved {
            self.codes.insert(delta.n, moved.code_hash);
            self.record.code_hash = moved.code_hash;
        }
        self.close(&delta);
        let before = self.floor;
        self.stand(&delta);
        let Delta { n, header, pinned, pins, fibers, chunks, opened, .. } = delta;
        self.checkpoints.insert(n, Checkpoint { header, pinned });
        for pin in pins {
            self.checkpoints.entry(pin).and_modify(|checkpoint| checkpoint.pinned = true);
        }
        for FiberRow { fiber, segment, data } in fibers {
            let rows = self.fibers.entry((fiber, segment)).or_default();
            if rows.last().is_some_and(|row| row.since >= n) {
                rows.pop();
            }
            rows.push(Row { since: n, until: None, data: data.into() });
        }
        for (id, data) in chunks {
            self.chunks.insert(id, Row { since: n, until: None, data: data.into() });
        }
        for (row, entered) in opened.into_iter().zip(entered + 1..) {
            self.open(row, entered);
        }
        if self.floor > before {
            self.prune();
        }
        Ok(())
    }

    fn close(&mut self, delta: &Delta) {
        let written = delta.fibers.iter().map(|row| (row.fiber, row.segment));
        let (fibers, chunks): (Vec<_>, Vec<_>) = match delta.reset {
            true => (self.fibers.keys().copied().collect(), self.chunks.keys().copied().collect()),
            false => (delta.closed.iter().copied().chain(written).collect(), delta.dead.clone()),
        };
        let closed = self.closed.entry(delta.n).or_default();
        for (fiber, segment) in fibers {
            // Only the last of them can be open.
            if let Some(row) = self.fibers.get_mut(&(fiber, segment)).and_then(|rows| rows.last_mut()) {
                row.close(delta.n);
                closed.push(Closed::Fiber(fiber, segment));
            }
        }
        for id in chunks {
            if let Some(row) = self.chunks.get_mut(&id) {
                row.close(delta.n);
                closed.push(Closed::Chunk(id));
            }
        }
    }

    fn stand(&mut self, delta: &Delta) {
        self.record.status = delta.status;
        self.cancel &= !delta.status.has_ended();
        self.record.updated_at = delta.time;
        self.record.last_checkpoint = delta.n;
        self.record.last_seq = rules::last_seq(delta, self.record.last_seq);
        self.record.wake_at = delta.wake_at;
        if delta.result.is_some() {
            self.record.result.clone_from(&delta.result);
        }
        self.floor = rules::floor(delta, self.floor);
        for (id, end) in &delta.settled {
            let Some(request) = self.requests.get_mut(id) else { continue };
            if *end != RequestEnd::Refused {
                request.settled = Some(delta.n);
            }
            match end {
                RequestEnd::Answered => request.state = "answered",
                RequestEnd::Withdrawn => request.state = "withdrawn",
                RequestEnd::Refused if request.state == "recorded" => {
                    request.state = "open";
                    request.recorded = None;
                }
                RequestEnd::Refused => {}
            }
        }
    }

    /// One that is open already keeps its recorded answer: it is the same question, asked again by a resumed run.
    fn open(&mut self, row: RequestRow, entered: u64) {
        match self.requests.get_mut(&row.id) {
            Some(known) => {
                known.notified &= known.is_open() && known.row.asked_at == row.asked_at;
                known.row = row;
                known.settled = None;
                if known.state != "recorded" {
                    known.state = "open";
                    known.recorded = None;
                }
            }
            None => {
                self.requests.insert(
                    row.id.clone(),
                    Request { row, state: "open", recorded: None, notified: false, entered, settled: None },
                );
            }
        }
    }

    /// The run as it is asked for, with what it weighs.
    pub(super) fn record(&self) -> RunRecord {
        let rows = self.fibers.values().flatten().chain(self.chunks.values()).map(|row| row.data.len());
        let headers = self.checkpoints.values().map(|checkpoint| checkpoint.header.len());
        let events = self.events.iter().map(|(_, batch)| batch.lines.len());
        let requests = self.requests.values().map(|request| {
            request.row.json.len() + request.recorded.as_ref().map_or(0, |recorded| recorded.value.len())
        });
        let given = self.record.input.len() + self.record.settings.len();
        let result = self.record.result.as_ref().map_or(0, String::len);
        let bytes = rows.chain(headers).chain(events).chain(requests).sum::<usize>() + given + result;
        RunRecord { bytes: bytes as u64, ..self.record.clone() }
    }

    /// Deletes what only checkpoints below the floor needed. Only what was closed since the floor was last moved is
    /// looked at: what is pinned below it stays so.
    fn prune(&mut self) {
        let floor = self.floor;
        let later = self.closed.split_off(&floor.saturating_add(1));
        let closed = std::mem::replace(&mut self.closed, later);
        let told = rules::told_floor(self.record.last_checkpoint, floor);
        while self.events.front().is_some_and(|(n, _)| *n < told) {
            self.events.pop_front();
        }
        self.requests.retain(|_, request| request.settled.is_none_or(|n| n >= told));
        if closed.is_empty() && self.checkpoints.first_key_value().is_none_or(|(n, _)| *n >= floor) {
            return;
        }
        let below: Vec<u64> = self.checkpoints.range(self.pruned..floor).map(|(n, _)| *n).collect();
        for n in below {
            if self.checkpoints.get(&n).is_some_and(|checkpoint| !checkpoint.pinned) {
                self.checkpoints.remove(&n);
            }
        }
        // What was closed until here was looked at before: what stayed is needed by a pinned checkpoint.
        let before = self.pruned;
        self.pruned = before.max(floor);
        let checkpoints = &self.checkpoints;
        let needed = |row: &Row| match row.until {
            Some(until) if until <= floor => checkpoints.range(row.since..until).next().is_some(),
            _ => true,
        };
        for row in closed.into_values().flatten() {
            match row {
                Closed::Fiber(fiber, segment) => {
                    if let Entry::Occupied(mut rows) = self.fibers.entry((fiber, segment)) {
                        let decided = |row: &Row| row.until.is_some_and(|until| until <= before);
                        let first = rows.get().partition_point(decided);
                        let open = rows.get_mut().split_off(first);
                        rows.get_mut().extend(open.into_iter().filter(&needed));
                        if rows.get().is_empty() {
                            rows.remove();
                        }
                    }
                }
                Closed::Chunk(id) => {
                    if self.chunks.get(&id).is_some_and(|row| !needed(row)) {
                        self.chunks.remove(&id);
                    }
                }
            }
        }
    }

    pub(super) fn answer(&mut self, id: &str, value: &str, now: Millis) -> Answered {
        let request = self.requests.get_mut(id);
        if let Some(reason) = rules::refuse_answer(id, request.as_deref().map(|request| request.state)) {
            return Answered::Refused(reason);
        }
        if let Some(request) = request {
            request.state = "recorded";
            request.recorded = Some(RecordedAnswer { value: value.to_owned(), at: now });
        }
        Answered::Recorded
    }

    pub(super) fn notified(&mut self, id: &str) {
        if let Some(request) = self.requests.get_mut(id) {
            request.notified = true;
        }
    }

    /// The rows of one checkpoint, with the chunks that it may name.
    #[expect(clippy::type_complexity, reason = "two results of one look at the run")]
    pub(super) fn checkpoint(&self, at: Option<u64>) -> Result<Option<(Saved, BTreeMap<u64, Arc<[u8]>>)>, StoreError> {
        let last = self.record.last_checkpoint;
        let n = at.unwrap_or(last);
        if last == 0 {
            return Ok(None);
        }
        let Some(checkpoint) = self.checkpoints.get(&n) else {
            return Err(StoreError::NoCheckpoint { asked: n, nearest: self.nearest(n) });
        };
        let row = |(&(fiber, segment), rows): (&(u32, i32), &Vec<Row>)| {
            let row = rows.iter().find(|row| row.holds(n))?;
            Some(FiberRow { fiber, segment, data: row.data.to_vec() })
        };
        let fibers = self.fibers.iter().filter_map(row).collect();
        let chunks = self.chunks.iter().filter(|(_, row)| row.holds(n));
        let chunks = chunks.map(|(id, row)| (*id, row.data.clone())).collect();
        Ok(Some((Saved { n, header: checkpoint.header.clone(), fibers }, chunks)))
    }

    fn nearest(&self, n: u64) -> Vec<u64> {
        let below = self.checkpoints.range(..n).next_back();
        let above = self.checkpoints.range(n..).next();
        below.into_iter().chain(above).map(|(n, _)| *n).collect()
    }

    pub(super) fn open_requests(&self) -> impl Iterator<Item = (u64, OpenRequest)> {
        self.requests.values().filter(|request| request.is_open()).map(|request| {
            let open = OpenRequest {
                run: self.record.id.clone(),
                workflow: self.record.workflow.clone(),
                request: request.row.clone(),
                notified: request.notified,
                recorded: request.recorded.clone(),
            };
            (request.entered, open)
        })
    }

    pub(super) fn events_after(&self, after: u64) -> Vec<EventBatch> {
        let last = |batch: &EventBatch| batch.first_seq.saturating_add(batch.count).saturating_sub(1);
        self.events.iter().map(|(_, batch)| batch).filter(|batch| last(batch) > after).cloned().collect()
    }

    pub(super) fn told(&self, from: u64, to: u64) -> Vec<(u64, EventBatch)> {
        self.events.iter().filter(|(n, _)| (from..=to).contains(n)).cloned().collect()
    }

    pub(super) fn code_at(&self, at: u64) -> [u8; 32] {
        self.codes.range(..=at).next_back().map_or(self.record.code_hash, |(_, hash)| *hash)
    }

    pub(super) fn kept(&self) -> Option<Kept> {
        let (first, last) = (self.checkpoints.first_key_value()?, self.checkpoints.last_key_value()?);
        Some(Kept { first: *first.0, last: *last.0, count: self.checkpoints.len() as u64 })
    }
}
