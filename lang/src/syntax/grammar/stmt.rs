//! Statements and blocks.

use chumsky::prelude::*;

use super::{
    Rules,
    failure::Label,
    gather,
    input::{Input, Rule, choose, kind_ahead, one, sign, span},
    list::{Separator, headed, listed, value, written},
    testing,
};
use crate::syntax::{
    ast::{BinaryOp, Block, ExprKind, Stmt, StmtKind},
    token::TokenKind,
};

/// `{ statements }`
pub(super) fn block<'t>(rules: &Rules<'t>) -> Rule<'t, Block> {
    let statement = statement(rules).map_with(|kind, at| Stmt { kind, span: span(at) }).boxed();
    listed(TokenKind::LeftBrace, Separator::Statement, statement, |_, span| Stmt { kind: StmtKind::Error, span })
        .map_with(|stmts, at| Block { stmts, span: span(at) })
        .boxed()
}

/// One statement, chosen by its first tokens.
fn statement<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    let mut alternatives = vec![binding(rules), each(rules), during(rules), plain(rules)];
    alternatives.extend(testing::statements(rules));
    choose(
        |input: &mut Input<'t, '_>| {
            Ok(match kind_ahead(input, 0) {
                Some(TokenKind::Let) => 0,
                Some(TokenKind::For) => 1,
                Some(TokenKind::While) => 2,
                _ => testing::select(input).map_or(3, |which| which + 4),
            })
        },
        alternatives,
    )
}

/// `let pattern: T = e`
fn binding<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    sign(TokenKind::Let)
        .ignore_then(rules.patterns.plain.clone())
        .then(sign(TokenKind::Colon).ignore_then(written(Separator::Annotation, rules.types.whole.clone())).or_not())
        .then_ignore(sign(TokenKind::Eq))
        .then(value(Separator::Statement, rules.expr.clone()))
        .map(|((pattern, ty), value)| StmtKind::Let { pattern, ty, value })
        .boxed()
}

/// `for i, x in xs { }`
fn each<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    gather::head(rules)
        .then(rules.block.clone())
        .map(|((index, item, iter), body)| StmtKind::For { index, item, iter, body })
        .boxed()
}

/// `while c { }`
fn during<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    sign(TokenKind::While)
        .ignore_then(headed(rules.expr.clone()))
        .then(rules.block.clone())
        .map(|(cond, body)| StmtKind::While { cond, body })
        .boxed()
}

/// `e`, `place = e`, `place += e`
fn plain<'t>(rules: &Rules<'t>) -> Rule<'t, StmtKind> {
    let sign = one(Label::Continuation, |tok| tok.kind == TokenKind::Eq || operator(tok.kind).is_some());
    rules
        .expr
        .clone()
        .then(sign.then(value(Separator::Statement, rules.expr.clone())).or_not())
        .map_with(|(place, assigned), at| match assigned {
            Some((tok, value)) => {
                if let ExprKind::TypeValue(_) = place.kind {
                    let (message, help) = ("types are declared at the top of a file", "move it out of the block");
                    at.state().misplaced(place.span, message, help);
                }
                StmtKind::Assign { place, op: operator(tok.kind), value }
            }
            None => StmtKind::Expr(place),
        })
        .boxed()
}

/// The operator before the `=`.
fn operator(kind: TokenKind) -> Option<BinaryOp> {
    match kind {
        TokenKind::PlusEq => Some(BinaryOp::Add),
        TokenKind::MinusEq => Some(BinaryOp::Sub),
        TokenKind::StarEq => Some(BinaryOp::Mul),
        TokenKind::SlashEq => Some(BinaryOp::Div),
        TokenKind::PercentEq => Some(BinaryOp::Rem),
        _ => None,
    }
}
