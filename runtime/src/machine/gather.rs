//! `gather`: branches as fibers, started as the limit allows, joined by the fiber that made them.
//!
//! No branch outlives its construct: the first fault cancels the others, and is thrown where the branches are joined.

use std::collections::BTreeSet;

use wf_lang::program::GatherBranches;

use super::{
    Machine,
    call::GATHERS,
    fiber::{Fiber, FiberState, Group, Outcome},
};
use crate::{
    event::CallEvent,
    fault::{Fault, Kind},
    ops,
    value::{List, Map, Shape, Str, Value},
};

impl Machine {
    /// Makes the group of branches whose parts stand in the registers from `from` on.
    pub(super) fn gather(&mut self, fiber: &mut Fiber, from: usize, gather: u16) -> Result<Box<Group>, Fault> {
        let image = std::sync::Arc::clone(&self.image);
        let spec = &image.program.gathers[usize::from(gather)];
        let mut take = |index: usize| fiber.regs[from + index].take();
        let (items, each, total, parts) = match &spec.branches {
            GatherBranches::For => {
                let items = take(0);
                let total = ops::iter_len(&items)?;
                (items, take(1), total, 2)
            }
            GatherBranches::Named(keys) => {
                let branches = (0..keys.len()).map(&mut take).collect();
                (Value::list(branches)?, Value::Null, keys.len(), keys.len())
            }
            GatherBranches::List(count) => {
                let count = usize::from(*count);
                let branches = (0..count).map(&mut take).collect();
                (Value::list(branches)?, Value::Null, count, count)
            }
        };
        let limit = match spec.limit.then(|| take(parts)) {
            None => u32::MAX,
            Some(Value::Int(limit)) if limit > 0 => u32::try_from(limit).unwrap_or(u32::MAX),
            Some(other) => {
                let message = format!("`limit` takes an int of at least 1, found {}", ops::describe(&other));
                return Err(Fault::new(Kind::Type, message));
            }
        };
        let Ok(total) = u32::try_from(total) else {
            return Err(Self::limit("a `gather` has too many branches"));
        };
        let index = fiber.count_call(GATHERS);
        let path = fiber.path();
        let path = if path.is_empty() { format!("gather[{index}]") } else { format!("{path}/gather[{index}]") };
        Ok(Box::new(Group {
            gather,
            items,
            each,
            total,
            started: 0,
            done: 0,
            limit,
            results: Value::List(List::collect((0..total).map(|_| Value::Null))?),
            path: path.as_str().into(),
            children: BTreeSet::new(),
        }))
    }

    /// Starts as many branches of a fiber's group as may run, or ends the group when all are done.
    pub(super) fn spawn(&mut self, parent: u32) {
        loop {
            let Some(mut joining) = self.fibers.remove(&parent) else { return };
            let child = self.next_branch(&mut joining);
            self.fibers.insert(parent, joining);
            let Some(child) = child else { break };
            self.ready.push_back(child.id);
            self.fibers.insert(child.id, child);
        }
        self.join(parent);
    }

    /// The next branch of a fiber's group, if there is one and the limit allows it.
    fn next_branch(&mut self, joining: &mut Fiber) -> Option<Fiber> {
        let image = std::sync::Arc::clone(&self.image);
        let around = self.around(joining, String::new());
        let FiberState::Joining(group) = &mut joining.state else { return None };
        if group.started == group.total || group.started - group.done >= group.limit {
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
        let path: Str = format!("{}.{name}", group.path.as_str()).as_str().into();
        group.started += 1;
        group.children.insert(id);
        self.next_fiber += 1;
        let mut child = Fiber::new(id, Some((joining.id, branch)), super::Around { path, ..around });
        self.enter(&mut child, closure.function().0, args, closure.captures());
        Some(child)
    }

    /// A fiber has come to its end.
    pub(super) fn finished(&mut self, fiber: Fiber, outcome: Outcome) {
        self.gone.push((fiber.id, fiber.saved_segments));
        let Some((parent, branch)) = fiber.parent else {
            self.outcome = Some(outcome);
            return;
        };
        self.boundary = true;
        let Some(joining) = self.fibers.get_mut(&parent) else { return };
        joining.ran = true;
        let FiberState::Joining(group) = &mut joining.state else { return };
        group.children.remove(&fiber.id);
        let kept = outcome.and_then(|value| match &mut group.results {
            Value::List(results) => results.set(branch as usize, value),
            _ => Ok(false),
        });
        match kept {
            Ok(_) => {
                group.done += 1;
                self.spawn(parent);
            }
            Err(fault) => {
                self.cancel_branches(parent);
                self.wake(parent, Err(fault));
            }
        }
    }

    /// Lets a fiber go on whose branches are all done.
    fn join(&mut self, parent: u32) {
        let Some(FiberState::Joining(group)) = self.fibers.get_mut(&parent).map(|joining| &mut joining.state) else {
            return;
        };
        if group.done < group.total {
            return;
        }
        let results = group.results.take();
        let outcome = match &self.image.program.gathers[usize::from(group.gather)].branches {
            GatherBranches::Named(keys) => {
                let keys: Vec<Str> = keys.iter().map(|key| Str::from(key.as_str())).collect();
                let results = results.as_list().map_or(&[][..], List::as_slice);
                Map::from_shape(&Shape::of(keys), results.iter().cloned()).map(Value::Map)
            }
            GatherBranches::For | GatherBranches::List(_) => Ok(results),
        };
        self.wake(parent, outcome);
    }

    fn wake(&mut self, fiber: u32, outcome: Outcome) {
        if let Some(joining) = self.fibers.get_mut(&fiber) {
            joining.state = FiberState::Ready(Some(outcome.into()));
            joining.ran = true;
            self.ready.push_back(fiber);
        }
    }

    /// Ends every branch below a fiber, innermost first.
    fn cancel_branches(&mut self, parent: u32) {
        let mut todo = vec![parent];
        let mut below = Vec::new();
        while let Some(id) = todo.pop() {
            if let Some(FiberState::Joining(group)) = self.fibers.get_mut(&id).map(|fiber| &mut fiber.state) {
                let children = std::mem::take(&mut group.children);
                below.extend(children.iter().copied());
                todo.extend(children);
            }
        }
        for id in below.into_iter().rev() {
            let Some(fiber) = self.fibers.remove(&id) else { continue };
            for count in (1..=fiber.scopes.len()).rev() {
                self.tell_call(&fiber, count, CallEvent::Cancelled, Vec::new());
            }
            self.gone.push((id, fiber.saved_segments));
            if let FiberState::Waiting(effect) = fiber.state {
                self.cancelled.push(*effect);
            }
        }
    }
}
