//! `if`, `match` and `try` as expressions.

use super::{
    agent::error_type,
    checker::Checker,
    relate::Fit,
    scope::Kind,
    show::show_literal,
    ty::{Literal, Type},
    union::{optional, union},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Arm, Block, Body, Expr, ExprKind, Name, Pattern, PatternKind},
};

impl<'a> Checker<'a> {
    /// `if c { } else { }`.
    pub(super) fn if_else(
        &mut self,
        expr: &'a Expr,
        cond: &'a Expr,
        then: &'a Block,
        otherwise: Option<&'a Expr>,
        want: Option<&Type>,
    ) -> Type {
        self.condition(cond);
        let yes = self.block(then, want);
        match otherwise {
            Some(otherwise) => {
                let no = self.check_or_infer(otherwise, want);
                union([yes, no])
            }
            None => {
                if let Some(want) = want
                    && self.fits(&Type::Null, want) == Fit::No
                {
                    let message = format!("expected `{}`, but an `if` without `else` may give null", self.show(want));
                    let help = "add an `else` that gives the value";
                    self.report(Diagnostic::new(Code::Mismatch, expr.span, message).help(help));
                    return Type::Unknown;
                }
                optional(yes)
            }
        }
    }

    /// `match x { … }`.
    pub(super) fn match_arms(
        &mut self,
        expr: &'a Expr,
        subject: &'a Expr,
        arms: &'a [Arm],
        want: Option<&Type>,
    ) -> Type {
        let ty = self.infer(subject, None);
        let mut found = Vec::with_capacity(arms.len());
        for arm in arms {
            let value = self.scoped(|this| {
                this.bind_pattern(&arm.pattern, &ty, None, Kind::Pattern);
                if let Some(guard) = &arm.guard {
                    this.condition(guard);
                }
                match &arm.body {
                    Body::Expr(value) => this.check_or_infer(value, want),
                    Body::Block(block) => this.block(block, want),
                }
            });
            found.push(value);
        }
        self.missing_cases(expr, subject, &ty, arms);
        union(found)
    }

    /// Reports the values of a closed type that no arm matches.
    fn missing_cases(&mut self, expr: &Expr, subject: &Expr, ty: &Type, arms: &[Arm]) {
        // An exact type says what a value is, not what it might be.
        let exact = matches!(ty, Type::Literal(_) | Type::Unknown | Type::Never);
        if exact || matches!(expr.kind, ExprKind::Error) {
            return;
        }
        let mut cases = Vec::new();
        for member in self.members(ty) {
            match member {
                Type::Literal(literal) => cases.push(Some(literal)),
                Type::Bool => cases.extend([Some(Literal::Bool(true)), Some(Literal::Bool(false))]),
                Type::Null => cases.push(None),
                _ => return,
            }
        }
        for arm in arms.iter().filter(|arm| arm.guard.is_none()) {
            if !take_cases(&arm.pattern, &mut cases) {
                return;
            }
        }
        if cases.is_empty() {
            return;
        }
        let missing = cases.iter().map(|case| match case {
            Some(literal) => format!("`{}`", show_literal(literal)),
            None => "`null`".to_owned(),
        });
        let missing: Vec<String> = missing.collect();
        let message = format!("this `match` misses {}", missing.join(", "));
        let help = "add an arm for each, or `_ => …` for all others";
        self.report(Diagnostic::new(Code::MissingCase, subject.span, message).help(help));
    }

    /// `try { } catch e { }`.
    pub(super) fn try_catch(
        &mut self,
        body: &'a Block,
        catch: Option<&'a (Option<Name>, Block)>,
        finally: Option<&'a Block>,
        want: Option<&Type>,
    ) -> Type {
        let mut found = vec![self.block(body, want)];
        if let Some((name, block)) = catch {
            let caught = self.scoped(|this| {
                if let Some(name) = name {
                    this.declare(name, error_type(), Kind::Catch);
                }
                this.block(block, want)
            });
            found.push(caught);
        }
        if let Some(block) = finally {
            self.block(block, None);
        }
        union(found)
    }
}

/// Takes away what a pattern matches; `false` when the rest cannot be told or nothing is left.
fn take_cases(pattern: &Pattern, cases: &mut Vec<Option<Literal>>) -> bool {
    match &pattern.kind {
        PatternKind::Literal(value) => {
            let literal = super::annotation::literal(value);
            if literal.is_none() && !matches!(value.kind, ExprKind::Null) {
                return false;
            }
            cases.retain(|case| *case != literal);
            true
        }
        PatternKind::Or(all) => all.iter().all(|one| take_cases(one, cases)),
        PatternKind::Wildcard
        | PatternKind::Bind(..)
        | PatternKind::Record { .. }
        | PatternKind::List { .. }
        | PatternKind::Type(_)
        | PatternKind::Error => false,
    }
}
