//! Between the protocol's types and ours.

use tower_lsp::ls_types as lsp;
use wf_lang::{Diagnostic, Severity, Span, load::Loaded};

use crate::text::{Edit, Encoding, Lines, Place};

/// What was agreed on with the editor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agreed {
    /// What columns count.
    pub(crate) encoding: Encoding,
    /// Whether the editor shows further places of a diagnostic.
    related: bool,
}

impl Agreed {
    /// The best of what the editor offers: UTF-8, as that is what spans count.
    pub(crate) fn with(editor: &lsp::ClientCapabilities) -> Self {
        let offered = editor.general.as_ref().and_then(|general| general.position_encodings.as_deref());
        let offers = |kind: &lsp::PositionEncodingKind| offered.is_some_and(|offered| offered.contains(kind));
        let encoding = if offers(&lsp::PositionEncodingKind::UTF8) {
            Encoding::Utf8
        } else if offers(&lsp::PositionEncodingKind::UTF32) && !offers(&lsp::PositionEncodingKind::UTF16) {
            Encoding::Utf32
        } else {
            Encoding::Utf16
        };
        let published = editor.text_document.as_ref().and_then(|text| text.publish_diagnostics.as_ref());
        Self { encoding, related: published.and_then(|published| published.related_information).unwrap_or(false) }
    }

    /// What this server can do.
    pub(crate) fn capabilities(self) -> lsp::ServerCapabilities {
        let sync = lsp::TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(lsp::TextDocumentSyncKind::INCREMENTAL),
            ..lsp::TextDocumentSyncOptions::default()
        };
        lsp::ServerCapabilities {
            position_encoding: Some(match self.encoding {
                Encoding::Utf8 => lsp::PositionEncodingKind::UTF8,
                Encoding::Utf16 => lsp::PositionEncodingKind::UTF16,
                Encoding::Utf32 => lsp::PositionEncodingKind::UTF32,
            }),
            text_document_sync: Some(lsp::TextDocumentSyncCapability::Options(sync)),
            ..lsp::ServerCapabilities::default()
        }
    }
}

/// A change as the editor tells it.
pub(crate) fn edit(change: lsp::TextDocumentContentChangeEvent) -> Edit {
    let place = |at: lsp::Position| Place { line: at.line, column: at.character };
    Edit { range: change.range.map(|range| (place(range.start), place(range.end))), text: change.text }
}

/// A document that was checked: what its diagnostics are made of.
pub(crate) struct Document<'a> {
    uri: &'a lsp::Uri,
    loaded: &'a Loaded,
    lines: Lines<'a>,
    agreed: Agreed,
    /// The bytes before the source's text: those of a byte-order mark.
    skipped: usize,
}

impl<'a> Document<'a> {
    /// A document with the text that the editor has.
    pub(crate) fn new(uri: &'a lsp::Uri, text: &'a str, loaded: &'a Loaded, agreed: Agreed) -> Self {
        let skipped = text.len().saturating_sub(loaded.main().text.len());
        Self { uri, loaded, lines: Lines::of(text), agreed, skipped }
    }

    /// What is wrong with the document.
    pub(crate) fn diagnostics(&self) -> Vec<lsp::Diagnostic> {
        let own = self.loaded.diagnostics.iter().filter(|diagnostic| self.is_here(diagnostic.span));
        own.map(|diagnostic| self.diagnostic(diagnostic)).collect()
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) -> lsp::Diagnostic {
        let (shown, told): (Vec<_>, Vec<_>) =
            diagnostic.labels.iter().partition(|label| self.agreed.related && self.is_here(label.span));
        let related = shown.into_iter().map(|label| lsp::DiagnosticRelatedInformation {
            location: lsp::Location { uri: self.uri.clone(), range: self.range(label.span) },
            message: label.message.clone(),
        });
        let related: Vec<_> = related.collect();
        let mut message = diagnostic.message.clone();
        for label in told {
            let source = self.loaded.source(label.span);
            let line = source.line_column(label.span.start).line;
            let place = if self.is_here(label.span) { String::new() } else { format!("{}, ", source.name) };
            message.push_str(&format!("\n{place}line {line}: {}", label.message));
        }
        for help in &diagnostic.help {
            message.push_str(&format!("\nhelp: {help}"));
        }
        lsp::Diagnostic {
            range: self.range(diagnostic.span),
            severity: Some(match diagnostic.severity {
                Severity::Error => lsp::DiagnosticSeverity::ERROR,
                Severity::Warning => lsp::DiagnosticSeverity::WARNING,
                Severity::Hint => lsp::DiagnosticSeverity::HINT,
            }),
            code: Some(lsp::NumberOrString::String(diagnostic.code.id().to_owned())),
            source: Some("wf".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            ..lsp::Diagnostic::default()
        }
    }

    fn is_here(&self, span: Span) -> bool {
        span.source == self.loaded.main().id
    }

    fn range(&self, span: Span) -> lsp::Range {
        lsp::Range { start: self.position(span.start), end: self.position(span.end) }
    }

    fn position(&self, offset: u32) -> lsp::Position {
        let place = self.lines.place(offset as usize + self.skipped, self.agreed.encoding);
        lsp::Position { line: place.line, character: place.column }
    }
}

/// What is shown of a document whose check broke off.
pub(crate) fn broken() -> lsp::Diagnostic {
    lsp::Diagnostic {
        severity: Some(lsp::DiagnosticSeverity::WARNING),
        source: Some("wf".to_owned()),
        message: "this file could not be checked, which is a mistake in wf; its log says more".to_owned(),
        ..lsp::Diagnostic::default()
    }
}
