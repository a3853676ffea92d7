//! Values that nothing is done with: statements that only compute something.

use std::collections::HashSet;

use super::{
    super::{
        Type,
        walk::{Visitor, walk_item},
    },
    Module,
    effects::Effects,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{BinaryOp, Block, Body, Expr, ExprKind, FunctionKind, ItemKind, Stmt, StmtKind},
};

/// Reports statements whose value is lost, and that do nothing else.
pub(super) fn report(module: &Module<'_>, effects: &Effects<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (_, item) in &module.items {
        let mut look = Look { module, effects, diagnostics, lost: HashSet::new() };
        match &item.kind {
            // Without a result type the value of the body goes nowhere.
            ItemKind::Function(function) if function.kind != FunctionKind::Fn && function.result.is_none() => {
                function.body.iter().for_each(|body| look.lose_block(body));
            }
            ItemKind::Test(test) => look.lose_block(&test.body),
            _ => {}
        }
        walk_item(item, &mut look);
    }
}

struct Look<'a, 'l> {
    module: &'l Module<'a>,
    effects: &'l Effects<'a>,
    diagnostics: &'l mut Vec<Diagnostic>,
    /// The blocks whose value is lost, by their start.
    lost: HashSet<u32>,
}

impl Look<'_, '_> {
    fn lose_block(&mut self, block: &Block) {
        self.lost.insert(block.span.start);
    }

    /// An expression whose value goes nowhere.
    fn lose(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Paren(inner) => self.lose(inner),
            ExprKind::Do(block) => self.lose_block(block),
            ExprKind::If { then, otherwise, .. } => {
                self.lose_block(then);
                otherwise.iter().for_each(|otherwise| self.lose(otherwise));
            }
            ExprKind::Match { arms, .. } => {
                for arm in arms {
                    match &arm.body {
                        Body::Expr(value) => self.lose(value),
                        Body::Block(block) => self.lose_block(block),
                    }
                }
            }
            ExprKind::Try { body, catch, finally } => {
                let blocks = std::iter::once(body).chain(catch.iter().map(|(_, block)| block)).chain(finally);
                blocks.for_each(|block| self.lose_block(block));
            }
            // `match x { 1 => f(), _ => null }` says that there is nothing to do.
            ExprKind::Null | ExprKind::Error => {}
            _ => self.lose_value(expr),
        }
    }

    fn lose_value(&mut self, expr: &Expr) {
        let types = &self.module.tables.types;
        let wrong = types.get(expr.id.0 as usize).is_none_or(|ty| matches!(ty, Type::Unknown | Type::Never));
        let does = self.effects.of_expr(self.module.id, expr);
        let called = !matches!(expr.kind, ExprKind::Lambda { .. });
        if wrong || (called && (does.waits || does.acts || does.asks)) {
            return;
        }
        let message = "nothing is done with this value";
        let help = match &expr.kind {
            ExprKind::Binary(BinaryOp::Eq, ..) => "this compares; to assign write `=`",
            ExprKind::Lambda { .. } => "this is a function that nobody calls",
            ExprKind::Call { .. } => "this call changes nothing; use what it gives: `let x = …`",
            _ => "use it, or take it out",
        };
        self.diagnostics.push(Diagnostic::new(Code::UnusedValue, expr.span, message).help(help));
    }
}

impl Visitor for Look<'_, '_> {
    fn block(&mut self, block: &Block) {
        let lost = self.lost.contains(&block.span.start);
        for (i, stmt) in block.stmts.iter().enumerate() {
            if let StmtKind::Expr(expr) = &stmt.kind
                && (lost || i + 1 < block.stmts.len())
            {
                self.lose(expr);
            }
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        if let StmtKind::For { body, .. } | StmtKind::While { body, .. } = &stmt.kind {
            self.lose_block(body);
        }
    }
}
