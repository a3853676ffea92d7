//! `==` where a type says `b?`: absent and null are equal there, so the type goes along.

use super::{Compiler, body::Body};
use crate::{
    check::{ItemRef, Type},
    program::{Op, Reg, Test},
    syntax::ast::Expr,
};

impl<'c> Body<'_, 'c> {
    /// `dst = a == b`, or `!=` when `negated`.
    pub(super) fn equality(&mut self, a: &'c Expr, b: &'c Expr, negated: bool, dst: Reg) {
        let ty = self.optional_in(a, b);
        self.scoped(|body| {
            let Some(ty) = ty else {
                if let Some(value) = body.small_int(b) {
                    let a = body.operand(a);
                    let test = if negated { Test::Ne } else { Test::Eq };
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
            let ty = body.compiler.type_id(ty).0;
            body.emit(Op::Type { dst: base + 2, ty });
            let native = body.compiler.native("pattern.equal");
            body.emit(Op::Native { base, native, argc: 3 });
            if negated {
                body.emit(Op::Not { dst, a: base });
            } else {
                body.give(dst, base);
            }
        });
    }

    /// The type of two sides in which absent and null are equal somewhere.
    pub(super) fn optional_in(&self, a: &'c Expr, b: &'c Expr) -> Option<&'c Type> {
        let types = [a, b].into_iter().map(|side| self.type_of(side));
        types.into_iter().find(|ty| self.compiler.has_optional(ty, &mut Vec::new()))
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
