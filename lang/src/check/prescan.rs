//! What has to be known of a declaration before its statements are checked in order: where its variables are changed.

use std::collections::{HashMap, HashSet};

use smol_str::SmolStr;

use super::walk::{Visitor, walk_item};
use crate::{
    span::Span,
    syntax::ast::{Expr, ExprKind, Item, Name, Stmt, StmtKind, StrPart, UnaryOp},
};

/// The methods that change their receiver.
pub(super) const CHANGING: [&str; 5] = ["push", "pop", "insert", "remove", "set"];

/// One step from a variable to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `.name`, `["name"]`.
    Name(SmolStr),
    /// `[0]`.
    At(i64),
    /// `[i]`.
    Other,
}

/// A place where a variable is changed.
#[derive(Clone, Debug)]
pub(super) struct Mutation {
    /// The offset of the place in the text.
    at: u32,
    /// The offset of the variable's declaration.
    pub(super) binder: u32,
    /// The way to what is changed.
    pub(super) steps: Vec<Step>,
    /// A method changes what is within; else the whole is assigned.
    pub(super) within: bool,
}

/// What a look through the whole declaration finds.
#[derive(Debug, Default)]
pub(super) struct Prescan {
    /// The variables that are assigned or changed by a method somewhere, by the offset of their declaration; others keep
    /// their exact types.
    changed: HashSet<u32>,
    /// All changes, in the order of the text.
    mutations: Vec<Mutation>,
}

impl Prescan {
    /// Whether a variable is changed anywhere.
    pub(super) fn is_changed(&self, name: &Name) -> bool {
        self.changed.contains(&name.span.start)
    }

    /// The changes in a part of the text.
    pub(super) fn mutations(&self, span: Span) -> &[Mutation] {
        let start = self.mutations.partition_point(|mutation| mutation.at < span.start);
        let end = self.mutations.partition_point(|mutation| mutation.at < span.end);
        self.mutations.get(start..end).unwrap_or_default()
    }
}

/// Looks through a declaration.
pub(super) fn prescan(item: &Item) -> Prescan {
    let mut look = Look::default();
    walk_item(item, &mut look);
    look.found.mutations.sort_by_key(|mutation| mutation.at);
    look.found
}

#[derive(Default)]
struct Look {
    found: Prescan,
    /// The declarations that each name has around the place, the innermost last.
    visible: HashMap<SmolStr, Vec<u32>>,
    /// The names of each block, one after the other.
    names: Vec<SmolStr>,
    blocks: Vec<usize>,
}

impl Look {
    fn change(&mut self, place: &Expr, within: bool) {
        let (root, steps) = way_to(place);
        let ExprKind::Name(name) = &root.kind else { return };
        let Some(binder) = self.visible.get(name).and_then(|binders| binders.last()).copied() else { return };
        self.found.changed.insert(binder);
        self.found.mutations.push(Mutation { at: place.span.start, binder, steps, within });
    }
}

impl Visitor for Look {
    fn enter(&mut self) {
        self.blocks.push(self.names.len());
    }

    fn leave(&mut self) {
        let start = self.blocks.pop().unwrap_or(0);
        for name in self.names.drain(start..) {
            if let Some(binders) = self.visible.get_mut(&name) {
                binders.pop();
            }
        }
    }

    fn bind(&mut self, name: &Name) {
        self.visible.entry(name.text.clone()).or_default().push(name.span.start);
        self.names.push(name.text.clone());
    }

    fn expr(&mut self, expr: &Expr) -> bool {
        if let ExprKind::Call { callee, .. } = &expr.kind
            && let ExprKind::Field { object, name, .. } = &callee.kind
            && CHANGING.contains(&name.text.as_str())
        {
            self.change(object, true);
        }
        true
    }

    fn stmt(&mut self, stmt: &Stmt) {
        if let StmtKind::Assign { place, .. } = &stmt.kind {
            self.change(place, false);
        }
    }
}

/// The step that an index is.
pub(super) fn step(index: &Expr) -> Step {
    match &index.kind {
        ExprKind::Paren(inner) => step(inner),
        ExprKind::Int(n) => Step::At(*n),
        ExprKind::Unary(UnaryOp::Neg, inner) => match step(inner) {
            Step::At(n) => Step::At(n.wrapping_neg()),
            _ => Step::Other,
        },
        ExprKind::Str(parts) => match parts.as_slice() {
            [StrPart::Text(text)] => Step::Name(text.clone()),
            _ => Step::Other,
        },
        _ => Step::Other,
    }
}

/// The source of an expression.
pub(super) fn source_of<'t>(text: &'t str, expr: &Expr) -> &'t str {
    text.get(expr.span.range()).unwrap_or("")
}

/// The expression at the root of a path of fields and indices.
pub(super) fn root(mut expr: &Expr) -> Option<&Expr> {
    loop {
        match &expr.kind {
            ExprKind::Field { object, .. } | ExprKind::Index { object, .. } => expr = object,
            ExprKind::Paren(inner) => expr = inner,
            ExprKind::Name(_) => return Some(expr),
            _ => return None,
        }
    }
}

/// What stands at the root of a place, and the way from there.
pub(super) fn way_to(place: &Expr) -> (&Expr, Vec<Step>) {
    let mut steps = Vec::new();
    let mut at = place;
    loop {
        at = match &at.kind {
            ExprKind::Paren(inner) => inner,
            ExprKind::Field { object, name, .. } => {
                steps.push(Step::Name(name.text.clone()));
                object
            }
            ExprKind::Index { object, index } => {
                steps.push(step(index));
                object
            }
            _ => break,
        };
    }
    steps.reverse();
    (at, steps)
}
