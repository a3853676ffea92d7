//! Sources to checked modules: what `wf check`, the editor and a resumed run have in common.
//!
//! The library comes first, then the user's main module, then what it imports, in the order in which it is met; the id
//! of a source is the index of its module. Nothing is read here: the texts come from memory, wherever the caller has
//! them from.
//!
//! ```
//! use wf_lang::load::{Library, load};
//!
//! let loaded = load(&Library::default(), "hello.wf", "fn main() { let greeting = 1 }");
//! assert!(!loaded.has_errors());
//! assert_eq!(&*loaded.main().name, "hello.wf");
//! ```

mod cycle;
mod lost;
mod read;

use std::fmt;

use crate::{
    check::{Checked, ModuleId, ModuleInput, check},
    diagnostic::Diagnostic,
    path,
    source::Source,
    span::{SourceId, Span},
};
use read::Read;

/// The most modules that a program may have.
pub const MAX_MODULES: usize = 4096;
/// The most bytes that the modules of a program may have together.
pub const MAX_PROGRAM_BYTES: usize = 64 << 20;

/// The library, read once and shared by all that is loaded after it.
#[derive(Clone, Debug, Default)]
pub struct Library {
    modules: Vec<ModuleInput>,
    diagnostics: Vec<Diagnostic>,
}

/// Modules, checked together, with everything there is to tell the author.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The sources, by their id: the library's, the main one, the imported ones.
    pub sources: Vec<Source>,
    /// The modules with what the checker found out.
    pub checked: Checked,
    /// What is wrong, in order of place, without what only follows from text that did not parse.
    pub diagnostics: Vec<Diagnostic>,
}

/// The module with which loading begins.
#[derive(Clone, Copy, Debug)]
pub struct Main<'a> {
    /// What tells it from other modules, and what its imports are relative to: a path with `/` between folders, absolute
    /// where there are files.
    pub path: &'a str,
    /// How it is called in messages; names of imported modules are made of this one.
    pub shown: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Where the texts of imported modules come from.
pub trait Texts {
    /// The path of the module that an import of `path` means in the module at `from`. It tells modules apart: what has
    /// the same path is read once.
    fn resolve(&self, from: &str, path: &str) -> String {
        path::beside(from, path)
    }

    /// The text of the module at a path that [`Texts::resolve`] gave; `shown` is the path for people.
    ///
    /// # Errors
    /// Why there is none, for the place of the import.
    fn read(&self, path: &str, shown: &str) -> Result<String, Unreadable>;
}

/// Why a file is no module: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong, with the path.
    pub message: String,
    /// What to do, where something can be done.
    pub help: Option<String>,
}

impl Unreadable {
    /// What is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Unreadable {}

/// No files at all.
struct Nothing;

impl Texts for Nothing {
    fn read(&self, _: &str, shown: &str) -> Result<String, Unreadable> {
        Err(Unreadable::new(format!("there is no file `{shown}`")))
    }
}

impl Library {
    /// Reads library modules, given as name (`list`) and text.
    pub fn new<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut library = Self::default();
        for (name, text) in texts {
            let source = Source::new(source_id(library.modules.len()), format!("std/{name}"), text);
            let (module, diagnostics) = ModuleInput::read(name, true, source);
            library.modules.push(module);
            library.diagnostics.extend(diagnostics);
        }
        read::link_library(&mut library);
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

    /// The source of the main module.
    pub fn main(&self) -> &Source {
        &self.sources[usize::from(self.checked.main().0)]
    }

    /// The source in which a span lies; that of the main module when there is none with its id.
    pub fn source(&self, span: Span) -> &Source {
        self.sources.get(usize::from(span.source.0)).unwrap_or_else(|| self.main())
    }

    /// The module in which a span lies.
    pub fn module(&self, span: Span) -> &ModuleInput {
        let main = usize::from(self.checked.main().0);
        let modules = &self.checked.modules;
        modules.get(usize::from(span.source.0)).unwrap_or_else(|| &modules[main])
    }
}

/// Checks one module of the user's beside the library, which imports no file; `name` is the path as it is shown in
/// messages.
pub fn load(library: &Library, name: &str, text: &str) -> Loaded {
    load_with(library, Main { path: name, shown: name, text }, &Nothing)
}

/// Checks a module of the user's and all that it imports.
pub fn load_with(library: &Library, main: Main<'_>, texts: &dyn Texts) -> Loaded {
    let Read { modules, lost, mut diagnostics } = read::program(library, main, texts);
    let sources = modules.iter().map(|input| input.source.clone()).collect();
    let mut checked = check(modules);
    checked.diagnostics.retain(|diagnostic| !lost.iter().any(|lost| lost.explains(diagnostic)));
    diagnostics.extend(library.diagnostics.iter().chain(&checked.diagnostics).cloned());
    Loaded { sources, checked, diagnostics: in_order(diagnostics) }
}

fn source_id(index: usize) -> SourceId {
    SourceId(u16::try_from(index).unwrap_or(u16::MAX))
}

fn module_id(index: usize) -> ModuleId {
    ModuleId(source_id(index).0)
}

/// By place; what is said twice in the same words of the same place is said once.
fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| (d.span.source, d.span.start, d.span.end, d.code));
    diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
    diagnostics
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

    /// Each module imports the next one, and so on.
    struct Endless;

    impl Texts for Endless {
        fn read(&self, path: &str, _: &str) -> Result<String, Unreadable> {
            let number: u32 = path.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
            Ok(format!("import \"./m{}.wf\" as next\n", number + 1))
        }
    }

    #[test]
    fn a_program_without_end_has_one_diagnostic() {
        let main = Main { path: "/p/m0.wf", shown: "m0.wf", text: "import \"./m1.wf\" as next" };
        let loaded = load_with(&Library::default(), main, &Endless);
        let said: Vec<_> = loaded.diagnostics.iter().filter(|found| found.is_error()).collect();
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].span.source, &*said[0].message), (SourceId(4095), "a program has at most 4096 modules"));
        assert_eq!(&*loaded.source(said[0].span).name, "m4095.wf");
    }

    #[test]
    fn texts_may_be_too_large_together() {
        struct Large;
        impl Texts for Large {
            fn read(&self, path: &str, _: &str) -> Result<String, Unreadable> {
                Ok(format!("// {path}{}", " ".repeat(crate::source::MAX_SOURCE_BYTES - 20)))
            }
        }
        let imports: String = (0..20).map(|n| format!("import \"./m{n}.wf\" as m{n}\n")).collect();
        let main = Main { path: "main.wf", shown: "main.wf", text: &imports };
        let loaded = load_with(&Library::default(), main, &Large);
        let said: Vec<_> = loaded.diagnostics.iter().filter(|found| found.is_error()).collect();
        assert_eq!((loaded.sources.len(), said.len()), (16, 5));
        assert!(said[0].message.contains("at most 67108864 bytes"));
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
