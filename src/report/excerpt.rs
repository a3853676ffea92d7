//! The part of a very long line that a diagnostic is about: nobody reads the rest, and drawing it is slow.

use std::ops::Range;

use wf_lang::{Diagnostic, Source, Span};

use super::visible;

/// Lines of more bytes are not drawn whole.
const LONG: usize = 400;
/// What is kept before the first place, and at the least behind it, in bytes.
const BEFORE: usize = 60;
const BEHIND: usize = 120;

/// One line of a source, cut where `…` stands.
pub(super) struct Excerpt {
    name: String,
    drawn: ariadne::Source<String>,
    /// What of the source is kept, in bytes, and how many characters stand before it.
    kept: Range<usize>,
    marks: usize,
    /// Where the diagnostic is, as the drawing has it and as it is.
    column: (usize, u32),
    line: u32,
}

impl Excerpt {
    /// Of a diagnostic all of whose places are on one line that is long.
    pub(super) fn of(source: &Source, diagnostic: &Diagnostic) -> Option<Excerpt> {
        let text = &*source.text;
        let at = text.floor_char_boundary(diagnostic.span.start as usize);
        let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let places = diagnostic.labels.iter().map(|label| label.span).chain([diagnostic.span]);
        let within = |span: Span| {
            span.source == source.id && (start..=end).contains(&(span.start as usize)) && span.end as usize <= end + 1
        };
        if end - start <= LONG || !places.clone().all(within) {
            return None;
        }
        let first = places.map(|span| span.start as usize).min()?;
        let from = text.floor_char_boundary(first.saturating_sub(BEFORE).max(start));
        let to = text.floor_char_boundary(at.saturating_add(BEHIND).min(end)).max(from);
        let (left, right) = (from > start, to < end);
        let mark = |cut: bool| if cut { "…" } else { "" };
        let line = source.line_column(diagnostic.span.start);
        let drawn = format!("{}{}{}", mark(left), visible(&text[from..to]), mark(right));
        let marks = usize::from(left);
        Some(Excerpt {
            name: visible(&source.name),
            drawn: ariadne::Source::from(drawn).with_display_line_offset(line.line as usize - 1),
            column: (text[from..at.clamp(from, to)].chars().count() + marks + 1, line.column),
            line: line.line,
            kept: from..to,
            marks,
        })
    }

    /// The characters of a place; what is cut off is at the mark.
    pub(super) fn place(&self, text: &str, span: Span) -> Range<usize> {
        let within = |offset: u32| text.floor_char_boundary((offset as usize).clamp(self.kept.start, self.kept.end));
        let (start, end) = (within(span.start), within(span.end));
        let first = self.marks + text[self.kept.start..start].chars().count();
        first..first + text[start..end.max(start)].chars().count().max(1)
    }

    /// The report with the column that the place has in the whole line.
    pub(super) fn with_column(&self, report: &str) -> String {
        let (drawn, real) = self.column;
        report.replacen(&format!(":{}:{drawn} ]", self.line), &format!(":{}:{real} ]", self.line), 1)
    }
}

impl ariadne::Cache<u16> for &Excerpt {
    type Storage = String;

    fn fetch(&mut self, _: &u16) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        Ok::<_, std::convert::Infallible>(&self.drawn)
    }

    fn display<'b>(&self, _: &'b u16) -> Option<impl std::fmt::Display + 'b> {
        Some(self.name.clone())
    }
}
