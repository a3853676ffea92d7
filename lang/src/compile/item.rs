//! Declarations: functions, steps with their retries, agents, and what a run begins with.

use std::sync::Arc;

use smol_str::{SmolStr, ToSmolStr, format_smolstr};

use super::{Compiler, body::Body, call::Implementation, empty_function};
use crate::{
    check::{FieldType, ItemRef, Literal, ModuleId, RecordType, Tables, Type},
    program::{self, Constant, FunctionId, FunctionKind, HandlerKind, OnCrash, Op, Receiver, Reg, Root},
    syntax::ast::{self, Annotation, ExprKind, ItemKind, Param, StrPart},
};

/// The parameters of `@retry` in the order in which the library's `_retry_wait` takes them.
const RETRY_OPTIONS: [&str; 6] = ["attempts", "backoff", "factor", "max_backoff", "jitter", "when"];

/// The settings of an agent; those that are not declared are null.
const SETTINGS: [&str; 9] =
    ["description", "model", "instructions", "tools", "output", "temperature", "max_tokens", "max_turns", "options"];

/// What `@name("…")` gives.
pub(super) fn title(item: &ast::Item) -> Option<SmolStr> {
    let annotation = annotation(item, "name")?;
    match &annotation.args.first()?.value.kind {
        ExprKind::Str(parts) => match parts.as_slice() {
            [StrPart::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn annotation<'i>(item: &'i ast::Item, name: &str) -> Option<&'i Annotation> {
    item.annotations.iter().find(|annotation| annotation.name.text == name)
}

impl<'c> Compiler<'c> {
    pub(super) fn tables(&self, module: ModuleId) -> &'c Tables {
        let checked = self.checked;
        &checked.tables[usize::from(module.0)]
    }

    pub(super) fn native(&mut self, name: &str) -> u16 {
        self.entry(|program| &mut program.natives, name.into())
    }

    /// The entry of what a bodiless library function asks.
    pub(super) fn effect(&mut self, item: ItemRef, name: &str) -> u16 {
        let params = self.declared(item).map_or(&[][..], |function| &function.params);
        let params: Vec<SmolStr> = params.iter().map(|param| param.name.text.clone()).collect();
        let effect = self.entry(|program| &mut program.effects, name.into());
        let known = &mut self.program.effect_params;
        if known.len() <= usize::from(effect) {
            known.push(params);
        }
        effect
    }

    /// What `@on_crash` says of a step with that result.
    pub(super) fn on_crash(&mut self, item: &ast::Item, result: &Type) -> Option<OnCrash> {
        let annotation = annotation(item, "on_crash")?;
        let ExprKind::Str(parts) = &annotation.args.first()?.value.kind else { return None };
        match parts.as_slice() {
            [StrPart::Text(word)] if word == "throw" => Some(OnCrash::Throw),
            [StrPart::Text(word)] if word == "ask" => Some(OnCrash::Ask(self.type_id(&decision(result)))),
            _ => Some(OnCrash::Retry),
        }
    }

    /// How a declared function is implemented.
    pub(super) fn implementation(&self, item: ItemRef) -> Implementation {
        let declared = self.declared(item);
        if declared.is_none_or(|function| function.body.is_some()) {
            return Implementation::Body;
        }
        let declaration = self.item(item);
        let module = &self.checked.modules[usize::from(item.module.0)];
        let function = declared.map_or("", |function| function.name.text.as_str());
        let name = match &*module.name {
            "prelude" => function.to_owned(),
            module => format!("{module}.{function}"),
        };
        match name.as_str() {
            "agent._settings" => Implementation::Settings,
            "test._apply" => Implementation::Apply,
            _ if annotation(declaration, "effect").is_some() => Implementation::Effect(name),
            _ if annotation(declaration, "event").is_some() => Implementation::Tell(name),
            _ => Implementation::Native(name),
        }
    }

    pub(super) fn compile_item(&mut self, item: ItemRef, id: FunctionId) {
        let (Some(function), path) = (self.declared(item), self.program.functions[id.0 as usize].path.clone()) else {
            return;
        };
        let Some(block) = &function.body else { return };
        let told = function.kind != ast::FunctionKind::Fn;
        let retry = annotation(self.item(item), "retry");
        let hooked = self.hooked(item);
        self.has_path(hooked.is_some(), id);
        let timeout = annotation(self.item(item), "timeout").and_then(|timeout| timeout.args.first());
        let mut body = Body::new(self, item, path);
        body.told = told;
        body.hooked = hooked;
        body.drops_value = told && function.result.is_none();
        body.at(block.span, |body| {
            body.params(&function.params);
            let timeout = timeout.map(|timeout| body.fresh(&timeout.value));
            match retry {
                Some(retry) => body.retried(retry, timeout, block),
                None => body.once(timeout, block),
            }
        });
        body.finish(id);
    }

    /// A bodiless library function as a value: its parameters, its op, its result.
    pub(super) fn compile_stub(&mut self, item: ItemRef, id: FunctionId) {
        let (Some(function), path) = (self.declared(item), self.program.functions[id.0 as usize].path.clone()) else {
            return;
        };
        let (hooked, wire) = (self.hooked(item), self.wire(item).is_some());
        self.has_path(hooked.is_some(), id);
        let mut body = Body::new(self, item, path);
        body.hooked = hooked;
        body.at(function.name.span, |body| {
            body.params(&function.params);
            match wire {
                true => body.stand_in_on_the_wire(&function.params),
                false => body.stand_in(&function.params),
            }
            let argc = function.params.len() as u16;
            let base = body.take(function.params.len().max(1));
            for index in 0..argc {
                body.emit(Op::Copy { dst: base + index, src: index });
            }
            body.implemented(item, base, argc);
            body.leave(base);
        });
        body.finish(id);
    }

    /// Computes the top-level `let`s and the state of a module, after what is to be done before.
    pub(super) fn init_function(&mut self, module: ModuleId, lets: &[ItemRef], before: &[FunctionId]) -> FunctionId {
        let path = format_smolstr!("{}#init", self.prefixes.module(module));
        let id = self.push_function(program::Function {
            name: "init".into(),
            path: path.clone(),
            module: module.0,
            ..empty_function()
        });
        let mut body = Body::new(self, ItemRef { module, item: 0 }, path);
        for function in before {
            body.scoped(|body| {
                let base = body.take(1);
                body.emit(Op::Call { base, function: function.0 });
            });
        }
        for item in lets {
            let ItemKind::Let(constant) = &body.compiler.item(*item).kind else { continue };
            let Some(global) = body.compiler.globals.get(item).copied() else { continue };
            body.item = *item;
            body.scoped(|body| {
                let src = body.fresh(&constant.value);
                body.emit(Op::SetGlobal { src, global });
            });
        }
        body.states(module);
        body.return_null();
        body.finish(id);
        id
    }

    /// What a run of a workflow begins with.
    pub(super) fn start_function(&mut self, item: ItemRef, workflow: FunctionId, init: FunctionId) -> FunctionId {
        let called = &self.program.functions[workflow.0 as usize];
        let params = called.params.clone();
        let path = format_smolstr!("{}#start", called.path);
        let id = self.push_function(program::Function {
            name: "start".into(),
            path: path.clone(),
            module: item.module.0,
            result: called.result,
            params: params.clone(),
            ..empty_function()
        });
        let mut body = Body::new(self, item, path);
        let span = body.compiler.item(item).span;
        body.at(span.before(), |body| {
            let count = params.len() as Reg;
            body.take(params.len());
            let base = body.take(params.len().max(1));
            body.emit(Op::Call { base, function: init.0 });
            for index in 0..count {
                body.emit(Op::Copy { dst: base + index, src: index });
            }
            body.emit(Op::Call { base, function: workflow.0 });
            body.emit(Op::Return { src: base, shared: 0 });
        });
        body.finish(id);
        id
    }

    /// The entry of a declared agent.
    pub(super) fn agent(&mut self, item: ItemRef) -> u32 {
        if let Some(index) = self.agents.get(&item) {
            return *index;
        }
        let ItemKind::Agent(agent) = &self.item(item).kind else { return 0 };
        let path = format_smolstr!("{}#settings", self.prefixes.path(item.module, &agent.name.text));
        let settings = self.push_function(program::Function {
            name: "settings".into(),
            path: path.clone(),
            module: item.module.0,
            ..empty_function()
        });
        let output = self.answer_type(item);
        let output = self.type_id(&output);
        let index = self.program.agents.len() as u32;
        self.agents.insert(item, index);
        self.program.agents.push(program::Agent {
            name: agent.name.text.clone(),
            element: self.prefixes.element(item.module, &agent.name.text),
            settings,
            output,
        });
        let doc = self.item(item).doc.as_deref().map(SmolStr::from);
        let mut body = Body::new(self, item, path);
        body.at(agent.name.span, |body| body.settings(agent, doc));
        body.finish(settings);
        index
    }

    /// Enters every library method of a name, for calls whose receiver is known only at run time.
    pub(super) fn methods_named(&mut self, name: &str) {
        if self.program.methods.iter().any(|method| method.name == name) {
            return;
        }
        let checked = self.checked;
        for (index, module) in checked.modules.iter().enumerate().filter(|(_, module)| module.library) {
            for (number, item) in module.module.items.iter().enumerate() {
                let ItemKind::Function(function) = &item.kind else { continue };
                let is_method = function.name.text == name
                    && function.params.first().is_some_and(|param| param.name.text == "self");
                let reference = ItemRef { module: ModuleId(index as u16), item: number as u32 };
                let receiver = checked.signatures.get(&reference).and_then(|signature| signature.params.first());
                let receiver = receiver.and_then(|param| receiver_kind(&param.ty));
                if let (true, Some(receiver)) = (is_method, receiver) {
                    let function = self.function(reference);
                    self.program.methods.push(program::Method { name: name.to_smolstr(), receiver, function });
                }
            }
        }
    }
}

fn receiver_kind(ty: &Type) -> Option<Receiver> {
    match ty {
        Type::String => Some(Receiver::String),
        Type::List(_) => Some(Receiver::List),
        Type::Map(_) => Some(Receiver::Map),
        Type::Int | Type::Float => Some(Receiver::Number),
        Type::Duration => Some(Receiver::Duration),
        Type::Time => Some(Receiver::Time),
        Type::Bytes => Some(Receiver::Bytes),
        Type::Agent(_) => Some(Receiver::Agent),
        // Methods of record types need a receiver whose type is known.
        _ => None,
    }
}

/// What a person answers who is asked about a call whose outcome is not known: `{ action: "retry" } | { action: "result",
/// value: T } | { action: "fail", message?: string }`.
fn decision(result: &Type) -> Type {
    let field = |name: &str, ty, optional| FieldType { name: name.into(), ty, optional, doc: None };
    let action = |word: &str, more: Option<FieldType>| {
        let action = field("action", Type::Literal(Literal::String(word.into())), false);
        Type::Record(Arc::new(RecordType { fields: std::iter::once(action).chain(more).collect(), closed: false }))
    };
    let value = field("value", result.clone(), false);
    let message = field("message", Type::String, true);
    Type::Union(Arc::new([action("retry", None), action("result", Some(value)), action("fail", Some(message))]))
}

impl<'c> Body<'_, 'c> {
    /// Gives the parameters the first registers and computes the defaults of those that were left out.
    fn params(&mut self, params: &'c [Param]) {
        let first = self.take(params.len());
        for (index, param) in params.iter().enumerate() {
            self.bind(&param.name, first + index as Reg);
        }
        self.fresh_context();
        for (index, param) in params.iter().enumerate() {
            self.default(param, first + index as Reg);
        }
    }

    pub(super) fn default(&mut self, param: &'c Param, reg: Reg) {
        if let Some(default) = &param.default {
            let given = self.emit(Op::JumpIfGiven { reg, to: 0 });
            self.expr(default, reg);
            self.land(given);
        }
    }

    /// A body that is run once.
    fn once(&mut self, timeout: Option<Reg>, block: &'c ast::Block) {
        if self.told {
            self.deadline(timeout);
            self.scoped(|body| {
                let attempt = body.take(1);
                body.constant(attempt, Constant::Int(1));
                body.emit(Op::Begin { attempt });
            });
        }
        self.value_and_leave(block);
    }

    /// The attempt that begins may take so long.
    fn deadline(&mut self, timeout: Option<Reg>) {
        if let Some(duration) = timeout {
            self.emit(Op::Deadline { duration });
        }
    }

    pub(super) fn value_and_leave(&mut self, block: &'c ast::Block) {
        if let Some(function) = self.compiler.declared(self.item) {
            self.stand_in(&function.params);
        }
        self.scoped(|body| {
            let src = body.take(1);
            if body.drops_value {
                body.block_dropped(block);
                body.emit(Op::Null { dst: src });
            } else {
                body.block(block, src);
            }
            body.leave(src);
        });
    }

    /// A step's body that is run again from its beginning while `_retry_wait` gives a time to wait.
    fn retried(&mut self, retry: &'c Annotation, timeout: Option<Reg>, block: &'c ast::Block) {
        let wait = self.compiler.library("prelude", "_retry_wait");
        let sleep = self.compiler.library("prelude", "sleep");
        let (Some(wait), Some(sleep)) = (wait, sleep) else { return self.once(timeout, block) };
        let attempt = self.take(1);
        self.constant(attempt, Constant::Int(1));
        let again = self.pc();
        self.deadline(timeout);
        // An attempt may be ended from outside as soon as it has begun.
        let start = self.emit(Op::Begin { attempt });
        self.value_and_leave(block);
        let end = self.pc();
        self.at(retry.span, |body| {
            let error = body.take(1);
            body.handler(HandlerKind::Attempt, start, end, error);
            let base = body.take(2 + RETRY_OPTIONS.len());
            body.emit(Op::Copy { dst: base, src: error });
            body.emit(Op::Copy { dst: base + 1, src: attempt });
            for (index, option) in RETRY_OPTIONS.into_iter().enumerate() {
                let dst = base + 2 + index as Reg;
                let given = retry.args.iter().enumerate().find(|(position, arg)| match &arg.name {
                    Some(name) => name.text == option,
                    None => *position == index,
                });
                match given {
                    Some((_, arg)) => body.expr(&arg.value, dst),
                    None => {
                        body.emit(Op::Missing { dst });
                    }
                }
            }
            let argc = 2 + RETRY_OPTIONS.len() as u16;
            body.call_item(wait, base, argc);
            let gives_up = body.emit(Op::JumpIfNull { reg: base, to: 0 });
            body.emit(Op::Retrying { error, attempt, delay: base });
            body.emit(Op::AddInt { dst: attempt, a: attempt, value: 1 });
            body.call_item(sleep, base, 1);
            body.emit(Op::Loop { to: again });
            body.land(gives_up);
            body.emit(Op::Throw { src: error });
        });
    }

    pub(super) fn return_null(&mut self) {
        let src = self.take(1);
        self.emit(Op::Null { dst: src });
        self.emit(Op::Return { src, shared: 0 });
    }

    /// The `ctx.state` of a module as it is at the start of a run.
    pub(super) fn states(&mut self, module: ModuleId) {
        let items = &self.compiler.checked.modules[usize::from(module.0)].module.items;
        for (index, item) in items.iter().enumerate() {
            if let ItemKind::State(fields) = &item.kind {
                self.item = ItemRef { module, item: index as u32 };
                self.state(fields);
            }
        }
    }

    fn state(&mut self, fields: &'c [ast::StateField]) {
        self.scoped(|body| {
            let base = body.take(fields.len().max(1));
            let keys = fields.iter().map(|field| field.name.text.clone()).collect();
            for (index, field) in fields.iter().enumerate() {
                let dst = base + index as Reg;
                match &field.value {
                    Some(value) => body.expr(value, dst),
                    None => {
                        body.emit(Op::Null { dst });
                    }
                }
            }
            let shape = body.compiler.entry(|program| &mut program.shapes, keys);
            body.emit(Op::Record { dst: base, first: base, shape });
            let whole = program::Place { root: Root::State, steps: Vec::new(), action: program::PlaceAction::Set };
            let place = body.compiler.entry(|program| &mut program.places, whole);
            body.emit(Op::Place { base, place });
        });
    }

    /// The settings of an agent as a record; its doc comment describes it when nothing else does.
    fn settings(&mut self, agent: &'c ast::AgentItem, doc: Option<SmolStr>) {
        let base = self.take(SETTINGS.len() + 1);
        self.constant(base, Constant::String(agent.name.text.clone()));
        for (index, setting) in SETTINGS.into_iter().enumerate() {
            let dst = base + 1 + index as Reg;
            match (agent.fields.iter().find(|(name, _)| name.text == setting), &doc) {
                (Some((_, value)), _) => self.expr(value, dst),
                (None, Some(doc)) if setting == "description" => {
                    self.constant(dst, Constant::String(doc.clone()));
                }
                (None, _) => {
                    self.emit(Op::Null { dst });
                }
            }
        }
        let keys = std::iter::once("name").chain(SETTINGS).map(SmolStr::new_static).collect();
        let shape = self.compiler.entry(|program| &mut program.shapes, keys);
        self.emit(Op::Record { dst: base, first: base, shape });
        self.emit(Op::Return { src: base, shared: 0 });
    }
}

impl FunctionKind {
    /// Whether its calls are told as events, with a checkpoint at their start and end.
    pub fn is_told(self) -> bool {
        matches!(self, FunctionKind::Workflow | FunctionKind::Step)
    }
}
