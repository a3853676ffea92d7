//! Checked tree to program.
//!
//! Decides nothing about types: it follows the checker's tables. What a program uses of the library and of the modules
//! that it imports is compiled with it, function by function as it is reached. Evaluation is left to right; registers are handed out like a stack, so a
//! register's number tells when its value was made, which is what saved frames rely on.

use std::collections::HashMap;

use smol_str::{SmolStr, format_smolstr};

use crate::{
    check::{Checked, ItemRef, ModuleId, Type},
    code::Code,
    diagnostic::Diagnostic,
    program::{self, Constant, FunctionId, FunctionKind, Program, TypeId, Types},
    span::Span,
    syntax::ast::{self, ItemKind},
};

mod assertion;
mod body;
mod branch;
mod call;
mod control;
mod equal;
mod exits;
mod expr;
mod finish;
mod item;
mod liveness;
mod modules;
mod pattern;
mod peephole;
mod place;
mod shared;
mod tables;
mod testing;

/// The most registers a function may use.
pub const MAX_REGISTERS: u16 = 2000;

/// Compiles the main module of `checked`, with all that it reaches.
///
/// # Errors
/// A diagnostic when a function is too large for the machine. Call it only when no diagnostic of `checked` is an error;
/// what did not parse or check compiles to a throw.
pub fn compile(checked: &Checked) -> Result<Program, Box<Diagnostic>> {
    Compiler::new(checked).finished()
}

/// Compiles the tests of the last module of `checked` with all that they reach, and with hooks in what they mock, count
/// or crash after. The workflows of the program are the tests.
///
/// # Errors
/// As [`compile`].
pub fn compile_tests(checked: &Checked) -> Result<Program, Box<Diagnostic>> {
    Compiler::for_tests(checked).finished()
}

/// What waits to be compiled.
enum Work<'c> {
    /// A declared function with a body.
    Item(ItemRef, FunctionId),
    /// A bodiless library function as a value: a frame around its op.
    Stub(ItemRef, FunctionId),
    /// A lambda or a branch, with what it needs to know of the function around it.
    Lambda(Box<control::Nested<'c>>),
}

struct Compiler<'c> {
    checked: &'c Checked,
    program: Program,
    main: ModuleId,
    functions: HashMap<ItemRef, FunctionId>,
    /// How many declared functions have a path.
    paths: HashMap<SmolStr, u32>,
    queue: Vec<Work<'c>>,
    /// How the names of modules begin paths and elements of paths.
    prefixes: modules::Prefixes,
    globals: HashMap<ItemRef, u32>,
    agents: HashMap<ItemRef, u32>,
    constants: HashMap<ConstantKey, u32>,
    names: HashMap<SmolStr, u16>,
    types: Vec<(Type, TypeId)>,
    named_types: HashMap<ItemRef, TypeId>,
    slots: finish::Slots,
    /// What a program that is to be tested knows beside.
    testing: Option<testing::Testing>,
    too_large: Option<Span>,
}

#[derive(PartialEq, Eq, Hash)]
enum ConstantKey {
    Int(i64),
    Float(u64),
    Duration(i64),
    String(SmolStr),
}

impl<'c> Compiler<'c> {
    fn new(checked: &'c Checked) -> Self {
        let mut program = Program::default();
        program.types.defs.push(program::TypeDef { kind: program::TypeKind::Any, name: None, doc: None });
        Self {
            checked,
            program,
            main: checked.main(),
            functions: HashMap::new(),
            paths: HashMap::new(),
            prefixes: modules::Prefixes::of(checked),
            queue: Vec::new(),
            globals: HashMap::new(),
            agents: HashMap::new(),
            constants: HashMap::new(),
            names: HashMap::new(),
            types: Vec::new(),
            named_types: HashMap::new(),
            slots: finish::Slots::new(),
            testing: None,
            too_large: None,
        }
    }

    fn finished(mut self) -> Result<Program, Box<Diagnostic>> {
        self.program();
        match self.too_large {
            Some(span) => {
                let diagnostic = Diagnostic::new(Code::TooLarge, span, "this function is too large for the machine");
                Err(diagnostic.help("split it into smaller functions").into())
            }
            None => Ok(self.program),
        }
    }

    fn program(&mut self) {
        for (index, module) in self.checked.modules.iter().enumerate() {
            let name = match module.library {
                true => format_smolstr!("std/{}", module.name),
                false => SmolStr::from(&*module.name),
            };
            let state = self.checked.tables[index].state.clone();
            let state = state.map(|state| self.type_id(&Type::Record(std::sync::Arc::new(state))));
            self.program.modules.push(program::Module { name, state, library: module.library });
        }
        self.program.ask = self.library("agent", "_ask").map(|item| self.function(item));
        self.user_modules();
        while let Some(work) = self.queue.pop() {
            match work {
                Work::Item(item, id) => self.compile_item(item, id),
                Work::Stub(item, id) => self.compile_stub(item, id),
                Work::Lambda(nested) => self.compile_nested(*nested),
            }
        }
        let scoped = self.testing.take().map(|testing| testing.scoped).unwrap_or_default();
        finish::finish(&mut self.program, &mut self.slots, &scoped);
    }

    fn item(&self, item: ItemRef) -> &'c ast::Item {
        let checked: &'c Checked = self.checked;
        &checked.modules[usize::from(item.module.0)].module.items[item.item as usize]
    }

    /// The declared function that an item is.
    fn declared(&self, item: ItemRef) -> Option<&'c ast::Function> {
        match &self.item(item).kind {
            ItemKind::Function(function) => Some(function),
            _ => None,
        }
    }

    /// A function of the library, by module and name.
    fn library(&self, module: &str, name: &str) -> Option<ItemRef> {
        let checked: &'c Checked = self.checked;
        let (index, found) = checked.modules.iter().enumerate().find(|(_, m)| m.library && *m.name == *module)?;
        let item = found
            .module
            .items
            .iter()
            .position(|item| matches!(&item.kind, ItemKind::Function(function) if function.name.text == name))?;
        Some(ItemRef { module: ModuleId(index as u16), item: item as u32 })
    }

    /// The id of a declared function, which is compiled in its turn.
    fn function(&mut self, item: ItemRef) -> FunctionId {
        if let Some(id) = self.functions.get(&item) {
            return *id;
        }
        let id = self.reserve(item);
        self.functions.insert(item, id);
        let has_body = self.declared(item).is_some_and(|function| function.body.is_some());
        self.queue.push(if has_body { Work::Item(item, id) } else { Work::Stub(item, id) });
        id
    }

    /// Enters a function with its signature, so that calls of it can be compiled before its body is.
    fn reserve(&mut self, item: ItemRef) -> FunctionId {
        let checked = self.checked;
        let declaration = self.item(item);
        let module = &checked.modules[usize::from(item.module.0)];
        let Some(function) = self.declared(item) else { return self.push_function(empty_function()) };
        let signature = checked.signatures.get(&item);
        let params = function.params.iter().enumerate().map(|(index, param)| {
            let ty = signature.and_then(|signature| signature.params.get(index)).map_or(Type::Any, |p| p.ty.clone());
            program::Param {
                name: param.name.text.clone(),
                ty: self.type_id(&ty),
                has_default: param.default.is_some(),
                doc: param.doc.as_deref().map(SmolStr::from),
            }
        });
        let params = params.collect();
        let result = signature.map_or(Types::ANY, |signature| self.type_id(&signature.result));
        let agent = module.library && &*module.name == "agent" && matches!(function.name.text.as_str(), "_ask" | "run");
        let kind = match function.kind {
            ast::FunctionKind::Workflow => FunctionKind::Workflow,
            ast::FunctionKind::Step => FunctionKind::Step,
            ast::FunctionKind::Fn if agent => FunctionKind::Ask,
            ast::FunctionKind::Fn => FunctionKind::Fn,
        };
        let on_crash = signature.and_then(|signature| self.on_crash(declaration, &signature.result));
        let path = self.unique_path(self.prefixes.path(item.module, &function.name.text));
        self.push_function(program::Function {
            name: function.name.text.clone(),
            element: self.prefixes.element(item.module, &function.name.text),
            path,
            title: item::title(declaration),
            doc: declaration.doc.as_deref().map(SmolStr::from),
            module: item.module.0,
            kind,
            on_crash,
            params,
            result,
            ..empty_function()
        })
    }

    /// Overloads of the library share a name; the second one is `list.sum#2`.
    fn unique_path(&mut self, path: SmolStr) -> SmolStr {
        let count = self.paths.entry(path.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { path } else { format_smolstr!("{path}#{count}") }
    }

    fn push_function(&mut self, function: program::Function) -> FunctionId {
        self.program.functions.push(function);
        FunctionId(self.program.functions.len() as u32 - 1)
    }

    fn constant(&mut self, constant: Constant) -> u32 {
        let key = match &constant {
            Constant::Int(value) => ConstantKey::Int(*value),
            Constant::Float(value) => ConstantKey::Float(value.to_bits()),
            Constant::Duration(value) => ConstantKey::Duration(*value),
            Constant::String(value) => ConstantKey::String(value.clone()),
        };
        let constants = &mut self.program.constants;
        *self.constants.entry(key).or_insert_with(|| {
            constants.push(constant);
            constants.len() as u32 - 1
        })
    }

    fn name(&mut self, name: &str) -> u16 {
        if let Some(index) = self.names.get(name) {
            return *index;
        }
        let Ok(index) = u16::try_from(self.program.names.len()) else {
            self.too_large.get_or_insert_default();
            return 0;
        };
        self.program.names.push(name.into());
        self.names.insert(name.into(), index);
        index
    }

    /// Adds to a table that ops index with 16 bits.
    fn entry<T: PartialEq>(&mut self, table: fn(&mut Program) -> &mut Vec<T>, value: T) -> u16 {
        let table = table(&mut self.program);
        // Tables are short but for places, where only recent entries are likely to be the same.
        let recent = table.len().saturating_sub(64);
        if let Some(found) = table[recent..].iter().position(|entry| *entry == value) {
            return (recent + found) as u16;
        }
        let Ok(index) = u16::try_from(table.len()) else {
            self.too_large.get_or_insert_default();
            return 0;
        };
        table.push(value);
        index
    }
}

fn empty_function() -> program::Function {
    program::Function {
        name: SmolStr::default(),
        element: SmolStr::default(),
        path: SmolStr::default(),
        title: None,
        doc: None,
        module: 0,
        kind: FunctionKind::Hidden,
        on_crash: None,
        scoped: false,
        params: Vec::new(),
        result: Types::ANY,
        captures: 0,
        registers: 0,
        code: Vec::new(),
        spans: Vec::new(),
        safe_points: Vec::new(),
        handlers: Vec::new(),
        shields: Vec::new(),
        locals: Vec::new(),
        digest: 0,
    }
}
