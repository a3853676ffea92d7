//! Loading: the rows of one checkpoint become a machine, with every index checked.

use std::{collections::BTreeMap, sync::Arc};

use wf_lang::program::{FunctionId, Op};

use super::{HEAD, Header, ROOT, SEGMENT, check, clock, ending, hold, more, origins, row, save::Saver, state, then};
use crate::{
    codec::{ChunkSource, DecodeError, Decoder, Reader, open},
    effect::{Effect, Hold, Question},
    machine::{
        Around, Cancel, Clock, Counts, Deadline, Delivered, Ending, Fiber, FiberState, Frame, Group, Image, MAX_FRAMES,
        Machine, Scope, Then, path, result_register,
    },
    store::{Chunks, FiberRow, RunId, Saved, StoreError},
    value::Value,
};

/// Why a checkpoint could not become a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// A row does not hold what was written.
    Damaged {
        /// Which.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store could not be read.
    Store(StoreError),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Damaged { row, reason } => write!(f, "{row} is damaged: {reason}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

type Result<T> = std::result::Result<T, LoadError>;

/// Makes a machine of the rows of one checkpoint. With `fresh`, nothing counts as saved: everything is written anew by
/// the next checkpoint, as it must be when the run goes on from an older one.
///
/// # Errors
/// The first row that does not hold what was written.
pub fn load(
    image: &Arc<Image>,
    run: RunId,
    code_hash: [u8; 32],
    saved: &Saved,
    chunks: &mut dyn Chunks,
    fresh: bool,
) -> Result<(Machine, Saver, Header)> {
    let name = format!("checkpoint {}", saved.n);
    let header = row(&name, || header(&saved.header))?;
    if header.code_hash != code_hash || header.n != saved.n {
        return Err(damaged(&name, "it belongs to another run"));
    }
    let mut saver = Saver::from(code_hash, header.next[2]);
    let mut machine = Machine::empty(Arc::clone(image), run);
    machine.next_fiber = u32::try_from(header.next[0]).map_err(|_| damaged(&name, "too many fibers"))?;
    machine.next_effect = header.next[1];
    machine.usage = header.usage;
    machine.clock = header.clock;
    machine.checkpoint = header.n;
    machine.root_changed = fresh;

    let tag = (!fresh).then(|| saver.tag());
    let mut loader =
        Loader { image, tag, source: Source { chunks, saver: &mut saver, below: header.next[2], failed: None } };
    let mut segments: BTreeMap<u32, Vec<&FiberRow>> = BTreeMap::new();
    for found in &saved.fibers {
        segments.entry(found.fiber).or_default().push(found);
    }
    match segments.remove(&ROOT).as_deref() {
        Some([root]) if root.segment == HEAD => loader.root(&mut machine, root)?,
        _ => return Err(damaged(&name, "the row of `ctx.state` is missing")),
    }
    if segments.len() as u64 != header.fibers {
        return Err(damaged(&name, format!("{} of its {} fibers are there", segments.len(), header.fibers)));
    }
    let mut fibers = Vec::with_capacity(segments.len());
    let mut turns = Vec::new();
    for (id, rows) in &segments {
        let (mut fiber, turn) = loader.fiber(*id, rows, &machine)?;
        turns.extend(turn.map(|turn| (*id, turn)));
        if fresh {
            (fiber.low_water, fiber.saved_segments, fiber.ran) = (0, 0, true);
        }
        fibers.push(fiber);
    }
    check::links(&fibers)
        .and_then(|()| check::numbers(&fibers, &header))
        .and_then(|()| check::turns(&mut fibers, turns, &header))
        .map_err(|reason| damaged(&name, reason))?;
    machine.adopt(fibers);
    Ok((machine, saver, header))
}

/// Reads a header.
fn header(sealed: &[u8]) -> std::result::Result<Header, DecodeError> {
    let mut from = Reader::new(open(row::HEADER, sealed)?, "header");
    let engine = from.text()?.to_owned();
    let code_hash = from.raw(32)?.try_into().map_err(|_| from.error("the hash of its code is missing"))?;
    let n = from.uint()?;
    let next = [from.uint()?, from.uint()?, from.uint()?, from.uint()?];
    let usage = (from.int()?, from.int()?);
    let fibers = from.uint()?;
    let clock = from.int()?;
    let turns = (0..from.count(1)?).map(|_| from.id()).collect::<std::result::Result<_, _>>()?;
    from.end()?;
    Ok(Header { engine, code_hash, n, next, usage, fibers, clock, turns })
}

fn damaged(row: &str, reason: impl Into<String>) -> LoadError {
    LoadError::Damaged { row: row.to_owned(), reason: reason.into() }
}

/// Names the row in which reading failed: its own, or that of a chunk which it names.
fn row<T>(name: &str, read: impl FnOnce() -> std::result::Result<T, DecodeError>) -> Result<T> {
    read().map_err(|error| damaged(name, format!("{}: {}", error.what, error.reason)))
}

/// Chunks as the decoder reads them; the saver learns of each.
struct Source<'s> {
    chunks: &'s mut dyn Chunks,
    saver: &'s mut Saver,
    /// The first id that no chunk has yet.
    below: u64,
    failed: Option<StoreError>,
}

impl ChunkSource for Source<'_> {
    fn read(&mut self, id: u64) -> std::result::Result<Vec<u8>, DecodeError> {
        if id >= self.below {
            return Err(DecodeError::new(format!("chunk {id}"), "no chunk has that number yet"));
        }
        match self.chunks.chunk(id) {
            Ok(Some(bytes)) => {
                self.saver.know(id, bytes.len());
                Ok(bytes)
            }
            Ok(None) => Err(DecodeError::new(format!("chunk {id}"), "the row is missing")),
            Err(error) => {
                let reason = error.to_string();
                self.failed = Some(error);
                Err(DecodeError::new(format!("chunk {id}"), reason))
            }
        }
    }
}

struct Loader<'l, 's> {
    image: &'l Arc<Image>,
    tag: Option<u64>,
    source: Source<'s>,
}

impl Loader<'_, '_> {
    fn read<T>(
        &mut self,
        name: &str,
        kind: u8,
        sealed: &[u8],
        read: impl FnOnce(&mut Reader<'_>, &mut Decoder<'_>) -> std::result::Result<T, DecodeError>,
    ) -> Result<T> {
        let image = Arc::clone(self.image);
        let tag = self.tag;
        let source = &mut self.source;
        let result = row(name, || {
            let mut from = Reader::new(open(kind, sealed)?, "row");
            let mut decoder = Decoder::new(&image.program, source, tag);
            let value = read(&mut from, &mut decoder)?;
            from.end()?;
            Ok(value)
        });
        match self.source.failed.take() {
            Some(error) => Err(LoadError::Store(error)),
            None => result,
        }
    }

    fn root(&mut self, machine: &mut Machine, root: &FiberRow) -> Result<()> {
        let counts = [(machine.globals.len(), false), (machine.states.len(), machine.is_test())];
        let ([globals, states], answered, left, origins) =
            self.read("the row of `ctx.state`", row::ROOT, &root.data, |from, decoder| {
                let mut both = [Vec::new(), Vec::new()];
                // Of a test there may be several states of each module.
                for (values, (expected, several)) in both.iter_mut().zip(counts) {
                    let count = from.count(1)?;
                    if count != expected && (!several || count == 0 || count % expected.max(1) != 0) {
                        return Err(from.error("it has not as many values as the program"));
                    }
                    for _ in 0..count {
                        values.push(decoder.value(from)?);
                    }
                }
                let mut answered = BTreeMap::new();
                for _ in 0..from.count(3)? {
                    let path = from.text()?.to_owned();
                    answered.insert((path, from.id()?), from.id()?);
                }
                // What version 0.1 wrote ends here.
                let (left, origins) =
                    if from.left() == 0 { (0, Vec::new()) } else { (from.uint()?, origins::read(from)?) };
                Ok((both, answered, left, origins))
            })?;
        machine.answered = answered;
        (machine.left, machine.origins) = (left, origins);
        machine.globals = globals;
        machine.states = states;
        Ok(())
    }

    /// Reads a fiber, and its turn if its head has one.
    fn fiber(&mut self, id: u32, rows: &[&FiberRow], machine: &Machine) -> Result<(Fiber, Option<i64>)> {
        let name = format!("fiber {id} head");
        let Some((head, segments)) = rows.split_first().filter(|(head, _)| head.segment == HEAD) else {
            return Err(damaged(&name, "the row is missing"));
        };
        let (mut fiber, frames, turn) =
            self.read(&name, row::HEAD, &head.data, |from, decoder| head_of(id, from, decoder))?;
        if frames > MAX_FRAMES || segments.len() != frames.div_ceil(SEGMENT) {
            return Err(damaged(&name, format!("{frames} frames do not fit {} segments", segments.len())));
        }
        for (index, segment) in segments.iter().enumerate() {
            let name = format!("fiber {id} segment {index}");
            if segment.segment as usize != index {
                return Err(damaged(&name, "the row is missing"));
            }
            let here = SEGMENT.min(frames - index * SEGMENT);
            self.read(&name, row::FRAMES, &segment.data, |from, decoder| {
                frames_of(&mut fiber, here, frames, machine, from, decoder)
            })?;
        }
        check::place(&mut fiber, machine)
            .and_then(|()| check::attempts(&fiber, machine))
            .map_err(|reason| damaged(&name, reason))?;
        if fiber.around.context as usize >= machine.contexts() {
            return Err(damaged(&name, "it belongs to a state that there is not"));
        }
        fiber.saved_segments = segments.len();
        fiber.low_water = frames;
        Ok((fiber, turn))
    }
}

fn head_of(
    id: u32,
    from: &mut Reader<'_>,
    decoder: &mut Decoder<'_>,
) -> std::result::Result<(Fiber, usize, Option<i64>), DecodeError> {
    let parent = if from.bool()? { Some((from.id()?, from.id()?)) } else { None };
    let path = decoder.text(from)?;
    let workflow = if from.bool()? { Some(from.id()?) } else { None };
    let step = if from.bool()? { Some((from.id()?, from.id()?)) } else { None };
    let step_path = decoder.text(from)?;
    let (context, own_context) = (from.id()?, from.bool()?);
    let frames = from.size()?;
    let own = scope(from, decoder)?;
    if own.frame != 0 {
        return Err(from.error("the branch itself is no frame"));
    }
    let mut fiber = Fiber::new(id, parent, Around { path, workflow, step, step_path, context, own_context });
    let trail = path::of_branch(fiber.around.path.as_str());
    fiber.scopes = vec![Scope { trail, ..own }];
    fiber.state = match from.byte()? {
        state::READY => FiberState::Ready(None),
        state::VALUE => FiberState::Ready(Some(Delivered::Value(decoder.value(from)?))),
        state::FAULT => FiberState::Ready(Some(Delivered::Thrown(decoder.value(from)?))),
        state::WAITING => FiberState::Waiting(Box::new(asked(id, from, decoder)?)),
        state::JOINING => FiberState::Joining(Box::new(joined(from, decoder)?)),
        other => return Err(from.error(format!("{other} is no state of a fiber"))),
    };
    for _ in 0..from.count(2)? {
        fiber.cancels.push(cancelled(from, decoder)?);
    }
    fiber.left = error(from, decoder)?;
    for _ in 0..from.count(4)? {
        fiber.deadlines.push(deadline(from)?);
    }
    let mut turn = None;
    while from.left() > 0 {
        let what = from.uint()?;
        let mut body = Reader::new(from.block()?, "head");
        if what == more::TURN {
            if turn.replace(body.int()?).is_some() {
                return Err(body.error("it has two turns"));
            }
            body.end()?;
        }
    }
    Ok((fiber, frames, turn))
}

fn cancelled(from: &mut Reader<'_>, decoder: &mut Decoder<'_>) -> std::result::Result<Cancel, DecodeError> {
    let to = from.id()?;
    let then = match from.byte()? {
        then::END => Then::End,
        then::THROW => Then::Throw(decoder.value(from)?),
        then::GIVE => Then::Give(decoder.value(from)?),
        other => return Err(from.error(format!("{other} is nothing that a cancellation comes to"))),
    };
    Ok(Cancel { to, then })
}

fn error(from: &mut Reader<'_>, decoder: &mut Decoder<'_>) -> std::result::Result<Option<Value>, DecodeError> {
    if from.bool()? { decoder.value(from).map(Some) } else { Ok(None) }
}

fn deadline(from: &mut Reader<'_>) -> std::result::Result<Deadline, DecodeError> {
    let (frame, limit) = (from.id()?, from.int()?);
    let clock = match from.byte()? {
        clock::RUNS => Clock::Runs(from.int()?),
        clock::STANDS => Clock::Stands(from.int()?),
        other => return Err(from.error(format!("{other} is no clock"))),
    };
    Ok(Deadline { frame, limit, clock })
}

fn scope(from: &mut Reader<'_>, decoder: &mut Decoder<'_>) -> std::result::Result<Scope, DecodeError> {
    let frame = from.id()?;
    let function = from.id()?;
    let name = decoder.text(from)?;
    let (index, attempt) = (from.id()?, from.id()?);
    let counts = counts(from)?;
    let before = if from.bool()? { Some(Box::new(self::counts(from)?)) } else { None };
    Ok(Scope { frame, function, name, index, attempt, counts, before, trail: Default::default() })
}

fn counts(from: &mut Reader<'_>) -> std::result::Result<Counts, DecodeError> {
    let asks = from.id()?;
    let count = from.count(2)?;
    let mut calls = Vec::with_capacity(count);
    for _ in 0..count {
        calls.push((from.id()?, from.id()?));
    }
    Ok(Counts { calls, asks })
}

fn asked(fiber: u32, from: &mut Reader<'_>, decoder: &mut Decoder<'_>) -> std::result::Result<Effect, DecodeError> {
    let id = from.uint()?;
    let name = decoder.text(from)?;
    let path = decoder.text(from)?;
    let (ordinal, generation) = (from.id()?, from.id()?);
    let step = Some(decoder.text(from)?).filter(|step| !step.as_str().is_empty());
    let count = from.count(1)?;
    let mut args = Vec::with_capacity(count);
    for _ in 0..count {
        args.push(decoder.value(from)?);
    }
    let hold = match from.byte()? {
        hold::NO => Hold::No,
        hold::KEPT => Hold::Kept,
        hold::ASKS => {
            let data = decoder.value(from)?;
            let Value::Type(answer) = decoder.value(from)? else {
                return Err(from.error("the answer to a question has no type"));
            };
            Hold::Asks(Box::new(Question { data, answer, asked_at: from.int()? }))
        }
        other => return Err(from.error(format!("{other} does not say whether a call leaves"))),
    };
    Ok(Effect { id, fiber, name, args, path, ordinal, generation, step, span: wf_lang::Span::default(), hold })
}

fn joined(from: &mut Reader<'_>, decoder: &mut Decoder<'_>) -> std::result::Result<Group, DecodeError> {
    let items = decoder.value(from)?;
    let each = decoder.value(from)?;
    let results = decoder.value(from)?;
    let Some(kept) = results.as_list().map(crate::value::List::len) else {
        return Err(from.error("the results of a gather are no list"));
    };
    let (total, started, ended, limit, wanted) = (from.id()?, from.id()?, from.id()?, from.id()?, from.id()?);
    let path = decoder.text(from)?;
    let ending = match from.byte()? {
        ending::NONE => None,
        ending::RESULTS => Some(Ending::Results),
        ending::ERROR => Some(Ending::Error(decoder.value(from)?)),
        ending::CANCELLED => Some(Ending::Cancelled),
        other => return Err(from.error(format!("{other} is nothing that a gather comes to"))),
    };
    let left = error(from, decoder)?;
    // A fiber joins as long as a branch of it is under way.
    let counted = ended < started && started <= total && wanted <= total && limit > 0;
    let kept_fits = kept == total as usize || kept <= wanted as usize;
    if !counted || !kept_fits || (ending.is_none() && ended >= wanted) {
        return Err(from.error("the counts of a gather do not fit"));
    }
    let children = Default::default();
    Ok(Group {
        gather: 0,
        items,
        each,
        total,
        started,
        ended,
        limit,
        wanted,
        results,
        ending,
        left,
        path,
        children,
        busy: 0,
    })
}

/// Reads the frames of a segment. Their bases are found from the calls that they stand in.
fn frames_of(
    fiber: &mut Fiber,
    here: usize,
    frames: usize,
    machine: &Machine,
    from: &mut Reader<'_>,
    decoder: &mut Decoder<'_>,
) -> std::result::Result<(), DecodeError> {
    if from.count(3)? != here {
        return Err(from.error("it has not as many frames as the fiber's head says"));
    }
    let first = fiber.frames.len();
    for _ in 0..here {
        let id = from.id()?;
        let Some(function) = machine.image.find(FunctionId(id)) else {
            return Err(from.error(format!("the program has no function {id}")));
        };
        let number = from.size()?;
        let Some(point) = function.safe_points.get(number) else {
            return Err(from.error(format!("`{}` has no safe point {number}", function.path)));
        };
        if from.count(1)? != point.live.len() {
            return Err(from.error(format!("`{}` has other slots at safe point {number}", function.path)));
        }
        let base = match fiber.frames.last() {
            None => 0,
            Some(caller) => called_from(fiber, *caller, machine).map_err(|reason| from.error(reason))?,
        };
        let registers = usize::from(function.registers);
        fiber.regs.resize(base as usize + registers, Value::Null);
        let last = fiber.frames.len() + 1 == frames;
        let op = function.code.get(point.pc as usize).copied();
        let calls = op.and_then(result_register);
        for reg in &point.live {
            if usize::from(*reg) >= registers {
                return Err(from.error(format!("a slot of `{}` lies outside its frame", function.path)));
            }
            let value = decoder.value(from)?;
            // What is above the arguments of a call belongs to the frame that is called; such a slot has nothing yet.
            if last || calls.is_some_and(|limit| *reg < limit) {
                fiber.regs[base as usize + usize::from(*reg)] = value;
            }
        }
        let waits = number > 0 && !op.is_some_and(Op::ends_round);
        fiber.frames.push(Frame { function: id, pc: if waits { point.pc + 1 } else { point.pc }, base });
    }
    let scopes = from.count(7)?;
    for _ in 0..scopes {
        let found = scope(from, decoder)?;
        let inside = (first..fiber.frames.len()).contains(&(found.frame as usize));
        let above = fiber.scopes.last().is_none_or(|below| below.frame < found.frame || fiber.scopes.len() == 1);
        if !inside || !above {
            return Err(from.error("a scope belongs to no frame"));
        }
        path::open(&mut fiber.scopes, found);
    }
    Ok(())
}

/// Where the frame begins that a caller's op has called.
fn called_from(fiber: &Fiber, caller: Frame, machine: &Machine) -> std::result::Result<u32, String> {
    let function = machine.image.function(caller.function);
    let op = caller.pc.checked_sub(1).and_then(|pc| function.code.get(pc as usize));
    match op {
        Some(
            Op::Call { base, .. }
            | Op::CallValue { base, .. }
            | Op::Apply { base }
            | Op::CallMethod { base, .. }
            | Op::CallSettings { base },
        ) => Ok(caller.base + u32::from(*base)),
        _ => Err(format!("frame {} of `{}` calls nothing", fiber.frames.len() - 1, function.path)),
    }
}
