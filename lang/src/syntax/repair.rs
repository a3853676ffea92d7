//! The repair of one declaration whose brackets do not match.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::{
        balance::{Balance, Change, Word},
        lines,
        token::TokenKind,
    },
};

/// The changes after which the brackets among the words match, in order; `after` is the index of the token behind them,
/// `lost` where strings begin that nothing closes, and other things that take brackets along. `by_lines` looks at the
/// indentation; without it what is open is closed at the end, and what closes nothing is dropped.
pub(super) fn repair(words: &[Word], after: usize, lost: &[u32], by_lines: bool) -> Balance {
    let mut repair = Repair::new(words, after, lost, by_lines);
    repair.run();
    let mut balance = repair.balance;
    balance.changes.sort_by_key(|(at, change)| (*at, matches!(change, Change::Insert(kind) if !kind.is_closer())));
    balance
}

/// An open bracket or string.
#[derive(Clone, Copy)]
struct Frame {
    kind: TokenKind,
    /// Where it opens, among the words.
    at: usize,
    line: u32,
    indent: u32,
    /// The last line on which a word stands in it that a block follows.
    header: Option<u32>,
}

/// A line that may have ended in the bracket that is missing.
#[derive(Clone, Copy)]
struct Line {
    indent: u32,
    /// Its last word.
    end: usize,
}

/// The repair of one declaration.
struct Repair<'w> {
    words: &'w [Word],
    /// The index of the token behind the declaration.
    after: usize,
    /// Where strings begin that nothing closes, and other things that take brackets along.
    lost: &'w [u32],
    by_lines: bool,
    balance: Balance,
    frames: Vec<Frame>,
    /// The frames of each sort of bracket, and those of strings.
    sorts: [Vec<usize>; 4],
    /// How many closers of each sort of bracket are too many; less than none when closers are missing.
    surplus: [i64; 3],
    /// Whether the counts say nothing, for what is missing here is too much there.
    even: bool,
    /// The lines around the present one, each indented further than the one before.
    lines: Vec<Line>,
    /// The first word of each line.
    firsts: Vec<usize>,
    /// The last word of a line that is indented like the present one, with lines indented further between them.
    header: Option<usize>,
    /// The last place at which a bracket was left open, which is reported once.
    left: Option<usize>,
}

impl<'w> Repair<'w> {
    fn new(words: &'w [Word], after: usize, lost: &'w [u32], by_lines: bool) -> Self {
        let surplus = surplus(words);
        Self {
            words,
            after,
            lost,
            by_lines,
            balance: Balance::default(),
            frames: Vec::new(),
            sorts: Default::default(),
            surplus,
            even: surplus == [0; 3],
            lines: Vec::new(),
            firsts: (0..words.len()).filter(|at| words[*at].begins_line).collect(),
            header: None,
            left: None,
        }
    }

    fn run(&mut self) {
        for (at, word) in self.words.iter().enumerate() {
            if word.begins_line && self.by_lines {
                self.line(at, word.indent);
                self.leave_by_indent(at);
                self.leave_signature(at);
            }
            if self.by_lines {
                self.leave_header(at);
            }
            match word.kind {
                TokenKind::StrMiddle | TokenKind::StrClose => self.close_string(at),
                kind if kind.is_closer() => self.close(at),
                kind if kind.closer().is_some() => self.open(at),
                _ => {}
            }
        }
        while !self.frames.is_empty() {
            self.leave(self.words.len());
        }
    }

    /// Notes a line, and which one before it might be its header.
    fn line(&mut self, at: usize, indent: u32) {
        if let Some(line) = self.lines.last_mut() {
            line.end = at - 1;
        }
        let mut deeper = false;
        self.header = None;
        while let Some(line) = self.lines.last().filter(|line| line.indent >= indent) {
            let ends = self.words[line.end];
            let header = ends.kind != TokenKind::LeftBrace && !(ends.begins_line && ends.kind.is_closer());
            if line.indent == indent && deeper && header {
                self.header = Some(line.end);
            }
            deeper = true;
            self.lines.pop();
        }
        self.lines.push(Line { indent, end: at });
    }

    /// Closes the brackets that the indentation of this line says were left open.
    fn leave_by_indent(&mut self, at: usize) {
        let (word, next) = (self.words[at], self.words.get(at + 1).map(|word| word.kind));
        let base = self.words[0].indent;
        while let Some(frame) = self.frames.last().copied() {
            let left = if word.kind.is_closer() {
                frame.kind.closer() == Some(word.kind)
                    && word.indent < frame.indent
                    && self.has_outer(frame.kind, word.indent)
            } else {
                let goes_on = lines::begins_open(word.kind, next) && frame.at + 1 < at;
                word.indent < frame.indent
                    || word.indent == frame.indent && frame.indent > base && !goes_on
                    || word.indent <= frame.indent + 1
                        && frame.kind == TokenKind::LeftBrace
                        && lines::continues_block(word.kind)
            };
            if !left || !self.may_be_open(frame.kind) {
                return;
            }
            self.leave(at);
        }
    }

    /// At a statement, closes the parameters around it, and opens the block if that lacks its `{`.
    fn leave_signature(&mut self, at: usize) {
        let parameters = self.frames.len() == 1 && lines::begins_function(self.words[0].kind);
        let Some(frame) = self.frames.last().copied().filter(|frame| parameters && frame.kind == TokenKind::LeftParen)
        else {
            return;
        };
        let (word, before) = (self.words[at].kind, self.words[at - 1].kind);
        let next = self.words.get(at + 1).map(|word| word.kind);
        let complete = matches!(before, TokenKind::Comma | TokenKind::LeftParen) || lines::ends_operand(before);
        let goes_on = match before {
            // No type begins with the keyword of a statement.
            TokenKind::Colon => !lines::begins_header(word),
            _ => !complete || lines::begins_parameter(word, next),
        };
        if goes_on && !lines::begins_statement(word) || !self.may_be_open(frame.kind) {
            return;
        }
        self.leave(at);
        if self.may_be_stray(TokenKind::RightBrace) {
            self.surplus[sort(TokenKind::LeftBrace)] -= 1;
            self.balance.changes.push((self.words[at].index, Change::Insert(TokenKind::LeftBrace)));
            self.sorts[sort(TokenKind::LeftBrace)].push(0);
            self.frames.push(Frame { kind: TokenKind::LeftBrace, ..frame });
        }
    }

    /// Closes a parenthesis that the `->` or the block of its header says was left open.
    fn leave_header(&mut self, at: usize) {
        let word = self.words[at];
        let Some(frame) = self.frames.last_mut() else { return };
        if lines::begins_header(word.kind) {
            frame.header = Some(word.line);
        }
        if !matches!(frame.kind, TokenKind::LeftParen | TokenKind::LeftBracket) {
            return;
        }
        let (frame, before) = (*frame, self.words[at - 1].kind);
        let signature = self.frames.len() == 1 && lines::begins_function(self.words[0].kind);
        let ends_line = self.words.get(at + 1).is_none_or(|next| next.begins_line);
        let in_header = self.frames.iter().rev().skip(1).take(64).any(|outer| outer.header == Some(frame.line));
        let left = match word.kind {
            TokenKind::Arrow => signature && before != TokenKind::RightParen,
            // No operand stands between the bracket and its operator.
            kind if lines::needs_left(kind) => frame.at + 1 == at,
            TokenKind::LeftBrace => {
                (signature || ends_line || in_header) && frame.header.is_none() && lines::ends_operand(before)
            }
            _ => false,
        };
        if left && self.may_be_open(frame.kind) {
            self.leave(at);
            self.leave_header(at);
        }
    }

    /// Whether another frame of the sort of the innermost one stands on a line that is indented at most so far.
    fn has_outer(&self, kind: TokenKind, indent: u32) -> bool {
        let frames = &self.sorts[sort(kind)];
        frames.iter().rev().skip(1).take(64).any(|frame| self.frames[*frame].indent <= indent)
    }

    fn open(&mut self, at: usize) {
        let word = self.words[at];
        self.sorts[sort(word.kind)].push(self.frames.len());
        self.frames.push(Frame { kind: word.kind, at, line: word.line, indent: word.indent, header: None });
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.sorts[sort(frame.kind)].pop();
        }
    }

    /// At the end of an inserted expression, closes what was opened in it; at the end of a string, the string.
    fn close_string(&mut self, at: usize) {
        if self.sorts[STRING].is_empty() {
            return;
        }
        while self.frames.last().is_some_and(|frame| frame.kind != TokenKind::StrOpen) {
            self.leave(at);
        }
        if self.words[at].kind == TokenKind::StrClose {
            self.pop();
        }
    }

    fn close(&mut self, at: usize) {
        let kind = self.words[at].kind;
        let string = self.sorts[STRING].last().map_or(0, |frame| frame + 1);
        let target = self.sorts[sort(kind)].last().copied().filter(|frame| *frame >= string);
        match target {
            Some(target) if string > 0 || !self.is_stray(at, target) => {
                while self.frames.len() > target + 1 {
                    self.leave(at);
                }
                self.pop();
            }
            _ => self.stray(at),
        }
    }

    /// Whether a closer is one too many rather than the end of a frame.
    fn is_stray(&self, at: usize, target: usize) -> bool {
        let (word, frame) = (self.words[at], self.frames[target]);
        if !self.by_lines || !self.may_be_stray(word.kind) {
            return false;
        }
        let crosses = self.frames.len() > target + 1;
        if crosses && !self.frames[target + 1..].iter().rev().take(64).any(|inner| self.may_be_open(inner.kind)) {
            return true;
        }
        if frame.line == word.line {
            return false;
        }
        if word.begins_line { word.indent > frame.indent } else { !self.ends_frame(word, frame) }
    }

    /// Whether a closer within a line may end a frame of a line before: the next line stands no further right.
    fn ends_frame(&self, word: Word, frame: Frame) -> bool {
        let next = self.firsts.partition_point(|first| self.words[*first].line <= word.line);
        let Some(next) = self.firsts.get(next).copied() else { return true };
        let (next, follows) = (self.words[next], self.words.get(next + 1).map(|word| word.kind));
        let goes_on = lines::begins_open(next.kind, follows) && !lines::continues_block(next.kind);
        if next.indent > frame.indent && !goes_on {
            return false;
        }
        !(next.kind == word.kind && next.indent == frame.indent)
    }

    /// A closer too many: its opener may be missing at the end of a line above, else it counts for nothing.
    fn stray(&mut self, at: usize) {
        let word = self.words[at];
        let opener = word.kind.opener();
        self.surplus[sort(word.kind)] -= 1;
        if let (Some(opener), Some(header)) = (opener, self.header.filter(|_| word.begins_line)) {
            while let Some(frame) = self.frames.last()
                && frame.kind != TokenKind::LeftBrace
                && frame.line == self.words[header].line
                && self.may_be_open(frame.kind)
            {
                self.leave(header + 1);
            }
            if self.frames.last().is_none_or(|frame| frame.at <= header) {
                return self.insert_opener(opener, header, word);
            }
        }
        self.balance.changes.push((word.index, Change::Drop));
        if self.loses(self.words[0].span.start, word.span.start) {
            return;
        }
        self.balance.diagnostics.push(
            Diagnostic::new(Code::Unopened, word.span, format!("this `{}` closes nothing", word.kind.text()))
                .help("delete it, or write the bracket that it closes before it"),
        );
    }

    fn insert_opener(&mut self, opener: TokenKind, header: usize, closer: Word) {
        self.header = None;
        self.balance.changes.push((self.words[header + 1].index, Change::Insert(opener)));
        let (start, end) = (self.words[header].span.start, self.words[header + 1].span.start);
        if self.loses(start, end) {
            return;
        }
        let end = self.words[header].span.after();
        let message = format!("expected `{}`, found the end of the line", opener.text());
        let label = format!("this `{}` would close it, as the lines are indented", closer.kind.text());
        self.balance.diagnostics.push(Diagnostic::new(Code::Syntax, end, message).label(closer.span, label));
    }

    /// Closes the innermost bracket before a word; the first at one place is reported.
    fn leave(&mut self, at: usize) {
        let Some(frame) = self.frames.last().copied() else { return };
        self.pop();
        let (Some(closer), Some(before)) = (frame.kind.closer(), at.checked_sub(1)) else { return };
        // The comma at the end of the line belongs to the list around.
        let in_list = self.frames.last().is_some_and(|outer| outer.kind != TokenKind::LeftBrace);
        let comma = in_list && self.words[before].kind == TokenKind::Comma && frame.at < before;
        let index = self.words.get(at - usize::from(comma)).map_or(self.after, |word| word.index);
        self.balance.changes.push((index, Change::Insert(closer)));
        if frame.kind == TokenKind::StrOpen {
            return;
        }
        self.surplus[sort(frame.kind)] += 1;
        let (start, end) = (self.words[frame.at].span, self.words[before].span.after());
        if !self.loses(start.start, end.end) && self.left.replace(at) != Some(at) {
            let what = format!("this `{}` is never closed", frame.kind.text());
            let label = format!("`{}` is missing here, as the lines are indented", closer.text());
            self.balance.diagnostics.push(Diagnostic::new(Code::Unclosed, start, what).label(end, label));
        }
    }

    /// Whether brackets between two places may have got lost in a string or comment, which is reported.
    fn loses(&self, start: u32, end: u32) -> bool {
        let next = self.lost.partition_point(|lost| *lost < start);
        self.lost.get(next).is_some_and(|lost| *lost <= end)
    }

    fn may_be_open(&self, kind: TokenKind) -> bool {
        kind != TokenKind::StrOpen && (self.even || self.surplus[sort(kind)] < 0)
    }

    fn may_be_stray(&self, kind: TokenKind) -> bool {
        self.even || self.surplus[sort(kind)] > 0
    }
}

const STRING: usize = 3;

/// Which sort of bracket this is.
fn sort(kind: TokenKind) -> usize {
    match kind {
        TokenKind::LeftBrace | TokenKind::RightBrace => 0,
        TokenKind::LeftParen | TokenKind::RightParen => 1,
        TokenKind::LeftBracket | TokenKind::RightBracket => 2,
        _ => STRING,
    }
}

/// How many more closers than openers there are of each sort, outside strings.
fn surplus(words: &[Word]) -> [i64; 3] {
    let mut surplus = [0; 3];
    let mut strings = 0u32;
    for word in words {
        match word.kind {
            TokenKind::StrOpen => strings += 1,
            TokenKind::StrClose => strings = strings.saturating_sub(1),
            kind if strings == 0 && kind.closer().is_some() => surplus[sort(kind)] -= 1,
            kind if strings == 0 && kind.is_closer() => surplus[sort(kind)] += 1,
            _ => {}
        }
    }
    surplus
}
