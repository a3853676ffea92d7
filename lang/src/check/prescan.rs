//! What has to be known of a declaration before its statements are checked in order.

use std::collections::HashSet;

use smol_str::SmolStr;

use super::walk::{Visitor, walk_item};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Item, Stmt, StmtKind};

/// The methods that change their receiver.
const CHANGING: [&str; 5] = ["push", "pop", "insert", "remove", "set"];

/// What a look through the whole declaration finds.
#[derive(Debug, Default)]
pub(super) struct Prescan {
    /// Names of variables that are assigned or changed by a method somewhere; others keep their exact types.
    pub(super) changed: HashSet<SmolStr>,
    /// Texts of expressions that are compared with something somewhere, so they may be known not to be null.
    pub(super) compared: HashSet<Box<str>>,
}

/// Looks through a declaration, whose source is `text`.
pub(super) fn prescan(item: &Item, text: &str) -> Prescan {
    let mut look = Look { text, found: Prescan::default() };
    walk_item(item, &mut look);
    look.found
}

struct Look<'a> {
    text: &'a str,
    found: Prescan,
}

impl Look<'_> {
    fn compared(&mut self, expr: &Expr) {
        let text = source_of(self.text, expr);
        self.found.compared.insert(text.into());
    }
}

impl Visitor for Look<'_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Call { callee, .. } => {
                if let ExprKind::Field { object, name, .. } = &callee.kind
                    && CHANGING.contains(&name.text.as_str())
                    && let Some(root) = root_name(object)
                {
                    self.found.changed.insert(root.clone());
                }
            }
            ExprKind::Binary(BinaryOp::Eq | BinaryOp::Ne, a, b) => {
                self.compared(a);
                self.compared(b);
            }
            ExprKind::Binary(BinaryOp::In, key, whole) => {
                let read = format!("{}[{}]", source_of(self.text, whole), source_of(self.text, key));
                self.found.compared.insert(read.into());
            }
            ExprKind::Match { subject, .. } => self.compared(subject),
            _ => {}
        }
        true
    }

    fn stmt(&mut self, stmt: &Stmt) {
        if let StmtKind::Assign { place, .. } = &stmt.kind {
            self.compared(place);
            if let Some(root) = root_name(place) {
                self.found.changed.insert(root.clone());
            }
        }
    }
}

/// The source of an expression.
pub(super) fn source_of<'t>(text: &'t str, expr: &Expr) -> &'t str {
    text.get(expr.span.range()).unwrap_or("")
}

/// The variable at the root of a path of fields and indices.
pub(super) fn root_name(expr: &Expr) -> Option<&SmolStr> {
    root(expr).and_then(|root| match &root.kind {
        ExprKind::Name(name) => Some(name),
        _ => None,
    })
}

/// The expression at the root of a path of fields and indices.
pub(super) fn root(mut expr: &Expr) -> Option<&Expr> {
    loop {
        match &expr.kind {
            ExprKind::Field { object, .. } | ExprKind::Index { object, .. } => expr = object,
            ExprKind::Paren(inner) => expr = inner,
            ExprKind::Name(_) => return Some(expr),
            _ => return None,
        }
    }
}
