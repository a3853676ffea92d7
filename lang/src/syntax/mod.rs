//! Text to tree.
//!
//! `lex` takes the source apart without loss, `layout` decides which line breaks separate and balances the brackets,
//! `grammar` makes the tree. None of them fails.

#[allow(clippy::large_enum_variant, reason = "expressions lie where they are used, with one box less")]
pub mod ast;
mod balance;
pub mod dump;
mod grammar;
mod layout;
pub mod lex;
mod lines;
mod number;
mod string;
pub mod token;
pub mod visit;

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    source::{MAX_SOURCE_BYTES, Source},
    span::Span,
};

pub use dump::dump;
pub use lex::{Lexed, lex};
pub use token::{Token, TokenKind};

/// A source, read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Its tree.
    pub module: ast::Module,
    /// All its tokens, trivia included.
    pub tokens: Vec<Token>,
    /// What is wrong with its text, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a source. What does not parse is an `Error` node of the tree; the rest stands beside it.
pub fn parse(source: &Source) -> Parsed {
    if source.text.len() > MAX_SOURCE_BYTES {
        let message = format!("this source has {} bytes; at most {MAX_SOURCE_BYTES} are read", source.text.len());
        let diagnostic = Diagnostic::new(Code::TooLarge, Span::new(source.id, 0, 0), message);
        return Parsed { module: ast::Module::default(), tokens: Vec::new(), diagnostics: vec![diagnostic] };
    }
    let Lexed { tokens, mut diagnostics } = lex(source);
    let layout = layout::layout(source, &tokens, &diagnostics);
    diagnostics.extend_from_slice(&layout.diagnostics);
    let (module, wrong) = grammar::module(source, &layout);
    let unopened = missing_openers(&wrong);
    diagnostics.retain(|diagnostic| !closes_missing(diagnostic, &module, &unopened));
    diagnostics.extend(wrong);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    Parsed { module, tokens, diagnostics }
}

/// Where a `{` is missing, in order.
fn missing_openers(wrong: &[Diagnostic]) -> Vec<u32> {
    let missing = wrong.iter().filter(|diagnostic| diagnostic.message.starts_with("expected `{`"));
    let mut starts: Vec<u32> = missing.map(|diagnostic| diagnostic.span.start).collect();
    starts.sort_unstable();
    starts
}

/// Whether a bracket closes nothing because the `{` of its declaration is missing, which is reported.
fn closes_missing(unopened: &Diagnostic, module: &ast::Module, missing: &[u32]) -> bool {
    if unopened.code != Code::Unopened {
        return false;
    }
    let at = unopened.span.start;
    let item = module.items.partition_point(|item| item.span.start <= at).checked_sub(1);
    let Some(start) = item.map(|item| module.items[item].span.start) else { return false };
    missing.get(missing.partition_point(|missing| *missing < start)).is_some_and(|missing| *missing <= at)
}
