//! Diagnostics for people, with the source they speak of, and for machines, as JSON.
//!
//! The drawing library is given characters and not bytes: offsets of another file's labels are right only so, and each
//! character that would move the cursor or hide text can be replaced by one that does not.

use std::collections::HashSet;

use ariadne::{Color, Config, IndexType, Label, LabelAttach, Report, ReportKind};
use serde_json::{Value, json};
use wf_lang::{Diagnostic, Severity, Source, Span, load::Loaded};

mod excerpt;

use excerpt::Excerpt;

/// Where a label is drawn: the source's id and a range of characters.
type Place = (u16, std::ops::Range<usize>);

/// Reports all diagnostics, by file and place, and ends with how many there are.
pub(crate) fn text(loaded: &[Loaded], colour: bool) -> String {
    let all = distinct(loaded);
    let reports = all.iter().flat_map(|(found, diagnostics)| {
        let mut drawn = Drawn::of(&found.sources);
        let reports = diagnostics.iter().map(|diagnostic| drawn.report(found, diagnostic, colour));
        reports.collect::<Vec<_>>()
    });
    let shown: String = reports.collect();
    format!("{shown}{}\n", Count::of(&all).in_words())
}

/// A place of a source with what is wrong there, under a title of one's own.
pub(crate) fn place_of(loaded: &Loaded, title: &str, span: Span, message: &str, colour: bool) -> String {
    let diagnostic = Diagnostic::new(wf_lang::Code::NotBuilt, span, message);
    Drawn::of(&loaded.sources).titled(loaded, &diagnostic, (title, Color::Red), colour)
}

/// All diagnostics as one object.
pub(crate) fn json(loaded: &[Loaded]) -> Value {
    let all = distinct(loaded);
    let records = all.iter().flat_map(|(found, all)| all.iter().map(|diagnostic| record(found, diagnostic)));
    let records: Vec<Value> = records.collect();
    let count = Count::of(&all);
    json!({ "diagnostics": records, "errors": count.errors, "warnings": count.warnings })
}

/// What is wrong, script by script. What is wrong with a file that several of them import is there once.
fn distinct(loaded: &[Loaded]) -> Vec<(&Loaded, Vec<&Diagnostic>)> {
    let mut known = HashSet::new();
    let mut all = Vec::with_capacity(loaded.len());
    for found in loaded {
        let new = found.diagnostics.iter().filter(|diagnostic| known.insert(identity(found, diagnostic)));
        all.push((found, new.collect()));
    }
    all
}

/// What is said, and of which places, in whatever order.
fn identity<'a>(loaded: &'a Loaded, diagnostic: &'a Diagnostic) -> (&'static str, &'a str, Vec<(&'a str, u32, u32)>) {
    let place = |span: Span| (&*loaded.module(span).path, span.start, span.end);
    let labels = diagnostic.labels.iter().map(|label| place(label.span));
    let mut places: Vec<_> = labels.chain([place(diagnostic.span)]).collect();
    places.sort_unstable();
    (diagnostic.code.id(), &diagnostic.message, places)
}

/// One diagnostic as JSON. `start` and `end` are bytes from 0, lines and columns count from 1 and in characters.
fn record(loaded: &Loaded, diagnostic: &Diagnostic) -> Value {
    let file = |span: Span| json!(&*loaded.source(span).name);
    let labels = diagnostic
        .labels
        .iter()
        .map(|label| json!({ "file": file(label.span), "span": place(loaded, label.span), "message": label.message }));
    let fix = diagnostic.fix.as_ref().map(|fix| {
        let edits = fix
            .edits
            .iter()
            .map(|(span, text)| json!({ "file": file(*span), "span": place(loaded, *span), "text": text }));
        json!({ "title": fix.title, "edits": edits.collect::<Vec<_>>() })
    });
    json!({
        "code": diagnostic.code.id(),
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": file(diagnostic.span),
        "span": place(loaded, diagnostic.span),
        "labels": labels.collect::<Vec<_>>(),
        "help": diagnostic.help,
        "fix": fix,
    })
}

fn place(loaded: &Loaded, span: Span) -> Value {
    let source = loaded.source(span);
    let (start, end) = (source.line_column(span.start), source.line_column(span.end));
    json!({
        "start": span.start,
        "end": span.end,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}

/// How many diagnostics of each kind there are.
struct Count {
    errors: usize,
    warnings: usize,
    hints: usize,
}

impl Count {
    fn of(all: &[(&Loaded, Vec<&Diagnostic>)]) -> Self {
        let count =
            |severity| all.iter().flat_map(|(_, found)| found).filter(|found| found.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning), hints: count(Severity::Hint) }
    }

    fn in_words(&self) -> String {
        let kinds = [(self.errors, "error"), (self.warnings, "warning"), (self.hints, "hint")];
        let counted = kinds.into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> =
            counted.map(|(count, kind)| format!("{count} {kind}{}", if count == 1 { "" } else { "s" })).collect();
        if words.is_empty() { "no errors".to_owned() } else { words.join(", ") }
    }
}

/// The sources as they are drawn, each made when it is first needed.
struct Drawn<'a> {
    sources: &'a [Source],
    drawn: Vec<Option<ariadne::Source<String>>>,
}

impl<'a> Drawn<'a> {
    fn of(sources: &'a [Source]) -> Self {
        Self { sources, drawn: vec![None; sources.len()] }
    }

    fn report(&mut self, loaded: &Loaded, diagnostic: &Diagnostic, colour: bool) -> String {
        let (word, hue) = match diagnostic.severity {
            Severity::Error => ("error", Color::Red),
            Severity::Warning => ("warning", Color::Yellow),
            Severity::Hint => ("hint", Color::Cyan),
        };
        let title = format!("{word}[{}]", diagnostic.code.id());
        self.titled(loaded, diagnostic, (&title, hue), colour)
    }

    fn titled(&mut self, loaded: &Loaded, diagnostic: &Diagnostic, title: (&str, Color), colour: bool) -> String {
        let (title, hue) = title;
        let config =
            Config::new().with_index_type(IndexType::Char).with_label_attach(LabelAttach::Start).with_color(colour);
        let source = loaded.source(diagnostic.span);
        let excerpt = Excerpt::of(source, diagnostic);
        let place = |span| match &excerpt {
            Some(excerpt) => (source.id.0, excerpt.place(&source.text, span)),
            None => place_in(loaded, span),
        };
        let at = place(diagnostic.span);
        let mut places: Vec<_> = diagnostic.labels.iter().map(|label| (place(label.span), &*label.message)).collect();
        places.push((at.clone(), ""));
        // In order of place, the main file first: otherwise a file is shown in several parts.
        places.sort_by_key(|((source, range), _)| (*source != at.0, *source, range.start, range.end));
        let labels = places.into_iter().map(|(place, message)| {
            let (hue, priority) = if message.is_empty() { (hue, 1) } else { (Color::Blue, 0) };
            Label::new(place).with_message(visible(message)).with_color(hue).with_priority(priority)
        });
        let mut report = Report::build(ReportKind::Custom(title, hue), at)
            .with_config(config)
            .with_message(visible(&diagnostic.message))
            .with_labels(labels);
        report.with_helps(diagnostic.help.iter().map(|help| visible(help)));
        let mut bytes = Vec::new();
        let report = report.finish();
        let written = match &excerpt {
            Some(excerpt) => report.write(excerpt, &mut bytes),
            None => report.write(self, &mut bytes),
        };
        if written.is_err() {
            return format!("{title}: {}\n", visible(&diagnostic.message));
        }
        let shown = tidy(&String::from_utf8_lossy(&bytes), colour);
        match excerpt {
            Some(excerpt) => excerpt.with_column(&shown),
            None => shown,
        }
    }
}

/// The characters of a span: within the text, without the line break at its end, and at least one of a line that
/// goes on there.
fn place_in(loaded: &Loaded, span: Span) -> Place {
    let source = loaded.source(span);
    let text = &*source.text;
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.floor_char_boundary(span.end as usize).max(start);
    let start = if start == text.len() { text.trim_end_matches(['\n', '\r']).len().min(start) } else { start };
    let end = start + text[start..end.max(start)].trim_end_matches(['\n', '\r']).len();
    let first = text[..start].chars().count();
    let goes_on = text[start..].chars().next().is_some_and(|next| !matches!(next, '\n' | '\r'));
    let length = text[start..end].chars().count().max(usize::from(goes_on));
    (source.id.0, first..first + length)
}

impl ariadne::Cache<u16> for &mut Drawn<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &u16) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        let index = usize::from(*id);
        let (Some(source), Some(drawn)) = (self.sources.get(index), self.drawn.get_mut(index)) else {
            return Err("no such source");
        };
        Ok(&*drawn.get_or_insert_with(|| ariadne::Source::from(visible(&source.text))))
    }

    fn display<'b>(&self, id: &'b u16) -> Option<impl std::fmt::Display + 'b> {
        self.sources.get(usize::from(*id)).map(|source| visible(&source.name))
    }
}

/// The report without the arrows that lead to no message, without blanks at the ends of lines, and with an empty line
/// after it.
fn tidy(report: &str, colour: bool) -> String {
    let mut tidy = String::with_capacity(report.len());
    for line in report.lines() {
        let plain = anstream::adapter::strip_str(line).to_string();
        let arrow = plain.trim().strip_prefix('│').is_some_and(|rest| rest.trim().starts_with('╰'));
        if !(arrow && plain.trim_end().ends_with('─')) {
            tidy.push_str(if colour { line } else { plain.trim_end() });
            tidy.push('\n');
        }
    }
    tidy.push('\n');
    tidy
}

/// The text with one character for each of its characters: none of them moves the cursor, breaks a line where wf does
/// not, or changes the direction of what follows.
fn visible(text: &str) -> String {
    let mut chars = text.chars().peekable();
    let mut shown = String::with_capacity(text.len());
    while let Some(next) = chars.next() {
        let kept = match next {
            '\n' | '\t' => true,
            '\r' => chars.peek() == Some(&'\n'),
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
            _ => !next.is_control(),
        };
        shown.push(if kept { next } else { '\u{fffd}' });
    }
    shown
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
