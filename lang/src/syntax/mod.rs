//! Text to tree.
//!
//! `lex` takes the source apart without loss, `layout` decides which line breaks separate and balances the brackets,
//! `grammar` makes the tree. None of them fails.

#[allow(clippy::large_enum_variant, reason = "expressions lie where they are used, with one box less")]
pub mod ast;
mod balance;
mod cascade;
pub mod dump;
mod grammar;
mod layout;
pub mod lex;
mod lines;
mod number;
mod quotes;
mod repair;
mod string;
pub mod token;
pub mod visit;

use self::cascade::{Found, told};
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
    let Lexed { tokens, diagnostics: words } = lex(source);
    let layout = layout::layout(source, &tokens, &words);
    let (module, grammar, skipped) = grammar::module(source, &layout);
    let found = Found { words, brackets: layout.diagnostics, grammar, skipped };
    Parsed { module, tokens, diagnostics: told(source, found) }
}
