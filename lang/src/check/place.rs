//! Places: what may be assigned, and what may be put there.

use std::sync::Arc;

use super::{
    LocalId, Use,
    checker::Checker,
    prescan::{Step, root, way_to},
    relate::Fit,
    scope::Kind,
    ty::Type,
    union::{broad, erase, has_hole, list, map, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{BinaryOp, Expr, ExprKind, Stmt},
};

impl<'a> Checker<'a> {
    /// `place = value`, `place op= value`.
    pub(super) fn assign(&mut self, stmt: &'a Stmt, place: &'a Expr, op: Option<BinaryOp>, value: &'a Expr) {
        let link = self.link(place, None, true);
        let read = link.ty;
        let holds = link.declared.unwrap_or_else(|| read.clone());
        let told = read == Type::Unknown && !matches!(place.kind, ExprKind::Name(_));
        if told || !self.changeable(place, "assign") {
            self.infer(value, None);
            return;
        }
        let Some(op) = op else {
            let got = self.infer(value, Some(&holds));
            return self.put(place, (value, None), got, &holds);
        };
        let right = self.infer(value, None);
        if op == BinaryOp::Div && self.whole(&holds) && self.whole(&right) {
            let message = "`/` gives a `float`, and this place holds an `int`";
            let help = "write `n = n.div(by)` for whole numbers";
            self.report(Diagnostic::new(Code::BadOperator, stmt.span, message).help(help));
            return;
        }
        let got = self.operator(op, stmt.span, (place, &read), (value, &right));
        self.put(place, (value, Some(op)), widen(&got), &holds);
    }

    fn whole(&self, ty: &Type) -> bool {
        !matches!(ty, Type::Never | Type::Unknown) && self.fits(&widen(ty), &Type::Int) == Fit::Yes
    }

    /// Holds a new value against what a place holds, and takes note of what the place holds then.
    fn put(&mut self, place: &'a Expr, value: (&'a Expr, Option<BinaryOp>), got: Type, holds: &Type) {
        if has_hole(holds) {
            let puts = self.regrouped(value.0, &got);
            self.fill(holds, &puts, true);
        }
        if has_hole(&got) {
            self.fill(&got, holds, false);
        }
        let (got, mut holds) = (self.filled(&got), self.filled(holds));
        match self.fits(&got, &holds) {
            Fit::Yes => {}
            Fit::Maybe => self.expect_put(place, value, &holds),
            Fit::No => match self.wider_place(place, false, &got, &holds) {
                Some(wider) => holds = wider,
                None => {
                    self.report_put(place, value.0, &got, &holds);
                    return self.forget_place(place, false);
                }
            },
        }
        self.learn_assigned(place, &holds, &got);
    }

    /// What is put into a place is checked when it runs; of `place op= value` the value is, which is of the same sort.
    fn expect_put(&mut self, place: &Expr, (value, op): (&Expr, Option<BinaryOp>), holds: &Type) {
        // `let total = 0` may become a sum of floats.
        let number = *holds == Type::Int && self.inferred_root(place).is_some();
        let holds = if number { Type::Float } else { holds.clone() };
        let right = match (op, self.resolve(&holds)) {
            (None | Some(BinaryOp::Add | BinaryOp::Sub), _) if op.is_none() || !matches!(holds, Type::Time) => holds,
            (Some(_), Type::Int | Type::Float) => holds,
            (Some(BinaryOp::Add | BinaryOp::Sub), Type::Time) => Type::Duration,
            _ => return,
        };
        self.expect(value, erase(&right));
    }

    /// The variable at the root of a place, where its type is what it was given.
    fn inferred_root(&self, place: &Expr) -> Option<LocalId> {
        let ExprKind::Name(name) = &root(place)?.kind else { return None };
        self.frame.scopes.find(name).filter(|local| local.kind == Kind::Let).map(|local| local.id)
    }

    /// `let total = 0` may become a sum of floats, and what began with texts of a union may hold any text: the variable
    /// holds them from its declaration on. `within` means the elements of the place. Gives what the place holds then.
    pub(super) fn wider_place(&mut self, place: &Expr, within: bool, got: &Type, holds: &Type) -> Option<Type> {
        let id = self.inferred_root(place)?;
        let wider = if self.fits(holds, &Type::Float) == Fit::Yes && self.fits(got, &Type::Float) == Fit::Yes {
            Type::Float
        } else if self.frame.holes.is_of(id) && matches!(holds, Type::Literal(_) | Type::Union(_)) {
            let wider = broad(holds);
            (self.fits(got, &wider) == Fit::Yes).then_some(wider)?
        } else {
            return None;
        };
        let ty = self.declared_local(id);
        let (_, mut steps) = way_to(place);
        if within {
            steps.push(Step::Other);
        }
        let ty = replace_at(&ty, &steps, &wider)?;
        self.redeclare(id, ty);
        Some(wider)
    }

    fn report_put(&mut self, place: &Expr, value: &Expr, got: &Type, holds: &Type) {
        let ExprKind::Name(name) = &place.kind else { return self.mismatch(value.span, got, holds) };
        if self.inferred_root(place).is_none() {
            return self.mismatch(value.span, got, holds);
        }
        let message = format!("expected `{}`, found `{}`", self.show(holds), self.found(got, holds));
        let both = self.show(&widen(&union([holds.clone(), got.clone()])));
        let help = format!("if it may hold both, declare it: `let {name}: {both} = …`");
        self.report(Diagnostic::new(Code::Mismatch, value.span, message).help(help));
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

/// The type with another at the end of a path; only types of literals are changed.
fn replace_at(ty: &Type, steps: &[Step], with: &Type) -> Option<Type> {
    let Some((first, rest)) = steps.split_first() else { return Some(with.clone()) };
    match (ty, first) {
        (Type::List(item), _) => replace_at(item, rest, with).map(list),
        (Type::Map(item), _) => replace_at(item, rest, with).map(map),
        (Type::Record(record), Step::Name(name)) if record.closed => {
            let at = record.fields.iter().position(|field| field.name == *name)?;
            let mut wider = (**record).clone();
            wider.fields[at].ty = replace_at(&wider.fields[at].ty, rest, with)?;
            Some(Type::Record(Arc::new(wider)))
        }
        _ => None,
    }
}
