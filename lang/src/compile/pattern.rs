//! Patterns: taking values apart, and the arms of a `match`.

use smol_str::SmolStr;

use super::{Compiler, body::Body};
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
                body.emit(Op::ListPush { list: base + 1, item, last: false });
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
            let ty = body.type_of(subject);
            // A copy: an arm may assign the variable that is looked at.
            let subject = body.fresh(subject);
            let mut done = Vec::new();
            for arm in arms {
                body.scoped(|body| {
                    body.at(arm.span, |body| {
                        let mut misses = Vec::new();
                        body.test(&arm.pattern, subject, ty, &mut misses);
                        if let Some(guard) = &arm.guard {
                            body.branch(guard, false, &mut misses);
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

    /// Tests a pattern against a value of that type; every jump in `misses` is taken when it does not fit.
    pub(super) fn test(&mut self, pattern: &'c Pattern, value: Reg, ty: &Type, misses: &mut Vec<Pc>) {
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Bind(name, None) => self.bind(name, value),
            PatternKind::Bind(name, Some(written)) => {
                let reg = self.take(1);
                self.test_type(written, value, misses);
                // In the type's form: JSON's `3.0` is an int where one is meant.
                let ty = self.written(written);
                let ty = self.compiler.type_id(&ty).0;
                self.emit(Op::Copy { dst: reg, src: value });
                self.emit(Op::Check { reg, ty });
                self.bind(name, reg);
            }
            PatternKind::Type(written) => self.test_type(written, value, misses),
            PatternKind::Literal(literal) => {
                let miss = self.scoped(|body| match (body.small_int(literal), body.literal(literal)) {
                    (Some(int), _) => Op::JumpNeInt { a: value, value: int, to: 0 },
                    (None, Some(None)) => Op::JumpIfNotNull { reg: value, to: 0 },
                    (None, Some(Some(constant))) => Op::JumpNeConst { a: value, constant, to: 0 },
                    (None, None) => Op::JumpNe { a: value, b: body.fresh(literal), to: 0 },
                });
                misses.push(self.emit(miss));
            }
            PatternKind::Or(alternatives) => self.test_any(alternatives, value, ty, misses),
            PatternKind::Record { fields, rest } => {
                self.test_record(fields, value, ty, misses);
                if let Some(Some(rest)) = rest {
                    let dst = self.rest_of_record(value, fields);
                    self.bind(rest, dst);
                }
            }
            PatternKind::List { before, rest, after } => {
                self.test_list(before, rest.as_ref(), after, value, ty, misses);
            }
            PatternKind::Error => self.scoped(|body| {
                let dst = body.take(1);
                body.not_built(dst);
            }),
        }
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

    /// Alternatives bind the same names; each puts them where the first has them.
    fn test_any(&mut self, alternatives: &'c [Pattern], value: Reg, ty: &Type, misses: &mut Vec<Pc>) {
        let Some((last, before)) = alternatives.split_last() else { return };
        let mut names = Vec::new();
        alternatives.iter().for_each(|alternative| names_of(alternative, &mut names));
        let mut shared: Vec<SmolStr> = names.iter().map(|name| name.text.clone()).collect();
        shared.sort_unstable();
        shared.dedup();
        let first = self.take(shared.len());
        let mut hits = Vec::new();
        for alternative in before {
            let mut missed = Vec::new();
            self.alternative(alternative, value, ty, &shared, first, &mut missed);
            hits.push(self.emit(Op::Jump { to: 0 }));
            self.land_all(missed);
        }
        self.alternative(last, value, ty, &shared, first, misses);
        self.land_all(hits);
        for name in names {
            if let Ok(index) = shared.binary_search(&name.text) {
                self.bind(name, first + index as Reg);
            }
        }
    }

    fn alternative(
        &mut self,
        pattern: &'c Pattern,
        value: Reg,
        ty: &Type,
        shared: &[SmolStr],
        first: Reg,
        misses: &mut Vec<Pc>,
    ) {
        self.scoped(|body| {
            body.test(pattern, value, ty, misses);
            let mut names = Vec::new();
            names_of(pattern, &mut names);
            for name in names {
                let found = body.tables.locals.get(&name.span.start).and_then(|local| body.locals.get(local)).copied();
                if let (Some(src), Ok(index)) = (found, shared.binary_search(&name.text)) {
                    body.emit(Op::Copy { dst: first + index as Reg, src });
                }
            }
        });
    }

    /// A field must be there, unless a type of the value says that it may be absent, which is as good as null.
    fn test_record(&mut self, fields: &'c [(Name, Option<Pattern>)], value: Reg, ty: &Type, misses: &mut Vec<Pc>) {
        if fields.is_empty() {
            self.scoped(|body| {
                let (reg, name) = (body.take(1), body.compiler.name(""));
                body.emit(Op::PartOrNull { dst: reg, object: value, name });
                misses.push(body.emit(Op::JumpIfMissing { reg, to: 0 }));
            });
        }
        for (name, inner) in fields {
            let (part, absent) = self.compiler.part(ty, &name.text);
            let dst = self.take(1);
            let field = self.compiler.name(&name.text);
            self.emit(match absent {
                true => Op::PartOrNull { dst, object: value, name: field },
                false => Op::Part { dst, object: value, name: field },
            });
            misses.push(self.emit(Op::JumpIfMissing { reg: dst, to: 0 }));
            match inner {
                Some(inner) => self.test(inner, dst, &part, misses),
                None => self.bind(name, dst),
            }
        }
    }

    fn test_list(
        &mut self,
        before: &'c [Pattern],
        rest: Option<&'c Option<Name>>,
        after: &'c [Pattern],
        value: Reg,
        ty: &Type,
        misses: &mut Vec<Pc>,
    ) {
        self.scoped(|body| {
            let len = body.take(2);
            body.emit(Op::Len { dst: len, object: value });
            misses.push(body.emit(Op::JumpIfNull { reg: len, to: 0 }));
            body.constant(len + 1, Constant::Int((before.len() + after.len()) as i64));
            body.emit(match rest {
                Some(_) => Op::Ge { dst: len, a: len, b: len + 1 },
                None => Op::Eq { dst: len, a: len, b: len + 1 },
            });
            misses.push(body.emit(Op::JumpIfNot { cond: len, to: 0 }));
        });
        let item = self.compiler.item_of(ty);
        let from_end = after.iter().enumerate().map(|(index, one)| (index as i64 - after.len() as i64, one));
        for (index, one) in before.iter().enumerate().map(|(index, one)| (index as i64, one)).chain(from_end) {
            let dst = self.take(1);
            self.constant(dst, Constant::Int(index));
            self.emit(Op::Index { dst, object: value, index: dst });
            self.test(one, dst, &item, misses);
        }
        if let Some(Some(name)) = rest {
            let dst = self.take(2);
            self.constant(dst, Constant::Int(before.len() as i64));
            match after.len() {
                0 => self.emit(Op::Null { dst: dst + 1 }),
                count => {
                    self.constant(dst + 1, Constant::Int(-(count as i64)));
                    self.pc()
                }
            };
            self.emit(Op::Range { dst, first: dst, inclusive: false });
            self.emit(Op::Index { dst, object: value, index: dst });
            self.bind(name, dst);
        }
    }
}

/// The names that a pattern binds, in order.
fn names_of<'p>(pattern: &'p Pattern, into: &mut Vec<&'p Name>) {
    match &pattern.kind {
        PatternKind::Bind(name, _) => into.push(name),
        PatternKind::Record { fields, rest } => {
            for (name, inner) in fields {
                match inner {
                    Some(inner) => names_of(inner, into),
                    None => into.push(name),
                }
            }
            into.extend(rest.iter().flatten());
        }
        PatternKind::List { before, rest, after } => {
            before.iter().for_each(|one| names_of(one, into));
            into.extend(rest.iter().flatten());
            after.iter().for_each(|one| names_of(one, into));
        }
        PatternKind::Or(all) => all.iter().for_each(|one| names_of(one, into)),
        PatternKind::Wildcard | PatternKind::Literal(_) | PatternKind::Type(_) | PatternKind::Error => {}
    }
}

impl Compiler<'_> {
    /// The type of a field of a value of that type, and whether the field may be absent.
    fn part(&self, ty: &Type, name: &str) -> (Type, bool) {
        match self.resolve(ty) {
            Type::Record(record) => match record.fields.iter().find(|field| field.name == name) {
                Some(field) => (field.ty.clone(), field.optional),
                None => (Type::Never, false),
            },
            Type::Map(item) => ((**item).clone(), true),
            Type::Union(members) => {
                let parts = members.iter().map(|member| self.part(member, name)).filter(|(ty, _)| *ty != Type::Never);
                let (types, absent): (Vec<_>, Vec<_>) = parts.unzip();
                (any_of(types), absent.contains(&true))
            }
            Type::Any | Type::Unknown | Type::Payload => (Type::Any, false),
            _ => (Type::Never, false),
        }
    }

    /// The type of the elements of a list of that type.
    fn item_of(&self, ty: &Type) -> Type {
        match self.resolve(ty) {
            Type::List(item) => (**item).clone(),
            Type::Union(members) => any_of(members.iter().map(|member| self.item_of(member)).collect()),
            _ => Type::Any,
        }
    }
}

/// Types of which a value may have any.
fn any_of(mut types: Vec<Type>) -> Type {
    match types.len() {
        1 => types.swap_remove(0),
        _ => Type::Union(types.into()),
    }
}
