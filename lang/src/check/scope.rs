//! Local variables: blocks, and what may be done with each name.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::{
    LocalId,
    checker::Checker,
    names::{declared_twice, reserved_ctx},
    ty::Type,
    union::has_hole,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{ExprId, Name},
};

/// How a local came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `let` without a type.
    Let,
    /// `let` with a type.
    Typed,
    /// A parameter.
    Param,
    /// The receiver of a library method that may change it.
    MutSelf,
    /// A loop variable.
    Loop,
    /// A name in a pattern of `match`.
    Pattern,
    /// The error that a `catch` names.
    Catch,
}

/// A local variable.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub(super) id: LocalId,
    pub(super) name: SmolStr,
    pub(super) span: Span,
    /// What it holds, whatever is known of it at some place.
    pub(super) ty: Type,
    pub(super) kind: Kind,
    /// How many lambdas and branches stand around its declaration.
    pub(super) level: u32,
    /// The block in which it is declared.
    block: usize,
}

/// The blocks around the place that is being checked.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    /// Every variable of the declaration, by its number.
    all: Vec<Local>,
    /// The variables of the blocks around, in order.
    visible: Vec<LocalId>,
    /// The variables that a name means, the innermost last.
    by_name: HashMap<SmolStr, Vec<LocalId>>,
    /// Where in `visible` each block begins.
    blocks: Vec<usize>,
    /// How many lambdas and branches stand around.
    pub(super) level: u32,
    /// The lambdas and branches around: whether each is a branch.
    pub(super) branches: Vec<bool>,
}

impl Scopes {
    /// The variable that a name means.
    pub(super) fn find(&self, name: &str) -> Option<&Local> {
        self.by_name.get(name).and_then(|ids| ids.last()).map(|id| self.get(*id))
    }

    /// The variable of that number.
    pub(super) fn get(&self, id: LocalId) -> &Local {
        &self.all[id.0 as usize]
    }

    /// Changes what a variable holds.
    pub(super) fn set_type(&mut self, id: LocalId, ty: Type) {
        self.all[id.0 as usize].ty = ty;
    }

    /// All names, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.visible.iter().map(|id| self.get(*id).name.as_str())
    }

    pub(super) fn open(&mut self) {
        self.blocks.push(self.visible.len());
    }

    pub(super) fn close(&mut self) {
        let start = self.blocks.pop().unwrap_or(0);
        for id in self.visible.drain(start..) {
            if let Some(ids) = self.by_name.get_mut(&self.all[id.0 as usize].name) {
                ids.pop();
            }
        }
    }

    fn add(&mut self, name: &Name, ty: Type, kind: Kind) -> LocalId {
        let id = LocalId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        let (level, block) = (self.level, self.blocks.len());
        self.all.push(Local { id, name: name.text.clone(), span: name.span, ty, kind, level, block });
        self.visible.push(id);
        self.by_name.entry(name.text.clone()).or_default().push(id);
        id
    }
}

impl Checker<'_> {
    /// Brings a variable into the innermost block.
    pub(super) fn declare(&mut self, name: &Name, ty: Type, kind: Kind) -> LocalId {
        let hidden = self.frame.scopes.find(&name.text).map(|local| (local.block, local.span, local.kind));
        let id = self.frame.scopes.add(name, ty.clone(), kind);
        self.frame.flow.declare();
        self.note_holes(id, &ty);
        let item = self.frame.item;
        let table = self.table();
        table.locals.insert(name.span.start, id);
        table.local_types.insert((item, id), ty);
        if name.text == "ctx" {
            self.report(reserved_ctx(name.span));
        }
        if let Some((block, before, before_kind)) = hidden
            && !matches!(name.text.as_str(), "" | "_")
        {
            if block == self.frame.scopes.blocks.len() {
                self.report(declared_twice(&format!("`{}`", name.text), &[before, name.span]));
            } else if matches!(kind, Kind::Let | Kind::Typed) {
                // What is constant is made a variable right inside: that is how it is done.
                let constant = !matches!(before_kind, Kind::Let | Kind::Typed);
                let inside = block + 1 == self.frame.scopes.blocks.len();
                self.frame.hides = (!(constant && inside)).then_some((name.span, before));
            }
        }
        id
    }

    /// What a variable holds as far as it is known here.
    pub(super) fn read_local(&mut self, expr: ExprId, id: LocalId) -> Type {
        let ty = self.declared_local(id);
        let Some(known) = self.frame.flow.root(id).and_then(|path| self.known(path, &ty)) else { return ty };
        self.frame.unnarrowed = Some((expr, ty));
        known
    }

    /// What a variable holds, whatever is known of it here.
    pub(super) fn declared_local(&mut self, id: LocalId) -> Type {
        let ty = &self.frame.scopes.get(id).ty;
        if !self.frame.holes.any() || !has_hole(ty) {
            return ty.clone();
        }
        let ty = self.filled(ty);
        self.frame.scopes.set_type(id, ty.clone());
        ty
    }

    /// Changes what a variable holds from its declaration on.
    pub(super) fn redeclare(&mut self, id: LocalId, ty: Type) {
        let item = self.frame.item;
        self.table().local_types.insert((item, id), ty.clone());
        self.frame.scopes.set_type(id, ty);
    }

    /// Reports a `let` that hides another, unless it is made from it.
    pub(super) fn report_hidden(&mut self, value: Span) {
        let Some((span, before)) = self.frame.hides.take() else { return };
        let text = self.text();
        let name = text.get(span.range()).unwrap_or("");
        let mut words = text.get(value.range()).unwrap_or("").split(|c: char| c != '_' && !c.is_alphanumeric());
        if self.frame.library || words.any(|word| word == name) {
            return;
        }
        let message = format!("this is another `{name}` than the one outside, which keeps its value");
        let help = format!("to change it write `{name} = …`; else give this one another name");
        let diagnostic = Diagnostic::new(Code::Shadowed, span, message).label(before, "this one is hidden");
        self.report(diagnostic.help(help));
    }

    /// Does something within a block of its own.
    pub(super) fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.frame.scopes.open();
        let out = work(self);
        self.frame.scopes.close();
        out
    }
}
