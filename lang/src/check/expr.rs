//! Expressions: which rule speaks of which.

use std::sync::Arc;

use super::{
    checker::{Checker, Returns},
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
        if let Some(slot) = self.table().types.get_mut(expr.id.0 as usize) {
            *slot = ty.clone();
        }
    }

    fn infer_kind(&mut self, expr: &'a Expr, want: Option<&Type>) -> Type {
        if self.frame.piped == Some(expr.id)
            && let ExprKind::Name(_) = &expr.kind
        {
            return self.chain(expr, want).0;
        }
        match &expr.kind {
            ExprKind::Null => Type::Null,
            ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Duration(_) => {
                super::annotation::literal(expr).map_or(Type::Unknown, Type::Literal)
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
                Type::Never
            }
            ExprKind::Throw(value) => {
                self.throw(value);
                Type::Never
            }
            ExprKind::Break | ExprKind::Continue => {
                self.leave_loop(expr);
                Type::Never
            }
            ExprKind::Observe(inner) => self.observe(inner),
            ExprKind::Paren(inner) => self.infer_paren(inner, want),
            ExprKind::Error => Type::Unknown,
        }
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
        if self.fits(&got, &want) == Fit::No && !self.convertible(&got, &want) {
            let message = format!("`{}` never is `{}`", self.show(&got), self.show(&want));
            let help =
                "`as` checks what a value is; it makes only `3.0` an `int`, and text a `duration`, `time` or `bytes`";
            self.report(Diagnostic::new(Code::Mismatch, value.span, message).help(help));
        }
        want
    }

    /// Values may have more fields than their type says, so `as` between records may hold.
    fn convertible(&self, got: &Type, want: &Type) -> bool {
        let mixed = |ty: &Type| {
            let members = self.members(&super::union::widen(ty));
            members.iter().any(|m| matches!(m, Type::Record(_) | Type::Map(_) | Type::List(_) | Type::Float))
        };
        let text = self.members(got).iter().any(|m| matches!(super::union::widen(m), Type::String));
        let written = |ty: &Type| matches!(ty, Type::Duration | Type::Time | Type::Bytes);
        (text && self.members(want).iter().any(written))
            || mixed(got) && (mixed(want) || self.members(want).contains(&Type::Int))
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
                    return Type::Literal(literal);
                }
                self.negate(expr, &ty)
            }
        }
    }

    fn negate(&mut self, expr: &Expr, ty: &Type) -> Type {
        let members = self.members_non_null(&super::union::widen(ty));
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
                self.condition(a);
                self.condition(b);
                Type::Bool
            }
            BinaryOp::Coalesce => {
                let left = want.map(|want| optional(want.clone()));
                let left = self.check_or_infer(a, left.as_ref());
                let right = self.check_or_infer(b, want);
                union([self.non_null(&left), right])
            }
            _ => {
                let left = self.infer(a, None);
                let right = self.infer(b, None);
                self.operator(op, expr.span, (a, &left), (b, &right))
            }
        }
    }

    /// Checks that an expression is a condition.
    pub(super) fn condition(&mut self, expr: &'a Expr) {
        let got = self.infer(expr, None);
        match self.fits(&got, &Type::Bool) {
            Fit::Yes => {}
            Fit::Maybe => {
                self.table().expects.insert(expr.id, Type::Bool);
            }
            Fit::No => {
                let message = format!("expected `bool`, found `{}`", self.show(&got));
                let help = match self.members_non_null(&super::union::widen(&got)).as_slice() {
                    [Type::Int | Type::Float] => "compare it: `… != 0`",
                    [Type::String | Type::List(_) | Type::Map(_)] => "ask with `!….is_empty()`",
                    _ if self.has_null(&got) => "compare it: `… != null`",
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
        let error = Self::of_record(super::RecordType { fields });
        let got = self.infer(value, Some(&union([Type::String, error.clone()])));
        let known = self.records(&got).iter().any(|record| record.fields.iter().any(|f| f.name == "trace"));
        if !known && self.fits(&got, &union([Type::String, error])) == Fit::No {
            let message =
                format!("expected a message or `{{ kind, message, data, retryable }}`, found `{}`", self.show(&got));
            self.report(Diagnostic::new(Code::Mismatch, value.span, message).help("throw a text: `throw \"…\"`"));
        }
    }

    fn leave_loop(&mut self, expr: &Expr) {
        if self.frame.loops > 0 {
            self.frame.broke |= matches!(expr.kind, ExprKind::Break);
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
