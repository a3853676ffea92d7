//! The grammar: one production, one function, over the tokens that `layout` prepared.
//!
//! Alternatives are chosen by their first tokens, so nothing is read twice. What is broken is skipped up to its
//! separator, inside its brackets; the rest of the file stands.

#![allow(clippy::large_enum_variant, reason = "the parts of expressions live only while they are put together")]

mod control;
mod expr;
mod failure;
mod gather;
mod hint;
mod input;
mod item;
mod lambda;
mod list;
mod literal;
mod operator;
mod pattern;
mod record;
mod stmt;
mod testing;
mod ty;

use chumsky::prelude::*;

use self::{
    input::{Rule, State},
    pattern::Patterns,
    ty::Types,
};
use crate::{
    diagnostic::Diagnostic,
    source::Source,
    span::Span,
    syntax::{
        ast::{Block, Expr, Module},
        layout::Layout,
    },
};

/// The rules that others are made of.
#[derive(Clone)]
struct Rules<'t> {
    expr: Rule<'t, Expr>,
    block: Rule<'t, Block>,
    types: Types<'t>,
    patterns: Patterns<'t>,
}

/// The tree of a source, with what is wrong with it and what was skipped for that.
pub(super) fn module(source: &Source, layout: &Layout) -> (Module, Vec<Diagnostic>, Vec<Span>) {
    let mut state = State::new(source, layout);
    let (items, failures) = item::items(&rules()).parse_with_state(&layout.toks[..], &mut state).into_output_errors();
    let mut diagnostics = std::mem::take(&mut state.diagnostics);
    diagnostics.extend(failures.into_iter().filter_map(|failure| failure.diagnostic(&state)));
    let module =
        Module { doc: layout.module_doc.clone(), items: items.unwrap_or_default(), expr_count: state.expr_count() };
    (module, diagnostics, state.skipped)
}

/// All rules. Those within refer back weakly, so that a parse leaves nothing behind.
fn rules<'t>() -> Rules<'t> {
    let types = ty::types();
    let patterns = pattern::patterns(types.whole.clone());
    let inner = (types.clone(), patterns.clone());
    let expr = recursive(move |expr| {
        let (types, patterns) = inner;
        let expr = expr.boxed();
        let block = block(&expr, &types, &patterns);
        expr::expression(&Rules { expr, block, types, patterns })
    })
    .boxed();
    let block = block(&expr, &types, &patterns);
    Rules { expr, block, types, patterns }
}

fn block<'t>(expr: &Rule<'t, Expr>, types: &Types<'t>, patterns: &Patterns<'t>) -> Rule<'t, Block> {
    let (expr, types, patterns) = (expr.clone(), types.clone(), patterns.clone());
    recursive(move |block| stmt::block(&Rules { expr, block: block.boxed(), types, patterns })).boxed()
}
