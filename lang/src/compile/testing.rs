//! Programs to be tested: the tests as workflows, and hooks in the functions that they mock, count or crash after.
//!
//! A hook is an effect that the test's world answers at once. Before the body of a watched function stands one that asks
//! whether a mock stands in for the call, and before each of its ends one that says that the call has its value. What
//! reaches the outside is still asked when it is mocked, so that it is in flight as it would be; the world then gives what
//! the mock gave. A program that is compiled to be run has none of this.

use std::collections::{BTreeSet, HashMap, HashSet};

use smol_str::{SmolStr, format_smolstr};

use super::{Compiler, body::Body, call::Implementation, empty_function};
use crate::{
    check::{Checked, ItemRef, ModuleId, Type, Watched, is_instant},
    program::{self, Constant, FunctionId, FunctionKind, Op, PlaceAction, Reg, Root, Types, WatchedKind},
    syntax::ast::{self, ItemKind, Param},
};

/// The library's file of hooks.
const HOOKS: &str = "test";
/// Effects that wait for something within the run, so that nothing is on a wire.
const WITHIN: [&str; 2] = ["sleep_until", "_request"];

/// What a program that is compiled to be tested knows of its tests.
#[derive(Default)]
pub(super) struct Testing {
    /// The entry of each thing that is watched.
    watched: HashMap<Watched, u16>,
    /// The functions that are watched, all signatures of a name under one entry.
    functions: HashMap<ItemRef, u16>,
    /// The functions of watched things, which have a path.
    pub(super) scoped: HashSet<u32>,
}

/// How a function's hooks name it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Hooked {
    /// By the entry of what is watched.
    Entry(u16),
    /// By the agent that it asks, its first argument.
    Agent,
}

impl<'c> Compiler<'c> {
    /// Prepares to compile a program that is to be tested.
    pub(super) fn for_tests(checked: &'c Checked) -> Self {
        let mut compiler = Self { testing: Some(Testing::default()), ..Self::new(checked) };
        let tables = compiler.tables(compiler.main);
        let named: BTreeSet<Watched> = tables.targets.values().chain(tables.counted.values()).copied().collect();
        for watched in named {
            compiler.watch(watched);
        }
        compiler
    }

    /// Enters something that is watched; gives its entry.
    pub(super) fn watch(&mut self, watched: Watched) -> u16 {
        if let Some(entry) = self.testing.as_ref().and_then(|testing| testing.watched.get(&watched)) {
            return *entry;
        }
        let Ok(entry) = u16::try_from(self.program.watched.len()) else {
            self.too_large.get_or_insert_default();
            return 0;
        };
        let (name, result) = (self.watched_name(watched), self.watched_result(watched));
        let result = self.type_id(&result);
        self.program.watched.push(program::Watched { name, kind: WatchedKind::Function, result });
        let items = match watched {
            Watched::Function(item) => self.overloads(item),
            Watched::Agent(_) => Vec::new(),
            Watched::Model => self.library("agent", "_model").into_iter().collect(),
        };
        if let Some(testing) = &mut self.testing {
            testing.watched.insert(watched, entry);
            testing.functions.extend(items.iter().map(|item| (*item, entry)));
        }
        let kind = self.watched_kind(watched);
        self.program.watched[usize::from(entry)].kind = kind;
        entry
    }

    fn watched_kind(&mut self, watched: Watched) -> WatchedKind {
        match watched {
            Watched::Function(item) => match self.wire(item) {
                Some(effect) => WatchedKind::Outside(effect),
                None if self.declared(item).is_some_and(|found| found.kind != ast::FunctionKind::Fn) => {
                    WatchedKind::Told
                }
                None => WatchedKind::Function,
            },
            Watched::Agent(item) => WatchedKind::Agent(self.agent(item)),
            Watched::Model => WatchedKind::Model("agent._model".into()),
        }
    }

    fn watched_name(&self, watched: Watched) -> SmolStr {
        let (Watched::Function(item) | Watched::Agent(item)) = watched else { return "model".into() };
        let module = &self.checked.modules[usize::from(item.module.0)];
        let name = match &self.item(item).kind {
            ItemKind::Function(function) => function.name.text.clone(),
            ItemKind::Agent(agent) => agent.name.text.clone(),
            _ => SmolStr::default(),
        };
        match module.library && &*module.name != "prelude" {
            true => format_smolstr!("{}.{name}", module.name),
            false => self.prefixes.element(item.module, &name),
        }
    }

    fn watched_result(&self, watched: Watched) -> Type {
        match watched {
            Watched::Function(item) => {
                self.checked.signatures.get(&item).map_or(Type::Any, |found| found.result.clone())
            }
            Watched::Agent(item) => self.answer_type(item),
            Watched::Model => Type::String,
        }
    }

    /// What an agent gives.
    pub(super) fn answer_type(&self, item: ItemRef) -> Type {
        let ItemKind::Agent(agent) = &self.item(item).kind else { return Type::Any };
        let Some((_, output)) = agent.fields.iter().find(|(name, _)| name.text == "output") else {
            return Type::String;
        };
        match self.tables(item.module).types.get(output.id.0 as usize) {
            Some(Type::TypeOf(answer)) => (**answer).clone(),
            _ => Type::Any,
        }
    }

    /// All functions of the library that share a name.
    fn overloads(&self, item: ItemRef) -> Vec<ItemRef> {
        let module = &self.checked.modules[usize::from(item.module.0)];
        let name = self.declared(item).map(|function| &function.name.text);
        let same = |found: &ast::Item| match &found.kind {
            ItemKind::Function(function) => {
                let method = function.params.first().is_some_and(|param| param.name.text == "self");
                Some(&function.name.text) == name && !method
            }
            _ => false,
        };
        if !module.library {
            return vec![item];
        }
        let items = (0..).zip(&module.module.items).filter(|(_, found)| same(found));
        items.map(|(index, _)| ItemRef { item: index, ..item }).collect()
    }

    /// The effect by which a library function reaches the outside.
    pub(super) fn wire(&self, item: ItemRef) -> Option<SmolStr> {
        let Implementation::Effect(effect) = self.implementation(item) else { return None };
        let module = &self.checked.modules[usize::from(item.module.0)].name;
        let name = self.declared(item).map_or("", |function| function.name.text.as_str());
        (!is_instant(module, name) && !WITHIN.contains(&effect.as_str())).then(|| effect.into())
    }

    /// A function with hooks has a path, so that each call of it is known.
    pub(super) fn has_path(&mut self, hooked: bool, id: FunctionId) {
        if let Some(testing) = self.testing.as_mut().filter(|_| hooked) {
            testing.scoped.insert(id.0);
        }
    }

    /// How the hooks of a function name it; none when it needs no hooks.
    pub(super) fn hooked(&mut self, item: ItemRef) -> Option<Hooked> {
        let testing = self.testing.as_ref()?;
        if let Some(entry) = testing.functions.get(&item) {
            return Some(Hooked::Entry(*entry));
        }
        let module = &self.checked.modules[usize::from(item.module.0)];
        let declared = self.declared(item)?;
        if module.library {
            let asks = &*module.name == "agent" && matches!(declared.name.text.as_str(), "_ask" | "run");
            let agents = testing.watched.keys().any(|watched| matches!(watched, Watched::Agent(_)));
            return (asks && agents).then_some(Hooked::Agent);
        }
        (declared.kind != ast::FunctionKind::Fn).then(|| Hooked::Entry(self.watch(Watched::Function(item))))
    }

    /// The tests of the main module, as workflows.
    pub(super) fn tests(&mut self, init: FunctionId) {
        let main = self.main;
        let checked = self.checked;
        for (index, item) in (0..).zip(&checked.modules[usize::from(main.0)].module.items) {
            let ItemKind::Test(test) = &item.kind else { continue };
            let reference = ItemRef { module: main, item: index };
            let number = self.program.tests.len();
            let path = format_smolstr!("{}#test[{number}]", self.prefixes.module(main));
            let function = self.push_function(program::Function {
                name: "test".into(),
                path: path.clone(),
                module: main.0,
                kind: FunctionKind::Test,
                ..empty_function()
            });
            let mut body = Body::new(self, reference, path);
            body.at(test.body.span, |body| {
                body.drops_value = true;
                body.value_and_leave(&test.body);
            });
            body.finish(function);
            let start = self.start_function(reference, function, init);
            let workflow = format_smolstr!("test[{number}]");
            self.program.workflows.push(program::Workflow { name: workflow.clone(), function, start });
            let (name, span) = (test.name.text.clone(), test.name.span);
            self.program.tests.push(program::Test { name, workflow, span });
        }
    }

    /// What sets the `ctx.state` of each module to what its block says.
    fn fresh_states(&mut self) -> Vec<FunctionId> {
        let checked = self.checked;
        let modules = (0..).map(ModuleId).zip(&checked.modules);
        let with_state = modules.filter(|(_, module)| {
            !module.library && module.module.items.iter().any(|item| matches!(item.kind, ItemKind::State(_)))
        });
        with_state.map(|(module, _)| module).collect::<Vec<_>>().into_iter().map(|m| self.state_function(m)).collect()
    }

    /// What gives the `ctx.state` of a module.
    pub(super) fn state_of(&mut self, module: ModuleId) -> FunctionId {
        let path = format_smolstr!("{}#ctx.state", self.prefixes.module(module));
        if let Some(known) = self.function_at(&path) {
            return known;
        }
        let id = self.push_function(program::Function {
            name: "state".into(),
            path: path.clone(),
            module: module.0,
            ..empty_function()
        });
        let mut body = Body::new(self, ItemRef { module, item: 0 }, path);
        let base = body.take(1);
        let whole = program::Place { root: Root::State, steps: Vec::new(), action: PlaceAction::Get };
        let place = body.compiler.entry(|program| &mut program.places, whole);
        body.emit(Op::Place { base, place });
        body.emit(Op::Return { src: base, shared: 0 });
        body.finish(id);
        id
    }

    fn function_at(&self, path: &str) -> Option<FunctionId> {
        let known = self.program.functions.iter().position(|function| function.path == path)?;
        Some(FunctionId(known as u32))
    }

    fn state_function(&mut self, module: ModuleId) -> FunctionId {
        let path = format_smolstr!("{}#state", self.prefixes.module(module));
        if let Some(known) = self.function_at(&path) {
            return known;
        }
        let id = self.push_function(program::Function {
            name: "state".into(),
            path: path.clone(),
            module: module.0,
            ..empty_function()
        });
        let mut body = Body::new(self, ItemRef { module, item: 0 }, path);
        body.states(module);
        body.return_null();
        body.finish(id);
        id
    }
}

impl<'c> Body<'_, 'c> {
    /// A workflow or step that a test calls has a `ctx.state` of its own, as at the start of a run.
    pub(super) fn fresh_context(&mut self) {
        if !self.told || self.compiler.testing.is_none() {
            return;
        }
        self.scoped(|body| {
            let base = body.take(1);
            body.emit(Op::Outermost { dst: base });
            let inner = body.emit(Op::JumpIfNot { cond: base, to: 0 });
            for function in body.compiler.fresh_states() {
                body.emit(Op::Call { base, function: function.0 });
            }
            body.land(inner);
        });
    }

    /// Where a mock stands in for the call, ends the function with what it gives.
    pub(super) fn stand_in(&mut self, params: &'c [Param]) {
        let Some(hooked) = self.hooked else { return };
        self.scoped(|body| {
            let base = body.take(5);
            let real = body.ask_for_mock(hooked, params, base);
            body.emit(Op::Copy { dst: base + 1, src: base });
            body.name_of(hooked, base);
            match hooked {
                Hooked::Entry(_) => {
                    let result = body.compiler.checked.signatures.get(&body.item);
                    let ty = result.map_or(Types::ANY, |signature| body.compiler.type_id(&signature.result)).0;
                    body.emit(Op::Type { dst: base + 2, ty });
                    body.hook("_value", base, 3);
                }
                Hooked::Agent => {
                    // `output`, `prompt` and, of `run`, `history`.
                    body.emit(Op::Copy { dst: base + 2, src: 2 });
                    body.emit(Op::Copy { dst: base + 3, src: 1 });
                    let whole = params.len() > 3;
                    body.emit(if whole { Op::Copy { dst: base + 4, src: 3 } } else { Op::Null { dst: base + 4 } });
                    body.hook("_answer_of", base, 5);
                    if !whole {
                        let name = body.compiler.name("value");
                        body.emit(Op::Field { dst: base, object: base, name });
                    }
                }
            }
            body.leave(base);
            body.land(real);
        });
    }

    /// Where a mock stands in for what reaches the outside, hands what it gives to the world, which answers with it.
    pub(super) fn stand_in_on_the_wire(&mut self, params: &'c [Param]) {
        let Some(hooked) = self.hooked else { return };
        self.scoped(|body| {
            let base = body.take(3);
            let real = body.ask_for_mock(hooked, params, base);
            body.emit(Op::Copy { dst: base + 1, src: base });
            body.name_of(hooked, base);
            body.hook("_wire", base, 2);
            body.land(real);
        });
    }

    /// Leaves in `base` what a mock gives; the jump that is returned is taken when there is none.
    fn ask_for_mock(&mut self, hooked: Hooked, params: &'c [Param], base: Reg) -> program::Pc {
        self.name_of(hooked, base);
        self.arguments_of(hooked, params, base + 1);
        self.hook("_call", base, 2);
        let real = self.emit(Op::JumpIfNull { reg: base, to: 0 });
        self.emit(Op::Copy { dst: base + 1, src: base });
        self.name_of(hooked, base);
        self.hook("_stand_in", base, 2);
        real
    }

    /// The arguments of the call as a record.
    fn arguments_of(&mut self, hooked: Hooked, params: &'c [Param], dst: Reg) {
        let model = self.compiler.library("agent", "_model") == Some(self.item);
        self.scoped(|body| {
            let (keys, first): (Vec<SmolStr>, Reg) = match hooked {
                Hooked::Agent => {
                    let count = if params.len() > 3 { 2 } else { 1 };
                    let first = body.take(2);
                    body.emit(Op::Copy { dst: first, src: 1 });
                    if count == 2 {
                        body.emit(Op::Copy { dst: first + 1, src: 3 });
                    }
                    (["prompt", "history"].into_iter().take(count).map(SmolStr::new_static).collect(), first)
                }
                Hooked::Entry(_) if model => {
                    let first = body.take(4);
                    for (dst, field) in (first..).zip(["messages", "name", "instructions", "model"]) {
                        let name = body.compiler.name(field);
                        body.emit(Op::FieldOrNull { dst, object: 0, name });
                    }
                    (["messages", "agent", "instructions", "model"].map(SmolStr::new_static).into(), first)
                }
                Hooked::Entry(_) => {
                    let first = body.take(params.len());
                    for index in 0..params.len() as Reg {
                        body.emit(Op::Copy { dst: first + index, src: index });
                    }
                    (params.iter().map(|param| param.name.text.clone()).collect(), first)
                }
            };
            let shape = body.compiler.entry(|program| &mut program.shapes, keys);
            body.emit(Op::Record { dst, first, shape });
        });
    }

    /// Says that a call has its value, before its end.
    pub(super) fn completed(&mut self) {
        let Some(hooked) = self.hooked else { return };
        self.scoped(|body| {
            let base = body.take(2);
            body.name_of(hooked, base);
            body.emit(Op::Bool { dst: base + 1, value: body.told });
            body.hook("_done", base, 2);
        });
    }

    fn name_of(&mut self, hooked: Hooked, dst: Reg) {
        match hooked {
            Hooked::Entry(entry) => self.constant(dst, Constant::Int(i64::from(entry))),
            Hooked::Agent => {
                self.emit(Op::Copy { dst, src: 0 });
            }
        }
    }

    /// A call of a function of the library's file of hooks.
    pub(super) fn hook(&mut self, name: &str, base: Reg, argc: u16) {
        match self.compiler.library(HOOKS, name) {
            Some(item) => self.call_item(item, base, argc),
            None => self.not_built(base),
        }
    }
}
