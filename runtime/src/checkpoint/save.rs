//! Saving: one walk over what changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{HEAD, ROOT, SEGMENT, clock, ending, hold, more, origins, row, state, then};
use crate::{
    codec::{self, ChunkSink, Encoder, Writer, seal},
    effect::{Effect, Hold},
    machine::{Cancel, Clock, Counts, Delivered, Ending, Fiber, FiberState, Group, Machine, Scope, Then},
    store::FiberRow,
    value::{Str, Value},
};

/// The engine, as headers name it.
pub(crate) const ENGINE: &str = concat!("wf ", env!("CARGO_PKG_VERSION"));

/// Garbage is looked for when at least so many bytes of chunks were written since it was looked for last.
const MARK_AT_LEAST: u64 = 64 << 10;

/// A value that is looked at then is as much work as so many bytes that are written.
const LOOKED_AT: u64 = 16;

/// What one checkpoint adds to the store.
#[derive(Debug, Default)]
pub struct Rows {
    /// The sealed header.
    pub header: Vec<u8>,
    /// The rows of what changed.
    pub fibers: Vec<FiberRow>,
    /// The rows of what is gone.
    pub closed: Vec<(u32, i32)>,
    /// New chunks.
    pub chunks: Vec<(u64, Vec<u8>)>,
    /// Chunks that nothing names any more.
    pub dead: Vec<u64>,
}

/// What a run has saved so far.
pub struct Saver {
    tag: u64,
    code_hash: [u8; 32],
    next_chunk: u64,
    /// Chunks that were not found dead yet, with their sizes.
    known: BTreeMap<u64, u32>,
    known_bytes: u64,
    written: u64,
    /// How many bytes looking for garbage was worth the last time.
    walked: u64,
    chunks: Vec<(u64, Vec<u8>)>,
}

impl ChunkSink for Saver {
    fn write(&mut self, bytes: Vec<u8>) -> u64 {
        let id = self.next_chunk;
        self.next_chunk += 1;
        let size = bytes.len() as u64;
        self.written += size;
        self.known_bytes += size;
        self.known.insert(id, u32::try_from(size).unwrap_or(u32::MAX));
        self.chunks.push((id, bytes));
        id
    }

    fn run_tag(&self) -> u64 {
        self.tag
    }
}

impl Saver {
    /// Of a run that has saved nothing.
    pub fn new(code_hash: [u8; 32]) -> Self {
        Self::from(code_hash, 1)
    }

    pub(super) fn from(code_hash: [u8; 32], next_chunk: u64) -> Self {
        // What was saved for one run, or by one process, is not saved for another.
        static TAGS: AtomicU64 = AtomicU64::new(1);
        Self {
            tag: TAGS.fetch_add(1, Ordering::Relaxed),
            code_hash,
            next_chunk,
            known: BTreeMap::new(),
            known_bytes: 0,
            written: 0,
            walked: 0,
            chunks: Vec::new(),
        }
    }

    /// Passes over every number that checkpoints up to `last` may have given to chunks, for a run that goes on from an
    /// older one: a checkpoint has fewer than 2^24 chunks, since its live state is bounded.
    pub(crate) fn skip_used(&mut self, last: u64) {
        self.next_chunk = self.next_chunk.max((last + 1) << 24);
    }

    pub(super) fn tag(&self) -> u64 {
        self.tag
    }

    /// A chunk that was read.
    pub(super) fn know(&mut self, id: u64, size: usize) {
        if self.known.insert(id, u32::try_from(size).unwrap_or(u32::MAX)).is_none() {
            self.known_bytes += size as u64;
        }
    }

    /// Saves what changed since the last call as checkpoint `n`; `next_seq` is the number of the next event. From here
    /// on the machine counts as saved, so a checkpoint that is not written ends its run.
    pub fn save(&mut self, machine: &mut Machine, n: u64, next_seq: u64) -> Rows {
        let mut rows = Rows::default();
        for (fiber, segments) in std::mem::take(&mut machine.gone) {
            if segments > 0 {
                rows.closed.push((fiber, HEAD));
                rows.closed.extend((0..segments).map(|segment| (fiber, segment as i32)));
            }
        }
        if std::mem::take(&mut machine.root_changed) {
            rows.fibers.push(FiberRow { fiber: ROOT, segment: HEAD, data: self.root(machine) });
        }
        let mut fibers = std::mem::take(&mut machine.fibers);
        let changed = machine.turns.take_changed();
        rows.fibers.reserve(2 * changed.len());
        for id in changed {
            // One that has ended since is no longer there.
            if let Some(fiber) = fibers.get_mut(&id).filter(|fiber| fiber.ran) {
                self.fiber(machine, fiber, &mut rows);
            }
        }
        machine.fibers = fibers;
        if self.written >= MARK_AT_LEAST.max(2 * self.known_bytes.saturating_sub(self.written)).max(self.walked) {
            rows.dead = self.mark(machine);
        }
        rows.header = self.header(machine, n, next_seq);
        rows.chunks = std::mem::take(&mut self.chunks);
        machine.saved(n);
        rows
    }

    fn header(&self, machine: &Machine, n: u64, next_seq: u64) -> Vec<u8> {
        let mut out = Writer::new();
        out.block(ENGINE.as_bytes());
        out.raw(&self.code_hash);
        out.uint(n);
        for next in [u64::from(machine.next_fiber), machine.next_effect, self.next_chunk, next_seq] {
            out.uint(next);
        }
        out.int(machine.usage.0);
        out.int(machine.usage.1);
        out.uint(machine.fibers.len() as u64);
        out.int(machine.clock);
        // Here stood the turns of all that can run, up to version 0.1.0.
        out.size(0);
        seal(row::HEADER, out.as_slice())
    }

    fn root(&mut self, machine: &Machine) -> Vec<u8> {
        let mut out = Writer::new();
        let mut encoder = Encoder::new(self);
        for values in [&machine.globals, &machine.states] {
            out.size(values.len());
            values.iter().for_each(|value| encoder.value(value, &mut out));
        }
        out.size(machine.answered.len());
        for ((path, ordinal), count) in &machine.answered {
            out.block(path.as_bytes());
            out.uint(u64::from(*ordinal));
            out.uint(u64::from(*count));
        }
        out.uint(machine.left);
        origins::write(&machine.origins, &mut out);
        seal(row::ROOT, out.as_slice())
    }

    fn fiber(&mut self, machine: &Machine, fiber: &mut Fiber, rows: &mut Rows) {
        let id = fiber.id;
        let segments = fiber.frames.len().div_ceil(SEGMENT);
        rows.fibers.push(FiberRow { fiber: id, segment: HEAD, data: self.head(fiber) });
        // A fiber that only waits for others has a new head, and the frames that it had.
        let first = if fiber.low_water < fiber.frames.len() { fiber.low_water / SEGMENT } else { segments };
        for segment in first..segments {
            let data = self.frames(machine, fiber, segment);
            rows.fibers.push(FiberRow { fiber: id, segment: segment as i32, data });
        }
        rows.closed.extend((segments..fiber.saved_segments).map(|segment| (id, segment as i32)));
        fiber.saved_segments = segments;
        fiber.low_water = fiber.frames.len();
        fiber.ran = false;
    }

    fn head(&mut self, fiber: &Fiber) -> Vec<u8> {
        let mut out = Writer::new();
        let mut encoder = Encoder::new(self);
        match fiber.parent {
            None => out.bool(false),
            Some((parent, branch)) => {
                out.bool(true);
                out.uint(u64::from(parent));
                out.uint(u64::from(branch));
            }
        }
        encoder.text(&fiber.around.path, &mut out);
        optional(&mut out, fiber.around.workflow, |out, workflow| out.uint(u64::from(workflow)));
        optional(&mut out, fiber.around.step, |out, (step, attempt)| {
            out.uint(u64::from(step));
            out.uint(u64::from(attempt));
        });
        encoder.text(&fiber.around.step_path, &mut out);
        out.uint(u64::from(fiber.around.context));
        out.bool(fiber.around.own_context);
        out.size(fiber.frames.len());
        if let Some(own) = fiber.scopes.first() {
            scope(&mut encoder, own, &mut out);
        }
        match &fiber.state {
            FiberState::Ready(None) => out.byte(state::READY),
            FiberState::Ready(Some(Delivered::Value(value))) => {
                out.byte(state::VALUE);
                encoder.value(value, &mut out);
            }
            FiberState::Ready(Some(Delivered::Thrown(error))) => {
                out.byte(state::FAULT);
                encoder.value(error, &mut out);
            }
            FiberState::Waiting(effect) => {
                out.byte(state::WAITING);
                asked(&mut encoder, effect, &mut out);
            }
            FiberState::Joining(group) => {
                out.byte(state::JOINING);
                joined(&mut encoder, group, &mut out);
            }
        }
        out.size(fiber.cancels.len());
        fiber.cancels.iter().for_each(|cancel| cancelled(&mut encoder, cancel, &mut out));
        error(&mut encoder, fiber.left.as_ref(), &mut out);
        out.size(fiber.deadlines.len());
        for deadline in &fiber.deadlines {
            out.uint(u64::from(deadline.frame));
            out.int(deadline.limit);
            let (tag, moment) = match deadline.clock {
                Clock::Runs(due) => (clock::RUNS, due),
                Clock::Stands(left) => (clock::STANDS, left),
            };
            out.byte(tag);
            out.int(moment);
        }
        if matches!(fiber.state, FiberState::Ready(_)) {
            extension(&mut out, more::TURN, |out| out.int(fiber.turn));
        }
        seal(row::HEAD, out.as_slice())
    }

    fn frames(&mut self, machine: &Machine, fiber: &Fiber, segment: usize) -> Vec<u8> {
        let first = segment * SEGMENT;
        let last = (first + SEGMENT).min(fiber.frames.len());
        let mut out = Writer::new();
        let mut encoder = Encoder::new(self);
        out.size(last - first);
        for index in first..last {
            let frame = &fiber.frames[index];
            let function = machine.image.function(frame.function);
            let number = machine.safe_point_of(fiber, index).unwrap_or_default();
            let live = function.safe_points.get(number).map_or(&[][..], |point| point.live.as_slice());
            out.uint(u64::from(frame.function));
            out.size(number);
            out.size(live.len());
            // A slot that is not written before the call that the frame stands in has nothing: what is there belongs to the
            // frame above.
            let end = fiber.frames.get(index + 1).map_or(fiber.regs.len(), |above| above.base as usize);
            for reg in live {
                let at = frame.base as usize + usize::from(*reg);
                let value = fiber.regs.get(at).filter(|_| at < end).unwrap_or(&Value::Null);
                encoder.value(value, &mut out);
            }
        }
        let inside = fiber.scopes.iter().skip(1).filter(|scope| (first..last).contains(&(scope.frame as usize)));
        out.size(inside.clone().count());
        inside.for_each(|own| scope(&mut encoder, own, &mut out));
        seal(row::FRAMES, out.as_slice())
    }

    /// The chunks that the machine no longer names.
    fn mark(&mut self, machine: &Machine) -> Vec<u64> {
        let mut live = codec::LiveChunks::new(self.tag);
        self.walked = 0;
        machine.each_value(&mut |value| {
            self.walked += LOOKED_AT;
            live.mark(value);
        });
        let live: BTreeSet<u64> = live.into_ids().into_iter().collect();
        let dead: Vec<u64> = self.known.keys().copied().filter(|id| !live.contains(id)).collect();
        for id in &dead {
            let size = self.known.remove(id).unwrap_or_default();
            self.known_bytes = self.known_bytes.saturating_sub(u64::from(size));
        }
        self.written = 0;
        dead
    }
}

/// Something that a reader skips if it does not know it: what it is, and its length, stand before it.
fn extension(out: &mut Writer, what: u64, write: impl FnOnce(&mut Writer)) {
    let mut body = Writer::new();
    write(&mut body);
    out.uint(what);
    out.block(body.as_slice());
}

fn optional<T>(out: &mut Writer, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
    out.bool(value.is_some());
    if let Some(value) = value {
        write(out, value);
    }
}

fn scope(encoder: &mut Encoder<'_>, scope: &Scope, out: &mut Writer) {
    out.uint(u64::from(scope.frame));
    out.uint(u64::from(scope.function));
    encoder.text(&scope.name, out);
    out.uint(u64::from(scope.index));
    out.uint(u64::from(scope.attempt));
    counts(&scope.counts, out);
    optional(out, scope.before.as_deref(), |out, before| counts(before, out));
}

fn counts(counts: &Counts, out: &mut Writer) {
    out.uint(u64::from(counts.asks));
    out.size(counts.calls.len());
    for (declaration, count) in &counts.calls {
        out.uint(u64::from(*declaration));
        out.uint(u64::from(*count));
    }
}

fn asked(encoder: &mut Encoder<'_>, effect: &Effect, out: &mut Writer) {
    out.uint(effect.id);
    encoder.text(&effect.name, out);
    encoder.text(&effect.path, out);
    out.uint(u64::from(effect.ordinal));
    out.uint(u64::from(effect.generation));
    encoder.text(effect.step.as_ref().unwrap_or(&Str::default()), out);
    out.size(effect.args.len());
    effect.args.iter().for_each(|arg| encoder.value(arg, out));
    match &effect.hold {
        Hold::No => out.byte(hold::NO),
        Hold::Kept => out.byte(hold::KEPT),
        Hold::Asks(question) => {
            out.byte(hold::ASKS);
            encoder.value(&question.data, out);
            encoder.value(&Value::Type(question.answer), out);
            out.int(question.asked_at);
        }
    }
}

fn joined(encoder: &mut Encoder<'_>, group: &Group, out: &mut Writer) {
    for value in [&group.items, &group.each, &group.results] {
        encoder.value(value, out);
    }
    for number in [group.total, group.started, group.ended, group.limit, group.wanted] {
        out.uint(u64::from(number));
    }
    encoder.text(&group.path, out);
    match &group.ending {
        None => out.byte(ending::NONE),
        Some(Ending::Results) => out.byte(ending::RESULTS),
        Some(Ending::Error(error)) => {
            out.byte(ending::ERROR);
            encoder.value(error, out);
        }
        Some(Ending::Cancelled) => out.byte(ending::CANCELLED),
    }
    error(encoder, group.left.as_ref(), out);
}

fn cancelled(encoder: &mut Encoder<'_>, cancel: &Cancel, out: &mut Writer) {
    out.uint(u64::from(cancel.to));
    let (tag, value) = match &cancel.then {
        Then::End => (then::END, None),
        Then::Throw(error) => (then::THROW, Some(error)),
        Then::Give(value) => (then::GIVE, Some(value)),
    };
    out.byte(tag);
    value.into_iter().for_each(|value| encoder.value(value, out));
}

fn error(encoder: &mut Encoder<'_>, error: Option<&Value>, out: &mut Writer) {
    out.bool(error.is_some());
    error.into_iter().for_each(|error| encoder.value(error, out));
}

impl Machine {
    /// The number of the safe point at which a frame stands.
    pub(crate) fn safe_point_of(&self, fiber: &Fiber, index: usize) -> Option<usize> {
        let frame = fiber.frames.get(index)?;
        let function = self.image.function(frame.function);
        let top = index + 1 == fiber.frames.len();
        if top && matches!(fiber.state, FiberState::Ready(None)) {
            if frame.pc == 0 {
                return Some(0);
            }
            if function.code.get(frame.pc as usize).is_some_and(|op| op.ends_round()) {
                return function.safe_point(frame.pc);
            }
        }
        function.safe_point(frame.pc.checked_sub(1)?)
    }

    /// Every value that the run can still reach from its rows.
    pub(crate) fn each_value(&self, visit: &mut dyn FnMut(&Value)) {
        self.globals.iter().chain(&self.states).for_each(&mut *visit);
        self.fibers.values().for_each(|fiber| self.each_value_of(fiber, visit));
    }

    /// Those of one fiber.
    pub(crate) fn each_value_of(&self, fiber: &Fiber, visit: &mut dyn FnMut(&Value)) {
        for index in 0..fiber.frames.len() {
            let frame = &fiber.frames[index];
            let function = self.image.function(frame.function);
            let point = self.safe_point_of(fiber, index).and_then(|number| function.safe_points.get(number));
            for reg in point.map_or(&[][..], |point| point.live.as_slice()) {
                if let Some(value) = fiber.regs.get(frame.base as usize + usize::from(*reg)) {
                    visit(value);
                }
            }
        }
        let texts = [&fiber.around.path, &fiber.around.step_path];
        texts.into_iter().chain(fiber.scopes.iter().map(|scope| &scope.name)).for_each(|text| {
            visit(&Value::Str(text.clone()));
        });
        match &fiber.state {
            FiberState::Ready(Some(Delivered::Value(value) | Delivered::Thrown(value))) => visit(value),
            FiberState::Ready(None) => {}
            FiberState::Waiting(effect) => {
                effect.args.iter().for_each(&mut *visit);
                visit(&Value::Str(effect.path.clone()));
                effect.step.iter().for_each(|step| visit(&Value::Str(step.clone())));
                if let Hold::Asks(question) = &effect.hold {
                    visit(&question.data);
                }
            }
            FiberState::Joining(group) => {
                visit(&group.items);
                visit(&group.each);
                visit(&group.results);
                visit(&Value::Str(group.path.clone()));
                if let Some(Ending::Error(error)) = &group.ending {
                    visit(error);
                }
                group.left.iter().for_each(&mut *visit);
            }
        }
        fiber.left.iter().for_each(&mut *visit);
        for cancel in &fiber.cancels {
            if let Then::Throw(value) | Then::Give(value) = &cancel.then {
                visit(value);
            }
        }
    }
}
