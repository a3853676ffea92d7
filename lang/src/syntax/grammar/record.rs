//! Records and lists.

use chumsky::prelude::*;

use super::{
    Rules, control,
    failure::Label,
    input::{Input, Rule, ahead, choose, expr, kind_ahead, kind_behind, name, one, sign, span, with_header, word},
    list::{self, Separator, listed},
    literal,
};
use crate::{
    span::Span,
    syntax::{
        ast::{Element, Expr, ExprKind, Name, RecordField},
        token::TokenKind,
    },
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

/// Whether the `{` that comes next holds statements: there are no bare blocks, and no record looks like one.
pub(super) fn is_bare_block(input: &mut Input<'_, '_>) -> bool {
    use TokenKind::{Colon, Comma, Ellipsis, Ident, LeftBracket, Newline, Question, RawStr, RightBrace, Str, StrOpen};
    let (Some(first), second) = (ahead(input, 1), kind_ahead(input, 2)) else { return false };
    match first.kind {
        _ if first.inserted => false,
        RightBrace | Ellipsis | Comma => false,
        LeftBracket => !kind_behind(input, 1).is_some_and(|kind| kind == Colon || literal::is_literal(kind)),
        StrOpen => kind_behind(input, 1) != Some(Colon),
        Str | RawStr => second != Some(Colon),
        kind if kind.is_word() && matches!(second, Some(Colon | Question)) => false,
        kind if kind.is_name() && matches!(second, None | Some(Comma | RightBrace | Newline)) => false,
        // A colon is missing, unless it is a statement of a test.
        Ident if second.is_some_and(|kind| kind.is_name() || kind == StrOpen || literal::is_literal(kind)) => false,
        _ => !has_fields(input),
    }
}

/// Whether the first line behind the `{` that comes next has a `,` or a `:` outside further brackets.
fn has_fields(input: &mut Input<'_, '_>) -> bool {
    let mut distance = 1;
    for _ in 0..50 {
        match kind_ahead(input, distance) {
            Some(TokenKind::Comma | TokenKind::Colon) => return true,
            None | Some(TokenKind::Newline | TokenKind::Semicolon) => return false,
            Some(kind) if kind.is_closer() => return false,
            _ => distance += list::step(input, distance),
        }
    }
    false
}

/// `{ statements }`, which are not a value by themselves, and `{ statements } catch e { }`
pub(super) fn bare_block<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    rules
        .block
        .clone()
        .then(control::catching(rules))
        .map_with(|(body, (catch, finally)), at| {
            let opener = Span { end: body.span.start + 1, ..body.span };
            let alone = catch.is_none() && finally.is_none();
            let help = match alone {
                true => "write `do { … }`; a record has fields: `{ name: value }`",
                false => "write `try { … }`",
            };
            at.state().misplaced(opener, "there are no blocks by themselves", help);
            expr(if alone { ExprKind::Do(body) } else { ExprKind::Try { body, catch, finally } }, at)
        })
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
