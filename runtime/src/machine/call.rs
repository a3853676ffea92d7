//! Calls: arguments become the first registers of a new frame, and nothing is called in Rust.

use wf_lang::program::{FunctionKind, Param, Receiver};

use super::{
    Image, Machine,
    fiber::{Cancel, Deadline, Fiber, Frame, Scope, Then, count_call},
    path,
    rare::check,
};
use crate::{
    fault::{Fault, Kind},
    ops,
    validate::{accepts, fits},
    value::Value,
};

/// The counter of an agent's calls, apart from those of functions.
const AGENT_CALLS: u32 = 1 << 31;
/// The counters of a scope's `gather`s and `race`s.
pub(super) const GATHERS: u32 = u32::MAX;
pub(super) const RACES: u32 = u32::MAX - 1;

impl Machine {
    /// Pushes the first frame of a fiber.
    pub(super) fn enter(&self, fiber: &mut Fiber, function: u32, args: Vec<Value>, captures: &[Value]) {
        fiber.regs.extend(args);
        fiber.regs.extend_from_slice(captures);
        fiber.regs.resize(usize::from(self.image.function(function).registers), Value::Null);
        fiber.frames.push(Frame { function, pc: 0, base: 0 });
    }

    /// Pushes a frame for the `params` arguments from `base` on.
    pub(super) fn push(
        &self,
        fiber: &mut Fiber,
        base: usize,
        params: usize,
        function: u32,
        captures: &[Value],
    ) -> Result<(), Fault> {
        if fiber.frames.len() >= fiber.look_at {
            self.look(fiber)?;
        }
        let callee = self.image.function(function);
        let end = base + params + captures.len().max(usize::from(callee.registers));
        if fiber.regs.len() < end {
            fiber.regs.resize(end, Value::Null);
        }
        if callee.scoped {
            let Fiber { regs, frames, scopes, low_water, .. } = fiber;
            open_scope(&self.image, function, &regs[base], frames.len(), scopes, low_water);
        }
        fiber.regs[base + params..][..captures.len()].clone_from_slice(captures);
        fiber.frames.push(Frame { function, pc: 0, base: base as u32 });
        Ok(())
    }

    /// Calls the value at `callee` with the `argc` arguments from `base` on.
    pub(super) fn call_value(
        &self,
        fiber: &mut Fiber,
        base: usize,
        callee: usize,
        argc: usize,
        checked: bool,
    ) -> Result<(), Fault> {
        match fiber.regs[callee].clone() {
            Value::Closure(closure) => {
                let function = closure.function().0;
                let params = self.arguments(fiber, base, argc, function, checked)?;
                self.push(fiber, base, params, function, closure.captures())
            }
            agent @ Value::Agent(_) => {
                let Some(ask) = self.image.program.ask else {
                    return Err(Fault::new(Kind::Type, "this program has no agents"));
                };
                // The agent is the first argument.
                fiber.regs[base + argc] = agent;
                fiber.regs[base..=base + argc].rotate_right(1);
                let params = self.arguments(fiber, base, argc + 1, ask.0, checked)?;
                self.push(fiber, base, params, ask.0, &[])
            }
            other => Err(Fault::new(Kind::Type, format!("{} cannot be called", ops::describe(&other)))),
        }
    }

    /// Makes the `argc` values from `base` on into one for each parameter.
    fn arguments(
        &self,
        fiber: &mut Fiber,
        base: usize,
        argc: usize,
        function: u32,
        checked: bool,
    ) -> Result<usize, Fault> {
        let callee = self.image.function(function);
        let params = callee.params.as_slice();
        if argc > params.len() {
            let message = format!("`{}` takes {}, given {argc}", callee.name, count(params.len(), "argument"));
            return Err(Fault::new(Kind::Type, message));
        }
        if fiber.regs.len() < base + params.len() {
            fiber.regs.resize(base + params.len(), Value::Null);
        }
        for (index, param) in params.iter().enumerate() {
            let reg = &mut fiber.regs[base + index];
            if index >= argc {
                if !param.has_default {
                    let message = format!("`{}` needs an argument for `{}`", callee.name, param.name);
                    return Err(Fault::new(Kind::Type, message));
                }
                *reg = Value::Missing;
            } else if checked && !matches!(reg, Value::Missing) {
                check(&self.image.program.types, param.ty, reg).map_err(|misfit| {
                    let message = format!("argument `{}` of `{}`: {misfit}", param.name, callee.name);
                    Fault::new(Kind::Type, message)
                })?;
            }
        }
        Ok(params.len())
    }

    /// Calls the method that the value at `base` has, with the `argc` arguments behind it.
    pub(super) fn call_method(&self, fiber: &mut Fiber, base: usize, name: u16, argc: u16) -> Result<(), Fault> {
        let name = &self.image.names[usize::from(name)];
        let receiver = &fiber.regs[base];
        // A field that holds a function comes before a method, as it does for values of known type.
        if let Value::Map(map) = receiver
            && let Some(function @ (Value::Closure(_) | Value::Agent(_))) = map.get(name)
        {
            let argc = usize::from(argc);
            fiber.regs[base] = function.clone();
            // The function behind its arguments.
            fiber.regs[base..=base + argc].rotate_left(1);
            return self.call_value(fiber, base, base + argc, argc, true);
        }
        let Some(function) = self.method(&fiber.regs[base..=base + usize::from(argc)], name) else {
            let message = format!("{} has no method `{}`", ops::describe(receiver), name.as_str());
            return Err(Fault::new(Kind::Type, message));
        };
        let params = self.arguments(fiber, base, usize::from(argc) + 1, function, true)?;
        self.push(fiber, base, params, function, &[])
    }

    /// The method that a receiver has: of several with one name, the first that takes it and the arguments behind it.
    fn method(&self, given: &[Value], name: &str) -> Option<u32> {
        let kind = given.first().and_then(receiver_kind);
        let methods = &self.image.program.methods;
        let mut named = methods.iter().filter(|method| method.name == name && Some(method.receiver) == kind);
        let first = named.next()?.function.0;
        let mut others = named.map(|method| method.function.0).peekable();
        if others.peek().is_none() || self.takes(first, given) {
            return Some(first);
        }
        Some(others.find(|function| self.takes(*function, given)).unwrap_or(first))
    }

    fn takes(&self, function: u32, given: &[Value]) -> bool {
        let params = &self.image.function(function).params;
        let types = &self.image.program.types;
        let fits = |(index, param): (usize, &Param)| match given.get(index) {
            Some(Value::Missing) | None => param.has_default,
            Some(value) => accepts(types, param.ty, value) || fits(types, param.ty, value.clone()).is_ok(),
        };
        given.len() <= params.len() && params.iter().enumerate().all(fits)
    }

    /// Calls what computes the settings of the agent at `base`.
    pub(super) fn call_settings(&self, fiber: &mut Fiber, base: usize) -> Result<(), Fault> {
        let Value::Agent(agent) = &fiber.regs[base] else {
            return Err(Fault::new(Kind::Type, format!("{} is no agent", ops::describe(&fiber.regs[base]))));
        };
        let Some(declared) = self.image.program.agents.get(agent.declaration() as usize) else {
            return Err(Fault::new(Kind::Type, "this agent is not declared in the program"));
        };
        self.push(fiber, base, 0, declared.settings.0, &[])
    }
}

/// Opens the scope of a call, which begins with frame `frame` and has `first` as its first argument.
#[inline(never)]
pub(super) fn open_scope(
    image: &Image,
    function: u32,
    first: &Value,
    frame: usize,
    scopes: &mut Vec<Scope>,
    low_water: &mut usize,
) {
    let callee = image.function(function);
    let (name, counter) = match (callee.kind, first) {
        (FunctionKind::Ask, Value::Agent(agent)) => {
            let declared = image.program.agents.get(agent.declaration() as usize);
            let name = declared.map_or("agent", |declared| declared.element.as_str());
            (name.into(), AGENT_CALLS | agent.declaration())
        }
        _ => (image.elements[function as usize].clone(), function),
    };
    let index = count_call(scopes, low_water, counter);
    path::open(scopes, Scope { frame: frame as u32, function, name, index, ..Scope::default() });
}

/// Closes the scopes of the calls whose frames are gone: those from `frames` on, with what was to happen to their steps.
#[inline(never)]
pub(super) fn close_scopes(
    scopes: &mut Vec<Scope>,
    deadlines: &mut Vec<Deadline>,
    cancels: &mut Vec<Cancel>,
    frames: usize,
) {
    while scopes.len() > 1 && scopes.last().is_some_and(|scope| scope.frame as usize >= frames) {
        scopes.pop();
        deadlines.retain(|deadline| (deadline.frame as usize) < frames);
        cancels.retain(|cancel| (cancel.to as usize) < frames || cancel.then == Then::End);
    }
}

/// Puts what the function value in a register has captured into those from `from` on, which lie behind it.
#[inline(never)]
pub(super) fn capture(registers: &mut Vec<Value>, callee: usize, from: usize) {
    let count = match registers.get(callee) {
        Some(Value::Closure(closure)) => closure.captures().len(),
        _ => return,
    };
    if registers.len() < from + count {
        registers.resize(from + count, Value::Null);
    }
    let (before, behind) = registers.split_at_mut(from);
    if let Some(Value::Closure(closure)) = before.get(callee) {
        for (reg, captured) in behind.iter_mut().zip(closure.captures()) {
            reg.assign(captured.clone());
        }
    }
}

fn receiver_kind(value: &Value) -> Option<Receiver> {
    match value {
        Value::Str(_) => Some(Receiver::String),
        Value::List(_) | Value::Range(_) => Some(Receiver::List),
        Value::Map(_) => Some(Receiver::Map),
        Value::Int(_) | Value::Float(_) => Some(Receiver::Number),
        Value::Duration(_) => Some(Receiver::Duration),
        Value::Time(_) => Some(Receiver::Time),
        Value::Bytes(_) => Some(Receiver::Bytes),
        Value::Agent(_) => Some(Receiver::Agent),
        Value::Null
        | Value::Missing
        | Value::Bool(_)
        | Value::Closure(_)
        | Value::Type(_)
        | Value::Secret(_)
        | Value::Tool(_) => None,
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
