//! The checker's state, and the questions that every part of it asks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    ItemRef, ModuleId, ModuleInput, NamedType, Signature, Tables,
    names::{Library, ModuleNames},
    prescan::Prescan,
    relate::{Fit, Relate, resolve},
    scope::Scopes,
    show::show,
    suggest::{did_you_mean, nearest},
    ty::{FunctionType, Literal, RecordType, Type},
    union::{erase, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    path,
    span::Span,
    syntax::ast::{self, Expr, ExprId, ItemKind},
};
use smol_str::SmolStr;

/// How far the check of a declaration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its body is being checked.
    Open,
    /// Its body is checked.
    Done,
}

/// Checks modules; filled from front to back, and read apart in the end.
pub(super) struct Checker<'a> {
    pub(super) modules: &'a [ModuleInput],
    pub(super) names: Vec<ModuleNames>,
    pub(super) library: Library,
    pub(super) tables: Vec<Tables>,
    pub(super) named: HashMap<ItemRef, NamedType>,
    pub(super) signatures: HashMap<ItemRef, Arc<Signature>>,
    /// Functions whose result has to be inferred from their body.
    pub(super) inferred: HashSet<ItemRef>,
    /// The types of top-level `let`s and agents that are known.
    pub(super) values: HashMap<ItemRef, Type>,
    pub(super) progress: HashMap<ItemRef, Progress>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) frame: Frame,
    /// The `|>` whose left side has not found its call yet: its id and that side.
    pub(super) pipe: Option<(ExprId, &'a Expr)>,
}

/// What a `return` does where it stands.
#[derive(Debug)]
pub(super) enum Returns {
    /// Gives a value of this type.
    Typed(Type),
    /// Gives what the result is inferred from.
    Inferred(Vec<Type>),
    /// There is no result: a workflow or step without a result type.
    Nothing,
    /// It cannot leave: a branch, or no function at all.
    Fixed,
}

/// The declaration that is being checked.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) module: ModuleId,
    pub(super) item: u32,
    pub(super) library: bool,
    /// The body of a test.
    pub(super) test: bool,
    pub(super) type_params: Vec<SmolStr>,
    pub(super) scopes: Scopes,
    pub(super) returns: Returns,
    /// How many loops stand around, within the function or branch.
    pub(super) loops: u32,
    /// Whether the innermost loop has a `break`.
    pub(super) broke: bool,
    pub(super) prescan: Prescan,
    /// Where the call stands that a `|>` gives its left side to.
    pub(super) piped: Option<ExprId>,
}

impl Frame {
    pub(super) fn new(module: ModuleId, item: u32, library: bool) -> Self {
        Self {
            module,
            item,
            library,
            test: false,
            type_params: Vec::new(),
            scopes: Scopes::default(),
            returns: Returns::Fixed,
            loops: 0,
            broke: false,
            prescan: Prescan::default(),
            piped: None,
        }
    }
}

impl<'a> Checker<'a> {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::new(code, span, message));
    }

    /// The declaration that a reference means.
    pub(super) fn item(&self, item: ItemRef) -> &'a ast::Item {
        &self.modules[item.module.0 as usize].module.items[item.item as usize]
    }

    /// The function that a reference means.
    pub(super) fn function(&self, item: ItemRef) -> Option<&'a ast::Function> {
        match &self.item(item).kind {
            ItemKind::Function(function) => Some(function),
            _ => None,
        }
    }

    /// The tables of the module whose code is being checked.
    pub(super) fn table(&mut self) -> &mut Tables {
        &mut self.tables[self.frame.module.0 as usize]
    }

    /// The source of the module whose code is being checked.
    pub(super) fn text(&self) -> &'a str {
        &self.modules[self.frame.module.0 as usize].source.text
    }

    /// The type as source would write it.
    pub(super) fn show(&self, ty: &Type) -> String {
        show(ty, &|item| self.named.get(&item).map_or_else(|| "?".to_owned(), |named| named.name.to_string()))
    }

    /// The same, each declared type with the name of its module's file.
    fn show_with_module(&self, ty: &Type) -> String {
        let shown = |item: ItemRef| {
            let file = path::file(&self.modules[item.module.0 as usize].name);
            self.named.get(&item).map(|named| format!("{}.{}", file.strip_suffix(".wf").unwrap_or(file), named.name))
        };
        show(ty, &|item| shown(item).unwrap_or_else(|| "?".to_owned()))
    }

    /// Whether values of `from` fit `to`.
    pub(super) fn fits(&self, from: &Type, to: &Type) -> Fit {
        Relate::new(&self.named, self.frame.library).fits(from, to)
    }

    /// What a type stands for; a type variable is anything.
    pub(super) fn resolve(&self, ty: &Type) -> Type {
        match resolve(&self.named, ty) {
            Type::Var(_) => Type::Any,
            other => other.clone(),
        }
    }

    /// The types that a value may have, one by one, declared names followed.
    pub(super) fn members(&self, ty: &Type) -> Vec<Type> {
        let mut out = Vec::new();
        self.add_members(ty, &mut out, 0);
        out
    }

    fn add_members(&self, ty: &Type, out: &mut Vec<Type>, depth: u32) {
        match self.resolve(ty) {
            Type::Union(inner) if depth < 64 => inner.iter().for_each(|ty| self.add_members(ty, out, depth + 1)),
            other => out.push(other),
        }
    }

    /// Whether null is certainly among the values.
    pub(super) fn has_null(&self, ty: &Type) -> bool {
        self.members(ty).contains(&Type::Null)
    }

    /// The type without null.
    pub(super) fn non_null(&self, ty: &Type) -> Type {
        match ty {
            Type::Null => Type::Never,
            Type::Union(members) => union(members.iter().map(|member| self.non_null(member))),
            Type::Named(_) if self.has_null(ty) => self.non_null(&self.resolve(ty)),
            other => other.clone(),
        }
    }

    /// The members of a type without null.
    pub(super) fn members_non_null(&self, ty: &Type) -> Vec<Type> {
        let mut members = self.members(ty);
        members.retain(|member| *member != Type::Null);
        members
    }

    /// The record types that a value may have.
    pub(super) fn records(&self, ty: &Type) -> Vec<Arc<RecordType>> {
        let members = self.members(ty).into_iter();
        let records = members.filter_map(|member| match member {
            Type::Record(record) => Some(record),
            _ => None,
        });
        records.collect()
    }

    /// The function type among what is expected.
    pub(super) fn function_type(&self, ty: &Type) -> Option<Arc<FunctionType>> {
        self.members(ty).into_iter().find_map(|member| match member {
            Type::Function(function) => Some(function),
            _ => None,
        })
    }

    /// Says whether a value of type `got` fits `want`, reports when it does not, and has it checked at run time when
    /// that is not known. Gives the type that the value has from then on.
    pub(super) fn coerce(&mut self, expr: &Expr, got: Type, want: &Type) -> Type {
        match self.fits(&got, want) {
            Fit::Yes => got,
            Fit::Maybe => {
                let ty = erase(want);
                self.table().expects.insert(expr.id, ty);
                want.clone()
            }
            Fit::No => {
                self.mismatch(expr.span, &got, want);
                Type::Unknown
            }
        }
    }

    /// The error for a value of type `got` where `want` is expected.
    pub(super) fn mismatch(&mut self, span: Span, got: &Type, want: &Type) {
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
        let (mut expected, mut found) = (self.show(want), self.found(got, want));
        if expected == found {
            // Types of one name from two modules.
            (expected, found) = (self.show_with_module(want), self.show_with_module(got));
        }
        let message = format!("expected `{expected}`, found `{found}`");
        let mut diagnostic = Diagnostic::new(Code::Mismatch, span, message);
        if let Some(help) = self.how_to_fit(got, want) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    /// What was found, for a message: exactly where literals are expected, else what it is of.
    pub(super) fn found(&self, got: &Type, want: &Type) -> String {
        let literal = |ty: &Type| matches!(ty, Type::Literal(_) | Type::Record(_));
        if self.members(want).iter().any(literal) { self.show(got) } else { self.show(&widen(got)) }
    }

    /// What is not data in a type, with its article.
    pub(super) fn not_data(&self, ty: &Type) -> Option<&'static str> {
        match self.resolve(ty) {
            Type::Function(_) => Some("a function"),
            Type::Agent(_) => Some("an agent"),
            Type::TypeOf(_) => Some("a type"),
            Type::Secret => Some("a secret"),
            Type::Tool => Some("a tool"),
            Type::List(item) | Type::Map(item) if !matches!(*item, Type::Named(_)) => self.not_data(&item),
            Type::Record(record) => {
                record.fields.iter().filter(|f| !matches!(f.ty, Type::Named(_))).find_map(|f| self.not_data(&f.ty))
            }
            Type::Union(members) => members.iter().find_map(|member| self.not_data(member)),
            _ => None,
        }
    }

    fn how_to_fit(&self, got: &Type, want: &Type) -> Option<String> {
        let (have, need) = (self.resolve(got), self.members_non_null(want));
        if let Some(help) = literal_help(&have, &need) {
            return Some(help);
        }
        let need = if let [one] = need.as_slice() { one.clone() } else { Type::Unknown };
        match (&have, &need) {
            (Type::Null, _) => Some(format!("null fits only a type with `?`, such as `{}?`", self.show(want))),
            (Type::Float | Type::Literal(Literal::Float(_)), Type::Int) => {
                Some("make it whole: `a.div(b)` divides ints, `.floor()` and `.ceil()` round floats".to_owned())
            }
            (Type::Record(a), Type::Record(b)) => {
                let missing = b.fields.iter().find(|f| !f.optional && !a.fields.iter().any(|g| g.name == f.name));
                if let Some(field) = missing {
                    return Some(format!("it has no field `{}`", field.name));
                }
                let wrong = b.fields.iter().find_map(|want| {
                    let have = a.fields.iter().find(|have| have.name == want.name)?;
                    (self.fits(&have.ty, &want.ty) == Fit::No).then_some((have, want))
                });
                wrong.map(|(have, want)| {
                    let (name, want, have) = (&have.name, self.show(&want.ty), self.show(&have.ty));
                    format!("its field `{name}` is `{have}` instead of `{want}`")
                })
            }
            (Type::Int | Type::Float | Type::Bool | Type::Literal(_), Type::String)
                if !matches!(have, Type::Literal(Literal::String(_))) =>
            {
                Some("put it into text: `\"${…}\"`".to_owned())
            }
            (_, Type::TypeOf(_)) => {
                Some("give the name of a type; any other type is written with `type`, as in `type [string]`".to_owned())
            }
            (Type::Function(_), Type::Function(want)) => {
                let count = want.params.len();
                let word = if count == 1 { "argument" } else { "arguments" };
                Some(format!("it is called with {count} {word}, so it takes as many parameters"))
            }
            (Type::Function(_), _) => Some("call it, or give a value".to_owned()),
            (Type::Agent(_), Type::String) => Some("call it with a prompt: `agent(\"…\")`".to_owned()),
            (Type::Int | Type::Literal(Literal::Int(_)), Type::Duration) => {
                Some("write a duration such as `30s`".to_owned())
            }
            _ => None,
        }
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
    let quoted = |text: &str| smol_str::format_smolstr!("{text:?}");
    let near: Vec<SmolStr> = nearest(word, texts.iter().copied()).iter().map(|text| quoted(text)).collect();
    did_you_mean(&near).or_else(|| {
        let all: Vec<SmolStr> = texts.iter().map(|text| quoted(text)).collect();
        Some(format!("it is one of `{}`", all.join("`, `")))
    })
}
