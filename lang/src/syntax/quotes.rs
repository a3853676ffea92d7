//! Strings as the lexer sees them: where they end, and where the expressions end that are inserted into them.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::{lex::Lexer, token::TokenKind},
};

/// A string that is being read.
#[derive(Clone, Copy)]
pub(super) struct OpenString {
    start: usize,
    multiline: bool,
    /// Where its last `${` stands.
    inserted: usize,
    /// Braces open within the inserted expression.
    pub(super) braces: u32,
    /// How far the line is indented on which it begins.
    indent: usize,
}

impl Lexer<'_> {
    /// `'…'` and backticks, up to their end on the same line.
    pub(super) fn other_quotes(&mut self, start: usize, quote: char) -> TokenKind {
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
    pub(super) fn string(&mut self, start: usize) -> TokenKind {
        let multiline = self.text[self.at..].starts_with("\"\"");
        if multiline {
            self.at += 2;
        }
        if self.ends_inserted(start, multiline) {
            return TokenKind::StrClose;
        }
        let indent = self.indent();
        let open = OpenString { start, multiline, inserted: start, braces: 0, indent };
        self.string_part(open, TokenKind::Str, TokenKind::StrOpen)
    }

    /// The part of a string after an inserted expression, whose `}` is eaten.
    pub(super) fn string_rest(&mut self, start: usize) -> TokenKind {
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
                    let inserted = self.at;
                    self.at += 2;
                    self.short_strings += usize::from(!open.multiline);
                    self.strings.push(OpenString { braces: 0, inserted, ..open });
                    return opened;
                }
                b'\n' if !open.multiline => {
                    self.at -= usize::from(self.text[..self.at].ends_with('\r'));
                    self.unclosed(open);
                    return closed;
                }
                b'\n' => {
                    self.line = self.at + 1;
                    if self.leaves(open) {
                        self.at -= usize::from(self.text[..self.at].ends_with('\r'));
                        self.unclosed(open);
                        return closed;
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// At a line break, the end of strings that cannot span lines; at the end of the source, of all.
    pub(super) fn leave_strings(&mut self, all: bool) {
        while !all && let Some(open) = self.strings.pop_if(|open| open.multiline) {
            if !self.leaves(open) {
                self.strings.push(open);
                break;
            }
            self.push(TokenKind::StrClose, self.at);
            self.unclosed_insertion(open);
        }
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

    /// Whether the line that follows stands too far left to belong to a string of several lines.
    fn leaves(&self, open: OpenString) -> bool {
        if !self.careful {
            return false;
        }
        let text = &self.text[self.line..];
        let line = text.trim_start_matches([' ', '\t', '\r']);
        let indent = text.len() - line.len();
        let inside = line.is_empty() || line.starts_with('\n') || line.starts_with("\"\"\"") || indent > open.indent;
        !inside && (indent < open.indent || looks_like_code(line, indent == 0))
    }

    /// Ends a raw string without an end before the first line that does not belong to it.
    fn leave_raw(&mut self, open: OpenString, begin: usize) {
        let breaks = self.text[begin..].match_indices('\n').map(|(at, _)| begin + at);
        for at in breaks {
            self.line = at + 1;
            if self.leaves(open) {
                self.at = at - usize::from(self.text[..at].ends_with('\r'));
                return;
            }
        }
    }

    /// How far the line is indented, where that may matter.
    fn indent(&self) -> usize {
        let line = &self.text[self.line..];
        if self.careful { line.len() - line.trim_start_matches([' ', '\t']).len() } else { 0 }
    }

    /// Whether quotes at the beginning of a line end a string although its inserted expression has no `}`.
    fn ends_inserted(&mut self, start: usize, multiline: bool) -> bool {
        let begins = self.careful && multiline && self.text[self.line..start].trim_matches([' ', '\t']).is_empty();
        let Some(open) = self.strings.pop_if(|open| begins && open.multiline) else { return false };
        self.unclosed_insertion(open);
        true
    }

    fn unclosed_insertion(&mut self, open: OpenString) {
        let span = self.span(open.inserted, open.inserted + 2);
        self.diagnostics.push(
            Diagnostic::new(Code::UnclosedString, span, "this `${` is never closed")
                .help("end it with `}`; a `$` before a `{` that is text is written `\\$`"),
        );
    }

    fn unclosed(&mut self, open: OpenString) {
        self.endless |= open.multiline;
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
    pub(super) fn raw_string(&mut self, start: usize) -> bool {
        let rest = &self.text[self.at..];
        let hashes = rest.bytes().take_while(|b| *b == b'#').count();
        if !rest[hashes..].starts_with('"') {
            return false;
        }
        let quotes = if rest[hashes..].starts_with("\"\"\"") { 3 } else { 1 };
        let end = format!("{}{}", &"\"\"\""[..quotes], &rest[..hashes]);
        let body = &rest[hashes + quotes..];
        let (length, closed) = raw_end(body, &end, quotes == 3);
        let indent = self.indent();
        self.at += hashes + quotes;
        let begin = self.at;
        self.at += length;
        if !closed {
            self.endless |= quotes == 3;
            if quotes == 3 {
                self.leave_raw(OpenString { start, multiline: true, inserted: start, braces: 0, indent }, begin);
            }
            let span = self.span(start, start + 1 + hashes + quotes);
            let message = match quotes {
                1 => "this raw string is not closed on its line",
                _ => "this raw string is never closed",
            };
            self.diagnostics
                .push(Diagnostic::new(Code::UnclosedString, span, message).help(format!("end it with `{end}`")));
        }
        true
    }
}

/// Whether a line is rather code than text: it begins with a keyword, a bracket, a comment, or a name that is called or
/// assigned; at the left margin, only with the keyword of a declaration.
fn looks_like_code(line: &str, margin: bool) -> bool {
    let length = line.find(|c| !unicode_ident::is_xid_continue(c)).unwrap_or(line.len());
    let (word, rest) = line.split_at(length);
    let kind = TokenKind::of_word(word);
    let next = rest.trim_start_matches(' ');
    if margin {
        use TokenKind::{Agent, Fn, Import, Let, State, Step, Test, Type, Workflow};
        let declares = matches!(kind, Agent | Fn | Import | Let | State | Step | Test | Type | Workflow);
        return declares && rest.starts_with(' ') || line.starts_with("@") || line.starts_with("///");
    }
    match word {
        "" => line.starts_with(['}', ')', ']', '@']) || line.starts_with("//"),
        _ if kind.is_reserved() => true,
        _ => {
            rest.starts_with(['(', '.', '[']) && !rest.starts_with(". ")
                || next.starts_with("= ")
                || next.starts_with("+= ")
        }
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
            return (at - usize::from(body[..at].ends_with('\r')), false);
        }
        at += 1;
    }
    (body.len(), false)
}
