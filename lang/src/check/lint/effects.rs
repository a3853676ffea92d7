//! What calls do besides giving a value: whether they may wait, act on something, or ask a person.

use std::collections::{HashMap, HashSet};

use super::super::{
    Call, ItemRef, LocalId, ModuleId, ModuleInput, Tables, Target, Type, Use,
    names::Library,
    prescan::{CHANGING, root},
    waits::is_instant,
    walk::{Visitor, walk_expr, walk_item},
};
use crate::syntax::ast::{Expr, ExprKind, Function, FunctionKind, Item, ItemKind, Stmt, StmtKind};

/// What something does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Does {
    /// It may wait: for the outside, for time, for a person.
    pub(super) waits: bool,
    /// It writes, tells, or throws.
    pub(super) acts: bool,
    /// It asks a person.
    pub(super) asks: bool,
}

impl Does {
    const ANYTHING: Does = Does { waits: true, acts: true, asks: false };
    const ACTS: Does = Does { waits: false, acts: true, asks: false };

    fn and(self, other: Does) -> Does {
        Does { waits: self.waits | other.waits, acts: self.acts | other.acts, asks: self.asks | other.asks }
    }
}

/// What the functions do that the user's modules call, directly or not.
pub(super) struct Effects<'a> {
    modules: &'a [ModuleInput],
    tables: &'a [Tables],
    library: &'a Library,
    functions: HashMap<ItemRef, Does>,
}

impl<'a> Effects<'a> {
    pub(super) fn of(modules: &'a [ModuleInput], tables: &'a [Tables], library: &'a Library) -> Self {
        let mut effects = Effects { modules, tables, library, functions: HashMap::new() };
        let user = (0_u16..).map(ModuleId).zip(modules).filter(|(_, input)| !input.library);
        let mut open: Vec<ItemRef> = user
            .flat_map(|(module, input)| {
                (0_u32..).zip(&input.module.items).map(move |(item, _)| ItemRef { module, item })
            })
            .collect();
        let mut callers: HashMap<ItemRef, Vec<ItemRef>> = HashMap::new();
        let mut acting = Vec::new();
        while let Some(item) = open.pop() {
            if effects.functions.contains_key(&item) {
                continue;
            }
            let (does, callees) = effects.directly(item);
            effects.functions.insert(item, does);
            if does != Does::default() {
                acting.push(item);
            }
            for callee in callees {
                callers.entry(callee).or_default().push(item);
                open.push(callee);
            }
        }
        // What a function does, those that call it do.
        while let Some(item) = acting.pop() {
            let does = effects.functions.get(&item).copied().unwrap_or_default();
            for caller in callers.get(&item).into_iter().flatten() {
                let known = effects.functions.entry(*caller).or_default();
                let all = known.and(does);
                if all != *known {
                    *known = all;
                    acting.push(*caller);
                }
            }
        }
        effects
    }

    /// What a function does by itself, and which it calls.
    fn directly(&self, item: ItemRef) -> (Does, Vec<ItemRef>) {
        let Some(declared) = self.item(item) else { return (Does::default(), Vec::new()) };
        let ItemKind::Function(function) = &declared.kind else {
            // Nobody calls it, but what it calls has to be known.
            let mut look = self.look(item.module.0 as usize);
            walk_item(declared, &mut look);
            return (Does::default(), look.callees);
        };
        let input = &self.modules[item.module.0 as usize];
        let mut does = Does { asks: is_request(input, function), ..Does::default() };
        if function.kind != FunctionKind::Fn {
            does = does.and(Does::ANYTHING);
        }
        if function.body.is_none() {
            for annotation in &declared.annotations {
                match annotation.name.text.as_str() {
                    "event" => does.acts = true,
                    "effect" => does.waits |= !is_instant(&input.name, &function.name.text),
                    _ => {}
                }
            }
            return (does, Vec::new());
        }
        let tables = &self.tables[item.module.0 as usize];
        let own = function.params.iter().filter_map(|param| tables.locals.get(&param.name.span.start)).copied();
        let mut look = self.look(item.module.0 as usize);
        look.params = own.collect();
        look.whole = true;
        walk_item(declared, &mut look);
        (does.and(look.does), look.callees)
    }

    fn item(&self, item: ItemRef) -> Option<&'a Item> {
        self.modules.get(item.module.0 as usize)?.module.items.get(item.item as usize)
    }

    fn look(&self, module: usize) -> Look<'a, '_> {
        Look {
            effects: self,
            tables: &self.tables[module],
            does: Does::default(),
            callees: Vec::new(),
            params: HashSet::new(),
            whole: false,
        }
    }

    /// What computing an expression does.
    pub(super) fn of_expr(&self, module: usize, expr: &Expr) -> Does {
        let mut look = self.look(module);
        walk_expr(expr, &mut look);
        self.total(&look)
    }

    /// What making a call does, without what computing its arguments does.
    pub(super) fn of_call(&self, module: usize, expr: &Expr) -> Does {
        let mut look = self.look(module);
        look.made(expr);
        if let ExprKind::Call { args, .. } = &expr.kind {
            args.iter().for_each(|arg| look.handed(&arg.value));
        }
        self.total(&look)
    }

    /// What a function does when it is called.
    pub(super) fn of_function(&self, item: ItemRef) -> Does {
        self.functions.get(&item).copied().unwrap_or_default()
    }

    fn total(&self, look: &Look<'_, '_>) -> Does {
        look.callees.iter().fold(look.does, |does, callee| does.and(self.of_function(*callee)))
    }
}

/// `request_info`, and what the library makes of it.
fn is_request(input: &ModuleInput, function: &Function) -> bool {
    input.library && matches!(function.name.text.as_str(), "request_info" | "_request")
}

struct Look<'a, 'e> {
    effects: &'e Effects<'a>,
    tables: &'a Tables,
    does: Does,
    callees: Vec<ItemRef>,
    /// The parameters of the function as a whole: what they do when they are called, those do who give them.
    params: HashSet<LocalId>,
    /// A function is looked at as a whole, so what it does with its own variables is nobody's business.
    whole: bool,
}

impl Look<'_, '_> {
    fn add(&mut self, does: Does) {
        self.does = self.does.and(does);
    }

    /// What a call does by itself.
    fn made(&mut self, expr: &Expr) {
        let callee = match &expr.kind {
            ExprKind::Call { callee, .. } => Some(&**callee),
            _ => None,
        };
        // The call at the right of a pipe is planned there.
        let Some(call) = self.tables.calls.get(&expr.id) else { return };
        self.target(call, callee);
    }

    fn target(&mut self, call: &Call, callee: Option<&Expr>) {
        let receiver = match callee.map(|callee| &callee.kind) {
            Some(ExprKind::Field { object, .. }) => Some(&**object),
            _ => None,
        };
        match &call.target {
            Target::Function(item) => {
                self.callees.push(*item);
                if self.effects.changes(*item) {
                    self.changed(receiver);
                }
            }
            Target::Method(name) => {
                self.callees.extend(self.effects.library.methods.get(name).into_iter().flatten());
                if CHANGING.contains(&name.as_str()) {
                    self.changed(receiver);
                }
            }
            Target::Agent => self.add(Does::ANYTHING),
            Target::Value { .. } => match callee {
                Some(callee) if self.is_param(callee) => {}
                _ => self.add(Does::ANYTHING),
            },
        }
    }

    fn changed(&mut self, receiver: Option<&Expr>) {
        if !self.whole || receiver.is_none_or(|receiver| self.is_state(receiver)) {
            self.add(Does::ACTS);
        }
    }

    /// A function that is handed to a call may be called by it. Lambdas are walked through as they stand.
    fn handed(&mut self, value: &Expr) {
        let ty = self.tables.types.get(value.id.0 as usize).unwrap_or(&Type::Unknown);
        if !matches!(ty, Type::Function(_) | Type::Agent(_) | Type::Tool) || self.is_param(value) {
            return;
        }
        match (&value.kind, self.tables.uses.get(&value.id)) {
            (ExprKind::Lambda { .. }, _) => {}
            (_, Some(Use::Function(item))) => self.callees.push(*item),
            _ => self.add(Does::ANYTHING),
        }
    }

    fn is_param(&self, expr: &Expr) -> bool {
        matches!(self.tables.uses.get(&expr.id), Some(Use::Local(id)) if self.params.contains(id))
    }

    fn is_state(&self, place: &Expr) -> bool {
        root(place).is_some_and(|root| matches!(self.tables.uses.get(&root.id), Some(Use::Ctx)))
    }
}

impl Effects<'_> {
    fn changes(&self, item: ItemRef) -> bool {
        match self.item(item).map(|item| &item.kind) {
            Some(ItemKind::Function(function)) => function.params.first().is_some_and(|param| param.mutable),
            _ => false,
        }
    }
}

impl Visitor for Look<'_, '_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Call { args, .. } => {
                self.made(expr);
                args.iter().for_each(|arg| self.handed(&arg.value));
            }
            ExprKind::Pipe { .. } => self.made(expr),
            ExprKind::Throw(_) => self.add(Does::ACTS),
            ExprKind::Return(_) | ExprKind::Break | ExprKind::Continue if !self.whole => self.add(Does::ACTS),
            ExprKind::Gather(_) | ExprKind::Race(_) | ExprKind::Observe(_) => self.add(Does::ANYTHING),
            _ => {}
        }
        true
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Assign { place, .. } if !self.whole || self.is_state(place) => self.add(Does::ACTS),
            StmtKind::Assert { .. } | StmtKind::Mock { .. } | StmtKind::Answer { .. } | StmtKind::Crash { .. } => {
                self.add(Does::ACTS);
            }
            _ => {}
        }
    }
}
