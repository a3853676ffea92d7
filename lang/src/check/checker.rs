//! The checker's state, and the questions that every part of it asks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    ItemRef, ModuleId, ModuleInput, NamedType, Signature, Tables,
    args::Given,
    flow::{Flow, Mark, State},
    holes::Holes,
    names::{Library, ModuleNames},
    prescan::Prescan,
    relate::Fit,
    scope::Scopes,
    show::show,
    ty::Type,
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
    /// Each `any` that nobody wrote.
    pub(super) implicit: Vec<Diagnostic>,
    /// The declarations of which a part did not parse.
    pub(super) broken: HashSet<ItemRef>,
    pub(super) frame: Frame,
    /// The call that changes its receiver, and that receiver, while its arguments are held against what it holds.
    pub(super) putting: Option<(&'a Expr, Given<'a>)>,
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
    pub(super) prescan: Prescan,
    pub(super) flow: Flow,
    pub(super) holes: Holes,
    /// What is known where the innermost loop begins, and at each `break` out of it.
    pub(super) around: (Option<Mark>, Vec<State>),
    /// The path that was read last, and what it may be, where it is known better.
    pub(super) unnarrowed: Option<(ExprId, Type)>,
    /// The `let` that has just hidden one of an outer block, and that one.
    pub(super) hides: Option<(Span, Span)>,
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
            prescan: Prescan::default(),
            flow: Flow::default(),
            holes: Holes::default(),
            around: (None, Vec::new()),
            unnarrowed: None,
            hides: None,
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

    /// Takes note that a part of the declaration did not parse.
    pub(super) fn is_broken(&mut self) {
        self.broken.insert(ItemRef { module: self.frame.module, item: self.frame.item });
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
        let ty = self.mended(ty);
        show(&ty, &|item| self.named.get(&item).map_or_else(|| "?".to_owned(), |named| named.name.to_string()))
    }

    /// The same, each declared type with the name of its module's file.
    pub(super) fn show_with_module(&self, ty: &Type) -> String {
        let shown = |item: ItemRef| {
            let file = path::file(&self.modules[item.module.0 as usize].name);
            self.named.get(&item).map(|named| format!("{}.{}", file.strip_suffix(".wf").unwrap_or(file), named.name))
        };
        show(ty, &|item| shown(item).unwrap_or_else(|| "?".to_owned()))
    }

    /// Whether values of `from` fit `to`.
    pub(super) fn fits(&self, from: &Type, to: &Type) -> Fit {
        self.relate().fits(from, to)
    }

    /// Whether values of `from` may be what the signature of something that is called speaks of: its type variables
    /// stand for anything.
    pub(super) fn fits_pattern(&self, from: &Type, to: &Type) -> Fit {
        let mut relate = self.relate();
        relate.pattern = true;
        relate.fits(from, to)
    }
}
