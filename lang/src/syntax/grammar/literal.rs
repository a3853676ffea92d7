//! Numbers, strings and the words that are values.

use chumsky::prelude::*;

use super::{
    failure::Label,
    input::{At, Input, Rule, State, expr, index, kind_ahead, one, sign, span},
    list::{Separator, mended},
};
use crate::{
    span::Span,
    syntax::{
        ast::{Expr, ExprKind, StrPart, UnaryOp},
        layout::Tok,
        number, string,
        token::TokenKind,
    },
};

/// A number, a string without inserted expressions, `true`, `false`, `null`.
pub(super) fn literal<'t>() -> Rule<'t, Expr> {
    let literal = one(Label::Expression, |tok| is_literal(tok.kind));
    custom(move |input: &mut Input<'t, '_>| {
        let at = index(input);
        let tok = input.parse(&literal)?;
        let next = kind_ahead(input, 0);
        let state = input.state();
        // What follows an operand binds tighter than the sign.
        let negated = state.negated == at && !matches!(next, Some(TokenKind::Dot | TokenKind::QuestionDot));
        let span = state.span(tok);
        let kind = lower(tok, negated, span, state);
        Ok(state.expr(kind, span))
    })
    .boxed()
}

/// Whether a token alone is a value.
pub(super) fn is_literal(kind: TokenKind) -> bool {
    use TokenKind::{BadNumber, BadStr, Duration, False, Float, Int, Null, RawStr, Str, True};
    matches!(kind, Int | Float | Duration | Str | RawStr | True | False | Null | BadNumber | BadStr)
}

/// `-value`; the lowest int is a literal of its own, for without its sign it is too large.
pub(super) fn negated(value: Expr, at: &mut At<'_, '_>) -> Expr {
    match value.kind {
        ExprKind::Int(i64::MIN) => Expr { span: span(at), ..value },
        _ => expr(ExprKind::Unary(UnaryOp::Neg, Box::new(value)), at),
    }
}

fn lower(tok: Tok, negated: bool, span: Span, state: &mut State<'_>) -> ExprKind {
    match tok.kind {
        TokenKind::Int if !negated && matches!(number::lower(state.text(span)), ExprKind::Int(i64::MIN)) => {
            state.diagnostics.push(number::too_large(state.text(span), span));
            ExprKind::Error
        }
        TokenKind::Int | TokenKind::Float | TokenKind::Duration => number::lower(state.text(span)),
        TokenKind::True => ExprKind::Bool(true),
        TokenKind::False => ExprKind::Bool(false),
        TokenKind::Null => ExprKind::Null,
        TokenKind::Str | TokenKind::RawStr => {
            let text = text(tok, span, state);
            ExprKind::Str(if text.is_empty() { Vec::new() } else { vec![StrPart::Text(text)] })
        }
        _ => ExprKind::Error,
    }
}

/// The text of a string without inserted expressions.
pub(super) fn text(tok: Tok, span: Span, state: &mut State<'_>) -> smol_str::SmolStr {
    let source = state.text(span);
    match tok.kind {
        TokenKind::RawStr => string::raw(source, span, &mut state.diagnostics),
        _ => string::plain(source, span, &mut state.diagnostics),
    }
}

/// `"text ${inserted} text"`
pub(super) fn interpolated<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let inserted = mended(Separator::Insert, None, value, |state, span| state.expr(ExprKind::Error, span));
    sign(TokenKind::StrOpen)
        .then(inserted.clone())
        .then(sign(TokenKind::StrMiddle).then(inserted).repeated().collect::<Vec<_>>())
        .then(sign(TokenKind::StrClose))
        .map_with(|((first, more), last), at| {
            let mut toks = vec![first.0];
            let mut exprs = vec![first.1];
            for (tok, expr) in more {
                toks.push(tok);
                exprs.push(expr);
            }
            toks.push(last);
            let parts = parts(&toks, exprs, at);
            expr(ExprKind::Str(parts), at)
        })
        .boxed()
}

/// Texts and expressions in turn, without empty texts.
fn parts(toks: &[Tok], exprs: Vec<Expr>, at: &mut At<'_, '_>) -> Vec<StrPart> {
    let state = at.state();
    let pieces: Vec<string::Part<'_>> = toks
        .iter()
        .map(|tok| {
            let span = state.span(*tok);
            string::Part { text: state.text(span), span }
        })
        .collect();
    let texts = string::texts(&pieces, &mut state.diagnostics);
    let mut exprs = exprs.into_iter();
    let mut parts = Vec::with_capacity(toks.len() * 2);
    for text in texts {
        if !text.is_empty() {
            parts.push(StrPart::Text(text));
        }
        parts.extend(exprs.next().map(StrPart::Expr));
    }
    parts
}
