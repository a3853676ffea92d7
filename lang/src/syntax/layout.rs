//! Tokens to what the grammar sees: balanced brackets, line breaks only where they separate, no trivia.
//!
//! One linear pass. A bracket left open is found by indentation, closed by an empty token and reported once; after
//! this pass every bracket has its partner, which `Tok::pair` names. Nesting is bounded here, so that what walks the
//! tree later may recurse.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    source::Source,
    span::{SourceId, Span},
    syntax::{
        lines,
        token::{Token, TokenKind},
    },
};

/// A token as the grammar sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tok {
    /// Which.
    pub kind: TokenKind,
    /// The first on its line.
    pub begins_line: bool,
    /// A `(` that opens the parameters of a lambda, or a `>` that closes a type.
    pub marked: bool,
    /// A closer that nobody wrote.
    pub inserted: bool,
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// The index of the bracket's partner.
    pub pair: u32,
}

/// What the grammar reads.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The tokens.
    pub toks: Vec<Tok>,
    /// Doc comments, each with the index of the token it stands before.
    pub docs: Vec<(u32, String)>,
    /// The `//!` lines.
    pub module_doc: Option<String>,
    /// What is wrong with brackets.
    pub diagnostics: Vec<Diagnostic>,
}

const MAX_OPEN: usize = 256;
const MAX_TOKENS: u32 = 1000;
const NOWHERE: u32 = u32::MAX;

/// Prepares tokens for the grammar; `problems` are the lexer's.
pub(super) fn layout(source: &Source, tokens: &[Token], problems: &[Diagnostic]) -> Layout {
    let mut unclosed_strings =
        problems.iter().filter(|p| p.code == Code::UnclosedString).map(|p| p.span.start).collect::<Vec<_>>();
    unclosed_strings.sort_unstable();
    let mut pass = Pass {
        source: source.id,
        text: &source.text,
        out: Layout { toks: Vec::with_capacity(tokens.len() / 2), ..Layout::default() },
        frames: vec![Frame::new(TokenKind::TooDeep, NOWHERE, 0, 0)],
        total: 0,
        careful: !balanced(tokens),
        skipping: false,
        item: 0,
        line: 0,
        indent: 0,
        begins_line: true,
        doc: None,
        unclosed_strings,
        closed: NOWHERE,
    };
    for (index, token) in tokens.iter().enumerate() {
        pass.token(*token, &tokens[index + 1..]);
    }
    pass.finish();
    pass.out
}

/// Whether every bracket has its partner.
fn balanced(tokens: &[Token]) -> bool {
    let mut open = Vec::new();
    tokens.iter().all(|token| {
        open.extend(token.kind.closer());
        !token.kind.is_closer() || open.pop() == Some(token.kind)
    }) && open.is_empty()
}

/// An open bracket; the lowest one stands for the file.
struct Frame {
    opener: TokenKind,
    index: u32,
    start: u32,
    /// How far the line of the opener is indented.
    indent: u32,
    /// Tokens since the last separator.
    count: u32,
    /// `<` that may be of a type.
    angles: u32,
}

impl Frame {
    fn new(opener: TokenKind, index: u32, start: u32, indent: u32) -> Self {
        Self { opener, index, start, indent, count: 0, angles: 0 }
    }
}

struct Pass<'s> {
    source: SourceId,
    text: &'s str,
    out: Layout,
    frames: Vec<Frame>,
    /// The sum of the frames' counts.
    total: u32,
    /// Brackets do not match, so indentation decides.
    careful: bool,
    /// Within a declaration that is nested too deeply.
    skipping: bool,
    /// Index of the first token of the declaration.
    item: usize,
    /// Offset at which the line begins.
    line: u32,
    /// Indentation of the line.
    indent: u32,
    begins_line: bool,
    doc: Option<String>,
    /// Where strings begin that nothing closes, in order.
    unclosed_strings: Vec<u32>,
    /// Index of the bracket that was closed last.
    closed: u32,
}

impl Pass<'_> {
    fn token(&mut self, token: Token, rest: &[Token]) {
        match token.kind {
            TokenKind::Newline => {
                self.line = token.span.end;
                self.begins_line = true;
            }
            TokenKind::DocComment => add_line(&mut self.doc, &self.text[token.span.range()]),
            TokenKind::ModuleDoc => add_line(&mut self.out.module_doc, &self.text[token.span.range()]),
            kind if kind.is_trivia() => {}
            _ => self.significant(token, rest),
        }
    }

    fn significant(&mut self, token: Token, rest: &[Token]) {
        let begins_line = std::mem::take(&mut self.begins_line);
        if begins_line {
            self.indent = token.span.start - self.line;
            if self.careful {
                self.leave_by_indent(token.kind);
            }
            self.line_break(token.kind, rest);
        }
        if token.kind.is_closer() {
            return self.close(token, begins_line);
        }
        self.count(token.kind);
        self.push(token, begins_line);
        if token.kind.closer().is_some() {
            let index = self.last_index();
            self.frames.push(Frame::new(token.kind, index, token.span.start, self.indent));
        }
        if self.frames.len() > MAX_OPEN + 1 || self.total > MAX_TOKENS {
            self.too_deep(token.span);
        }
    }

    /// Emits a line break before the token that begins a line, if it separates there.
    fn line_break(&mut self, kind: TokenKind, rest: &[Token]) {
        let frame = self.frame();
        let outermost = frame.opener == TokenKind::TooDeep;
        if !outermost && frame.opener != TokenKind::LeftBrace {
            return;
        }
        let next = rest.iter().map(|token| token.kind).find(|kind| !kind.is_trivia());
        let declares = outermost && lines::begins_declaration(kind, next);
        if self.skipping {
            if outermost && (declares || kind == TokenKind::At) {
                self.skipping = false;
                let end = self.previous_end();
                if let Some(last) = self.out.toks.last_mut() {
                    last.end = last.end.max(end);
                }
            } else {
                return;
            }
        }
        let Some(last) = self.out.toks.last() else { return };
        let before = self.out.toks.len().checked_sub(2).map(|index| self.out.toks[index].kind);
        let goes_on = lines::ends_open(before, last.kind, last.marked) || lines::begins_open(kind, next);
        if (goes_on && !declares && !matches!(kind, TokenKind::Let | TokenKind::While)) || kind.is_closer() {
            return;
        }
        self.separate();
        if !matches!(self.out.toks.last().map(|tok| tok.kind), Some(TokenKind::Semicolon | TokenKind::LeftBrace)) {
            let at = self.previous_end();
            self.out.toks.push(tok(TokenKind::Newline, at, at));
        }
        if outermost {
            self.item = self.out.toks.len();
        }
    }

    fn close(&mut self, token: Token, begins_line: bool) {
        let Some(depth) = self.partner(token.kind) else {
            let text = token.kind.text();
            if token.kind != TokenKind::StrClose && !self.skipping {
                self.out.diagnostics.push(
                    Diagnostic::new(Code::Unopened, token.span, format!("this `{text}` closes nothing"))
                        .help("delete it, or write the bracket that it closes before it"),
                );
            }
            return;
        };
        let mut reported = false;
        while self.frames.len() > depth + 1 {
            self.leave(&mut reported);
        }
        self.pop();
        self.count(token.kind);
        self.push(token, begins_line);
        self.pair();
    }

    /// The place of the frame that a closer closes: a `)` or `]` closes nothing beyond a `{`.
    fn partner(&self, closer: TokenKind) -> Option<usize> {
        for (index, frame) in self.frames.iter().enumerate().skip(1).rev() {
            if frame.opener.closer() == Some(closer) {
                return Some(index);
            }
            let wall = match closer {
                TokenKind::RightBrace => frame.opener == TokenKind::StrOpen,
                TokenKind::StrClose => false,
                _ => matches!(frame.opener, TokenKind::LeftBrace | TokenKind::StrOpen),
            };
            if wall {
                return None;
            }
        }
        None
    }

    /// Closes the brackets that the indentation of this line says were left open.
    fn leave_by_indent(&mut self, kind: TokenKind) {
        let mut reported = false;
        while self.frames.len() > 1 {
            let frame = self.frame();
            let left = if frame.opener == TokenKind::StrOpen {
                false
            } else if kind.is_closer() {
                frame.opener.closer() == Some(kind)
                    && self.indent < frame.indent
                    && self
                        .frames
                        .iter()
                        .rev()
                        .skip(1)
                        .any(|outer| outer.opener.closer() == Some(kind) && outer.indent <= self.indent)
            } else {
                self.indent < frame.indent || self.indent == frame.indent && !lines::begins_open(kind, None)
            };
            if !left {
                return;
            }
            self.leave(&mut reported);
        }
    }

    /// Closes the innermost bracket with a token that nobody wrote; the first at one place is reported.
    fn leave(&mut self, reported: &mut bool) {
        let at = self.previous_end();
        let (opener, start) = (self.frame().opener, self.frame().start);
        let string = self.unclosed_strings.partition_point(|string| *string < start);
        let by_string = self.unclosed_strings.get(string).is_some_and(|string| *string <= at);
        if !*reported && !by_string && !self.skipping && opener != TokenKind::StrOpen {
            *reported = true;
            let span = Span { source: self.source, start, end: start + 1 };
            let closer = opener.closer().map_or("", TokenKind::text);
            let what = format!("this `{}` is never closed", opener.text());
            let here = Span { source: self.source, start: at, end: at };
            self.out.diagnostics.push(
                Diagnostic::new(Code::Unclosed, span, what)
                    .label(here, format!("`{closer}` is missing here, as the lines are indented")),
            );
        }
        let closer = opener.closer().unwrap_or(TokenKind::RightBrace);
        self.pop();
        if !self.skipping {
            self.out.toks.push(Tok { inserted: true, ..tok(closer, at, at) });
            self.pair();
        }
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.total -= frame.count;
            self.closed = frame.index;
        }
    }

    fn finish(&mut self) {
        let mut reported = false;
        while self.frames.len() > 1 {
            self.leave(&mut reported);
        }
    }

    /// Ties the last token to the bracket that was closed.
    fn pair(&mut self) {
        let index = self.last_index();
        if !self.skipping && self.closed != NOWHERE {
            self.out.toks[self.closed as usize].pair = index;
            self.out.toks[index as usize].pair = self.closed;
        }
    }

    fn count(&mut self, kind: TokenKind) {
        if matches!(kind, TokenKind::Comma | TokenKind::Semicolon | TokenKind::StrMiddle) {
            self.separate();
        }
        self.total += 1;
        if let Some(frame) = self.frames.last_mut() {
            frame.count += 1;
        }
    }

    fn separate(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            self.total -= frame.count;
            frame.count = 0;
            frame.angles = 0;
        }
    }

    /// Appends a token, and marks what it makes of the tokens before.
    fn push(&mut self, token: Token, begins_line: bool) {
        if self.skipping {
            return;
        }
        let mut new = Tok { begins_line, ..tok(token.kind, token.span.start, token.span.end) };
        let before = self.out.toks.last().copied();
        if let Some(frame) = self.frames.last_mut() {
            match token.kind {
                TokenKind::Less if before.is_some_and(|tok| tok.kind.is_word()) => frame.angles += 1,
                TokenKind::Greater if frame.angles > 0 => {
                    frame.angles -= 1;
                    new.marked = true;
                }
                kind if !lines::may_be_in_type(kind) => frame.angles = 0,
                _ => {}
            }
        }
        if let Some(Tok { kind: TokenKind::RightParen, pair, .. }) = before
            && token.kind == TokenKind::FatArrow
            && pair != NOWHERE
        {
            self.out.toks[pair as usize].marked = true;
        }
        self.out.toks.push(new);
        if let Some(doc) = self.doc.take() {
            self.out.docs.push((self.last_index(), doc));
        }
    }

    /// Replaces the declaration by one token.
    fn too_deep(&mut self, span: Span) {
        if self.skipping {
            return;
        }
        self.skipping = true;
        let (message, help) = if self.frames.len() > MAX_OPEN + 1 {
            (format!("more than {MAX_OPEN} brackets are open here"), "move parts into functions of their own")
        } else {
            (format!("more than {MAX_TOKENS} words and signs without a separator"), "give parts names with `let`")
        };
        self.out.diagnostics.push(Diagnostic::new(Code::TooDeep, span, message).help(help));
        let start = self.out.toks.get(self.item).map_or(span.start, |tok| tok.start);
        self.out.toks.truncate(self.item);
        let item = self.item;
        self.out.docs.truncate(self.out.docs.partition_point(|(index, _)| (*index as usize) < item));
        self.out.toks.push(tok(TokenKind::TooDeep, start, span.end));
        self.frames.iter_mut().for_each(|frame| frame.index = NOWHERE);
    }

    fn frame(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    fn previous_end(&self) -> u32 {
        self.out.toks.last().map_or(0, |tok| tok.end)
    }

    fn last_index(&self) -> u32 {
        u32::try_from(self.out.toks.len()).unwrap_or(NOWHERE).saturating_sub(1)
    }
}

fn tok(kind: TokenKind, start: u32, end: u32) -> Tok {
    Tok { kind, begins_line: false, marked: false, inserted: false, start, end, pair: NOWHERE }
}

/// Adds the text of a doc comment's line.
fn add_line(doc: &mut Option<String>, comment: &str) {
    let line = comment.get(3..).unwrap_or_default();
    let line = line.strip_prefix(' ').unwrap_or(line);
    match doc {
        Some(doc) => {
            doc.push('\n');
            doc.push_str(line);
        }
        None => *doc = Some(line.to_owned()),
    }
}
