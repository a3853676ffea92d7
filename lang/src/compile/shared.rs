//! Which registers may hold what is shared: texts, lists and all else that is counted, as against numbers and the like.
//!
//! When a frame ends, what its registers hold must be let go, or the next change of it would copy it. Most functions that
//! only compute have nothing to let go of, and the machine need not look.

use crate::program::{Function, Op, Program, Reg, TypeId, TypeKind, uses_of};

/// Tells each `Return` of the program how many registers to look at.
pub(super) fn mark(program: &mut Program) {
    for index in 0..program.functions.len() {
        let count = count(&program.functions[index], program);
        for op in &mut program.functions[index].code {
            if let Op::Return { shared, .. } = op {
                *shared = count;
            }
        }
    }
}

/// One more than the last register that may hold something shared, wherever in the function.
///
/// A type that does not tell the truth leaves something in a register for longer, and does no other harm.
fn count(function: &Function, program: &Program) -> u16 {
    let mut shared = vec![false; usize::from(function.registers)];
    let handed = function.params.len() + usize::from(function.captures);
    for (index, reg) in shared.iter_mut().take(handed).enumerate() {
        *reg = function.params.get(index).is_none_or(|param| may_be_shared(program, param.ty));
    }
    for handler in &function.handlers {
        shared[usize::from(handler.error)] = true;
    }
    let mut changed = true;
    while changed {
        changed = false;
        for op in &function.code {
            let uses = uses_of(*op, program);
            if !writes_shared(*op, program, &shared) {
                continue;
            }
            for reg in written(uses.writes, &shared) {
                changed |= !std::mem::replace(&mut shared[reg], true);
            }
        }
    }
    shared.iter().rposition(|shared| *shared).map_or(0, |last| last as u16 + 1)
}

fn written((first, count): (Reg, u16), shared: &[bool]) -> std::ops::Range<usize> {
    let first = usize::from(first).min(shared.len());
    first..(first + usize::from(count)).min(shared.len())
}

/// Whether an op may leave something shared in what it writes.
fn writes_shared(op: Op, program: &Program, shared: &[bool]) -> bool {
    let is = |reg: Reg| shared.get(usize::from(reg)).copied().unwrap_or(true);
    match op {
        Op::Null { .. }
        | Op::Forget { .. }
        | Op::Bool { .. }
        | Op::Int { .. }
        | Op::Missing { .. }
        | Op::Type { .. }
        | Op::Sub { .. }
        | Op::Mul { .. }
        | Op::Div { .. }
        | Op::Rem { .. }
        | Op::SubInt { .. }
        | Op::MulInt { .. }
        | Op::RemInt { .. }
        | Op::Eq { .. }
        | Op::Ne { .. }
        | Op::Lt { .. }
        | Op::Le { .. }
        | Op::Gt { .. }
        | Op::Ge { .. }
        | Op::TestInt { .. }
        | Op::In { .. }
        | Op::Not { .. }
        | Op::Neg { .. }
        | Op::Count { .. }
        | Op::Len { .. }
        | Op::Fits { .. }
        | Op::RangeStart { .. }
        | Op::RangeNext { .. }
        | Op::IterStart { .. } => false,
        Op::Const { constant, .. } => {
            matches!(program.constants.get(constant as usize), None | Some(crate::program::Constant::String(_)))
        }
        Op::Copy { src, .. } | Op::Move { src, .. } => is(src),
        Op::Add { a, b, .. } => is(a) || is(b),
        Op::AddInt { a, .. } => is(a),
        Op::Call { function, .. } => {
            program.functions.get(function as usize).is_none_or(|function| may_be_shared(program, function.result))
        }
        _ => true,
    }
}

/// Whether values of a type may be shared.
fn may_be_shared(program: &Program, ty: TypeId) -> bool {
    !matches!(
        program.types.defs.get(ty.0 as usize).map(|def| &def.kind),
        Some(TypeKind::Int | TypeKind::Float | TypeKind::Bool | TypeKind::Null | TypeKind::Duration | TypeKind::Time)
    )
}
