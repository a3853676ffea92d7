//! Values held against types: what fits, what is checked when the program runs, and what is said of the rest.

use smol_str::SmolStr;

use super::{
    ItemRef, Use,
    checker::Checker,
    relate::Fit,
    suggest::{did_you_mean, nearest},
    ty::{FunctionType, Literal, RecordType, Type},
    union::{erase, has_hole, has_var, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Expr, ExprKind, RecordField},
};

/// Source that is longer than this is not repeated in a message.
const SHORT: usize = 40;

impl Checker<'_> {
    /// Says whether a value of type `got` fits `want`, reports when it does not, and has it checked at run time when
    /// that is not known. Gives the type that the value has from then on.
    pub(super) fn coerce(&mut self, expr: &Expr, got: Type, want: &Type) -> Type {
        if !self.frame.holes.any() {
            return self.hold(expr, got, want);
        }
        if has_hole(want) {
            let puts = self.regrouped(expr, &got);
            self.fill(want, &puts, true);
        }
        let open = self.is_open(&got);
        if has_hole(&got) {
            self.fill(&got, want, false);
        }
        let (mut got, want) = (self.filled(&got), self.filled(want));
        // What has just become `T?` has been asked for null already, perhaps.
        if open
            && let Some(path) = self.path_of(expr)
            && let Some(known) = self.known(path, &got)
        {
            got = known;
        }
        self.hold(expr, got, &want)
    }

    fn hold(&mut self, expr: &Expr, got: Type, want: &Type) -> Type {
        match self.fits(&got, want) {
            Fit::Yes => got,
            Fit::Maybe => {
                // The library moves what is not data, too, where it does not know what it is.
                if !(self.frame.library && has_var(want)) {
                    self.expect(expr, erase(want));
                }
                want.clone()
            }
            Fit::No => {
                if let Some((place, given)) = self.putting
                    && given.values().any(|value| value.id == expr.id)
                    && let Some(wider) = self.wider_place(place, true, &got, want)
                {
                    return wider;
                }
                let otherwise = self.how_to_declare(expr, want).or_else(|| braces_help(expr));
                self.mismatch_with(expr.span, &got, want, otherwise);
                Type::Unknown
            }
        }
    }

    /// What can be said of a variable that has its type from what was put in first.
    fn how_to_declare(&self, expr: &Expr, want: &Type) -> Option<String> {
        let ExprKind::Name(name) = &expr.kind else { return None };
        let Some(Use::Local(id)) = self.tables[self.frame.module.0 as usize].uses.get(&expr.id) else { return None };
        let empty = match self.resolve(want) {
            Type::List(_) => "[]",
            Type::Map(_) | Type::Record(_) => "{}",
            _ => return None,
        };
        let filled = self.frame.holes.is_of(*id);
        filled.then(|| {
            format!("what is put in first says what it holds; declare it: `let {name}: {} = {empty}`", self.show(want))
        })
    }

    /// The error for a value of type `got` where `want` is expected.
    pub(super) fn mismatch(&mut self, span: Span, got: &Type, want: &Type) {
        self.mismatch_with(span, got, want, None);
    }

    /// The same; `otherwise` is what helps where nothing better is known.
    fn mismatch_with(&mut self, span: Span, got: &Type, want: &Type, otherwise: Option<String>) {
        if let (Type::Any | Type::Payload, Some(what)) = (self.resolve(want), self.not_data(got)) {
            let message = format!("{what} is not data, so it does not fit `{}`", self.show(want));
            let help = match (got, what) {
                (Type::Function(_), _) => "give the parameter a function type such as `fn(any) -> any`, or call it",
                (_, "a secret") => "a secret fits parameters of type `secret` and `payload` only",
                _ => "only text, numbers, bools, times, lists, maps and records are data",
            };
            self.report(Diagnostic::new(Code::NotData, span, message).help(help));
            return;
        }
        if self.has_null(got) && *got != Type::Null && self.fits(&self.non_null(got), want) != Fit::No {
            let wanted = format!("expected `{}`, found `{}`", self.show(want), self.show(got));
            self.maybe_null(span, &wanted, None);
            return;
        }
        let (mut expected, mut found) = (self.show(want), self.found(got, want));
        if expected == found {
            // Types of one name from two modules.
            (expected, found) = (self.show_with_module(want), self.show_with_module(got));
        }
        let message = format!("expected `{expected}`, found `{found}`");
        let mut diagnostic = Diagnostic::new(Code::Mismatch, span, message);
        if let Some(help) = self.how_to_fit(got, want).or(otherwise) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    /// The error for a value that may be null where `why` null is of no use; `other` is what can be written instead.
    pub(super) fn maybe_null(&mut self, span: Span, why: &str, other: Option<String>) {
        let shown = self.source(span);
        let subject = shown.as_deref().map_or_else(|| "this".to_owned(), |text| format!("`{text}`"));
        let mut ways = Vec::from_iter(other);
        ways.push("give another value for null with `??`".to_owned());
        match shown {
            Some(text) if text.starts_with("ctx.") => {
                let name = text.rsplit('.').next().filter(|name| name.chars().all(|c| c == '_' || c.is_alphanumeric()));
                ways.push(format!(
                    "copy it first, `let {} = {text}`, and ask `!= null` of the copy",
                    name.unwrap_or("x")
                ));
            }
            Some(text) if !text.contains('(') => ways.push(format!("ask `if {text} != null` before")),
            _ => ways.push("put it into a variable and ask `!= null` before".to_owned()),
        }
        let help = match ways.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{}, or {last}", rest.join(", ")),
            _ => ways.concat(),
        };
        let message = format!("{subject} may be null: {why}");
        self.report(Diagnostic::new(Code::MaybeNull, span, message).help(help));
    }

    fn certainly_null(&mut self, span: Span, why: &str) {
        let subject = self.source(span).map_or_else(|| "this".to_owned(), |text| format!("`{text}`"));
        let message = format!("{subject} is null here: {why}");
        self.report(Diagnostic::new(Code::MaybeNull, span, message).help("give it a value before"));
    }

    /// The source at a place, if it is short.
    pub(super) fn source(&self, span: Span) -> Option<String> {
        let text = self.text().get(span.range())?;
        (text.len() <= SHORT && !text.contains('\n') && !text.contains('`')).then(|| text.to_owned())
    }

    /// Takes null out of a type, and says so where it was in it.
    pub(super) fn without_null(&mut self, expr: &Expr, ty: Type, why: &str, other: Option<String>) -> Type {
        if !self.has_null(&ty) {
            return ty;
        }
        let left = self.non_null(&ty);
        if left == Type::Never {
            self.certainly_null(expr.span, why);
            return Type::Unknown;
        }
        self.maybe_null(expr.span, why, other);
        left
    }

    /// Keeps in mind an `any` that nobody wrote.
    pub(super) fn implicit_any(&mut self, span: Span, message: &str, help: &str) {
        if !self.frame.library {
            self.implicit.push(Diagnostic::new(Code::ImplicitAny, span, message).help(help));
        }
    }

    /// What was found, for a message: exactly where literals are expected, else what it is of.
    pub(super) fn found(&self, got: &Type, want: &Type) -> String {
        let literal = |ty: &Type| matches!(ty, Type::Literal(_) | Type::Record(_));
        if self.members(want).iter().any(literal) { self.show(got) } else { self.show(&widen(got)) }
    }

    /// What is not data in a type, with its article.
    pub(super) fn not_data(&self, ty: &Type) -> Option<&'static str> {
        self.not_data_within(ty, &mut Vec::new())
    }

    fn not_data_within(&self, ty: &Type, seen: &mut Vec<ItemRef>) -> Option<&'static str> {
        if let Type::Named(item) = ty {
            if seen.contains(item) {
                return None;
            }
            seen.push(*item);
        }
        match self.resolve(ty) {
            Type::Function(_) => Some("a function"),
            Type::Agent(_) => Some("an agent"),
            Type::TypeOf(_) => Some("a type"),
            Type::Secret => Some("a secret"),
            Type::Tool => Some("a tool"),
            Type::List(item) | Type::Map(item) => self.not_data_within(&item, seen),
            Type::Record(record) => record.fields.iter().find_map(|field| self.not_data_within(&field.ty, seen)),
            Type::Union(members) => members.iter().find_map(|member| self.not_data_within(member, seen)),
            _ => None,
        }
    }

    fn how_to_fit(&self, got: &Type, want: &Type) -> Option<String> {
        let (have, need) = (self.resolve(got), self.members_non_null(want));
        if let Some(help) = literal_help(&have, &need) {
            return Some(help);
        }
        if let Some(help) = self.discriminant_help(&have, &need) {
            return Some(help);
        }
        if let Some(help) = self.misfit_help(got, want) {
            return Some(help);
        }
        let need = if let [one] = &*need { one.clone() } else { Type::Unknown };
        match (&have, &need) {
            (Type::Null, _) => Some(format!("null fits only a type with `?`, such as `{}?`", self.show(want))),
            (Type::Float | Type::Literal(Literal::Float(_)), Type::Int) => {
                Some("make it whole: `a.div(b)` divides ints, `.floor()` and `.ceil()` round floats".to_owned())
            }
            (Type::Record(a), Type::Record(b)) => self.record_help(a, b, want),
            (Type::Map(_), Type::Record(_)) => Some(format!("say what its keys are: `… as {}`", self.show(want))),
            (Type::Record(record), Type::Map(item)) => {
                let wrong = record.fields.iter().find(|field| self.fits(&field.read(), item) == Fit::No)?;
                Some(format!("its field `{}` is `{}`", wrong.name, self.show(&wrong.read())))
            }
            (Type::Int | Type::Float | Type::Bool | Type::Literal(_), Type::String)
                if !matches!(have, Type::Literal(Literal::String(_))) =>
            {
                Some("put it into text: `\"${…}\"`".to_owned())
            }
            (_, Type::TypeOf(_)) => {
                Some("give the name of a type; any other type is written with `type`, as in `type [string]`".to_owned())
            }
            (Type::Function(have), Type::Function(want)) => Some(self.function_help(have, want)),
            (Type::Agent(answer), Type::Function(want)) => Some(match want.params.as_slice() {
                [_] => format!("it answers with `{}`", self.show(answer)),
                _ => "an agent takes one argument, the prompt".to_owned(),
            }),
            (Type::Function(_), _) => Some("call it, or give a value".to_owned()),
            (Type::Secret, _) => {
                Some("a secret fits parameters of type `secret` and `payload` only, so that nobody sees it".to_owned())
            }
            (Type::Agent(_), Type::String) => Some("call it with a prompt: `agent(\"…\")`".to_owned()),
            (Type::Int | Type::Literal(Literal::Int(_)), Type::Duration) => {
                Some("write a duration such as `30s`".to_owned())
            }
            _ => None,
        }
    }

    /// What the field may be that tells records apart, where it is something else.
    fn discriminant_help(&self, have: &Type, need: &[Type]) -> Option<String> {
        let Type::Record(have) = have else { return None };
        let records = need.iter().map(|member| match member {
            Type::Record(record) => Some(record),
            _ => None,
        });
        let records: Vec<_> = records.collect::<Option<_>>()?;
        let [first, _, ..] = records.as_slice() else { return None };
        first.fields.iter().find_map(|field| {
            let found = have.field(&field.name)?.read();
            let mut known: Vec<Type> = Vec::new();
            for record in &records {
                let ty = &record.field(&field.name)?.ty;
                self.literals(ty)?;
                known.extend(self.members(ty).iter().cloned());
            }
            if known.iter().any(|ty| self.fits(&found, ty) != Fit::No) {
                return None;
            }
            let mut shown: Vec<String> = known.iter().map(|ty| self.show(ty)).collect();
            shown.dedup();
            let (name, found) = (&field.name, self.show(&found));
            Some(format!("its field `{name}` is `{found}`; it may be `{}`", shown.join("`, `")))
        })
    }

    /// Which of the things that a value may be does not fit, and how a wide type becomes a narrow one.
    fn misfit_help(&self, got: &Type, want: &Type) -> Option<String> {
        let parts = self.members(got);
        if parts.len() > 1 {
            let wrong = parts.iter().find(|part| self.fits(part, want) == Fit::No)?;
            let any = parts.iter().any(|part| self.fits(part, want) != Fit::No);
            return any.then(|| format!("`{}` does not fit: narrow it with `match` or `if` first", self.show(wrong)));
        }
        let narrower = self
            .members_non_null(want)
            .iter()
            .any(|member| matches!(member, Type::Literal(literal) if super::union::base(literal) == parts[0]));
        narrower.then(|| format!("it may be any `{}`: check it with `… as {}`", self.show(got), self.show(want)))
    }

    fn function_help(&self, have: &FunctionType, want: &FunctionType) -> String {
        let needed = have.params.iter().filter(|param| !param.has_default).count();
        let count = want.params.len();
        if needed > count || count > have.params.len() {
            let word = if count == 1 { "argument" } else { "arguments" };
            return format!("it is called with {count} {word}, so it takes as many parameters");
        }
        let mut params = have.params.iter().zip(&want.params);
        match params.find(|(have, given)| self.fits(&given.ty, &have.ty) == Fit::No) {
            Some((have, given)) => {
                format!(
                    "it is called with `{}`, which its parameter `{}` does not take",
                    self.show(&given.ty),
                    self.show(&have.ty)
                )
            }
            None => format!("it gives `{}` instead of `{}`", self.show(&have.result), self.show(&want.result)),
        }
    }

    fn record_help(&self, have: &RecordType, want: &RecordType, name: &Type) -> Option<String> {
        let missing = want.fields.iter().find(|field| !field.optional && have.field(&field.name).is_none());
        if let Some(field) = missing {
            return Some(format!("it has no field `{}`", field.name));
        }
        for want in &want.fields {
            match have.field(&want.name) {
                None if want.optional && !have.closed => {
                    return Some(format!(
                        "its type does not say what `{}` is, so a value may hold anything there: check it with `… as {}`",
                        want.name,
                        self.show(name)
                    ));
                }
                Some(have) if self.fits(&have.read(), &want.read()) == Fit::No => {
                    let (shown, wanted) = (self.show(&have.read()), self.show(&want.read()));
                    return Some(format!("its field `{}` is `{shown}` instead of `{wanted}`", have.name));
                }
                _ => {}
            }
        }
        None
    }
}

/// Which of the texts that are expected is meant.
fn literal_help(have: &Type, need: &[Type]) -> Option<String> {
    let Type::Literal(Literal::String(word)) = have else { return None };
    let texts = need.iter().map(|member| match member {
        Type::Literal(Literal::String(text)) => Some(text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    if texts.is_empty() {
        return None;
    }
    let quoted = |text: &str| smol_str::format_smolstr!("{text:?}");
    let near: Vec<SmolStr> = nearest(word, texts.iter().copied()).iter().map(|text| quoted(text)).collect();
    did_you_mean(&near).or_else(|| {
        let all: Vec<SmolStr> = texts.iter().map(|text| quoted(text)).collect();
        Some(format!("it is one of `{}`", all.join("`, `")))
    })
}

/// `{ x }` where its author thought of a block.
fn braces_help(expr: &Expr) -> Option<String> {
    let ExprKind::Record(fields) = &expr.kind else { return None };
    let [RecordField::Named { name, shorthand: true, .. }] = fields.as_slice() else { return None };
    let x = &name.text;
    Some(format!(
        "`{{ {x} }}` is a record with the field `{x}`; for the value alone write `{x}`, behind an arrow `=> {x}`"
    ))
}
