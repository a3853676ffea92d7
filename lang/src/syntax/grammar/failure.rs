//! What a rule expected where it failed: small and cheap, for most failures are only tries.

use chumsky::{DefaultExpected, error::Error, label::LabelError, util::MaybeRef};

use super::{
    hint::hint,
    input::{State, Toks},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::{layout::Tok, token::TokenKind},
};

macro_rules! labels {
    ($($name:ident = $text:literal,)+) => {
        /// What may be expected, in the order in which messages name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Label { $($name,)+ }

        const LABELS: &[&str] = &[$($text,)+];
    };
}

labels! {
    Expression = "an expression", Type = "a type", Pattern = "a pattern", Name = "a name", Text = "a string",
    Declaration = "a declaration", Block = "`{`", Function = "a function", Branches = "`for`, `{` or `[`",
    Colon = "`:`", Eq = "`=`", FatArrow = "`=>`", Arrow = "`->`", LeftParen = "`(`", In = "`in`", From = "`from`",
    As = "`as`", Greater = "`>`", After = "`after` or `during`",
    Comma = "`,`", RightParen = "`)`", RightBracket = "`]`", RightBrace = "`}`", Separator = "`,` or a line break",
    End = "the end of the line", InsertEnd = "`}` of `${…}`", Keyword = "a keyword", Continuation = "more",
}

impl Label {
    /// The label of a keyword or symbol.
    pub(super) fn of(kind: TokenKind) -> Label {
        match kind {
            TokenKind::Colon => Label::Colon,
            TokenKind::Eq => Label::Eq,
            TokenKind::FatArrow => Label::FatArrow,
            TokenKind::Arrow => Label::Arrow,
            TokenKind::LeftParen => Label::LeftParen,
            TokenKind::LeftBrace => Label::Block,
            TokenKind::In => Label::In,
            TokenKind::From => Label::From,
            TokenKind::As => Label::As,
            TokenKind::Greater => Label::Greater,
            TokenKind::Comma => Label::Comma,
            TokenKind::RightParen => Label::RightParen,
            TokenKind::RightBracket => Label::RightBracket,
            TokenKind::RightBrace => Label::RightBrace,
            TokenKind::StrClose => Label::InsertEnd,
            kind if kind.is_word() => Label::Keyword,
            _ => Label::Continuation,
        }
    }
}

/// Where a rule failed, and what it and its like expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The index of the token.
    pub(super) at: u32,
    expected: u64,
}

impl Failure {
    /// A failure at the token of this index.
    pub(super) fn new(at: usize, label: Label) -> Self {
        Self { at: u32::try_from(at).unwrap_or(u32::MAX), expected: 1 << label as u8 }
    }

    /// The failure with one more thing that could stand there.
    pub(super) fn or(self, label: Label) -> Self {
        Self { expected: self.expected | 1 << label as u8, ..self }
    }

    /// The message; `None` where another one was given already.
    pub(super) fn diagnostic(self, state: &State<'_>) -> Option<Diagnostic> {
        let toks = &state.layout.toks;
        let at = self.at as usize;
        let found = toks.get(at).copied();
        use TokenKind::{BadNumber, BadStr, TooDeep, Unknown};
        if found.is_some_and(|tok| tok.inserted || matches!(tok.kind, Unknown | TooDeep | BadNumber | BadStr)) {
            return None;
        }
        let span = match found {
            Some(tok) if !ends_line(tok) => state.span(tok),
            _ => end_of_line(state, at),
        };
        let message = match self.expected() {
            Some(expected) => format!("expected {expected}, found {}", describe(found, state)),
            None => format!("{} cannot stand here", describe(found, state)),
        };
        let mut diagnostic = Diagnostic::new(Code::Syntax, span, message);
        diagnostic.help.extend(hint(self, state));
        Some(diagnostic)
    }

    /// Whether this could have stood there.
    pub(super) fn has(self, label: Label) -> bool {
        self.expected & (1 << label as u8) != 0
    }

    /// At most three things, joined.
    fn expected(self) -> Option<String> {
        let mut names: Vec<&str> = LABELS
            .iter()
            .enumerate()
            .take(Label::Keyword as usize)
            .filter(|(bit, _)| self.expected & (1 << bit) != 0)
            .map(|(_, name)| *name)
            .collect();
        if [Label::Expression, Label::Type, Label::Pattern, Label::Declaration].iter().any(|label| self.has(*label)) {
            names.truncate(1);
        }
        names.truncate(3);
        let last = names.pop()?;
        let or = if last.contains(" or ") { "," } else { " or" };
        Some(if names.is_empty() { last.to_owned() } else { format!("{}{or} {last}", names.join(", ")) })
    }
}

/// The first character of the line break, or the last of the source's end.
fn end_of_line(state: &State<'_>, at: usize) -> Span {
    let start = state.span_between(at, at).start;
    Span { source: state.source.id, start, end: start }
}

/// Whether what is missing is missing on the line before.
fn ends_line(tok: Tok) -> bool {
    tok.kind == TokenKind::Newline || tok.begins_line && tok.kind.is_closer()
}

fn describe(found: Option<Tok>, state: &State<'_>) -> String {
    let Some(tok) = found else { return "the end of the file".to_owned() };
    match tok.kind {
        _ if ends_line(tok) => "the end of the line".to_owned(),
        TokenKind::Str | TokenKind::RawStr | TokenKind::BadStr => "a string".to_owned(),
        TokenKind::StrOpen => "a string with `${…}`".to_owned(),
        TokenKind::StrMiddle | TokenKind::StrClose => "the end of `${…}`".to_owned(),
        kind if kind.is_reserved() => format!("the keyword `{}`", kind.text()),
        _ => format!("`{}`", state.text(state.span(tok))),
    }
}

impl<'t> Error<'t, Toks<'t>> for Failure {
    fn merge(self, other: Self) -> Self {
        match self.at.cmp(&other.at) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => Self { at: self.at, expected: self.expected | other.expected },
        }
    }
}

impl<'t> LabelError<'t, Toks<'t>, DefaultExpected<'t, Tok>> for Failure {
    fn expected_found<E: IntoIterator<Item = DefaultExpected<'t, Tok>>>(
        _: E,
        _: Option<MaybeRef<'t, Tok>>,
        span: chumsky::span::SimpleSpan<usize>,
    ) -> Self {
        Self { at: u32::try_from(span.start).unwrap_or(u32::MAX), expected: 0 }
    }
}
