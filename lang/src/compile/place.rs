//! Places: reading into values and changing them where they are.

use super::body::Body;
use crate::{
    check::{ArgFrom, Target, Use},
    program::{Op, Operator, Place, PlaceAction, PlaceStep, Reg, Root},
    syntax::ast::{Arg, BinaryOp, Expr, ExprKind},
};

/// A place as it is written: its variable and the way into it, from the outside in.
pub(super) struct Path<'c> {
    root: Root,
    steps: Vec<PlaceStep>,
    keys: Vec<&'c Expr>,
}

/// An argument of a call that changes its receiver.
#[derive(Clone, Copy)]
pub(super) enum Given<'c> {
    /// It stands in the parentheses.
    Written(&'c Expr),
    /// It stands before `|>`, and has been computed.
    Piped(Reg),
}

impl<'c> Body<'_, 'c> {
    /// The place that an expression names: a local or `ctx.state` with fields and indices behind it.
    pub(super) fn path(&mut self, expr: &'c Expr) -> Option<Path<'c>> {
        let mut steps = Vec::new();
        let mut keys = Vec::new();
        let mut at = expr;
        let root = loop {
            match (self.tables.uses.get(&at.id), &at.kind) {
                (Some(Use::Local(local)), _) => break Root::Local(*self.locals.get(local)?),
                (Some(Use::CtxState), _) => break Root::State,
                (Some(_), _) => return None,
                (None, ExprKind::Paren(inner)) => at = inner,
                (None, ExprKind::Field { object, name, optional: false }) => {
                    let name = self.compiler.name(&name.text);
                    steps.push(PlaceStep::Field { name, lenient: self.tables.lenient.contains(&at.id) });
                    at = object;
                }
                (None, ExprKind::Index { object, index }) if !matches!(index.kind, ExprKind::Range { .. }) => {
                    steps.push(PlaceStep::Index);
                    keys.push(&**index);
                    at = object;
                }
                (None, _) => return None,
            }
        };
        steps.reverse();
        keys.reverse();
        Some(Path { root, steps, keys })
    }

    /// Reads a place into `dst` without touching the values on the way.
    pub(super) fn read_place(&mut self, expr: &'c Expr, dst: Reg) {
        match self.path(expr) {
            Some(path) => self.scoped(|body| {
                let base = body.window(dst, path.keys.len());
                body.keys(&path, base);
                body.place_op(path, PlaceAction::Get, base);
                body.give(dst, base);
            }),
            None => self.not_built(dst),
        }
    }

    fn keys(&mut self, path: &Path<'c>, base: Reg) {
        for (index, key) in path.keys.iter().enumerate() {
            self.expr(key, base + index as Reg);
        }
    }

    fn place_op(&mut self, path: Path<'c>, action: PlaceAction, base: Reg) {
        let place = Place { root: path.root, steps: path.steps, action };
        let place = self.compiler.entry(|program| &mut program.places, place);
        self.emit(Op::Place { base, place });
    }

    /// `place = value` and `place op= value`.
    pub(super) fn assign(&mut self, place: &'c Expr, op: Option<BinaryOp>, value: &'c Expr) {
        let Some(path) = self.path(place) else {
            return self.scoped(|body| {
                let dst = body.take(1);
                body.not_built(dst);
            });
        };
        if let (Root::Local(reg), []) = (path.root, path.steps.as_slice()) {
            return self.assign_local(reg, op, value);
        }
        let action = match op.and_then(operator) {
            None => PlaceAction::Set,
            Some(operator) => PlaceAction::Update(operator),
        };
        if let (PlaceAction::Set, Root::Local(object), [step]) = (action, path.root, path.steps.as_slice()) {
            return self.set(object, *step, path.keys.first().copied(), value);
        }
        self.scoped(|body| {
            let base = body.take(path.keys.len() + 1);
            body.expr(value, base + path.keys.len() as Reg);
            body.keys(&path, base);
            body.place_op(path, action, base);
        });
    }

    /// `object.name = value` and `object[index] = value`: the value is computed first.
    fn set(&mut self, object: Reg, step: PlaceStep, index: Option<&'c Expr>, value: &'c Expr) {
        self.scoped(|body| {
            let moved = index.is_some_and(|index| body.may_assign(index));
            let value = if moved { body.fresh(value) } else { body.operand(value) };
            match (step, index) {
                (PlaceStep::Index, Some(index)) => {
                    let index = body.operand(index);
                    body.emit(Op::SetIndex { object, index, value, last: false });
                }
                (PlaceStep::Field { name, .. }, _) => {
                    body.emit(Op::SetField { object, name, value, last: false });
                }
                (PlaceStep::Index, None) => {}
            }
        });
    }

    /// The assignment of a whole variable.
    fn assign_local(&mut self, reg: Reg, op: Option<BinaryOp>, value: &'c Expr) {
        let Some(op) = op.and_then(operator) else {
            // An operator writes its result when it has succeeded; anything else could leave half of it behind.
            let whole = matches!(value.kind, ExprKind::Binary(op, ..) if operator(op).is_some())
                && !self.tables.expects.contains_key(&value.id);
            if whole {
                self.expr(value, reg);
            } else {
                self.scoped(|body| {
                    let src = body.fresh(value);
                    body.emit(Op::Copy { dst: reg, src });
                });
            }
            return;
        };
        self.scoped(|body| {
            let (dst, a) = (reg, reg);
            if let Some(op) = body.small_int(value).and_then(|value| with_int(op, reg, value)) {
                body.emit(op);
                return;
            }
            let b = body.operand(value);
            body.emit(match op {
                Operator::Add => Op::Add { dst, a, b, last: false },
                Operator::Sub => Op::Sub { dst, a, b },
                Operator::Mul => Op::Mul { dst, a, b },
                Operator::Div => Op::Div { dst, a, b },
                Operator::Rem => Op::Rem { dst, a, b },
            });
        });
    }

    /// Whether a call changes what stands before its dot.
    pub(super) fn changes_receiver(&self, call: &'c Expr) -> bool {
        match self.tables.calls.get(&call.id).map(|call| &call.target) {
            Some(Target::Function(item)) => self
                .compiler
                .declared(*item)
                .is_some_and(|function| function.params.first().is_some_and(|param| param.mutable)),
            Some(Target::Method(name)) => dynamic_change(name).is_some(),
            _ => false,
        }
    }

    /// A call that changes its receiver: arguments first, then the place is read and written with nothing in between.
    pub(super) fn change(&mut self, receiver: &'c Expr, native: &str, args: &[Option<Given<'c>>], dst: Reg) {
        let Some(path) = self.path(receiver) else { return self.not_built(dst) };
        if let ("list.push", Root::Local(list), [], [Some(item)]) = (native, path.root, path.steps.as_slice(), args) {
            return self.scoped(|body| {
                let item = match *item {
                    Given::Written(item) => body.operand(item),
                    Given::Piped(item) => item,
                };
                body.emit(Op::ListPush { list, item, last: false });
                body.emit(Op::Null { dst });
            });
        }
        let native = self.compiler.native(native);
        self.scoped(|body| {
            let keys = path.keys.len() as Reg;
            let base = body.window(dst, path.keys.len() + args.len());
            for (index, arg) in args.iter().enumerate() {
                let reg = base + keys + index as Reg;
                match *arg {
                    Some(Given::Written(arg)) => body.expr(arg, reg),
                    Some(Given::Piped(src)) => {
                        body.emit(Op::Copy { dst: reg, src });
                    }
                    None => {
                        body.emit(Op::Null { dst: reg });
                    }
                }
            }
            body.keys(&path, base);
            body.place_op(path, PlaceAction::Method { native, argc: args.len() as u16 }, base);
            body.give(dst, base);
        });
    }

    /// The arguments of a call, without its receiver, in order of parameters; `piped` holds what stands before `|>`.
    pub(super) fn given(args: &'c [Arg], from: &[ArgFrom], piped: Option<Reg>) -> Vec<Option<Given<'c>>> {
        from.iter()
            .filter(|from| !matches!(from, ArgFrom::Receiver))
            .map(|from| match from {
                ArgFrom::Given(index) => args.get(*index).map(|arg| Given::Written(&arg.value)),
                ArgFrom::Piped => piped.map(Given::Piped),
                ArgFrom::Receiver | ArgFrom::Default => None,
            })
            .collect()
    }
}

/// The native behind a method that changes a receiver of unknown kind.
pub(super) fn dynamic_change(method: &str) -> Option<&'static str> {
    match method {
        "push" => Some("list.push"),
        "pop" => Some("list.pop"),
        "insert" => Some("list.insert"),
        "remove" => Some("change.remove"),
        "set" => Some("map.set"),
        _ => None,
    }
}

/// The op of `reg op= value`, where there is one.
fn with_int(op: Operator, reg: Reg, value: i16) -> Option<Op> {
    let (dst, a) = (reg, reg);
    match op {
        Operator::Add => Some(Op::AddInt { dst, a, value }),
        Operator::Sub => Some(Op::SubInt { dst, a, value }),
        Operator::Mul => Some(Op::MulInt { dst, a, value }),
        Operator::Rem => Some(Op::RemInt { dst, a, value }),
        Operator::Div => None,
    }
}

pub(super) fn operator(op: BinaryOp) -> Option<Operator> {
    match op {
        BinaryOp::Add => Some(Operator::Add),
        BinaryOp::Sub => Some(Operator::Sub),
        BinaryOp::Mul => Some(Operator::Mul),
        BinaryOp::Div => Some(Operator::Div),
        BinaryOp::Rem => Some(Operator::Rem),
        _ => None,
    }
}
