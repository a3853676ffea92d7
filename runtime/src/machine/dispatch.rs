//! One match over the ops.
//!
//! The loop below runs frame after frame of a fiber, through calls and returns, without leaving. What it does not do
//! itself (what needs the whole machine, or is seldom) it gives back as its [`Exit`].

use wf_lang::program::{FunctionId, Op, TypeId};

use super::{
    Image, Machine,
    call::{capture, close_scopes, open_scope},
    exec::Exit,
    fiber::{Fiber, Frame},
    iter,
    rare::{check, convert},
    window::Window,
};
use crate::{
    fault::Fault,
    native::NativeContext,
    ops,
    value::{self, Closure, List, Map, Value},
};

/// Runs the top frame of a fiber, and those that it calls and returns to.
pub(super) fn run<W: Window + ?Sized>(machine: &mut Machine, image: &Image, fiber: &mut Fiber) -> Exit {
    let Fiber { around, regs, frames, scopes, deadlines, cancels, low_water, look_at, .. } = fiber;
    let Some(frame) = frames.last().copied() else { return Exit::Finished(Value::Null) };
    *low_water = (*low_water).min(frames.len() - 1);
    let mut function = image.function(frame.function);
    let mut code = function.code.as_slice();
    let mut pc = frame.pc as usize;
    let mut base = frame.base as usize;
    let mut window = W::open(regs, base, function);
    let mut fuel = machine.fuel;

    let exit = 'run: loop {
        let op = code[pc];
        pc += 1;
        macro_rules! attempt {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(fault) => break 'run Exit::Fault(fault),
                }
            };
        }
        macro_rules! arithmetic {
            ($dst:expr, $a:expr, $b:expr, $checked:ident, $float:tt, $slow:path) => {{
                match (window.get($a), $b) {
                    (Value::Int(a), Value::Int(b)) => {
                        if let Some(value) = a.$checked(*b) {
                            window.get_mut($dst).set_int(value);
                            continue;
                        }
                    }
                    (Value::Float(a), Value::Float(b)) => {
                        let value = a $float b;
                        if value.is_finite() {
                            window.get_mut($dst).set_float(value);
                            continue;
                        }
                    }
                    _ => {}
                }
                let value = attempt!($slow(window.get($a), $b));
                window.set($dst, value);
            }};
        }
        macro_rules! compare {
            ($a:expr, $b:expr, $op:tt) => {
                match (window.get($a), $b) {
                    (Value::Int(a), Value::Int(b)) => a $op b,
                    (Value::Float(a), Value::Float(b)) => a $op b,
                    (a, b) => attempt!(ops::compare(a, b)) $op std::cmp::Ordering::Equal,
                }
            };
        }
        macro_rules! jump {
            ($holds:expr, $to:expr) => {
                if $holds {
                    pc = $to as usize;
                }
            };
        }
        macro_rules! condition {
            ($reg:expr) => {
                match window.get($reg) {
                    Value::Bool(holds) => *holds,
                    other => attempt!(ops::condition(other)),
                }
            };
        }
        // What an op with `last` does not take over is cloned; what is set in place is held meanwhile, apart from the
        // other registers that the op reads.
        macro_rules! hold {
            ($reg:expr, |$held:ident| $change:expr) => {{
                let mut $held = window.take($reg);
                let changed = $change;
                window.set($reg, $held);
                attempt!(changed)
            }};
        }
        macro_rules! burn {
            () => {
                if fuel == 0 {
                    pc -= 1;
                    break 'run Exit::OutOfFuel;
                }
                fuel -= 1;
            };
        }
        // Goes on in another frame, at its window.
        macro_rules! go_on {
            ($function:expr, $pc:expr, $base:expr) => {{
                function = $function;
                code = function.code.as_slice();
                pc = $pc;
                base = $base;
                if !W::fits(function) {
                    break 'run Exit::Window;
                }
                window = W::open(regs, base, function);
            }};
        }
        macro_rules! enter {
            ($id:expr, $callee:expr, $first:expr) => {{
                if frames.len() >= *look_at {
                    break 'run Exit::Rare(op);
                }
                if $callee.scoped {
                    open_scope(image, $id, window.get($first), frames.len(), scopes, low_water);
                }
                if let Some(top) = frames.last_mut() {
                    top.pc = pc as u32;
                }
                let base = base + usize::from($first);
                frames.push(Frame { function: $id, pc: 0, base: base as u32 });
                go_on!($callee, 0, base);
                if fuel == 0 {
                    break 'run Exit::OutOfFuel;
                }
                fuel -= 1;
            }};
        }
        match op {
            Op::Null { dst } => window.get_mut(dst).set_null(),
            Op::Bool { dst, value } => window.get_mut(dst).set_bool(value),
            Op::Int { dst, value } => window.get_mut(dst).set_int(i64::from(value)),
            Op::Const { dst, constant } => window.get_mut(dst).copy_from(&image.constants[constant as usize]),
            Op::Missing { dst } => window.set(dst, Value::Missing),
            Op::Copy { dst, src } => window.copy(dst, src),
            Op::Move { dst, src } => window.shift(dst, src),
            Op::Global { dst, global } => window.get_mut(dst).copy_from(&machine.globals[global as usize]),
            Op::Closure { dst, function } => {
                let count = usize::from(image.function(function).captures);
                let captures = window.some(dst, count).iter_mut().map(std::mem::take).collect();
                let closure = attempt!(Closure::new(FunctionId(function), captures));
                window.set(dst, Value::Closure(value::Arc::new(closure)));
            }
            Op::Type { dst, ty } => window.set(dst, Value::Type(TypeId(ty))),
            Op::List { dst, first, count } => {
                let items = window.some(first, usize::from(count)).iter_mut().map(std::mem::take).collect();
                window.set(dst, Value::List(attempt!(List::from_vec(items))));
            }
            Op::ListPush { list, item, last } => {
                if let Some([Value::List(list), item]) = window.two(list, item)
                    && list.push_scalar(item)
                {
                    continue;
                }
                let item = window.hand_over(item, last);
                match window.get_mut(list) {
                    Value::List(list) => attempt!(list.push(item)),
                    other => attempt!(ops::push(other, item)),
                }
            }
            Op::ListExtend { list, items } => {
                hold!(list, |held| ops::extend_list(&mut held, window.get(items)));
            }
            Op::Record { dst, first, shape } => {
                let shape = &image.shapes[usize::from(shape)];
                let values = window.some(first, shape.keys().len()).iter_mut().map(std::mem::take);
                let record = attempt!(Map::from_shape(shape, values));
                window.set(dst, Value::Map(record));
            }
            Op::RecordPut { record, key, value } => {
                hold!(record, |held| ops::put(&mut held, window.get(key), window.get(value).clone()));
            }
            Op::RecordExtend { record, fields } => {
                hold!(record, |held| ops::extend_record(&mut held, window.get(fields)));
            }
            Op::Concat { dst, first, count } => {
                let text = attempt!(ops::concat(window.some(first, usize::from(count))));
                window.set(dst, text);
            }
            Op::Add { dst, a, b, last } => {
                if last && matches!(window.get(a), Value::Str(_) | Value::List(_)) {
                    hold!(a, |held| ops::add_assign(&mut held, window.get(b)));
                    if dst != a {
                        let sum = window.take(a);
                        window.set(dst, sum);
                    }
                } else {
                    arithmetic!(dst, a, window.get(b), checked_add, +, ops::add);
                }
            }
            Op::Sub { dst, a, b } => arithmetic!(dst, a, window.get(b), checked_sub, -, ops::sub),
            Op::Mul { dst, a, b } => arithmetic!(dst, a, window.get(b), checked_mul, *, ops::mul),
            Op::Div { dst, a, b } => {
                if let (Value::Float(a), Value::Float(b)) = (window.get(a), window.get(b)) {
                    let value = a / b;
                    if value.is_finite() {
                        window.get_mut(dst).set_float(value);
                        continue;
                    }
                }
                let value = attempt!(ops::div(window.get(a), window.get(b)));
                window.set(dst, value);
            }
            Op::Rem { dst, a, b } => {
                if let (Value::Int(a), Value::Int(b)) = (window.get(a), window.get(b))
                    && *b != 0
                {
                    let value = a.wrapping_rem(*b);
                    window.get_mut(dst).set_int(value);
                    continue;
                }
                let value = attempt!(ops::rem(window.get(a), window.get(b)));
                window.set(dst, value);
            }
            Op::AddInt { dst, a, value } => {
                arithmetic!(dst, a, &Value::Int(i64::from(value)), checked_add, +, ops::add);
            }
            Op::SubInt { dst, a, value } => {
                arithmetic!(dst, a, &Value::Int(i64::from(value)), checked_sub, -, ops::sub);
            }
            Op::MulInt { dst, a, value } => {
                arithmetic!(dst, a, &Value::Int(i64::from(value)), checked_mul, *, ops::mul);
            }
            Op::RemInt { dst, a, value } => {
                if let Value::Int(a) = window.get(a)
                    && value != 0
                {
                    let value = a.wrapping_rem(i64::from(value));
                    window.get_mut(dst).set_int(value);
                    continue;
                }
                let value = attempt!(ops::rem(window.get(a), &Value::Int(i64::from(value))));
                window.set(dst, value);
            }
            Op::Eq { dst, a, b } => {
                let holds = ops::equal(window.get(a), window.get(b));
                window.get_mut(dst).set_bool(holds);
            }
            Op::Ne { dst, a, b } => {
                let holds = !ops::equal(window.get(a), window.get(b));
                window.get_mut(dst).set_bool(holds);
            }
            Op::Lt { dst, a, b } => {
                let holds = compare!(a, window.get(b), <);
                window.get_mut(dst).set_bool(holds);
            }
            Op::Le { dst, a, b } => {
                let holds = compare!(a, window.get(b), <=);
                window.get_mut(dst).set_bool(holds);
            }
            Op::Gt { dst, a, b } => {
                let holds = compare!(a, window.get(b), >);
                window.get_mut(dst).set_bool(holds);
            }
            Op::Ge { dst, a, b } => {
                let holds = compare!(a, window.get(b), >=);
                window.get_mut(dst).set_bool(holds);
            }
            Op::TestInt { test, dst, a, value } => {
                let holds = match window.get(a) {
                    Value::Int(a) => test.passes(a.cmp(&i64::from(value))),
                    a => attempt!(ops::test_int(test, a, value)),
                };
                window.get_mut(dst).set_bool(holds);
            }
            Op::In { dst, a, b } => {
                let holds = attempt!(ops::contains(window.get(a), window.get(b)));
                window.get_mut(dst).set_bool(holds);
            }
            Op::Not { dst, a } => {
                let holds = condition!(a);
                window.get_mut(dst).set_bool(!holds);
            }
            Op::Neg { dst, a } => {
                let value = attempt!(ops::neg(window.get(a)));
                window.set(dst, value);
            }
            Op::Range { dst, first, inclusive } => {
                let range = attempt!(iter::range(window.get(first), window.get(first + 1), inclusive));
                window.set(dst, range.into());
            }
            Op::Field { dst, object, name } => {
                let name = &image.names[usize::from(name)];
                if let Some([dst, Value::Map(map)]) = window.two(dst, object)
                    && let Some(value) = map.field(name)
                {
                    dst.copy_from(value);
                    continue;
                }
                let value = attempt!(ops::field(window.get(object), name));
                window.set(dst, value);
            }
            Op::FieldOrNull { dst, object, name } => {
                let name = &image.names[usize::from(name)];
                if let Some([dst, Value::Map(map)]) = window.two(dst, object)
                    && let Some(value) = map.field(name)
                {
                    dst.copy_from(value);
                    continue;
                }
                let value = attempt!(ops::field_or_null(window.get(object), name));
                window.set(dst, value);
            }
            Op::Index { dst, object, index } => {
                if let Value::Int(at) = window.get(index) {
                    let at = *at;
                    if let Some([dst, Value::List(list)]) = window.two(dst, object)
                        && let Some(item) = usize::try_from(at).ok().and_then(|at| list.get(at))
                    {
                        dst.copy_from(item);
                        continue;
                    }
                }
                if let (Value::Map(map), Value::Str(key)) = (window.get(object), window.get(index)) {
                    let value = map.field(key).cloned().unwrap_or_default();
                    window.set(dst, value);
                    continue;
                }
                let value = attempt!(ops::index(window.get(object), window.get(index)));
                window.set(dst, value);
            }
            Op::Part { dst, object, name } => {
                let part = ops::part(window.get(object), &image.names[usize::from(name)], Value::Missing);
                window.set(dst, part);
            }
            Op::PartOrNull { dst, object, name } => {
                let part = ops::part(window.get(object), &image.names[usize::from(name)], Value::Null);
                window.set(dst, part);
            }
            Op::Len { dst, object } => {
                let len = ops::list_len(window.get(object));
                window.set(dst, len);
            }
            Op::Count { dst, a } => {
                let count = attempt!(ops::count(window.get(a)));
                window.get_mut(dst).set_int(count);
            }
            Op::SetField { object, name, value, last } => {
                let value = window.hand_over(value, last);
                attempt!(ops::set_field(window.get_mut(object), &image.names[usize::from(name)], value));
            }
            Op::SetIndex { object, index, value, last } => {
                if let Value::Int(at) = window.get(index) {
                    let at = *at;
                    if let Some([Value::List(list), value]) = window.two(object, value)
                        && list.set_scalar(at, value)
                    {
                        continue;
                    }
                }
                let value = window.hand_over(value, last);
                hold!(object, |held| ops::set_index(&mut held, window.get(index), value));
            }
            Op::Place { base: first, place } => {
                let state = around.context as usize * image.program.modules.len() + usize::from(function.module);
                attempt!(machine.place(image, window.all(), first, place, state));
            }
            Op::Check { reg, ty } => {
                attempt!(check(&image.program.types, TypeId(ty), window.get_mut(reg)).map_err(Fault::from));
            }
            Op::Convert { reg, ty } => {
                attempt!(convert(&image.program.types, TypeId(ty), window.get_mut(reg)));
            }
            Op::Fits { reg, ty } => {
                let fits = check(&image.program.types, TypeId(ty), window.get_mut(reg)).is_ok();
                window.get_mut(reg).set_bool(fits);
            }
            Op::Jump { to } => pc = to as usize,
            Op::JumpIf { cond, to } => jump!(condition!(cond), to),
            Op::JumpIfNot { cond, to } => jump!(!condition!(cond), to),
            Op::JumpIfNull { reg, to } => jump!(matches!(window.get(reg), Value::Null), to),
            Op::JumpIfNotNull { reg, to } => jump!(!matches!(window.get(reg), Value::Null), to),
            Op::JumpIfGiven { reg, to } => jump!(!matches!(window.get(reg), Value::Missing), to),
            Op::JumpIfMissing { reg, to } => jump!(matches!(window.get(reg), Value::Missing), to),
            Op::JumpEq { a, b, to } => jump!(ops::equal(window.get(a), window.get(b)), to),
            Op::JumpNe { a, b, to } => jump!(!ops::equal(window.get(a), window.get(b)), to),
            Op::JumpLt { a, b, to } => jump!(compare!(a, window.get(b), <), to),
            Op::JumpLe { a, b, to } => jump!(compare!(a, window.get(b), <=), to),
            Op::JumpGt { a, b, to } => jump!(compare!(a, window.get(b), >), to),
            Op::JumpGe { a, b, to } => jump!(compare!(a, window.get(b), >=), to),
            Op::JumpEqInt { a, value, to } => jump!(ops::equal_int(window.get(a), value), to),
            Op::JumpNeInt { a, value, to } => jump!(!ops::equal_int(window.get(a), value), to),
            Op::JumpLtInt { a, value, to } => jump!(compare!(a, &Value::Int(i64::from(value)), <), to),
            Op::JumpLeInt { a, value, to } => jump!(compare!(a, &Value::Int(i64::from(value)), <=), to),
            Op::JumpGtInt { a, value, to } => jump!(compare!(a, &Value::Int(i64::from(value)), >), to),
            Op::JumpGeInt { a, value, to } => jump!(compare!(a, &Value::Int(i64::from(value)), >=), to),
            Op::JumpEqConst { a, constant, to } => {
                jump!(ops::equal(window.get(a), &image.constants[usize::from(constant)]), to);
            }
            Op::JumpNeConst { a, constant, to } => {
                jump!(!ops::equal(window.get(a), &image.constants[usize::from(constant)]), to);
            }
            Op::Loop { to } => {
                burn!();
                pc = to as usize;
            }
            Op::RangeStart { base: first, inclusive } => {
                let range = attempt!(iter::range(window.get(first), window.get(first + 1), inclusive));
                let (before, count) = attempt!(iter::rounds(&range));
                window.get_mut(first).set_int(before);
                window.get_mut(first + 1).set_int(count);
            }
            Op::RangeNext { base: first, to } => {
                burn!();
                if let Value::Int(count) = window.get_mut(first + 1)
                    && *count != 0
                {
                    *count = count.wrapping_sub(1);
                    if let Value::Int(number) = window.get_mut(first) {
                        *number = number.wrapping_add(1);
                    }
                    pc = to as usize;
                }
            }
            Op::IterStart { base: first } => {
                attempt!(ops::iter_len(window.get(first)));
                window.get_mut(first + 1).set_int(0);
            }
            Op::IterNext { base: first, to } => {
                burn!();
                let round = iter::advance(window.get_mut(first + 1));
                if let Some([next, Value::List(list)]) = window.two(first + 2, first) {
                    if let Some(item) = list.get(round) {
                        next.copy_from(item);
                        pc = to as usize;
                    }
                } else if let Some((_, item)) = ops::iter_next(window.get(first), round) {
                    window.set(first + 2, item);
                    pc = to as usize;
                }
            }
            Op::IterNextPair { base: first, to } => {
                burn!();
                let round = iter::advance(window.get_mut(first + 1));
                if let Some((key, item)) = ops::iter_next(window.get(first), round) {
                    window.set(first + 2, key);
                    window.set(first + 3, item);
                    pc = to as usize;
                }
            }
            Op::Forget { reg } => window.get_mut(reg).release(),
            Op::Call { base: first, function: id } => enter!(id, image.function(id), first),
            Op::CallValue { base: first, callee, argc, checked } => {
                let Value::Closure(closure) = window.get(callee) else { break 'run Exit::Rare(op) };
                let id = closure.function().0;
                let target = image.function(id);
                if checked || target.params.len() != usize::from(argc) {
                    break 'run Exit::Rare(op);
                }
                if !closure.captures().is_empty() {
                    if callee >= first {
                        break 'run Exit::Rare(op);
                    }
                    // The window of the callee, which is not open yet, may reach beyond the one that is.
                    let from = base + usize::from(first) + usize::from(argc);
                    capture(regs, base + usize::from(callee), from);
                    window = W::open(regs, base, function);
                }
                enter!(id, target, first);
            }
            Op::Native { base: first, native, argc } => {
                let context = NativeContext { program: &image.program };
                let args = window.some(first, usize::from(argc));
                let value = attempt!(image.natives[usize::from(native)](&context, args));
                // What the native did not take is not needed any more.
                args.iter_mut().for_each(Value::release);
                window.set(first, value);
            }
            Op::Return { src, shared } => {
                // The caller finds it in its first register.
                window.shift(0, src);
                window.release(shared);
                frames.pop();
                if function.scoped {
                    close_scopes(scopes, deadlines, cancels, frames.len());
                }
                let Some(caller) = frames.last() else { break 'run Exit::Finished(window.take(0)) };
                *low_water = (*low_water).min(frames.len() - 1);
                go_on!(image.function(caller.function), caller.pc as usize, caller.base as usize);
            }
            Op::SetGlobal { .. }
            | Op::Agent { .. }
            | Op::Schema { .. }
            | Op::Apply { .. }
            | Op::CallMethod { .. }
            | Op::CallSettings { .. }
            | Op::Effect { .. }
            | Op::Tell { .. }
            | Op::Throw { .. }
            | Op::NoMatch { .. }
            | Op::Begin { .. }
            | Op::End { .. }
            | Op::Retrying { .. }
            | Op::Resume { .. }
            | Op::Leave
            | Op::Deadline { .. }
            | Op::Gather { .. }
            | Op::Outermost { .. }
            | Op::Ctx { .. } => break 'run Exit::Rare(op),
        }
    };
    machine.fuel = fuel;
    if let Some(top) = frames.last_mut() {
        top.pc = pc as u32;
    }
    exit
}
