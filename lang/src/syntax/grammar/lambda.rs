//! Lambdas, and what may follow `=>`.

use chumsky::prelude::*;

use super::{
    Rules,
    input::{Input, Rule, ahead, choose, expr, kind_ahead, kind_behind, name, sign},
    list::{Separator, listed, value, written},
    ty::documented,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::{
        ast::{Block, Body, Expr, ExprKind, Name, Param, StmtKind},
        token::TokenKind,
    },
};

/// `x => body`, `(a, b: int = 2) => body`
pub(super) fn lambda<'t>(rules: &Rules<'t>) -> Rule<'t, Expr> {
    let single = name().map(|name| vec![Param { name, ty: None, default: None, mutable: false, doc: None }]);
    let params = choose(
        |input: &mut Input<'t, '_>| Ok(usize::from(kind_ahead(input, 0) == Some(TokenKind::LeftParen))),
        vec![single.boxed(), params(rules)],
    );
    params
        .then_ignore(sign(TokenKind::FatArrow))
        .then(body(rules))
        .map_with(|(params, body), at| expr(ExprKind::Lambda { params, body: Box::new(body) }, at))
        .boxed()
}

/// `(self, a: T = e)`
pub(super) fn params<'t>(rules: &Rules<'t>) -> Rule<'t, Vec<Param>> {
    let mutable = custom(|input: &mut Input<'t, '_>| {
        let found =
            kind_ahead(input, 0) == Some(TokenKind::Mut) && kind_ahead(input, 1).is_some_and(TokenKind::is_name);
        if found {
            input.skip();
        }
        Ok(found)
    });
    let param = documented(mutable.ignore_then(name()))
        .then(sign(TokenKind::Colon).ignore_then(written(Separator::Annotation, rules.types.whole.clone())).or_not())
        .then(sign(TokenKind::Eq).ignore_then(value(Separator::Comma, rules.expr.clone())).or_not());
    let param = mutable
        .rewind()
        .then(param)
        .map(|(mutable, (((name, doc), ty), default))| Param { name, ty, default, mutable, doc })
        .boxed();
    listed(TokenKind::LeftParen, Separator::Comma, param, |_, span| Param {
        name: Name { text: "".into(), span },
        ty: None,
        default: None,
        mutable: false,
        doc: None,
    })
    .map(|params| params.into_iter().filter(|param| !param.name.text.is_empty()).collect())
    .boxed()
}

/// What follows `=>`: a block, or an expression, which a record is.
pub(super) fn body<'t>(rules: &Rules<'t>) -> Rule<'t, Body> {
    let block = rules.block.clone().map_with(|block, at| {
        if let Some(diagnostic) = bare_names(&block) {
            at.state().diagnostics.push(diagnostic);
        }
        Body::Block(block)
    });
    choose(
        |input: &mut Input<'t, '_>| Ok(usize::from(!begins_block(input))),
        vec![block.boxed(), rules.expr.clone().map(Body::Expr).boxed()],
    )
}

/// Whether the `{` after `=>` opens a block: not before `...`, `[`, a name and `:`, `,` or `}`, a string and `:`.
fn begins_block(input: &mut Input<'_, '_>) -> bool {
    if kind_ahead(input, 0) != Some(TokenKind::LeftBrace) {
        return false;
    }
    let Some(first) = kind_ahead(input, 1) else { return true };
    match (first, ahead(input, 2)) {
        (TokenKind::Ellipsis | TokenKind::LeftBracket, _) => false,
        (TokenKind::Str | TokenKind::RawStr, Some(second)) => second.kind != TokenKind::Colon,
        (TokenKind::StrOpen, _) => kind_behind(input, 1) != Some(TokenKind::Colon),
        (word, Some(second)) if word.is_word() => match second.kind {
            TokenKind::Colon => false,
            TokenKind::Comma | TokenKind::RightBrace => second.begins_line || !word.is_name(),
            _ => true,
        },
        _ => true,
    }
}

/// A block whose lines are bare names is a record without its commas.
fn bare_names(block: &Block) -> Option<Diagnostic> {
    let names: Vec<&str> = block
        .stmts
        .iter()
        .map(|stmt| match &stmt.kind {
            StmtKind::Expr(Expr { kind: ExprKind::Name(name), .. }) => Some(name.as_str()),
            _ => None,
        })
        .collect::<Option<_>>()?;
    (names.len() > 1).then(|| {
        Diagnostic::new(Code::Syntax, block.span, "these braces are a block, whose lines are statements")
            .help(format!("for a record, write commas: `{{ {} }}`", names.join(", ")))
    })
}
