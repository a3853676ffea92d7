//! What is not wrong, but not meant either: passes over the checked modules of the user.
//!
//! Code that is never reached and variables that hide others are found while the checker goes through the code; the
//! rest is looked for here, when all that is called is known.

use super::{
    ModuleInput, Tables,
    names::Library,
    walk::{Visitor, walk_item},
};
use crate::{
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Expr, ExprKind, Item, ItemKind, Pattern, PatternKind, Stmt, StmtKind},
};

mod effects;
mod naming;
mod people;
mod state;
mod unused;
mod values;

use effects::Effects;

/// A module of the user, as the passes look at it.
struct Module<'a> {
    id: usize,
    input: &'a ModuleInput,
    tables: &'a Tables,
    /// Its declarations without a mistake, with their numbers.
    items: Vec<(u32, &'a Item)>,
}

/// Reports what is probably not meant.
pub(super) fn report(modules: &[ModuleInput], tables: &[Tables], library: &Library, diagnostics: &mut Vec<Diagnostic>) {
    let mut wrong: Vec<Span> = diagnostics.iter().filter(|found| found.is_error()).map(|found| found.span).collect();
    wrong.sort_unstable_by_key(|span| (span.source, span.start));
    let is_right = |item: &Item| {
        let at = wrong.partition_point(|span| (span.source, span.start) < (item.span.source, item.span.start));
        wrong.get(at).is_none_or(|span| span.source != item.span.source || span.start >= item.span.end)
    };
    let effects = Effects::of(modules, tables, library);
    for (id, (input, tables)) in modules.iter().zip(tables).enumerate().filter(|(_, (input, _))| !input.library) {
        let items = (0_u32..).zip(&input.module.items).filter(|(_, item)| is_right(item) && is_whole(item)).collect();
        let module = Module { id, input, tables, items };
        unused::report(&module, diagnostics);
        values::report(&module, &effects, diagnostics);
        state::report(&module, &effects, diagnostics);
        naming::report(&module, diagnostics);
        people::report(&module, &effects, diagnostics);
    }
}

/// Whether all of a declaration was read: of a part nothing can be said.
fn is_whole(item: &Item) -> bool {
    let mut look = Whole(!matches!(item.kind, ItemKind::Error));
    walk_item(item, &mut look);
    look.0
}

struct Whole(bool);

impl Visitor for Whole {
    fn expr(&mut self, expr: &Expr) -> bool {
        self.0 &= !matches!(expr.kind, ExprKind::Error);
        self.0
    }

    fn stmt(&mut self, stmt: &Stmt) {
        self.0 &= !matches!(stmt.kind, StmtKind::Error);
    }

    fn pattern(&mut self, pattern: &Pattern, _arm: bool) {
        self.0 &= !matches!(pattern.kind, PatternKind::Error);
    }
}
