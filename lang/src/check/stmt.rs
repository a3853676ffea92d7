//! Blocks and statements.

use super::{
    checker::Checker,
    relate::Fit,
    scope::Kind,
    ty::{Literal, Type},
    union::{map_parts, union, widen},
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
        let mut left = false;
        let mut value = None;
        for (i, stmt) in block.stmts.iter().enumerate() {
            let last = i + 1 == block.stmts.len();
            match &stmt.kind {
                StmtKind::Expr(expr) if last => value = Some(self.check_or_infer(expr, want)),
                _ => left |= self.statement(stmt),
            }
        }
        match (value, want) {
            (Some(value), _) => {
                if left {
                    Type::Never
                } else {
                    value
                }
            }
            (None, _) if left => Type::Never,
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

    /// Checks a statement; whether the block ends there because it leaves.
    fn statement(&mut self, stmt: &'a Stmt) -> bool {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value } => self.let_stmt(pattern, ty.as_ref(), value),
            StmtKind::Assign { place, op, value } => {
                self.assign(stmt, place, *op, value);
                false
            }
            StmtKind::Expr(expr) => self.infer(expr, None) == Type::Never,
            StmtKind::For { index, item, iter, body } => {
                let ty = self.infer(iter, None);
                let types = self.iterate(iter, &ty, index.is_some());
                self.in_loop(|this| {
                    this.scoped(|this| {
                        this.bind_items(index.as_ref(), item, types);
                        this.block(body, None);
                    });
                });
                false
            }
            StmtKind::While { cond, body } => {
                self.condition(cond);
                let broke = self.in_loop(|this| {
                    this.block(body, None);
                });
                matches!(cond.kind, ExprKind::Bool(true)) && !broke
            }
            StmtKind::Mock { .. } | StmtKind::Answer { .. } | StmtKind::Crash { .. } | StmtKind::Assert { .. } => {
                self.test_statement(stmt);
                false
            }
            StmtKind::Error => false,
        }
    }

    /// Does something inside a loop; whether it had a `break`.
    fn in_loop(&mut self, work: impl FnOnce(&mut Self)) -> bool {
        let broke = std::mem::take(&mut self.frame.broke);
        self.frame.loops += 1;
        work(self);
        self.frame.loops -= 1;
        std::mem::replace(&mut self.frame.broke, broke)
    }

    fn let_stmt(&mut self, pattern: &'a Pattern, ty: Option<&'a TypeExpr>, value: &'a Expr) -> bool {
        let written = match (ty, &pattern.kind) {
            (Some(ty), _) => Some(self.written(ty)),
            (None, PatternKind::Bind(_, Some(ty))) => Some(self.written(ty)),
            _ => None,
        };
        let got = match &written {
            Some(want) => self.check(value, want),
            None => self.infer(value, None),
        };
        let leaves = got == Type::Never;
        match (&pattern.kind, written) {
            (PatternKind::Bind(name, _), Some(ty)) => {
                self.declare(name, ty, Kind::Typed);
            }
            (PatternKind::Bind(name, None), None) => {
                let ty = self.let_type(name, value, got);
                self.declare(name, ty, Kind::Let);
            }
            (_, written) => {
                let ty = written.unwrap_or(got);
                self.bind_pattern(pattern, &ty, Some(value), Kind::Let);
            }
        }
        leaves
    }

    /// What a `let` without a type holds: exactly what it was given, unless it is changed later.
    fn let_type(&self, name: &Name, value: &Expr, got: Type) -> Type {
        if !self.frame.prescan.changed.contains(&name.text) {
            return got;
        }
        match &value.kind {
            ExprKind::Null | ExprKind::Record(_) | ExprKind::List(_) => fill_holes(&widen(&got)),
            _ => widen(&got),
        }
    }

    /// The index or key, and the element, of what a loop goes through.
    pub(super) fn iterate(&mut self, iter: &Expr, ty: &Type, two: bool) -> (Type, Type) {
        let (mut keys, mut items) = (Vec::new(), Vec::new());
        for member in self.members_non_null(ty) {
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
                    let all = record.fields.iter().map(|f| f.ty.clone());
                    items.push(if two && !record.fields.is_empty() { widen(&union(all)) } else { Type::Any });
                }
                Type::Unknown | Type::Never => return (Type::Unknown, Type::Unknown),
                Type::Any | Type::Payload | Type::String | Type::Literal(Literal::String(_)) => {
                    keys.push(Type::Any);
                    items.push(Type::Any);
                }
                _ => {}
            }
        }
        if items.is_empty() && !self.has_null(ty) {
            let shown = self.show(&widen(ty));
            let message = format!("expected a list, map or range to go through, found `{shown}`");
            let mut diagnostic = Diagnostic::new(Code::Mismatch, iter.span, message);
            if self.fits(ty, &Type::Int) == Fit::Yes {
                diagnostic = diagnostic.help("write a range such as `0..n`");
            }
            self.report(diagnostic);
            return (Type::Unknown, Type::Unknown);
        }
        if items.is_empty() {
            return (Type::Any, Type::Any);
        }
        (union(keys), union(items))
    }

    /// Binds what a loop gives in each round.
    pub(super) fn bind_items(&mut self, index: Option<&'a Name>, item: &'a Pattern, (key, ty): (Type, Type)) {
        if let Some(index) = index {
            self.declare(index, key, Kind::Loop);
        }
        self.bind_pattern(item, &ty, None, Kind::Loop);
    }
}

/// `null` and `{}` in what is changed later may become anything.
fn fill_holes(ty: &Type) -> Type {
    match ty {
        Type::Null => Type::Any,
        Type::Record(record) if record.fields.is_empty() => Type::Any,
        Type::Record(_) | Type::List(_) => map_parts(ty, &mut fill_holes),
        other => other.clone(),
    }
}
