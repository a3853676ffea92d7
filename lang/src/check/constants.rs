//! Constants that are computed from themselves, by functions that are called meanwhile.

use std::collections::{BTreeSet, HashSet};

use super::{
    ItemRef, ModuleId, ModuleInput, Tables, Target, Use,
    names::declared_name,
    walk::{Visitor, walk_item},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    graph,
    syntax::ast::{Expr, ExprId, ExprKind, Item, ItemKind},
};

/// Reports the constants of the user's modules that need themselves. Modules import each other in no circle, so that lies
/// within a module.
pub(super) fn report(modules: &[ModuleInput], tables: &[Tables], diagnostics: &mut Vec<Diagnostic>) {
    for (id, (input, tables)) in (0_u16..).zip(modules.iter().zip(tables)).filter(|(_, (input, _))| !input.library) {
        let items = &input.module.items;
        if !items.iter().any(|item| matches!(item.kind, ItemKind::Let(_))) {
            continue;
        }
        let needs: Vec<Vec<usize>> = items.iter().map(|item| needs(item, ModuleId(id), tables)).collect();
        // Of each circle it is said once.
        let mut told = graph::without_circles(&needs);
        for (index, item) in items.iter().enumerate() {
            let ItemKind::Let(constant) = &item.kind else { continue };
            let found = |found: &Diagnostic| found.span == constant.name.span && found.code == Code::Misplaced;
            if told[index] {
                continue;
            }
            let Some(circle) = graph::shortest_circle(index, &needs) else { continue };
            let again = diagnostics.iter().any(found) || circle.iter().any(|item| told[*item]);
            circle.iter().for_each(|item| told[*item] = true);
            if again {
                continue;
            }
            let names = circle.iter().chain([&index]).filter_map(|item| declared_name(&items[*item]));
            let names: Vec<String> = names.map(|name| format!("`{}`", name.text)).collect();
            let way = if circle.len() > 1 { format!(": {}", names.join(" → ")) } else { String::new() };
            let message = format!("`{}` is computed from itself{way}", constant.name.text);
            diagnostics.push(Diagnostic::new(Code::Misplaced, constant.name.span, message));
        }
    }
}

/// What of its module a declaration reads and calls when it is computed.
fn needs(item: &Item, module: ModuleId, tables: &Tables) -> Vec<usize> {
    let mut look = Look { module, tables, called: HashSet::new(), found: BTreeSet::new() };
    walk_item(item, &mut look);
    look.found.into_iter().collect()
}

struct Look<'a> {
    module: ModuleId,
    tables: &'a Tables,
    /// Lambdas that are handed to a call, which may call them.
    called: HashSet<ExprId>,
    found: BTreeSet<usize>,
}

impl Look<'_> {
    fn need(&mut self, item: ItemRef) {
        if item.module == self.module {
            self.found.insert(item.item as usize);
        }
    }
}

impl Visitor for Look<'_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        let tables = self.tables;
        if let Some(Use::Let(item)) = tables.uses.get(&expr.id) {
            self.need(*item);
        }
        if let Some(Target::Function(item)) = tables.calls.get(&expr.id).map(|call| &call.target) {
            self.need(*item);
        }
        if let ExprKind::Call { args, .. } = &expr.kind {
            self.called.extend(args.iter().map(|arg| arg.value.id));
            // A function that is handed on by its name may be called as well.
            for arg in args {
                if let Some(Use::Function(item)) = tables.uses.get(&arg.value.id) {
                    self.need(*item);
                }
            }
        }
        !matches!(expr.kind, ExprKind::Lambda { .. }) || self.called.contains(&expr.id)
    }
}
