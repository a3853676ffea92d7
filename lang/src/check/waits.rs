//! What is computed at the start of a run may not wait: top-level `let`s and the defaults of `state`.

use std::collections::{HashMap, HashSet};

use super::{
    ItemRef, ModuleInput, Tables, Target, Use,
    walk::{Visitor, walk_item},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Expr, ExprId, ExprKind, FunctionKind, Item, ItemKind},
};

/// Effects that are answered at once: `module.name`, as the runtime knows them.
const INSTANT: [&str; 3] = ["time.now", "prelude.uuid", "random.float"];

/// Reports the constants of the user's modules that wait.
pub(super) fn report(modules: &[ModuleInput], tables: &[Tables], diagnostics: &mut Vec<Diagnostic>) {
    let mut known = Known { modules, tables, functions: HashMap::new() };
    for (id, input) in modules.iter().enumerate().filter(|(_, input)| !input.library) {
        for item in input.module.items.iter().filter(|item| matches!(item.kind, ItemKind::Let(_) | ItemKind::State(_)))
        {
            if let Some(span) = known.waits_at(id, item) {
                let message = "this is computed at the start of the run, so it may not wait";
                let help = "call it in a workflow or step, and hand its value on";
                diagnostics.push(Diagnostic::new(Code::Misplaced, span, message).help(help));
            }
        }
    }
}

/// Whether an effect of the library, by module and name, is answered at once.
pub fn is_instant(module: &str, name: &str) -> bool {
    INSTANT.contains(&format!("{module}.{name}").as_str())
}

struct Known<'a> {
    modules: &'a [ModuleInput],
    tables: &'a [Tables],
    /// Whether a function waits; one that is being looked at does not wait by calling itself.
    functions: HashMap<ItemRef, bool>,
}

impl Known<'_> {
    /// The first place in a declaration that waits when it is computed.
    fn waits_at(&mut self, module: usize, item: &Item) -> Option<Span> {
        let mut look = Look { known: self, module, called: HashSet::new(), found: None };
        walk_item(item, &mut look);
        look.found
    }

    fn waits(&mut self, function: ItemRef) -> bool {
        if let Some(known) = self.functions.get(&function) {
            return *known;
        }
        self.functions.insert(function, false);
        let modules = self.modules;
        let module = function.module.0 as usize;
        let Some(input) = modules.get(module) else { return false };
        let Some(item) = input.module.items.get(function.item as usize) else { return false };
        let ItemKind::Function(declared) = &item.kind else { return false };
        let waits = match (declared.kind, &declared.body) {
            (FunctionKind::Step | FunctionKind::Workflow, _) => true,
            (FunctionKind::Fn, Some(_)) => self.waits_at(module, item).is_some(),
            (FunctionKind::Fn, None) => {
                let effect = item.annotations.iter().any(|annotation| annotation.name.text == "effect");
                effect && !is_instant(&input.name, &declared.name.text)
            }
        };
        self.functions.insert(function, waits);
        waits
    }
}

struct Look<'k, 'a> {
    known: &'k mut Known<'a>,
    module: usize,
    /// Lambdas that are handed to a call, which may call them.
    called: HashSet<ExprId>,
    found: Option<Span>,
}

impl Visitor for Look<'_, '_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        if self.found.is_some() {
            return false;
        }
        let tables = self.known.tables;
        if let ExprKind::Call { args, .. } = &expr.kind {
            self.called.extend(args.iter().map(|arg| arg.value.id));
            // So may a function that is handed on by its name.
            let uses = |expr: &Expr| tables.get(self.module).and_then(|tables| tables.uses.get(&expr.id));
            let handed = args.iter().find(|arg| match uses(&arg.value) {
                Some(Use::Function(item)) => self.known.waits(*item),
                _ => false,
            });
            if let Some(arg) = handed {
                self.found = Some(arg.value.span);
                return false;
            }
        }
        let waits = match tables.get(self.module).and_then(|tables| tables.calls.get(&expr.id)) {
            Some(call) => match call.target {
                Target::Function(item) => self.known.waits(item),
                Target::Agent => true,
                Target::Method(_) | Target::Value { .. } => false,
            },
            None => matches!(expr.kind, ExprKind::Gather(_) | ExprKind::Race(_)),
        };
        if waits {
            self.found = Some(expr.span);
        }
        !waits && (!matches!(expr.kind, ExprKind::Lambda { .. }) || self.called.contains(&expr.id))
    }
}
