//! Lists between brackets, and how parsing goes on after a broken part of one.

use chumsky::prelude::*;

use super::{
    failure::{Failure, Label},
    input::{Extra, Input, Rule, State, Toks, ahead, index, one, sign, with_header},
};
use crate::{span::Span, syntax::token::TokenKind};

/// What separates the parts of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// `,`, in parentheses and brackets.
    Comma,
    /// `,` or a line break, in braces.
    Field,
    /// `;` or a line break, in blocks.
    Statement,
    /// The text of a string around an inserted expression.
    Insert,
}

impl Separator {
    fn is(self, kind: TokenKind) -> bool {
        match self {
            Separator::Comma => kind == TokenKind::Comma,
            Separator::Field => matches!(kind, TokenKind::Comma | TokenKind::Newline),
            Separator::Statement => matches!(kind, TokenKind::Semicolon | TokenKind::Newline),
            Separator::Insert => kind == TokenKind::StrMiddle,
        }
    }

    fn label(self) -> Label {
        match self {
            Separator::Comma => Label::Comma,
            Separator::Field => Label::Separator,
            Separator::Statement => Label::End,
            Separator::Insert => Label::InsertEnd,
        }
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
    let between = one(separator.label(), move |tok| separator.is(tok.kind)).repeated().at_least(1);
    let parts = mended(separator, Some(close), part, broken).separated_by(between).allow_trailing().collect();
    sign(open).ignore_then(with_header(false, parts)).then_ignore(sign(close)).boxed()
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
        let start = index(input);
        if separator != Separator::Insert && ahead(input, 0).is_none_or(|tok| tok.kind.is_closer()) {
            return Err(Failure::new(start, Label::Continuation));
        }
        let before = input.save();
        let header = input.state().header;
        match input.parse(&part) {
            Ok(part) => {
                if let Err(failure) = input.parse(end(separator, close)) {
                    input.emit(failure);
                    skip(input, separator);
                }
                Ok(part)
            }
            Err(failure) => {
                input.rewind(before);
                input.state().header = header;
                input.emit(failure);
                skip(input, separator);
                let end = index(input);
                let span = input.state().span_between(start, end);
                Ok(broken(input.state(), span))
            }
        }
    })
}

/// Succeeds before a separator, a closer or the end, reading nothing.
fn end<'t>(separator: Separator, close: Option<TokenKind>) -> impl Parser<'t, Toks<'t>, (), Extra<'t>> + Clone {
    custom(move |input: &mut Input<'t, '_>| match ahead(input, 0) {
        Some(tok) if !separator.is(tok.kind) && !tok.kind.is_closer() => {
            let failure = Failure::new(index(input), separator.label());
            let close = close.filter(|kind| matches!(kind, TokenKind::RightParen | TokenKind::RightBracket));
            Err(close.map_or(failure, |close| failure.or(Label::of(close))))
        }
        _ => Ok(()),
    })
}

/// The length of the token at a distance, or of the bracket that it opens.
fn step(input: &mut Input<'_, '_>, distance: usize) -> usize {
    let at = index(input) + distance;
    let pair = ahead(input, distance).map_or(0, |tok| tok.pair as usize);
    if pair > at && pair < u32::MAX as usize { pair - at + 1 } else { 1 }
}

/// Skips to the next separator or closer, over balanced brackets.
fn skip(input: &mut Input<'_, '_>, separator: Separator) {
    while let Some(tok) = ahead(input, 0) {
        if separator.is(tok.kind) || tok.kind.is_closer() {
            return;
        }
        for _ in 0..step(input, 0) {
            input.skip();
        }
    }
}
