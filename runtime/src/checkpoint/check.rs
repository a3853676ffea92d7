//! What rows must say together, beyond what each says alone.

use std::collections::BTreeSet;

use wf_lang::program::{FunctionKind, GatherBranches, Op};

use super::Header;
use crate::{
    machine::{Fiber, FiberState, Machine, Then, in_order, result_register},
    ops,
    value::Value,
};

/// No run gives away more numbers than this, and far fewer fibers.
const MAX_NEXT: u64 = 1 << 62;
const MAX_FIBERS: u64 = 1 << 31;

/// Every branch must have a fiber that joins it, and every fiber that joins the branches that it has started.
pub(super) fn links(fibers: &[Fiber]) -> Result<(), String> {
    let group = |id: u32| {
        let found = fibers.binary_search_by_key(&id, |fiber| fiber.id).ok()?;
        match &fibers[found].state {
            FiberState::Joining(group) => Some(group),
            FiberState::Ready(_) | FiberState::Waiting(_) => None,
        }
    };
    let mut branches = BTreeSet::new();
    for fiber in fibers {
        match fiber.parent {
            None if fiber.id == 0 => {}
            Some((parent, branch))
                if parent < fiber.id
                    && group(parent).is_some_and(|group| branch < group.started)
                    && branches.insert((parent, branch)) => {}
            _ => return Err(format!("fiber {} has no fiber that joins it", fiber.id)),
        }
    }
    for fiber in fibers {
        if let FiberState::Joining(group) = &fiber.state
            && branches.range((fiber.id, 0)..=(fiber.id, u32::MAX)).count() != (group.started - group.ended) as usize
        {
            return Err(format!("branches of fiber {} are missing", fiber.id));
        }
    }
    Ok(())
}

/// What is counted on from here must not run over, nor meet what is there.
pub(super) fn numbers(fibers: &[Fiber], header: &Header) -> Result<(), String> {
    let [next_fiber, next_effect, ..] = header.next;
    if header.next.iter().any(|next| *next > MAX_NEXT) || next_fiber > MAX_FIBERS {
        return Err("its numbers are out of range".into());
    }
    let given = |fiber: &Fiber| {
        let asked = match &fiber.state {
            FiberState::Waiting(effect) => effect.id < next_effect,
            FiberState::Ready(_) | FiberState::Joining(_) => true,
        };
        asked && u64::from(fiber.id) < next_fiber
    };
    match fibers.iter().find(|fiber| !given(fiber)) {
        None => Ok(()),
        Some(fiber) => Err(format!("fiber {} has a number that is yet to be given", fiber.id)),
    }
}

/// Every fiber that can run must have its turn, and only once. Where the header still says which (as version 0.1.0 wrote
/// it), their heads are written anew with the next checkpoint.
pub(super) fn turns(fibers: &mut [Fiber], found: Vec<(u32, i64)>, header: &Header) -> Result<(), String> {
    let old = !header.turns.is_empty();
    let listed = header.turns.iter().copied().zip(0..);
    let mut turns: Vec<(u32, i64)> = found.into_iter().chain(listed).collect();
    turns.sort_unstable();
    let ready = |fiber: &&mut Fiber| matches!(fiber.state, FiberState::Ready(_));
    let those = turns.iter().map(|(fiber, _)| *fiber);
    if !fibers.iter_mut().filter(ready).map(|fiber| fiber.id).eq(those) {
        return Err("other fibers have their turn than can run".into());
    }
    let mut seen = BTreeSet::new();
    if turns.iter().any(|(_, turn)| turn.unsigned_abs() > MAX_NEXT || !seen.insert(*turn)) {
        return Err("two fibers have the same turn, or one has none that there can be".into());
    }
    for (fiber, (_, turn)) in fibers.iter_mut().filter(ready).zip(turns) {
        fiber.turn = turn;
        fiber.ran |= old;
    }
    Ok(())
}

/// Whether the top frame stands where its fiber's state says, and what is known from there.
pub(super) fn place(fiber: &mut Fiber, machine: &Machine) -> Result<(), String> {
    let wrong = |reason: &str| Err(reason.to_owned());
    let Some(top) = fiber.frames.last() else { return wrong("a fiber has no frames") };
    let function = machine.image.function(top.function);
    let at = top.pc.checked_sub(1);
    let op = at.and_then(|pc| function.code.get(pc as usize)).copied();
    match (&mut fiber.state, op) {
        (FiberState::Waiting(effect), Some(Op::Effect { effect: asked, .. })) => {
            let name = machine.image.program.effects.get(usize::from(asked));
            if name.is_none_or(|name| name != effect.name.as_str()) {
                return wrong("it waits for something else than its function asks");
            }
            effect.span = function.span(at.unwrap_or_default());
            Ok(())
        }
        (FiberState::Joining(group), Some(Op::Gather { gather, .. })) => {
            let closures = |items: &Value| items.as_list().is_some_and(|list| list.iter().all(is_closure));
            let spec = &machine.image.program.gathers[usize::from(gather)];
            let whole = match &spec.branches {
                GatherBranches::For => is_closure(&group.each),
                GatherBranches::Named(_) | GatherBranches::List(_) => closures(&group.items),
            };
            let total = ops::iter_len(&group.items).unwrap_or_default();
            if !whole || total != group.total as usize {
                return wrong("its branches are no functions, or not as many as it says");
            }
            let kept = group.results.as_list().map_or(0, crate::value::List::len);
            if in_order(spec) && kept != total {
                return wrong("its results are not as many as its branches");
            }
            group.gather = gather;
            Ok(())
        }
        (FiberState::Ready(Some(_)), Some(op)) if result_register(op).is_some() => Ok(()),
        (FiberState::Ready(None), _) => Ok(()),
        _ => wrong("it does not stand where it waits"),
    }
}

/// Whether what ends attempts from outside names the frames of steps, the lowest first.
pub(super) fn attempts(fiber: &Fiber, machine: &Machine) -> Result<(), String> {
    let step = |frame: u32| {
        let frame = fiber.frames.get(frame as usize);
        frame.is_some_and(|frame| machine.image.function(frame.function).kind == FunctionKind::Step)
    };
    let cancels =
        fiber.cancels.iter().all(|cancel| if cancel.then == Then::End { cancel.to == 0 } else { step(cancel.to) });
    let deadlines = fiber.deadlines.iter().all(|deadline| step(deadline.frame));
    let ascend = fiber.cancels.windows(2).all(|two| two[0].to < two[1].to)
        && fiber.deadlines.windows(2).all(|two| two[0].frame < two[1].frame);
    if cancels && deadlines && ascend { Ok(()) } else { Err("what ends its attempts names no steps".into()) }
}

fn is_closure(value: &Value) -> bool {
    matches!(value, Value::Closure(_))
}
