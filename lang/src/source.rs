//! The text of a module and where its lines begin.

use std::sync::Arc;

use line_index::{LineIndex, TextSize};

use crate::span::SourceId;

/// The longest source that is read, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4 << 20;

/// One file of source text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its place among the sources of the program.
    pub id: SourceId,
    /// As it is shown in messages: a path, or `std/list`.
    pub name: Arc<str>,
    /// The text, without a byte-order mark.
    pub text: Arc<str>,
    lines: Arc<LineIndex>,
}

/// A place for people: both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Source {
    /// A source of the given text; a leading byte-order mark is dropped.
    pub fn new(id: SourceId, name: impl Into<Arc<str>>, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { id, name: name.into(), text: text.into(), lines: Arc::new(LineIndex::new(text)) }
    }

    /// The line index, for those who count columns in other units.
    pub fn lines(&self) -> &LineIndex {
        &self.lines
    }

    /// Line and column of a byte offset; an offset past the end counts as the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = self.text.floor_char_boundary(offset as usize);
        let at = self.lines.line_col(TextSize::new(u32::try_from(offset).unwrap_or(u32::MAX)));
        let start = offset - at.col as usize;
        let column = u32::try_from(self.text[start..offset].chars().count()).unwrap_or(u32::MAX) + 1;
        LineColumn { line: at.line + 1, column }
    }

    /// The text of a line, without its break; `line` counts from 1.
    pub fn line_text(&self, line: u32) -> &str {
        let Some(range) = line.checked_sub(1).and_then(|line| self.lines.line(line)) else { return "" };
        self.text[usize::from(range.start())..usize::from(range.end())].trim_end_matches(['\n', '\r'])
    }
}
