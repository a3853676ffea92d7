//! The user's modules: which are computed before which at the start of a run, and how their names tell declarations apart.

use std::collections::{HashMap, HashSet};

use smol_str::{SmolStr, format_smolstr};

use super::Compiler;
use crate::{
    check::{Checked, ItemRef, ModuleId, ModuleInput, Use, declared_name},
    path,
    program::{self, FunctionId},
    syntax::{
        ast::{self, ItemKind},
        visit,
    },
};

/// How the names of modules begin the paths of functions and the elements of the paths of calls.
pub(super) struct Prefixes {
    /// What the paths of functions begin with, by module.
    paths: Vec<SmolStr>,
    /// What elements begin with where two modules share a name; none for the library.
    elements: Vec<Option<SmolStr>>,
    /// The names of functions and agents that more than one of the user's modules declares.
    shared: HashSet<SmolStr>,
}

impl Prefixes {
    pub(super) fn of(checked: &Checked) -> Self {
        let main = usize::from(checked.main().0);
        let path = |(index, module): (usize, &ModuleInput)| match index == main && !module.library {
            true => "main".into(),
            false => SmolStr::from(&*module.name),
        };
        let mut declaring: HashMap<&SmolStr, usize> = HashMap::new();
        for module in checked.modules.iter().filter(|module| !module.library) {
            let names = module.module.items.iter().filter(|item| is_called(item)).filter_map(declared_name);
            let names: HashSet<&SmolStr> = names.map(|name| &name.text).collect();
            names.into_iter().for_each(|name| *declaring.entry(name).or_default() += 1);
        }
        let shared = declaring.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name.clone());
        Self {
            paths: checked.modules.iter().enumerate().map(path).collect(),
            elements: elements(checked),
            shared: shared.collect(),
        }
    }

    /// The path of a declared function.
    pub(super) fn path(&self, module: ModuleId, name: &str) -> SmolStr {
        format_smolstr!("{}.{name}", self.module(module))
    }

    /// What the paths of a module's functions begin with.
    pub(super) fn module(&self, module: ModuleId) -> &SmolStr {
        &self.paths[usize::from(module.0)]
    }

    /// What a call of a declaration is called in a path: its name, with its module where two share it.
    pub(super) fn element(&self, module: ModuleId, name: &SmolStr) -> SmolStr {
        match &self.elements[usize::from(module.0)] {
            Some(prefix) if self.shared.contains(name) => format_smolstr!("{prefix}.{name}"),
            _ => name.clone(),
        }
    }
}

fn is_called(item: &ast::Item) -> bool {
    matches!(item.kind, ItemKind::Function(_) | ItemKind::Agent(_))
}

/// The names of the user's files without `.wf`; those in folders that share theirs with others have their folders before
/// it, behind dots.
fn elements(checked: &Checked) -> Vec<Option<SmolStr>> {
    let word = |text: &str| {
        let plain = |c: char| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
        text.chars().map(plain).collect::<String>()
    };
    let stem = |name: &str| word(path::file(name).strip_suffix(".wf").unwrap_or(path::file(name)));
    let users = || checked.modules.iter().filter(|module| !module.library);
    let mut stems: HashMap<String, usize> = HashMap::new();
    users().for_each(|module| *stems.entry(stem(&module.name)).or_default() += 1);
    let mut taken: HashSet<String> =
        stems.iter().filter(|(_, count)| **count == 1).map(|(stem, _)| stem.clone()).collect();
    let mut unique = |module: &ModuleInput| {
        let stem = stem(&module.name);
        if stems[&stem] == 1 {
            return SmolStr::from(stem);
        }
        let folders = path::folder(&module.name).split('/').filter(|part| !matches!(*part, "" | "." | ".."));
        let parts: Vec<String> = folders.map(word).chain([stem]).collect();
        let whole = parts.join(".");
        let names = std::iter::once(whole.clone()).chain((2..).map(|number| format!("{whole}-{number}")));
        let free = names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or(whole);
        SmolStr::from(free)
    };
    checked.modules.iter().map(|module| (!module.library).then(|| unique(module))).collect()
}

impl Compiler<'_> {
    /// Enters every declaration of the main module that can run, and what a run begins with.
    pub(super) fn user_modules(&mut self) {
        let init = self.init();
        if self.testing.is_some() {
            return self.tests(init);
        }
        for item in self.items_of(self.main) {
            let ItemKind::Function(function) = &self.item(item).kind else { continue };
            let id = self.function(item);
            if function.kind == ast::FunctionKind::Workflow {
                let start = self.start_function(item, id, init);
                let name = function.name.text.clone();
                self.program.workflows.push(program::Workflow { name, function: id, start });
            }
        }
    }

    /// What computes the top-level `let`s and the states of all of the user's modules, imported ones first.
    fn init(&mut self) -> FunctionId {
        let mut modules = Vec::new();
        for module in self.imports_first() {
            let lets = self.items_of(module).filter(|item| matches!(self.item(*item).kind, ItemKind::Let(_)));
            let lets = self.globals_in_order(module, lets.collect());
            for item in &lets {
                self.globals.insert(*item, self.program.globals);
                self.program.globals += 1;
            }
            modules.push((module, lets));
        }
        let mut before = Vec::new();
        for (module, lets) in modules {
            let state = self.items_of(module).any(|item| matches!(self.item(item).kind, ItemKind::State(_)));
            if module == self.main {
                return self.init_function(module, &lets, &before);
            }
            if state || !lets.is_empty() {
                before.push(self.init_function(module, &lets, &[]));
            }
        }
        self.init_function(self.main, &[], &before)
    }

    /// The user's modules such that each comes after those that it imports; the main one is the last.
    fn imports_first(&self) -> Vec<ModuleId> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        // Depth first on a stack of its own: (module, whether what it imports is in `order` already).
        let mut todo = vec![(self.main, false)];
        while let Some((module, ready)) = todo.pop() {
            let input = &self.checked.modules[usize::from(module.0)];
            if ready {
                order.push(module);
            } else if !input.library && seen.insert(module) {
                todo.push((module, true));
                todo.extend(input.imports.iter().rev().map(|(_, target)| (*target, false)));
            }
        }
        order
    }

    fn items_of(&self, module: ModuleId) -> impl Iterator<Item = ItemRef> + use<> {
        let count = self.checked.modules.get(usize::from(module.0)).map_or(0, |input| input.module.items.len());
        (0..count as u32).map(move |item| ItemRef { module, item })
    }

    /// The top-level `let`s of a module such that each comes after those that it reads, also through functions.
    fn globals_in_order(&self, module: ModuleId, lets: Vec<ItemRef>) -> Vec<ItemRef> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        // Depth first, as above: what is imported knows nothing of this module.
        let mut todo: Vec<(ItemRef, bool)> = lets.into_iter().map(|item| (item, false)).collect();
        todo.reverse();
        while let Some((item, ready)) = todo.pop() {
            if ready {
                if matches!(self.item(item).kind, ItemKind::Let(_)) {
                    order.push(item);
                }
                continue;
            }
            if !seen.insert(item) {
                continue;
            }
            todo.push((item, true));
            let mut needs = Vec::new();
            self.references(item, &mut needs);
            needs.retain(|need: &ItemRef| need.module == module);
            needs.reverse();
            todo.extend(needs.into_iter().map(|item| (item, false)));
        }
        order
    }

    /// The lets, functions and agents that a declaration names.
    fn references(&self, item: ItemRef, into: &mut Vec<ItemRef>) {
        let tables = &self.checked.tables[usize::from(item.module.0)];
        let mut see = |expr: &ast::Expr| {
            if let Some(Use::Let(found) | Use::Function(found) | Use::Agent(found)) = tables.uses.get(&expr.id) {
                into.push(*found);
            }
            false
        };
        match &self.item(item).kind {
            ItemKind::Let(constant) => {
                visit::any(&constant.value, &mut see);
            }
            ItemKind::Function(function) => {
                for default in function.params.iter().filter_map(|param| param.default.as_ref()) {
                    visit::any(default, &mut see);
                }
                if let Some(body) = &function.body {
                    visit::in_block(body, &mut |expr| {
                        visit::any(expr, &mut see);
                    });
                }
            }
            ItemKind::Agent(agent) => agent.fields.iter().for_each(|(_, value)| {
                visit::any(value, &mut see);
            }),
            _ => {}
        }
    }
}
