//! What of a module did not parse: what is said only because of that is not said.

use std::collections::HashSet;

use crate::{
    check::ModuleInput,
    code::Code,
    diagnostic::Diagnostic,
    source::Source,
    span::Span,
    syntax::ast::{ItemKind, Module},
};

/// What of a module did not parse.
pub(super) struct Lost {
    source: Source,
    /// Where something is wrong with the text, and the declarations that were lost to it.
    spans: Vec<Span>,
    /// The text of the lost declarations: they may have declared any name that stands in it.
    texts: Vec<String>,
    /// The lines in which something is wrong with the text.
    lines: HashSet<u32>,
    /// Whether nothing at all was read.
    everything: bool,
}

impl Lost {
    /// What of a module is lost, when this is wrong with its text.
    pub(super) fn of(input: &ModuleInput, syntax: &[Diagnostic]) -> Self {
        let source = &input.source;
        let items = lost_items(&input.module);
        let text = |span: &Span| source.text.get(span.range()).unwrap_or_default().to_owned();
        let texts = items.iter().map(text).collect();
        let lines = syntax.iter().map(|diagnostic| source.line_column(diagnostic.span.start).line).collect();
        let spans = syntax.iter().map(|diagnostic| diagnostic.span).chain(items).collect();
        let everything = syntax.iter().any(|diagnostic| diagnostic.code == Code::TooLarge);
        Self { source: source.clone(), spans, texts, lines, everything }
    }

    /// Whether the checker says it only because something did not parse.
    pub(super) fn explains(&self, diagnostic: &Diagnostic) -> bool {
        if diagnostic.span.source != self.source.id {
            return false;
        }
        let line = self.source.line_column(diagnostic.span.start).line;
        self.everything
            || self.lines.contains(&line)
            || self.spans.iter().any(|span| touch(*span, diagnostic.span))
            || (diagnostic.code == Code::UnknownName && self.declares_one_of(diagnostic))
    }

    /// Whether a lost declaration has a name that the message has in backticks.
    fn declares_one_of(&self, diagnostic: &Diagnostic) -> bool {
        let Some(name) = diagnostic.message.split('`').nth(1) else { return false };
        self.texts.iter().any(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name))
    }
}

fn lost_items(module: &Module) -> Vec<Span> {
    module.items.iter().filter(|item| matches!(item.kind, ItemKind::Error)).map(|item| item.span).collect()
}

/// Whether two spans share a byte, or one is empty and lies in or at the edge of the other.
fn touch(a: Span, b: Span) -> bool {
    let empty = a.start == a.end || b.start == b.end;
    a.source == b.source
        && if empty { a.start <= b.end && b.start <= a.end } else { a.start < b.end && b.start < a.end }
}
