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
    let place = |span: Span| source.line_column(span.start).line;
    let lines = lines(&words, &brackets, &grammar, place);
    let of = |diagnostic: &Diagnostic| lines.get(&place(diagnostic.span)).copied().unwrap_or_default();

    words.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    let mut last = 0;
    words.retain(|diagnostic| {
        if diagnostic.code != Code::UnclosedString {
            return !of(diagnostic).string;
        }
        let line = place(diagnostic.span);
        let before = std::mem::replace(&mut last, line);
        // The rest of a string that goes on in the next line ends in quotes that open another.
        before != line && !(before + 1 == line && of(diagnostic).grammar)
    });
    skipped.sort_by_key(|span| (span.start, span.end));
    let is_skipped = |at: u32| {
        let next = skipped.partition_point(|span| span.start <= at);
        skipped[..next].iter().rev().take(64).any(|span| at <= span.end)
    };
    let mut last = 0;
    brackets.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    brackets.retain(|diagnostic| {
        let line = of(diagnostic);
        let unopened = diagnostic.code == Code::Unopened;
        let follows = unopened && (line.opener || is_skipped(diagnostic.span.start));
        let place = place(diagnostic.span);
        let again = !follows && std::mem::replace(&mut last, place) == place;
        let by_words = line.string || line.words;
        diagnostic.code == Code::TooDeep || !by_words && !follows && !again
    });
    let mut starts: Vec<u32> = brackets.iter().chain(&grammar).map(|diagnostic| diagnostic.span.start).collect();
    starts.sort_unstable();
    let holds_others = |span: Span| {
        let next = starts.partition_point(|start| *start <= span.start);
        starts.get(next).is_some_and(|start| *start < span.end)
    };
    grammar.retain(|diagnostic| {
        let line = of(diagnostic);
        let lacks_opener = line.opener && diagnostic.message.starts_with("expected `");
        let by_bracket = line.missing || line.unopened && !lacks_opener;
        let by_others = diagnostic.code == Code::Syntax && holds_others(diagnostic.span);
        !line.string && !line.words && !by_bracket && !by_others
    });
    words.extend(brackets);
    words.extend(grammar);
    words.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    words.dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
    words
}

/// What is known of each line.
fn lines(
    words: &[Diagnostic],
    brackets: &[Diagnostic],
    grammar: &[Diagnostic],
    place: impl Fn(Span) -> u32,
) -> HashMap<u32, Line> {
    let mut lines: HashMap<u32, Line> = HashMap::new();
    for diagnostic in words {
        let line = lines.entry(place(diagnostic.span)).or_default();
        match diagnostic.code {
            Code::UnclosedString => line.string = true,
            Code::UnknownCharacter | Code::BadComment => line.words = true,
            _ => {}
        }
    }
    for diagnostic in brackets.iter().filter(|diagnostic| diagnostic.code != Code::TooDeep) {
        let line = lines.entry(place(diagnostic.span)).or_default();
        if diagnostic.code == Code::Unopened {
            line.unopened = true;
            continue;
        }
        line.missing = true;
        if diagnostic.code != Code::Unclosed {
            continue;
        }
        for label in &diagnostic.labels {
            lines.entry(place(label.span)).or_default().missing = true;
        }
    }
    for diagnostic in grammar {
        let openers = ["expected `{`", "expected `(`", "expected `[`"];
        let line = lines.entry(place(diagnostic.span)).or_default();
        line.grammar |= diagnostic.code == Code::Syntax;
        line.opener |= openers.iter().any(|opener| diagnostic.message.starts_with(opener));
    }
    lines
}
