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

/// Takes a source apart.
pub fn lex(source: &Source) -> Lexed {
    let mut lexer = Lexer {
        source,
        text: &source.text,
        at: 0,
        tokens: Vec::with_capacity(source.text.len() / 3),
        diagnostics: Vec::new(),
        strings: Vec::new(),
        short_strings: 0,
        no_block_end: false,
    };
    while lexer.at < lexer.text.len() {
        lexer.token();
    }
    lexer.leave_strings(true);
    Lexed { tokens: lexer.tokens, diagnostics: lexer.diagnostics }
}

struct Lexer<'s> {
    source: &'s Source,
    text: &'s str,
    at: usize,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
    strings: Vec<OpenString>,
    /// How many of them end on their line.
    short_strings: usize,
    /// No `*/` stands behind the last `/*`, so none is looked for again.
    no_block_end: bool,
}

/// A string whose inserted expression is being read.
#[derive(Clone, Copy)]
struct OpenString {
    start: usize,
    multiline: bool,
    /// Braces open within the inserted expression.
    braces: u32,
}

impl Lexer<'_> {
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

    /// `'…'` and backticks, up to their end on the same line.
    fn other_quotes(&mut self, start: usize, quote: char) -> TokenKind {
        let rest = &self.text[self.at..];
        let closing: &[char] = if matches!(quote, '“' | '„') { &['”', '“', '„'] } else { &[quote] };
        let end = rest.find(|c| c == '\n' || closing.contains(&c)).filter(|end| !rest[*end..].starts_with('\n'));
        let Some(length) = end else {
            let message = match quote {
                '`' => "strings do not begin with a backtick".to_owned(),
                _ => format!("strings do not begin with `{quote}`"),
            };
            self.report(Code::UnknownCharacter, start, &message, "write strings in double quotes: \"…\"");
            return TokenKind::Unknown;
        };
        let inside = &rest[..length];
        self.at += length + rest[length..].chars().next().map_or(0, char::len_utf8);
        let what = match quote {
            '`' => "backticks",
            '\'' => "single quotes",
            _ => "typographic quotes",
        };
        let help = if inside.contains(['"', '\\']) {
            "write it in double quotes: \"…\"".to_owned()
        } else {
            format!("write \"{inside}\"")
        };
        self.report(Code::UnknownCharacter, start, &format!("strings do not stand in {what}"), &help);
        TokenKind::BadStr
    }

    /// The rest of a string whose first quote is eaten.
    fn string(&mut self, start: usize) -> TokenKind {
        let multiline = self.text[self.at..].starts_with("\"\"");
        if multiline {
            self.at += 2;
        }
        self.string_part(OpenString { start, multiline, braces: 0 }, TokenKind::Str, TokenKind::StrOpen)
    }

    /// The part of a string after an inserted expression, whose `}` is eaten.
    fn string_rest(&mut self, start: usize) -> TokenKind {
        match self.strings.pop() {
            Some(open) => {
                self.short_strings -= usize::from(!open.multiline);
                self.string_part(open, TokenKind::StrClose, TokenKind::StrMiddle)
            }
            None => self.symbol(start, '}'),
        }
    }

    /// Text up to the closing quotes (`closed`) or the next `${` (`opened`).
    fn string_part(&mut self, open: OpenString, closed: TokenKind, opened: TokenKind) -> TokenKind {
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = rest.find(['"', '\\', '$', '\n']) else {
                self.at = self.text.len();
                self.unclosed(open);
                return closed;
            };
            self.at += length;
            let rest = &rest[length..];
            match rest.as_bytes()[0] {
                b'"' if !open.multiline => {
                    self.at += 1;
                    return closed;
                }
                b'"' if rest.starts_with("\"\"\"") => {
                    self.at += 3;
                    return closed;
                }
                b'\\' => {
                    let escaped = rest[1..].chars().next().filter(|c| *c != '\n');
                    self.at += 1 + escaped.map_or(0, char::len_utf8);
                }
                b'$' if rest.starts_with("${") => {
                    self.at += 2;
                    self.short_strings += usize::from(!open.multiline);
                    self.strings.push(OpenString { braces: 0, ..open });
                    return opened;
                }
                b'\n' if !open.multiline => {
                    self.unclosed(open);
                    return closed;
                }
                _ => self.at += 1,
            }
        }
    }

    /// At a line break, the end of strings that cannot span lines; at the end of the source, of all.
    fn leave_strings(&mut self, all: bool) {
        if !all && self.short_strings == 0 {
            return;
        }
        let Some(outermost) = self.strings.iter().position(|open| all || !open.multiline) else { return };
        self.short_strings = 0;
        let left: Vec<OpenString> = self.strings.drain(outermost..).collect();
        for _ in &left {
            self.push(TokenKind::StrClose, self.at);
        }
        self.unclosed(left[0]);
    }

    fn unclosed(&mut self, open: OpenString) {
        let span = self.span(open.start, open.start + if open.multiline { 3 } else { 1 });
        let diagnostic = if open.multiline {
            Diagnostic::new(Code::UnclosedString, span, "this string is never closed").help("end it with `\"\"\"`")
        } else {
            Diagnostic::new(Code::UnclosedString, span, "this string is not closed on its line")
                .help("end it with `\"`, or write a string of several lines between `\"\"\"`")
        };
        self.diagnostics.push(diagnostic);
    }

    /// A raw string after its `r`; false, with nothing eaten, when none stands here.
    fn raw_string(&mut self, start: usize) -> bool {
        let rest = &self.text[self.at..];
        let hashes = rest.bytes().take_while(|b| *b == b'#').count();
        if !rest[hashes..].starts_with('"') {
            return false;
        }
        let quotes = if rest[hashes..].starts_with("\"\"\"") { 3 } else { 1 };
        let end = format!("{}{}", &"\"\"\""[..quotes], &rest[..hashes]);
        let body = &rest[hashes + quotes..];
        let (length, closed) = raw_end(body, &end, quotes == 3);
        self.at += hashes + quotes + length;
        if !closed {
            let span = self.span(start, start + 1 + hashes + quotes);
            self.diagnostics.push(
                Diagnostic::new(Code::UnclosedString, span, "this raw string is never closed")
                    .help(format!("end it with `{end}`")),
            );
        }
        true
    }

    fn symbol(&mut self, start: usize, first: char) -> TokenKind {
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

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: self.span(start, self.at) });
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source.id, start, end)
    }

    fn report(&mut self, code: Code, start: usize, message: &str, help: &str) {
        self.diagnostics.push(Diagnostic::new(code, self.span(start, self.at), message).help(help));
    }
}

/// How far a raw string goes after its opening quotes, and whether `end` closes it there: on its line, or anywhere.
fn raw_end(body: &str, end: &str, multiline: bool) -> (usize, bool) {
    let mut at = 0;
    while let Some(next) = body[at..].find(['"', '\n']) {
        at += next;
        if body[at..].starts_with(end) {
            return (at + end.len(), true);
        }
        if !multiline && body[at..].starts_with('\n') {
            return (at, false);
        }
        at += 1;
    }
    (body.len(), false)
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
