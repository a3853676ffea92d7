//! Variables that are never read, imports and private declarations that are never used.

use std::collections::{HashMap, HashSet};

use smol_str::SmolStr;

use super::{
    super::{
        LocalId, Use,
        names::declared_name,
        prescan::{CHANGING, root},
        walk::{Visitor, walk_item},
    },
    Module,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{
        Block, Expr, ExprId, ExprKind, Item, ItemKind, Name, Pattern, PatternKind, Stmt, StmtKind, TypeExpr,
        TypeExprKind,
    },
};

/// Reports what nobody uses.
pub(super) fn report(module: &Module<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (_, item) in &module.items {
        variables(module, item, diagnostics);
    }
    // A name that stands in a declaration which was not read may be used there.
    if module.items.len() == module.input.module.items.len() {
        names(module, diagnostics);
    }
}

fn variables(module: &Module<'_>, item: &Item, diagnostics: &mut Vec<Diagnostic>) {
    let mut look = Variables {
        module,
        lets: Vec::new(),
        read: HashSet::new(),
        written: HashSet::new(),
        places: HashSet::new(),
        values: HashSet::new(),
    };
    walk_item(item, &mut look);
    for name in look.lets.iter().filter(|name| !name.text.starts_with('_') && !name.text.is_empty()) {
        let Some(id) = module.tables.locals.get(&name.span.start) else { continue };
        if look.read.contains(id) {
            continue;
        }
        let message = if look.written.contains(id) {
            format!("`{}` is changed, but never read", name.text)
        } else {
            format!("`{}` is never read", name.text)
        };
        let help = format!("take it out, or call it `_{}` where only its computing matters", name.text);
        diagnostics.push(Diagnostic::new(Code::UnusedVariable, name.span, message).help(help));
    }
}

struct Variables<'a, 'm> {
    module: &'m Module<'a>,
    lets: Vec<Name>,
    read: HashSet<LocalId>,
    written: HashSet<LocalId>,
    /// The names at the roots of places that are assigned: they are not read.
    places: HashSet<ExprId>,
    /// The last statements of blocks that give what a method took out: `xs.pop()` reads `xs`.
    values: HashSet<ExprId>,
}

impl Variables<'_, '_> {
    fn changed(&mut self, place: &Expr) {
        let Some(root) = root(place) else { return };
        self.places.insert(root.id);
        if let Some(Use::Local(id)) = self.module.tables.uses.get(&root.id) {
            self.written.insert(*id);
        }
    }

    fn binders(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Bind(name, _) => self.lets.push(name.clone()),
            // Names before a `...rest` take fields out of it.
            PatternKind::Record { fields, rest } => {
                for (name, inner) in fields {
                    match inner {
                        Some(inner) => self.binders(inner),
                        None if rest.is_none() => self.lets.push(name.clone()),
                        None => {}
                    }
                }
                self.lets.extend(rest.iter().flatten().cloned());
            }
            PatternKind::List { before, rest, after } => {
                before.iter().chain(after).for_each(|one| self.binders(one));
                self.lets.extend(rest.iter().flatten().cloned());
            }
            _ => {}
        }
    }
}

impl Visitor for Variables<'_, '_> {
    fn block(&mut self, block: &Block) {
        if let Some(Stmt { kind: StmtKind::Expr(expr), .. }) = block.stmts.last()
            && let ExprKind::Call { callee, .. } = &expr.kind
            && let ExprKind::Field { name, .. } = &callee.kind
            && matches!(name.text.as_str(), "pop" | "remove")
        {
            self.values.insert(expr.id);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, .. } => self.binders(pattern),
            StmtKind::Assign { place, .. } => self.changed(place),
            StmtKind::Expr(expr) if self.values.contains(&expr.id) => {}
            StmtKind::Expr(Expr { kind: ExprKind::Call { callee, .. }, .. }) => match &callee.kind {
                ExprKind::Field { object, name, .. } if CHANGING.contains(&name.text.as_str()) => self.changed(object),
                _ => {}
            },
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr) -> bool {
        if let ExprKind::Name(_) = &expr.kind
            && let Some(Use::Local(id)) = self.module.tables.uses.get(&expr.id)
            && !self.places.contains(&expr.id)
        {
            self.read.insert(*id);
        }
        true
    }
}

/// Imports, and declarations that only their own module sees.
fn names(module: &Module<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let private = |item: &Item| declared_name(item).is_some_and(|name| name.text.starts_with('_'));
    if !module.items.iter().any(|(_, item)| private(item) || matches!(item.kind, ItemKind::Import(_))) {
        return;
    }
    let mut look = Names { uses: HashMap::new(), in_tests: HashSet::new(), item: 0, test: false };
    for (number, item) in &module.items {
        look.item = *number;
        look.test = matches!(item.kind, ItemKind::Test(_));
        walk_item(item, &mut look);
        if let ItemKind::Test(test) = &item.kind {
            test.body.stmts.iter().for_each(|stmt| look.target(stmt));
        }
    }
    let used = |name: &str, by: u32| look.uses.get(name).is_some_and(|items| items.iter().any(|item| *item != by));
    for (number, item) in &module.items {
        match &item.kind {
            // An import that leads nowhere has been reported.
            ItemKind::Import(import) if module.input.imports.iter().any(|(item, _)| item == number) => {
                let named = import.names.iter().flatten().map(|(name, alias)| alias.as_ref().unwrap_or(name));
                let unused = named.chain(&import.alias).filter(|name| {
                    !module.tables.used_imports.contains(&name.span.start) && !look.in_tests.contains(&name.text)
                });
                for name in unused {
                    let message = format!("the import `{}` is never used", name.text);
                    diagnostics.push(Diagnostic::new(Code::UnusedImport, name.span, message).help("take it out"));
                }
            }
            _ if private(item) => {
                if let Some(name) = declared_name(item).filter(|name| !used(&name.text, *number)) {
                    let message = format!("`{}` is never used, and no other module sees it", name.text);
                    let help = format!("take it out, or call it `{}`", name.text.trim_start_matches('_'));
                    diagnostics.push(Diagnostic::new(Code::UnusedDeclaration, name.span, message).help(help));
                }
            }
            _ => {}
        }
    }
}

/// The names that stand in expressions, types and the lines of tests, each with the declarations that it stands in.
struct Names {
    uses: HashMap<SmolStr, Vec<u32>>,
    /// Those that stand in tests: what a test stands in for is used.
    in_tests: HashSet<SmolStr>,
    item: u32,
    test: bool,
}

impl Names {
    fn used(&mut self, name: &SmolStr) {
        let items = self.uses.entry(name.clone()).or_default();
        if items.last() != Some(&self.item) {
            items.push(self.item);
        }
        if self.test {
            self.in_tests.insert(name.clone());
        }
    }

    fn target(&mut self, stmt: &Stmt) {
        if let StmtKind::Mock { target, .. } | StmtKind::Crash { target, .. } = &stmt.kind {
            target.iter().take(1).for_each(|name| self.used(&name.text));
        }
    }
}

impl Visitor for Names {
    fn expr(&mut self, expr: &Expr) -> bool {
        if let ExprKind::Name(name) = &expr.kind {
            self.used(name);
        }
        true
    }

    fn stmt(&mut self, stmt: &Stmt) {
        self.target(stmt);
    }

    fn ty(&mut self, ty: &TypeExpr) {
        if let TypeExprKind::Name { module, name, .. } = &ty.kind {
            self.used(module.as_ref().map_or(&name.text, |module| &module.text));
        }
    }
}
