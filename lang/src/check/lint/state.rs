//! State that is written from what was read before a call that may wait: what others have written meanwhile is lost.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::{
    super::{
        LocalId, Use,
        prescan::{Step, step},
        walk::{Visitor, walk_expr, walk_item},
    },
    Module,
    effects::Effects,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Expr, ExprKind, Item, Pattern, PatternKind, Stmt, StmtKind},
};

/// Reports writes to `ctx.state` of what is made of an old value of the same place.
pub(super) fn report(module: &Module<'_>, effects: &Effects<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !module.input.source.text.contains("ctx") {
        return;
    }
    for (_, item) in &module.items {
        check(module, effects, item, diagnostics);
    }
}

fn check(module: &Module<'_>, effects: &Effects<'_>, item: &Item, diagnostics: &mut Vec<Diagnostic>) {
    let mut look = Look { module, effects, diagnostics, waits: Vec::new(), copies: HashMap::new() };
    walk_item(item, &mut look);
}

/// A place below `ctx.state`, as far as its keys are written.
type Place = Vec<SmolStr>;

/// A read of a place: which, and where it stands.
#[derive(Clone, Debug)]
struct Read {
    place: Place,
    span: Span,
}

struct Look<'a, 'l> {
    module: &'l Module<'a>,
    effects: &'l Effects<'a>,
    diagnostics: &'l mut Vec<Diagnostic>,
    /// Where the calls so far end that may wait, in the order of the text.
    waits: Vec<u32>,
    /// What variables hold of the state.
    copies: HashMap<LocalId, Vec<Read>>,
}

impl Look<'_, '_> {
    /// The reads of the state that a value holds: its own, and those of the variables in it.
    fn reads(&self, value: &Expr) -> Vec<Read> {
        let mut reads = Reads { look: self, found: Vec::new() };
        walk_expr(value, &mut reads);
        reads.found
    }

    /// Whether a call that may wait ends between a read and a write.
    fn waited(&self, read: Span, write: u32, within: &[u32]) -> bool {
        let between = |end: &u32| *end > read.start && *end <= write;
        self.waits.iter().rev().take_while(|end| **end > read.start).any(between) || within.iter().any(between)
    }

    fn place(&self, expr: &Expr) -> Option<Place> {
        let mut keys = Vec::new();
        let mut at = expr;
        loop {
            if let Some(Use::CtxState) = self.module.tables.uses.get(&at.id) {
                keys.reverse();
                return Some(keys);
            }
            at = match &at.kind {
                ExprKind::Paren(inner) => inner,
                ExprKind::Field { object, name, .. } => {
                    keys.push(name.text.clone());
                    object
                }
                ExprKind::Index { object, index } => {
                    match step(index) {
                        Step::Name(name) => keys.push(name),
                        // Any element may be meant, so all behind is left out.
                        _ => keys.clear(),
                    }
                    object
                }
                _ => return None,
            };
        }
    }

    fn written(&mut self, place: &Expr, value: &Expr) {
        let Some(target) = self.place(place) else { return };
        let reads = self.reads(value);
        let mut within = Waits { look: self, found: Vec::new() };
        walk_expr(value, &mut within);
        let within = within.found;
        let same = |read: &&Read| read.place.iter().zip(&target).all(|(a, b)| a == b);
        let stale = reads.iter().filter(same).find(|read| self.waited(read.span, value.span.end, &within));
        let Some(read) = stale.cloned() else { return };
        let shown = target.iter().fold("ctx.state".to_owned(), |text, key| format!("{text}.{key}"));
        let message = format!("`{shown}` may have changed since it was read: a call stands between that may wait");
        let help = "read it after the call, or write `+=`, `.push(…)` and the like, which read and write at once";
        let diagnostic = Diagnostic::new(Code::StaleState, place.span, message).label(read.span, "read here");
        self.diagnostics.push(diagnostic.help(help));
    }
}

impl Visitor for Look<'_, '_> {
    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, value, .. } => {
                if let PatternKind::Bind(name, _) = &pattern.kind
                    && let Some(id) = self.module.tables.locals.get(&name.span.start).copied()
                {
                    let reads = self.reads(value);
                    self.keep(id, reads);
                } else {
                    self.keep_parts(pattern, value);
                }
            }
            StmtKind::Assign { place, op, value } => {
                if let Some(Use::Local(id)) = self.module.tables.uses.get(&place.id).cloned() {
                    let mut reads = self.reads(value);
                    if op.is_some() {
                        reads.extend(self.copies.get(&id).into_iter().flatten().cloned());
                    }
                    self.keep(id, reads);
                } else if op.is_none() {
                    self.written(place, value);
                }
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr) -> bool {
        if waits(self, expr) {
            self.waits.push(expr.span.end);
        }
        true
    }
}

impl Look<'_, '_> {
    fn keep(&mut self, id: LocalId, reads: Vec<Read>) {
        if reads.is_empty() {
            self.copies.remove(&id);
        } else {
            self.copies.insert(id, reads);
        }
    }

    fn keep_parts(&mut self, pattern: &Pattern, value: &Expr) {
        let reads = self.reads(value);
        if reads.is_empty() {
            return;
        }
        if let PatternKind::Record { fields, .. } = &pattern.kind {
            for (name, _) in fields {
                if let Some(id) = self.module.tables.locals.get(&name.span.start).copied() {
                    self.keep(id, reads.clone());
                }
            }
        }
    }
}

fn waits(look: &Look<'_, '_>, expr: &Expr) -> bool {
    match expr.kind {
        ExprKind::Call { .. } | ExprKind::Pipe { .. } => look.effects.of_call(look.module.id, expr).waits,
        ExprKind::Gather(_) | ExprKind::Race(_) => true,
        _ => false,
    }
}

struct Reads<'a, 'l, 'r> {
    look: &'r Look<'a, 'l>,
    found: Vec<Read>,
}

impl Visitor for Reads<'_, '_, '_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        if let Some(place) = self.look.place(expr) {
            self.found.push(Read { place, span: expr.span });
            return matches!(expr.kind, ExprKind::Index { .. });
        }
        if let Some(Use::Local(id)) = self.look.module.tables.uses.get(&expr.id) {
            self.found.extend(self.look.copies.get(id).into_iter().flatten().cloned());
        }
        match &expr.kind {
            // What a call makes of its arguments is something new; a method gives what it is called on, or a part.
            ExprKind::Call { callee, .. } => {
                if let ExprKind::Field { object, .. } = &callee.kind {
                    walk_expr(object, self);
                }
                false
            }
            ExprKind::Lambda { .. } => false,
            _ => true,
        }
    }
}

struct Waits<'a, 'l, 'r> {
    look: &'r Look<'a, 'l>,
    found: Vec<u32>,
}

impl Visitor for Waits<'_, '_, '_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        if waits(self.look, expr) {
            self.found.push(expr.span.end);
        }
        true
    }
}
