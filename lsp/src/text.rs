//! Places in a text, as editors count them.
//!
//! A line ends with `\n`, `\r\n` or `\r`, as the protocol says; the column counts units of the encoding that was agreed
//! on. Every place is taken: one past the end of its line or of the text is that end.

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 units, which every editor knows.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    fn width(self, next: char) -> usize {
        match self {
            Self::Utf8 => next.len_utf8(),
            Self::Utf16 => next.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// A line and a column, both from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: u32,
    /// The column, in units of the encoding.
    pub(crate) column: u32,
}

/// A change of a text.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// What is replaced; everything without it.
    pub(crate) range: Option<(Place, Place)>,
    /// What it is replaced by.
    pub(crate) text: String,
}

impl Edit {
    /// Changes the text; the ends of the range may come in either order.
    pub(crate) fn apply(&self, text: &mut String, encoding: Encoding) {
        let Some((a, b)) = self.range else {
            text.clone_from(&self.text);
            return;
        };
        let lines = Lines::of(text);
        let (a, b) = (lines.offset(a, encoding), lines.offset(b, encoding));
        text.replace_range(a.min(b)..a.max(b), &self.text);
    }
}

/// A text with the offsets at which its lines begin.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    pub(crate) fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends = |at: usize| bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        let starts = std::iter::once(0).chain((0..bytes.len()).filter(|at| ends(*at)).map(|at| at + 1)).collect();
        Self { text, starts }
    }

    /// The line that begins at an index of `starts`, without its break.
    fn line(&self, index: usize) -> &'a str {
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text[self.starts[index]..end].trim_end_matches(['\n', '\r'])
    }

    /// The offset of a place; one within a character is the place before it.
    pub(crate) fn offset(&self, place: Place, encoding: Encoding) -> usize {
        let index = place.line as usize;
        if index >= self.starts.len() {
            return self.text.len();
        }
        let mut column = 0;
        let line = self.line(index);
        let passed = line.char_indices().find(|(_, next)| {
            column += encoding.width(*next);
            column > place.column as usize
        });
        self.starts[index] + passed.map_or(line.len(), |(at, _)| at)
    }

    /// The place of an offset; one within a character or a line break is the place before it.
    pub(crate) fn place(&self, offset: usize, encoding: Encoding) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let index = self.starts.partition_point(|start| *start <= offset) - 1;
        let line = self.line(index);
        let before = &line[..(offset - self.starts[index]).min(line.len())];
        let column: usize = before.chars().map(|next| encoding.width(next)).sum();
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Place { line: count(index), column: count(column) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];
    const TEXT: &str = "ab\r\né🎉c\rd\n\n日本";

    fn at(line: u32, column: u32) -> Place {
        Place { line, column }
    }

    #[test]
    fn places_and_offsets_are_each_other() {
        let lines = Lines::of(TEXT);
        for encoding in ALL {
            for (offset, next) in TEXT.char_indices().chain([(TEXT.len(), ' ')]) {
                if next != '\n' || !TEXT[..offset].ends_with('\r') {
                    assert_eq!(lines.offset(lines.place(offset, encoding), encoding), offset, "{encoding:?} {offset}");
                }
            }
        }
    }

    #[test]
    fn columns_count_units() {
        let lines = Lines::of(TEXT);
        let c = TEXT.find('c').expect("a c");
        let columns = ALL.map(|encoding| lines.place(c, encoding));
        assert_eq!(columns, [at(1, 6), at(1, 3), at(1, 2)]);
        assert_eq!(lines.place(TEXT.len(), Encoding::Utf16), at(4, 2));
    }

    #[test]
    fn no_place_is_too_far() {
        let lines = Lines::of(TEXT);
        for encoding in ALL {
            assert_eq!(lines.offset(at(99, 0), encoding), TEXT.len());
            assert_eq!(lines.offset(at(u32::MAX, u32::MAX), encoding), TEXT.len());
            assert_eq!(lines.offset(at(0, 99), encoding), 2);
            assert_eq!(lines.place(usize::MAX, encoding).line, 4);
        }
        let party = TEXT.find('🎉').expect("a party");
        assert_eq!(lines.offset(at(1, 2), Encoding::Utf16), party, "within a pair");
    }

    #[test]
    fn edits_take_any_range() {
        let edit = |from, to, new: &str| {
            let mut text = TEXT.to_owned();
            Edit { range: Some((from, to)), text: new.into() }.apply(&mut text, Encoding::Utf16);
            text
        };
        assert_eq!(edit(at(1, 1), at(1, 3), "x"), "ab\r\néxc\rd\n\n日本");
        assert_eq!(edit(at(1, 3), at(1, 1), "x"), "ab\r\néxc\rd\n\n日本");
        assert_eq!(edit(at(0, 99), at(1, 0), ""), "abé🎉c\rd\n\n日本");
        assert_eq!(edit(at(9, 9), at(9, 9), "!"), format!("{TEXT}!"));
    }
}
