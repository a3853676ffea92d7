//! What each op reads and writes: for liveness when programs are made, and for checking them when they are loaded.

use super::{Gather, GatherBranches, Op, Place, PlaceAction, PlaceStep, Program, Reg, Root};

/// What an op reads and writes.
pub struct Uses {
    /// Consecutive registers that are read: (first, count).
    pub reads: [(Reg, u16); 3],
    /// Consecutive registers that are written: (first, count).
    pub writes: (Reg, u16),
}

fn uses(reads: &[(Reg, u16)], writes: (Reg, u16)) -> Uses {
    let mut all = [(0, 0); 3];
    for (slot, read) in all.iter_mut().zip(reads) {
        *slot = *read;
    }
    Uses { reads: all, writes }
}

/// What an op reads and writes; `program` tells the sizes that stand in its tables.
pub fn uses_of(op: Op, program: &Program) -> Uses {
    const NONE: (Reg, u16) = (0, 0);
    match op {
        Op::Null { dst }
        | Op::Forget { reg: dst }
        | Op::Bool { dst, .. }
        | Op::Int { dst, .. }
        | Op::Const { dst, .. }
        | Op::Missing { dst }
        | Op::Global { dst, .. }
        | Op::Type { dst, .. }
        | Op::Agent { dst, .. }
        | Op::Schema { dst, .. }
        | Op::Outermost { dst }
        | Op::Ctx { dst, .. } => uses(&[], (dst, 1)),
        Op::Copy { dst, src } | Op::Move { dst, src } => uses(&[(src, 1)], (dst, 1)),
        Op::SetGlobal { src, .. }
        | Op::Return { src, .. }
        | Op::Throw { src }
        | Op::NoMatch { src }
        | Op::End { src }
        | Op::Deadline { duration: src }
        | Op::Begin { attempt: src } => uses(&[(src, 1)], NONE),
        Op::Closure { dst, function } => {
            let captures = program.functions.get(function as usize).map_or(0, |function| function.captures);
            uses(&[(dst, captures)], (dst, 1))
        }
        Op::List { dst, first, count } => uses(&[(first, count)], (dst, 1)),
        // What is changed in place stays live.
        Op::ListPush { list: base, item, .. } | Op::ListExtend { list: base, items: item } => {
            uses(&[(base, 1), (item, 1)], NONE)
        }
        Op::Record { dst, first, shape } => {
            let count = program.shapes.get(usize::from(shape)).map_or(0, |keys| keys.len() as u16);
            uses(&[(first, count)], (dst, 1))
        }
        Op::RecordPut { record, key, value } => uses(&[(record, 1), (key, 1), (value, 1)], NONE),
        Op::RecordExtend { record, fields } => uses(&[(record, 1), (fields, 1)], NONE),
        Op::Concat { dst, first, count } => uses(&[(first, count)], (dst, 1)),
        Op::Add { dst, a, b, .. }
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
        Op::Resume { how: a, value: b } => uses(&[(a, 1), (b, 1)], NONE),
        Op::Not { dst, a }
        | Op::Neg { dst, a }
        | Op::Count { dst, a }
        | Op::AddInt { dst, a, .. }
        | Op::SubInt { dst, a, .. }
        | Op::MulInt { dst, a, .. }
        | Op::RemInt { dst, a, .. }
        | Op::TestInt { dst, a, .. }
        | Op::Field { dst, object: a, .. }
        | Op::FieldOrNull { dst, object: a, .. }
        | Op::Part { dst, object: a, .. }
        | Op::PartOrNull { dst, object: a, .. }
        | Op::Len { dst, object: a } => uses(&[(a, 1)], (dst, 1)),
        Op::Range { dst, first, .. } => uses(&[(first, 2)], (dst, 1)),
        Op::SetField { object, value, .. } => uses(&[(object, 1), (value, 1)], NONE),
        Op::SetIndex { object, index, value, .. } => uses(&[(object, 1), (index, 1), (value, 1)], NONE),
        Op::Place { base, place } => match program.places.get(usize::from(place)) {
            Some(place) => place_uses(base, place),
            None => uses(&[], NONE),
        },
        Op::Check { reg, .. } | Op::Convert { reg, .. } => uses(&[(reg, 1)], NONE),
        Op::Fits { reg, .. } => uses(&[(reg, 1)], (reg, 1)),
        Op::Jump { .. } | Op::Loop { .. } | Op::Leave => uses(&[], NONE),
        Op::JumpIf { cond: reg, .. }
        | Op::JumpIfNot { cond: reg, .. }
        | Op::JumpIfNull { reg, .. }
        | Op::JumpIfNotNull { reg, .. }
        | Op::JumpIfGiven { reg, .. }
        | Op::JumpIfMissing { reg, .. }
        | Op::JumpEqInt { a: reg, .. }
        | Op::JumpNeInt { a: reg, .. }
        | Op::JumpLtInt { a: reg, .. }
        | Op::JumpLeInt { a: reg, .. }
        | Op::JumpGtInt { a: reg, .. }
        | Op::JumpGeInt { a: reg, .. }
        | Op::JumpEqConst { a: reg, .. }
        | Op::JumpNeConst { a: reg, .. } => uses(&[(reg, 1)], NONE),
        Op::JumpEq { a, b, .. }
        | Op::JumpNe { a, b, .. }
        | Op::JumpLt { a, b, .. }
        | Op::JumpLe { a, b, .. }
        | Op::JumpGt { a, b, .. }
        | Op::JumpGe { a, b, .. } => uses(&[(a, 1), (b, 1)], NONE),
        Op::RangeStart { base, .. } | Op::RangeNext { base, .. } => uses(&[(base, 2)], (base, 2)),
        Op::IterStart { base } => uses(&[(base, 1)], (base.saturating_add(1), 1)),
        // The position is changed in place, so it stays live.
        Op::IterNext { base, .. } => uses(&[(base, 2)], (base.saturating_add(2), 1)),
        Op::IterNextPair { base, .. } => uses(&[(base, 2)], (base.saturating_add(2), 2)),
        Op::Call { base, function } => {
            let params = program.functions.get(function as usize).map_or(0, |function| function.params.len() as u16);
            uses(&[(base, params)], (base, 1))
        }
        Op::CallValue { base, callee, argc, .. } => uses(&[(callee, 1), (base, u16::from(argc))], (base, 1)),
        Op::CallMethod { base, argc, .. } => uses(&[(base, argc.saturating_add(1))], (base, 1)),
        Op::Apply { base } => uses(&[(base, 2)], (base, 1)),
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
fn operands_of_gather(gather: &Gather) -> u16 {
    let branches = match &gather.branches {
        GatherBranches::For => 2,
        GatherBranches::Named(keys) => keys.len() as u16,
        GatherBranches::List(count) => *count,
    };
    branches.saturating_add(u16::from(gather.limit)).saturating_add(u16::from(gather.first))
}

/// How many registers a `Place` reads from its base on: keys, then operands.
fn operands_of_place(place: &Place) -> u16 {
    let keys = place.steps.iter().filter(|step| matches!(step, PlaceStep::Index)).count() as u16;
    keys.saturating_add(match place.action {
        PlaceAction::Get => 0,
        PlaceAction::Set | PlaceAction::Update(_) => 1,
        PlaceAction::Method { argc, .. } => argc,
    })
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
