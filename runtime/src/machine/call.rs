//! Calls: arguments become the first registers of a new frame, and nothing is called in Rust.

use wf_lang::program::{FunctionKind, Param, Receiver};

use super::{
    Machine,
    exec::check,
    fiber::{Fiber, Frame, Scope},
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

    /// Calls a function whose arguments stand in the registers from `base` on.
    pub(super) fn call(&self, fiber: &mut Fiber, base: usize, function: u32) -> Result<(), Fault> {
        let params = self.image.function(function).params.len();
        self.push(fiber, base, params, function, &[])
    }

    /// Pushes a frame for the `params` arguments from `base` on.
    fn push(
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
        if callee.scoped {
            self.open_scope(fiber, function, fiber.regs.get(base).cloned());
        }
        fiber.regs.truncate(base + params);
        fiber.regs.extend_from_slice(captures);
        fiber.regs.resize(base + usize::from(callee.registers), Value::Null);
        fiber.frames.push(Frame { function, pc: 0, base: base as u32 });
        Ok(())
    }

    fn open_scope(&self, fiber: &mut Fiber, function: u32, first: Option<Value>) {
        let callee = self.image.function(function);
        let (name, counter) = match (callee.kind, first) {
            (FunctionKind::Ask, Some(Value::Agent(agent))) => {
                let declared = self.image.program.agents.get(agent.declaration() as usize);
                (declared.map_or("agent", |declared| declared.element.as_str()), AGENT_CALLS | agent.declaration())
            }
            _ => (callee.element.as_str(), function),
        };
        let index = fiber.count_call(counter);
        let frame = fiber.frames.len() as u32;
        fiber.scopes.push(Scope { frame, function, name: name.into(), index, ..Scope::default() });
    }

    /// Calls the value at `base` with the `argc` arguments behind it.
    pub(super) fn call_value(&self, fiber: &mut Fiber, base: usize, argc: u16, checked: bool) -> Result<(), Fault> {
        let argc = usize::from(argc);
        let callee = fiber.regs[base].take();
        match callee {
            Value::Closure(closure) => {
                let function = closure.function().0;
                for index in 0..argc {
                    fiber.regs[base + index] = fiber.regs[base + 1 + index].take();
                }
                let params = self.arguments(fiber, base, argc, function, checked)?;
                self.push(fiber, base, params, function, closure.captures())
            }
            Value::Agent(agent) => {
                let Some(ask) = self.image.program.ask else {
                    return Err(Fault::new(Kind::Type, "this program has no agents"));
                };
                fiber.regs[base] = Value::Agent(agent);
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
            fiber.regs[base] = function.clone();
            return self.call_value(fiber, base, argc, true);
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
