//! Between the protocol's types and ours.

use std::{collections::BTreeMap, path::Path};

use tower_lsp::ls_types as lsp;
use wf_lang::{Diagnostic, Severity, SourceId, Span, check::ModuleInput, load::Loaded, path};

use crate::text::{Edit, Encoding, Lines, Place};

/// What was agreed on with the editor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agreed {
    /// What columns count.
    pub(crate) encoding: Encoding,
    /// Whether the editor shows further places of a diagnostic.
    related: bool,
    /// Whether the editor can be asked to tell of changed files.
    pub(crate) watches: bool,
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
        let related = published.and_then(|published| published.related_information).unwrap_or(false);
        let watched = editor.workspace.as_ref().and_then(|workspace| workspace.did_change_watched_files.as_ref());
        let watches = watched.and_then(|watched| watched.dynamic_registration).unwrap_or(false);
        Self { encoding, related, watches }
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

/// Asks the editor to tell of scripts that change on the disk.
pub(crate) fn watch_scripts() -> lsp::Registration {
    let options = serde_json::json!({ "watchers": [{ "globPattern": "**/*.wf" }] });
    lsp::Registration {
        id: "scripts".to_owned(),
        method: "workspace/didChangeWatchedFiles".to_owned(),
        register_options: Some(options),
    }
}

/// Where a document lies, as modules are told apart: the path of a file, with `/` between folders, else the URI itself.
pub(crate) fn path_of(uri: &lsp::Uri) -> String {
    let is_file = uri.scheme().as_str().eq_ignore_ascii_case("file");
    let Some(file) = uri.to_file_path().filter(|_| is_file) else { return uri.as_str().to_owned() };
    let text = file.to_string_lossy();
    if cfg!(windows) {
        let mut text = path::normal(&text.replace('\\', "/"));
        if text.get(1..2) == Some(":") {
            text[..1].make_ascii_uppercase();
        }
        return text;
    }
    path::normal(&text)
}

/// The URI of the file at a path that [`path_of`] gives; `None` for what is no file.
pub(crate) fn uri_of(path: &str) -> Option<lsp::Uri> {
    let file = Path::new(path);
    if file.is_absolute() { lsp::Uri::from_file_path(file) } else { None }
}

/// What is wrong with a document and with what it imports.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What is wrong with itself.
    pub(crate) own: Vec<lsp::Diagnostic>,
    /// What is wrong with the files that it imports, by their path; only those with which something is.
    pub(crate) imported: BTreeMap<String, Vec<lsp::Diagnostic>>,
}

impl Found {
    /// What was found in a document with the text that the editor has.
    pub(crate) fn of(uri: &lsp::Uri, text: &str, loaded: &Loaded, agreed: Agreed) -> Self {
        let main = loaded.main();
        let skipped = text.len().saturating_sub(main.text.len());
        let lines = Lines::of(text);
        let document = Document { id: main.id, uri: uri.clone(), lines, skipped, loaded, agreed };
        let mut imported = BTreeMap::new();
        let others = loaded.checked.modules.iter().filter(|module| !module.library && module.source.id != main.id);
        for module in others {
            let Some(other) = Document::imported(module, loaded, agreed) else { continue };
            let found = other.diagnostics();
            if !found.is_empty() {
                imported.insert(module.path.to_string(), found);
            }
        }
        Self { own: document.diagnostics(), imported }
    }
}

/// A module that was checked: what its diagnostics are made of.
struct Document<'a> {
    id: SourceId,
    uri: lsp::Uri,
    lines: Lines<'a>,
    /// The bytes before the source's text: those of a byte-order mark.
    skipped: usize,
    loaded: &'a Loaded,
    agreed: Agreed,
}

impl<'a> Document<'a> {
    fn imported(module: &'a ModuleInput, loaded: &'a Loaded, agreed: Agreed) -> Option<Self> {
        let uri = uri_of(&module.path)?;
        Some(Self { id: module.source.id, uri, lines: Lines::of(&module.source.text), skipped: 0, loaded, agreed })
    }

    fn diagnostics(&self) -> Vec<lsp::Diagnostic> {
        let own = self.loaded.diagnostics.iter().filter(|diagnostic| self.is_here(diagnostic.span));
        own.map(|diagnostic| self.diagnostic(diagnostic)).collect()
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) -> lsp::Diagnostic {
        let mut related = Vec::new();
        let mut message = diagnostic.message.clone();
        for label in &diagnostic.labels {
            match self.location(label.span).filter(|_| self.agreed.related) {
                Some(location) => {
                    related.push(lsp::DiagnosticRelatedInformation { location, message: label.message.clone() });
                }
                None => {
                    let source = self.loaded.source(label.span);
                    let line = source.line_column(label.span.start).line;
                    let place = if self.is_here(label.span) { String::new() } else { format!("{}, ", source.name) };
                    message.push_str(&format!("\n{place}line {line}: {}", label.message));
                }
            }
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

    /// A place in this or another file; `None` for one in the library.
    fn location(&self, span: Span) -> Option<lsp::Location> {
        if self.is_here(span) {
            return Some(lsp::Location { uri: self.uri.clone(), range: self.range(span) });
        }
        let module = self.loaded.module(span);
        let other = Document::imported(module, self.loaded, self.agreed).filter(|_| !module.library)?;
        Some(lsp::Location { range: other.range(span), uri: other.uri })
    }

    fn is_here(&self, span: Span) -> bool {
        span.source == self.id
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
