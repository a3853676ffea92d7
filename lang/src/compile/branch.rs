//! Conditions: where a function goes on, decided without making a bool of it first.

use super::{body::Body, expr::test};
use crate::{
    program::{Comparison, Constant, Op, Pc, Reg},
    syntax::ast::{BinaryOp, Expr, ExprKind, StrPart, UnaryOp},
};

impl<'c> Body<'_, 'c> {
    /// Goes on behind when `cond` is not `when`; each jump in `jumps` is taken when it is. Anything but a bool throws.
    pub(super) fn branch(&mut self, cond: &'c Expr, when: bool, jumps: &mut Vec<Pc>) {
        // The nesting of the source is bounded, but not by what a thread's stack holds.
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.at(cond.span, |body| body.decide(cond, when, jumps)));
    }

    fn decide(&mut self, cond: &'c Expr, when: bool, jumps: &mut Vec<Pc>) {
        if self.tables.expects.contains_key(&cond.id) {
            return self.tested(cond, when, jumps);
        }
        match &cond.kind {
            ExprKind::Paren(inner) => self.branch(inner, when, jumps),
            ExprKind::Unary(UnaryOp::Not, inner) => self.branch(inner, !when, jumps),
            ExprKind::Bool(value) if *value == when => jumps.push(self.emit(Op::Jump { to: 0 })),
            ExprKind::Bool(_) => {}
            // `a && b` is false as soon as one is, `a || b` true: then each side decides by itself.
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), a, b) if when == (*op == BinaryOp::Or) => {
                self.branch(a, when, jumps);
                self.branch(b, when, jumps);
            }
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or, a, b) => {
                let mut decided = Vec::new();
                self.branch(a, !when, &mut decided);
                self.branch(b, when, jumps);
                self.land_all(decided);
            }
            ExprKind::Binary(op, a, b) => match test(*op) {
                Some(test) => self.compared(cond, if when { test } else { test.negated() }, (a, b), when, jumps),
                None => self.tested(cond, when, jumps),
            },
            _ => self.tested(cond, when, jumps),
        }
    }

    /// By the bool that it is.
    fn tested(&mut self, cond: &'c Expr, when: bool, jumps: &mut Vec<Pc>) {
        let jump = self.scoped(|body| {
            let cond = body.operand(cond);
            body.emit(if when { Op::JumpIf { cond, to: 0 } } else { Op::JumpIfNot { cond, to: 0 } })
        });
        jumps.push(jump);
    }

    /// By comparing; jumps when the test passes.
    fn compared(
        &mut self,
        cond: &'c Expr,
        test: Comparison,
        sides: (&'c Expr, &'c Expr),
        when: bool,
        jumps: &mut Vec<Pc>,
    ) {
        let (a, b) = sides;
        if matches!(test, Comparison::Eq | Comparison::Ne) && self.optional_in(a, b).is_some() {
            return self.tested(cond, when, jumps);
        }
        let jump = self.scoped(|body| {
            if let Some(value) = body.small_int(b) {
                let a = body.operand(a);
                return body.emit(match test {
                    Comparison::Eq => Op::JumpEqInt { a, value, to: 0 },
                    Comparison::Ne => Op::JumpNeInt { a, value, to: 0 },
                    Comparison::Lt => Op::JumpLtInt { a, value, to: 0 },
                    Comparison::Le => Op::JumpLeInt { a, value, to: 0 },
                    Comparison::Gt => Op::JumpGtInt { a, value, to: 0 },
                    Comparison::Ge => Op::JumpGeInt { a, value, to: 0 },
                });
            }
            if let (Comparison::Eq | Comparison::Ne, Some(literal)) = (test, body.literal(b)) {
                let reg = body.operand(a);
                return body.emit(match (literal, test) {
                    (None, Comparison::Eq) => Op::JumpIfNull { reg, to: 0 },
                    (None, _) => Op::JumpIfNotNull { reg, to: 0 },
                    (Some(constant), Comparison::Eq) => Op::JumpEqConst { a: reg, constant, to: 0 },
                    (Some(constant), _) => Op::JumpNeConst { a: reg, constant, to: 0 },
                });
            }
            let (a, b) = body.operands(a, b);
            body.emit(match test {
                Comparison::Eq => Op::JumpEq { a, b, to: 0 },
                Comparison::Ne => Op::JumpNe { a, b, to: 0 },
                Comparison::Lt => Op::JumpLt { a, b, to: 0 },
                Comparison::Le => Op::JumpLe { a, b, to: 0 },
                Comparison::Gt => Op::JumpGt { a, b, to: 0 },
                Comparison::Ge => Op::JumpGe { a, b, to: 0 },
            })
        });
        jumps.push(jump);
    }

    /// The constant, or null as `None`, that is written there.
    pub(super) fn literal(&mut self, expr: &'c Expr) -> Option<Option<u16>> {
        if self.tables.expects.contains_key(&expr.id) {
            return None;
        }
        let constant = match &expr.kind {
            ExprKind::Null => return Some(None),
            ExprKind::Paren(inner) => return self.literal(inner),
            ExprKind::Float(value) => Constant::Float(*value),
            ExprKind::Duration(value) => Constant::Duration(*value),
            ExprKind::Str(parts) => match parts.as_slice() {
                [] => Constant::String(Default::default()),
                [StrPart::Text(text)] => Constant::String(text.clone()),
                _ => return None,
            },
            _ => return None,
        };
        u16::try_from(self.compiler.constant(constant)).ok().map(Some)
    }

    /// The value of a condition, for who wants it as a bool.
    pub(super) fn truth(&mut self, cond: &'c Expr, dst: Reg) {
        let mut misses = Vec::new();
        self.branch(cond, false, &mut misses);
        self.emit(Op::Bool { dst, value: true });
        let done = self.emit(Op::Jump { to: 0 });
        self.land_all(misses);
        self.emit(Op::Bool { dst, value: false });
        self.land(done);
    }
}
