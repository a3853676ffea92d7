//! `==` where a type says `b?`: absent and null are equal there, so the type goes along.

use super::{Compiler, body::Body};
use crate::{
    check::{ItemRef, Type},
    program::{Comparison, Op, Reg},
    syntax::ast::{BinaryOp, Expr},
};

impl<'c> Body<'_, 'c> {
    /// `dst = a == b`, or `!=` when `negated`.
    pub(super) fn equality(&mut self, a: &'c Expr, b: &'c Expr, negated: bool, dst: Reg) {
        let ty = self.optional_in(a, b);
        self.scoped(|body| {
            let Some(ty) = ty else {
                if let Some(value) = body.small_int(b) {
                    let a = body.operand(a);
                    let test = if negated { Comparison::Ne } else { Comparison::Eq };
                    body.emit(Op::TestInt { test, dst, a, value });
                    return;
                }
                let (a, b) = body.operands(a, b);
                body.emit(if negated { Op::Ne { dst, a, b } } else { Op::Eq { dst, a, b } });
                return;
            };
            let base = body.window(dst, 3);
            body.expr(a, base);
            body.expr(b, base + 1);
            body.equal_as(ty, base, negated, dst);
        });
    }

    /// The type of two sides in which absent and null are equal somewhere.
    pub(super) fn optional_in(&self, a: &'c Expr, b: &'c Expr) -> Option<&'c Type> {
        let types = [a, b].into_iter().map(|side| self.type_of(side));
        types.into_iter().find(|ty| self.compiler.has_optional(ty, &mut Vec::new()))
    }

    /// A comparison of two values that stay in their registers.
    pub(super) fn compare(&mut self, op: BinaryOp, (a, left): (&'c Expr, Reg), (b, right): (&'c Expr, Reg), dst: Reg) {
        let equality = matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        let mut sides = [a, b].into_iter().map(|side| self.type_of(side)).filter(|_| equality);
        if let Some(ty) = sides.find(|ty| self.compiler.has_optional(ty, &mut Vec::new())) {
            return self.scoped(|body| {
                let base = body.take(3);
                body.emit(Op::Copy { dst: base, src: left });
                body.emit(Op::Copy { dst: base + 1, src: right });
                body.equal_as(ty, base, op == BinaryOp::Ne, dst);
            });
        }
        let (a, b) = (left, right);
        self.emit(match op {
            BinaryOp::Ne => Op::Ne { dst, a, b },
            BinaryOp::Lt => Op::Lt { dst, a, b },
            BinaryOp::Le => Op::Le { dst, a, b },
            BinaryOp::Gt => Op::Gt { dst, a, b },
            BinaryOp::Ge => Op::Ge { dst, a, b },
            BinaryOp::In => Op::In { dst, a, b },
            _ => Op::Eq { dst, a, b },
        });
    }

    /// Compares the values in `base` and behind it as values of a type with optional fields.
    fn equal_as(&mut self, ty: &Type, base: Reg, negated: bool, dst: Reg) {
        let ty = self.compiler.type_id(ty).0;
        self.emit(Op::Type { dst: base + 2, ty });
        let native = self.compiler.native("pattern.equal");
        self.emit(Op::Native { base, native, argc: 3 });
        if negated {
            self.emit(Op::Not { dst, a: base });
        } else {
            self.give(dst, base);
        }
    }
}

impl Compiler<'_> {
    /// Whether an optional field stands somewhere in the type.
    fn has_optional(&self, ty: &Type, seen: &mut Vec<ItemRef>) -> bool {
        match ty {
            Type::Named(item) if seen.contains(item) => false,
            Type::Named(item) => {
                seen.push(*item);
                self.checked.named.get(item).is_some_and(|named| self.has_optional(&named.ty, seen))
            }
            Type::List(item) | Type::Map(item) => self.has_optional(item, seen),
            Type::Union(members) => members.iter().any(|member| self.has_optional(member, seen)),
            Type::Record(record) => {
                record.fields.iter().any(|field| field.optional || self.has_optional(&field.ty, seen))
            }
            _ => false,
        }
    }
}
