//! Control: blocks, branches, loops, handlers, lambdas and the branches of a `gather`.

use smol_str::{SmolStr, format_smolstr};

use super::{Compiler, Work, body::Body, empty_function, exits::Exit};
use crate::{
    check::{ItemRef, LocalId, Type, Use},
    program::{self, FunctionId, FunctionKind, GatherBranches, GatherMode, Op, Pc, Reg, Types},
    span::Span,
    syntax::{
        ast::{self, Block, Branches, Expr, ExprKind, Name, Param, Pattern, PatternKind, Stmt, StmtKind, TypeExpr},
        visit,
    },
};

/// A lambda or branch that waits to be compiled.
pub(super) struct Nested<'c> {
    id: FunctionId,
    item: ItemRef,
    path: SmolStr,
    params: Vec<Bound<'c>>,
    captures: Vec<(LocalId, SmolStr)>,
    body: NestedBody<'c>,
    span: Span,
}

/// A parameter of a nested function.
pub(super) enum Bound<'c> {
    Param(&'c Param),
    Name(&'c Name),
    Pattern(&'c Pattern),
    /// The data of a request.
    Data,
}

#[derive(Clone, Copy)]
pub(super) enum NestedBody<'c> {
    Expr(&'c Expr),
    Block(&'c Block),
    /// An `answer` line of a test.
    Answer(&'c Stmt),
}

impl<'c> Body<'_, 'c> {
    /// The statements of a block; the last one's value, or null, goes to `dst`.
    pub(super) fn block(&mut self, block: &'c Block, dst: Reg) {
        self.scoped(|body| {
            let Some((last, before)) = block.stmts.split_last() else {
                body.emit(Op::Null { dst });
                return;
            };
            before.iter().for_each(|stmt| body.stmt(stmt));
            match &last.kind {
                StmtKind::Expr(expr) => body.expr(expr, dst),
                _ => {
                    body.stmt(last);
                    body.emit(Op::Null { dst });
                }
            }
        });
    }

    /// The statements of a block whose value nobody wants.
    pub(super) fn block_dropped(&mut self, block: &'c Block) {
        self.scoped(|body| block.stmts.iter().for_each(|stmt| body.stmt(stmt)));
    }

    fn stmt(&mut self, stmt: &'c Stmt) {
        self.at(stmt.span, |body| match &stmt.kind {
            StmtKind::Let { pattern, value, .. } => body.let_(pattern, value),
            StmtKind::Assign { place, op, value } => body.assign(place, *op, value),
            StmtKind::Expr(expr) => body.dropped(expr),
            StmtKind::For { index, item, iter, body: block } => body.for_(index.as_ref(), item, iter, block),
            StmtKind::While { cond, body: block } => body.while_(cond, block),
            StmtKind::Mock { .. } | StmtKind::Answer { .. } | StmtKind::Crash { .. } | StmtKind::Assert { .. } => {
                body.test_stmt(stmt);
            }
            StmtKind::Error => body.scoped(|body| {
                let dst = body.take(1);
                body.not_built(dst);
            }),
        });
    }

    /// An expression as a statement.
    pub(super) fn dropped(&mut self, expr: &'c Expr) {
        self.scoped(|body| {
            let dst = body.take(1);
            body.expr(expr, dst);
        });
    }

    fn let_(&mut self, pattern: &'c Pattern, value: &'c Expr) {
        // The name is bound behind its value, so a variable that it hides can still be read in it.
        let reg = self.take(1);
        self.expr(value, reg);
        self.destructure(pattern, reg);
    }

    pub(super) fn if_(&mut self, cond: &'c Expr, then: &'c Block, otherwise: Option<&'c Expr>, dst: Reg) {
        let mut misses = Vec::new();
        self.branch(cond, false, &mut misses);
        self.block(then, dst);
        let done = self.emit(Op::Jump { to: 0 });
        self.land_all(misses);
        match otherwise {
            Some(otherwise) => self.expr(otherwise, dst),
            None => {
                self.emit(Op::Null { dst });
            }
        }
        self.land(done);
    }

    fn while_(&mut self, cond: &'c Expr, block: &'c Block) {
        let head = self.pc();
        let mut exits = Vec::new();
        self.branch(cond, false, &mut exits);
        self.rounds(block, |body| body.emit(Op::Loop { to: head }));
        self.land_all(exits);
    }

    fn for_(&mut self, index: Option<&'c Name>, item: &'c Pattern, iter: &'c Expr, block: &'c Block) {
        if let (None, PatternKind::Bind(..) | PatternKind::Wildcard, Some((start, end, inclusive))) =
            (index, &item.kind, self.range(iter))
        {
            return self.scoped(|body| {
                let base = body.take(2);
                body.at(iter.span, |body| {
                    body.ends(start, end, base);
                    body.emit(Op::RangeStart { base, inclusive });
                });
                body.for_rounds(item, base, block, |body, to| body.emit(Op::RangeNext { base, to }));
            });
        }
        self.scoped(|body| {
            let base = body.take(if index.is_some() { 4 } else { 3 });
            body.expr(iter, base);
            body.emit(Op::IterStart { base });
            match index {
                Some(index) => body.scoped(|body| {
                    body.bind(index, base + 2);
                    body.for_rounds(item, base + 3, block, |body, to| body.emit(Op::IterNextPair { base, to }));
                }),
                None => body.for_rounds(item, base + 2, block, |body, to| body.emit(Op::IterNext { base, to })),
            }
            // Or the next change of a variable that was gone through would copy it.
            body.emit(Op::Forget { reg: base });
        });
    }

    /// The ends of a range that is written there.
    #[allow(clippy::type_complexity, reason = "the parts of one kind of expression")]
    fn range(&self, expr: &'c Expr) -> Option<(Option<&'c Expr>, Option<&'c Expr>, bool)> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.range(inner),
            ExprKind::Range { start, end, inclusive } if !self.tables.expects.contains_key(&expr.id) => {
                Some((start.as_deref(), end.as_deref(), *inclusive))
            }
            _ => None,
        }
    }

    /// The rounds of a `for`, each with its element in `value`; `next` goes on with the next one, if there is one.
    fn for_rounds(&mut self, item: &'c Pattern, value: Reg, block: &'c Block, next: impl FnOnce(&mut Self, Pc) -> Pc) {
        let first = self.emit(Op::Jump { to: 0 });
        let head = self.pc();
        let turn = self.scoped(|body| {
            body.destructure(item, value);
            body.rounds(block, |body| next(body, head))
        });
        self.point(first, turn);
    }

    /// The body of a loop and what ends a round, whose place it gives.
    fn rounds(&mut self, block: &'c Block, end: impl FnOnce(&mut Self) -> Pc) -> Pc {
        self.exits.push(Exit::Loop { continues: Vec::new(), breaks: Vec::new() });
        self.block_dropped(block);
        let Some(Exit::Loop { continues, breaks }) = self.exits.pop() else { return self.pc() };
        self.land_all(continues);
        let turn = end(self);
        self.land_all(breaks);
        turn
    }

    /// The type that the checker found for a written one.
    pub(super) fn written(&self, ty: &TypeExpr) -> Type {
        self.tables.written.get(&(ty.span.start, ty.span.end)).cloned().unwrap_or(Type::Any)
    }

    pub(super) fn lambda(&mut self, params: &'c [Param], body: &'c ast::Body, dst: Reg) {
        let (nested, span) = match body {
            ast::Body::Expr(expr) => (NestedBody::Expr(expr), expr.span),
            ast::Body::Block(block) => (NestedBody::Block(block), block.span),
        };
        let params = params.iter().map(Bound::Param).collect();
        self.nested(FunctionKind::Lambda, "lambda", params, nested, span, dst);
    }

    /// Makes the closure of a nested function in `dst`, which must be the first free register or lie below it.
    pub(super) fn nested(
        &mut self,
        kind: FunctionKind,
        what: &str,
        params: Vec<Bound<'c>>,
        body: NestedBody<'c>,
        span: Span,
        dst: Reg,
    ) {
        let captures = self.captures(&params, body);
        let path = format_smolstr!("{}/{what}[{}]", self.path, self.nested);
        self.nested += 1;
        let entered = params.iter().map(|param| self.nested_param(param)).collect();
        let id = self.compiler.push_function(program::Function {
            name: what.into(),
            path: path.clone(),
            module: self.item.module.0,
            kind,
            params: entered,
            captures: captures.len() as u16,
            ..empty_function()
        });
        self.scoped(|me| {
            let base = me.window(dst, captures.len());
            for (index, (local, _)) in captures.iter().enumerate() {
                if let Some(src) = me.locals.get(local).copied() {
                    me.emit(Op::Copy { dst: base + index as Reg, src });
                }
            }
            me.emit(Op::Closure { dst: base, function: id.0 });
            me.give(dst, base);
        });
        let item = self.item;
        self.compiler.queue.push(Work::Lambda(Box::new(Nested { id, item, path, params, captures, body, span })));
    }

    fn nested_param(&mut self, param: &Bound<'c>) -> program::Param {
        let (name, local, has_default, doc) = match param {
            Bound::Param(param) => (&param.name.text, Some(&param.name), param.default.is_some(), param.doc.as_deref()),
            Bound::Name(name) => (&name.text, Some(*name), false, None),
            Bound::Pattern(_) | Bound::Data => (&SmolStr::new_static("item"), None, false, None),
        };
        let ty = local
            .and_then(|name| self.tables.locals.get(&name.span.start))
            .and_then(|local| self.tables.local_types.get(&(self.item.item, *local)));
        let ty = ty.map_or(Types::ANY, |ty| self.compiler.type_id(ty));
        program::Param { name: name.clone(), ty, has_default, doc: doc.map(SmolStr::from) }
    }

    /// The locals of this function that a nested one reads, in order of declaration.
    fn captures(&self, params: &[Bound<'c>], body: NestedBody<'c>) -> Vec<(LocalId, SmolStr)> {
        let mut found: Vec<(LocalId, SmolStr)> = Vec::new();
        let mut see = |expr: &'c Expr| {
            if let Some(Use::Local(local)) = self.tables.uses.get(&expr.id)
                && self.locals.contains_key(local)
                && !found.iter().any(|(known, _)| known == local)
            {
                let name = match &expr.kind {
                    ExprKind::Name(name) => name.clone(),
                    _ => SmolStr::default(),
                };
                found.push((*local, name));
            }
            false
        };
        for param in params {
            if let Bound::Param(Param { default: Some(default), .. }) = param {
                visit::any(default, &mut see);
            }
        }
        match body {
            NestedBody::Expr(expr) => {
                visit::any(expr, &mut see);
            }
            NestedBody::Block(block) => visit::in_block(block, &mut |expr| {
                visit::any(expr, &mut see);
            }),
            NestedBody::Answer(stmt) => visit::in_stmt(stmt, &mut |expr| {
                visit::any(expr, &mut see);
            }),
        }
        found.sort();
        found
    }

    pub(super) fn gather(&mut self, gather: &'c ast::Gather, dst: Reg) {
        let mode = if gather.settle { GatherMode::Settle } else { GatherMode::All };
        self.branches(&gather.branches, mode, [gather.limit.as_ref(), gather.first.as_ref()], dst);
    }

    pub(super) fn race(&mut self, branches: &'c Branches, dst: Reg) {
        self.branches(branches, GatherMode::Race, [None, None], dst);
    }

    /// Runs branches. In consecutive registers stand the limit and the number that has to finish, where they are written,
    /// and what the branches are made of.
    fn branches(&mut self, written: &'c Branches, mode: GatherMode, counts: [Option<&'c Expr>; 2], dst: Reg) {
        let what = if mode == GatherMode::Race { "race" } else { "gather" };
        self.scoped(|body| {
            let count = match written {
                Branches::For { .. } => 2,
                Branches::Named(branches) => branches.len(),
                Branches::List(branches) => branches.len(),
            };
            let before = counts.iter().flatten().count();
            let from = body.window(dst, before + count);
            let base = from + before as Reg;
            let mut given: Vec<_> = counts.iter().flatten().zip(from..).collect();
            given.sort_by_key(|(expr, _)| expr.span.start);
            given.into_iter().for_each(|(expr, reg)| body.expr(expr, reg));
            let branches = match written {
                Branches::For { index, item, iter, body: block } => {
                    body.expr(iter, base);
                    // The element is always the last parameter; without an index it is the only one.
                    let params = index.iter().map(Bound::Name).chain([Bound::Pattern(item)]).collect();
                    body.nested(FunctionKind::Branch, what, params, NestedBody::Block(block), block.span, base + 1);
                    GatherBranches::For
                }
                Branches::Named(branches) => {
                    for (index, (_, expr)) in branches.iter().enumerate() {
                        body.of_branch(what, expr, base + index as Reg);
                    }
                    GatherBranches::Named(branches.iter().map(|(name, _)| name.text.clone()).collect())
                }
                Branches::List(branches) => {
                    for (index, expr) in branches.iter().enumerate() {
                        body.of_branch(what, expr, base + index as Reg);
                    }
                    GatherBranches::List(branches.len() as u16)
                }
            };
            let [limit, first] = counts.map(|count| count.is_some());
            let gather = program::Gather { branches, mode, limit, first };
            let gather = body.compiler.entry(|p| &mut p.gathers, gather);
            body.emit(Op::Gather { base: from, gather });
            body.give(dst, from);
        });
    }

    fn of_branch(&mut self, what: &str, expr: &'c Expr, dst: Reg) {
        self.nested(FunctionKind::Branch, what, Vec::new(), NestedBody::Expr(expr), expr.span, dst);
    }
}

impl<'c> Compiler<'c> {
    pub(super) fn compile_nested(&mut self, nested: Nested<'c>) {
        let Nested { id, item, path, params, captures, body: nested_body, span } = nested;
        let mut body = Body::new(self, item, path);
        body.at(span, |body| {
            let first = body.take(params.len());
            for (index, param) in params.iter().enumerate() {
                let reg = first + index as Reg;
                match param {
                    Bound::Param(param) => body.bind(&param.name, reg),
                    Bound::Name(name) => body.bind(name, reg),
                    Bound::Pattern(_) | Bound::Data => {}
                }
            }
            let captured = body.take(captures.len());
            for (index, (local, name)) in captures.into_iter().enumerate() {
                body.bind_local(local, name, captured + index as Reg);
            }
            for (index, param) in params.iter().enumerate() {
                let reg = first + index as Reg;
                match param {
                    Bound::Param(param) => body.default(param, reg),
                    Bound::Name(_) | Bound::Data => {}
                    Bound::Pattern(pattern) => body.destructure(pattern, reg),
                }
            }
            let src = body.take(1);
            match nested_body {
                NestedBody::Expr(expr) => body.expr(expr, src),
                NestedBody::Block(block) => body.block(block, src),
                NestedBody::Answer(stmt) => body.answer_line(stmt, first, src),
            }
            body.emit(Op::Return { src, shared: 0 });
        });
        body.finish(id);
    }
}
