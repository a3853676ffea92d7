//! What the productions read, keep and give: the tokens, the state of a parse, and the small parsers of one token.

use chumsky::{
    input::{Checkpoint, Cursor, InputRef, MapExtra},
    inspector::Inspector,
    prelude::*,
};
use smol_str::SmolStr;

use super::failure::{Failure, Label};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    source::Source,
    span::Span,
    syntax::{
        ast::{Expr, ExprId, ExprKind, Name},
        layout::{Layout, Tok},
        token::TokenKind,
    },
};

/// The input of the grammar.
pub(super) type Toks<'t> = &'t [Tok];
/// Its error and state.
pub(super) type Extra<'t> = extra::Full<Failure, State<'t>, ()>;
/// A production.
pub(super) type Rule<'t, O> = Boxed<'t, 't, Toks<'t>, O, Extra<'t>>;
/// Where a hand-written rule reads.
pub(super) type Input<'t, 'p> = InputRef<'t, 'p, Toks<'t>, Extra<'t>>;
/// What a mapping sees of the parse.
pub(super) type At<'t, 'b> = MapExtra<'t, 'b, Toks<'t>, Extra<'t>>;

/// What a parse knows beside its place.
pub(super) struct State<'t> {
    pub(super) source: &'t Source,
    pub(super) layout: &'t Layout,
    /// What is wrong beyond the syntax; shortened when the parser goes back.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What was skipped behind a mistake; shortened likewise.
    pub(super) skipped: Vec<Span>,
    /// Within the header of a block, where `{` opens the block.
    pub(super) header: bool,
    /// Within the number of a `gather`, where `[` may open the branches.
    pub(super) counting: bool,
    /// In a list of fields, one that looks like none was reported, so the next ones like it are not.
    pub(super) unlike_fields: bool,
    /// Within a `test`.
    pub(super) test: bool,
    /// The index of the first token of the declaration that is being read, without its annotations.
    pub(super) keyword: usize,
    /// The index of the token behind the last `-` that stands before an operand.
    pub(super) negated: usize,
    next: u32,
}

impl<'t> State<'t> {
    /// The state at the beginning of a parse.
    pub(super) fn new(source: &'t Source, layout: &'t Layout) -> Self {
        Self {
            source,
            layout,
            diagnostics: Vec::new(),
            skipped: Vec::new(),
            header: false,
            counting: false,
            unlike_fields: false,
            test: false,
            keyword: 0,
            negated: usize::MAX,
            next: 0,
        }
    }

    /// How many expressions were made.
    pub(super) fn expr_count(&self) -> u32 {
        self.next
    }

    /// A new expression.
    pub(super) fn expr(&mut self, kind: ExprKind, span: Span) -> Expr {
        let id = ExprId(self.next);
        self.next += 1;
        Expr { id, kind, span }
    }

    /// Reports something that cannot stand where it does.
    pub(super) fn misplaced(&mut self, span: Span, message: &str, help: &str) {
        self.diagnostics.push(Diagnostic::new(Code::Misplaced, span, message).help(help));
    }

    /// The text of a span.
    pub(super) fn text(&self, span: Span) -> &'t str {
        self.source.text.get(span.range()).unwrap_or_default()
    }

    /// The span of a token.
    pub(super) fn span(&self, tok: Tok) -> Span {
        Span { source: self.source.id, start: tok.start, end: tok.end }
    }

    /// The span of the tokens from `start` up to `end`.
    pub(super) fn span_between(&self, start: usize, end: usize) -> Span {
        let toks = &self.layout.toks;
        let before = start.checked_sub(1).and_then(|index| toks.get(index)).map_or(0, |tok| tok.end);
        match (toks.get(start), end.checked_sub(1).and_then(|last| toks.get(last))) {
            (Some(first), Some(last)) if start < end => {
                Span { source: self.source.id, start: first.start, end: last.end.max(first.start) }
            }
            _ => Span { source: self.source.id, start: before, end: before },
        }
    }

    /// The doc comment before one of the tokens from `start` up to `end`.
    pub(super) fn doc(&self, start: usize, end: usize) -> Option<String> {
        let docs = &self.layout.docs;
        let first = docs.partition_point(|(index, _)| (*index as usize) < start);
        docs.get(first).filter(|(index, _)| (*index as usize) < end).map(|(_, text)| text.clone())
    }

    /// A name where a token stands.
    pub(super) fn name(&self, tok: Tok) -> Name {
        let span = self.span(tok);
        Name { text: SmolStr::new(self.text(span)), span }
    }
}

impl<'t> Inspector<'t, Toks<'t>> for State<'t> {
    type Checkpoint = (u32, usize, usize);

    fn on_token(&mut self, _: &Tok) {}

    fn on_save<'p>(&self, _: &Cursor<'t, 'p, Toks<'t>>) -> Self::Checkpoint {
        (self.next, self.diagnostics.len(), self.skipped.len())
    }

    fn on_rewind<'p>(&mut self, saved: &Checkpoint<'t, 'p, Toks<'t>, Self::Checkpoint>) {
        let (next, diagnostics, skipped) = *saved.inspector();
        self.next = next;
        self.diagnostics.truncate(diagnostics);
        self.skipped.truncate(skipped);
    }
}

/// The span of what a mapping maps.
pub(super) fn span(at: &mut At<'_, '_>) -> Span {
    let tokens: SimpleSpan<usize> = at.span();
    at.state().span_between(tokens.start, tokens.end)
}

/// A new expression that spans what a mapping maps.
pub(super) fn expr(kind: ExprKind, at: &mut At<'_, '_>) -> Expr {
    let span = span(at);
    at.state().expr(kind, span)
}

/// The index of the next token.
pub(super) fn index(input: &Input<'_, '_>) -> usize {
    *input.cursor().inner()
}

/// The token at a distance, without reading it.
pub(super) fn ahead<'t>(input: &mut Input<'t, '_>, distance: usize) -> Option<Tok> {
    let index = index(input) + distance;
    input.state().layout.toks.get(index).copied()
}

/// The kind of the token at a distance, without reading it.
pub(super) fn kind_ahead<'t>(input: &mut Input<'t, '_>, distance: usize) -> Option<TokenKind> {
    ahead(input, distance).map(|tok| tok.kind)
}

/// The kind of the token behind the bracket or string that opens at a distance.
pub(super) fn kind_behind<'t>(input: &mut Input<'t, '_>, distance: usize) -> Option<TokenKind> {
    let pair = ahead(input, distance)?.pair as usize;
    input.state().layout.toks.get(pair.checked_add(1)?).map(|tok| tok.kind)
}

/// Reads the tokens that `wanted` accepts.
pub(super) fn one<'t>(
    label: Label,
    wanted: impl Fn(Tok) -> bool + Clone + 't,
) -> impl Parser<'t, Toks<'t>, Tok, Extra<'t>> + Clone {
    custom(move |input: &mut Input<'t, '_>| match input.peek() {
        Some(tok) if wanted(tok) => {
            input.skip();
            Ok(tok)
        }
        _ => Err(Failure::new(index(input), label)),
    })
}

/// Reads a keyword or symbol.
pub(super) fn sign<'t>(kind: TokenKind) -> impl Parser<'t, Toks<'t>, Tok, Extra<'t>> + Clone {
    one(Label::of(kind), move |tok| tok.kind == kind)
}

/// Reads a name: an identifier, or a word that is a keyword only elsewhere.
pub(super) fn name<'t>() -> impl Parser<'t, Toks<'t>, Name, Extra<'t>> + Clone {
    one(Label::Name, |tok| tok.kind.is_name()).map_with(|tok, at| at.state().name(tok))
}

/// Reads any word: a field, key or named argument.
pub(super) fn word<'t>() -> impl Parser<'t, Toks<'t>, Name, Extra<'t>> + Clone {
    one(Label::Name, |tok| tok.kind.is_word()).map_with(|tok, at| at.state().name(tok))
}

/// Chooses the rule by the next tokens.
pub(super) fn choose<'t, O: 't>(
    select: impl for<'p> Fn(&mut Input<'t, 'p>) -> Result<usize, Label> + 't,
    rules: Vec<Rule<'t, O>>,
) -> Rule<'t, O> {
    custom(move |input: &mut Input<'t, '_>| match select(input) {
        Ok(rule) => input.parse(&rules[rule]),
        Err(label) => Err(Failure::new(index(input), label)),
    })
    .boxed()
}

/// Reads within a header, where `{` opens a block, or not.
pub(super) fn with_header<'t, O: 't>(
    header: bool,
    rule: impl Parser<'t, Toks<'t>, O, Extra<'t>> + Clone + 't,
) -> impl Parser<'t, Toks<'t>, O, Extra<'t>> + Clone {
    custom(move |input: &mut Input<'t, '_>| {
        let before = std::mem::replace(&mut input.state().header, header);
        let counting = std::mem::take(&mut input.state().counting);
        let result = input.parse(&rule);
        input.state().header = before;
        input.state().counting = counting;
        result
    })
}
