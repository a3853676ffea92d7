//! `match`: each arm knows what its pattern admits of what the arms before have left.

use smol_str::SmolStr;

use super::{
    checker::Checker,
    exhaust::{Left, is_catch_all, unit_of},
    flow::State,
    relate::same_literal,
    scope::Kind,
    show::show_literal,
    suggest::{did_you_mean, nearest},
    ty::Type,
    union::{MANY, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Arm, Body, Expr, ExprKind, Pattern, PatternKind},
};

/// With more different exact results than this a `match` is widened.
const MOST: usize = 64;

impl<'a> Checker<'a> {
    /// `match x { … }`.
    pub(super) fn match_arms(
        &mut self,
        expr: &'a Expr,
        subject: &'a Expr,
        arms: &'a [Arm],
        want: Option<&Type>,
    ) -> Type {
        let ty = self.infer(subject, None);
        let narrowed = self.frame.unnarrowed.as_ref().is_some_and(|(id, _)| *id == subject.id);
        let open = self.is_open(&ty);
        let mut left = self.all_left(&ty);
        let mut ends = Vec::with_capacity(arms.len());
        let mut result = Type::Never;
        let mut all = None;
        for arm in arms {
            self.written_in(&arm.pattern);
            self.report_taken(&left, arm, all);
            let before = self.left_type(&left);
            let admitted = self.admitted(&before, &arm.pattern);
            let mut known = State::default();
            if admitted != ty && !open {
                self.refine(subject, &admitted, &mut known.changes);
            }
            if !narrowed {
                self.report_foreign(&ty, &arm.pattern);
            }
            let binds = match self.admitted(&left.pieces(), &arm.pattern) {
                Type::Never => ty.clone(),
                binds => binds,
            };
            let (value, end) = self.aside(&known, |this| this.scoped(|this| this.arm(arm, &binds, want)));
            ends.push(end);
            result = match (self.unite(result, value), want) {
                // Of so many nobody asks which; each has been held against what is wanted.
                (Type::Union(members), Some(want)) if members.len() > MANY => want.clone(),
                (Type::Union(members), None) if members.len() > MOST => widen(&Type::Union(members)),
                (result, _) => result,
            };
            if arm.guard.is_none() {
                self.take(&mut left, &arm.pattern);
                if is_catch_all(&arm.pattern) {
                    all = all.or(Some(arm.pattern.span));
                }
            }
        }
        self.join(ends);
        self.report_missing_cases(expr, subject, &ty, &left);
        result
    }

    fn arm(&mut self, arm: &'a Arm, admitted: &Type, want: Option<&Type>) -> Type {
        self.bind_pattern(&arm.pattern, admitted, None, Kind::Pattern);
        if let Some(guard) = &arm.guard {
            let split = self.condition(guard);
            self.frame.flow.apply(&split.yes);
        }
        match &arm.body {
            Body::Expr(value) => self.check_or_infer(value, want),
            Body::Block(block) => self.block(block, want),
        }
    }

    fn report_taken(&mut self, left: &Left, arm: &Arm, all: Option<Span>) {
        let taken = all.is_some() || self.is_taken(left, &arm.pattern);
        if !taken || self.frame.library || self.frame.flow.dead {
            return;
        }
        let message = "this arm is never reached: the arms before it match all that it would";
        let mut diagnostic = Diagnostic::new(Code::Unreachable, arm.pattern.span, message);
        if let Some(all) = all {
            diagnostic = diagnostic.label(all, "this matches anything");
        }
        self.report(diagnostic.help("take it out, or put it before the arm that matches more"));
    }

    /// Reports a literal that a declared union of literals has not.
    fn report_foreign(&mut self, ty: &Type, pattern: &Pattern) {
        if let PatternKind::Or(all) = &pattern.kind {
            return all.iter().for_each(|one| self.report_foreign(ty, one));
        }
        let Some(Type::Literal(literal)) = unit_of(pattern) else { return };
        // An exact type says what a value is, not what it might be.
        if matches!(ty, Type::Union(members) if members.iter().any(|member| matches!(member, Type::Exact(_)))) {
            return;
        }
        let members = self.members_non_null(ty);
        let texts = members.iter().map(|member| match member {
            Type::Literal(literal) => Some(SmolStr::from(show_literal(literal))),
            _ => None,
        });
        let Some(texts) = texts.collect::<Option<Vec<SmolStr>>>() else { return };
        if members.len() < 2
            || members.iter().any(|member| matches!(member, Type::Literal(known) if same_literal(known, &literal)))
        {
            return;
        }
        let shown = show_literal(&literal);
        let message = format!("this arm is never reached: `{}` is never `{shown}`", self.show(ty));
        let near = nearest(&shown, texts.iter().map(SmolStr::as_str));
        let help = did_you_mean(&near).unwrap_or_else(|| format!("it is one of `{}`", texts.join("`, `")));
        self.report(Diagnostic::new(Code::Unreachable, pattern.span, message).help(help));
    }

    /// Reports the values of a closed type that no arm matches.
    fn report_missing_cases(&mut self, expr: &Expr, subject: &Expr, ty: &Type, left: &Left) {
        // An exact type says what a value is, not what it might be.
        let exact = matches!(ty, Type::Literal(_) | Type::Exact(_) | Type::Unknown | Type::Never);
        if exact || matches!(expr.kind, ExprKind::Error) {
            return;
        }
        let missing: Vec<String> = self.missing(left).into_iter().map(|case| format!("`{case}`")).collect();
        if missing.is_empty() {
            return;
        }
        let message = format!("this `match` misses {}", missing.join(", "));
        let help = "add an arm for each, or `_ => …` for all others";
        self.report(Diagnostic::new(Code::MissingCase, subject.span, message).help(help));
    }
}
