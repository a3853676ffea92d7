//! Case files: cases after `// case: …` lines, each diagnostic under the line it speaks of.
//!
//! A line `// file: ./steps.wf` begins another file of the case, which the first one may import. In a case of several files
//! the further places that a diagnostic speaks of are shown too: `-- label: …`.
//!
//! `UPDATE_EXPECT=1` rewrites the expectations; the diff shows them.

use std::{fmt::Write, fs, path::Path, path::PathBuf};

use wf_lang::{
    Diagnostic, Source, Span,
    load::{Texts, Unreadable},
    path,
    span::SourceId,
    syntax::{Parsed, parse},
};

/// A case with its expectations taken out.
pub(crate) struct Case {
    /// What stands behind `// case:`.
    pub(crate) title: String,
    /// The text of its main file.
    pub(crate) source: Source,
    /// Its other files.
    pub(crate) files: Vec<Source>,
}

impl Texts for Case {
    fn read(&self, path: &str, shown: &str) -> Result<String, Unreadable> {
        let found = self.files.iter().find(|file| *file.name == *path);
        let found = found.map(|file| file.text.to_string());
        found.ok_or_else(|| Unreadable::new(format!("there is no file `{shown}`")))
    }
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
    let mut cases: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("// case: ") {
            cases.push((title.to_owned(), vec![("case.wf".to_owned(), String::new())]));
        } else if let Some((_, files)) = cases.last_mut().filter(|_| !is_expectation(line)) {
            if let Some(path) = line.strip_prefix("// file: ") {
                files.push((path::normal(path), String::new()));
            } else if let Some((_, source)) = files.last_mut() {
                source.push_str(line);
                source.push('\n');
            }
        }
    }
    let source = |(name, text): (String, String)| Source::new(SourceId(0), name, &format!("{}\n", text.trim_end()));
    let case = |(title, files): (String, Vec<(String, String)>)| {
        let mut sources = files.into_iter().map(source);
        sources.next().map(|main| Case { title, source: main, files: sources.collect() })
    };
    cases.into_iter().filter_map(case).collect()
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
    rest.starts_with("= help: ")
        || said.starts_with(" error[")
        || said.starts_with(" warning[")
        || said.starts_with(" label: ")
}

/// A case with its diagnostics under their lines; `sources` are those that the diagnostics speak of.
pub(crate) fn render(case: &Case, sources: &[Source], diagnostics: &[Diagnostic]) -> String {
    let mut text = format!("// case: {}\n", case.title);
    for file in std::iter::once(&case.source).chain(&case.files) {
        if file.name != case.source.name {
            let path = if file.name.starts_with("..") { file.name.to_string() } else { format!("./{}", file.name) };
            let _ = writeln!(text, "\n// file: {path}");
        }
        let lies_here = |span: Span| sources.iter().any(|source| source.id == span.source && source.name == file.name);
        for (number, line) in (1u32..).zip(file.text.lines()) {
            let _ = writeln!(text, "{line}");
            for diagnostic in diagnostics {
                if lies_here(diagnostic.span) && file.line_column(diagnostic.span.start).line == number {
                    let (id, severity) =
                        (diagnostic.code.id(), if diagnostic.is_error() { "error" } else { "warning" });
                    let message = format!("{severity}[{id}]: {}", diagnostic.message);
                    pointed(&mut text, file, diagnostic.span, '^', &message);
                    let column = file.line_column(diagnostic.span.start).column as usize - 1;
                    for help in &diagnostic.help {
                        let _ = writeln!(text, "//{} = help: {help}", " ".repeat(column.max(2) - 2));
                    }
                }
                for label in diagnostic.labels.iter().filter(|_| !case.files.is_empty()) {
                    if lies_here(label.span) && file.line_column(label.span.start).line == number {
                        pointed(&mut text, file, label.span, '-', &format!("label: {}", label.message));
                    }
                }
            }
        }
    }
    text
}

/// A line that points at a place in the line above it.
fn pointed(text: &mut String, source: &Source, span: Span, with: char, message: &str) {
    let (start, end) = (source.line_column(span.start), source.line_column(span.end));
    let column = start.column as usize - 1;
    let width = if end.line == start.line { (end.column - start.column).max(1) as usize } else { 0 };
    let rest = source.line_text(start.line).chars().count().saturating_sub(column).max(1);
    let width = if width == 0 { rest } else { width };
    let place = match column {
        0 | 1 => format!("//{}", "<".repeat(column + 1)),
        _ => format!("//{}{}", " ".repeat(column - 2), with.to_string().repeat(width)),
    };
    let _ = writeln!(text, "{place} {message}");
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
