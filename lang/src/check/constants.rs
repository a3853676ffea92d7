//! Constants that are computed from themselves, by functions that are called meanwhile.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    ItemRef, ModuleId, ModuleInput, Tables, Target, Use,
    names::declared_name,
    walk::{Visitor, walk_item},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Expr, ExprId, ExprKind, ItemKind},
};

/// Reports the constants of the user's modules that need themselves. Modules import each other in no circle, so that lies
/// within a module.
pub(super) fn report(modules: &[ModuleInput], tables: &[Tables], diagnostics: &mut Vec<Diagnostic>) {
    for (id, (input, tables)) in (0_u16..).zip(modules.iter().zip(tables)).filter(|(_, (input, _))| !input.library) {
        let mut known = Known { module: ModuleId(id), input, tables, needs: HashMap::new() };
        let mut told = HashSet::new();
        for (item, declaration) in (0_u32..).zip(&input.module.items) {
            let ItemKind::Let(constant) = &declaration.kind else { continue };
            let found = |found: &Diagnostic| found.span == constant.name.span && found.code == Code::Misplaced;
            if diagnostics.iter().any(found) {
                told.insert(item);
            }
            let Some(circle) = known.way_back(item) else { continue };
            // Of each circle it is said once.
            let again = circle.iter().any(|item| told.contains(item));
            told.extend(&circle);
            if again {
                continue;
            }
            let names =
                circle.iter().chain([&item]).filter_map(|item| declared_name(&input.module.items[*item as usize]));
            let names: Vec<String> = names.map(|name| format!("`{}`", name.text)).collect();
            let way = if circle.len() > 1 { format!(": {}", names.join(" → ")) } else { String::new() };
            let message = format!("`{}` is computed from itself{way}", constant.name.text);
            diagnostics.push(Diagnostic::new(Code::Misplaced, constant.name.span, message));
        }
    }
}

struct Known<'a> {
    module: ModuleId,
    input: &'a ModuleInput,
    tables: &'a Tables,
    /// What a declaration reads and calls when it is computed, of this module.
    needs: HashMap<u32, Vec<u32>>,
}

impl Known<'_> {
    /// The shortest way from a constant over what it needs back to it, from its beginning up to what needs it.
    fn way_back(&mut self, constant: u32) -> Option<Vec<u32>> {
        let mut before: HashMap<u32, u32> = HashMap::new();
        let mut next = VecDeque::from([constant]);
        while let Some(at) = next.pop_front() {
            for need in self.needs_of(at) {
                if need == constant {
                    let mut way: Vec<u32> = std::iter::successors(Some(at), |item| before.get(item).copied()).collect();
                    way.reverse();
                    return Some(way);
                }
                if let std::collections::hash_map::Entry::Vacant(new) = before.entry(need) {
                    new.insert(at);
                    next.push_back(need);
                }
            }
        }
        None
    }

    fn needs_of(&mut self, item: u32) -> Vec<u32> {
        if let Some(known) = self.needs.get(&item) {
            return known.clone();
        }
        let mut look = Look { known: self, called: HashSet::new(), found: Vec::new() };
        walk_item(&look.known.input.module.items[item as usize], &mut look);
        let found = look.found;
        self.needs.insert(item, found.clone());
        found
    }
}

struct Look<'k, 'a> {
    known: &'k Known<'a>,
    /// Lambdas that are handed to a call, which may call them.
    called: HashSet<ExprId>,
    found: Vec<u32>,
}

impl Look<'_, '_> {
    fn need(&mut self, item: ItemRef) {
        if item.module == self.known.module && !self.found.contains(&item.item) {
            self.found.push(item.item);
        }
    }
}

impl Visitor for Look<'_, '_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        let tables = self.known.tables;
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
