//! The last pass over a program: moves at last use, safe points with their slots, digests, and which functions wait.

use std::collections::{HashMap, HashSet};

use super::{body::Slot, liveness::live_after, peephole, shared};
use crate::program::{FunctionId, FunctionKind, Local, Op, Pc, Program, Reg, SafePoint, uses_of};

/// The slots of each function, as they were handed out.
pub(super) type Slots = HashMap<FunctionId, Vec<Slot>>;

pub(super) fn finish(program: &mut Program, slots: &mut Slots, scoped: &HashSet<u32>) {
    for index in 0..program.functions.len() {
        let mut own = slots.remove(&FunctionId(index as u32)).unwrap_or_default();
        let mut function = program.functions[index].clone();
        peephole::improve(&mut function, &mut own, program);
        function.locals = own.iter().map(local).collect();
        program.functions[index] = function;
        slots.insert(FunctionId(index as u32), own);
    }
    let found: Vec<_> = (0..program.functions.len()).map(|index| analyse(program, index, slots)).collect();
    for (function, (last_uses, safe_points)) in program.functions.iter_mut().zip(found) {
        for pc in last_uses {
            if let Some(op) = function.code.get_mut(pc) {
                op.take_over();
            }
        }
        function.safe_points = safe_points;
    }
    shared::mark(program);
    scope(program, scoped);
    let digests: Vec<u64> = (0..program.functions.len()).map(|index| digest(program, index, slots)).collect();
    for (function, digest) in program.functions.iter_mut().zip(digests) {
        function.digest = digest;
    }
}

/// A slot, for people.
fn local(slot: &Slot) -> Local {
    Local { name: slot.name.clone(), reg: slot.reg, from: slot.from, to: slot.to }
}

impl Op {
    /// The register whose value this op takes over when nothing reads it again.
    fn may_take_over(self) -> Option<Reg> {
        match self {
            Op::Copy { dst, src } => (dst != src).then_some(src),
            Op::Add { a, b, .. } => (a != b).then_some(a),
            Op::ListPush { list, item, .. } => (item != list).then_some(item),
            Op::SetField { object, value, .. } => (value != object).then_some(value),
            Op::SetIndex { object, index, value, .. } => (value != object && value != index).then_some(value),
            _ => None,
        }
    }

    fn take_over(&mut self) {
        match self {
            Op::Copy { dst, src } => *self = Op::Move { dst: *dst, src: *src },
            Op::Add { last, .. }
            | Op::ListPush { last, .. }
            | Op::SetField { last, .. }
            | Op::SetIndex { last, .. } => *last = true,
            _ => {}
        }
    }
}

/// The ops that are the last use of what they take, and the safe points.
fn analyse(program: &Program, index: usize, slots: &Slots) -> (Vec<usize>, Vec<SafePoint>) {
    let function = &program.functions[index];
    let no_slots = Vec::new();
    let slots = slots.get(&FunctionId(index as u32)).unwrap_or(&no_slots);
    let mut last_uses = Vec::new();
    let mut points = Vec::new();
    if function.code.is_empty() {
        return (last_uses, points);
    }
    live_after(function, program, &mut |pc, live| {
        let op = function.code[pc];
        let replaced = |reg| matches!(op, Op::Add { dst, .. } if dst == reg);
        if op.may_take_over().is_some_and(|reg| replaced(reg) || !live.contains(reg)) {
            last_uses.push(pc);
        }
        if op.is_safe_point() {
            let mut live = live.clone();
            let uses = uses_of(op, program);
            live.remove_all(uses.writes);
            if op.ends_round() {
                uses.reads.into_iter().for_each(|read| live.insert_all(read));
            }
            points.push(SafePoint { pc: pc as Pc, live: in_slot_order(live.iter(), pc as Pc, slots) });
        }
    });
    points.sort_by_key(|point: &SafePoint| point.pc);
    // The entry: nothing has run, so all that was handed over is there.
    let handed = (function.params.len() + usize::from(function.captures)) as Reg;
    points.insert(0, SafePoint { pc: 0, live: (0..handed).collect() });
    (last_uses, points)
}

/// Locals in order of declaration, then temporaries in order of evaluation: the order of their registers.
fn in_slot_order(live: impl Iterator<Item = Reg>, pc: Pc, slots: &[Slot]) -> Vec<Reg> {
    let mut live: Vec<(u32, Reg)> = live.map(|reg| (local_at(reg, pc, slots).unwrap_or(u32::MAX), reg)).collect();
    live.sort_unstable();
    live.into_iter().map(|(_, reg)| reg).collect()
}

/// The number of the local that a register holds at an op.
fn local_at(reg: Reg, pc: Pc, slots: &[Slot]) -> Option<u32> {
    let at = slots.iter().find(|slot| slot.reg == reg && slot.from <= pc && pc < slot.to);
    at.map(|slot| slot.local.0)
}

/// Marks the functions whose calls are elements of paths: steps, workflows, agents, and the user's functions that may
/// wait, because what they call has a path too.
///
/// What tests watch (`watched`) has a path as well, so that each call of it is known.
fn scope(program: &mut Program, watched: &HashSet<u32>) {
    let mut waits: Vec<bool> = program
        .functions
        .iter()
        .map(|function| {
            function.code.iter().any(|op| {
                matches!(
                    op,
                    Op::Effect { .. }
                        | Op::Apply { .. }
                        | Op::CallValue { .. }
                        | Op::CallMethod { .. }
                        | Op::CallSettings { .. }
                        | Op::Gather { .. }
                        | Op::Begin { .. }
                )
            })
        })
        .collect();
    let mut changed = true;
    while changed {
        changed = false;
        for (index, function) in program.functions.iter().enumerate() {
            let now = waits[index]
                || function.code.iter().any(
                    |op| matches!(op, Op::Call { function, .. } if waits.get(*function as usize).copied() == Some(true)),
                );
            changed |= now != waits[index];
            waits[index] = now;
        }
    }
    for (index, (function, waits)) in (0..).zip(program.functions.iter_mut().zip(waits)) {
        let library = program.modules.get(usize::from(function.module)).is_some_and(|module| module.library);
        function.scoped = match function.kind {
            FunctionKind::Workflow | FunctionKind::Step | FunctionKind::Ask => true,
            FunctionKind::Fn => (waits && !library) || watched.contains(&index),
            FunctionKind::Lambda | FunctionKind::Branch | FunctionKind::Test | FunctionKind::Hidden => false,
        };
    }
}

/// The identity of what a saved frame of the function relies on: at each safe point what it waits for, and its slots.
fn digest(program: &Program, index: usize, slots: &Slots) -> u64 {
    let function = &program.functions[index];
    let no_slots = Vec::new();
    let slots = slots.get(&FunctionId(index as u32)).unwrap_or(&no_slots);
    let mut hash = blake3::Hasher::new();
    let mut word = |text: &str| {
        hash.update(&(text.len() as u32).to_le_bytes());
        hash.update(text.as_bytes());
    };
    word(&format!("{:?} {} {}", function.kind, function.params.len(), function.captures));
    // Numbers of locals count within the declaration; what matters is their order in this function.
    let mut locals: Vec<u32> = slots.iter().map(|slot| slot.local.0).collect();
    locals.sort_unstable();
    locals.dedup();
    for (number, point) in function.safe_points.iter().enumerate() {
        if number == 0 {
            word("entry");
            continue;
        }
        match function.code.get(point.pc as usize) {
            Some(Op::Call { function, .. }) => {
                word(program.functions.get(*function as usize).map_or("", |function| function.path.as_str()));
            }
            Some(Op::Effect { effect, .. }) => word(program.effects.get(usize::from(*effect)).map_or("", |name| name)),
            Some(Op::CallMethod { name, .. }) => word(program.names.get(usize::from(*name)).map_or("", |name| name)),
            Some(Op::CallValue { .. }) => word("value"),
            Some(Op::Apply { .. }) => word("apply"),
            Some(Op::CallSettings { .. }) => word("settings"),
            Some(Op::Gather { .. }) => word("gather"),
            Some(Op::Begin { .. }) => word("begin"),
            Some(Op::End { .. }) => word("end"),
            Some(op) if op.ends_round() => word("loop"),
            _ => word("none"),
        }
        let mut temporaries = 0;
        for reg in &point.live {
            match local_at(*reg, point.pc, slots).and_then(|local| locals.binary_search(&local).ok()) {
                Some(local) => word(&format!("local {local}")),
                None => {
                    word(&format!("temporary {temporaries}"));
                    temporaries += 1;
                }
            }
        }
    }
    let bytes = hash.finalize();
    u64::from_le_bytes(bytes.as_bytes()[..8].try_into().unwrap_or_default())
}
