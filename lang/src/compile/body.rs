//! A function under construction: its code, registers, locals and captures.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::{Compiler, MAX_REGISTERS, exits::Exit, testing::Hooked};
use crate::{
    check::{ItemRef, LocalId, ModuleId, Tables, Type},
    program::{Constant, FunctionId, Handler, Op, Pc, Reg},
    span::Span,
    syntax::ast::{Expr, Name},
};

/// A function under construction.
pub(super) struct Body<'b, 'c> {
    pub(super) compiler: &'b mut Compiler<'c>,
    /// The declaration that it belongs to.
    pub(super) item: ItemRef,
    /// Whose tables its expressions are looked up in.
    pub(super) tables: &'c Tables,
    pub(super) code: Vec<Op>,
    pub(super) spans: Vec<(Pc, Span)>,
    pub(super) handlers: Vec<Handler>,
    pub(super) shields: Vec<(Pc, Pc)>,
    /// Where each local lives, or lived.
    pub(super) slots: Vec<Slot>,
    pub(super) locals: HashMap<LocalId, Reg>,
    /// The first free register.
    pub(super) top: Reg,
    pub(super) registers: Reg,
    /// What `break`, `continue` and `return` have to pass, the innermost last.
    pub(super) exits: Vec<Exit>,
    /// Its path, which those of its lambdas and branches begin with.
    pub(super) path: SmolStr,
    pub(super) nested: u32,
    /// A step or workflow: its end is told.
    pub(super) told: bool,
    /// Its body's value is dropped: no result type is written.
    pub(super) drops_value: bool,
    /// In a program that is tested: how its hooks name it.
    pub(super) hooked: Option<Hooked>,
    span: Span,
}

/// A local and the ops during which it has its register.
pub(super) struct Slot {
    pub(super) local: LocalId,
    pub(super) name: SmolStr,
    pub(super) reg: Reg,
    pub(super) from: Pc,
    pub(super) to: Pc,
}

impl<'b, 'c> Body<'b, 'c> {
    pub(super) fn new(compiler: &'b mut Compiler<'c>, item: ItemRef, path: SmolStr) -> Self {
        let tables = compiler.tables(item.module);
        Self {
            compiler,
            item,
            tables,
            code: Vec::new(),
            spans: Vec::new(),
            handlers: Vec::new(),
            slots: Vec::new(),
            locals: HashMap::new(),
            top: 0,
            registers: 0,
            exits: Vec::new(),
            shields: Vec::new(),
            path,
            nested: 0,
            told: false,
            drops_value: false,
            hooked: None,
            span: Span::default(),
        }
    }

    pub(super) fn pc(&self) -> Pc {
        self.code.len() as Pc
    }

    /// Appends an op that comes from the current span; gives its pc.
    pub(super) fn emit(&mut self, op: Op) -> Pc {
        let pc = self.pc();
        if self.spans.last().is_none_or(|(_, span)| *span != self.span) {
            self.spans.push((pc, self.span));
        }
        self.code.push(op);
        pc
    }

    /// Runs `inside` with ops coming from `span`.
    pub(super) fn at<R>(&mut self, span: Span, inside: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.span, span);
        let result = inside(self);
        self.span = outer;
        result
    }

    /// Points the jump at `pc` to the next op.
    pub(super) fn land(&mut self, pc: Pc) {
        let to = self.pc();
        self.point(pc, to);
    }

    /// Points the jump at `pc` to the op at `to`.
    pub(super) fn point(&mut self, pc: Pc, to: Pc) {
        if let Some(op) = self.code.get_mut(pc as usize)
            && !op.set_target(to)
        {
            self.too_large();
        }
    }

    /// The function does not fit the machine.
    pub(super) fn too_large(&mut self) {
        self.compiler.too_large.get_or_insert(self.span);
    }

    pub(super) fn land_all(&mut self, jumps: impl IntoIterator<Item = Pc>) {
        for pc in jumps {
            self.land(pc);
        }
    }

    /// The next `count` free registers.
    pub(super) fn take(&mut self, count: usize) -> Reg {
        let base = self.top;
        match u16::try_from(usize::from(base) + count) {
            Ok(top) if top <= MAX_REGISTERS => self.top = top,
            _ => self.too_large(),
        }
        self.registers = self.registers.max(self.top);
        base
    }

    /// `count` consecutive registers, at least one, of which the first receives a result that is wanted in `dst`: `dst`
    /// itself when it is the last that was taken, so that nothing needs to be copied. See [`Body::give`].
    pub(super) fn window(&mut self, dst: Reg, count: usize) -> Reg {
        if dst + 1 != self.top {
            return self.take(count.max(1));
        }
        self.take(count.saturating_sub(1));
        dst
    }

    /// The result of a window to where it is wanted.
    pub(super) fn give(&mut self, dst: Reg, window: Reg) {
        if dst != window {
            self.emit(Op::Copy { dst, src: window });
        }
    }

    /// Runs `inside` and frees the registers that it took.
    pub(super) fn scoped<R>(&mut self, inside: impl FnOnce(&mut Self) -> R) -> R {
        let top = self.top;
        let result = inside(self);
        self.free_to(top);
        result
    }

    fn free_to(&mut self, top: Reg) {
        self.top = top;
        let pc = self.pc();
        for slot in self.slots.iter_mut().rev() {
            if slot.reg >= top && slot.to == Pc::MAX {
                slot.to = pc;
            }
        }
    }

    /// Gives a binder its register, from the next op on.
    pub(super) fn bind(&mut self, name: &Name, reg: Reg) {
        if let Some(local) = self.tables.locals.get(&name.span.start) {
            self.bind_local(*local, name.text.clone(), reg);
        }
    }

    pub(super) fn bind_local(&mut self, local: LocalId, name: SmolStr, reg: Reg) {
        self.locals.insert(local, reg);
        let from = self.pc();
        self.slots.push(Slot { local, name, reg, from, to: Pc::MAX });
    }

    /// Looks expressions up in another module's tables meanwhile: defaults of its functions.
    pub(super) fn in_module<R>(&mut self, module: ModuleId, inside: impl FnOnce(&mut Self) -> R) -> R {
        let tables = self.compiler.tables(module);
        let outer = std::mem::replace(&mut self.tables, tables);
        let result = inside(self);
        self.tables = outer;
        result
    }

    pub(super) fn type_of(&self, expr: &Expr) -> &'c Type {
        static UNKNOWN: Type = Type::Unknown;
        let tables: &'c Tables = self.tables;
        tables.types.get(expr.id.0 as usize).unwrap_or(&UNKNOWN)
    }

    pub(super) fn constant(&mut self, dst: Reg, constant: Constant) {
        match constant {
            Constant::Int(value) if i32::try_from(value).is_ok() => self.emit(Op::Int { dst, value: value as i32 }),
            constant => {
                let constant = self.compiler.constant(constant);
                self.emit(Op::Const { dst, constant })
            }
        };
    }

    /// Hands the finished code to the function that was entered for it.
    pub(super) fn finish(mut self, id: FunctionId) {
        self.free_to(0);
        if self.spans.is_empty() {
            self.spans.push((0, self.span));
        }
        let function = &mut self.compiler.program.functions[id.0 as usize];
        function.registers = self.registers.max(1);
        function.code = self.code;
        function.spans = self.spans;
        function.handlers = self.handlers;
        self.shields.sort_unstable();
        function.shields = self.shields;
        self.compiler.slots.insert(id, self.slots);
    }
}
