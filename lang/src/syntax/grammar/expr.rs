//! Expressions: operands, what follows them, and operators.

use chumsky::{
    pratt::{infix, left, postfix, prefix},
    prelude::*,
};

use super::{
    Rules, control,
    failure::Label,
    gather,
    input::{
        At, Input, Rule, ahead, choose, expr, index, kind_ahead, kind_behind, name, one, sign, span, with_header, word,
    },
    lambda,
    list::{self, Separator, listed},
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
    let before = custom(|input: &mut Input<'t, '_>| {
        let tok = input.parse(one(Label::Expression, |tok| matches!(tok.kind, TokenKind::Minus | TokenKind::Not)))?;
        if tok.kind == TokenKind::Minus {
            input.state().negated = index(input);
        }
        Ok(tok)
    });
    let operators = operand
        .clone()
        .pratt((
            prefix(10, before, |tok: Tok, value, at| {
                if tok.kind == TokenKind::Not {
                    return expr(ExprKind::Unary(UnaryOp::Not, Box::new(value)), at);
                }
                literal::negated(value, at)
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
            Some(kind) if kind.is_name() && kind_ahead(input, 1) != Some(TokenKind::FatArrow) => Ok(0),
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
            if let ExprKind::TypeValue(_) = object.kind {
                beside_type(&object, at);
            }
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

/// `type [T].schema`
fn beside_type(ty: &Expr, at: &mut At<'_, '_>) {
    let text = at.state().text(ty.span);
    let diagnostic =
        Diagnostic::new(Code::NeedsParentheses, ty.span, "what follows a type needs parentheses around it")
            .help(format!("write `({text})`, and what follows behind it"));
    at.state().diagnostics.push(diagnostic);
}

fn following<'t>(rules: &Rules<'t>) -> Rule<'t, Postfix> {
    let select = |input: &mut Input<'t, '_>| match ahead(input, 0) {
        Some(tok) => match tok.kind {
            TokenKind::Dot | TokenKind::QuestionDot => Ok(0),
            TokenKind::LeftParen if !tok.begins_line => Ok(1),
            TokenKind::LeftBracket if !tok.begins_line && !begins_branches(input) => Ok(2),
            _ => Err(Label::Continuation),
        },
        None => Err(Label::Continuation),
    };
    let call = args(rules.expr.clone()).map(Postfix::Call).boxed();
    choose(select, vec![field(), call, operator::indexed(rules.expr.clone()).map(Postfix::Index).boxed()])
}

/// Whether a `[` opens branches: `gather first 2 [a, b]`, `gather limit n [a, b]`.
fn begins_branches(input: &mut Input<'_, '_>) -> bool {
    use TokenKind::{Comma, First, For, Int, LeftBrace, LeftBracket, Limit, Newline, Semicolon, Settle};
    let before = index(input).wrapping_sub(1);
    if input.state().layout.toks.get(before).is_some_and(|tok| tok.kind == Int) {
        return true;
    }
    input.state().counting
        && match kind_behind(input, 0) {
            None | Some(Comma | Newline | Semicolon) => true,
            Some(For | LeftBrace | LeftBracket | Limit | Settle | First) => false,
            Some(kind) => kind.is_closer(),
        }
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
        let number = next.is_some_and(|tok| tok.kind == TokenKind::Int && tok.start == dot.end);
        if !next.is_some_and(|tok| tok.inserted) {
            let message = format!("expected a name after `{}`", dot.kind.text());
            let mut diagnostic = Diagnostic::new(Code::Syntax, span, message);
            if number {
                diagnostic.help.push("elements of a list are read with `xs[0]`".to_owned());
            }
            input.state().diagnostics.push(diagnostic);
        }
        if number {
            input.skip();
        }
        Ok(Postfix::Field(Name { text: "".into(), span }, optional))
    })
    .boxed()
}

/// `(a, name: b)`
pub(super) fn args<'t>(value: Rule<'t, Expr>) -> Rule<'t, Vec<Arg>> {
    let named = word().then_ignore(sign(TokenKind::Colon)).map(Some).then(list::value(Separator::Comma, value.clone()));
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
        record::bare_block(rules),
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
        TokenKind::LeftBrace if !header => 3 + usize::from(record::is_bare_block(input)),
        TokenKind::LeftParen if tok.marked && !header => 5,
        TokenKind::LeftParen => 6,
        kind if kind.is_name() => match kind_ahead(input, 1) {
            Some(TokenKind::FatArrow) if !header => 5,
            Some(next) if kind == TokenKind::Observe && input.state().test && is_observed(next) => 7,
            _ => 8,
        },
        TokenKind::Type => 9,
        TokenKind::If => 10,
        TokenKind::Do => 11,
        TokenKind::Match => 12,
        TokenKind::Try => 13,
        TokenKind::Gather => 14,
        TokenKind::Race => 15,
        TokenKind::Return => 16,
        TokenKind::Throw => 17,
        TokenKind::Break | TokenKind::Continue => 18,
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
