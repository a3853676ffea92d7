//! Patterns.

use chumsky::prelude::*;

use super::{
    failure::{Failure, Label},
    input::{Input, Rule, choose, index, kind_ahead, name, one, sign, span, word},
    list::{Separator, listed},
    literal, ty,
};
use crate::syntax::{
    ast::{Name, Pattern, PatternKind, TypeExpr},
    token::TokenKind,
};

/// The two forms of patterns.
#[derive(Clone)]
pub(super) struct Patterns<'t> {
    /// With `: T` after a name, and `|`.
    pub(super) whole: Rule<'t, Pattern>,
    /// Of `let` and `for`: no type, no `|`.
    pub(super) plain: Rule<'t, Pattern>,
}

/// The rules of patterns.
pub(super) fn patterns<'t>(ty: Rule<'t, TypeExpr>) -> Patterns<'t> {
    let typed = sign(TokenKind::Colon).ignore_then(ty).or_not().boxed();
    let whole = recursive(|pattern| alternatives(primary(pattern.boxed(), typed))).boxed();
    let plain = primary(whole.clone(), empty().to(None).boxed());
    Patterns { whole, plain }
}

/// `|? pattern (| pattern)*`
fn alternatives<'t>(pattern: Rule<'t, Pattern>) -> Rule<'t, Pattern> {
    sign(TokenKind::Bar)
        .or_not()
        .ignore_then(pattern.separated_by(sign(TokenKind::Bar)).at_least(1).collect::<Vec<_>>())
        .map_with(|mut patterns, at| match patterns.len() {
            1 => patterns.remove(0),
            _ => Pattern { kind: PatternKind::Or(patterns), span: span(at) },
        })
        .boxed()
}

fn primary<'t>(pattern: Rule<'t, Pattern>, typed: Rule<'t, Option<TypeExpr>>) -> Rule<'t, Pattern> {
    let select = |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
        Some(TokenKind::LeftBrace) => Ok(0),
        Some(TokenKind::LeftBracket) => Ok(1),
        Some(kind) if kind.is_name() => Ok(2),
        Some(kind) if literal::is_literal(kind) || kind == TokenKind::Minus => Ok(3),
        _ => Err(Label::Pattern),
    };
    let literal = ty::signed_literal()
        .map_with(|value, at| Pattern { kind: PatternKind::Literal(Box::new(value)), span: span(at) })
        .boxed();
    choose(select, vec![record(pattern.clone()), list(pattern), binder(typed), literal])
}

/// `_`, `x`, `x: T`, `_: T`
fn binder<'t>(typed: Rule<'t, Option<TypeExpr>>) -> Rule<'t, Pattern> {
    name()
        .then(typed)
        .map_with(|(name, ty), at| {
            let kind = match ty {
                Some(ty) if name.text == "_" => PatternKind::Type(ty),
                None if name.text == "_" => PatternKind::Wildcard,
                ty => PatternKind::Bind(name, ty),
            };
            Pattern { kind, span: span(at) }
        })
        .boxed()
}

/// A part of a list or record pattern: a `T`, or `...rest`.
enum Part<T> {
    One(T),
    Rest(Option<Name>),
    Broken,
}

/// `...rest`
fn rest<'t, T: 't>() -> Rule<'t, Part<T>> {
    sign(TokenKind::Ellipsis).ignore_then(name().or_not()).map(Part::Rest).boxed()
}

/// `{ kind: "a", value, ...rest }`
fn record<'t>(pattern: Rule<'t, Pattern>) -> Rule<'t, Pattern> {
    let key = one(Label::Name, |tok| tok.kind == TokenKind::Str)
        .map_with(|tok, at| {
            let span = span(at);
            Name { text: literal::text(tok, span, at.state()), span }
        })
        .then_ignore(sign(TokenKind::Colon))
        .then(pattern.clone().map(Some));
    let inner = sign(TokenKind::Colon).ignore_then(pattern);
    let short = custom(|input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
        Some(kind) if !kind.is_name() && kind_ahead(input, 1) != Some(TokenKind::Colon) => {
            input.skip();
            Err(Failure::new(index(input), Label::Colon))
        }
        _ => Ok(()),
    });
    let field = short.rewind().ignore_then(word()).then(inner.or_not());
    let part = choose(
        |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
            Some(TokenKind::Ellipsis) => Ok(0),
            Some(TokenKind::Str) => Ok(1),
            _ => Ok(2),
        },
        vec![rest(), key.map(Part::One).boxed(), field.map(Part::One).boxed()],
    );
    listed(TokenKind::LeftBrace, Separator::Field, part, |_, _| Part::Broken)
        .map_with(|parts, at| {
            let mut fields = Vec::new();
            let mut rest = None;
            for part in parts {
                match part {
                    Part::One(field) => fields.push(field),
                    Part::Rest(name) => rest = Some(name),
                    Part::Broken => {}
                }
            }
            Pattern { kind: PatternKind::Record { fields, rest }, span: span(at) }
        })
        .boxed()
}

/// `[first, ...rest, last]`
fn list<'t>(pattern: Rule<'t, Pattern>) -> Rule<'t, Pattern> {
    let part = choose(
        |input: &mut Input<'t, '_>| Ok(usize::from(kind_ahead(input, 0) != Some(TokenKind::Ellipsis))),
        vec![rest(), pattern.map(Part::One).boxed()],
    );
    listed(TokenKind::LeftBracket, Separator::Comma, part, |_, span| {
        Part::One(Pattern { kind: PatternKind::Error, span })
    })
    .map_with(|parts, at| {
        let (mut before, mut rest, mut after) = (Vec::new(), None, Vec::new());
        let mut twice = false;
        for part in parts {
            match part {
                Part::One(pattern) if rest.is_none() => before.push(pattern),
                Part::One(pattern) => after.push(pattern),
                Part::Rest(name) => twice |= rest.replace(name).is_some(),
                Part::Broken => {}
            }
        }
        let span = span(at);
        if twice {
            at.state().misplaced(span, "a list pattern has one `...`", "leave one of them out");
        }
        Pattern { kind: PatternKind::List { before, rest, after }, span }
    })
    .boxed()
}
