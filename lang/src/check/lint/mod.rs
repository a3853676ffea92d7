//! What is not wrong, but not meant either: passes over the checked modules of the user.
//!
//! Code that is never reached and variables that hide others are found while the checker goes through the code; the
//! rest is looked for here, when all that is called is known.

use std::collections::HashSet;

use super::{ItemRef, ModuleId, ModuleInput, Tables, names::Library};
use crate::{
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Item, ItemKind},
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

/// Reports what is probably not meant; `broken` are the declarations of which a part did not parse.
pub(super) fn report(
    modules: &[ModuleInput],
    tables: &[Tables],
    library: &Library,
    broken: &HashSet<ItemRef>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut wrong: Vec<Span> = diagnostics.iter().filter(|found| found.is_error()).map(|found| found.span).collect();
    wrong.sort_unstable_by_key(|span| (span.source, span.start));
    let is_right = |item: &Item| {
        let at = wrong.partition_point(|span| (span.source, span.start) < (item.span.source, item.span.start));
        wrong.get(at).is_none_or(|span| span.source != item.span.source || span.start >= item.span.end)
    };
    let effects = Effects::of(modules, tables, library);
    for (id, (input, tables)) in modules.iter().zip(tables).enumerate().filter(|(_, (input, _))| !input.library) {
        let module = ModuleId(u16::try_from(id).unwrap_or(u16::MAX));
        let whole = |number: u32, item: &Item| {
            !matches!(item.kind, ItemKind::Error) && !broken.contains(&ItemRef { module, item: number })
        };
        let items = (0_u32..).zip(&input.module.items);
        let items = items.filter(|(number, item)| whole(*number, item) && is_right(item)).collect();
        let module = Module { id, input, tables, items };
        unused::report(&module, diagnostics);
        values::report(&module, &effects, diagnostics);
        state::report(&module, &effects, diagnostics);
        naming::report(&module, diagnostics);
        people::report(&module, &effects, diagnostics);
    }
}
