//! Expressions: values into registers.

use std::collections::HashSet;

use smol_str::SmolStr;

use super::body::Body;
use crate::{
    check::{Literal, Type, Use},
    program::{Comparison, Constant, Op, Reg},
    syntax::{
        ast::{BinaryOp, Element, Expr, ExprKind, ItemKind, RecordField, StrPart, UnaryOp},
        visit,
    },
};

/// Larger literals are built element by element, so that they do not need a register each.
const LITERAL_AT_ONCE: usize = 32;

impl<'c> Body<'_, 'c> {
    /// Computes `expr` into `dst`, which nothing else reads: a fresh register. Checks it where the checker asks for it.
    pub(super) fn expr(&mut self, expr: &'c Expr, dst: Reg) {
        // The nesting of the source is bounded, but not by what a thread's stack holds.
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
            self.at(expr.span, |body| {
                body.unchecked(expr, dst);
                if let Some(ty) = body.tables.expects.get(&expr.id) {
                    let ty = body.compiler.type_id(ty).0;
                    body.emit(Op::Check { reg: dst, ty });
                }
            });
        });
    }

    /// A register that holds the value of `expr`: the variable's own where it is one, else a fresh one.
    pub(super) fn operand(&mut self, expr: &'c Expr) -> Reg {
        match &expr.kind {
            ExprKind::Paren(inner) if !self.tables.expects.contains_key(&expr.id) => return self.operand(inner),
            ExprKind::Name(_) if !self.tables.expects.contains_key(&expr.id) => {
                if let Some(Use::Local(local)) = self.tables.uses.get(&expr.id)
                    && let Some(reg) = self.locals.get(local)
                {
                    return *reg;
                }
            }
            _ => {}
        }
        self.fresh(expr)
    }

    /// A fresh register that holds the value of `expr`.
    pub(super) fn fresh(&mut self, expr: &'c Expr) -> Reg {
        let reg = self.take(1);
        self.expr(expr, reg);
        reg
    }

    /// Both operands of something; the left one is copied when computing the right one could change its variable.
    pub(super) fn operands(&mut self, a: &'c Expr, b: &'c Expr) -> (Reg, Reg) {
        let a = if self.may_assign(b) { self.fresh(a) } else { self.operand(a) };
        (a, self.operand(b))
    }

    /// Whether computing `expr` may assign a variable of this function.
    pub(super) fn may_assign(&self, expr: &'c Expr) -> bool {
        visit::any(expr, &mut |inner| match &inner.kind {
            ExprKind::Do(_) | ExprKind::If { .. } | ExprKind::Match { .. } | ExprKind::Try { .. } => true,
            ExprKind::Call { .. } => self.changes_receiver(inner),
            _ => false,
        })
    }

    fn unchecked(&mut self, expr: &'c Expr, dst: Reg) {
        match &expr.kind {
            ExprKind::Null => {
                self.emit(Op::Null { dst });
            }
            ExprKind::Bool(value) => {
                self.emit(Op::Bool { dst, value: *value });
            }
            ExprKind::Int(value) => self.constant(dst, Constant::Int(*value)),
            ExprKind::Float(value) => self.constant(dst, Constant::Float(*value)),
            ExprKind::Duration(value) => self.constant(dst, Constant::Duration(*value)),
            ExprKind::Str(parts) => self.string(parts, dst),
            ExprKind::List(elements) => self.list(elements, dst),
            ExprKind::Record(fields) => self.record(fields, dst),
            ExprKind::Name(_) => self.name_use(expr, dst),
            ExprKind::TypeValue(written) => {
                let ty = self.written(written);
                let ty = self.compiler.type_id(&ty).0;
                self.emit(Op::Type { dst, ty });
            }
            ExprKind::Unary(op, a) => {
                self.scoped(|body| {
                    let a = body.operand(a);
                    body.emit(match op {
                        UnaryOp::Not => Op::Not { dst, a },
                        UnaryOp::Neg => Op::Neg { dst, a },
                    });
                });
            }
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or, ..) => self.truth(expr, dst),
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, dst),
            ExprKind::Range { start, end, inclusive } => self.scoped(|body| {
                let first = body.window(dst, 2);
                body.ends(start.as_deref(), end.as_deref(), first);
                body.emit(Op::Range { dst, first, inclusive: *inclusive });
            }),
            ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Call { .. } | ExprKind::Pipe { .. } => {
                self.chain(expr, dst);
            }
            ExprKind::As { value, ty } => {
                self.expr(value, dst);
                let ty = self.written(ty);
                let ty = self.compiler.type_id(&ty).0;
                self.emit(Op::Convert { reg: dst, ty });
            }
            ExprKind::Paren(inner) => self.expr(inner, dst),
            ExprKind::Lambda { params, body } => self.lambda(params, body, dst),
            ExprKind::If { cond, then, otherwise } => self.if_(cond, then, otherwise.as_deref(), dst),
            ExprKind::Do(block) => self.block(block, dst),
            ExprKind::Match { subject, arms } => self.match_(subject, arms, dst),
            ExprKind::Try { body, catch, finally } => self.try_(body, catch.as_ref(), finally.as_ref(), dst),
            ExprKind::Gather(gather) => self.gather(gather, dst),
            ExprKind::Return(value) => self.return_(value.as_deref()),
            ExprKind::Throw(value) => self.scoped(|body| {
                let src = body.operand(value);
                body.emit(Op::Throw { src });
            }),
            ExprKind::Break => self.break_(),
            ExprKind::Continue => self.continue_(),
            ExprKind::Race(branches) => self.race(branches, dst),
            ExprKind::Observe(inner) => self.observe(inner, dst),
            ExprKind::Error => self.not_built(dst),
        }
    }

    /// What the checker has refused; it throws should it ever run.
    pub(super) fn not_built(&mut self, dst: Reg) {
        self.constant(dst, Constant::String("this part of the program is not built yet".into()));
        self.emit(Op::Throw { src: dst });
    }

    fn string(&mut self, parts: &'c [StrPart], dst: Reg) {
        match parts {
            [] => self.constant(dst, Constant::String(SmolStr::default())),
            [StrPart::Text(text)] => self.constant(dst, Constant::String(text.clone())),
            parts => self.scoped(|body| {
                let first = body.window(dst, parts.len());
                for (index, part) in parts.iter().enumerate() {
                    let reg = first + index as Reg;
                    match part {
                        StrPart::Text(text) => body.constant(reg, Constant::String(text.clone())),
                        StrPart::Expr(inner) => body.expr(inner, reg),
                    }
                }
                body.emit(Op::Concat { dst, first, count: parts.len() as u16 });
            }),
        }
    }

    fn list(&mut self, elements: &'c [Element], dst: Reg) {
        let plain = elements.iter().all(|element| matches!(element, Element::Item(_)));
        if plain && elements.len() <= LITERAL_AT_ONCE {
            return self.scoped(|body| {
                let first = body.window(dst, elements.len());
                for (index, element) in elements.iter().enumerate() {
                    let (Element::Item(inner) | Element::Spread(inner)) = element;
                    body.expr(inner, first + index as Reg);
                }
                body.emit(Op::List { dst, first, count: elements.len() as u16 });
            });
        }
        self.emit(Op::List { dst, first: dst, count: 0 });
        for element in elements {
            self.scoped(|body| match element {
                Element::Item(inner) => {
                    let item = body.operand(inner);
                    body.emit(Op::ListPush { list: dst, item, last: false });
                }
                Element::Spread(inner) => {
                    let items = body.operand(inner);
                    body.emit(Op::ListExtend { list: dst, items });
                }
            });
        }
    }

    fn record(&mut self, fields: &'c [RecordField], dst: Reg) {
        // A field that is written a second time replaces the first.
        let mut names = HashSet::new();
        let new =
            |field: &&'c RecordField| matches!(field, RecordField::Named { name, .. } if names.insert(&name.text));
        let at_once = fields.iter().take(LITERAL_AT_ONCE).take_while(new).count();
        let (first_fields, rest) = fields.split_at(at_once);
        self.scoped(|body| {
            let first = body.window(dst, first_fields.len());
            let mut keys = Vec::with_capacity(first_fields.len());
            for (index, field) in first_fields.iter().enumerate() {
                if let RecordField::Named { name, value, .. } = field {
                    keys.push(name.text.clone());
                    body.expr(value, first + index as Reg);
                }
            }
            let shape = body.compiler.entry(|program| &mut program.shapes, keys);
            body.emit(Op::Record { dst, first, shape });
        });
        for field in rest {
            self.scoped(|body| match field {
                RecordField::Named { name, value, .. } => {
                    let key = body.take(1);
                    body.constant(key, Constant::String(name.text.clone()));
                    let value = body.operand(value);
                    body.emit(Op::RecordPut { record: dst, key, value });
                }
                RecordField::Computed { key, value } => {
                    let (key, value) = body.operands(key, value);
                    body.emit(Op::RecordPut { record: dst, key, value });
                }
                RecordField::Spread(inner) => {
                    let fields = body.operand(inner);
                    body.emit(Op::RecordExtend { record: dst, fields });
                }
            });
        }
    }

    /// A name, or a dotted name that the checker has resolved as one.
    pub(super) fn name_use(&mut self, expr: &'c Expr, dst: Reg) {
        let tables = self.tables;
        match tables.uses.get(&expr.id) {
            Some(Use::Local(local)) => match self.locals.get(local) {
                Some(src) => {
                    let src = *src;
                    self.emit(Op::Copy { dst, src });
                }
                None => self.not_built(dst),
            },
            Some(Use::Function(item)) => {
                let function = self.compiler.function(*item).0;
                self.emit(Op::Closure { dst, function });
            }
            // A constant of the library is computed where it is read.
            Some(Use::Let(item)) if self.compiler.checked.modules[usize::from(item.module.0)].library => {
                if let ItemKind::Let(constant) = &self.compiler.item(*item).kind {
                    self.in_module(item.module, |body| body.expr(&constant.value, dst));
                }
            }
            Some(Use::Let(item)) => match self.compiler.globals.get(item) {
                Some(global) => {
                    let global = *global;
                    self.emit(Op::Global { dst, global });
                }
                None => self.not_built(dst),
            },
            Some(Use::Agent(item)) => {
                let agent = self.compiler.agent(*item);
                self.emit(Op::Agent { dst, agent });
            }
            Some(Use::Type(ty)) => {
                let ty = self.compiler.type_id(ty).0;
                self.emit(Op::Type { dst, ty });
            }
            Some(Use::Schema(ty)) => {
                let ty = self.compiler.type_id(ty).0;
                self.emit(Op::Schema { dst, ty });
            }
            Some(Use::Values(ty)) => self.values(ty, dst),
            Some(Use::CtxState) => self.read_place(expr, dst),
            Some(Use::CtxMember(member)) => {
                self.emit(Op::Ctx { dst, member: *member });
            }
            Some(Use::Ctx | Use::Module(_)) | None => self.not_built(dst),
        }
    }

    /// `T.values`: the literals of a union, in order.
    fn values(&mut self, ty: &Type, dst: Reg) {
        let mut literals = Vec::new();
        self.literals(ty, &mut literals);
        self.emit(Op::List { dst, first: dst, count: 0 });
        for literal in literals {
            self.scoped(|body| {
                let item = body.take(1);
                match literal {
                    Literal::String(value) => body.constant(item, Constant::String(value)),
                    Literal::Int(value) => body.constant(item, Constant::Int(value)),
                    Literal::Float(value) => body.constant(item, Constant::Float(value)),
                    Literal::Duration(value) => body.constant(item, Constant::Duration(value)),
                    Literal::Bool(value) => {
                        body.emit(Op::Bool { dst: item, value });
                    }
                }
                body.emit(Op::ListPush { list: dst, item, last: false });
            });
        }
    }

    fn literals(&self, ty: &Type, into: &mut Vec<Literal>) {
        match self.compiler.resolve(ty) {
            Type::Literal(literal) => into.push(literal.clone()),
            Type::Union(members) => members.iter().for_each(|member| self.literals(member, into)),
            _ => {}
        }
    }

    fn binary(&mut self, op: BinaryOp, a: &'c Expr, b: &'c Expr, dst: Reg) {
        match op {
            BinaryOp::Coalesce => {
                self.expr(a, dst);
                let given = self.emit(Op::JumpIfNotNull { reg: dst, to: 0 });
                self.expr(b, dst);
                self.land(given);
            }
            BinaryOp::Eq | BinaryOp::Ne => self.equality(a, b, op == BinaryOp::Ne, dst),
            _ => self.scoped(|body| {
                if let Some(value) = body.small_int(b) {
                    let a = body.operand(a);
                    if let Some(op) = with_int(op, dst, a, value) {
                        body.emit(op);
                        return;
                    }
                }
                let (a, b) = body.operands(a, b);
                body.emit(match op {
                    BinaryOp::Lt => Op::Lt { dst, a, b },
                    BinaryOp::Le => Op::Le { dst, a, b },
                    BinaryOp::Gt => Op::Gt { dst, a, b },
                    BinaryOp::Ge => Op::Ge { dst, a, b },
                    BinaryOp::In => Op::In { dst, a, b },
                    BinaryOp::Sub => Op::Sub { dst, a, b },
                    BinaryOp::Mul => Op::Mul { dst, a, b },
                    BinaryOp::Div => Op::Div { dst, a, b },
                    BinaryOp::Rem => Op::Rem { dst, a, b },
                    _ => Op::Add { dst, a, b, last: false },
                });
            }),
        }
    }

    /// The ends of a range into two registers; null where it is open.
    pub(super) fn ends(&mut self, start: Option<&'c Expr>, end: Option<&'c Expr>, first: Reg) {
        for (side, dst) in [(start, first), (end, first + 1)] {
            match side {
                Some(side) => self.expr(side, dst),
                None => {
                    self.emit(Op::Null { dst });
                }
            }
        }
    }

    /// The integer that is written there, if it fits the ops that have room for one.
    pub(super) fn small_int(&self, expr: &'c Expr) -> Option<i16> {
        if self.tables.expects.contains_key(&expr.id) {
            return None;
        }
        match &expr.kind {
            ExprKind::Int(value) => i16::try_from(*value).ok(),
            ExprKind::Paren(inner) => self.small_int(inner),
            ExprKind::Unary(UnaryOp::Neg, inner) => self.small_int(inner)?.checked_neg(),
            _ => None,
        }
    }
}

/// The op that computes `a op value`, where there is one.
fn with_int(op: BinaryOp, dst: Reg, a: Reg, value: i16) -> Option<Op> {
    Some(match op {
        BinaryOp::Add => Op::AddInt { dst, a, value },
        BinaryOp::Sub => Op::SubInt { dst, a, value },
        BinaryOp::Mul => Op::MulInt { dst, a, value },
        BinaryOp::Rem => Op::RemInt { dst, a, value },
        _ => Op::TestInt { test: test(op)?, dst, a, value },
    })
}

/// The test that a comparison makes.
pub(super) fn test(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Eq => Comparison::Eq,
        BinaryOp::Ne => Comparison::Ne,
        BinaryOp::Lt => Comparison::Lt,
        BinaryOp::Le => Comparison::Le,
        BinaryOp::Gt => Comparison::Gt,
        BinaryOp::Ge => Comparison::Ge,
        _ => return None,
    })
}
