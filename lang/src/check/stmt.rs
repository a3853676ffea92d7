//! Blocks and statements.

use super::{
    checker::Checker,
    flow::State,
    relate::{Fit, field_types},
    scope::Kind,
    ty::Type,
    union::{base, optional, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Block, Expr, ExprKind, Name, Pattern, PatternKind, Stmt, StmtKind, TypeExpr},
};

impl<'a> Checker<'a> {
    /// The type of a block: of its last expression, held against `want` where there is one.
    pub(super) fn block(&mut self, block: &'a Block, want: Option<&Type>) -> Type {
        self.scoped(|this| this.statements(block, want))
    }

    fn statements(&mut self, block: &'a Block, want: Option<&Type>) -> Type {
        let mut reached = !self.frame.flow.dead;
        let mut value = None;
        for (i, stmt) in block.stmts.iter().enumerate() {
            if reached && self.frame.flow.dead {
                reached = false;
                self.report_unreachable(stmt);
            }
            match &stmt.kind {
                StmtKind::Expr(expr) if i + 1 == block.stmts.len() => value = Some(self.check_or_infer(expr, want)),
                _ => self.statement(stmt),
            }
        }
        let left = self.frame.flow.dead;
        match (value, want) {
            _ if left => Type::Never,
            (Some(value), _) => value,
            (None, Some(want)) if self.fits(&Type::Null, want) == Fit::No => {
                let end = Span { start: block.span.end.saturating_sub(1).max(block.span.start), ..block.span };
                let message = format!("expected `{}`, but the block ends without a value", self.show(want));
                let help = "end it with the value, or `return` it";
                if !matches!(block.stmts.last().map(|stmt| &stmt.kind), Some(StmtKind::Error)) {
                    self.report(Diagnostic::new(Code::Mismatch, end, message).help(help));
                }
                Type::Unknown
            }
            (None, _) => Type::Null,
        }
    }

    /// What follows a statement that leaves; a `throw` there is meant for what should never happen.
    fn report_unreachable(&mut self, stmt: &Stmt) {
        let guard = matches!(&stmt.kind, StmtKind::Expr(expr) if matches!(expr.kind, ExprKind::Throw(_)));
        if guard || self.frame.library || matches!(stmt.kind, StmtKind::Error) {
            return;
        }
        let message = "this is never reached: what stands before it always leaves";
        let help = "take it out, or move it before what leaves";
        self.report(Diagnostic::new(Code::Unreachable, stmt.span, message).help(help));
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value } => self.let_stmt(pattern, ty.as_ref(), value),
            StmtKind::Assign { place, op, value } => self.assign(stmt, place, *op, value),
            StmtKind::Expr(expr) => {
                self.infer(expr, None);
            }
            StmtKind::For { index, item, iter, body } => self.for_loop(index.as_ref(), item, iter, body),
            StmtKind::While { cond, body } => self.while_loop(stmt, cond, body),
            StmtKind::Mock { .. } | StmtKind::Answer { .. } | StmtKind::Crash { .. } | StmtKind::Assert { .. } => {
                self.test_statement(stmt);
            }
            StmtKind::Error => self.is_broken(),
        }
    }

    fn for_loop(&mut self, index: Option<&'a Name>, item: &'a Pattern, iter: &'a Expr, body: &'a Block) {
        let ty = self.infer(iter, None);
        let types = self.iterate(iter, &ty, index.is_some());
        // What the body changes is not known in any round but the first, nor afterwards.
        self.forget_in(body.span);
        let around = std::mem::take(&mut self.frame.around);
        self.aside(&State::default(), |this| {
            this.in_loop(|this| {
                this.scoped(|this| {
                    this.bind_items(index, item, types);
                    this.block(body, None);
                });
            });
        });
        self.frame.around = around;
    }

    fn while_loop(&mut self, stmt: &Stmt, cond: &'a Expr, body: &'a Block) {
        self.forget_in(stmt.span);
        let mark = self.frame.flow.mark();
        let around = std::mem::replace(&mut self.frame.around, (Some(mark), Vec::new()));
        let mut split = self.condition(cond);
        self.aside(&split.yes, |this| {
            this.in_loop(|this| {
                this.block(body, None);
            });
        });
        let (_, mut ends) = std::mem::replace(&mut self.frame.around, around);
        split.no.dead |= is_true(cond);
        ends.push(split.no);
        self.join(ends);
    }

    /// Does something inside a loop.
    fn in_loop(&mut self, work: impl FnOnce(&mut Self)) {
        self.frame.loops += 1;
        work(self);
        self.frame.loops -= 1;
    }

    fn let_stmt(&mut self, pattern: &'a Pattern, ty: Option<&'a TypeExpr>, value: &'a Expr) {
        let written = match (ty, &pattern.kind) {
            (Some(ty), _) => Some(self.written(ty)),
            (None, PatternKind::Bind(_, Some(ty))) => Some(self.written(ty)),
            _ => None,
        };
        let got = match &written {
            Some(want) => self.check(value, want),
            None => self.infer(value, None),
        };
        match (&pattern.kind, written) {
            (PatternKind::Bind(name, _), Some(ty)) => {
                let id = self.declare(name, ty.clone(), Kind::Typed);
                self.learn_declared(id, &ty, &got);
            }
            (PatternKind::Bind(name, None), None) => {
                let ty = self.let_type(name, value, &got);
                let id = self.declare(name, ty.clone(), Kind::Let);
                self.learn_declared(id, &ty, &got);
            }
            (_, written) => {
                let ty = written.unwrap_or(got);
                self.bind_pattern(pattern, &ty, Some(value), Kind::Let);
            }
        }
        self.report_hidden(value.span);
    }

    /// What a `let` without a type holds: exactly what it was given, unless it is changed later.
    fn let_type(&mut self, name: &Name, value: &Expr, got: &Type) -> Type {
        if !self.frame.prescan.is_changed(name) {
            return got.clone();
        }
        let ty = widen(&self.regrouped(value, got));
        let ty = match &*self.members_non_null(&ty) {
            // One literal is no type for something that changes.
            [Type::Literal(literal)] if self.has_null(&ty) => optional(base(literal)),
            [Type::Literal(literal)] => base(literal),
            _ => ty,
        };
        self.open_holes(&ty, name.span)
    }

    /// The index or key, and the element, of what a loop goes through.
    pub(super) fn iterate(&mut self, iter: &Expr, ty: &Type, two: bool) -> (Type, Type) {
        let other = self.source(iter.span).map(|text| format!("write `{text} ?? []`"));
        let ty = self.without_null(iter, ty.clone(), "null cannot be gone through", other);
        let ty = if two { self.become_map(&ty) } else { ty };
        let (mut keys, mut items) = (Vec::new(), Vec::new());
        for member in self.members(&ty) {
            match member {
                Type::List(item) => {
                    keys.push(Type::Int);
                    items.push((*item).clone());
                }
                Type::Map(item) => {
                    keys.push(Type::String);
                    items.push(if two { (*item).clone() } else { Type::Any });
                }
                Type::Record(record) => {
                    keys.push(Type::String);
                    items.push(if two && !record.fields.is_empty() { widen(&field_types(&record)) } else { Type::Any });
                }
                Type::Unknown | Type::Never => return (Type::Unknown, Type::Unknown),
                Type::Any | Type::Payload => {
                    keys.push(Type::Any);
                    items.push(Type::Any);
                }
                _ => {
                    self.report_endless(iter, &ty);
                    return (Type::Unknown, Type::Unknown);
                }
            }
        }
        (union(keys), union(items))
    }

    fn report_endless(&mut self, iter: &Expr, ty: &Type) {
        let shown = self.show(&widen(ty));
        let message = format!("expected a list, map or range to go through, found `{shown}`");
        let mut diagnostic = Diagnostic::new(Code::Mismatch, iter.span, message);
        if self.fits(ty, &Type::Int) == Fit::Yes {
            diagnostic = diagnostic.help("write a range such as `0..n`");
        } else if self.fits(ty, &Type::String) == Fit::Yes {
            diagnostic = diagnostic.help("go through its characters with `.chars()`, or its lines with `.lines()`");
        }
        self.report(diagnostic);
    }

    /// Binds what a loop gives in each round.
    pub(super) fn bind_items(&mut self, index: Option<&'a Name>, item: &'a Pattern, (key, ty): (Type, Type)) {
        if let Some(index) = index {
            self.declare(index, key, Kind::Loop);
        }
        self.bind_pattern(item, &ty, None, Kind::Loop);
    }
}

/// `while true`, which nothing but a `break` leaves.
fn is_true(cond: &Expr) -> bool {
    match &cond.kind {
        ExprKind::Paren(inner) => is_true(inner),
        ExprKind::Bool(value) => *value,
        _ => false,
    }
}
