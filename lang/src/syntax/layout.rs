//! Tokens to what the grammar sees: balanced brackets, line breaks only where they separate, no trivia.
//!
//! One linear pass. Brackets that are missing are empty tokens here, those that are too many are left out, so every
//! bracket has its partner, which `Tok::pair` names. Nesting is bounded here, so that what walks the tree later may
//! recurse.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    source::Source,
    span::{SourceId, Span},
    syntax::{
        balance::{Balance, Change, balance},
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
    /// A bracket that nobody wrote.
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
    let Balance { changes, diagnostics } = balance(source, tokens, problems);
    let mut pass = Pass {
        text: &source.text,
        out: Layout { toks: Vec::with_capacity(tokens.len() / 2), ..Layout::default() },
        frames: vec![Frame::new(TokenKind::TooDeep, NOWHERE)],
        total: 0,
        skipping: false,
        skipped: Vec::new(),
        item: 0,
        begins_line: true,
        ends_dropped: false,
        doc: None,
    };
    let mut changes = changes.into_iter().peekable();
    for (index, token) in tokens.iter().enumerate() {
        let mut dropped = false;
        while let Some((_, change)) = changes.next_if(|(at, _)| *at == index) {
            match change {
                Change::Insert(kind) => pass.insert(kind),
                Change::Drop => {
                    dropped = true;
                    pass.ends_dropped = true;
                }
            }
        }
        if !dropped {
            pass.token(*token, &tokens[index + 1..]);
        }
    }
    changes.for_each(|(_, change)| {
        if let Change::Insert(kind) = change {
            pass.insert(kind);
        }
    });
    pass.leave_skipped(source.text.len());
    let Pass { mut out, skipped, .. } = pass;
    let seen = |diagnostic: &Diagnostic| {
        let next = skipped.partition_point(|(start, _)| *start <= diagnostic.span.start);
        next.checked_sub(1).is_none_or(|before| skipped[before].1 <= diagnostic.span.start)
    };
    out.diagnostics.extend(diagnostics.into_iter().filter(seen));
    out
}

/// An open bracket; the lowest one stands for the file.
struct Frame {
    opener: TokenKind,
    index: u32,
    /// Tokens since the last separator.
    count: u32,
    /// `<` that may be of a type.
    angles: u32,
    /// One of them is of a type for certain: `map<`, `agent<`.
    generic: bool,
}

impl Frame {
    fn new(opener: TokenKind, index: u32) -> Self {
        Self { opener, index, count: 0, angles: 0, generic: false }
    }
}

struct Pass<'s> {
    text: &'s str,
    out: Layout,
    frames: Vec<Frame>,
    /// The sum of the frames' counts.
    total: u32,
    /// Within a declaration that is nested too deeply.
    skipping: bool,
    /// Where those declarations begin and end.
    skipped: Vec<(u32, u32)>,
    /// Index of the first token of the declaration.
    item: usize,
    begins_line: bool,
    /// A closer that counts for nothing stands behind the last token, so the line does not go on.
    ends_dropped: bool,
    doc: Option<String>,
}

impl Pass<'_> {
    fn token(&mut self, token: Token, rest: &[Token]) {
        match token.kind {
            TokenKind::Newline => self.begins_line = true,
            TokenKind::DocComment => add_line(&mut self.doc, &self.text[token.span.range()]),
            TokenKind::ModuleDoc => add_line(&mut self.out.module_doc, &self.text[token.span.range()]),
            kind if kind.is_trivia() => {}
            _ => self.significant(token, rest),
        }
    }

    fn significant(&mut self, token: Token, rest: &[Token]) {
        let begins_line = std::mem::take(&mut self.begins_line);
        if begins_line {
            self.line_break(token, rest);
        }
        self.ends_dropped = false;
        if token.kind.is_closer() {
            return self.close(Tok { begins_line, ..tok(token.kind, token.span.start, token.span.end) });
        }
        self.count(token.kind);
        if token.kind == TokenKind::GreaterEq && self.frame().generic {
            let (greater, eq) = halves(token);
            self.push(greater, begins_line);
            return self.push(eq, false);
        }
        self.push(token, begins_line);
        self.open(token);
    }

    /// A bracket that nobody wrote, behind the last token.
    fn insert(&mut self, kind: TokenKind) {
        let at = self.previous_end();
        let new = Tok { inserted: true, ..tok(kind, at, at) };
        if kind.is_closer() {
            return self.close(new);
        }
        self.count(kind);
        if !self.skipping {
            self.out.toks.push(new);
        }
        self.open(Token { kind, span: Span { source: SourceId(0), start: at, end: at } });
    }

    /// Notes an opening bracket that was pushed, and whether there are too many.
    fn open(&mut self, token: Token) {
        if token.kind.closer().is_some() {
            let index = self.last_index();
            self.frames.push(Frame::new(token.kind, index));
        }
        if self.frames.len() > MAX_OPEN + 1 || self.total > MAX_TOKENS {
            self.too_deep(token.span);
        }
    }

    /// Emits a line break before the token that begins a line, if it separates there.
    fn line_break(&mut self, token: Token, rest: &[Token]) {
        let (kind, start) = (token.kind, token.span.start);
        let frame = self.frame();
        let outermost = frame.opener == TokenKind::TooDeep;
        if !outermost && frame.opener != TokenKind::LeftBrace {
            return;
        }
        let next = rest.iter().map(|token| token.kind).find(|kind| !kind.is_trivia());
        let declares = outermost && lines::begins_declaration(kind, next);
        if self.skipping {
            if !(outermost && (declares || kind == TokenKind::At)) {
                return;
            }
            self.leave_skipped(start as usize);
        }
        let Some(last) = self.out.toks.last() else { return };
        let before = self.out.toks.len().checked_sub(2).map(|index| self.out.toks[index].kind);
        let ends_open = !self.ends_dropped && lines::ends_open(before, last.kind, last.marked);
        let goes_on = ends_open || lines::begins_open(kind, next);
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

    fn close(&mut self, closer: Tok) {
        let Some(frame) = self.frames.pop_if(|frame| frame.opener.closer() == Some(closer.kind)) else { return };
        self.total -= frame.count;
        self.count(closer.kind);
        if self.skipping {
            return;
        }
        self.out.toks.push(closer);
        if frame.index != NOWHERE {
            let index = self.last_index();
            self.out.toks[frame.index as usize].pair = index;
            self.out.toks[index as usize].pair = frame.index;
        }
    }

    /// Ends a declaration that is nested too deeply.
    fn leave_skipped(&mut self, end: usize) {
        if std::mem::take(&mut self.skipping)
            && let Some(last) = self.skipped.last_mut()
        {
            last.1 = u32::try_from(end).unwrap_or(u32::MAX);
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
            frame.generic = false;
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
                TokenKind::Less if before.is_some_and(|tok| tok.kind.is_word()) => {
                    let before = before.map_or("", |tok| &self.text[tok.start as usize..tok.end as usize]);
                    frame.angles += 1;
                    frame.generic |= matches!(before, "map" | "agent" | "type");
                }
                TokenKind::Greater if frame.angles > 0 => {
                    frame.angles -= 1;
                    new.marked = true;
                }
                kind if !lines::may_be_in_type(kind) => frame.angles = 0,
                _ => {}
            }
            frame.generic &= frame.angles > 0;
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
        self.skipped.push((start, span.end));
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

/// `>=` taken apart, where the `>` closes a type.
fn halves(token: Token) -> (Token, Token) {
    let middle = token.span.start + 1;
    let half = |kind, start, end| Token { kind, span: Span { start, end, ..token.span } };
    (half(TokenKind::Greater, token.span.start, middle), half(TokenKind::Eq, middle, token.span.end))
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
