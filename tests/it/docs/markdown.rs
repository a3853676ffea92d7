//! The fenced blocks of a page, and pages that are brought up to date.

use std::{fmt, fs, path::PathBuf};

use crate::workshop::root;

/// A page of the documents.
pub(super) struct Page {
    path: PathBuf,
    text: String,
    pub(super) blocks: Vec<Block>,
}

/// A fenced block.
#[derive(Clone, Default)]
pub(super) struct Block {
    /// What stands behind the fence, in words.
    pub(super) info: Vec<String>,
    /// How many lines are before its first one.
    pub(super) first: usize,
    /// Its lines.
    pub(super) text: String,
    /// Whether nothing stands between it and the block before.
    pub(super) follows: bool,
}

impl Page {
    /// The README, and all pages of `docs/`.
    pub(super) fn all() -> Vec<Self> {
        let entries = fs::read_dir(root().join("docs")).expect("the documents");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
        paths.push(root().join("README.md"));
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    /// One page, by its path from the root.
    pub(super) fn of(name: &str) -> Self {
        Self::read(root().join(name))
    }

    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("a page");
        let blocks = blocks(&text).unwrap_or_else(|error| panic!("{}:{error}", path.display()));
        Self { path, text, blocks }
    }

    /// What stands outside of blocks.
    pub(super) fn prose(&self) -> String {
        let mut lines: Vec<&str> = self.text.lines().collect();
        for block in self.blocks.iter().rev() {
            lines.drain(block.range());
        }
        lines.join("\n")
    }

    /// The page with other lines in place of some, from the last ones to the first.
    pub(super) fn write(&self, changes: &[(std::ops::Range<usize>, String)]) {
        let mut lines: Vec<&str> = self.text.lines().collect();
        for (range, text) in changes.iter().rev() {
            lines.splice(range.clone(), text.lines());
        }
        fs::write(&self.path, lines.join("\n") + "\n").expect("written");
    }

    /// The index of the first line that is this one.
    pub(super) fn line(&self, wanted: &str) -> Option<usize> {
        self.text.lines().position(|line| line == wanted)
    }

    /// These lines.
    pub(super) fn lines(&self, range: std::ops::Range<usize>) -> String {
        self.text.lines().take(range.end).skip(range.start).map(|line| format!("{line}\n")).collect()
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.strip_prefix(root()).unwrap_or(&self.path).display())
    }
}

impl Block {
    /// The lines that it takes up, without its fences.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.text.lines().count()
    }

    /// Whether the fence says this first.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.info.first().is_some_and(|word| word == kind)
    }
}

/// The fenced blocks of a text, or the number of a line and what is wrong there.
fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut follows = false;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let info = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { info, first: index + 1, text: String::new(), follows });
            }
            (Some(""), Some(_)) => {
                blocks.extend(open.take());
                follows = true;
            }
            (_, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) if line.trim_start().starts_with("```") => {
                return Err(format!(
                    "{}: a fence stands at the begin of its line, or it would not be tested",
                    index + 1
                ));
            }
            (None, None) => follows &= line.trim().is_empty(),
        }
    }
    match open {
        Some(block) => Err(format!("{}: this fence is not closed", block.first)),
        None => Ok(blocks),
    }
}
