//! Which registers the rest of a function reads, at each op.
//!
//! Backward data flow over basic blocks. A handler can be entered from any op that it covers, so what it reads is live
//! throughout. From the result come the moves (a copy whose source is not read again) and the safe points (what must be
//! saved of a frame).

use crate::program::{Function, Program, Reg, uses_of};

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

    fn remove(&mut self, reg: Reg) {
        if let Some(word) = self.0.get_mut(usize::from(reg) / 64) {
            *word &= !(1 << (reg % 64));
        }
    }

    pub(super) fn insert_all(&mut self, (first, count): (Reg, u16)) {
        (first..first + count).for_each(|reg| self.insert(reg));
    }

    pub(super) fn remove_all(&mut self, (first, count): (Reg, u16)) {
        (first..first + count).for_each(|reg| self.remove(reg));
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
        live.remove_all(uses.writes);
        uses.reads.into_iter().for_each(|read| live.insert_all(read));
        live.union(&caught);
    }
    live
}
