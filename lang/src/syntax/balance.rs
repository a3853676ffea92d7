//! Brackets that do not match: which are too many, and where the missing ones belong.
//!
//! A declaration whose brackets match is left alone, so one that is broken does not touch the others. In a broken one the
//! counts say which brackets are missing or too many, and the indentation of its lines says where. What comes out are
//! changes after which every bracket has its partner, with one message a change.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    source::Source,
    span::Span,
    syntax::{
        lines,
        repair::repair,
        token::{Token, TokenKind},
    },
};

/// What the changes are; they apply before the token of this index among all tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A bracket that nobody wrote.
    Insert(TokenKind),
    /// The bracket that stands here counts for nothing.
    Drop,
}

/// The changes, in order of place, and what is to be told of them.
#[derive(Debug, Default)]
pub(super) struct Balance {
    pub(super) changes: Vec<(usize, Change)>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Finds the changes after which all brackets match; `problems` are the lexer's.
pub(super) fn balance(source: &Source, tokens: &[Token], problems: &[Diagnostic]) -> Balance {
    if matching(tokens.iter().map(|token| token.kind)) {
        return Balance::default();
    }
    let words = words(tokens, &source.text);
    let swallows = |problem: &&Diagnostic| matches!(problem.code, Code::UnclosedString | Code::BadComment);
    let mut lost: Vec<u32> = problems.iter().filter(swallows).map(|problem| problem.span.start).collect();
    lost.sort_unstable();
    let mut balance = Balance::default();
    let starts = declarations(&words);
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(words.len());
        let words_of = &words[*start..end];
        if !matching(words_of.iter().map(|word| word.kind)) {
            let after = words.get(end).map_or(tokens.len(), |word| word.index);
            let mut repaired = repair(words_of, after, &lost, true);
            if !matching(changed(words_of, &repaired.changes)) {
                repaired = repair(words_of, after, &lost, false);
            }
            balance.changes.extend(repaired.changes);
            balance.diagnostics.extend(repaired.diagnostics);
        }
    }
    balance
}

/// The kinds of words after changes, which are in order.
fn changed<'w>(words: &'w [Word], changes: &'w [(usize, Change)]) -> impl Iterator<Item = TokenKind> + 'w {
    let mut changes = changes.iter().peekable();
    let ends = words.iter().map(|word| (word.index, Some(word.kind))).chain([(usize::MAX, None)]);
    ends.flat_map(move |(index, kind)| {
        let mut kinds = Vec::new();
        let mut kept = kind;
        while let Some((_, change)) = changes.next_if(|(at, _)| *at <= index) {
            match change {
                Change::Insert(kind) => kinds.push(*kind),
                Change::Drop => kept = None,
            }
        }
        kinds.extend(kept);
        kinds
    })
}

/// Whether every bracket has its partner.
fn matching(mut kinds: impl Iterator<Item = TokenKind>) -> bool {
    let mut open = Vec::new();
    kinds.all(|kind| {
        open.extend(kind.closer());
        !kind.is_closer() || open.pop() == Some(kind)
    }) && open.is_empty()
}

/// A token that is no trivia, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// Its index among all tokens.
    pub(super) index: usize,
    pub(super) kind: TokenKind,
    pub(super) span: Span,
    /// The first on its line.
    pub(super) begins_line: bool,
    pub(super) line: u32,
    /// How far its line is indented.
    pub(super) indent: u32,
}

/// The columns that a tab counts for; only comparisons matter.
const TAB: u32 = 4;

fn words(tokens: &[Token], text: &str) -> Vec<Word> {
    let mut words = Vec::with_capacity(tokens.len() / 2);
    let (mut begins_line, mut line, mut indent) = (true, 0, 0);
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => (begins_line, line, indent) = (true, line + 1, 0),
            TokenKind::Whitespace if begins_line => {
                indent += text[token.span.range()].bytes().map(|b| if b == b'\t' { TAB } else { 1 }).sum::<u32>();
            }
            kind if kind.is_trivia() => {}
            kind => {
                words.push(Word { index, kind, span: token.span, begins_line, line, indent });
                begins_line = false;
            }
        }
    }
    words
}

/// Where declarations begin, among the words; the first part of the file begins one in any case.
fn declarations(words: &[Word]) -> Vec<usize> {
    let mut starts = Vec::new();
    // The brackets open since the declaration began, while they match, and how many strings.
    let (mut open, mut strings) = (Some(Vec::new()), 0u32);
    // Whether lines below the first of the declaration are indented further, once one was seen.
    let mut indented = None;
    for (at, word) in words.iter().enumerate() {
        let first = starts.last().map_or(word, |start: &usize| &words[*start]);
        if word.begins_line && strings == 0 {
            let next = words.get(at + 1).map(|word| word.kind);
            let begins = word.kind == TokenKind::At || lines::begins_declaration(word.kind, next);
            let function = lines::begins_function(first.kind) || first.kind == TokenKind::Test;
            // A `let` may also be a statement, where bodies are not indented.
            let empty = open.as_ref().is_some_and(Vec::is_empty);
            let one_line = indented.is_none() && at > 0 && words[at - 1].kind.closer().is_none();
            let certain = word.kind != TokenKind::Let || !function || empty || one_line || indented == Some(true);
            let whole = word.kind != TokenKind::Let && open.as_ref().is_some_and(Vec::is_empty);
            if starts.is_empty() || begins && (whole || word.indent <= first.indent && certain) {
                (open, indented) = (Some(Vec::new()), None);
                starts.push(at);
            } else {
                indented.get_or_insert(word.indent > first.indent);
            }
        }
        match word.kind {
            TokenKind::StrOpen => strings += 1,
            TokenKind::StrClose => strings = strings.saturating_sub(1),
            _ => {}
        }
        open = open.take().filter(|open| !word.kind.is_closer() || open.last() == Some(&word.kind));
        if let Some(open) = &mut open {
            if word.kind.is_closer() {
                open.pop();
            }
            open.extend(word.kind.closer());
        }
    }
    starts
}
