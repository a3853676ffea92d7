//! What must never be, looked for in the sources: the absences that ARCHITECTURE.md lists.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::workshop::root;

/// The folders with sources.
const FOLDERS: [&str; 6] = ["src", "lang", "runtime", "lsp", "stdlib", "tests"];
/// The most lines a file may have; most have a third of it.
const MOST_LINES: usize = 700;
/// What only unfinished code has.
const UNFINISHED: [&str; 3] = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("d", "bg!(")];
/// Who may not know whom: a folder, where in it it is fine, and what does not stand there.
const STRANGERS: [(&str, &str, &[&str]); 6] = [
    (
        "lang/src",
        "-",
        &[
            "wf_runtime",
            "wf_lsp",
            "wf_stdlib",
            "tokio",
            "rusqlite",
            "tower_lsp",
            "std::fs",
            "std::net",
            "std::time",
            "std::process",
            "std::env::var",
            "async fn",
        ],
    ),
    ("runtime/src", "-", &["wf_lsp", "wf_stdlib", "tower_lsp", "clap", "anstream", "ariadne"]),
    ("runtime/src", "runtime/src/store/", &["rusqlite"]),
    ("runtime/src", "runtime/src/host/", &["reqwest", "tokio::process", "tokio::fs"]),
    ("runtime/src/machine", "-", &["async fn", ".await", "std::fs", "std::time", "crate::host", "crate::store"]),
    ("lsp/src", "-", &["wf_runtime", "rusqlite"]),
];
/// Only the command prints.
const PRINTING: [&str; 4] = ["println!(", "print!(", "eprintln!(", "eprint!("];

#[test]
fn every_file_says_what_it_is() {
    for file in sources() {
        assert!(file.text.starts_with("//!"), "{} does not begin with `//!`", file.name);
    }
}

#[test]
fn nothing_is_left_unfinished() {
    for file in sources() {
        for word in UNFINISHED {
            assert!(!file.text.contains(word), "{} has `{word}…)`", file.name);
        }
    }
}

#[test]
fn no_file_is_a_monster() {
    for file in sources() {
        let lines = file.text.lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines; split it by idea", file.name);
    }
}

#[test]
fn crates_know_only_those_below_them() {
    for file in sources() {
        for (folder, fine, strangers) in STRANGERS {
            if !file.name.starts_with(folder) || file.name.starts_with(fine) {
                continue;
            }
            for stranger in strangers {
                let found = file.code().any(|line| line.contains(stranger));
                assert!(!found, "{} knows `{stranger}`, which {folder} must not", file.name);
            }
        }
    }
}

#[test]
fn only_the_command_prints() {
    let quiet = ["lang/src", "runtime/src", "lsp/src", "stdlib/src"];
    for file in sources().iter().filter(|file| quiet.iter().any(|folder| file.name.starts_with(folder))) {
        for word in PRINTING {
            let found =
                file.code().any(|line| line.trim_start().starts_with(word) || line.contains(&format!(" {word}")));
            assert!(!found, "{} prints with `{word}…)`", file.name);
        }
    }
}

/// A source file.
struct SourceFile {
    /// Its path from the root, with `/`.
    name: String,
    text: String,
}

impl SourceFile {
    /// Its lines without those that are comments, up to the tests within it.
    fn code(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().take_while(|line| *line != "#[cfg(test)]");
        lines.filter(|line| !line.trim_start().starts_with("//"))
    }
}

fn sources() -> Vec<SourceFile> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        walk(&root().join(folder), &mut found);
    }
    found.sort();
    let read = |path: PathBuf| SourceFile {
        name: path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/"),
        text: fs::read_to_string(&path).expect("text"),
    };
    found.into_iter().map(read).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}
