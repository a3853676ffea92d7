//! `gather` and `race`: branches as fibers, started as the limit allows, joined by the fiber that made them.
//!
//! No branch outlives its construct. Once it is decided what the construct comes to (all are done, enough have finished,
//! one has failed), the branches that are under way are cancelled, and the fiber that joins them goes on when the last of
//! them has ended.

use std::collections::BTreeSet;

use wf_lang::program::{Gather, GatherBranches, GatherMode};

use super::{
    Machine,
    call::{GATHERS, RACES},
    fiber::{Delivered, End, Ending, Fiber, FiberState, Group, MAX_FRAMES, Then},
};
use crate::{
    fault::{Fault, Kind},
    ops,
    value::{List, Map, Shape, Str, Value},
};

impl Machine {
    /// Makes the group of branches whose parts stand in the registers from `from` on.
    pub(super) fn gather(&mut self, fiber: &mut Fiber, from: usize, gather: u16) -> Result<Box<Group>, Fault> {
        let image = std::sync::Arc::clone(&self.image);
        let spec = &image.program.gathers[usize::from(gather)];
        let mut operands = from..;
        let mut take = || operands.next().map_or(Value::Null, |reg| fiber.regs[reg].take());
        let limit = match spec.limit.then(&mut take) {
            None => u32::MAX,
            Some(limit) => count("limit", &limit, 1)?,
        };
        let first = match spec.first.then(&mut take) {
            None => None,
            Some(first) => Some(count("first", &first, 0)?),
        };
        let (items, each, total) = match &spec.branches {
            GatherBranches::For => {
                let items = take();
                let total = ops::iter_len(&items)?;
                (items, take(), total)
            }
            GatherBranches::Named(keys) => {
                (Value::list(keys.iter().map(|_| take()).collect())?, Value::Null, keys.len())
            }
            GatherBranches::List(count) => {
                let count = usize::from(*count);
                (Value::list((0..count).map(|_| take()).collect())?, Value::Null, count)
            }
        };
        let Ok(total) = u32::try_from(total) else {
            return Err(Self::limit(format!("a `{}` has too many branches", name(spec))));
        };
        let wanted = wanted(spec, first, total)?;
        if fiber.depth + fiber.frames.len() >= MAX_FRAMES {
            return Err(Self::limit(format!("more than {MAX_FRAMES} nested calls")));
        }
        let path = path(fiber, spec);
        let kept = if in_order(spec) { total } else { 0 };
        Ok(Box::new(Group {
            gather,
            items,
            each,
            total,
            started: 0,
            ended: 0,
            limit,
            wanted,
            results: Value::List(List::collect((0..kept).map(|_| Value::Null))?),
            ending: (wanted == 0).then_some(Ending::Results),
            left: None,
            path: path.as_str().into(),
            children: BTreeSet::new(),
            busy: 0,
        }))
    }

    /// Starts as many branches of a fiber's group as may run, or lets the fiber go on when its group has come to its end.
    pub(super) fn spawn(&mut self, parent: u32) {
        loop {
            let Some(mut joining) = self.fibers.remove(&parent) else { return };
            let child = self.next_branch(&mut joining);
            self.fibers.insert(parent, joining);
            let Some(mut child) = child else { break };
            self.turns.last(&mut child);
            self.fibers.insert(child.id, child);
        }
        self.join(parent);
    }

    /// The next branch of a fiber's group, if there is one and the limit allows it.
    fn next_branch(&mut self, joining: &mut Fiber) -> Option<Fiber> {
        let image = std::sync::Arc::clone(&self.image);
        let around = self.around(joining, String::new());
        let depth = joining.depth + joining.frames.len();
        let FiberState::Joining(group) = &mut joining.state else { return None };
        if group.ending.is_some() || group.started == group.total || group.started - group.ended >= group.limit {
            return None;
        }
        let branch = group.started;
        let id = self.next_fiber;
        let spec = &image.program.gathers[usize::from(group.gather)];
        let (closure, mut args) = match &spec.branches {
            GatherBranches::For => {
                let (key, item) = ops::iter_next(&group.items, branch as usize)?;
                (group.each.clone(), vec![key, item])
            }
            GatherBranches::Named(_) | GatherBranches::List(_) => {
                (group.items.as_list()?.get(branch as usize)?.clone(), Vec::new())
            }
        };
        let Value::Closure(closure) = closure else { return None };
        let function = image.find(closure.function())?;
        // The element is the last parameter; without an index it is the only one.
        args.drain(..args.len().saturating_sub(function.params.len()));
        let name = match &spec.branches {
            GatherBranches::Named(keys) => keys.get(branch as usize).map(ToString::to_string),
            GatherBranches::For | GatherBranches::List(_) => None,
        };
        let name = name.unwrap_or_else(|| branch.to_string());
        let path: Str = match spec.mode {
            GatherMode::Observe => group.path.clone(),
            _ => format!("{}.{name}", group.path.as_str()).as_str().into(),
        };
        group.started += 1;
        group.children.insert(id);
        group.busy += 1;
        self.next_fiber += 1;
        let mut child =
            Fiber::new(id, Some((joining.id, branch)), super::Around { path, own_context: false, ..around });
        child.depth = depth;
        if spec.mode == GatherMode::Observe {
            super::testing::observe(&mut child, joining);
        }
        child.look_at = child.look_at.min(MAX_FRAMES.saturating_sub(depth));
        self.enter(&mut child, closure.function().0, args, closure.captures());
        Some(child)
    }

    /// A fiber has come to its end.
    pub(super) fn finished(&mut self, fiber: Fiber, end: End) {
        self.gone.push((fiber.id, fiber.saved_segments));
        let Some((parent, branch)) = fiber.parent else {
            self.end = Some(end);
            return;
        };
        self.boundary = true;
        let image = std::sync::Arc::clone(&self.image);
        let Some(joining) = self.fibers.get_mut(&parent) else { return };
        self.turns.mark(joining);
        let FiberState::Joining(group) = &joining.state else { return };
        if image.program.gathers[usize::from(group.gather)].mode == GatherMode::Observe {
            super::testing::observed(joining, &fiber);
        }
        let FiberState::Joining(group) = &mut joining.state else { return };
        group.children.remove(&fiber.id);
        group.busy = group.busy.saturating_sub(u32::from(!fiber.quiet));
        group.ended += 1;
        match end {
            _ if group.ending.is_some() => group.left = group.left.take().or(left(end)),
            end => {
                group.ending = group.take(&image.program.gathers[usize::from(group.gather)], branch, end);
                if group.ending.is_some() {
                    let others: Vec<u32> = group.children.iter().copied().collect();
                    others.into_iter().for_each(|other| self.cancel_fiber(other, 0, Then::End));
                }
            }
        }
        self.spawn(parent);
    }

    /// Lets a fiber go on whose group has come to its end.
    fn join(&mut self, parent: u32) {
        let image = std::sync::Arc::clone(&self.image);
        let Some(joining) = self.fibers.get_mut(&parent) else { return };
        let FiberState::Joining(group) = &mut joining.state else { return };
        if !group.children.is_empty() {
            return;
        }
        let left = group.left.take();
        let delivered = match (group.ending.take(), left) {
            (None, _) => return,
            (Some(Ending::Error(error)), _) => Delivered::Thrown(error),
            (Some(Ending::Results), Some(error)) => Delivered::Thrown(error),
            (Some(Ending::Results), None) => group.value(&image.program.gathers[usize::from(group.gather)]).into(),
            (Some(Ending::Cancelled), left) => {
                joining.left = left.or(joining.left.take());
                Delivered::Value(Value::Null)
            }
        };
        joining.state = FiberState::Ready(Some(delivered));
        self.turns.last(joining);
    }
}

/// The error of a branch whose construct wants none of it any more.
fn left(end: End) -> Option<Value> {
    match end {
        End::Value(_) => None,
        End::Error(fault) => Some(fault.into_value()),
        End::Cancelled(left) => left,
    }
}

impl Group {
    /// Takes what a branch has come to; gives what the group comes to if that is decided now.
    fn take(&mut self, spec: &Gather, branch: u32, end: End) -> Option<Ending> {
        let outcome = match end {
            End::Value(value) => Ok(value),
            End::Error(fault) => Err(fault),
            End::Cancelled(_) => Err(Machine::nobody_cancelled()),
        };
        let kept = self.result(spec, branch, outcome).and_then(|result| match &mut self.results {
            Value::List(results) if in_order(spec) => results.set(branch as usize, result).map(drop),
            Value::List(results) => results.push(result),
            _ => Ok(()),
        });
        match kept {
            Err(fault) => Some(Ending::Error(fault.into_value())),
            Ok(()) => (self.ended == self.wanted).then_some(Ending::Results),
        }
    }

    /// What is kept of a branch.
    fn result(&self, spec: &Gather, branch: u32, outcome: Result<Value, Fault>) -> Result<Value, Fault> {
        match (spec.mode, &spec.branches, outcome) {
            (GatherMode::All, _, outcome) => outcome,
            (GatherMode::Race, GatherBranches::Named(_), Ok(value)) => {
                Value::record([("key", self.item(spec, branch)), ("value", value)])
            }
            (GatherMode::Race, _, outcome) => outcome,
            (GatherMode::Observe, _, Ok(value)) => Value::record([("output", value)]),
            (GatherMode::Observe, _, Err(fault)) => Value::record([("error", fault.into_value())]),
            (GatherMode::Settle, _, Ok(value)) => {
                Value::record([("ok", Value::Bool(true)), ("value", value), ("item", self.item(spec, branch))])
            }
            (GatherMode::Settle, _, Err(fault)) => Value::record([
                ("ok", Value::Bool(false)),
                ("error", fault.into_value()),
                ("item", self.item(spec, branch)),
            ]),
        }
    }

    /// What a branch is about: its element, its name, or its index.
    fn item(&self, spec: &Gather, branch: u32) -> Value {
        match &spec.branches {
            GatherBranches::For => ops::iter_next(&self.items, branch as usize).map_or(Value::Null, |(_, item)| item),
            GatherBranches::Named(keys) => {
                keys.get(branch as usize).map_or(Value::Null, |key| Value::str(key.as_str()))
            }
            GatherBranches::List(_) => Value::Int(i64::from(branch)),
        }
    }

    /// The value of the whole.
    fn value(&mut self, spec: &Gather) -> Result<Value, Fault> {
        let results = self.results.take();
        match &spec.branches {
            _ if matches!(spec.mode, GatherMode::Race | GatherMode::Observe) => {
                Ok(results.as_list().and_then(|list| list.get(0).cloned()).unwrap_or_default())
            }
            GatherBranches::Named(keys) if in_order(spec) => {
                let keys: Vec<Str> = keys.iter().map(|key| Str::from(key.as_str())).collect();
                let results = results.as_list().map_or(&[][..], List::as_slice);
                Map::from_shape(&Shape::of(keys), results.iter().cloned()).map(Value::Map)
            }
            _ => Ok(results),
        }
    }
}

/// Whether results stand by branch, and not in order of finishing.
pub(crate) fn in_order(spec: &Gather) -> bool {
    !spec.first && spec.mode != GatherMode::Race
}

/// The construct as it is written.
pub(super) fn name(spec: &Gather) -> &'static str {
    match spec.mode {
        GatherMode::Race => "race",
        GatherMode::Observe => "observe",
        GatherMode::All | GatherMode::Settle => "gather",
    }
}

/// The path of a construct, counted among those of its kind in its scope.
fn path(fiber: &mut Fiber, spec: &Gather) -> String {
    let counter = match spec.mode {
        GatherMode::Observe => return fiber.path(),
        GatherMode::Race => RACES,
        GatherMode::All | GatherMode::Settle => GATHERS,
    };
    let index = fiber.count_call(counter);
    let (path, name) = (fiber.path(), name(spec));
    if path.is_empty() { format!("{name}[{index}]") } else { format!("{path}/{name}[{index}]") }
}

/// How many of the branches have to finish.
fn wanted(spec: &Gather, first: Option<u32>, total: u32) -> Result<u32, Fault> {
    match (spec.mode, first) {
        (GatherMode::Race, _) if total == 0 => Err(Machine::limit("a `race` needs a branch, found none")),
        (GatherMode::Race, _) => Ok(1),
        (_, Some(first)) if first > total => {
            let branches = if total == 1 { "branch" } else { "branches" };
            Err(Machine::limit(format!("`first {first}` needs as many branches, found {total} {branches}")))
        }
        (_, Some(first)) => Ok(first),
        (_, None) => Ok(total),
    }
}

fn count(what: &str, value: &Value, least: i64) -> Result<u32, Fault> {
    match value {
        Value::Int(count) if *count >= least => Ok(u32::try_from(*count).unwrap_or(u32::MAX)),
        other => {
            let message = format!("`{what}` takes an int of at least {least}, found {}", ops::describe(other));
            Err(Fault::new(Kind::Type, message))
        }
    }
}
