//! Operators between two values.

use super::{
    checker::Checker,
    relate::Fit,
    ty::Type,
    union::{list, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{BinaryOp, Expr},
};

/// An operand: as written, and its type.
type Operand<'e, 't> = (&'e Expr, &'t Type);

impl Checker<'_> {
    /// The type of `a op b`; reported when the values certainly do not have the operator.
    pub(super) fn operator(&mut self, op: BinaryOp, span: Span, a: Operand<'_, '_>, b: Operand<'_, '_>) -> Type {
        match op {
            BinaryOp::Eq | BinaryOp::Ne => Type::Bool,
            BinaryOp::In => {
                self.within(a, b);
                Type::Bool
            }
            _ => self.pairs(op, span, a, b),
        }
    }

    /// Tries what each side may be against what the other may be.
    fn pairs(&mut self, op: BinaryOp, span: Span, a: Operand<'_, '_>, b: Operand<'_, '_>) -> Type {
        let why = format!("null has no `{}`", op.text());
        let left = self.without_null(a.0, a.1.clone(), &why, None);
        let right = self.without_null(b.0, b.1.clone(), &why, None);
        if op == BinaryOp::Add {
            // `out + [x]` says what `out` holds.
            self.fill(&left, &right, true);
            self.fill(&right, &left, true);
        }
        let (a, b) = ((a.0, &self.filled(&left)), (b.0, &self.filled(&right)));
        let (left, right) = (self.kinds(a.1), self.kinds(b.1));
        let silent = |all: &[Type]| all.iter().any(|ty| matches!(ty, Type::Unknown | Type::Never));
        if silent(&left) || silent(&right) {
            return if is_order(op) { Type::Bool } else { Type::Unknown };
        }
        let mut found = Vec::new();
        for x in left.iter() {
            for y in right.iter() {
                let Some(ty) = result(op, x, y) else {
                    self.no_operator(op, span, a, b);
                    return if is_order(op) { Type::Bool } else { Type::Unknown };
                };
                found.push(ty);
            }
        }
        widen(&union(found))
    }

    fn no_operator(&mut self, op: BinaryOp, span: Span, a: Operand<'_, '_>, b: Operand<'_, '_>) {
        let (left, right) = (self.show(&widen(a.1)), self.show(&widen(b.1)));
        let message = format!("`{left}` and `{right}` have no `{}`", op.text());
        let text = |ty: &Type| self.fits(&widen(ty), &Type::String) == Fit::Yes;
        let help = if op == BinaryOp::Add && (text(a.1) || text(b.1)) {
            Some("put values into text: `\"… ${value}\"`".to_owned())
        } else if op == BinaryOp::Add && !self.records(a.1).is_empty() {
            Some("put records together with `{ ...a, ...b }`".to_owned())
        } else {
            None
        };
        let mut diagnostic = Diagnostic::new(Code::BadOperator, span, message);
        if let Some(help) = help {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    fn within(&mut self, a: Operand<'_, '_>, b: Operand<'_, '_>) {
        let other = self.source(b.0.span).map(|text| format!("write `({text} ?? [])`"));
        let whole = self.without_null(b.0, b.1.clone(), "nothing is in null", other);
        let wrong = self.kinds(&whole).iter().any(|member| match member {
            Type::List(_) | Type::Any | Type::Payload | Type::Unknown | Type::Never => false,
            Type::Map(_) | Type::Record(_) | Type::String => self.fits(a.1, &Type::String) == Fit::No,
            _ => true,
        });
        if wrong {
            let (left, right) = (self.show(&widen(a.1)), self.show(&widen(b.1)));
            let message = format!("`{left}` cannot be in `{right}`");
            let help = "`in` asks for an element of a list, a key of a map, or a part of a text";
            self.report(Diagnostic::new(Code::BadOperator, b.0.span, message).help(help));
        }
    }
}

fn is_order(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge)
}

/// What `a op b` gives, where it gives anything.
fn result(op: BinaryOp, a: &Type, b: &Type) -> Option<Type> {
    use Type::{Any, Bool, Duration, Float, Int, List, Payload, Secret, String, Time};
    let open = |ty: &Type| matches!(ty, Any | Payload | Type::Var(_));
    if is_order(op) {
        let orderable = |ty: &Type| matches!(ty, Int | Float | String | Time | Duration | Bool) || open(ty);
        let number = |ty: &Type| matches!(ty, Int | Float);
        let same = a == b || (number(a) && number(b)) || open(a) || open(b);
        return (orderable(a) && orderable(b) && same).then_some(Bool);
    }
    Some(match (op, a, b) {
        (BinaryOp::Div, Int | Float, Int | Float) => Float,
        (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Rem, Int, Int) => Int,
        (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Rem, Int | Float, Int | Float) => Float,
        (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Rem, Duration, Duration) => Duration,
        (BinaryOp::Add, Time, Duration) | (BinaryOp::Add, Duration, Time) | (BinaryOp::Sub, Time, Duration) => Time,
        (BinaryOp::Sub, Time, Time) => Duration,
        (BinaryOp::Mul, Duration, Int | Float) | (BinaryOp::Mul, Int | Float, Duration) => Duration,
        (BinaryOp::Div, Duration, Int | Float) => Duration,
        (BinaryOp::Div, Duration, Duration) => Float,
        (BinaryOp::Add, String, String) => String,
        (BinaryOp::Add, Secret, String | Secret) | (BinaryOp::Add, String, Secret) => Secret,
        (BinaryOp::Add, List(a), List(b)) => list(union([(**a).clone(), (**b).clone()])),
        (BinaryOp::Add, String, other) | (BinaryOp::Add, other, String) if open(other) => String,
        (BinaryOp::Add, List(_), other) | (BinaryOp::Add, other, List(_)) if open(other) => list(Any),
        (_, a, b) if open(a) && open(b) => Any,
        (_, Int | Float | Duration | Time, other) | (_, other, Int | Float | Duration | Time) if open(other) => Any,
        _ => return None,
    })
}
