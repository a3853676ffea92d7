//! Lists between brackets, and how parsing goes on after a broken part of one.

use chumsky::prelude::*;

use super::{
    failure::{Failure, Label},
    input::{Extra, Input, Rule, State, Toks, ahead, index, kind_ahead, sign, with_header},
};
use crate::{
    span::Span,
    syntax::{
        ast::{Expr, ExprKind, TypeExpr, TypeExprKind},
        lines,
        token::TokenKind,
    },
};

/// What separates the parts of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// `,`, in parentheses and brackets.
    Comma,
    /// `,` or a line break, in braces.
    Field,
    /// The same, between the arms of a `match`.
    Arm,
    /// `;` or a line break, in blocks.
    Statement,
    /// Nothing, between the brackets of an index.
    Index,
    /// The text of a string around an inserted expression.
    Insert,
    /// What ends a type that stands behind a `:`.
    Annotation,
    /// What ends a header.
    Header,
}

impl Separator {
    fn is(self, kind: TokenKind) -> bool {
        use TokenKind::{Comma, Eq, LeftBrace, Newline, Semicolon, StrMiddle};
        match self {
            Separator::Comma => kind == Comma,
            Separator::Index => false,
            Separator::Field | Separator::Arm => matches!(kind, Comma | Newline),
            Separator::Statement => matches!(kind, Semicolon | Newline),
            Separator::Insert => kind == StrMiddle,
            Separator::Annotation => matches!(kind, Comma | Newline | Semicolon | Eq),
            Separator::Header => matches!(kind, LeftBrace | Newline | Semicolon),
        }
    }

    fn label(self) -> Label {
        match self {
            Separator::Comma => Label::Comma,
            Separator::Index => Label::RightBracket,
            Separator::Field | Separator::Arm => Label::Separator,
            Separator::Insert => Label::InsertEnd,
            Separator::Statement | Separator::Annotation | Separator::Header => Label::End,
        }
    }

    /// Whether a `;` is reported here, and taken for what separates.
    fn takes_semicolon(self) -> bool {
        matches!(self, Separator::Comma | Separator::Field | Separator::Arm)
    }

    /// Whether a part ends before this token.
    fn ends(self, kind: TokenKind) -> bool {
        self.is(kind) || kind.is_closer() || self.takes_semicolon() && kind == TokenKind::Semicolon
    }

    /// Reads what separates two parts: one comma, but any number of line breaks and of `;`.
    fn between<'t>(self) -> impl Parser<'t, Toks<'t>, (), Extra<'t>> + Clone {
        custom(move |input: &mut Input<'t, '_>| {
            let start = index(input);
            let mut commas = 0;
            if self.takes_semicolon() && kind_ahead(input, 0) == Some(TokenKind::Semicolon) {
                let silent = std::mem::replace(&mut input.state().unlike_fields, true);
                tell(input, Failure::new(start, self.label()), silent);
                input.skip();
                commas += 1;
            }
            while let Some(tok) = ahead(input, 0).filter(|tok| self.is(tok.kind)) {
                commas += usize::from(tok.kind == TokenKind::Comma);
                if commas > 1 {
                    break;
                }
                input.skip();
            }
            if index(input) > start { Ok(()) } else { Err(Failure::new(start, self.label())) }
        })
    }
}

/// `part (separator part)* separator?` between `open` and its closer; a broken part becomes `broken`.
pub(super) fn listed<'t, O: 't>(
    open: TokenKind,
    separator: Separator,
    part: Rule<'t, O>,
    broken: impl Fn(&mut State<'t>, Span) -> O + Clone + 't,
) -> Rule<'t, Vec<O>> {
    let close = open.closer().unwrap_or(TokenKind::RightParen);
    let parts =
        mended(separator, Some(close), part, broken).separated_by(separator.between()).allow_trailing().collect();
    let parts = with_header(false, parts).boxed();
    let parts = custom(move |input: &mut Input<'t, '_>| {
        let around = std::mem::take(&mut input.state().unlike_fields);
        let parts = input.parse(&parts);
        input.state().unlike_fields = around;
        parts
    });
    opening(open).ignore_then(parts).then_ignore(sign(close)).boxed()
}

/// Reads an opening bracket; a `{` on the next line is reported, and taken.
fn opening<'t>(open: TokenKind) -> impl Parser<'t, Toks<'t>, (), Extra<'t>> + Clone {
    custom(move |input: &mut Input<'t, '_>| {
        if open == TokenKind::LeftBrace && brace_below(input) {
            let at = index(input);
            input.emit(Failure::new(at, Label::of(open)));
            input.skip();
        }
        input.parse(sign(open)).map(drop)
    })
}

/// Whether a `{` stands at the beginning of the next line, where that ends here.
pub(super) fn brace_below(input: &mut Input<'_, '_>) -> bool {
    kind_ahead(input, 0) == Some(TokenKind::Newline) && kind_ahead(input, 1) == Some(TokenKind::LeftBrace)
}

/// `part` up to its separator or a closer. If it breaks off, that is reported and the rest of the part is skipped;
/// `close` is what may follow beside the separator.
pub(super) fn mended<'t, O: 't>(
    separator: Separator,
    close: Option<TokenKind>,
    part: Rule<'t, O>,
    broken: impl Fn(&mut State<'t>, Span) -> O + Clone + 't,
) -> impl Parser<'t, Toks<'t>, O, Extra<'t>> + Clone {
    custom(move |input: &mut Input<'t, '_>| {
        if separator != Separator::Insert && ahead(input, 0).is_none_or(|tok| tok.kind.is_closer()) {
            return Err(Failure::new(index(input), Label::Continuation));
        }
        let unlike = separator == Separator::Field && !is_field(input);
        let silent = unlike && input.state().unlike_fields;
        let (part, whole) = attempt(input, separator, silent, &part, &broken);
        let ended = if whole { input.parse(end(separator, close)) } else { Ok(()) };
        if let Err(failure) = ended {
            tell(input, failure, silent);
            skip(input, separator);
        }
        input.state().unlike_fields |= unlike && !(whole && ended.is_ok());
        Ok(part)
    })
}

/// Reports a failure, unless enough was said of this list.
fn tell(input: &mut Input<'_, '_>, failure: Failure, silent: bool) {
    if !silent {
        input.emit(failure);
    }
}

/// Whether what comes next looks like a field: `name:`, `name?:`, `"name":`, `...`, `[`.
fn is_field(input: &mut Input<'_, '_>) -> bool {
    use TokenKind::{Colon, Ellipsis, LeftBracket, Question, RawStr, Str};
    match kind_ahead(input, 0) {
        Some(Ellipsis | LeftBracket) => true,
        Some(kind) if kind.is_word() || matches!(kind, Str | RawStr) => {
            matches!(kind_ahead(input, 1), Some(Colon | Question))
        }
        _ => false,
    }
}

/// `part`; if it breaks off, that is reported, the rest up to the separator is skipped, and `broken` stands for it.
pub(super) fn tolerant<'t, O: 't>(
    separator: Separator,
    part: Rule<'t, O>,
    broken: impl Fn(&mut State<'t>, Span) -> O + Clone + 't,
) -> Rule<'t, O> {
    custom(move |input: &mut Input<'t, '_>| Ok(attempt(input, separator, false, &part, &broken).0)).boxed()
}

/// A value that may be broken.
pub(super) fn value<'t>(separator: Separator, value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    tolerant(separator, value, |state, span| state.expr(ExprKind::Error, span))
}

/// A type that may be broken.
pub(super) fn written<'t>(separator: Separator, ty: Rule<'t, TypeExpr>) -> Rule<'t, TypeExpr> {
    tolerant(separator, ty, |_, span| TypeExpr { kind: TypeExprKind::Error, span })
}

/// The part, or what stands for it; and whether it is whole.
fn attempt<'t, O: 't>(
    input: &mut Input<'t, '_>,
    separator: Separator,
    silent: bool,
    part: &Rule<'t, O>,
    broken: &impl Fn(&mut State<'t>, Span) -> O,
) -> (O, bool) {
    let start = index(input);
    let before = input.save();
    let header = input.state().header;
    match input.parse(part) {
        Ok(part) => (part, true),
        Err(failure) => {
            input.rewind(before);
            input.state().header = header;
            tell(input, failure, silent);
            skip(input, separator);
            let end = index(input);
            let span = input.state().span_between(start, end);
            (broken(input.state(), span), false)
        }
    }
}

/// What stands between the keyword of a block and its `{`; if it breaks off, the block stands all the same.
pub(super) fn headed<'t>(value: Rule<'t, Expr>) -> Rule<'t, Expr> {
    custom(move |input: &mut Input<'t, '_>| {
        let start = index(input);
        let before = input.save();
        let result = input.parse(with_header(true, value.clone()));
        if result.is_ok() && kind_ahead(input, 0) == Some(TokenKind::LeftBrace) {
            return result;
        }
        let failure = result.as_ref().err().copied();
        if failure.is_some() {
            input.rewind(before);
        }
        let Some(distance) = brace_on_line(input) else { return result };
        let at = index(input);
        let missing = match operand_in_braces(input, distance) {
            Some(record) => Failure::new(at + record, Label::Expression),
            None => Failure::new(at, Label::Block),
        };
        input.emit(failure.unwrap_or(missing));
        (0..distance).for_each(|_| input.skip());
        result.or_else(|_| {
            let end = index(input);
            let span = input.state().span_between(start, end);
            Ok(input.state().expr(ExprKind::Error, span))
        })
    })
    .boxed()
}

/// How far away braces are, before those of the block, in which an operand begins: `r == { a: 1 } {`.
fn operand_in_braces(input: &mut Input<'_, '_>, block: usize) -> Option<usize> {
    let mut distance = 0;
    while distance < block {
        let brace = kind_ahead(input, distance) == Some(TokenKind::LeftBrace);
        if brace && distance > 0 && kind_ahead(input, distance - 1).is_some_and(lines::needs_left) {
            return Some(distance);
        }
        distance += step(input, distance);
    }
    None
}

/// How far away the block is that begins on this line: a `{` whose `}` nothing follows that belongs to the header.
pub(super) fn brace_on_line(input: &mut Input<'_, '_>) -> Option<usize> {
    use TokenKind::{Catch, Comma, Else, Finally, LeftBrace, Newline, Semicolon};
    let mut distance = 0;
    while let Some(tok) = ahead(input, distance) {
        if matches!(tok.kind, Newline | Semicolon) || tok.kind.is_closer() {
            return None;
        }
        let length = step(input, distance);
        if tok.kind == LeftBrace {
            let next = kind_ahead(input, distance + length);
            let ends = |kind: TokenKind| {
                matches!(kind, Newline | Semicolon | Comma | Else | Catch | Finally) || kind.is_closer()
            };
            if next.is_none_or(ends) {
                return Some(distance);
            }
        }
        distance += length;
    }
    None
}

/// Succeeds before a separator, a closer or the end, reading nothing.
fn end<'t>(separator: Separator, close: Option<TokenKind>) -> impl Parser<'t, Toks<'t>, (), Extra<'t>> + Clone {
    custom(move |input: &mut Input<'t, '_>| match ahead(input, 0) {
        Some(tok) if !separator.ends(tok.kind) => {
            let failure = Failure::new(index(input), separator.label());
            let close = close.filter(|kind| matches!(kind, TokenKind::RightParen | TokenKind::RightBracket));
            Err(close.map_or(failure, |close| failure.or(Label::of(close))))
        }
        _ => Ok(()),
    })
}

/// The length of the token at a distance, or of the bracket that it opens.
pub(super) fn step(input: &mut Input<'_, '_>, distance: usize) -> usize {
    let at = index(input) + distance;
    let pair = ahead(input, distance).map_or(0, |tok| tok.pair as usize);
    if pair > at && pair < u32::MAX as usize { pair - at + 1 } else { 1 }
}

/// Skips to the next separator or closer, over balanced brackets.
fn skip(input: &mut Input<'_, '_>, separator: Separator) {
    let start = index(input);
    while let Some(tok) = ahead(input, 0)
        && !separator.ends(tok.kind)
    {
        (0..step(input, 0)).for_each(|_| input.skip());
    }
    let end = index(input);
    let span = input.state().span_between(start, end);
    input.state().skipped.push(span);
}
