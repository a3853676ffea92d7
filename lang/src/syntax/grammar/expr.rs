//! Expressions: operands, what follows them, and operators.

use chumsky::{
    pratt::{infix, left, postfix, prefix},
    prelude::*,
};

use super::{
    Rules, control,
    failure::Label,
    gather,
    input::{At, Input, Rule, ahead, choose, expr, index, kind_ahead, name, one, sign, span, with_header, word},
    lambda,
    list::{Separator, listed},
    literal, operator, record,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::{
        ast::{Arg, BinaryOp, Expr, ExprKind, Name, UnaryOp},
        layout::Tok,
        token::TokenKind,
    },
};

/// A whole expression. Loosest to tightest: `|>`, `??`, `||`, `&&`, comparisons, ranges, `+ -`, `* / %`, `as`, `! -`.
pub(super) fn expression<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    let primary = primary(rules);
    let operand = operand(primary.clone(), rules);
    let binary = |power, operators: &'static [(TokenKind, BinaryOp)]| {
        let sign = one(Label::Continuation, move |tok| operators.iter().any(|operator| operator.0 == tok.kind));
        infix(left(power), sign, move |left, tok: Tok, right, at: &mut At<'t, '_>| {
            let op = operators.iter().find(|op| op.0 == tok.kind).map_or(BinaryOp::Eq, |op| op.1);
            operator::binary(left, op, right, at)
        })
    };
    let range = one(Label::Continuation, |tok| matches!(tok.kind, TokenKind::DotDot | TokenKind::DotDotEq));
    let before = one(Label::Expression, |tok| matches!(tok.kind, TokenKind::Minus | TokenKind::Not));
    let operators = operand
        .clone()
        .pratt((
            prefix(10, before, |tok: Tok, value, at| {
                let op = if tok.kind == TokenKind::Not { UnaryOp::Not } else { UnaryOp::Neg };
                expr(ExprKind::Unary(op, Box::new(value)), at)
            }),
            postfix(
                9,
                one(Label::Continuation, |tok| tok.kind == TokenKind::As).ignore_then(rules.types.tight.clone()),
                |value, ty, at| expr(ExprKind::As { value: Box::new(value), ty }, at),
            ),
            binary(8, operator::PRODUCTS),
            binary(7, operator::SUMS),
            infix(left(6), range, |left, tok: Tok, right, at| operator::range(left, tok, right, at)),
            binary(5, operator::COMPARISONS),
            binary(4, operator::AND),
            binary(3, operator::OR),
            binary(2, operator::COALESCE),
            postfix(1, pipe(operand), |value, call, at| {
                expr(ExprKind::Pipe { value: Box::new(value), call: Box::new(call) }, at)
            }),
        ))
        .boxed();
    shortened(primary, operators)
}

/// A name or literal that is the whole expression, as most are; anything else goes through the operators.
fn shortened<'t>(primary: Rule<'t, Expr>, operators: Rule<'t, Expr>) -> Rule<'t, Expr> {
    use TokenKind::{Comma, LeftBrace, Newline, RightBrace, RightBracket, RightParen, Semicolon, StrClose, StrMiddle};
    let select = |input: &mut Input<'t, '_>| {
        let ends = matches!(
            kind_ahead(input, 1),
            Some(
                Comma | LeftBrace | Newline | RightBrace | RightBracket | RightParen | Semicolon | StrClose | StrMiddle
            )
        );
        let first = kind_ahead(input, 0);
        Ok(usize::from(!(ends && first.is_some_and(|kind| kind.is_name() || literal::is_literal(kind)))))
    };
    choose(select, vec![primary, operators])
}

/// `|> name.path(args)…`
fn pipe<'t>(operand: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let target = choose(
        |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
            Some(kind) if kind.is_name() => Ok(0),
            _ => Err(Label::Function),
        },
        vec![operand],
    );
    sign(TokenKind::Pipe).ignore_then(target).boxed()
}

/// What follows an operand.
enum Postfix {
    Field(Name, bool),
    Index(Expr),
    Call(Vec<Arg>),
}

/// `primary (.name | ?.name | [index] | (args))*`
fn operand<'t>(primary: Rule<'t, Expr>, rules: &Rules<'t>) -> Rule<'t, Expr> {
    primary
        .foldl_with(following(rules).repeated(), |object, postfix, at| {
            let object = Box::new(object);
            let kind = match postfix {
                Postfix::Field(name, optional) => ExprKind::Field { object, name, optional },
                Postfix::Index(index) => ExprKind::Index { object, index: Box::new(index) },
                Postfix::Call(args) => ExprKind::Call { callee: object, args },
            };
            expr(kind, at)
        })
        .boxed()
}

fn following<'t>(rules: &Rules<'t>) -> Rule<'t, Postfix> {
    let select = |input: &mut Input<'t, '_>| match ahead(input, 0) {
        Some(tok) => match tok.kind {
            TokenKind::Dot | TokenKind::QuestionDot => Ok(0),
            TokenKind::LeftParen if !tok.begins_line => Ok(1),
            TokenKind::LeftBracket if !tok.begins_line && !after_number(input) => Ok(2),
            _ => Err(Label::Continuation),
        },
        None => Err(Label::Continuation),
    };
    let call = args(rules.expr.clone()).map(Postfix::Call).boxed();
    choose(select, vec![field(), call, operator::index(rules.expr.clone()).map(Postfix::Index).boxed()])
}

/// Whether a number stands before: `gather first 2 [a, b]`.
fn after_number(input: &mut Input<'_, '_>) -> bool {
    let before = index(input).wrapping_sub(1);
    input.state().layout.toks.get(before).is_some_and(|tok| tok.kind == TokenKind::Int)
}

/// `.name`; nothing behind the dot gives an empty name.
fn field<'t>() -> Rule<'t, Postfix> {
    let dot = one(Label::Continuation, |tok| matches!(tok.kind, TokenKind::Dot | TokenKind::QuestionDot));
    custom(move |input: &mut Input<'t, '_>| {
        let dot = input.parse(&dot)?;
        let optional = dot.kind == TokenKind::QuestionDot;
        let next = ahead(input, 0);
        if next.is_some_and(|tok| tok.kind.is_word()) {
            return Ok(Postfix::Field(input.parse(word())?, optional));
        }
        let span = input.state().span(dot).after();
        if !next.is_some_and(|tok| tok.inserted) {
            let message = format!("expected a name after `{}`", dot.kind.text());
            input.state().diagnostics.push(Diagnostic::new(Code::Syntax, span, message));
        }
        if next.is_some_and(|tok| tok.kind == TokenKind::Int && tok.start == dot.end) {
            input.skip();
        }
        Ok(Postfix::Field(Name { text: "".into(), span }, optional))
    })
    .boxed()
}

/// `(a, name: b)`
pub(super) fn args<'t>(value: Rule<'t, Expr>) -> Rule<'t, Vec<Arg>> {
    let named = word().then_ignore(sign(TokenKind::Colon)).map(Some).then(value.clone());
    let plain = empty().to(None).then(value);
    let arg = choose(
        |input: &mut Input<'t, '_>| {
            let named =
                kind_ahead(input, 0).is_some_and(TokenKind::is_word) && kind_ahead(input, 1) == Some(TokenKind::Colon);
            Ok(usize::from(!named))
        },
        vec![named.boxed(), plain.boxed()],
    );
    let arg = arg.map(|(name, value)| Arg { name, value }).boxed();
    listed(TokenKind::LeftParen, Separator::Comma, arg, |state, span| Arg {
        name: None,
        value: state.expr(ExprKind::Error, span),
    })
}

/// An operand without what follows it, chosen by its first tokens.
fn primary<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    let value = rules.expr.clone();
    let alternatives = vec![
        literal::literal(),
        literal::interpolated(value.clone()),
        record::list(value.clone()),
        record::record(value.clone()),
        lambda::lambda(rules),
        parens(value.clone()),
        control::observe(value.clone()),
        name().map_with(|name: Name, at| expr(ExprKind::Name(name.text), at)).boxed(),
        sign(TokenKind::Type)
            .ignore_then(rules.types.whole.clone())
            .map_with(|ty, at| expr(ExprKind::TypeValue(ty), at))
            .boxed(),
        control::conditional(rules),
        control::block_value(rules),
        control::matching(rules),
        control::trying(rules),
        gather::gather(rules),
        gather::race(rules),
        control::returning(value.clone()),
        control::throwing(value),
        control::leaving(),
    ];
    choose(select, alternatives)
}

fn select(input: &mut Input<'_, '_>) -> Result<usize, Label> {
    let Some(tok) = ahead(input, 0) else { return Err(Label::Expression) };
    let header = input.state().header;
    Ok(match tok.kind {
        kind if literal::is_literal(kind) => 0,
        TokenKind::StrOpen => 1,
        TokenKind::LeftBracket => 2,
        TokenKind::LeftBrace if !header => 3,
        TokenKind::LeftParen if tok.marked && !header => 4,
        TokenKind::LeftParen => 5,
        kind if kind.is_name() => match kind_ahead(input, 1) {
            Some(TokenKind::FatArrow) if !header => 4,
            Some(next) if kind == TokenKind::Observe && input.state().test && is_observed(next) => 6,
            _ => 7,
        },
        TokenKind::Type => 8,
        TokenKind::If => 9,
        TokenKind::Do => 10,
        TokenKind::Match => 11,
        TokenKind::Try => 12,
        TokenKind::Gather => 13,
        TokenKind::Race => 14,
        TokenKind::Return => 15,
        TokenKind::Throw => 16,
        TokenKind::Break | TokenKind::Continue => 17,
        _ => return Err(Label::Expression),
    })
}

/// `(e)`
fn parens<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    sign(TokenKind::LeftParen)
        .ignore_then(with_header(false, value))
        .then_ignore(sign(TokenKind::RightParen))
        .map_with(|value, at| {
            let span = span(at);
            at.state().expr(ExprKind::Paren(Box::new(value)), span)
        })
        .boxed()
}

/// Whether what may be observed begins with a token, on the line of `observe`.
fn is_observed(next: TokenKind) -> bool {
    use TokenKind::{Do, Gather, If, Match, Race, Throw, Try};
    next.is_name() || matches!(next, Do | Gather | If | Match | Race | Throw | Try)
}
