//! Which registers the rest of a function reads, at each op.
//!
//! Backward data flow over basic blocks. A handler can be entered from any op that it covers, so what it reads is live
//! throughout. From the result come the moves (a copy whose source is not read again) and the safe points (what must be
//! saved of a frame).

use crate::program::{Function, Gather, GatherBranches, Op, Place, PlaceAction, PlaceStep, Program, Reg, Root};

/// A set of registers.
#[derive(Clone, PartialEq)]
pub(super) struct RegSet(Vec<u64>);

impl RegSet {
    fn new(registers: u16) -> Self {
        Self(vec![0; usize::from(registers).div_ceil(64)])
    }

    fn insert(&mut self, reg: Reg) {
        if let Some(word) = self.0.get_mut(usize::from(reg) / 64) {
            *word |= 1 << (reg % 64);
        }
    }

    pub(super) fn remove(&mut self, reg: Reg) {
        if let Some(word) = self.0.get_mut(usize::from(reg) / 64) {
            *word &= !(1 << (reg % 64));
        }
    }

    pub(super) fn contains(&self, reg: Reg) -> bool {
        self.0.get(usize::from(reg) / 64).is_some_and(|word| word & (1 << (reg % 64)) != 0)
    }

    fn union(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            changed |= *more & !*word != 0;
            *word |= more;
        }
        changed
    }

    /// The registers in it, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Reg> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            (0..64u16).filter(move |bit| word & (1 << bit) != 0).map(move |bit| index as u16 * 64 + bit)
        })
    }
}

/// What an op reads and writes.
pub(super) struct Uses {
    /// Consecutive registers that are read: (first, count).
    pub(super) reads: [(Reg, u16); 3],
    /// Consecutive registers that are written: (first, count).
    pub(super) writes: (Reg, u16),
}

fn uses(reads: &[(Reg, u16)], writes: (Reg, u16)) -> Uses {
    let mut all = [(0, 0); 3];
    for (slot, read) in all.iter_mut().zip(reads) {
        *slot = *read;
    }
    Uses { reads: all, writes }
}

/// What an op reads and writes; `program` tells the sizes that stand in its tables.
pub(super) fn uses_of(op: Op, program: &Program) -> Uses {
    const NONE: (Reg, u16) = (0, 0);
    match op {
        Op::Null { dst }
        | Op::Bool { dst, .. }
        | Op::Int { dst, .. }
        | Op::Const { dst, .. }
        | Op::Missing { dst }
        | Op::Global { dst, .. }
        | Op::Type { dst, .. }
        | Op::Agent { dst, .. }
        | Op::Schema { dst, .. }
        | Op::Ctx { dst, .. } => uses(&[], (dst, 1)),
        Op::Copy { dst, src } | Op::Move { dst, src } => uses(&[(src, 1)], (dst, 1)),
        Op::SetGlobal { src, .. }
        | Op::Return { src }
        | Op::Throw { src }
        | Op::NoMatch { src }
        | Op::End { src }
        | Op::Begin { attempt: src } => uses(&[(src, 1)], NONE),
        Op::Closure { dst, function } => {
            let captures = program.functions.get(function as usize).map_or(0, |function| function.captures);
            uses(&[(dst, captures)], (dst, 1))
        }
        Op::List { dst, first, count } => uses(&[(first, count)], (dst, 1)),
        Op::ListPush { list: base, item } | Op::ListExtend { list: base, items: item } => {
            uses(&[(base, 1), (item, 1)], NONE)
        }
        Op::Record { dst, first, shape } => {
            let count = program.shapes.get(usize::from(shape)).map_or(0, |keys| keys.len() as u16);
            uses(&[(first, count)], (dst, 1))
        }
        Op::RecordPut { record, key, value } => uses(&[(record, 1), (key, 1), (value, 1)], NONE),
        Op::RecordExtend { record, fields } => uses(&[(record, 1), (fields, 1)], NONE),
        Op::Concat { base, count } => uses(&[(base, count)], (base, 1)),
        Op::Add { dst, a, b }
        | Op::Sub { dst, a, b }
        | Op::Mul { dst, a, b }
        | Op::Div { dst, a, b }
        | Op::Rem { dst, a, b }
        | Op::Eq { dst, a, b }
        | Op::Ne { dst, a, b }
        | Op::Lt { dst, a, b }
        | Op::Le { dst, a, b }
        | Op::Gt { dst, a, b }
        | Op::Ge { dst, a, b }
        | Op::In { dst, a, b }
        | Op::Index { dst, object: a, index: b } => uses(&[(a, 1), (b, 1)], (dst, 1)),
        Op::Not { dst, a }
        | Op::Neg { dst, a }
        | Op::Field { dst, object: a, .. }
        | Op::FieldOrNull { dst, object: a, .. } => uses(&[(a, 1)], (dst, 1)),
        Op::Range { base, .. } => uses(&[(base, 2)], (base, 1)),
        Op::Place { base, place } => match program.places.get(usize::from(place)) {
            Some(place) => place_uses(base, place),
            None => uses(&[], NONE),
        },
        Op::Check { reg, .. } => uses(&[(reg, 1)], NONE),
        Op::Fits { reg, .. } => uses(&[(reg, 1)], (reg, 1)),
        Op::Jump { .. } | Op::Loop => uses(&[], NONE),
        Op::JumpIf { cond: reg, .. }
        | Op::JumpIfNot { cond: reg, .. }
        | Op::JumpIfNull { reg, .. }
        | Op::JumpIfNotNull { reg, .. }
        | Op::JumpIfGiven { reg, .. } => uses(&[(reg, 1)], NONE),
        Op::IterStart { base } => uses(&[(base, 1)], (base + 1, 1)),
        // The position is changed in place, so it stays live.
        Op::IterNext { base, .. } => uses(&[(base, 2)], (base + 2, 2)),
        Op::Call { base, function } => {
            let params = program.functions.get(function as usize).map_or(0, |function| function.params.len() as u16);
            uses(&[(base, params)], (base, 1))
        }
        Op::CallValue { base, argc, .. } | Op::CallMethod { base, argc, .. } => uses(&[(base, argc + 1)], (base, 1)),
        Op::CallSettings { base } => uses(&[(base, 1)], (base, 1)),
        Op::Native { base, argc, .. } | Op::Effect { base, argc, .. } | Op::Tell { base, argc, .. } => {
            uses(&[(base, argc)], (base, 1))
        }
        Op::Retrying { error, attempt, delay } => uses(&[(error, 1), (attempt, 1), (delay, 1)], NONE),
        Op::Gather { base, gather } => {
            let count = program.gathers.get(usize::from(gather)).map_or(0, operands_of_gather);
            uses(&[(base, count)], (base, 1))
        }
    }
}

/// How many registers a `Gather` reads.
pub(super) fn operands_of_gather(gather: &Gather) -> u16 {
    let branches = match &gather.branches {
        GatherBranches::For => 2,
        GatherBranches::Named(keys) => keys.len() as u16,
        GatherBranches::List(count) => *count,
    };
    branches + u16::from(gather.limit)
}

/// How many registers a `Place` reads from its base on: keys, then operands.
pub(super) fn operands_of_place(place: &Place) -> u16 {
    let keys = place.steps.iter().filter(|step| matches!(step, PlaceStep::Index)).count() as u16;
    keys + match place.action {
        PlaceAction::Get => 0,
        PlaceAction::Set | PlaceAction::Update(_) => 1,
        PlaceAction::Method { argc, .. } => argc,
    }
}

fn place_uses(base: Reg, place: &Place) -> Uses {
    let operands = (base, operands_of_place(place));
    let result = match place.action {
        PlaceAction::Get | PlaceAction::Method { .. } => (base, 1),
        PlaceAction::Set | PlaceAction::Update(_) => (0, 0),
    };
    match place.root {
        // The variable is changed in place, so it is read and stays live, unless it is replaced as a whole.
        Root::Local(reg) => uses(&[operands, (reg, 1)], result),
        Root::State => uses(&[operands], result),
    }
}

/// What is live behind each op of a function, given to `visit` block by block, last op first.
pub(super) fn live_after(function: &Function, program: &Program, visit: &mut dyn FnMut(usize, &RegSet)) {
    let blocks = blocks(function);
    let mut live_in: Vec<RegSet> = vec![RegSet::new(function.registers); blocks.len()];
    let block_at = |pc: usize| blocks.partition_point(|start| *start <= pc) - 1;
    let handlers: Vec<(std::ops::Range<usize>, usize, Reg)> = function
        .handlers
        .iter()
        .map(|handler| (handler.start as usize..handler.end as usize, block_at(handler.target as usize), handler.error))
        .collect();

    let mut changed = true;
    while changed {
        changed = false;
        for block in (0..blocks.len()).rev() {
            let live = through(function, program, &blocks, block, &live_in, &handlers, &block_at, &mut |_, _| {});
            changed |= live_in[block].union(&live);
        }
    }
    for block in (0..blocks.len()).rev() {
        through(function, program, &blocks, block, &live_in, &handlers, &block_at, visit);
    }
}

/// The first op of each basic block, ascending.
fn blocks(function: &Function) -> Vec<usize> {
    let mut starts = vec![0];
    for (pc, op) in function.code.iter().enumerate() {
        if let Some(to) = op.target() {
            starts.push(to as usize);
            starts.push(pc + 1);
        } else if !op.falls_through() {
            starts.push(pc + 1);
        }
    }
    for handler in &function.handlers {
        starts.extend([handler.start as usize, handler.end as usize, handler.target as usize]);
    }
    starts.retain(|start| *start < function.code.len());
    starts.sort_unstable();
    starts.dedup();
    starts
}

#[allow(clippy::too_many_arguments, reason = "one step of one loop, split off only because it runs twice")]
fn through(
    function: &Function,
    program: &Program,
    blocks: &[usize],
    block: usize,
    live_in: &[RegSet],
    handlers: &[(std::ops::Range<usize>, usize, Reg)],
    block_at: &dyn Fn(usize) -> usize,
    visit: &mut dyn FnMut(usize, &RegSet),
) -> RegSet {
    let start = blocks[block];
    let end = blocks.get(block + 1).copied().unwrap_or(function.code.len());
    let mut live = RegSet::new(function.registers);
    let last = function.code[end - 1];
    if last.falls_through()
        && let Some(next) = live_in.get(block + 1)
    {
        live.union(next);
    }
    if let Some(to) = last.target()
        && (to as usize) < function.code.len()
    {
        live.union(&live_in[block_at(to as usize)]);
    }
    // A block lies wholly inside or outside of each handler's range.
    let mut caught = RegSet::new(function.registers);
    for (range, target, error) in handlers {
        if range.contains(&start) {
            let mut more = live_in[*target].clone();
            more.remove(*error);
            caught.union(&more);
        }
    }
    for pc in (start..end).rev() {
        live.union(&caught);
        visit(pc, &live);
        let uses = uses_of(function.code[pc], program);
        let (first, count) = uses.writes;
        (first..first + count).for_each(|reg| live.remove(reg));
        for (first, count) in uses.reads {
            (first..first + count).for_each(|reg| live.insert(reg));
        }
        live.union(&caught);
    }
    live
}
