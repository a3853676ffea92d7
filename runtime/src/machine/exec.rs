//! One match over the ops.

use std::sync::Arc;

use wf_lang::program::{Op, Reg, TypeId, Types};

use super::{End, Machine, Stop, cancel::After, fiber::Fiber};
use crate::{
    fault::{Fault, Kind},
    native::NativeContext,
    ops, schema,
    validate::{self, Misfit},
    value::{Agent, Closure, List, Map, Range, Value},
};

impl Machine {
    /// Runs one fiber until it stops.
    pub(super) fn exec(&mut self, fiber: &mut Fiber) -> Stop {
        let image = Arc::clone(&self.image);
        if let Some(stop) = self.take_up(fiber) {
            return stop;
        }
        'frames: loop {
            let Some(frame) = fiber.frames.last().copied() else {
                return Stop::Finished(End::Value(Value::Null));
            };
            let function = image.function(frame.function);
            let code = function.code.as_slice();
            let base = frame.base as usize;
            let mut pc = frame.pc as usize;
            fiber.low_water = fiber.low_water.min(fiber.frames.len() - 1);

            macro_rules! reg {
                ($r:expr) => {
                    fiber.regs[base + $r as usize]
                };
            }
            // Leaves the loop over ops with the frame's place written back.
            macro_rules! park {
                ($pc:expr) => {
                    if let Some(top) = fiber.frames.last_mut() {
                        top.pc = $pc as u32;
                    }
                };
            }
            macro_rules! attempt {
                ($result:expr) => {
                    match $result {
                        Ok(value) => value,
                        Err(fault) => {
                            park!(pc);
                            match self.unwind(fiber, fault, false) {
                                Some(stop) => return stop,
                                None => continue 'frames,
                            }
                        }
                    }
                };
            }
            macro_rules! arithmetic {
                ($dst:expr, $a:expr, $b:expr, $checked:ident, $float:tt, $slow:path) => {{
                    let value = match (&reg!($a), &reg!($b)) {
                        (Value::Int(a), Value::Int(b)) => match a.$checked(*b) {
                            Some(value) => Value::Int(value),
                            None => attempt!($slow(&reg!($a), &reg!($b))),
                        },
                        (Value::Float(a), Value::Float(b)) if (a $float b).is_finite() => Value::Float(a $float b),
                        (a, b) => attempt!($slow(a, b)),
                    };
                    reg!($dst) = value;
                }};
            }
            macro_rules! compare {
                ($dst:expr, $a:expr, $b:expr, $op:tt) => {{
                    let holds = match (&reg!($a), &reg!($b)) {
                        (Value::Int(a), Value::Int(b)) => a $op b,
                        (a, b) => attempt!(ops::compare(a, b)) $op std::cmp::Ordering::Equal,
                    };
                    reg!($dst) = Value::Bool(holds);
                }};
            }
            macro_rules! condition {
                ($reg:expr) => {
                    match &reg!($reg) {
                        Value::Bool(holds) => *holds,
                        other => attempt!(ops::condition(other)),
                    }
                };
            }

            loop {
                let op = code[pc];
                pc += 1;
                match op {
                    Op::Null { dst } => reg!(dst) = Value::Null,
                    Op::Bool { dst, value } => reg!(dst) = Value::Bool(value),
                    Op::Int { dst, value } => reg!(dst) = Value::Int(i64::from(value)),
                    Op::Const { dst, constant } => reg!(dst) = image.constants[constant as usize].clone(),
                    Op::Missing { dst } => reg!(dst) = Value::Missing,
                    Op::Copy { dst, src } => {
                        let value = reg!(src).clone();
                        reg!(dst) = value;
                    }
                    Op::Move { dst, src } => {
                        let value = std::mem::take(&mut reg!(src));
                        reg!(dst) = value;
                    }
                    Op::Global { dst, global } => reg!(dst) = self.globals[global as usize].clone(),
                    Op::SetGlobal { src, global } => {
                        self.globals[global as usize] = std::mem::take(&mut reg!(src));
                        self.root_changed = true;
                    }
                    Op::Closure { dst, function } => {
                        let count = usize::from(image.function(function).captures);
                        let first = base + usize::from(dst);
                        let captures = fiber.regs[first..first + count].iter_mut().map(std::mem::take).collect();
                        let id = wf_lang::program::FunctionId(function);
                        let closure = attempt!(Closure::new(id, captures));
                        reg!(dst) = Value::Closure(Arc::new(closure));
                    }
                    Op::Type { dst, ty } => reg!(dst) = Value::Type(TypeId(ty)),
                    Op::Agent { dst, agent } => {
                        reg!(dst) = Value::Agent(Arc::new(attempt!(Agent::new(agent, Map::new()))));
                    }
                    Op::List { dst, first, count } => {
                        let items = take_regs(fiber, base, first, count);
                        reg!(dst) = Value::List(attempt!(List::from_vec(items)));
                    }
                    Op::ListPush { list, item } => {
                        let item = reg!(item).clone();
                        if let Value::List(list) = &mut reg!(list) {
                            attempt!(list.push(item));
                        }
                    }
                    Op::ListExtend { list, items } => {
                        let items = attempt!(ops::as_list(&reg!(items)));
                        if let Value::List(list) = &mut reg!(list) {
                            attempt!(list.extend(&items));
                        }
                    }
                    Op::Record { dst, first, shape } => {
                        let keys = &image.shapes[usize::from(shape)];
                        let values = take_regs(fiber, base, first, keys.len() as u16);
                        reg!(dst) = Value::Map(attempt!(Map::from_shape(keys, values)));
                    }
                    Op::RecordPut { record, key, value } => {
                        let key = attempt!(ops::key_text(&reg!(key))).clone();
                        let value = reg!(value).clone();
                        if let Value::Map(map) = &mut reg!(record) {
                            attempt!(map.insert(key, value));
                        }
                    }
                    Op::RecordExtend { record, fields } => match reg!(fields).clone() {
                        Value::Map(fields) => {
                            if let Value::Map(map) = &mut reg!(record) {
                                attempt!(map.extend(&fields));
                            }
                        }
                        Value::Null => {}
                        other => attempt!(Err(Fault::new(
                            Kind::Type,
                            format!("`...` in a record needs a record, found {}", ops::describe(&other)),
                        ))),
                    },
                    Op::Concat { base: first, count } => {
                        let from = base + usize::from(first);
                        let text = attempt!(ops::concat(&fiber.regs[from..from + usize::from(count)]));
                        reg!(first) = text;
                    }
                    // Text and lists grow in place.
                    Op::Add { dst, a, b }
                        if dst == a && a != b && matches!(reg!(a), Value::Str(_) | Value::List(_)) =>
                    {
                        let mut sum = std::mem::take(&mut reg!(a));
                        let added = ops::add_assign(&mut sum, &reg!(b));
                        reg!(dst) = sum;
                        attempt!(added);
                    }
                    Op::Add { dst, a, b } => arithmetic!(dst, a, b, checked_add, +, ops::add),
                    Op::Sub { dst, a, b } => arithmetic!(dst, a, b, checked_sub, -, ops::sub),
                    Op::Mul { dst, a, b } => arithmetic!(dst, a, b, checked_mul, *, ops::mul),
                    Op::Div { dst, a, b } => {
                        let value = attempt!(ops::div(&reg!(a), &reg!(b)));
                        reg!(dst) = value;
                    }
                    Op::Rem { dst, a, b } => {
                        let value = attempt!(ops::rem(&reg!(a), &reg!(b)));
                        reg!(dst) = value;
                    }
                    Op::Eq { dst, a, b } => {
                        let holds = ops::equal(&reg!(a), &reg!(b));
                        reg!(dst) = Value::Bool(holds);
                    }
                    Op::Ne { dst, a, b } => {
                        let holds = !ops::equal(&reg!(a), &reg!(b));
                        reg!(dst) = Value::Bool(holds);
                    }
                    Op::Lt { dst, a, b } => compare!(dst, a, b, <),
                    Op::Le { dst, a, b } => compare!(dst, a, b, <=),
                    Op::Gt { dst, a, b } => compare!(dst, a, b, >),
                    Op::Ge { dst, a, b } => compare!(dst, a, b, >=),
                    Op::In { dst, a, b } => {
                        let holds = attempt!(ops::contains(&reg!(a), &reg!(b)));
                        reg!(dst) = Value::Bool(holds);
                    }
                    Op::Not { dst, a } => {
                        let value = attempt!(ops::not(&reg!(a)));
                        reg!(dst) = value;
                    }
                    Op::Neg { dst, a } => {
                        let value = attempt!(ops::neg(&reg!(a)));
                        reg!(dst) = value;
                    }
                    Op::Range { base: first, inclusive } => {
                        let (start, end) = (&reg!(first), &reg!(first + 1));
                        let range = Range { start: attempt!(bound(start)), end: attempt!(bound(end)), inclusive };
                        reg!(first) = Value::Range(Arc::new(range));
                    }
                    Op::Field { dst, object, name } => {
                        let value = attempt!(ops::field(&reg!(object), &image.names[usize::from(name)]));
                        reg!(dst) = value;
                    }
                    Op::FieldOrNull { dst, object, name } => {
                        let value = attempt!(ops::field_or_null(&reg!(object), &image.names[usize::from(name)]));
                        reg!(dst) = value;
                    }
                    Op::Index { dst, object, index } => {
                        let value = attempt!(ops::index(&reg!(object), &reg!(index)));
                        reg!(dst) = value;
                    }
                    Op::Part { dst, object, name } => {
                        reg!(dst) = ops::part(&reg!(object), &image.names[usize::from(name)], Value::Missing);
                    }
                    Op::PartOrNull { dst, object, name } => {
                        reg!(dst) = ops::part(&reg!(object), &image.names[usize::from(name)], Value::Null);
                    }
                    Op::Len { dst, object } => reg!(dst) = ops::list_len(&reg!(object)),
                    Op::Place { base: first, place } => {
                        let module = usize::from(function.module);
                        attempt!(self.place(fiber, base, first, place, module));
                    }
                    Op::Check { reg, ty } => {
                        attempt!(check(&image.program.types, TypeId(ty), &mut reg!(reg)).map_err(Fault::from));
                    }
                    Op::Convert { reg, ty } => {
                        let fitted = validate::fits_outside(&image.program.types, TypeId(ty), reg!(reg).clone());
                        reg!(reg) = attempt!(fitted.map_err(Fault::from));
                    }
                    Op::Fits { reg, ty } => {
                        let fits = check(&image.program.types, TypeId(ty), &mut reg!(reg)).is_ok();
                        reg!(reg) = Value::Bool(fits);
                    }
                    Op::Schema { dst, ty } => {
                        let schema = schema::schema(&image.program.types, TypeId(ty));
                        reg!(dst) = attempt!(crate::json::from_json(&schema));
                    }
                    Op::Jump { to } => pc = to as usize,
                    Op::JumpIf { cond, to } => {
                        if condition!(cond) {
                            pc = to as usize;
                        }
                    }
                    Op::JumpIfNot { cond, to } => {
                        if !condition!(cond) {
                            pc = to as usize;
                        }
                    }
                    Op::JumpIfNull { reg, to } => {
                        if matches!(reg!(reg), Value::Null) {
                            pc = to as usize;
                        }
                    }
                    Op::JumpIfNotNull { reg, to } => {
                        if !matches!(reg!(reg), Value::Null) {
                            pc = to as usize;
                        }
                    }
                    Op::JumpIfGiven { reg, to } => {
                        if !matches!(reg!(reg), Value::Missing) {
                            pc = to as usize;
                        }
                    }
                    Op::JumpIfMissing { reg, to } => {
                        if matches!(reg!(reg), Value::Missing) {
                            pc = to as usize;
                        }
                    }
                    Op::Loop => {
                        if self.fuel == 0 {
                            park!(pc - 1);
                            return Stop::OutOfFuel;
                        }
                        self.fuel -= 1;
                    }
                    Op::IterStart { base: first } => {
                        attempt!(ops::iter_len(&reg!(first)));
                        reg!(first + 1) = Value::Int(0);
                    }
                    Op::IterNext { base: first, to } => {
                        let round = match reg!(first + 1) {
                            Value::Int(round) => round,
                            _ => 0,
                        };
                        let at = usize::try_from(round).unwrap_or(usize::MAX);
                        match ops::iter_next(&reg!(first), at) {
                            Some((key, item)) => {
                                reg!(first + 1) = Value::Int(round.saturating_add(1));
                                reg!(first + 2) = key;
                                reg!(first + 3) = item;
                            }
                            None => pc = to as usize,
                        }
                    }
                    Op::Call { base: first, function } => {
                        park!(pc);
                        attempt!(self.call(fiber, base + usize::from(first), function));
                        if self.fuel == 0 {
                            return Stop::OutOfFuel;
                        }
                        self.fuel -= 1;
                        continue 'frames;
                    }
                    Op::CallValue { base: first, argc, checked } => {
                        park!(pc);
                        attempt!(self.call_value(fiber, base + usize::from(first), argc, checked));
                        if self.fuel == 0 {
                            return Stop::OutOfFuel;
                        }
                        self.fuel -= 1;
                        continue 'frames;
                    }
                    Op::Apply { base: first } => {
                        park!(pc);
                        attempt!(self.apply(fiber, base + usize::from(first)));
                        continue 'frames;
                    }
                    Op::CallMethod { base: first, name, argc } => {
                        park!(pc);
                        attempt!(self.call_method(fiber, base + usize::from(first), name, argc));
                        continue 'frames;
                    }
                    Op::CallSettings { base: first } => {
                        park!(pc);
                        attempt!(self.call_settings(fiber, base + usize::from(first)));
                        continue 'frames;
                    }
                    Op::Native { base: first, native, argc } => {
                        let from = base + usize::from(first);
                        let context = NativeContext { program: &image.program };
                        let args = &mut fiber.regs[from..from + usize::from(argc)];
                        let value = attempt!(image.natives[usize::from(native)](&context, args));
                        reg!(first) = value;
                    }
                    Op::Effect { base: first, effect, argc } => {
                        park!(pc);
                        let args = take_regs(fiber, base, first, argc);
                        let span = function.span(pc as u32 - 1);
                        return Stop::Asked(self.ask(fiber, effect, args, span));
                    }
                    Op::Tell { base: first, tell, argc } => {
                        let args = take_regs(fiber, base, first, argc);
                        attempt!(self.tell(tell, &args));
                        reg!(first) = Value::Null;
                    }
                    Op::Return { src } => {
                        let value = std::mem::take(&mut reg!(src));
                        fiber.pop_frame();
                        match fiber.frames.last() {
                            Some(caller) => {
                                let caller_base = caller.base as usize;
                                let registers = usize::from(image.function(caller.function).registers);
                                fiber.regs.truncate(base + 1);
                                fiber.regs[base] = value;
                                fiber.regs.resize(caller_base + registers, Value::Null);
                            }
                            None => {
                                fiber.regs.clear();
                                return Stop::Finished(End::Value(value));
                            }
                        }
                        continue 'frames;
                    }
                    Op::Throw { src } => {
                        let fault = Fault::from_value(&reg!(src));
                        park!(pc);
                        match self.unwind(fiber, fault, true) {
                            Some(stop) => return stop,
                            None => continue 'frames,
                        }
                    }
                    Op::NoMatch { src } => {
                        let found = ops::describe(&reg!(src));
                        attempt!(Err(Fault::new(Kind::Match, format!("no arm of the match fits {found}"))));
                    }
                    Op::Begin { attempt } => {
                        let number = reg!(attempt).as_int().and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
                        self.begin(fiber, number);
                        park!(pc);
                        return Stop::Boundary;
                    }
                    Op::End { .. } => {
                        self.end(fiber);
                        park!(pc);
                        return Stop::Boundary;
                    }
                    Op::Retrying { error, attempt, delay } => {
                        let (error, attempt, delay) = (reg!(error).clone(), reg!(attempt).clone(), reg!(delay).clone());
                        self.retrying(fiber, &error, &attempt, &delay);
                    }
                    Op::Resume { .. } | Op::Leave => {
                        park!(pc);
                        match self.leave_finally(fiber, op) {
                            After::Next => {}
                            After::Elsewhere => continue 'frames,
                            After::Stops(stop) => return stop,
                        }
                    }
                    Op::Deadline { duration } => attempt!(self.deadline(fiber, &reg!(duration).clone())),
                    Op::Gather { base: first, gather } => {
                        park!(pc);
                        let from = base + usize::from(first);
                        let group = attempt!(self.gather(fiber, from, gather));
                        return Stop::Joins(group);
                    }
                    Op::Outermost { dst } => {
                        let outermost = self.outermost(fiber);
                        reg!(dst) = Value::Bool(outermost);
                    }
                    Op::Ctx { dst, member } => {
                        let value = self.ctx(fiber, member);
                        reg!(dst) = value;
                    }
                }
            }
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

fn take_regs(fiber: &mut Fiber, base: usize, first: Reg, count: u16) -> Vec<Value> {
    let from = base + usize::from(first);
    fiber.regs[from..from + usize::from(count)].iter_mut().map(std::mem::take).collect()
}

fn bound(value: &Value) -> Result<Option<i64>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::Int(bound) => Ok(Some(*bound)),
        other => Err(Fault::new(Kind::Type, format!("a range goes between ints, found {}", ops::describe(other)))),
    }
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
