//! Records and lists.

use chumsky::prelude::*;

use super::{
    failure::Label,
    input::{Input, Rule, choose, expr, kind_ahead, name, one, sign, span, with_header, word},
    list::{self, Separator, listed},
    literal,
};
use crate::syntax::{
    ast::{Element, Expr, ExprKind, Name, RecordField},
    token::TokenKind,
};

/// `[a, ...b]`
pub(super) fn list<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let spread = sign(TokenKind::Ellipsis).ignore_then(value.clone()).map(Element::Spread).boxed();
    let element = choose(
        |input: &mut Input<'t, '_>| Ok(usize::from(kind_ahead(input, 0) != Some(TokenKind::Ellipsis))),
        vec![spread, value.map(Element::Item).boxed()],
    );
    listed(TokenKind::LeftBracket, Separator::Comma, element, |state, span| {
        Element::Item(state.expr(ExprKind::Error, span))
    })
    .map_with(|elements, at| expr(ExprKind::List(elements), at))
    .boxed()
}

/// `{ a: 1, b, "odd key": 2, [computed]: 3, ...base }`
pub(super) fn record<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let value = list::value(Separator::Field, value);
    let select = |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
        Some(TokenKind::Ellipsis) => Ok(0),
        Some(TokenKind::LeftBracket) => Ok(1),
        Some(TokenKind::Str | TokenKind::RawStr) => Ok(2),
        Some(kind) if kind.is_word() && kind_ahead(input, 1) == Some(TokenKind::Colon) => Ok(3),
        Some(kind) if kind.is_name() => Ok(4),
        Some(kind) if kind.is_word() => Ok(3),
        _ => Err(Label::Name),
    };
    let spread = sign(TokenKind::Ellipsis).ignore_then(value.clone()).map(RecordField::Spread);
    let computed = sign(TokenKind::LeftBracket)
        .ignore_then(with_header(false, value.clone()))
        .then_ignore(sign(TokenKind::RightBracket))
        .then_ignore(sign(TokenKind::Colon))
        .then(value.clone())
        .map(|(key, value)| RecordField::Computed { key, value });
    let quoted = one(Label::Name, |tok| matches!(tok.kind, TokenKind::Str | TokenKind::RawStr))
        .map_with(|tok, at| {
            let span = span(at);
            Name { text: literal::text(tok, span, at.state()), span }
        })
        .then_ignore(sign(TokenKind::Colon))
        .then(value.clone())
        .map(|(name, value)| RecordField::Named { name, value, shorthand: false });
    let named = word().then_ignore(sign(TokenKind::Colon)).then(value).map(|(name, value)| RecordField::Named {
        name,
        value,
        shorthand: false,
    });
    let short = name().map_with(|name: Name, at| {
        let value = at.state().expr(ExprKind::Name(name.text.clone()), name.span);
        RecordField::Named { name, value, shorthand: true }
    });
    let field = choose(select, vec![spread.boxed(), computed.boxed(), quoted.boxed(), named.boxed(), short.boxed()]);
    listed(TokenKind::LeftBrace, Separator::Field, field, |state, span| {
        RecordField::Spread(state.expr(ExprKind::Error, span))
    })
    .map_with(|fields, at| expr(ExprKind::Record(fields), at))
    .boxed()
}
