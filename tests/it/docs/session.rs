//! A transcript, played: a line that begins with `$` is a command, what follows is what it prints.
//!
//! The commands run in a fresh clone: a folder with a copy of `examples/`, and with the files of the `wf` block before the
//! transcript. Ids, times and paths differ from run to run, so they are compared by their shape.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
};

use super::markdown::Block;
use crate::workshop::Workshop;

/// Where the reader is thought to have cloned the project.
const CLONE: &str = "/home/you/wf";

/// Someone at a shell, in a fresh clone.
pub(super) struct Session {
    workshop: Workshop,
    folder: PathBuf,
    background: Option<Child>,
    code: i32,
    /// Short ids of the document, and those of this run.
    ids: BTreeMap<String, String>,
}

impl Session {
    /// Sits down where these files are.
    pub(super) fn with(files: &[(String, String)]) -> Self {
        let workshop = Workshop::new();
        let folder = workshop.folder().to_owned();
        super::write(&folder, files);
        Self { workshop, folder, background: None, code: 0, ids: BTreeMap::new() }
    }

    /// Does what the transcript says; says where it went another way.
    pub(super) fn play(&mut self, block: &Block) -> Result<(), String> {
        let mut lines = block.text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let at = block.first + index + 1;
            let Some(command) = line.strip_prefix("$ ") else {
                return Err(format!("{at}: this is no command: {line}"));
            };
            let mut expected = Vec::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("$ ")) {
                expected.push(line.to_owned());
            }
            let printed = self.command(command, expected.len());
            let shape = |lines: &[String]| lines.iter().map(|line| shape(line)).collect::<Vec<_>>();
            if shape(&printed) != shape(&expected) {
                let printed = printed.join("\n");
                return Err(format!("{at}: `{command}` prints something else than the page says:\n{printed}"));
            }
            for (printed, expected) in printed.iter().zip(&expected) {
                self.ids.extend(short_ids(expected).into_iter().zip(short_ids(printed)));
            }
        }
        match self.background {
            None => Ok(()),
            Some(_) => Err(format!("{}: a command is still running in the background", block.first)),
        }
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

/// A line with ids, times, sizes at its end, process ids and the lines of the library by their shape.
fn shape(line: &str) -> String {
    let line = match line.rsplit_once(' ') {
        Some((before, "B" | "kB" | "MB")) if before.ends_with(|c: char| c.is_ascii_digit()) => {
            let before = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end();
            &format!("{before}  SIZE")
        }
        _ => line,
    };
    let line = match (line.split_once("executed by "), line.rsplit_once(':')) {
        (Some((before, _)), _) => format!("{before}executed by …"),
        (None, Some((before, _))) if before.contains(" at std/") => format!("{before}:…"),
        // What is done at once shares a checkpoint, unless the machine is slow.
        (None, None) if line.starts_with("checkpoint ") && line.contains(" kept, from ") => "checkpoint …".to_owned(),
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
