//! A machine as people look at it: the stack of every branch, where it stands in the source, and what it waits for.

use serde_json::{Map, Value as Json, json};

use super::{FiberState, Machine, fiber::Fiber};
use crate::{
    effect::{Effect, EffectKind},
    ops,
    request::Request,
    store::Millis,
    value::Value,
};

impl Machine {
    /// The fibers as `wf show --json` gives them: `[{ path, waits_for, frames: [{ function, file, line, column,
    /// locals }] }]`, innermost frame first.
    pub fn view(&self) -> Json {
        self.fibers.values().map(|fiber| self.fiber_view(fiber)).collect()
    }

    /// The path of each fiber that lives.
    pub fn paths(&self) -> std::collections::BTreeMap<u32, String> {
        self.fibers.iter().map(|(id, fiber)| (*id, fiber.path().to_string())).collect()
    }

    /// The requests that are open, as they are published, oldest first.
    pub fn open_requests(&self) -> Vec<Json> {
        let asked = self.open_effects().into_iter().filter(|effect| effect.kind() == EffectKind::Request);
        let requests = asked.filter_map(|effect| Request::new(&effect, &self.run, &self.image.program.types).ok());
        let mut requests: Vec<Request> = requests.collect();
        requests.sort_by_key(|request| (request.asked_at, request.waits.1));
        requests.into_iter().map(|request| request.json).collect()
    }

    /// The next moment at which something happens by itself: a sleep is over, nobody answered in time, or an attempt of a
    /// step has taken too long.
    pub fn wakes_at(&self) -> Option<Millis> {
        let due = |effect: &Effect| match (effect.kind(), effect.args.first()) {
            (EffectKind::Timer, Some(Value::Time(moment))) => Some(*moment),
            (EffectKind::Request, _) => Request::new(effect, &self.run, &self.image.program.types).ok()?.due_at,
            _ => None,
        };
        self.open_effects().iter().filter_map(due).chain(self.next_deadline()).min()
    }

    fn fiber_view(&self, fiber: &Fiber) -> Json {
        let frames: Vec<Json> =
            (0..fiber.frames.len()).rev().filter_map(|index| self.frame_view(fiber, index)).collect();
        let branch = fiber.around.path.as_str();
        let mut view =
            json!({ "path": fiber.path(), "branch": branch, "waits_for": self.waits_for(fiber), "frames": frames });
        if !fiber.cancels.is_empty() {
            view["cancelled"] = json!(true);
        }
        view
    }

    fn frame_view(&self, fiber: &Fiber, index: usize) -> Option<Json> {
        let frame = fiber.frames.get(index)?;
        let function = self.image.function(frame.function);
        if function.kind == wf_lang::program::FunctionKind::Hidden {
            return None;
        }
        let top = index + 1 == fiber.frames.len();
        let number = self.safe_point_of(fiber, index)?;
        let point = function.safe_points.get(number)?;
        let span = function.span(point.pc);
        let at = self.image.sources.get(usize::from(span.source.0)).map(|source| source.line_column(span.start));
        let mut locals = Map::new();
        for (name, reg) in function.live_locals(point) {
            if let Some(value) = fiber.regs.get(frame.base as usize + usize::from(reg)) {
                let shown = crate::json::to_json(value).unwrap_or_else(|_| json!(ops::display(value)));
                locals.insert(name.to_string(), shown);
            }
        }
        let file = self.image.sources.get(usize::from(span.source.0)).map(|source| source.name.to_string());
        Some(json!({
            "function": function.name.as_str(),
            "file": file,
            "line": at.map(|at| at.line),
            "column": at.map(|at| at.column),
            "locals": locals,
            "top": top,
        }))
    }

    fn waits_for(&self, fiber: &Fiber) -> Json {
        match &fiber.state {
            FiberState::Ready(_) => Json::Null,
            FiberState::Joining(group) => {
                let spec = self.image.program.gathers.get(usize::from(group.gather));
                let kind = spec.map_or("gather", super::gather::name);
                let mut waits = json!({ "kind": kind, "done": group.ended, "total": group.total });
                if group.wanted < group.total && kind == "gather" {
                    waits["wanted"] = json!(group.wanted);
                }
                if group.ending.is_some() {
                    waits["ending"] = json!(true);
                }
                waits
            }
            FiberState::Waiting(effect) => {
                let kind = match effect.kind() {
                    EffectKind::Timer => "timer",
                    EffectKind::Request => "request",
                    EffectKind::Instant | EffectKind::Outside | EffectKind::Hook => "call",
                };
                json!({ "kind": kind, "what": effect.called(), "path": effect.path.as_str() })
            }
        }
    }
}
