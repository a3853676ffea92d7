//! Better code for the same function: jumps that go where they end, results written where they are wanted, and nothing
//! that is not needed.
//!
//! It moves no op and makes none, so evaluation keeps its order; what may fault stays.

use super::{body::Slot, liveness::live_after};
use crate::program::{Function, Op, Pc, Program, Reg};

/// Improves a function; its slots move with its ops.
pub(super) fn improve(function: &mut Function, slots: &mut [Slot], program: &Program) {
    for _round in 0..2 {
        thread(&mut function.code);
        let mut needed = reachable(function);
        let dead = dead_after(function, program);
        let landings = landings(function);
        for pc in 0..function.code.len() {
            if !needed[pc] {
                continue;
            }
            let op = function.code[pc];
            // What a variable's last reader leaves is nobody's.
            if let Some(dst) = dead_store(op)
                && dead[pc].dst == Some(dst)
            {
                needed[pc] = false;
                continue;
            }
            if matches!(op, Op::Jump { to } if to as usize == pc + 1) {
                needed[pc] = false;
                continue;
            }
            let Op::Copy { dst, src } = op else { continue };
            if dst == src {
                needed[pc] = false;
            } else if let Some(Op::Return { src: given, .. }) = function.code.get_mut(pc + 1)
                && *given == dst
                && !landings[pc + 1]
            {
                *given = src;
                needed[pc] = false;
            } else if dead[pc].src
                && let Some(before) = pc.checked_sub(1)
                && needed[before]
                && !landings[pc]
                && let Some(op) = retargeted(function.code[before], src, dst)
            {
                function.code[before] = op;
                needed[pc] = false;
            }
        }
        if needed.iter().all(|needed| *needed) {
            return;
        }
        compact(function, slots, &needed);
    }
}

/// Sends jumps to jumps where those go.
fn thread(code: &mut [Op]) {
    for pc in 0..code.len() {
        let Some(mut to) = code[pc].target() else { continue };
        // The way may lead round in circles.
        for _hop in 0..8 {
            match code.get(to as usize) {
                Some(Op::Jump { to: next }) if *next != to => to = *next,
                _ => break,
            }
        }
        let mut op = code[pc];
        if op.set_target(to) {
            code[pc] = op;
        }
    }
}

/// Which ops can be reached.
fn reachable(function: &Function) -> Vec<bool> {
    let mut seen = vec![false; function.code.len()];
    let mut todo: Vec<usize> = vec![0];
    // The last op stays, so that the code ends.
    todo.extend(function.code.len().checked_sub(1));
    todo.extend(function.handlers.iter().map(|handler| handler.target as usize));
    while let Some(mut pc) = todo.pop() {
        while pc < seen.len() && !std::mem::replace(&mut seen[pc], true) {
            let op = function.code[pc];
            todo.extend(op.target().map(|to| to as usize));
            if !op.falls_through() {
                break;
            }
            pc += 1;
        }
    }
    seen
}

/// Where something else than the op before may lead.
fn landings(function: &Function) -> Vec<bool> {
    let mut landings = vec![false; function.code.len() + 1];
    let jumps = function.code.iter().filter_map(|op| op.target());
    let handlers = function.handlers.iter().flat_map(|handler| [handler.start, handler.end, handler.target]);
    for to in jumps.chain(handlers) {
        if let Some(landing) = landings.get_mut(to as usize) {
            *landing = true;
        }
    }
    landings
}

/// What nobody reads behind an op.
#[derive(Clone, Copy, Default)]
struct Dead {
    /// The register that a store writes, when nobody does.
    dst: Option<Reg>,
    /// Whether nobody reads what a copy has copied.
    src: bool,
}

fn dead_after(function: &Function, program: &Program) -> Vec<Dead> {
    let mut dead = vec![Dead::default(); function.code.len()];
    live_after(function, program, &mut |pc, live| {
        let op = function.code[pc];
        dead[pc].dst = dead_store(op).filter(|dst| !live.contains(*dst));
        dead[pc].src = matches!(op, Op::Copy { src, .. } if !live.contains(src));
    });
    dead
}

/// What is written by an op that does nothing else.
fn dead_store(op: Op) -> Option<Reg> {
    match op {
        Op::Null { dst }
        | Op::Bool { dst, .. }
        | Op::Int { dst, .. }
        | Op::Const { dst, .. }
        | Op::Missing { dst }
        | Op::Copy { dst, .. }
        | Op::Global { dst, .. }
        | Op::Type { dst, .. } => Some(dst),
        _ => None,
    }
}

/// The op with its result in `to`, if it writes one to `from` when it has succeeded, and nothing else.
fn retargeted(mut op: Op, from: Reg, to: Reg) -> Option<Op> {
    match &mut op {
        Op::Null { dst }
        | Op::Bool { dst, .. }
        | Op::Int { dst, .. }
        | Op::Const { dst, .. }
        | Op::Missing { dst }
        | Op::Copy { dst, .. }
        | Op::Global { dst, .. }
        | Op::Type { dst, .. }
        | Op::Agent { dst, .. }
        | Op::List { dst, .. }
        | Op::Record { dst, .. }
        | Op::Concat { dst, .. }
        | Op::Add { dst, .. }
        | Op::Sub { dst, .. }
        | Op::Mul { dst, .. }
        | Op::Div { dst, .. }
        | Op::Rem { dst, .. }
        | Op::AddInt { dst, .. }
        | Op::SubInt { dst, .. }
        | Op::MulInt { dst, .. }
        | Op::RemInt { dst, .. }
        | Op::Eq { dst, .. }
        | Op::Ne { dst, .. }
        | Op::Lt { dst, .. }
        | Op::Le { dst, .. }
        | Op::Gt { dst, .. }
        | Op::Ge { dst, .. }
        | Op::TestInt { dst, .. }
        | Op::In { dst, .. }
        | Op::Not { dst, .. }
        | Op::Neg { dst, .. }
        | Op::Range { dst, .. }
        | Op::Field { dst, .. }
        | Op::FieldOrNull { dst, .. }
        | Op::Index { dst, .. }
        | Op::Count { dst, .. }
        | Op::Part { dst, .. }
        | Op::PartOrNull { dst, .. }
        | Op::Len { dst, .. }
        | Op::Schema { dst, .. }
        | Op::Ctx { dst, .. }
            if *dst == from =>
        {
            *dst = to;
        }
        _ => return None,
    }
    Some(op)
}

/// Leaves out what is not needed.
fn compact(function: &mut Function, slots: &mut [Slot], needed: &[bool]) {
    let mut place = Vec::with_capacity(needed.len() + 1);
    let mut kept: Pc = 0;
    for needed in needed {
        place.push(kept);
        kept += Pc::from(*needed);
    }
    place.push(kept);
    let moved = |pc: Pc| place.get(pc as usize).copied().unwrap_or(pc);
    let code = std::mem::take(&mut function.code);
    function.code = code.into_iter().zip(needed).filter(|(_, needed)| **needed).map(|(op, _)| op).collect();
    for op in &mut function.code {
        if let Some(to) = op.target() {
            // Nearer than before, so it fits.
            op.set_target(moved(to));
        }
    }
    for (pc, _) in &mut function.spans {
        *pc = moved(*pc);
    }
    // Of several that begin at an op, the last is the one of that op.
    let mut spans: Vec<_> = Vec::with_capacity(function.spans.len());
    for span in std::mem::take(&mut function.spans) {
        if spans.last().is_some_and(|(pc, _)| *pc == span.0) {
            spans.pop();
        }
        spans.push(span);
    }
    function.spans = spans;
    for handler in &mut function.handlers {
        (handler.start, handler.end) = (moved(handler.start), moved(handler.end));
        handler.target = moved(handler.target);
    }
    for (start, end) in &mut function.shields {
        (*start, *end) = (moved(*start), moved(*end));
    }
    for slot in slots {
        (slot.from, slot.to) = (moved(slot.from), moved(slot.to));
    }
}
