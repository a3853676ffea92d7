//! Source to tokens.
//!
//! Lossless: every byte lies in exactly one token, and nothing fails; what is wrong becomes a token all the same, with
//! a diagnostic. A string with inserted expressions is several tokens, so a stack remembers the strings around.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    source::Source,
    span::Span,
    syntax::{
        number,
        quotes::OpenString,
        token::{Token, TokenKind},
    },
};

/// The tokens of a source, with what is wrong with them.
#[derive(Clone, Debug)]
pub struct Lexed {
    /// All tokens, trivia included.
    pub tokens: Vec<Token>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Takes a source apart. When a string of several lines has no end, it is taken apart once more, and the indentation of
/// the lines tells where such strings end.
pub fn lex(source: &Source) -> Lexed {
    let lexer = Lexer::new(source, false).run();
    let Lexer { tokens, diagnostics, .. } = if lexer.endless { Lexer::new(source, true).run() } else { lexer };
    Lexed { tokens, diagnostics }
}

pub(super) struct Lexer<'s> {
    source: &'s Source,
    pub(super) text: &'s str,
    pub(super) at: usize,
    /// Where the line begins.
    pub(super) line: usize,
    tokens: Vec<Token>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The strings whose inserted expressions are being read.
    pub(super) strings: Vec<OpenString>,
    /// How many of them end on their line.
    pub(super) short_strings: usize,
    /// The indentation of a line may end strings of several lines.
    pub(super) careful: bool,
    /// Such a string has no end.
    pub(super) endless: bool,
    /// No `*/` stands behind the last `/*`, so none is looked for again.
    no_block_end: bool,
}

impl<'s> Lexer<'s> {
    fn new(source: &'s Source, careful: bool) -> Self {
        Self {
            source,
            text: &source.text,
            at: 0,
            line: 0,
            tokens: Vec::with_capacity(source.text.len() / 3),
            diagnostics: Vec::new(),
            strings: Vec::new(),
            short_strings: 0,
            careful,
            endless: false,
            no_block_end: false,
        }
    }

    fn run(mut self) -> Self {
        while self.at < self.text.len() {
            self.token();
        }
        self.leave_strings(true);
        self
    }

    fn token(&mut self) {
        let start = self.at;
        let Some(first) = self.peek() else { return };
        self.at += first.len_utf8();
        let kind = match first {
            ' ' | '\t' | '\r' => {
                self.eat_while(|c| matches!(c, ' ' | '\t' | '\r'));
                TokenKind::Whitespace
            }
            '\n' => {
                self.at = start;
                self.line = start + 1;
                self.leave_strings(false);
                self.at = start + 1;
                TokenKind::Newline
            }
            '/' if self.eat('/') => self.comment(start),
            '/' if self.eat('*') => self.block_comment(start),
            '#' if start == 0 && self.eat('!') => {
                self.eat_while(|c| c != '\n');
                TokenKind::Comment
            }
            '#' => {
                self.eat_while(|c| c != '\n');
                self.report(Code::BadComment, start, "`#` begins no comment", "comments begin with `//`");
                TokenKind::Comment
            }
            '"' => self.string(start),
            '\'' | '`' | '“' | '„' => self.other_quotes(start, first),
            'r' if self.raw_string(start) => TokenKind::RawStr,
            '0'..='9' => {
                let (length, kind, problem) = number::scan(&self.text[start..], self.span(start, start));
                self.at = start + length;
                self.diagnostics.extend(problem);
                kind
            }
            '}' if self.strings.last().is_some_and(|open| open.braces == 0) => self.string_rest(start),
            c if c == '_' || unicode_ident::is_xid_start(c) => {
                self.eat_while(unicode_ident::is_xid_continue);
                TokenKind::of_word(&self.text[start..self.at])
            }
            _ => self.symbol(start, first),
        };
        self.push(kind, start);
    }

    fn comment(&mut self, start: usize) -> TokenKind {
        self.eat_while(|c| c != '\n');
        let text = &self.text[start..self.at];
        if text.ends_with('\r') {
            self.at -= 1;
        }
        match text.as_bytes().get(2) {
            Some(b'!') => TokenKind::ModuleDoc,
            Some(b'/') if text.as_bytes().get(3) != Some(&b'/') => TokenKind::DocComment,
            _ => TokenKind::Comment,
        }
    }

    fn block_comment(&mut self, start: usize) -> TokenKind {
        let end = if self.no_block_end { None } else { self.text[self.at..].find("*/") };
        match end {
            Some(length) => self.at += length + 2,
            None => self.eat_while(|c| c != '\n'),
        }
        self.no_block_end = end.is_none();
        self.report(Code::BadComment, start, "wf has no block comments", "begin each line with `//`");
        TokenKind::Comment
    }

    pub(super) fn symbol(&mut self, start: usize, first: char) -> TokenKind {
        let rest = &self.text.as_bytes()[start..];
        if let Some((kind, length)) = symbol(rest) {
            self.at = start + length;
            if matches!(kind, TokenKind::EqEq | TokenKind::NotEq) && self.eat('=') {
                let text = &self.text[start..self.at];
                self.report(
                    Code::Syntax,
                    start,
                    &format!("wf has no `{text}`"),
                    &format!("write `{}`, which compares values", kind.text()),
                );
            }
            if let Some(open) = self.strings.last_mut() {
                match kind {
                    TokenKind::LeftBrace => open.braces += 1,
                    TokenKind::RightBrace => open.braces -= 1,
                    _ => {}
                }
            }
            return kind;
        }
        let (message, help) = match first {
            '&' => ("wf has no `&`".to_owned(), Some("“and” is written `&&`")),
            '$' => ("`$` stands only in strings".to_owned(), Some("insert a value into a string with `${…}`")),
            '”' => (format!("`{first}` is no quotation mark of wf"), Some("write strings between `\"`")),
            '\u{a0}' | '\u{200b}' | '\u{feff}' => {
                (format!("an invisible character (U+{:04X})", u32::from(first)), Some("delete it or write a blank"))
            }
            c if c.is_control() => (format!("an invisible character (U+{:04X})", u32::from(c)), Some("delete it")),
            c => (format!("`{c}` has no meaning here"), None),
        };
        let mut diagnostic = Diagnostic::new(Code::UnknownCharacter, self.span(start, self.at), message);
        diagnostic.help.extend(help.map(str::to_owned));
        self.diagnostics.push(diagnostic);
        TokenKind::Unknown
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.text[self.at..].starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    fn eat_while(&mut self, go_on: impl Fn(char) -> bool) {
        let rest = &self.text[self.at..];
        self.at += rest.find(|c| !go_on(c)).unwrap_or(rest.len());
    }

    pub(super) fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: self.span(start, self.at) });
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source.id, start, end)
    }

    pub(super) fn report(&mut self, code: Code, start: usize, message: &str, help: &str) {
        self.diagnostics.push(Diagnostic::new(code, self.span(start, self.at), message).help(help));
    }
}

/// The longest symbol at the beginning of `rest`, with its length.
fn symbol(rest: &[u8]) -> Option<(TokenKind, usize)> {
    use TokenKind as T;
    let second = rest.get(1).copied().unwrap_or(0);
    let third = rest.get(2).copied().unwrap_or(0);
    Some(match (*rest.first()?, second, third) {
        (b'.', b'.', b'.') => (T::Ellipsis, 3),
        (b'.', b'.', b'=') => (T::DotDotEq, 3),
        (b'.', b'.', _) => (T::DotDot, 2),
        (b'?', b'.', d) if d != b'.' => (T::QuestionDot, 2),
        (b'?', b'?', _) => (T::Coalesce, 2),
        (b'=', b'=', _) => (T::EqEq, 2),
        (b'=', b'>', _) => (T::FatArrow, 2),
        (b'!', b'=', _) => (T::NotEq, 2),
        (b'<', b'=', _) => (T::LessEq, 2),
        (b'>', b'=', _) => (T::GreaterEq, 2),
        (b'+', b'=', _) => (T::PlusEq, 2),
        (b'-', b'=', _) => (T::MinusEq, 2),
        (b'-', b'>', _) => (T::Arrow, 2),
        (b'*', b'=', _) => (T::StarEq, 2),
        (b'/', b'=', _) => (T::SlashEq, 2),
        (b'%', b'=', _) => (T::PercentEq, 2),
        (b'&', b'&', _) => (T::And, 2),
        (b'|', b'|', _) => (T::Or, 2),
        (b'|', b'>', _) => (T::Pipe, 2),
        (b'{', ..) => (T::LeftBrace, 1),
        (b'}', ..) => (T::RightBrace, 1),
        (b'(', ..) => (T::LeftParen, 1),
        (b')', ..) => (T::RightParen, 1),
        (b'[', ..) => (T::LeftBracket, 1),
        (b']', ..) => (T::RightBracket, 1),
        (b',', ..) => (T::Comma, 1),
        (b';', ..) => (T::Semicolon, 1),
        (b':', ..) => (T::Colon, 1),
        (b'?', ..) => (T::Question, 1),
        (b'@', ..) => (T::At, 1),
        (b'.', ..) => (T::Dot, 1),
        (b'=', ..) => (T::Eq, 1),
        (b'<', ..) => (T::Less, 1),
        (b'>', ..) => (T::Greater, 1),
        (b'+', ..) => (T::Plus, 1),
        (b'-', ..) => (T::Minus, 1),
        (b'*', ..) => (T::Star, 1),
        (b'/', ..) => (T::Slash, 1),
        (b'%', ..) => (T::Percent, 1),
        (b'!', ..) => (T::Not, 1),
        (b'|', ..) => (T::Bar, 1),
        _ => return None,
    })
}
