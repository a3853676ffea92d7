//! Trees to types and diagnostics.

use std::{fs, path::Path, sync::Arc};

use crate::cases;
use wf_lang::{
    Diagnostic, Source,
    check::{Checked, ModuleInput, check},
    span::SourceId,
    syntax::parse,
};

/// The library's modules, read from `stdlib/`.
pub(crate) fn library() -> Vec<ModuleInput> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stdlib");
    let entries = fs::read_dir(folder).expect("the library").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ext| ext == "wf")).collect();
    paths.sort();
    let read = |(id, path): (u16, &std::path::PathBuf)| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let source = Source::new(SourceId(id), format!("std/{name}"), &fs::read_to_string(path).expect("text"));
        input(&name, true, source).0
    };
    (0..).zip(&paths).map(read).collect()
}

fn input(name: &str, library: bool, source: Source) -> (ModuleInput, Vec<Diagnostic>) {
    let parsed = parse(&source);
    let module = Arc::new(parsed.module);
    (ModuleInput { name: name.into(), library, source, module }, parsed.diagnostics)
}

/// Checks one module beside the library; what the parser and the checker say of it.
pub(crate) fn check_text(library: &[ModuleInput], text: &str) -> (Checked, Vec<Diagnostic>) {
    let id = SourceId(u16::try_from(library.len()).expect("few modules"));
    let (module, mut diagnostics) = input("case.wf", false, Source::new(id, "case.wf", text));
    let checked = check(library.iter().cloned().chain([module]).collect());
    diagnostics.extend(checked.diagnostics.iter().filter(|d| d.span.source == id).cloned());
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    (checked, diagnostics)
}

#[test]
fn cases_check_as_expected() {
    let library = library();
    let mut wrong = Vec::new();
    for (path, text) in cases::files("check") {
        let shown = cases::split(&text).into_iter().map(|case| {
            let (_, diagnostics) = check_text(&library, &case.source.text);
            cases::render(&case, &diagnostics)
        });
        let shown: Vec<String> = shown.collect();
        wrong.extend(cases::expect(&path, &shown.join("\n")));
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 accepts what was found", wrong.join("\n"));
}

#[test]
fn the_library_is_right() {
    let library = library();
    let checked = check(library.clone());
    let shown = checked.diagnostics.iter().map(|d| {
        let source = &library[d.span.source.0 as usize].source;
        let at = source.line_column(d.span.start);
        format!("{}:{}:{}: {}", source.name, at.line, at.column, d.message)
    });
    let shown: Vec<String> = shown.collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}
