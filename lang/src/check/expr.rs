//! Expressions: which rule speaks of which.

use std::sync::Arc;

use super::{
    checker::{Checker, Returns},
    flow::State,
    narrow::Split,
    relate::Fit,
    ty::Type,
    union::{list, optional, union},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{BinaryOp, Expr, ExprKind, UnaryOp},
};

impl<'a> Checker<'a> {
    /// Checks that an expression fits; what is not known is checked at run time. Gives its type from then on.
    pub(super) fn check(&mut self, expr: &'a Expr, want: &Type) -> Type {
        let got = self.infer(expr, Some(want));
        self.coerce(expr, got, want)
    }

    /// The type of an expression. With `want`, the caller will hold the type against it, and what the expression is
    /// made of may be held against parts of it already.
    pub(super) fn infer(&mut self, expr: &'a Expr, want: Option<&Type>) -> Type {
        let ty = stacker::maybe_grow(128 << 10, 2 << 20, || self.infer_kind(expr, want));
        self.note(expr, &ty);
        ty
    }

    /// Writes down the type of an expression.
    pub(super) fn note(&mut self, expr: &Expr, ty: &Type) {
        self.frame.holes.note(expr.id, ty);
        if let Some(slot) = self.table().types.get_mut(expr.id.0 as usize) {
            *slot = ty.clone();
        }
    }

    fn infer_kind(&mut self, expr: &'a Expr, want: Option<&Type>) -> Type {
        // What nobody has filled yet expects nothing.
        let want = want.filter(|want| !self.is_open(want));
        if self.frame.piped == Some(expr.id)
            && let ExprKind::Name(_) = &expr.kind
        {
            return self.chain(expr, want).0;
        }
        match &expr.kind {
            ExprKind::Null => Type::Null,
            ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Duration(_) => {
                super::annotation::literal(expr).map_or(Type::Unknown, Type::Exact)
            }
            ExprKind::Str(parts) => self.text_literal(expr, parts),
            ExprKind::List(elements) => self.list_literal(elements, want),
            ExprKind::Record(fields) => self.record_literal(expr, fields, want),
            ExprKind::Name(name) => self.name(expr, name),
            ExprKind::TypeValue(ty) => Type::TypeOf(Arc::new(self.written(ty))),
            ExprKind::Unary(op, inner) => self.unary(expr, *op, inner),
            ExprKind::Binary(op, a, b) => self.binary(expr, *op, a, b, want),
            ExprKind::Range { start, end, .. } => {
                for bound in start.iter().chain(end) {
                    self.check(bound, &Type::Int);
                }
                list(Type::Int)
            }
            ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Call { .. } => {
                let (ty, short) = self.chain(expr, want);
                if short { optional(ty) } else { ty }
            }
            ExprKind::Pipe { value, call } => self.pipe(expr, value, call, want),
            ExprKind::As { value, ty } => self.convert(value, ty),
            ExprKind::Lambda { params, body } => self.lambda(params, body, want),
            ExprKind::If { cond, then, otherwise } => self.if_else(expr, cond, then, otherwise.as_deref(), want),
            ExprKind::Do(block) => self.block(block, want),
            ExprKind::Match { subject, arms } => self.match_arms(expr, subject, arms, want),
            ExprKind::Try { body, catch, finally } => self.try_catch(body, catch.as_ref(), finally.as_ref(), want),
            ExprKind::Gather(gather) => self.gather(gather, want),
            ExprKind::Race(branches) => self.race(branches, want),
            ExprKind::Return(value) => {
                self.return_value(expr, value.as_deref());
                self.leaves()
            }
            ExprKind::Throw(value) => {
                self.throw(value);
                self.leaves()
            }
            ExprKind::Break | ExprKind::Continue => {
                self.leave_loop(expr);
                self.leaves()
            }
            ExprKind::Observe(inner) => self.observe(inner),
            ExprKind::Paren(inner) => self.infer_paren(inner, want),
            ExprKind::Error => {
                self.is_broken();
                Type::Unknown
            }
        }
    }

    /// Nothing that follows is reached.
    pub(super) fn leaves(&mut self) -> Type {
        self.frame.flow.dead = true;
        Type::Never
    }

    /// Parentheses hand on what is wanted; a check at run time stands at what is inside.
    fn infer_paren(&mut self, inner: &'a Expr, want: Option<&Type>) -> Type {
        match want {
            Some(want) => self.check(inner, want),
            None => self.infer(inner, None),
        }
    }

    /// An expression that is held against `want` where there is one.
    pub(super) fn check_or_infer(&mut self, expr: &'a Expr, want: Option<&Type>) -> Type {
        self.infer_paren(expr, want)
    }

    fn convert(&mut self, value: &'a Expr, ty: &'a crate::syntax::ast::TypeExpr) -> Type {
        let want = self.written(ty);
        let got = self.infer(value, None);
        if self.fits(&got, &want) != Fit::No {
            return want;
        }
        if matches!(self.resolve(&want), Type::Any | Type::Payload) {
            self.mismatch(value.span, &got, &want);
        } else if !self.overlap(&got, &want) && !self.text_becomes(&got, &want) {
            let message = format!("`{}` never is `{}`", self.show(&got), self.show(&want));
            let help = match (&*self.kinds(&got), &*self.kinds(&want)) {
                ([Type::String], [Type::Int | Type::Float]) => "read the number by `.to_int()` or `.to_float()`",
                ([Type::Int | Type::Float | Type::Bool], [Type::String]) => "put it into text: `\"${…}\"`",
                _ => {
                    "`as` checks what a value is; it makes only `3.0` an `int`, and text a `duration`, `time` or `bytes`"
                }
            };
            self.report(Diagnostic::new(Code::Mismatch, value.span, message).help(help));
        }
        want
    }

    /// Text is made a duration, a time or bytes by `as`.
    fn text_becomes(&self, got: &Type, want: &Type) -> bool {
        self.kinds(got).contains(&Type::String)
            && self.kinds(want).iter().any(|kind| matches!(kind, Type::Duration | Type::Time | Type::Bytes))
    }

    fn unary(&mut self, expr: &'a Expr, op: UnaryOp, inner: &'a Expr) -> Type {
        match op {
            UnaryOp::Not => {
                self.condition(inner);
                Type::Bool
            }
            UnaryOp::Neg => {
                let ty = self.infer(inner, None);
                if let Some(literal) = super::annotation::literal(expr) {
                    return Type::Exact(literal);
                }
                self.negate(expr, inner, &ty)
            }
        }
    }

    fn negate(&mut self, expr: &Expr, inner: &Expr, ty: &Type) -> Type {
        let ty = &self.without_null(inner, ty.clone(), "`-` takes a number or duration", None);
        let members = self.kinds(ty);
        let numbers = members.into_iter().filter(|member| {
            matches!(member, Type::Int | Type::Float | Type::Duration | Type::Any | Type::Unknown | Type::Never)
        });
        let numbers: Vec<Type> = numbers.collect();
        if numbers.is_empty() {
            let message = format!("`-` takes a number or duration, found `{}`", self.show(ty));
            self.error(Code::BadOperator, expr.span, message);
            return Type::Unknown;
        }
        union(numbers)
    }

    fn binary(&mut self, expr: &'a Expr, op: BinaryOp, a: &'a Expr, b: &'a Expr, want: Option<&Type>) -> Type {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                self.condition(expr);
                Type::Bool
            }
            BinaryOp::Coalesce => self.coalesce(a, b, want),
            _ => {
                let left = self.infer(a, None);
                let right = self.infer(b, None);
                self.operator(op, expr.span, (a, &left), (b, &right))
            }
        }
    }

    /// `a ?? b`: where `b` is computed, `a` is null; where it leaves, `a` is not null afterwards.
    fn coalesce(&mut self, a: &'a Expr, b: &'a Expr, want: Option<&Type>) -> Type {
        let left = want.map(|want| optional(want.clone()));
        let left = self.check_or_infer(a, left.as_ref());
        let mut split = Split::default();
        self.split_equal(a, &Type::Null, &mut split);
        let left = self.non_null(&left);
        let (right, end) = self.aside(&split.yes, |this| match want {
            Some(want) => this.check(b, want),
            None if is_empty_literal(b) => this.infer(b, Some(&left)),
            None => this.infer(b, None),
        });
        self.join([split.no, end]);
        self.unite(left, right)
    }

    /// Checks that an expression is a condition, and says what is known where it holds and where it does not.
    pub(super) fn condition(&mut self, expr: &'a Expr) -> Split {
        let split = stacker::maybe_grow(128 << 10, 2 << 20, || self.condition_kind(expr));
        if self.changes_in(expr.span) {
            // Which part of it was the last to change a variable is not looked at.
            return Split {
                yes: State { dead: split.yes.dead, changes: Vec::new() },
                no: State { dead: split.no.dead, changes: Vec::new() },
            };
        }
        split
    }

    fn condition_kind(&mut self, expr: &'a Expr) -> Split {
        let split = match &expr.kind {
            ExprKind::Paren(inner) => self.condition(inner),
            ExprKind::Unary(UnaryOp::Not, inner) => self.condition(inner).swap(),
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), a, b) => self.two_conditions(*op, a, b),
            ExprKind::Binary(op, a, b) => {
                let got = self.infer(expr, None);
                self.is_condition(expr, &got);
                return self.split_compared(*op, a, b);
            }
            _ => {
                let got = self.infer(expr, None);
                self.is_condition(expr, &got);
                return self.split_bool(expr);
            }
        };
        self.note(expr, &Type::Bool);
        split
    }

    fn two_conditions(&mut self, op: BinaryOp, a: &'a Expr, b: &'a Expr) -> Split {
        let and = op == BinaryOp::And;
        let left = self.condition(a);
        let left = if and { left } else { left.swap() };
        let (right, end) = self.aside(&left.yes, |this| this.condition(b));
        self.forget_in(b.span);
        let mut right = if and { right } else { right.swap() };
        right.yes.dead |= end.dead;
        right.no.dead |= end.dead;
        let yes = left.yes.clone().then(right.yes);
        let mark = self.frame.flow.mark();
        self.join([left.no, left.yes.then(right.no)]);
        let no = self.frame.flow.leave(mark);
        let split = Split { yes, no };
        if and { split } else { split.swap() }
    }

    fn is_condition(&mut self, expr: &Expr, got: &Type) {
        match self.fits(got, &Type::Bool) {
            Fit::Yes => {}
            Fit::Maybe => self.expect(expr, Type::Bool),
            Fit::No => {
                let message = format!("expected `bool`, found `{}`", self.show(got));
                let left = self.kinds(&self.non_null(got));
                if self.has_null(got) && matches!(&*left, [Type::Bool]) {
                    self.maybe_null(expr.span, &message, Some("compare it with `== true`".to_owned()));
                    return;
                }
                if self.has_null(got) {
                    let shown = self.source(expr.span).filter(|_| *got != Type::Null);
                    let shown = shown.as_deref().unwrap_or("…");
                    let help = format!("compare it: `{shown} != null`");
                    self.report(Diagnostic::new(Code::Mismatch, expr.span, message).help(help));
                    return;
                }
                let help = match &*left {
                    [Type::Int | Type::Float] => "compare it: `… != 0`",
                    [Type::String | Type::List(_) | Type::Map(_)] => "ask with `!….is_empty()`",
                    _ => "conditions are `bool`, nothing else",
                };
                self.report(Diagnostic::new(Code::Mismatch, expr.span, message).help(help));
            }
        }
    }

    fn return_value(&mut self, expr: &'a Expr, value: Option<&'a Expr>) {
        let want = match &self.frame.returns {
            Returns::Typed(want) => Some(want.clone()),
            _ => None,
        };
        let got = match value {
            Some(value) => self.check_or_infer(value, want.as_ref()),
            None => Type::Null,
        };
        match &mut self.frame.returns {
            Returns::Typed(want) => {
                let want = want.clone();
                if value.is_none() && self.fits(&Type::Null, &want) == Fit::No {
                    let message = format!("expected `{}`, but `return` gives no value", self.show(&want));
                    let help = "write the value on the line of `return`";
                    self.report(Diagnostic::new(Code::Mismatch, expr.span, message).help(help));
                }
            }
            Returns::Inferred(all) => all.push(got),
            Returns::Nothing if matches!(got, Type::Null | Type::Unknown | Type::Never) => {}
            Returns::Nothing => {
                let message = "this value goes nowhere: there is no result type";
                let help = format!(
                    "write the type of the result after the parameters: `-> {}`",
                    self.show(&super::union::widen(&got))
                );
                self.report(Diagnostic::new(Code::NeedsType, expr.span, message).help(help));
            }
            Returns::Fixed => {
                let message = "`return` does not leave a branch";
                let help = "let the branch end with its value, and return from outside";
                self.report(Diagnostic::new(Code::Misplaced, expr.span, message).help(help));
            }
        }
    }

    fn throw(&mut self, value: &'a Expr) {
        let optional = |name: &str, ty| super::FieldType { name: name.into(), ty, optional: true, doc: None };
        let fields = vec![
            optional("kind", Type::String),
            optional("message", Type::String),
            optional("data", Type::Any),
            optional("retryable", Type::Bool),
        ];
        let thrown = union([Type::String, Self::of_record(super::RecordType::open(fields))]);
        let got = self.infer(value, Some(&thrown));
        let members = self.members(&got);
        if members.iter().any(|member| !matches!(member, Type::Never) && !self.overlap(member, &thrown)) {
            let message =
                format!("expected a message or `{{ kind, message, data, retryable }}`, found `{}`", self.show(&got));
            self.report(Diagnostic::new(Code::Mismatch, value.span, message).help("throw a text: `throw \"…\"`"));
        }
    }

    fn leave_loop(&mut self, expr: &Expr) {
        if self.frame.loops > 0 {
            if let (ExprKind::Break, Some(mark)) = (&expr.kind, self.frame.around.0) {
                let state = self.frame.flow.since(mark);
                self.frame.around.1.push(state);
            }
            return;
        }
        let word = if matches!(expr.kind, ExprKind::Break) { "break" } else { "continue" };
        let (message, help) = match self.frame.scopes.branches.last() {
            Some(true) => (format!("`{word}` does not leave a branch"), "decide after the branches are done"),
            _ => (format!("`{word}` stands outside a loop"), "it goes into a `for` or `while`"),
        };
        self.report(Diagnostic::new(Code::Misplaced, expr.span, message).help(help));
    }
}

/// `[]` and `{}`.
fn is_empty_literal(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Paren(inner) => is_empty_literal(inner),
        ExprKind::List(elements) => elements.is_empty(),
        ExprKind::Record(fields) => fields.is_empty(),
        _ => false,
    }
}
