//! Sources to checked modules: what `wf check`, the editor and a resumed run have in common.
//!
//! The library comes first and the user's module last; the id of a source is the index of its module. Nothing is read
//! here: the texts come from memory, wherever the caller has them from.
//!
//! ```
//! use wf_lang::load::{Library, load};
//!
//! let loaded = load(&Library::default(), "hello.wf", "fn main() { let greeting = 1 }");
//! assert!(!loaded.has_errors());
//! assert_eq!(&*loaded.main().name, "hello.wf");
//! ```

use std::{collections::HashSet, sync::Arc};

use crate::{
    check::{Checked, ModuleInput, check},
    code::Code,
    diagnostic::Diagnostic,
    source::Source,
    span::{SourceId, Span},
    syntax::{
        ast::{ItemKind, Module},
        parse,
    },
};

/// The library, read once and shared by all that is loaded after it.
#[derive(Clone, Debug, Default)]
pub struct Library {
    modules: Vec<ModuleInput>,
    diagnostics: Vec<Diagnostic>,
}

/// Modules, checked together, with everything there is to tell the author.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The sources, by their id: the library's first, the user's last.
    pub sources: Vec<Source>,
    /// The modules with what the checker found out.
    pub checked: Checked,
    /// What is wrong, in order of place, without what only follows from text that did not parse.
    pub diagnostics: Vec<Diagnostic>,
}

impl Library {
    /// Reads library modules, given as name (`list`) and text.
    pub fn new<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut library = Self::default();
        for (name, text) in texts {
            let source = Source::new(source_id(library.modules.len()), format!("std/{name}"), text);
            let (module, diagnostics) = read(name, true, source);
            library.modules.push(module);
            library.diagnostics.extend(diagnostics);
        }
        library
    }
}

impl Loaded {
    /// Whether the program cannot run.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Also tells of each `any` that nobody wrote.
    pub fn be_strict(&mut self) {
        let found = self.diagnostics.drain(..).chain(self.checked.implicit.drain(..));
        self.diagnostics = in_order(found.collect());
    }

    /// The user's source.
    pub fn main(&self) -> &Source {
        &self.sources[self.sources.len() - 1]
    }

    /// The source in which a span lies; that of the user when there is none with its id.
    pub fn source(&self, span: Span) -> &Source {
        self.sources.get(usize::from(span.source.0)).unwrap_or_else(|| self.main())
    }
}

/// Checks one module of the user's beside the library; `name` is the path as it is shown in messages.
pub fn load(library: &Library, name: &str, text: &str) -> Loaded {
    let source = Source::new(source_id(library.modules.len()), name, text);
    let (main, syntax) = read(name, false, source);
    let lost = Lost::of(&main, &syntax);
    let modules: Vec<_> = library.modules.iter().cloned().chain([main]).collect();
    let sources = modules.iter().map(|input| input.source.clone()).collect();
    let mut checked = check(modules);
    checked.diagnostics.retain(|diagnostic| !lost.explains(diagnostic));
    let found = library.diagnostics.iter().chain(&syntax).chain(&checked.diagnostics);
    let diagnostics = in_order(found.cloned().collect());
    Loaded { sources, checked, diagnostics }
}

/// Parses one source.
fn read(name: &str, library: bool, source: Source) -> (ModuleInput, Vec<Diagnostic>) {
    let parsed = parse(&source);
    let module = Arc::new(parsed.module);
    (ModuleInput { name: name.into(), library, source, module }, parsed.diagnostics)
}

fn source_id(index: usize) -> SourceId {
    SourceId(u16::try_from(index).unwrap_or(u16::MAX))
}

/// By place; what is said twice in the same words of the same place is said once.
fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| (d.span.source, d.span.start, d.span.end, d.code));
    diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
    diagnostics
}

/// What of a module did not parse.
struct Lost {
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
    fn of(main: &ModuleInput, syntax: &[Diagnostic]) -> Self {
        let items = lost_items(&main.module);
        let text = |span: &Span| main.source.text.get(span.range()).unwrap_or_default().to_owned();
        let texts = items.iter().map(text).collect();
        let lines = syntax.iter().map(|diagnostic| main.source.line_column(diagnostic.span.start).line).collect();
        let spans = syntax.iter().map(|diagnostic| diagnostic.span).chain(items).collect();
        Self {
            source: main.source.clone(),
            spans,
            texts,
            lines,
            everything: syntax.iter().any(|diagnostic| diagnostic.code == Code::TooLarge),
        }
    }

    /// Whether the checker says it only because something did not parse.
    fn explains(&self, diagnostic: &Diagnostic) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        load(&Library::default(), "main.wf", text).diagnostics.into_iter().map(|found| found.message).collect()
    }

    #[test]
    fn what_did_not_parse_has_no_follow_ups() {
        let unknown = "fn main() { let x = here }";
        assert_eq!(messages(unknown), ["there is no `here` here"]);
        assert!(!messages("fn main() {\n  let x = here +\n}").iter().any(|message| message.contains("no `here`")));
        let lost = "fnn helper(a: int) { a }\nfn main() { let x = helper(1) }";
        assert!(!messages(lost).iter().any(|message| message.contains("no `helper`")));
    }

    #[test]
    fn one_mistake_hides_no_other() {
        let found = messages("fn f() {\n  let x = 1 +\n}\nfn g() {\n  let y = nowhere\n}");
        assert!(found.iter().any(|message| message.contains("`nowhere`")), "{found:?}");
    }

    #[test]
    fn a_source_that_is_too_large_has_one_diagnostic() {
        let text = " ".repeat(crate::source::MAX_SOURCE_BYTES + 1);
        assert_eq!(load(&Library::default(), "large.wf", &text).diagnostics.len(), 1);
    }

    #[test]
    fn the_library_comes_first_and_the_user_last() {
        let library = Library::new([("prelude", "fn len<T>(self: [T]) -> int\n"), ("list", "")]);
        let loaded = load(&library, "flows/a.wf", "fn main() { 1 }");
        let names: Vec<_> = loaded.sources.iter().map(|source| &*source.name).collect();
        assert_eq!(names, ["std/prelude", "std/list", "flows/a.wf"]);
        assert!((0..).zip(&loaded.sources).all(|(id, source)| source.id == SourceId(id)));
        assert_eq!(loaded.source(Span::default()).name, loaded.sources[0].name);
    }
}
