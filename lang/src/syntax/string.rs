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
    let is_closed = body.len() >= 2 * quotes + hashes
        && body.bytes().rev().take(hashes).all(|b| b == b'#')
        && body[..body.len() - hashes].ends_with(&"\"\"\""[..quotes]);
    let end = if is_closed { body.len() - quotes - hashes } else { body.len() };
    let part = Part { text: body.get(quotes..end).unwrap_or_default(), span: offset(span, 1 + hashes + quotes) };
    if quotes == 1 {
        return part.text.into();
    }
    let mut text = String::new();
    for pieces in dedented(&[part], problems) {
        pieces.0.iter().for_each(|piece| text.push_str(piece.text));
    }
    if text.contains('\r') { text.replace("\r\n", "\n").into() } else { text.into() }
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

/// Drops the first line break, the line break before the closing quotes, and their indentation from each line.
fn dedented<'s>(parts: &[Part<'s>], problems: &mut Vec<Diagnostic>) -> Vec<Pieces<'s>> {
    let indent = closing_indent(parts);
    let last = parts.len().saturating_sub(1);
    let mut reported = false;
    let mut texts = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let mut pieces = Vec::new();
        let mut at = 0;
        for (number, line) in part.text.split_inclusive('\n').enumerate() {
            let mut piece = Part { text: line, span: offset(part.span, at) };
            at += line.len();
            if number == 0 && index == 0 && line.ends_with('\n') && is_blank(line) {
                continue;
            }
            if number > 0 && !indent.is_empty() {
                let ends_line = line.ends_with('\n') || index == last && at == part.text.len();
                match line.strip_prefix(indent) {
                    Some(rest) => piece = Part { text: rest, span: offset(piece.span, indent.len()) },
                    None if ends_line && is_blank(line) => piece.text = line.trim_start_matches([' ', '\t']),
                    None if reported => {}
                    None => {
                        reported = true;
                        problems.push(too_far_left(piece));
                    }
                }
            }
            pieces.push(piece);
        }
        if index == last {
            drop_last_break(part.text, &mut pieces);
        }
        texts.push(Pieces(pieces));
    }
    texts
}

/// The indentation of the closing quotes; where they stand behind text, that which all lines below the first share.
fn closing_indent<'s>(parts: &[Part<'s>]) -> &'s str {
    let last = parts.last().map_or("", |part| part.text);
    if let Some(line) = last.rfind('\n').map(|at| &last[at + 1..]).filter(|line| is_blank(line)) {
        return line;
    }
    let mut shared: Option<&str> = None;
    for (index, part) in parts.iter().enumerate() {
        let mut lines = part.text.split('\n').skip(1).peekable();
        while let Some(line) = lines.next() {
            let ends_in_insertion = lines.peek().is_none() && index + 1 < parts.len();
            if !is_blank(line) || ends_in_insertion {
                let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
                let same = |shared: &str| indent.bytes().zip(shared.bytes()).take_while(|(a, b)| a == b).count();
                shared = Some(shared.map_or(indent, |shared| &indent[..same(shared)]));
            }
        }
    }
    shared.unwrap_or_default()
}

/// Whether a line has nothing but blanks.
fn is_blank(line: &str) -> bool {
    line.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}

fn too_far_left(line: Part<'_>) -> Diagnostic {
    let blank = line.text.len() - line.text.trim_start_matches([' ', '\t']).len();
    let first = line.text.chars().next().map_or(0, char::len_utf8);
    let end = line.span.start + u32::try_from(blank.max(first)).unwrap_or(0);
    let span = Span { end, ..line.span };
    Diagnostic::new(Code::BadIndent, span, "this line is indented less than the closing quotes")
        .help("indent it at least as far, or move the closing `\"\"\"` to the left")
}

/// Drops the line of the closing quotes, where nothing else stands on it, and the line break before it.
fn drop_last_break(text: &str, pieces: &mut Vec<Part<'_>>) {
    let Some(last_line) = text.rfind('\n').map(|at| &text[at + 1..]).filter(|line| is_blank(line)) else { return };
    if !last_line.is_empty() {
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
        '\n' | '\r' => return (1, Err("a backslash without a character".to_owned())),
        _ => return (1 + c.len_utf8(), Err(format!("strings have no escape `\\{c}`"))),
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
