//! What the documents show is what happens.
//!
//! The `console` blocks of the README run against the built command, in a copy of `examples/`: a line that begins with
//! `$` is a command, what follows is what it prints. Ids, times and paths differ from run to run, so they are compared
//! by their shape. Every `wf` block is a whole module and checks without an error; one marked `wf error` has one. A line
//! `// file: ./steps.wf` in it begins another file.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use crate::workshop::{Workshop, root};

/// Where the README's reader is thought to have cloned the project.
const CLONE: &str = "/home/you/wf";

#[test]
fn the_transcripts_of_the_readme_are_what_happens() {
    let text = fs::read_to_string(root().join("README.md")).expect("the README");
    let blocks = blocks(&text, "console");
    assert!(blocks.iter().any(|block| block.text.contains("kill -9")), "the README shows a run that survives a kill");
    for block in blocks {
        Session::new().play(&block);
    }
}

#[test]
fn scripts_in_the_documents_check() {
    let workshop = Workshop::new();
    let mut files = vec![root().join("README.md")];
    files.extend(listed(&root().join("docs"), "md"));
    let mut wrong = String::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a document");
        for (info, code) in [("wf", 0), ("wf error", 1)] {
            for block in blocks(&text, info) {
                let (script, others) = block.text.split_once("// file: ").unwrap_or((&block.text, ""));
                fs::write(workshop.folder().join("block.wf"), script).expect("written");
                for (name, text) in others.split("// file: ").filter_map(|file| file.split_once('\n')) {
                    fs::write(workshop.folder().join(name), text).expect("written");
                }
                let checked = workshop.wf(&["check", "block.wf"]);
                if checked.code != code {
                    wrong.push_str(&format!("{}:{}: {}{}\n", file.display(), block.line, checked.out, checked.err));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_example_checks() {
    let workshop = Workshop::new();
    for example in listed(&root().join("examples"), "wf") {
        let name = example.file_name().expect("a name").to_string_lossy().into_owned();
        let checked = workshop.wf(&["check", "--deny-warnings", &format!("examples/{name}")]);
        assert_eq!(checked.code, 0, "{name}: {}", checked.out);
    }
}

/// The files of a folder with that ending, in order.
fn listed(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    files.sort();
    files
}

/// A fenced block.
struct Block {
    /// The line of its first line, from 1.
    line: usize,
    text: String,
}

/// The fenced blocks whose fence says exactly `info`.
fn blocks(text: &str, info: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, Block)> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(found), None) => {
                open = Some((found == info, Block { line: index + 2, text: String::new() }));
            }
            (Some(_), Some(_)) => {
                if let Some((true, block)) = open.take() {
                    blocks.push(block);
                }
            }
            (None, Some((_, block))) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// Someone at a shell, in a fresh clone.
struct Session {
    workshop: Workshop,
    folder: PathBuf,
    background: Option<Child>,
    code: i32,
    /// Short ids of the document, and those of this run.
    ids: BTreeMap<String, String>,
}

impl Session {
    fn new() -> Self {
        let workshop = Workshop::new();
        let folder = workshop.folder().to_owned();
        Self { workshop, folder, background: None, code: 0, ids: BTreeMap::new() }
    }

    fn play(&mut self, block: &Block) {
        let mut lines = block.text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else {
                panic!("line {} of the README is no command: {line}", block.line + index);
            };
            let mut expected = Vec::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("$ ")) {
                expected.push(line.to_owned());
            }
            let printed = self.command(command, expected.len());
            let shape = |lines: &[String]| lines.iter().map(|line| shape(line)).collect::<Vec<_>>();
            assert_eq!(
                shape(&printed),
                shape(&expected),
                "line {} of the README, `{command}`, prints something else (left) than it says (right); in full:\n{}",
                block.line + index,
                printed.join("\n")
            );
            for (printed, expected) in printed.iter().zip(&expected) {
                self.ids.extend(short_ids(expected).into_iter().zip(short_ids(printed)));
            }
        }
        assert!(self.background.is_none(), "a command is still running in the background");
    }

    /// Does what a line says; gives what it prints, of a command in the background the first `expected` lines.
    fn command(&mut self, line: &str, expected: usize) -> Vec<String> {
        if let Some(folder) = line.strip_prefix("cd ") {
            self.folder = self.folder.join(folder);
            return Vec::new();
        }
        if line == "echo $?" {
            return vec![self.code.to_string()];
        }
        if line == "kill -9 $!" {
            let mut child = self.background.take().expect("a command in the background");
            child.kill().expect("killed");
            child.wait().expect("ended");
            return Vec::new();
        }
        let mut line = line.replacen("cargo run -- ", "wf ", 1);
        for (written, meant) in &self.ids {
            line = line.replace(written, meant);
        }
        let (line, stays) = match line.strip_suffix(" &") {
            Some(line) => (line.to_owned(), false),
            None => (line, true),
        };
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut shell = self.workshop.shell(&format!("exec {line}"));
        shell.current_dir(&self.folder).stdin(Stdio::null());
        shell.stdout(writer.try_clone().expect("a pipe")).stderr(writer);
        let mut child = shell.spawn().expect("a shell");
        drop(shell);
        let root = self.workshop.folder().to_string_lossy().into_owned();
        let lines = BufReader::new(reader).lines().map(|line| line.expect("text").replace(&root, CLONE));
        if stays {
            let printed = lines.collect();
            self.code = child.wait().expect("ended").code().unwrap_or(-1);
            return printed;
        }
        self.background = Some(child);
        lines.take(expected).collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(mut child) = self.background.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A line with ids, times, process ids and the lines of the library by their shape.
fn shape(line: &str) -> String {
    let line = match (line.split_once("executed by "), line.rsplit_once(':')) {
        (Some((before, _)), _) => format!("{before}executed by …"),
        (None, Some((before, _))) if before.contains(" at std/") => format!("{before}:…"),
        _ => line.to_owned(),
    };
    words(&line)
        .map(|word| match word {
            word if is_uuid(word) => "UUID",
            word if is_time(word) => "TIME",
            word if is_short_id(word) => "RUN",
            word => word,
        })
        .collect()
}

/// Runs of letters, digits, `-`, `:` and `.`, and what stands between them.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| inside(c) != inside(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn short_ids(line: &str) -> Vec<String> {
    words(line).filter(|word| is_short_id(word)).map(str::to_owned).collect()
}

fn is_short_id(word: &str) -> bool {
    word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit())
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

fn is_time(word: &str) -> bool {
    word.len() >= 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T' && word[..4].parse::<u32>().is_ok()
}
