//! Chains of fields, indices and calls, and how calls are made.

use super::{body::Body, place::dynamic_change};
use crate::{
    check::{ArgFrom, Call, ItemRef, Target, Use},
    program::{Op, Pc, Reg},
    syntax::ast::{Arg, Expr, ExprKind},
};

/// What stands before `|>`, once it is computed.
#[derive(Clone, Copy)]
struct Piped<'c> {
    /// The `Pipe`, under which the call's plan stands.
    pipe: &'c Expr,
    /// The call, or the name, that receives the value.
    root: &'c Expr,
    /// Where the value is.
    value: Reg,
}

impl<'c> Body<'_, 'c> {
    /// Computes a postfix chain into `dst`. Null before a `?.` ends the whole chain.
    pub(super) fn chain(&mut self, expr: &'c Expr, dst: Reg) {
        let mut exits = Vec::new();
        self.link(expr, dst, &mut exits, None);
        if !exits.is_empty() {
            let done = self.emit(Op::Jump { to: 0 });
            self.land_all(exits);
            self.emit(Op::Null { dst });
            self.land(done);
        }
    }

    fn link(&mut self, expr: &'c Expr, dst: Reg, exits: &mut Vec<Pc>, piped: Option<Piped<'c>>) {
        if let Some(piped) = piped
            && std::ptr::eq(expr, piped.root)
        {
            return self.piped_call(piped, dst, exits);
        }
        if self.tables.uses.contains_key(&expr.id) && !matches!(expr.kind, ExprKind::Call { .. }) {
            return self.name_use(expr, dst);
        }
        match &expr.kind {
            ExprKind::Field { object, name, optional } => {
                if piped.is_none() && self.deep_place(expr) {
                    return self.read_place(expr, dst);
                }
                let lenient = *optional || self.tables.lenient.contains(&expr.id);
                let object = self.object(object, dst, exits, piped);
                if *optional {
                    exits.push(self.emit(Op::JumpIfNull { reg: object, to: 0 }));
                }
                let name = self.compiler.name(&name.text);
                self.at(expr.span, |body| {
                    body.emit(match lenient {
                        true => Op::FieldOrNull { dst, object, name },
                        false => Op::Field { dst, object, name },
                    })
                });
                if *optional {
                    // What is absent ends the chain as what is null does.
                    exits.push(self.emit(Op::JumpIfNull { reg: dst, to: 0 }));
                }
            }
            ExprKind::Index { object, index } => {
                if piped.is_none() && self.deep_place(expr) {
                    return self.read_place(expr, dst);
                }
                let object = match self.may_assign(index) {
                    true => {
                        self.link_checked(object, dst, exits, piped);
                        dst
                    }
                    false => self.object(object, dst, exits, piped),
                };
                self.scoped(|body| {
                    let index = body.operand(index);
                    body.at(expr.span, |body| body.emit(Op::Index { dst, object, index }));
                });
            }
            ExprKind::Call { callee, args } => {
                let tables = self.tables;
                match tables.calls.get(&expr.id) {
                    Some(plan) => self.at(expr.span, |body| body.call(plan, callee, args, None, dst, exits, piped)),
                    None => match tables.counted.get(&expr.id) {
                        Some(watched) => self.at(expr.span, |body| body.counted(*watched, dst)),
                        None => self.not_built(dst),
                    },
                }
            }
            ExprKind::Pipe { value, call } => {
                self.scoped(|body| {
                    let value = body.fresh(value);
                    let piped = Piped { pipe: expr, root: root_of(call), value };
                    body.link_checked(call, dst, exits, Some(piped));
                });
            }
            _ => self.expr(expr, dst),
        }
    }

    /// A link with the check that the checker asks for; the outermost one's is made by whoever computes the chain.
    fn link_checked(&mut self, expr: &'c Expr, dst: Reg, exits: &mut Vec<Pc>, piped: Option<Piped<'c>>) {
        self.at(expr.span, |body| body.link(expr, dst, exits, piped));
        if let Some(ty) = self.tables.expects.get(&expr.id) {
            let ty = self.compiler.type_id(ty).0;
            self.emit(Op::Check { reg: dst, ty });
        }
    }

    /// What stands before a dot or bracket: a variable's own register, or `dst`.
    fn object(&mut self, expr: &'c Expr, dst: Reg, exits: &mut Vec<Pc>, piped: Option<Piped<'c>>) -> Reg {
        self.variable(expr, piped).unwrap_or_else(|| {
            self.link_checked(expr, dst, exits, piped);
            dst
        })
    }

    /// The register of the variable that an expression is, if it is one and needs no check.
    fn variable(&self, expr: &'c Expr, piped: Option<Piped<'c>>) -> Option<Reg> {
        match self.tables.uses.get(&expr.id) {
            Some(Use::Local(local))
                if !self.tables.expects.contains_key(&expr.id)
                    && piped.is_none_or(|piped| !std::ptr::eq(piped.root, expr)) =>
            {
                self.locals.get(local).copied()
            }
            _ => None,
        }
    }

    /// Whether a read goes more than one step into a variable, or into `ctx.state`, without a check on the way.
    fn deep_place(&self, expr: &'c Expr) -> bool {
        let mut steps = 0;
        let mut at = expr;
        loop {
            if steps > 0 && self.tables.expects.contains_key(&at.id) {
                return false;
            }
            match (self.tables.uses.get(&at.id), &at.kind) {
                (Some(Use::CtxState), _) => return true,
                (Some(Use::Local(local)), _) => return steps > 1 && self.locals.contains_key(local),
                (Some(_), _) => return false,
                (None, ExprKind::Field { object, optional: false, .. }) => at = object,
                (None, ExprKind::Index { object, index })
                    if !matches!(index.kind, ExprKind::Range { .. }) && !self.may_assign(index) =>
                {
                    at = object;
                }
                _ => return false,
            }
            steps += 1;
        }
    }

    fn piped_call(&mut self, piped: Piped<'c>, dst: Reg, exits: &mut Vec<Pc>) {
        let tables = self.tables;
        let Some(plan) = tables.calls.get(&piped.pipe.id) else { return self.not_built(dst) };
        let (callee, args): (&'c Expr, &'c [Arg]) = match &piped.root.kind {
            ExprKind::Call { callee, args } => (callee, args),
            _ => (piped.root, &[]),
        };
        self.at(piped.root.span, |body| body.call(plan, callee, args, Some(piped.value), dst, exits, None));
    }

    #[allow(clippy::too_many_arguments, reason = "a call is made of that many parts, all of them short-lived")]
    fn call(
        &mut self,
        plan: &'c Call,
        callee: &'c Expr,
        args: &'c [Arg],
        value: Option<Reg>,
        dst: Reg,
        exits: &mut Vec<Pc>,
        piped: Option<Piped<'c>>,
    ) {
        let receiver = match &callee.kind {
            ExprKind::Field { object, optional, .. } => Some((&**object, *optional)),
            _ => None,
        };
        if let Some((object, _)) = receiver
            && plan.args.contains(&ArgFrom::Receiver)
        {
            let native = match &plan.target {
                Target::Function(item) => self.changing_native(*item),
                Target::Method(name) if self.path(object).is_some() => dynamic_change(name).map(str::to_owned),
                _ => None,
            };
            if let Some(native) = native {
                return self.change(object, &native, &Self::given(args, &plan.args, value), dst);
            }
        }
        if let (Target::Function(item), [ArgFrom::Receiver], Some((object, optional))) =
            (&plan.target, plan.args.as_slice(), receiver)
            && self.is_len(*item)
        {
            let a = self.object(object, dst, exits, piped);
            if optional {
                exits.push(self.emit(Op::JumpIfNull { reg: a, to: 0 }));
            }
            self.emit(Op::Count { dst, a });
            return;
        }
        self.scoped(|body| {
            let value_reg =
                matches!(plan.target, Target::Value { .. }).then(|| body.callee(callee, args, exits, piped));
            let agent = matches!(plan.target, Target::Agent);
            let base = body.window(dst, plan.args.len() + usize::from(agent));
            let mut at = base;
            if agent {
                body.link_checked(callee, base, exits, piped);
                at += 1;
            }
            let function = match plan.target {
                Target::Function(item) => Some(item),
                _ => None,
            };
            for (index, from) in in_order(&plan.args) {
                let reg = at + index as Reg;
                match (from, receiver) {
                    (ArgFrom::Receiver, Some((object, optional))) => {
                        body.link_checked(object, reg, exits, piped);
                        if optional {
                            exits.push(body.emit(Op::JumpIfNull { reg, to: 0 }));
                        }
                    }
                    (ArgFrom::Given(given), _) if args.get(given).is_some() => body.expr(&args[given].value, reg),
                    (ArgFrom::Piped, _) if value.is_some() => {
                        body.emit(Op::Copy { dst: reg, src: value.unwrap_or(reg) });
                    }
                    _ => body.left_out(function, index, reg),
                }
            }
            body.call_op(plan, base, value_reg);
            body.give(dst, base);
        });
    }

    /// The function value that is called: a variable's own register, unless an argument may assign the variable.
    fn callee(&mut self, callee: &'c Expr, args: &'c [Arg], exits: &mut Vec<Pc>, piped: Option<Piped<'c>>) -> Reg {
        let moved = args.iter().any(|arg| self.may_assign(&arg.value));
        if let (false, Some(reg)) = (moved, self.variable(callee, piped)) {
            return reg;
        }
        let dst = self.take(1);
        self.link_checked(callee, dst, exits, piped);
        dst
    }

    /// Whether a function of the library only tells how long its receiver is.
    fn is_len(&self, item: ItemRef) -> bool {
        match self.compiler.implementation(item) {
            Implementation::Native(name) => matches!(name.as_str(), "list.len" | "map.len" | "string.len"),
            _ => false,
        }
    }

    /// The op for a call whose arguments stand in `base..`; the result replaces the first.
    fn call_op(&mut self, plan: &Call, base: Reg, callee: Option<Reg>) {
        let argc = plan.args.len() as u16;
        match &plan.target {
            Target::Function(item) => self.call_item(*item, base, argc),
            Target::Method(name) => {
                self.compiler.methods_named(name);
                let name = self.compiler.name(name);
                self.emit(Op::CallMethod { base, name, argc: argc.saturating_sub(1) });
            }
            Target::Value { checked } => match (callee, u8::try_from(argc)) {
                (Some(callee), Ok(argc)) => {
                    self.emit(Op::CallValue { base, callee, argc, checked: *checked });
                }
                _ => self.too_large(),
            },
            Target::Agent => {
                let Some(ask) = self.compiler.program.ask else { return self.not_built(base) };
                // The agent stands where the function value would, so it is the first argument.
                self.emit(Op::Call { base, function: ask.0 });
            }
        }
    }

    /// A call of a declared function: of its op where it is implemented by the runtime.
    pub(super) fn call_item(&mut self, item: ItemRef, base: Reg, argc: u16) {
        if self.compiler.hooked(item).is_some() {
            // The hooks stand in a function of its own.
            let function = self.compiler.function(item).0;
            self.emit(Op::Call { base, function });
            return;
        }
        self.implemented(item, base, argc);
    }

    /// The op of a declared function.
    pub(super) fn implemented(&mut self, item: ItemRef, base: Reg, argc: u16) {
        let op = match self.compiler.implementation(item) {
            Implementation::Body => Op::Call { base, function: self.compiler.function(item).0 },
            Implementation::Settings => Op::CallSettings { base },
            Implementation::Apply => Op::Apply { base },
            Implementation::Native(name) => {
                let native = self.compiler.native(&name);
                Op::Native { base, native, argc }
            }
            Implementation::Effect(name) => {
                let effect = self.compiler.effect(item, &name);
                Op::Effect { base, effect, argc }
            }
            Implementation::Tell(name) => {
                let tell = self.compiler.entry(|program| &mut program.tells, name.as_str().into());
                Op::Tell { base, tell, argc }
            }
        };
        self.emit(op);
    }

    /// The argument of a parameter that was left out. A function with a body computes its default itself.
    fn left_out(&mut self, function: Option<ItemRef>, index: usize, dst: Reg) {
        let bodiless = function.filter(|item| !matches!(self.compiler.implementation(*item), Implementation::Body));
        let default = bodiless.and_then(|item| {
            let default = self.compiler.declared(item)?.params.get(index)?.default.as_ref()?;
            Some((item.module, default))
        });
        match default {
            Some((module, default)) => self.in_module(module, |body| body.expr(default, dst)),
            None => {
                self.emit(Op::Missing { dst });
            }
        }
    }

    fn changing_native(&self, item: ItemRef) -> Option<String> {
        let changes = self.compiler.declared(item)?.params.first()?.mutable;
        match self.compiler.implementation(item) {
            Implementation::Native(name) if changes => Some(name),
            _ => None,
        }
    }
}

/// How a declared function is implemented.
pub(super) enum Implementation {
    /// In wf.
    Body,
    /// By the machine: the settings of an agent.
    Settings,
    /// By the machine: the call of a function with a list of arguments.
    Apply,
    /// By a function of the runtime that needs nothing but its arguments.
    Native(String),
    /// By asking the world.
    Effect(String),
    /// By telling the world.
    Tell(String),
}

/// The call, or the dotted name, that receives what stands before `|>`.
fn root_of(expr: &Expr) -> &Expr {
    let mut at = expr;
    loop {
        match &at.kind {
            ExprKind::Call { callee, .. } if is_path(callee) => return at,
            ExprKind::Call { callee: inner, .. } => at = inner,
            ExprKind::Field { object: inner, .. } | ExprKind::Index { object: inner, .. } => {
                if is_path(at) {
                    return at;
                }
                at = inner;
            }
            _ => return at,
        }
    }
}

fn is_path(expr: &Expr) -> bool {
    let mut at = expr;
    loop {
        match &at.kind {
            ExprKind::Name(_) => return true,
            ExprKind::Field { object, .. } => at = object,
            _ => return false,
        }
    }
}

/// Arguments with the index of their parameter, in the order in which they are computed: what stands before the call, what
/// is written in its parentheses from left to right, and then what was left out.
fn in_order(args: &[ArgFrom]) -> Vec<(usize, ArgFrom)> {
    let mut ordered: Vec<_> = args.iter().copied().enumerate().collect();
    ordered.sort_by_key(|(_, from)| match from {
        ArgFrom::Receiver | ArgFrom::Piped => 0,
        ArgFrom::Given(written) => written + 1,
        ArgFrom::Default => usize::MAX,
    });
    ordered
}
