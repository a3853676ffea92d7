//! Patterns: taking values apart, and the arms of a `match`.

use super::body::Body;
use crate::{
    check::Type,
    program::{Constant, Op, Pc, Reg},
    syntax::ast::{self, Arm, Expr, Name, Pattern, PatternKind, TypeExpr},
};

impl<'c> Body<'_, 'c> {
    /// Binds the names of a pattern that fits every value of its type. `value` stays in its register.
    pub(super) fn destructure(&mut self, pattern: &'c Pattern, value: Reg) {
        self.at(pattern.span, |body| match &pattern.kind {
            PatternKind::Bind(name, _) => body.bind(name, value),
            PatternKind::Record { fields, rest } => {
                for (name, inner) in fields {
                    let dst = body.take(1);
                    let field = body.compiler.name(&name.text);
                    body.emit(Op::FieldOrNull { dst, object: value, name: field });
                    match inner {
                        Some(inner) => body.destructure(inner, dst),
                        None => body.bind(name, dst),
                    }
                }
                if let Some(Some(rest)) = rest {
                    let dst = body.rest_of_record(value, fields);
                    body.bind(rest, dst);
                }
            }
            PatternKind::List { before, rest, after } => {
                let parts = body.parts_of_list(value, before.len(), rest.is_some(), after.len());
                for (index, inner) in before.iter().enumerate() {
                    body.destructure(inner, parts + index as Reg);
                }
                let mut at = parts + before.len() as Reg;
                if let Some(rest) = rest {
                    if let Some(rest) = rest {
                        body.bind(rest, at);
                    }
                    at += 1;
                }
                for (index, inner) in after.iter().enumerate() {
                    body.destructure(inner, at + index as Reg);
                }
            }
            PatternKind::Wildcard
            | PatternKind::Literal(_)
            | PatternKind::Or(_)
            | PatternKind::Type(_)
            | PatternKind::Error => {}
        });
    }

    /// A record without the fields that a pattern names.
    fn rest_of_record(&mut self, value: Reg, fields: &'c [(Name, Option<Pattern>)]) -> Reg {
        let base = self.take(2);
        self.emit(Op::Copy { dst: base, src: value });
        self.emit(Op::List { dst: base + 1, first: base + 1, count: 0 });
        for (name, _) in fields {
            self.scoped(|body| {
                let item = body.take(1);
                body.constant(item, Constant::String(name.text.clone()));
                body.emit(Op::ListPush { list: base + 1, item });
            });
        }
        let native = self.compiler.native("pattern.rest");
        self.emit(Op::Native { base, native, argc: 2 });
        base
    }

    /// The elements that a list pattern names, and the rest as a list, in consecutive registers; a list that has not as
    /// many throws kind `match`.
    fn parts_of_list(&mut self, value: Reg, before: usize, rest: bool, after: usize) -> Reg {
        let count = before + after + usize::from(rest);
        let parts = self.take(count.max(1));
        self.scoped(|body| {
            let base = body.take(4);
            body.emit(Op::Copy { dst: base, src: value });
            body.constant(base + 1, Constant::Int(before as i64));
            body.emit(Op::Bool { dst: base + 2, value: rest });
            body.constant(base + 3, Constant::Int(after as i64));
            let native = body.compiler.native("pattern.list");
            body.emit(Op::Native { base, native, argc: 4 });
            for index in 0..count {
                body.constant(base + 1, Constant::Int(index as i64));
                body.emit(Op::Index { dst: parts + index as Reg, object: base, index: base + 1 });
            }
        });
        parts
    }

    pub(super) fn match_(&mut self, subject: &'c Expr, arms: &'c [Arm], dst: Reg) {
        self.scoped(|body| {
            // A copy: an arm may assign the variable that is looked at.
            let subject = body.fresh(subject);
            let mut done = Vec::new();
            for arm in arms {
                body.scoped(|body| {
                    body.at(arm.span, |body| {
                        let mut misses = Vec::new();
                        body.test(&arm.pattern, subject, &mut misses);
                        if let Some(guard) = &arm.guard {
                            body.scoped(|body| {
                                let cond = body.operand(guard);
                                misses.push(body.emit(Op::JumpIfNot { cond, to: 0 }));
                            });
                        }
                        match &arm.body {
                            ast::Body::Expr(expr) => body.expr(expr, dst),
                            ast::Body::Block(block) => body.block(block, dst),
                        }
                        done.push(body.emit(Op::Jump { to: 0 }));
                        body.land_all(misses);
                    });
                });
            }
            body.emit(Op::NoMatch { src: subject });
            body.land_all(done);
        });
    }

    /// Tests a pattern; every jump in `misses` is taken when it does not fit.
    pub(super) fn test(&mut self, pattern: &'c Pattern, value: Reg, misses: &mut Vec<Pc>) {
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Bind(name, ty) => {
                if let Some(ty) = ty {
                    self.test_type(ty, value, misses);
                }
                self.bind(name, value);
            }
            PatternKind::Type(ty) => self.test_type(ty, value, misses),
            PatternKind::Literal(literal) => self.scoped(|body| {
                let b = body.fresh(literal);
                body.emit(Op::Eq { dst: b, a: value, b });
                misses.push(body.emit(Op::JumpIfNot { cond: b, to: 0 }));
            }),
            PatternKind::Or(alternatives) => {
                let mut hits = Vec::new();
                let (last, before) = match alternatives.split_last() {
                    Some(split) => split,
                    None => return,
                };
                for alternative in before {
                    let mut missed = Vec::new();
                    self.test(alternative, value, &mut missed);
                    hits.push(self.emit(Op::Jump { to: 0 }));
                    self.land_all(missed);
                }
                self.test(last, value, misses);
                self.land_all(hits);
            }
            PatternKind::Record { fields, rest } => {
                self.test_kind(&Type::Map(Type::Any.into()), value, misses);
                for (name, inner) in fields {
                    let dst = self.take(1);
                    self.scoped(|body| {
                        let key = body.take(1);
                        body.constant(key, Constant::String(name.text.clone()));
                        body.emit(Op::In { dst: key, a: key, b: value });
                        misses.push(body.emit(Op::JumpIfNot { cond: key, to: 0 }));
                    });
                    let field = self.compiler.name(&name.text);
                    self.emit(Op::FieldOrNull { dst, object: value, name: field });
                    match inner {
                        Some(inner) => self.test(inner, dst, misses),
                        None => self.bind(name, dst),
                    }
                }
                if let Some(Some(rest)) = rest {
                    let dst = self.rest_of_record(value, fields);
                    self.bind(rest, dst);
                }
            }
            PatternKind::List { .. } | PatternKind::Error => self.scoped(|body| {
                let dst = body.take(1);
                body.not_built(dst);
            }),
        }
    }

    fn test_kind(&mut self, ty: &Type, value: Reg, misses: &mut Vec<Pc>) {
        let ty = self.compiler.type_id(ty).0;
        self.scoped(|body| {
            let reg = body.take(1);
            body.emit(Op::Copy { dst: reg, src: value });
            body.emit(Op::Fits { reg, ty });
            misses.push(body.emit(Op::JumpIfNot { cond: reg, to: 0 }));
        });
    }

    fn test_type(&mut self, written: &'c TypeExpr, value: Reg, misses: &mut Vec<Pc>) {
        let ty = self.written(written);
        let ty = self.compiler.type_id(&ty).0;
        self.scoped(|body| {
            let reg = body.take(1);
            body.emit(Op::Copy { dst: reg, src: value });
            body.emit(Op::Fits { reg, ty });
            misses.push(body.emit(Op::JumpIfNot { cond: reg, to: 0 }));
        });
    }
}
