//! Places: what may be assigned, and what may be put there.

use super::{
    Use,
    checker::Checker,
    prescan::root,
    relate::Fit,
    scope::Kind,
    ty::Type,
    union::{union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{BinaryOp, Expr, ExprKind, Stmt},
};

impl<'a> Checker<'a> {
    /// `place = value`, `place op= value`.
    pub(super) fn assign(&mut self, stmt: &'a Stmt, place: &'a Expr, op: Option<BinaryOp>, value: &'a Expr) {
        let read = self.infer(place, None);
        let told = read == Type::Unknown && !matches!(place.kind, ExprKind::Name(_));
        if told || !self.changeable(place, "assign") {
            self.infer(value, None);
            return;
        }
        let holds = self.holds(place, &read);
        let Some(op) = op else {
            let got = self.infer(value, Some(&holds));
            self.put(place, value, got, &holds);
            return;
        };
        let right = self.infer(value, None);
        if op == BinaryOp::Div && self.whole(&holds) && self.whole(&right) {
            let message = "`/` gives a `float`, and this place holds an `int`";
            let help = "write `n = n.div(by)` for whole numbers";
            self.report(Diagnostic::new(Code::BadOperator, stmt.span, message).help(help));
            return;
        }
        let got = self.operator(op, stmt.span, (place, &read), (value, &right));
        self.put(place, value, widen(&got), &holds);
    }

    fn whole(&self, ty: &Type) -> bool {
        *ty != Type::Never && self.fits(&widen(ty), &Type::Int) == Fit::Yes && *ty != Type::Unknown
    }

    /// Holds a new value against what a place holds.
    fn put(&mut self, place: &'a Expr, value: &'a Expr, got: Type, holds: &Type) {
        let inferred = match &place.kind {
            ExprKind::Name(name) => {
                self.frame.scopes.find(name).filter(|local| local.kind == Kind::Let).map(|local| local.id)
            }
            _ => None,
        };
        let Some(id) = inferred else {
            self.coerce(value, got, holds);
            return;
        };
        match self.fits(&got, holds) {
            Fit::Yes | Fit::Maybe => {}
            // `let total = 0` may become a sum of floats.
            Fit::No if self.fits(holds, &Type::Float) == Fit::Yes && self.fits(&got, &Type::Float) == Fit::Yes => {
                let ty = widen(&union([holds.clone(), got]));
                let item = self.frame.item;
                self.table().local_types.insert((item, id), ty.clone());
                self.frame.scopes.set_type(id, ty);
            }
            Fit::No => {
                let message = format!("expected `{}`, found `{}`", self.show(holds), self.found(&got, holds));
                let mut diagnostic = Diagnostic::new(Code::Mismatch, value.span, message);
                let both = self.show(&widen(&union([holds.clone(), got])));
                if let ExprKind::Name(name) = &place.kind {
                    diagnostic = diagnostic.help(format!("if it may hold both, declare it: `let {name}: {both} = …`"));
                }
                self.report(diagnostic);
            }
        }
    }

    /// What may be put into a place that reads as `read`: a key of a map that is set is no `T?`.
    fn holds(&self, place: &Expr, read: &Type) -> Type {
        let ExprKind::Index { object, .. } = &place.kind else { return read.clone() };
        let object = self.tables[self.frame.module.0 as usize].types.get(object.id.0 as usize);
        match object.map(|ty| self.resolve(&self.non_null(ty))) {
            Some(Type::Map(item)) => (*item).clone(),
            _ => read.clone(),
        }
    }

    /// Whether the variable at the root of a path may be changed here; reported when not.
    pub(super) fn changeable(&mut self, place: &Expr, verb: &str) -> bool {
        let Some(root) = root(place) else {
            if matches!(place.kind, ExprKind::Error) {
                return false;
            }
            let message = if verb == "assign" {
                "this is no place that can be assigned".to_owned()
            } else {
                "this method changes its receiver, which has to be a variable or a path".to_owned()
            };
            let help = "put the value into a variable first: `let x = …`";
            self.report(Diagnostic::new(Code::NotAssignable, place.span, message).help(help));
            return false;
        };
        let ExprKind::Name(name) = &root.kind else { return false };
        if let Some(local) = self.frame.scopes.find(name).cloned() {
            let captured = local.level < self.frame.scopes.level;
            let what = match local.kind {
                Kind::Let | Kind::Typed | Kind::MutSelf if !captured => return true,
                Kind::Let | Kind::Typed | Kind::MutSelf => return self.captured(root, &local.name, local.span),
                Kind::Param => "a parameter",
                Kind::Loop => "a loop variable",
                Kind::Pattern => "bound by a pattern",
                Kind::Catch => "the error that was caught",
            };
            let message = format!("`{name}` is {what}, which is constant");
            let help = format!("shadow it with a variable: `let {name} = {name}`");
            let mut diagnostic =
                Diagnostic::new(Code::NotAssignable, root.span, message).label(local.span, "declared here");
            diagnostic = diagnostic.help(help);
            self.report(diagnostic);
            return false;
        }
        self.changeable_outside(place, root, name)
    }

    fn captured(&mut self, root: &Expr, name: &str, declared: crate::span::Span) -> bool {
        let branch = self.frame.scopes.branches.last().copied().unwrap_or(false);
        let inside = if branch { "a branch" } else { "a lambda" };
        let message = format!("`{name}` is a copy inside {inside}, so changing it would have no effect outside");
        let help = if branch {
            "let the branch give the value as its result, or keep it in `ctx.state`"
        } else {
            "give the value as the result (`map`, `reduce`), use a `for` loop, or keep it in `ctx.state`"
        };
        let diagnostic = Diagnostic::new(Code::NotAssignable, root.span, message).label(declared, "declared here");
        self.report(diagnostic.help(help));
        false
    }

    fn changeable_outside(&mut self, place: &Expr, root: &Expr, name: &str) -> bool {
        let uses = &self.tables[self.frame.module.0 as usize].uses;
        let (message, help) = match uses.get(&root.id) {
            Some(Use::Ctx) => {
                if self.within_state(place) {
                    return true;
                }
                ("only `ctx.state` can be changed".to_owned(), "write `ctx.state.name = …`")
            }
            Some(Use::Let(_)) => {
                (format!("`{name}` is a constant of the run"), "keep what changes in `ctx.state`, or in a variable")
            }
            Some(Use::Module(_)) => {
                (format!("what `{name}` declares is constant"), "keep what changes in `ctx.state`, or in a variable")
            }
            Some(_) => (format!("`{name}` is no variable"), "declare one: `let x = …`"),
            // What is not known has been reported.
            None => return false,
        };
        self.report(Diagnostic::new(Code::NotAssignable, root.span, message).help(help));
        false
    }

    /// Whether a path leads into `ctx.state`.
    fn within_state(&self, place: &Expr) -> bool {
        let mut at = place;
        loop {
            match &at.kind {
                ExprKind::Field { object, name, .. } => {
                    if matches!(object.kind, ExprKind::Name(_)) {
                        return name.text == "state";
                    }
                    at = object;
                }
                ExprKind::Index { object, .. } | ExprKind::Paren(object) => at = object,
                _ => return false,
            }
        }
    }
}
