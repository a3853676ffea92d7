//! Types.

use chumsky::prelude::*;

use super::{
    failure::Label,
    input::{Extra, Input, Rule, Toks, choose, index, kind_ahead, name, one, sign, span, word},
    list::{Separator, listed, written},
    literal::{literal, negated, text},
};
use crate::syntax::{
    ast::{Expr, FieldType, Name, TypeExpr, TypeExprKind},
    token::TokenKind,
};

/// The two forms of types.
#[derive(Clone)]
pub(super) struct Types<'t> {
    /// A whole type.
    pub(super) whole: Rule<'t, TypeExpr>,
    /// A type without `|`, as after `as`.
    pub(super) tight: Rule<'t, TypeExpr>,
}

/// The rules of types.
pub(super) fn types<'t>() -> Types<'t> {
    let whole = recursive(|ty| union(tight(ty.boxed()))).boxed();
    Types { tight: tight(whole.clone()), whole }
}

/// `|? tight (| tight)*`
fn union<'t>(tight: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    sign(TokenKind::Bar)
        .or_not()
        .ignore_then(tight.separated_by(sign(TokenKind::Bar)).at_least(1).collect::<Vec<_>>())
        .map_with(|mut types, at| match types.len() {
            1 => types.remove(0),
            _ => TypeExpr { kind: TypeExprKind::Union(types), span: span(at) },
        })
        .boxed()
}

/// `primary ?*`
fn tight<'t>(ty: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    primary(ty)
        .foldl_with(sign(TokenKind::Question).repeated(), |ty, _, at| TypeExpr {
            kind: TypeExprKind::Optional(Box::new(ty)),
            span: span(at),
        })
        .boxed()
}

fn primary<'t>(ty: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    let select = |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
        Some(TokenKind::LeftBracket) => Ok(0),
        Some(TokenKind::LeftBrace) => Ok(1),
        Some(TokenKind::Fn) => Ok(2),
        Some(TokenKind::LeftParen) => Ok(3),
        Some(
            TokenKind::Str
            | TokenKind::RawStr
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Duration
            | TokenKind::BadNumber
            | TokenKind::BadStr
            | TokenKind::Minus
            | TokenKind::True
            | TokenKind::False,
        ) => Ok(4),
        Some(kind) if kind.is_name() || matches!(kind, TokenKind::Type | TokenKind::Null) => Ok(5),
        _ => Err(Label::Type),
    };
    let parens = sign(TokenKind::LeftParen)
        .ignore_then(ty.clone())
        .then_ignore(sign(TokenKind::RightParen))
        .map_with(|ty, at| TypeExpr { span: span(at), ..ty })
        .boxed();
    let literal = signed_literal()
        .map_with(|value, at| TypeExpr { kind: TypeExprKind::Literal(Box::new(value)), span: span(at) })
        .boxed();
    choose(select, vec![list(ty.clone()), record(ty.clone()), function(ty.clone()), parens, literal, named(ty)])
}

/// `[T]`
fn list<'t>(ty: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    sign(TokenKind::LeftBracket)
        .ignore_then(ty)
        .then_ignore(sign(TokenKind::RightBracket))
        .map_with(|ty, at| TypeExpr { kind: TypeExprKind::List(Box::new(ty)), span: span(at) })
        .boxed()
}

/// `{ a: T, b?: U }`
fn record<'t>(ty: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    listed(TokenKind::LeftBrace, Separator::Field, field(ty), |_, span| FieldType {
        name: Name { text: "".into(), span },
        optional: false,
        ty: TypeExpr { kind: TypeExprKind::Error, span },
        doc: None,
    })
    .map_with(|fields, at| {
        let fields = fields.into_iter().filter(|field| !field.name.text.is_empty()).collect();
        TypeExpr { kind: TypeExprKind::Record(fields), span: span(at) }
    })
    .boxed()
}

/// `name?: T`, `"a key": T`
fn field<'t>(ty: Rule<'t, TypeExpr>) -> Rule<'t, FieldType> {
    let quoted = one(Label::Name, |tok| matches!(tok.kind, TokenKind::Str | TokenKind::RawStr)).map_with(|tok, at| {
        let span = span(at);
        Name { text: text(tok, span, at.state()), span }
    });
    let key = choose(
        |input: &mut Input<'t, '_>| {
            let quoted = matches!(kind_ahead(input, 0), Some(TokenKind::Str | TokenKind::RawStr));
            Ok(usize::from(quoted))
        },
        vec![word().boxed(), quoted.boxed()],
    );
    documented(key)
        .then(sign(TokenKind::Question).or_not())
        .then_ignore(sign(TokenKind::Colon))
        .then(written(Separator::Field, ty))
        .map(|(((name, doc), optional), ty)| FieldType { name, optional: optional.is_some(), ty, doc })
        .boxed()
}

/// A name with the doc comment before it.
pub(super) fn documented<'t>(
    name: impl Parser<'t, Toks<'t>, Name, Extra<'t>> + Clone + 't,
) -> impl Parser<'t, Toks<'t>, (Name, Option<String>), Extra<'t>> + Clone {
    custom(move |input: &mut Input<'t, '_>| {
        let start = index(input);
        let name = input.parse(&name)?;
        Ok((name, input.state().doc(start, start + 1)))
    })
}

/// `fn(A, B) -> C`
fn function<'t>(ty: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    let params = listed(TokenKind::LeftParen, Separator::Comma, ty.clone(), |_, span| TypeExpr {
        kind: TypeExprKind::Error,
        span,
    });
    sign(TokenKind::Fn)
        .ignore_then(params)
        .then(sign(TokenKind::Arrow).ignore_then(ty).or_not())
        .map_with(|(params, result), at| TypeExpr {
            kind: TypeExprKind::Fn { params, result: result.map(Box::new) },
            span: span(at),
        })
        .boxed()
}

/// `module.Name<T>`
fn named<'t>(ty: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    let args = sign(TokenKind::Less)
        .ignore_then(ty.separated_by(sign(TokenKind::Comma)).at_least(1).collect::<Vec<_>>())
        .then_ignore(sign(TokenKind::Greater));
    one(Label::Type, |tok| tok.kind.is_name() || matches!(tok.kind, TokenKind::Type | TokenKind::Null))
        .map_with(|tok, at| at.state().name(tok))
        .then(sign(TokenKind::Dot).ignore_then(name()).or_not())
        .then(args.or_not())
        .map_with(|((first, second), args), at| {
            let (module, name) = match second {
                Some(name) => (Some(first), name),
                None => (None, first),
            };
            TypeExpr { kind: TypeExprKind::Name { module, name, args: args.unwrap_or_default() }, span: span(at) }
        })
        .boxed()
}

/// `-? literal`
pub(super) fn signed_literal<'t>() -> Rule<'t, Expr> {
    let minus = custom(|input: &mut Input<'t, '_>| {
        let minus = input.parse(sign(TokenKind::Minus))?;
        input.state().negated = index(input);
        Ok(minus)
    });
    minus
        .or_not()
        .then(literal())
        .map_with(|(minus, value), at| if minus.is_some() { negated(value, at) } else { value })
        .boxed()
}
