//! Case files: cases after `// case: …` lines, each diagnostic under the line it speaks of.
//!
//! `UPDATE_EXPECT=1` rewrites the expectations; the diff shows them.

use std::{fmt::Write, fs, path::Path, path::PathBuf};

use wf_lang::{
    Diagnostic, Source,
    span::SourceId,
    syntax::{Parsed, parse},
};

/// A case with its expectations taken out.
pub(crate) struct Case {
    /// What stands behind `// case:`.
    pub(crate) title: String,
    /// Its text.
    pub(crate) source: Source,
}

/// The files of a folder of `tests/cases`, with their texts.
pub(crate) fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wf"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("readable text"))).collect()
}

/// All cases of a folder.
pub(crate) fn all(folder: &str) -> Vec<Case> {
    files(folder).iter().flat_map(|(_, text)| split(text)).collect()
}

/// The cases of a file.
pub(crate) fn split(text: &str) -> Vec<Case> {
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("// case: ") {
            cases.push((title.to_owned(), String::new()));
        } else if let Some((_, source)) = cases.last_mut().filter(|_| !is_expectation(line)) {
            source.push_str(line);
            source.push('\n');
        }
    }
    let source = |text: &str| Source::new(SourceId(0), "case.wf", &format!("{}\n", text.trim_end()));
    cases.into_iter().map(|(title, text)| Case { title, source: source(&text) }).collect()
}

/// The parse of a text.
pub(crate) fn read(text: &str) -> Parsed {
    parse(&Source::new(SourceId(0), "case.wf", text))
}

/// `//   ^^ error[…`, `//< warning[…`, `//   = help: …`
fn is_expectation(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("//") else { return false };
    let rest = rest.trim_start();
    let said = rest.trim_start_matches(['^', '<', '-']);
    rest.starts_with("= help: ") || said.starts_with(" error[") || said.starts_with(" warning[")
}

/// A case with its diagnostics under their lines.
pub(crate) fn render(case: &Case, diagnostics: &[Diagnostic]) -> String {
    let mut text = format!("// case: {}\n", case.title);
    for (number, line) in (1u32..).zip(case.source.text.lines()) {
        let _ = writeln!(text, "{line}");
        for diagnostic in diagnostics {
            let start = case.source.line_column(diagnostic.span.start);
            if start.line == number {
                expectation(&mut text, case, diagnostic, line);
            }
        }
    }
    text
}

fn expectation(text: &mut String, case: &Case, diagnostic: &Diagnostic, line: &str) {
    let start = case.source.line_column(diagnostic.span.start);
    let end = case.source.line_column(diagnostic.span.end);
    let column = start.column as usize - 1;
    let width = if end.line == start.line { (end.column - start.column).max(1) as usize } else { 0 };
    let width = if width == 0 { line.chars().count().saturating_sub(column).max(1) } else { width };
    let id = diagnostic.code.id();
    let place = match column {
        0 | 1 => format!("//{}", "<".repeat(column + 1)),
        _ => format!("//{}{}", " ".repeat(column - 2), "^".repeat(width)),
    };
    let severity = if diagnostic.is_error() { "error" } else { "warning" };
    let _ = writeln!(text, "{place} {severity}[{id}]: {}", diagnostic.message);
    for help in &diagnostic.help {
        let _ = writeln!(text, "//{} = help: {help}", " ".repeat(column.max(2) - 2));
    }
}

/// Compares with what is stored, or stores it under `UPDATE_EXPECT=1`; gives the difference.
pub(crate) fn expect(path: &Path, actual: &str) -> Option<String> {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return None;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, actual).expect("writable");
        return None;
    }
    let place = expected.lines().zip(actual.lines()).position(|(old, new)| old != new);
    let line = place.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    Some(format!(
        "{}:{}\n  expected: {}\n     found: {}",
        path.display(),
        line + 1,
        expected.lines().nth(line).unwrap_or("(nothing)"),
        actual.lines().nth(line).unwrap_or("(nothing)"),
    ))
}
