//! Parallel branches, and the head of `for`.

use chumsky::prelude::*;

use super::{
    Rules,
    failure::Label,
    input::{Input, Rule, choose, expr, kind_ahead, name, one, sign, with_header, word},
    list::{Separator, headed, listed, value},
};
use crate::syntax::{
    ast::{Branches, Expr, ExprKind, Gather, Name, Pattern},
    token::TokenKind,
};

/// One of `limit n`, `settle`, `first n`.
enum Setting {
    Limit(Expr),
    Settle,
    First(Expr),
}

/// `gather limit n settle first n branches`
pub(super) fn gather<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    let number = counted(rules.expr.clone());
    let select = |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
        Some(TokenKind::Limit) => Some(0),
        Some(TokenKind::Settle) => Some(1),
        Some(TokenKind::First) => Some(2),
        _ => None,
    };
    let forms = [
        sign(TokenKind::Limit).ignore_then(number.clone()).map(Setting::Limit).boxed(),
        sign(TokenKind::Settle).map(|_| Setting::Settle).boxed(),
        sign(TokenKind::First).ignore_then(number).map(Setting::First).boxed(),
    ];
    // Each once, in any order.
    let settings = custom(move |input: &mut Input<'t, '_>| {
        let (mut settings, mut given) = (Vec::new(), [false; 3]);
        while let Some(which) = select(input)
            && !std::mem::replace(&mut given[which], true)
        {
            settings.push(input.parse(&forms[which])?);
        }
        Ok(settings)
    });
    sign(TokenKind::Gather)
        .ignore_then(settings)
        .then(branches(rules))
        .map_with(|(settings, branches), at| {
            let mut gather = Gather { limit: None, settle: false, first: None, branches };
            for setting in settings {
                match setting {
                    Setting::Limit(number) => gather.limit = Some(number),
                    Setting::Settle => gather.settle = true,
                    Setting::First(number) => gather.first = Some(number),
                }
            }
            expr(ExprKind::Gather(Box::new(gather)), at)
        })
        .boxed()
}

/// The number behind `limit` or `first`.
fn counted<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let number = custom(move |input: &mut Input<'t, '_>| {
        input.state().counting = true;
        let result = input.parse(&value);
        input.state().counting = false;
        result
    });
    with_header(true, number).boxed()
}

/// `race branches`
pub(super) fn race<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    sign(TokenKind::Race)
        .ignore_then(branches(rules))
        .map_with(|branches, at| expr(ExprKind::Race(branches), at))
        .boxed()
}

/// `for x in xs { }`, `{ a: e, b: e }`, `[e, e]`
fn branches<'t>(rules: &Rules<'t>) -> Rule<'t, Branches> {
    let select = |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
        Some(TokenKind::For) => Ok(0),
        Some(TokenKind::LeftBrace) => Ok(1),
        Some(TokenKind::LeftBracket) => Ok(2),
        _ => Err(Label::Branches),
    };
    let each = head(rules).then(rules.block.clone()).map(|((index, item, iter), body)| Branches::For {
        index,
        item,
        iter: Box::new(iter),
        body,
    });
    let key = one(Label::Name, |tok| tok.kind == TokenKind::Str).map_with(|tok, at| {
        let span = super::input::span(at);
        Name { text: super::literal::text(tok, span, at.state()), span }
    });
    let key = choose(
        |input: &mut Input<'t, '_>| Ok(usize::from(kind_ahead(input, 0) != Some(TokenKind::Str))),
        vec![key.boxed(), word().boxed()],
    );
    let branch = key.then_ignore(sign(TokenKind::Colon)).then(value(Separator::Field, rules.expr.clone()));
    let named = listed(TokenKind::LeftBrace, Separator::Field, branch.map(Some).boxed(), |_, _| None)
        .map(|branches| Branches::Named(branches.into_iter().flatten().collect()));
    let list = listed(TokenKind::LeftBracket, Separator::Comma, rules.expr.clone(), |state, span| {
        state.expr(ExprKind::Error, span)
    })
    .map(Branches::List);
    choose(select, vec![each.boxed(), named.boxed(), list.boxed()])
}

/// `for i, x in xs`
pub(super) fn head<'t>(rules: &Rules<'t>) -> Rule<'t, (Option<Name>, Pattern, Expr)> {
    let index = choose(
        |input: &mut Input<'t, '_>| {
            let found =
                kind_ahead(input, 0).is_some_and(TokenKind::is_name) && kind_ahead(input, 1) == Some(TokenKind::Comma);
            Ok(usize::from(!found))
        },
        vec![name().then_ignore(sign(TokenKind::Comma)).map(Some).boxed(), empty().to(None).boxed()],
    );
    sign(TokenKind::For)
        .ignore_then(index)
        .then(rules.patterns.plain.clone())
        .then_ignore(sign(TokenKind::In))
        .then(headed(rules.expr.clone()))
        .map(|((index, item), iter)| (index, item, iter))
        .boxed()
}
