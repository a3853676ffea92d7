//! What strings are worth: escapes, and the indentation that multi-line strings lose.

use smol_str::SmolStr;

use crate::{code::Code, diagnostic::Diagnostic, span::Span};

/// The text between the quotes and `${` or `}` of a part, and where it begins in the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'s> {
    /// The text as written.
    pub text: &'s str,
    /// Where it begins.
    pub span: Span,
}

/// The text of a string without inserted expressions, such as a key or a path.
pub(super) fn plain(token: &str, span: Span, problems: &mut Vec<Diagnostic>) -> SmolStr {
    texts(&[Part { text: token, span }], problems).pop().unwrap_or_default()
}

/// The texts of the parts of one string, given as the tokens' texts with quotes and braces.
pub(super) fn texts(tokens: &[Part<'_>], problems: &mut Vec<Diagnostic>) -> Vec<SmolStr> {
    let multiline = tokens.first().is_some_and(|first| first.text.starts_with("\"\"\""));
    let last = tokens.len().saturating_sub(1);
    let parts: Vec<Part<'_>> =
        tokens.iter().enumerate().map(|(i, token)| inside(*token, multiline, i == 0, i == last)).collect();
    let texts = if multiline { dedented(&parts, problems) } else { parts.iter().map(|part| (*part).into()).collect() };
    texts.into_iter().map(|pieces: Pieces<'_>| pieces.unescaped(problems)).collect()
}

/// The text of a raw string.
pub(super) fn raw(token: &str, span: Span, problems: &mut Vec<Diagnostic>) -> SmolStr {
    let body = token.strip_prefix('r').unwrap_or(token);
    let hashes = body.len() - body.trim_start_matches('#').len();
    let body = &body[hashes..];
    let quotes = if body.starts_with("\"\"\"") && (body.len() >= 6 || hashes > 0) { 3 } else { 1 };
    let end = if body.len() >= 2 * quotes + hashes { body.len() - quotes - hashes } else { body.len() };
    let part = Part { text: body.get(quotes..end).unwrap_or_default(), span: offset(span, 1 + hashes + quotes) };
    if quotes == 1 {
        return part.text.into();
    }
    let mut text = String::new();
    for pieces in dedented(&[part], problems) {
        pieces.0.iter().for_each(|piece| text.push_str(piece.text));
    }
    text.into()
}

/// What stands between the quotes or braces of a part; the closing ones may be missing.
fn inside(token: Part<'_>, multiline: bool, first: bool, last: bool) -> Part<'_> {
    let quotes = if multiline { 3 } else { 1 };
    let open = if first { quotes } else { 1 };
    let close = if last { quotes } else { 2 };
    let mut text = token.text.get(open..).unwrap_or_default();
    let ending = if last { &"\"\"\""[..close] } else { "${" };
    if text.ends_with(ending) && !(last && !multiline && ends_escaped(text)) {
        text = &text[..text.len() - close];
    }
    Part { text, span: offset(token.span, open) }
}

/// Whether the last character is the second of an escape.
fn ends_escaped(text: &str) -> bool {
    let before = &text.as_bytes()[..text.len() - 1];
    before.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

/// Pieces of source that make one text together.
struct Pieces<'s>(Vec<Part<'s>>);

impl<'s> From<Part<'s>> for Pieces<'s> {
    fn from(part: Part<'s>) -> Self {
        Pieces(vec![part])
    }
}

impl Pieces<'_> {
    fn unescaped(&self, problems: &mut Vec<Diagnostic>) -> SmolStr {
        if let [part] = &self.0[..]
            && !part.text.contains(['\\', '\r'])
        {
            return part.text.into();
        }
        let mut text = String::new();
        self.0.iter().for_each(|piece| unescape(*piece, &mut text, problems));
        text.into()
    }
}

/// Drops the first line break, the last line, and the closing quotes' indentation from each line.
fn dedented<'s>(parts: &[Part<'s>], problems: &mut Vec<Diagnostic>) -> Vec<Pieces<'s>> {
    let whole = parts.last().map_or("", |part| part.text);
    let indent = whole.rfind('\n').map_or("", |at| &whole[at + 1..]);
    let indent = if indent.trim_matches([' ', '\t']).is_empty() { indent } else { "" };
    let closes_line = whole.rfind('\n').is_some_and(|at| whole[at + 1..].trim_matches([' ', '\t']).is_empty());
    let mut reported = false;
    let mut texts = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let mut pieces = Vec::new();
        let mut at = 0;
        let lines: Vec<&str> = part.text.split_inclusive('\n').collect();
        let starts_line = index == 0;
        for (number, line) in lines.iter().enumerate() {
            let span = offset(part.span, at);
            at += line.len();
            if starts_line && number == 0 {
                let first_break = line.trim_end_matches('\n').trim_end_matches('\r').trim_matches([' ', '\t']);
                if line.ends_with('\n') && first_break.is_empty() {
                    continue;
                }
            }
            let begins = number > 0;
            let mut text = *line;
            let mut span = span;
            if begins && !indent.is_empty() {
                if let Some(rest) = text.strip_prefix(indent) {
                    text = rest;
                    span = offset(span, indent.len());
                } else if text.trim().is_empty() {
                    text = text.trim_start_matches([' ', '\t']);
                } else if !reported {
                    reported = true;
                    let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
                    let first = text.chars().next().map_or(0, char::len_utf8);
                    problems.push(
                        Diagnostic::new(
                            Code::BadIndent,
                            Span { end: span.start + u32::try_from(blank.max(first)).unwrap_or(0), ..span },
                            "this line is indented less than the closing quotes",
                        )
                        .help("indent it at least as far, or move the closing `\"\"\"` to the left"),
                    );
                }
            }
            pieces.push(Part { text, span });
        }
        if index + 1 == parts.len() && closes_line {
            drop_last_line(&mut pieces, at > 0 && part.text.ends_with('\n'));
        }
        texts.push(Pieces(pieces));
    }
    texts
}

/// Drops the line of the closing quotes and the line break before it.
fn drop_last_line(pieces: &mut Vec<Part<'_>>, ends_in_break: bool) {
    if !ends_in_break {
        pieces.pop();
    }
    if let Some(last) = pieces.last_mut() {
        last.text = last.text.strip_suffix('\n').unwrap_or(last.text);
        last.text = last.text.strip_suffix('\r').unwrap_or(last.text);
    }
}

/// Appends the text with its escapes resolved.
fn unescape(part: Part<'_>, out: &mut String, problems: &mut Vec<Diagnostic>) {
    let mut rest = part.text;
    while let Some(at) = rest.find(['\\', '\r']) {
        out.push_str(&rest[..at]);
        let start = part.text.len() - rest.len() + at;
        rest = &rest[at..];
        if rest.starts_with('\r') {
            if !rest.starts_with("\r\n") {
                out.push('\r');
            }
            rest = &rest[1..];
            continue;
        }
        let (length, result) = escape(rest);
        match result {
            Ok(c) => out.push(c),
            Err(message) => {
                let span = offset(part.span, start);
                let end = span.start + u32::try_from(length).unwrap_or(0);
                problems.push(
                    Diagnostic::new(Code::BadEscape, Span { end, ..span }, message).help(
                        "escapes are `\\n \\r \\t \\b \\f \\\\ \\/ \\\" \\$ \\u00e9 \\u{1f600}`; a backslash itself is `\\\\`",
                    ),
                );
            }
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
}

/// The length of the escape at the beginning of `rest`, and what it stands for.
fn escape(rest: &str) -> (usize, Result<char, String>) {
    let Some(c) = rest[1..].chars().next() else { return (1, Err("a backslash without a character".to_owned())) };
    let simple = match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '\\' | '/' | '"' | '$' => c,
        'u' => return unicode(rest),
        _ => return (1 + c.len_utf8(), Err(format!("strings have no escape `\\{}`", c.escape_debug()))),
    };
    (2, Ok(simple))
}

/// `\u{1f600}`, or JSON's `\u00e9` and pairs of surrogates.
fn unicode(rest: &str) -> (usize, Result<char, String>) {
    let wrong = |length: usize| (length, Err(format!("`{}` is no character", &rest[..length])));
    if let Some(body) = rest[2..].strip_prefix('{') {
        let digits = body.bytes().take_while(u8::is_ascii_hexdigit).count();
        if !body[digits..].starts_with('}') || digits == 0 || digits > 6 {
            return wrong(3 + digits);
        }
        let value = u32::from_str_radix(&body[..digits], 16).ok().and_then(char::from_u32);
        return value.map_or_else(|| wrong(4 + digits), |c| (4 + digits, Ok(c)));
    }
    let Some(first) = hex4(&rest[2..]) else {
        return wrong(2 + rest[2..].bytes().take(4).take_while(u8::is_ascii_hexdigit).count());
    };
    if let Some(c) = char::from_u32(first) {
        return (6, Ok(c));
    }
    let second = rest[6..].strip_prefix("\\u").and_then(hex4);
    match second {
        Some(second @ 0xdc00..=0xdfff) if first < 0xdc00 => {
            let value = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            (12, char::from_u32(value).ok_or_else(|| "no character".to_owned()))
        }
        _ => wrong(6),
    }
}

fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// The span that begins `by` bytes later.
fn offset(span: Span, by: usize) -> Span {
    let start = span.start + u32::try_from(by).unwrap_or(0);
    Span { start, end: span.end.max(start), ..span }
}
