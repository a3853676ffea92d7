//! Binary operators, and what may not stand beside what without parentheses.

use chumsky::prelude::*;

use super::input::{self, At, Input, Rule, State, choose, expr, kind_ahead, one, sign, span, with_header};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::{
        ast::{BinaryOp, Expr, ExprKind},
        grammar::{
            failure::{Failure, Label},
            list::{Separator, mended},
        },
        layout::Tok,
        token::TokenKind,
    },
};

type Operators = &'static [(TokenKind, BinaryOp)];

pub(super) const PRODUCTS: Operators =
    &[(TokenKind::Star, BinaryOp::Mul), (TokenKind::Slash, BinaryOp::Div), (TokenKind::Percent, BinaryOp::Rem)];
pub(super) const SUMS: Operators = &[(TokenKind::Plus, BinaryOp::Add), (TokenKind::Minus, BinaryOp::Sub)];
pub(super) const COMPARISONS: Operators = &[
    (TokenKind::EqEq, BinaryOp::Eq),
    (TokenKind::NotEq, BinaryOp::Ne),
    (TokenKind::Less, BinaryOp::Lt),
    (TokenKind::LessEq, BinaryOp::Le),
    (TokenKind::Greater, BinaryOp::Gt),
    (TokenKind::GreaterEq, BinaryOp::Ge),
    (TokenKind::In, BinaryOp::In),
];
pub(super) const AND: Operators = &[(TokenKind::And, BinaryOp::And)];
pub(super) const OR: Operators = &[(TokenKind::Or, BinaryOp::Or)];
pub(super) const COALESCE: Operators = &[(TokenKind::Coalesce, BinaryOp::Coalesce)];

/// `left op right`
pub(super) fn binary(left: Expr, op: BinaryOp, right: Expr, at: &mut At<'_, '_>) -> Expr {
    match op {
        BinaryOp::Coalesce => beside_coalesce(&left, &right, at),
        _ if is_comparison(op) => chain(&left, op, &right, at),
        _ => {}
    }
    if op != BinaryOp::Coalesce {
        after_pipe(&left, op.text(), &right, at);
    }
    expr(ExprKind::Binary(op, Box::new(left), Box::new(right)), at)
}

/// `left..right`
pub(super) fn range(left: Expr, tok: Tok, right: Expr, at: &mut At<'_, '_>) -> Expr {
    after_pipe(&left, tok.kind.text(), &right, at);
    let inclusive = tok.kind == TokenKind::DotDotEq;
    expr(ExprKind::Range { start: Some(Box::new(left)), end: Some(Box::new(right)), inclusive }, at)
}

/// `[i]`, `[a..b]`, `[..b]`, `[a..]`
pub(super) fn indexed<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let dots = || one(Label::RightBracket, |tok| matches!(tok.kind, TokenKind::DotDot | TokenKind::DotDotEq));
    let until = dots().then(value.clone().or_not()).map_with(|(tok, end), at| {
        expr(ExprKind::Range { start: None, end: end.map(Box::new), inclusive: tok.kind == TokenKind::DotDotEq }, at)
    });
    let from = value.then(dots().or_not()).map_with(|(start, tok), at| match tok {
        Some(tok) => {
            let inclusive = tok.kind == TokenKind::DotDotEq;
            expr(ExprKind::Range { start: Some(Box::new(start)), end: None, inclusive }, at)
        }
        None => start,
    });
    let some = choose(
        |input: &mut Input<'t, '_>| {
            Ok(usize::from(!matches!(kind_ahead(input, 0), Some(TokenKind::DotDot | TokenKind::DotDotEq))))
        },
        vec![until.boxed(), from.boxed()],
    );
    let broken = |state: &mut State<'t>, span| state.expr(ExprKind::Error, span);
    let some = mended(Separator::Index, None, some, broken);
    let none = custom(|input: &mut Input<'t, '_>| {
        let at = input::index(input);
        input.emit(Failure::new(at, Label::Expression));
        let span = input.state().span_between(at, at);
        Ok(input.state().expr(ExprKind::Error, span))
    });
    let inside = choose(
        |input: &mut Input<'t, '_>| Ok(usize::from(kind_ahead(input, 0) == Some(TokenKind::RightBracket))),
        vec![some.boxed(), none.boxed()],
    );
    sign(TokenKind::LeftBracket)
        .ignore_then(with_header(false, inside))
        .then_ignore(sign(TokenKind::RightBracket))
        .boxed()
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Ge, Gt, In, Le, Lt, Ne};
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge | In)
}

fn report(at: &mut At<'_, '_>, message: String, help: Vec<String>) {
    let span = span(at);
    let mut diagnostic = Diagnostic::new(Code::NeedsParentheses, span, message);
    diagnostic.help = help;
    at.state().diagnostics.push(diagnostic);
}

/// `a < b < c`
fn chain(left: &Expr, op: BinaryOp, right: &Expr, at: &mut At<'_, '_>) {
    let ExprKind::Binary(first, a, b) = &left.kind else { return };
    if !is_comparison(*first) {
        return;
    }
    let text = |e: &Expr, at: &mut At<'_, '_>| at.state().text(e.span).to_owned();
    let (called, types) = (matches!(a.kind, ExprKind::Name(_) | ExprKind::Field { .. }), *first == BinaryOp::Lt);
    let (a, b, c) = (text(a, at), text(b, at), text(right, at));
    if let (true, true, BinaryOp::Gt, ExprKind::Paren(_)) = (called, types, op, &right.kind) {
        return report(
            at,
            "calls take no types".to_owned(),
            vec![format!("write `{a}{c}`; where a type is needed, give it to the variable")],
        );
    }
    let help = format!("write `{a} {} {b} && {b} {} {c}`", first.text(), op.text());
    report(at, "comparisons do not chain".to_owned(), vec![help]);
}

/// `a ?? b + c`
fn beside_coalesce(left: &Expr, right: &Expr, at: &mut At<'_, '_>) {
    let text = |e: &Expr, at: &mut At<'_, '_>| at.state().text(e.span).to_owned();
    let readings = if let Some((sign, b, c)) = operands(right) {
        let (a, b, c, all) = (text(left, at), text(b, at), text(c, at), text(right, at));
        Some((sign, format!("({a} ?? {b}) {sign} {c}"), format!("{a} ?? ({all})")))
    } else if let Some((sign, a, b)) = operands(left) {
        let (a, b, c, all) = (text(a, at), text(b, at), text(right, at), text(left, at));
        Some((sign, format!("({all}) ?? {c}"), format!("{a} {sign} ({b} ?? {c})")))
    } else {
        None
    };
    if let Some((sign, one, other)) = readings {
        report(
            at,
            format!("`??` beside `{sign}` needs parentheses"),
            vec![format!("write `{one}`"), format!("or `{other}`")],
        );
    }
}

/// The sign and operands of a binary operator other than `??`.
fn operands(e: &Expr) -> Option<(&'static str, &Expr, &Expr)> {
    match &e.kind {
        ExprKind::Binary(BinaryOp::Coalesce, ..) => None,
        ExprKind::Binary(op, left, right) => Some((op.text(), left, right)),
        ExprKind::Range { start: Some(start), end: Some(end), inclusive } => {
            Some((if *inclusive { "..=" } else { ".." }, start, end))
        }
        _ => None,
    }
}

/// `a |> f + b`
fn after_pipe(left: &Expr, sign: &str, right: &Expr, at: &mut At<'_, '_>) {
    if let ExprKind::Pipe { .. } = left.kind {
        let (left, right) = (at.state().text(left.span), at.state().text(right.span));
        let help = vec![format!("write `({left}) {sign} {right}`")];
        report(at, format!("`|>` beside `{sign}` needs parentheses"), help);
    }
}
