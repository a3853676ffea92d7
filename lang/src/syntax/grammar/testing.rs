//! Statements that only tests have.

use chumsky::prelude::*;

use super::{
    Rules,
    failure::Label,
    input::{Input, Rule, choose, kind_ahead, kind_behind, name, one, sign, with_header, word},
    list::{Separator, listed},
    literal,
};
use crate::syntax::{
    ast::{ExprKind, MockValue, Name, StmtKind},
    token::TokenKind,
};

/// Which of the statements of tests begins here.
pub(super) fn select(input: &mut Input<'_, '_>) -> Option<usize> {
    if !input.state().test {
        return None;
    }
    let next = kind_ahead(input, 1)?;
    match kind_ahead(input, 0)? {
        TokenKind::Mock if next.is_name() || next == TokenKind::FatArrow => Some(0),
        TokenKind::Answer if begins_answer(input, next) => Some(1),
        TokenKind::Crash if next.is_name() => Some(2),
        TokenKind::Assert if !matches!(next, TokenKind::Eq | TokenKind::Dot) => Some(3),
        _ => None,
    }
}

/// Whether a pattern follows `answer`, rather than what may follow a variable of that name.
fn begins_answer(input: &mut Input<'_, '_>, next: TokenKind) -> bool {
    use TokenKind::{After, Bar, FatArrow, LeftBrace, LeftBracket, Minus};
    let goes_on = |kind: Option<TokenKind>| matches!(kind, Some(FatArrow | After | Bar));
    match next {
        LeftBracket => goes_on(kind_behind(input, 1)),
        Minus => kind_ahead(input, 2).is_some_and(literal::is_literal) && goes_on(kind_ahead(input, 3)),
        _ => next.is_name() || literal::is_literal(next) || matches!(next, LeftBrace | Bar | FatArrow),
    }
}

/// The rules that `select` selects.
pub(super) fn statements<'t>(rules: &Rules<'t>) -> Vec<Rule<'t, StmtKind>> {
    vec![mock(rules), answer(rules), crash(rules), assert(rules)]
}

/// `mock name.path => value`
fn mock<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    sign(TokenKind::Mock)
        .ignore_then(path())
        .then_ignore(sign(TokenKind::FatArrow))
        .then(value(rules))
        .map(|(target, value)| StmtKind::Mock { target, value })
        .boxed()
}

/// `answer pattern after e => value`
fn answer<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    let after = sign(TokenKind::After).ignore_then(with_header(true, rules.expr.clone()));
    sign(TokenKind::Answer)
        .ignore_then(rules.patterns.whole.clone())
        .then(after.or_not())
        .then_ignore(sign(TokenKind::FatArrow))
        .then(value(rules))
        .map(|((pattern, after), value)| StmtKind::Answer { pattern, after, value })
        .boxed()
}

/// `crash after name n`, `crash during name n`
fn crash<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    let nth = choose(
        |input: &mut Input<'t, '_>| {
            Ok(usize::from(!kind_ahead(input, 0).is_some_and(|kind| kind.is_name() || literal::is_literal(kind))))
        },
        vec![rules.expr.clone().map(Some).boxed(), empty().to(None).boxed()],
    );
    sign(TokenKind::Crash)
        .ignore_then(one(Label::After, |tok| matches!(tok.kind, TokenKind::After | TokenKind::During)))
        .then(path())
        .then(nth)
        .map(|((when, target), nth)| StmtKind::Crash { during: when.kind == TokenKind::During, target, nth })
        .boxed()
}

/// `assert e throws pattern`
fn assert<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    let throws = sign(TokenKind::Throws).ignore_then(rules.patterns.whole.clone().or_not());
    sign(TokenKind::Assert)
        .ignore_then(rules.expr.clone())
        .then(throws.or_not())
        .map(|(cond, throws)| StmtKind::Assert { cond, throws })
        .boxed()
}

/// `a.b.c`
fn path<'t>() -> Rule<'t, Vec<Name>> {
    name()
        .then(sign(TokenKind::Dot).ignore_then(word()).repeated().collect::<Vec<_>>())
        .map(|(first, mut rest)| {
            rest.insert(0, first);
            rest
        })
        .boxed()
}

/// `each [a, b]`, or an expression
fn value<'t>(rules: &Rules<'t>) -> Rule<'t, MockValue> {
    let values = listed(TokenKind::LeftBracket, Separator::Comma, rules.expr.clone(), |state, span| {
        state.expr(ExprKind::Error, span)
    });
    choose(
        |input: &mut Input<'t, '_>| {
            let each =
                kind_ahead(input, 0) == Some(TokenKind::Each) && kind_ahead(input, 1) == Some(TokenKind::LeftBracket);
            Ok(usize::from(!each))
        },
        vec![
            sign(TokenKind::Each).ignore_then(values).map(MockValue::Each).boxed(),
            rules.expr.clone().map(MockValue::Value).boxed(),
        ],
    )
}
