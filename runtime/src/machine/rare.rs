//! Ops that need the whole machine, or are seldom: what the loop over ops does not do itself.

use wf_lang::program::{Op, Reg, TypeId, Types};

use super::{Machine, Stop, fiber::Fiber};
use crate::{
    fault::{Fault, Kind},
    ops, schema,
    validate::{self, Misfit},
    value::{Agent, Arc, Map, Value},
};

impl Machine {
    /// Does an op of the top frame, which stands behind it.
    pub(super) fn rare(&mut self, fiber: &mut Fiber, op: Op) -> Result<Option<Stop>, Fault> {
        let Some(frame) = fiber.frames.last().copied() else { return Ok(None) };
        let base = frame.base as usize;
        macro_rules! reg {
            ($r:expr) => {
                fiber.regs[base + usize::from($r)]
            };
        }
        match op {
            Op::SetGlobal { src, global } => {
                self.globals[global as usize] = reg!(src).take();
                self.root_changed = true;
            }
            Op::Agent { dst, agent } => {
                reg!(dst) = Value::Agent(Arc::new(Agent::new(agent, Map::new())?));
            }
            Op::Schema { dst, ty } => {
                let schema = schema::schema(&self.image.program.types, TypeId(ty));
                reg!(dst) = crate::json::from_json(&schema)?;
            }
            Op::Call { base: first, function } => {
                let params = self.image.function(function).params.len();
                self.push(fiber, base + usize::from(first), params, function, &[])?;
                return Ok(self.burn());
            }
            Op::CallValue { base: first, callee, argc, checked } => {
                let (callee, argc) = (base + usize::from(callee), usize::from(argc));
                self.call_value(fiber, base + usize::from(first), callee, argc, checked)?;
                return Ok(self.burn());
            }
            Op::Apply { base: first } => self.apply(fiber, base + usize::from(first))?,
            Op::CallMethod { base: first, name, argc } => {
                self.call_method(fiber, base + usize::from(first), name, argc)?;
                return Ok(self.burn());
            }
            Op::CallSettings { base: first } => self.call_settings(fiber, base + usize::from(first))?,
            Op::Effect { base: first, effect, argc } => {
                let args = take(fiber, base, first, argc);
                let span = self.image.function(frame.function).span(frame.pc - 1);
                return Ok(Some(Stop::Asked(self.ask(fiber, effect, args, span))));
            }
            Op::Tell { base: first, tell, argc } => {
                let args = take(fiber, base, first, argc);
                self.tell(tell, &args)?;
                reg!(first) = Value::Null;
            }
            Op::Throw { src } => {
                let fault = Fault::from_value(&reg!(src));
                return Ok(self.unwind(fiber, fault, true));
            }
            Op::NoMatch { src } => {
                let found = ops::describe(&reg!(src));
                return Err(Fault::new(Kind::Match, format!("no arm of the match fits {found}")));
            }
            Op::Begin { attempt } => {
                let number = reg!(attempt).as_int().and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
                self.begin(fiber, number);
                return Ok(Some(Stop::Boundary));
            }
            Op::End { .. } => {
                self.end(fiber);
                return Ok(Some(Stop::Boundary));
            }
            Op::Retrying { error, attempt, delay } => {
                let (error, attempt, delay) = (reg!(error).clone(), reg!(attempt).clone(), reg!(delay).clone());
                self.retrying(fiber, &error, &attempt, &delay);
            }
            Op::Resume { .. } | Op::Leave => return Ok(self.leave_finally(fiber, op)),
            Op::Deadline { duration } => {
                let duration = reg!(duration).clone();
                self.deadline(fiber, &duration)?;
            }
            Op::Gather { base: first, gather } => {
                return Ok(Some(Stop::Joins(self.gather(fiber, base + usize::from(first), gather)?)));
            }
            Op::Outermost { dst } => {
                let outermost = self.outermost(fiber);
                reg!(dst) = Value::Bool(outermost);
            }
            Op::Ctx { dst, member } => reg!(dst) = self.ctx(fiber, member),
            _ => {}
        }
        Ok(None)
    }

    /// Counts a call.
    fn burn(&mut self) -> Option<Stop> {
        match self.fuel.checked_sub(1) {
            Some(left) => {
                self.fuel = left;
                None
            }
            None => Some(Stop::OutOfFuel),
        }
    }

    /// Writes the result of what the top frame waits for to its register.
    pub(super) fn deliver(&self, fiber: &mut Fiber, value: Value) {
        let Some(frame) = fiber.frames.last() else { return };
        let op = self.image.function(frame.function).code.get((frame.pc as usize).wrapping_sub(1));
        if let Some(base) = op.and_then(|op| result_register(*op))
            && let Some(reg) = fiber.regs.get_mut(frame.base as usize + usize::from(base))
        {
            *reg = value;
        }
    }
}

/// Brings a value into a type's form; one that does not fit stays as it is.
pub(super) fn check(types: &Types, ty: TypeId, value: &mut Value) -> Result<(), Misfit> {
    if !validate::accepts(types, ty, value) {
        *value = validate::fits(types, ty, value.clone())?;
    }
    Ok(())
}

/// Brings a value into a type's form as if it came from outside; one that does not fit stays as it is.
pub(super) fn convert(types: &Types, ty: TypeId, value: &mut Value) -> Result<(), Fault> {
    *value = validate::fits_outside(types, ty, value.clone())?;
    Ok(())
}

fn take(fiber: &mut Fiber, base: usize, first: Reg, count: u16) -> Vec<Value> {
    let from = base + usize::from(first);
    fiber.regs[from..from + usize::from(count)].iter_mut().map(std::mem::take).collect()
}

/// The register that receives the result of a safe point's op.
pub(crate) fn result_register(op: Op) -> Option<Reg> {
    match op {
        Op::Call { base, .. }
        | Op::CallValue { base, .. }
        | Op::Apply { base }
        | Op::CallMethod { base, .. }
        | Op::CallSettings { base }
        | Op::Effect { base, .. }
        | Op::Gather { base, .. } => Some(base),
        _ => None,
    }
}
