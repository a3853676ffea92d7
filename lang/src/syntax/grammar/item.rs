//! Declarations.

use chumsky::prelude::*;

use super::{
    Rules, expr,
    failure::{Failure, Label},
    input::{Input, Rule, State, ahead, choose, index, kind_ahead, kind_behind, name, one, sign, span, word},
    lambda,
    list::{Separator, brace_below, brace_on_line, listed, value, written},
    literal,
    ty::documented,
};
use crate::{
    span::Span,
    syntax::{
        ast::{
            AgentItem, Annotation, Block, Function, FunctionKind, Import, Item, ItemKind, LetItem, Name, Param,
            StateField, Stmt, StmtKind, TestItem, TypeExpr, TypeExprKind, TypeItem,
        },
        lines,
        token::TokenKind,
    },
};

/// The declarations of a file; broken ones are skipped up to the next.
pub(super) fn items<'t>(rules: &Rules<'t>) -> Rule<'t, Vec<Item>> {
    let item = item(rules);
    custom(move |input: &mut Input<'t, '_>| {
        let mut items = Vec::new();
        loop {
            while matches!(kind_ahead(input, 0), Some(TokenKind::Newline | TokenKind::Semicolon)) {
                input.skip();
            }
            if kind_ahead(input, 0).is_none() {
                return Ok(items);
            }
            let start = index(input);
            let before = input.save();
            match input.parse(&item) {
                Ok(item) => {
                    items.push(item);
                    if let Err(failure) = input.parse(end()) {
                        input.emit(failure);
                        skip_from(input, start);
                    }
                }
                Err(failure) => {
                    input.rewind(before);
                    input.state().header = false;
                    input.state().test = false;
                    input.emit(failure);
                    let limit = column(input, start);
                    while index(input) < (failure.at as usize).max(start + 1) && kind_ahead(input, 0).is_some() {
                        input.skip();
                    }
                    skip(input, limit);
                    let end = index(input);
                    let span = input.state().span_between(start, end);
                    items.push(Item { kind: ItemKind::Error, doc: None, annotations: Vec::new(), span });
                }
            }
        }
    })
    .boxed()
}

/// Succeeds at the end of a line, reading nothing.
fn end<'t>() -> Rule<'t, ()> {
    one(Label::End, |tok| tok.begins_line || matches!(tok.kind, TokenKind::Newline | TokenKind::Semicolon))
        .ignored()
        .or(chumsky::prelude::end())
        .rewind()
        .boxed()
}

/// Skips to the next declaration that stands at least as far left as the one that began at `start`.
fn skip_from(input: &mut Input<'_, '_>, start: usize) {
    let limit = column(input, start);
    if index(input) == start {
        input.skip();
    }
    skip(input, limit);
}

/// Skips to the next declaration that is indented by at most `limit`.
fn skip(input: &mut Input<'_, '_>, limit: usize) {
    let start = index(input);
    skip_tokens(input, limit);
    let end = index(input);
    let mut span = input.state().span_between(start, end);
    span.end = ahead(input, 0).map_or(u32::MAX, |next| next.start);
    input.state().skipped.push(span);
}

fn skip_tokens(input: &mut Input<'_, '_>, limit: usize) {
    while let Some(tok) = ahead(input, 0) {
        let at = index(input);
        let next = kind_ahead(input, 1);
        let elsewhere = |state: &State<'_>| lines::declares_elsewhere(state.text(state.span(tok)));
        let begins = tok.begins_line
            && (lines::begins_declaration(tok.kind, next)
                || matches!(tok.kind, TokenKind::At | TokenKind::TooDeep)
                || next.is_some_and(TokenKind::is_word) && elsewhere(input.state()));
        if begins && column(input, at) <= limit {
            return;
        }
        let pair = tok.pair as usize;
        let length = if pair > at && tok.pair != u32::MAX { pair - at + 1 } else { 1 };
        for _ in 0..length {
            input.skip();
        }
    }
}

/// How far a token stands from the beginning of its line.
fn column(input: &mut Input<'_, '_>, at: usize) -> usize {
    let state = input.state();
    let start = state.layout.toks.get(at).map_or(0, |tok| tok.start as usize);
    let before = state.source.text.get(..start).unwrap_or_default();
    start - before.rfind('\n').map_or(0, |at| at + 1)
}

/// `annotations declaration`
fn item<'t>(rules: &Rules<'t>) -> Rule<'t, Item> {
    let annotations =
        annotation(rules).then_ignore(sign(TokenKind::Newline).repeated()).repeated().collect::<Vec<_>>().boxed();
    let declaration = declaration(rules);
    custom(move |input: &mut Input<'t, '_>| {
        let start = index(input);
        let annotations = input.parse(&annotations)?;
        let keyword = index(input);
        input.state().keyword = keyword;
        let kind = input.parse(&declaration)?;
        let end = index(input);
        let state = input.state();
        let doc = state.doc(start, start + 1).or_else(|| state.doc(start, keyword + 1));
        Ok(Item { kind, doc, annotations, span: state.span_between(start, end) })
    })
    .boxed()
}

/// `@name(args)`
fn annotation<'t>(rules: &Rules<'t>) -> Rule<'t, Annotation> {
    sign(TokenKind::At)
        .ignore_then(word())
        .then(expr::args(rules.expr.clone()).or_not())
        .map_with(|(name, args), at| Annotation { name, args: args.unwrap_or_default(), span: span(at) })
        .boxed()
}

fn declaration<'t>(rules: &Rules<'t>) -> Rule<'t, ItemKind> {
    let select = |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
        Some(TokenKind::Import) => Ok(0),
        Some(TokenKind::Let) => Ok(1),
        Some(TokenKind::Type) => Ok(2),
        Some(TokenKind::State) => Ok(3),
        Some(TokenKind::Agent) => Ok(4),
        Some(TokenKind::Workflow | TokenKind::Step | TokenKind::Fn) => Ok(5),
        Some(TokenKind::Test) => Ok(6),
        Some(TokenKind::TooDeep) => Ok(7),
        _ => Err(Label::Declaration),
    };
    let too_deep = sign(TokenKind::TooDeep).map(|_| ItemKind::Error).boxed();
    let alternatives = vec![
        import(),
        constant(rules),
        named_type(rules),
        state(rules),
        agent(rules),
        function(rules),
        test(rules),
        too_deep,
    ];
    choose(select, alternatives)
}

/// A string without inserted expressions, as a name.
fn quoted<'t>() -> Rule<'t, Name> {
    one(Label::Text, |tok| matches!(tok.kind, TokenKind::Str | TokenKind::RawStr))
        .map_with(|tok, at| {
            let span = span(at);
            Name { text: literal::text(tok, span, at.state()), span }
        })
        .boxed()
}

/// `import { a, b as c } from "path"`, `import "path" as a`
fn import<'t>() -> Rule<'t, ItemKind> {
    let one = name().then(sign(TokenKind::As).ignore_then(name()).or_not()).boxed();
    let names = listed(TokenKind::LeftBrace, Separator::Field, one, |_, span| (Name { text: "".into(), span }, None))
        .then_ignore(sign(TokenKind::From))
        .then(quoted())
        .map(|(names, path)| {
            let names = names.into_iter().filter(|name| !name.0.text.is_empty()).collect();
            ItemKind::Import(Import { names: Some(names), path, alias: None })
        });
    let whole = quoted()
        .then_ignore(sign(TokenKind::As))
        .then(name())
        .map(|(path, alias)| ItemKind::Import(Import { names: None, path, alias: Some(alias) }));
    let rest = choose(
        |input: &mut Input<'t, '_>| match kind_ahead(input, 0) {
            Some(TokenKind::LeftBrace) => Ok(0),
            Some(TokenKind::Str | TokenKind::RawStr) => Ok(1),
            _ => Err(Label::Block),
        },
        vec![names.boxed(), whole.boxed()],
    );
    sign(TokenKind::Import).ignore_then(rest).boxed()
}

/// `let NAME: T = e`
fn constant<'t>(rules: &Rules<'t>) -> Rule<'t, ItemKind> {
    sign(TokenKind::Let)
        .ignore_then(name())
        .then(sign(TokenKind::Colon).ignore_then(written(Separator::Annotation, rules.types.whole.clone())).or_not())
        .then_ignore(sign(TokenKind::Eq))
        .then(value(Separator::Statement, rules.expr.clone()))
        .map(|((name, ty), value)| ItemKind::Let(LetItem { name, ty, value }))
        .boxed()
}

/// `type Name = T`
fn named_type<'t>(rules: &Rules<'t>) -> Rule<'t, ItemKind> {
    sign(TokenKind::Type)
        .ignore_then(name())
        .then_ignore(sign(TokenKind::Eq))
        .then(written(Separator::Statement, rules.types.whole.clone()))
        .map(|(name, ty)| ItemKind::Type(TypeItem { name, ty }))
        .boxed()
}

/// `state { field: T = e }`
fn state<'t>(rules: &Rules<'t>) -> Rule<'t, ItemKind> {
    let field = documented(word())
        .then_ignore(sign(TokenKind::Colon))
        .then(written(Separator::Annotation, rules.types.whole.clone()))
        .then(sign(TokenKind::Eq).ignore_then(value(Separator::Field, rules.expr.clone())).or_not())
        .map(|(((name, doc), ty), value)| StateField { name, ty, value, doc })
        .boxed();
    let fields = listed(TokenKind::LeftBrace, Separator::Field, field, |_, span| StateField {
        name: missing(span),
        ty: TypeExpr { kind: TypeExprKind::Error, span },
        value: None,
        doc: None,
    });
    sign(TokenKind::State)
        .ignore_then(fields)
        .map(|fields| ItemKind::State(fields.into_iter().filter(|field| !field.name.text.is_empty()).collect()))
        .boxed()
}

/// `agent name { field: e }`
fn agent<'t>(rules: &Rules<'t>) -> Rule<'t, ItemKind> {
    let field = word().then_ignore(sign(TokenKind::Colon)).then(value(Separator::Field, rules.expr.clone()));
    let fields = listed(TokenKind::LeftBrace, Separator::Field, field.map(Some).boxed(), |_, _| None);
    sign(TokenKind::Agent)
        .ignore_then(name())
        .then(fields)
        .map(|(name, fields)| ItemKind::Agent(AgentItem { name, fields: fields.into_iter().flatten().collect() }))
        .boxed()
}

fn missing(span: Span) -> Name {
    Name { text: "".into(), span }
}

/// `workflow name<T>(params) -> T { }`; a library's `fn` has no block.
fn function<'t>(rules: &Rules<'t>) -> Rule<'t, ItemKind> {
    let type_params = sign(TokenKind::Less)
        .ignore_then(name().separated_by(sign(TokenKind::Comma)).allow_trailing().at_least(1).collect::<Vec<_>>())
        .then_ignore(sign(TokenKind::Greater));
    let block = rules.block.clone().map(Some).boxed();
    let bodies = choose(
        |input: &mut Input<'t, '_>| {
            let ends = |kind: TokenKind| matches!(kind, TokenKind::Newline | TokenKind::Semicolon);
            let opens = kind_ahead(input, 0) == Some(TokenKind::LeftBrace) || brace_below(input);
            Ok(match kind_ahead(input, 0).is_none_or(ends) {
                _ if opens || brace_on_line(input).is_some() => 0,
                true => 1 + usize::from(lacks_block(input)),
                false => 2,
            })
        },
        vec![late_block(block), empty().to(None).boxed(), missing_block()],
    );
    one(Label::Declaration, |tok| matches!(tok.kind, TokenKind::Workflow | TokenKind::Step | TokenKind::Fn))
        .then(name())
        .then(type_params.or_not())
        .then(signature(lambda::params(rules)))
        .then(result(rules).or_not())
        .then(bodies)
        .map(|(((((keyword, name), type_params), params), result), body)| {
            let kind = match keyword.kind {
                TokenKind::Workflow => FunctionKind::Workflow,
                TokenKind::Step => FunctionKind::Step,
                _ => FunctionKind::Fn,
            };
            let type_params = type_params.unwrap_or_default();
            ItemKind::Function(Function { kind, name, type_params, params, result, body })
        })
        .boxed()
}

/// The parameters; where they are missing, what stands in their place is skipped up to the block.
fn signature<'t>(params: Rule<'t, Vec<Param>>) -> Rule<'t, Vec<Param>> {
    custom(move |input: &mut Input<'t, '_>| {
        if kind_ahead(input, 0) == Some(TokenKind::LeftParen) {
            return input.parse(&params);
        }
        let failure = Failure::new(index(input), Label::LeftParen);
        let Some(distance) = brace_on_line(input) else { return Err(failure) };
        input.emit(failure);
        (0..distance).for_each(|_| input.skip());
        Ok(Vec::new())
    })
    .boxed()
}

/// The block of a signature; what stands before it is reported and skipped.
fn late_block<'t>(block: Rule<'t, Option<Block>>) -> Rule<'t, Option<Block>> {
    custom(move |input: &mut Input<'t, '_>| {
        if kind_ahead(input, 0) != Some(TokenKind::LeftBrace)
            && let Some(distance) = brace_on_line(input)
        {
            emit_block(input);
            (0..distance).for_each(|_| input.skip());
        }
        input.parse(&block)
    })
    .boxed()
}

/// Reports that the block of a signature is missing, or the type of its result before that.
fn emit_block(input: &mut Input<'_, '_>) {
    let at = index(input);
    let before = at.checked_sub(1).and_then(|before| input.state().layout.toks.get(before));
    let lacks_result = before.is_some_and(|tok| tok.kind == TokenKind::RightParen);
    let ends = kind_ahead(input, 0).is_none_or(|kind| kind == TokenKind::Newline);
    let failure = Failure::new(at, Label::Block);
    input.emit(if lacks_result && !ends { failure.or(Label::Arrow) } else { failure });
}

/// Whether a signature without a block at the end of its line lacks it: after a library's `fn`, nothing is indented.
fn lacks_block(input: &mut Input<'_, '_>) -> bool {
    let end = index(input);
    let start = input.state().keyword;
    let toks = &input.state().layout.toks;
    let required = toks.get(start).is_some_and(|tok| matches!(tok.kind, TokenKind::Workflow | TokenKind::Step));
    required || end + 1 < toks.len() && column(input, end + 1) > column(input, start)
}

/// Takes the lines after a signature without a block for the block.
fn missing_block<'t>() -> Rule<'t, Option<Block>> {
    custom(|input: &mut Input<'t, '_>| {
        let start = index(input);
        emit_block(input);
        let keyword = input.state().keyword;
        let limit = column(input, keyword);
        skip(input, limit);
        let end = index(input);
        let span = input.state().span_between(start, end);
        Ok(Some(Block { stmts: vec![Stmt { kind: StmtKind::Error, span }], span }))
    })
    .boxed()
}

/// `-> T`; a block in its place is taken for the body.
fn result<'t>(rules: &Rules<'t>) -> Rule<'t, TypeExpr> {
    let missing = custom(|input: &mut Input<'t, '_>| {
        let at = index(input);
        input.emit(Failure::new(at, Label::Type));
        let span = input.state().span_between(at, at);
        Ok(TypeExpr { kind: TypeExprKind::Error, span })
    });
    let result = choose(
        |input: &mut Input<'t, '_>| {
            use TokenKind::{Bar, Colon, LeftBrace, Question, RightBrace};
            let opens = kind_ahead(input, 0) == Some(LeftBrace);
            let field = kind_ahead(input, 1).is_some_and(TokenKind::is_word)
                && matches!(kind_ahead(input, 2), Some(Colon | Question))
                || kind_ahead(input, 1) == Some(RightBrace);
            let goes_on = matches!(kind_behind(input, 0), Some(LeftBrace | Bar | Question));
            Ok(usize::from(opens && !field && !goes_on))
        },
        vec![written(Separator::Header, rules.types.whole.clone()), missing.boxed()],
    );
    let arrow = custom(|input: &mut Input<'t, '_>| {
        let lacks_arrow =
            kind_ahead(input, 0) == Some(TokenKind::LeftBrace) && kind_behind(input, 0) == Some(TokenKind::LeftBrace);
        if lacks_arrow {
            let at = index(input);
            input.emit(Failure::new(at, Label::Arrow));
            return Ok(());
        }
        input.parse(sign(TokenKind::Arrow)).map(drop)
    });
    arrow.ignore_then(result).boxed()
}

/// `test "name" { }`
fn test<'t>(rules: &Rules<'t>) -> Rule<'t, ItemKind> {
    sign(TokenKind::Test)
        .ignore_then(quoted())
        .then(in_test(rules.block.clone()))
        .map(|(name, body)| ItemKind::Test(TestItem { name, body }))
        .boxed()
}

/// Reads a block in which the statements of tests may stand.
fn in_test<'t>(block: Rule<'t, Block>) -> Rule<'t, Block> {
    custom(move |input: &mut Input<'t, '_>| {
        input.state().test = true;
        let result = input.parse(&block);
        input.state().test = false;
        result
    })
    .boxed()
}
