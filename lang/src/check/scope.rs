//! Local variables: blocks, and what may be done with each name.

use smol_str::SmolStr;

use super::{
    LocalId,
    checker::Checker,
    names::{declared_twice, reserved_ctx},
    ty::Type,
};
use crate::{span::Span, syntax::ast::Name};

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
    pub(super) ty: Type,
    pub(super) kind: Kind,
    /// How many lambdas and branches stand around its declaration.
    pub(super) level: u32,
}

/// The blocks around the place that is being checked.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    visible: Vec<Local>,
    /// Where in `visible` each block begins.
    blocks: Vec<usize>,
    count: u32,
    /// How many lambdas and branches stand around.
    pub(super) level: u32,
    /// The lambdas and branches around: whether each is a branch.
    pub(super) branches: Vec<bool>,
}

impl Scopes {
    /// The variable that a name means.
    pub(super) fn find(&self, name: &str) -> Option<&Local> {
        self.visible.iter().rev().find(|local| local.name == name)
    }

    /// Changes what is known of a variable's type.
    pub(super) fn set_type(&mut self, id: LocalId, ty: Type) {
        if let Some(local) = self.visible.iter_mut().rev().find(|local| local.id == id) {
            local.ty = ty;
        }
    }

    /// All names, the innermost last.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.visible.iter().map(|local| local.name.as_str())
    }

    pub(super) fn open(&mut self) {
        self.blocks.push(self.visible.len());
    }

    pub(super) fn close(&mut self) {
        if let Some(start) = self.blocks.pop() {
            self.visible.truncate(start);
        }
    }

    fn in_block(&self, name: &str) -> Option<&Local> {
        let start = self.blocks.last().copied().unwrap_or(0);
        self.visible[start..].iter().find(|local| local.name == name)
    }
}

impl Checker<'_> {
    /// Brings a variable into the innermost block.
    pub(super) fn declare(&mut self, name: &Name, ty: Type, kind: Kind) -> LocalId {
        let scopes = &mut self.frame.scopes;
        let id = LocalId(scopes.count);
        scopes.count += 1;
        let before = scopes.in_block(&name.text).map(|local| local.span);
        let local = Local { id, name: name.text.clone(), span: name.span, ty: ty.clone(), kind, level: scopes.level };
        scopes.visible.push(local);
        let item = self.frame.item;
        let table = self.table();
        table.locals.insert(name.span.start, id);
        table.local_types.insert((item, id), ty);
        if name.text == "ctx" {
            self.report(reserved_ctx(name.span));
        }
        if let Some(before) = before
            && !name.text.is_empty()
            && name.text != "_"
        {
            let message = format!("`{}`", name.text);
            self.report(declared_twice(&message, &[before, name.span]));
        }
        id
    }

    /// Does something within a block of its own.
    pub(super) fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.frame.scopes.open();
        let out = work(self);
        self.frame.scopes.close();
        out
    }
}
