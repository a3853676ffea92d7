//! Steps and workflows as they begin and end, and what `ctx` says about them.

use wf_lang::program::{Function, FunctionKind, op::CtxMember};

use super::{
    Around, Machine, Outcome,
    fiber::{Counts, Fiber},
};
use crate::{
    effect::{Effect, EffectKind, idempotency_key},
    event::{CallEvent, Event},
    fault::{Fault, Kind},
    json,
    value::{Str, Value},
};

/// Whether the world has dealt with a call and said no, as against a call of which nothing came back.
pub(super) fn answered_with_error(effect: &Effect, outcome: &Outcome) -> bool {
    effect.kind() == EffectKind::Outside && outcome.as_ref().err().is_some_and(dealt_with)
}

/// Whether an error of a call says that the world has dealt with it.
pub(crate) fn dealt_with(fault: &Fault) -> bool {
    matches!(fault.kind, Kind::Http | Kind::Exec)
}

impl Machine {
    /// An attempt of a step, or a workflow, begins.
    pub(super) fn begin(&mut self, fiber: &mut Fiber, attempt: u32) {
        if let Some(scope) = fiber.scopes.last_mut() {
            scope.attempt = attempt;
            // What an attempt calls has the same paths as what the one before it called.
            if attempt > 1 {
                scope.counts = scope.before.as_deref().cloned().unwrap_or_default();
            } else if scope.counts != Counts::default() {
                scope.before = Some(Box::new(scope.counts.clone()));
            }
        }
        self.tell_call(fiber, fiber.scopes.len(), CallEvent::Started, Vec::new());
        self.boundary = true;
    }

    /// A step or workflow has its value.
    pub(super) fn end(&mut self, fiber: &mut Fiber) {
        self.forget_answers(fiber);
        self.tell_call(fiber, fiber.scopes.len(), CallEvent::Completed, Vec::new());
        self.boundary = true;
        self.drop_deadline(fiber);
        // What happens to the branch before the frame is gone does not happen to this call any more.
        if let Some(scope) = fiber.scopes.last_mut() {
            scope.attempt = 0;
        }
    }

    /// The outermost step of a call's path has ended, so none of its calls is tried again.
    pub(super) fn forget_answers(&mut self, fiber: &Fiber) {
        if self.answered.is_empty() {
            return;
        }
        let step = |scope: &super::Scope| self.kind_of(scope.function) == Some(FunctionKind::Step);
        let steps = fiber.scopes.iter().filter(|scope| step(scope)).count();
        if fiber.around.step.is_none() && steps == 1 && fiber.scopes.last().is_some_and(step) {
            let path = fiber.path();
            let from = self.answered.range((path.clone(), 0)..);
            let calls: Vec<_> =
                from.map(|(call, _)| call).take_while(|(call, _)| call.starts_with(&path)).cloned().collect();
            for call in calls {
                self.answered.remove(&call);
                self.root_changed = true;
            }
        }
    }

    /// Whether a fiber stands in a step.
    pub(super) fn in_step(&self, fiber: u32) -> bool {
        let step = |scope: &super::Scope| self.kind_of(scope.function) == Some(FunctionKind::Step);
        self.fibers.get(&fiber).is_some_and(|fiber| fiber.around.step.is_some() || fiber.scopes.iter().any(step))
    }

    /// A step will be tried again.
    pub(super) fn retrying(&mut self, fiber: &Fiber, error: &Value, attempt: &Value, delay: &Value) {
        let delay = json::to_json(delay).unwrap_or_default();
        let next = attempt.as_int().unwrap_or_default().saturating_add(1);
        let more =
            vec![("error", json::to_json(error).unwrap_or_default()), ("next_attempt", next.into()), ("delay", delay)];
        self.tell_call(fiber, fiber.scopes.len(), CallEvent::Retrying, more);
    }

    /// Tells what happened to the call of the scope before `count`, if it is one of a step or workflow that has begun.
    pub(super) fn tell_call(
        &mut self,
        fiber: &Fiber,
        count: usize,
        what: CallEvent,
        more: Vec<(&'static str, serde_json::Value)>,
    ) {
        let Some(scope) = count.checked_sub(1).and_then(|index| fiber.scopes.get(index)) else { return };
        let Some(function) = self.image.program.functions.get(scope.function as usize) else { return };
        if !function.kind.is_told() || scope.attempt == 0 {
            return;
        }
        let event = Event::Call {
            what,
            step: function.kind == FunctionKind::Step,
            name: function.name.as_str().into(),
            title: function.title.as_ref().map(|title| Str::from(title.as_str())),
            path: fiber.path_to(count),
            attempt: scope.attempt,
            more,
        };
        self.events.push(event);
    }

    /// What a branch of `fiber` knows of the calls around it.
    pub(super) fn around(&self, fiber: &Fiber, path: String) -> Around {
        let mut around = Around { path: path.as_str().into(), ..fiber.around.clone() };
        let scopes = || fiber.scopes.iter().enumerate().rev();
        let is = |scope: &super::Scope, kind| self.kind_of(scope.function) == Some(kind);
        if let Some((_, scope)) = scopes().find(|(_, scope)| is(scope, FunctionKind::Workflow)) {
            around.workflow = Some(scope.function);
        }
        if let Some((index, scope)) = scopes().find(|(_, scope)| is(scope, FunctionKind::Step)) {
            around.step = Some((scope.function, scope.attempt));
            around.step_path = fiber.path_to(index + 1).as_str().into();
        }
        around
    }

    fn kind_of(&self, function: u32) -> Option<FunctionKind> {
        self.image.program.functions.get(function as usize).map(|function| function.kind)
    }

    /// The path of the innermost step, or workflow.
    pub(super) fn step_path(&self, fiber: &Fiber) -> Option<Str> {
        let told = |function| self.kind_of(function).is_some_and(FunctionKind::is_told);
        let mut at = fiber;
        loop {
            if let Some(index) = at.scopes.iter().rposition(|scope| told(scope.function)) {
                return Some(at.path_to(index + 1).as_str().into());
            }
            if !at.around.step_path.as_str().is_empty() {
                return Some(at.around.step_path.clone());
            }
            // A branch outside of any step stands in the workflow that made it.
            at = self.fibers.get(&at.parent?.0)?;
        }
    }

    /// A member of `ctx`.
    pub(super) fn ctx(&self, fiber: &Fiber, member: CtxMember) -> Value {
        let around = self.around(fiber, String::new());
        let name = |id: u32, part: fn(&Function) -> &str| {
            self.image.program.functions.get(id as usize).map_or(Value::Null, |function| Value::str(part(function)))
        };
        match member {
            CtxMember::RunId => Value::str(&*self.run),
            CtxMember::Workflow => around.workflow.map_or(Value::Null, |id| name(id, |f| f.name.as_str())),
            CtxMember::WorkflowTitle => {
                around.workflow.map_or(Value::Null, |id| name(id, |f| f.title.as_ref().unwrap_or(&f.name)))
            }
            CtxMember::Step => around.step.map_or(Value::Null, |(id, _)| name(id, |f| f.name.as_str())),
            CtxMember::Attempt => Value::Int(around.step.map_or(1, |(_, attempt)| i64::from(attempt.max(1)))),
            CtxMember::IdempotencyKey => match around.step_path.as_str() {
                "" => Value::str(idempotency_key(&self.run, &self.step_path(fiber).unwrap_or_default(), None)),
                step => Value::str(idempotency_key(&self.run, step, None)),
            },
            CtxMember::IsStreaming => Value::Bool(self.streaming),
            CtxMember::Usage => {
                let (input, output) = self.usage;
                let fields = [
                    ("input_tokens", Value::Int(input)),
                    ("output_tokens", Value::Int(output)),
                    ("total_tokens", Value::Int(input.saturating_add(output))),
                ];
                Value::record(fields).unwrap_or_default()
            }
        }
    }
}
