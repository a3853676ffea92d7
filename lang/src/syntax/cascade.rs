//! Messages that only follow from others, left out.
//!
//! A string that is not closed takes the rest of its line along, and a bracket without its partner lets the grammar stumble
//! behind it. What is said of the same line after that would mislead, and is said again once the first is mended.

use std::collections::HashMap;

use crate::{code::Code, diagnostic::Diagnostic, source::Source, span::Span};

/// What each stage has to say of a source.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Of its characters.
    pub(super) words: Vec<Diagnostic>,
    /// Of its brackets.
    pub(super) brackets: Vec<Diagnostic>,
    /// Of what the brackets hold.
    pub(super) grammar: Vec<Diagnostic>,
    /// What the grammar skipped behind its mistakes.
    pub(super) skipped: Vec<Span>,
}

/// What is known of a line.
#[derive(Clone, Copy, Default)]
struct Line {
    /// A string begins there that is not closed.
    string: bool,
    /// A character, quotation mark or comment stands there that wf does not have.
    words: bool,
    /// A closing bracket without its partner.
    unopened: bool,
    /// A bracket is missing there, or the partner of one that stands there.
    missing: bool,
    /// Something else was expected.
    grammar: bool,
    /// The grammar lacks an opening bracket.
    opener: bool,
}

/// What is left to tell, in order of place.
pub(super) fn told(source: &Source, found: Found) -> Vec<Diagnostic> {
    let Found { mut words, mut brackets, mut grammar, mut skipped } = found;
    if words.is_empty() && brackets.is_empty() && grammar.is_empty() {
        return Vec::new();
    }
    // The line index looks at each wide character of a line, which many messages of one line cannot afford.
    let breaks: Vec<usize> = source.text.match_indices('\n').map(|(at, _)| at).collect();
    let place = |at: u32| breaks.partition_point(|end| *end < at as usize);
    let mut lines = Lines::default();
    words.iter().for_each(|diagnostic| lines.word(diagnostic, place));
    grammar.iter().for_each(|diagnostic| lines.grammar(diagnostic, place));

    words.sort_by_key(in_order);
    let mut last = None;
    words.retain(|diagnostic| {
        let at = place(diagnostic.span.start);
        let line = lines.of(at);
        if diagnostic.code != Code::UnclosedString {
            return !line.string;
        }
        // The rest of a string that goes on in the next line ends in quotes that open another.
        let before = last.replace(at);
        before.is_none_or(|before| before != at && !(before + 1 == at && line.grammar))
    });

    skipped.sort_by_key(|span| (span.start, span.end));
    let is_skipped = |at: u32| {
        let next = skipped.partition_point(|span| span.start <= at);
        let covers = |span: &&Span| at <= span.end && place(span.start) < place(at);
        skipped[..next].iter().rev().take(64).any(|span| covers(&span))
    };
    brackets.sort_by_key(in_order);
    let mut last = None;
    brackets.retain(|diagnostic| {
        let (start, at) = (diagnostic.span.start, place(diagnostic.span.start));
        let line = lines.of(at);
        let follows = diagnostic.code == Code::Unopened && (line.opener || is_skipped(start));
        diagnostic.code == Code::TooDeep || !line.string && !line.words && !follows && last.replace(at) != Some(at)
    });
    brackets.iter().for_each(|diagnostic| lines.bracket(diagnostic, place));

    let mut starts: Vec<u32> = brackets.iter().chain(&grammar).map(|diagnostic| diagnostic.span.start).collect();
    starts.sort_unstable();
    grammar.retain(|diagnostic| {
        let line = lines.of(place(diagnostic.span.start));
        let lacks_opener = line.opener && diagnostic.message.starts_with("expected `");
        let next = starts.partition_point(|start| *start <= diagnostic.span.start);
        let holds_others = starts.get(next).is_some_and(|start| *start < diagnostic.span.end);
        let follows = line.string || line.words || line.missing || line.unopened && !lacks_opener;
        !(follows || diagnostic.code == Code::Syntax && holds_others)
    });
    words.extend(brackets);
    words.extend(grammar);
    words.sort_by_key(in_order);
    words.dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
    words
}

fn in_order(diagnostic: &Diagnostic) -> (u32, u32) {
    (diagnostic.span.start, diagnostic.span.end)
}

/// What is known of the lines.
#[derive(Default)]
struct Lines(HashMap<usize, Line>);

impl Lines {
    fn of(&self, line: usize) -> Line {
        self.0.get(&line).copied().unwrap_or_default()
    }

    fn at(&mut self, line: usize) -> &mut Line {
        self.0.entry(line).or_default()
    }

    fn word(&mut self, diagnostic: &Diagnostic, place: impl Fn(u32) -> usize) {
        let line = self.at(place(diagnostic.span.start));
        match diagnostic.code {
            Code::UnclosedString => line.string = true,
            Code::UnknownCharacter | Code::BadComment => line.words = true,
            _ => {}
        }
    }

    fn grammar(&mut self, diagnostic: &Diagnostic, place: impl Fn(u32) -> usize) {
        let openers = ["expected `{`", "expected `(`", "expected `[`"];
        let line = self.at(place(diagnostic.span.start));
        line.grammar |= diagnostic.code == Code::Syntax;
        line.opener |= openers.iter().any(|opener| diagnostic.message.starts_with(opener));
    }

    fn bracket(&mut self, diagnostic: &Diagnostic, place: impl Fn(u32) -> usize) {
        let line = self.at(place(diagnostic.span.start));
        match diagnostic.code {
            Code::TooDeep => {}
            Code::Unopened => line.unopened = true,
            Code::Unclosed => {
                line.missing = true;
                diagnostic.labels.iter().for_each(|label| self.at(place(label.span.start)).missing = true);
            }
            _ => line.missing = true,
        }
    }
}
