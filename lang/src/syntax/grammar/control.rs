//! Blocks as values, conditions, `match`, `try`, and what leaves a block.

use chumsky::prelude::*;

use super::{
    Rules,
    expr::args,
    failure::Label,
    input::{Input, Rule, ahead, choose, expr, kind_ahead, name, one, sign, with_header, word},
    lambda,
    list::{Separator, headed, listed},
};
use crate::syntax::{
    ast::{Arm, Block, Body, Expr, ExprKind, Name, Pattern, PatternKind},
    token::TokenKind,
};

/// `if c { } else if d { } else { }`
pub(super) fn conditional<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    let (value, block) = (rules.expr.clone(), rules.block.clone());
    recursive(move |conditional| {
        let last = block.clone().map_with(|block, at| expr(ExprKind::Do(block), at)).boxed();
        let otherwise = choose(
            |input: &mut Input<'t, '_>| Ok(usize::from(kind_ahead(input, 0) != Some(TokenKind::If))),
            vec![conditional.boxed(), last],
        );
        sign(TokenKind::If)
            .ignore_then(headed(value))
            .then(block)
            .then(sign(TokenKind::Else).ignore_then(otherwise).or_not())
            .map_with(|((cond, then), otherwise), at| {
                let (cond, otherwise) = (Box::new(cond), otherwise.map(Box::new));
                expr(ExprKind::If { cond, then, otherwise }, at)
            })
    })
    .boxed()
}

/// `do { }`
pub(super) fn block_value<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    sign(TokenKind::Do).ignore_then(rules.block.clone()).map_with(|block, at| expr(ExprKind::Do(block), at)).boxed()
}

/// `match x { arms }`
pub(super) fn matching<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    let arms = listed(TokenKind::LeftBrace, Separator::Arm, arm(rules), |state, span| Arm {
        pattern: Pattern { kind: PatternKind::Error, span },
        guard: None,
        body: Body::Expr(state.expr(ExprKind::Error, span)),
        span,
    });
    sign(TokenKind::Match)
        .ignore_then(headed(rules.expr.clone()))
        .then(arms)
        .map_with(|(subject, arms), at| expr(ExprKind::Match { subject: Box::new(subject), arms }, at))
        .boxed()
}

/// `pattern if guard => body`
fn arm<'t>(rules: &Rules<'t>) -> Rule<'t, Arm> {
    let guard = sign(TokenKind::If).ignore_then(with_header(true, rules.expr.clone()));
    rules
        .patterns
        .whole
        .clone()
        .then(guard.or_not())
        .then_ignore(sign(TokenKind::FatArrow))
        .then(lambda::body(rules))
        .map_with(|((pattern, guard), body), at| Arm { pattern, guard, body, span: super::input::span(at) })
        .boxed()
}

/// `try { } catch e { } finally { }`
pub(super) fn trying<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    let next = custom(|input: &mut Input<'t, '_>| Ok(kind_ahead(input, 0)));
    sign(TokenKind::Try)
        .ignore_then(rules.block.clone())
        .then(catching(rules))
        .then(next)
        .map_with(|((body, (catch, finally)), next), at| {
            let ends = |kind: TokenKind| {
                matches!(kind, TokenKind::Newline | TokenKind::Semicolon | TokenKind::Comma) || kind.is_closer()
            };
            if catch.is_none() && finally.is_none() && next.is_none_or(ends) {
                let message = "`try` without `catch` or `finally`";
                at.state().misplaced(body.span, message, "add `catch e { … }` after the block, or write `do`");
            }
            expr(ExprKind::Try { body, catch, finally }, at)
        })
        .boxed()
}

type Catching = (Option<(Option<Name>, Block)>, Option<Block>);

/// `catch e { } finally { }`, either of which may be left out
pub(super) fn catching<'t>(rules: &Rules<'t>) -> Rule<'t, Catching> {
    let catch = sign(TokenKind::Catch).ignore_then(name().or_not()).then(rules.block.clone());
    let finally = sign(TokenKind::Finally).ignore_then(rules.block.clone());
    catch.or_not().then(finally.or_not()).boxed()
}

/// `observe a.f(x)`, in tests; what follows is of the observation. So `observe f(x).status` is its status. What else is
/// to be observed begins with a keyword: `observe do { … }`.
pub(super) fn observe<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let field = sign(TokenKind::Dot).ignore_then(word());
    let path = name()
        .map_with(|name, at| expr(ExprKind::Name(name.text), at))
        .foldl_with(field.repeated(), |object, name, at| {
            expr(ExprKind::Field { object: Box::new(object), name, optional: false }, at)
        });
    let call = path.then(args(value.clone()).or_not()).map_with(|(callee, args), at| match args {
        Some(args) => expr(ExprKind::Call { callee: Box::new(callee), args }, at),
        None => callee,
    });
    let observed = choose(
        |input: &mut Input<'t, '_>| {
            let called = kind_ahead(input, 0).is_some_and(TokenKind::is_name);
            Ok(usize::from(!called))
        },
        vec![call.boxed(), value],
    );
    sign(TokenKind::Observe)
        .ignore_then(observed)
        .map_with(|value, at| expr(ExprKind::Observe(Box::new(value)), at))
        .boxed()
}

/// `return e`; the value starts on its line.
pub(super) fn returning<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    let some = value.map(|value| Some(Box::new(value)));
    let value = choose(
        |input: &mut Input<'t, '_>| {
            let none = ahead(input, 0).is_none_or(|tok| {
                let ends = matches!(
                    tok.kind,
                    TokenKind::Newline
                        | TokenKind::Semicolon
                        | TokenKind::Comma
                        | TokenKind::StrMiddle
                        | TokenKind::Else
                );
                tok.begins_line || ends || tok.kind.is_closer()
            });
            Ok(usize::from(none))
        },
        vec![some.boxed(), empty().to(None).boxed()],
    );
    sign(TokenKind::Return).ignore_then(value).map_with(|value, at| expr(ExprKind::Return(value), at)).boxed()
}

/// `throw e`
pub(super) fn throwing<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    sign(TokenKind::Throw).ignore_then(value).map_with(|value, at| expr(ExprKind::Throw(Box::new(value)), at)).boxed()
}

/// `break`, `continue`
pub(super) fn leaving<'t>() -> Rule<'t, Expr> {
    one(Label::Expression, |tok| matches!(tok.kind, TokenKind::Break | TokenKind::Continue))
        .map_with(|tok, at| {
            let leaves = tok.kind == TokenKind::Break;
            expr(if leaves { ExprKind::Break } else { ExprKind::Continue }, at)
        })
        .boxed()
}
