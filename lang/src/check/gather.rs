//! `gather` and `race`: branches with scopes of their own.

use super::{
    checker::Checker,
    ty::{FieldType, Literal, RecordType, Type},
    union::{list, record, union},
};
use crate::syntax::ast::{Branches, Expr, Gather};

/// What the checker knows of a branch.
struct Branch {
    /// What it is about: its element, its name, or its index.
    item: Type,
    /// What it gives.
    value: Type,
}

impl<'a> Checker<'a> {
    /// `gather …`.
    pub(super) fn gather(&mut self, gather: &'a Gather, want: Option<&Type>) -> Type {
        for count in gather.limit.iter().chain(&gather.first) {
            self.check(count, &Type::Int);
        }
        if let (Branches::Named(fields), None) = (&gather.branches, &gather.first) {
            let found = self.branches(&gather.branches, None);
            let named = fields.iter().zip(found).map(|((name, _), branch)| {
                let ty = if gather.settle { outcome(branch) } else { branch.value };
                FieldType { name: name.text.clone(), ty, optional: false, doc: None }
            });
            let fields = named.collect();
            return Self::of_record(RecordType::closed(fields));
        }
        let item = want.filter(|_| !gather.settle).and_then(|want| self.wanted_items(want));
        let found = self.branches(&gather.branches, item.as_ref());
        if gather.settle {
            return list(union(found.into_iter().map(outcome)));
        }
        list(item.unwrap_or_else(|| some(union(found.into_iter().map(|branch| branch.value)))))
    }

    fn wanted_items(&self, want: &Type) -> Option<Type> {
        match &*self.members_non_null(want) {
            [Type::List(item)] => Some((**item).clone()),
            _ => None,
        }
    }

    /// `race …`: the value of the branch that finishes first, with its name where the branches have names.
    pub(super) fn race(&mut self, branches: &'a Branches, want: Option<&Type>) -> Type {
        if let Branches::Named(_) = branches {
            let found = self.branches(branches, None);
            let members = found.into_iter().filter(|branch| branch.value != Type::Never);
            return union(members.map(|branch| record([("key", branch.item), ("value", branch.value)])));
        }
        let found = self.branches(branches, want);
        union(found.into_iter().map(|branch| branch.value))
    }

    fn branches(&mut self, branches: &'a Branches, want: Option<&Type>) -> Vec<Branch> {
        match branches {
            Branches::For { index, item, iter, body } => {
                let ty = self.infer(iter, None);
                let types = self.iterate(iter, &ty, index.is_some());
                let about = types.1.clone();
                let value = self.inside(true, |this| {
                    this.bind_items(index.as_ref(), item, types);
                    this.block(body, want)
                });
                vec![Branch { item: about, value }]
            }
            Branches::Named(fields) => {
                let branch = |(name, value): &'a (crate::syntax::ast::Name, Expr)| Branch {
                    item: Type::Literal(Literal::String(name.text.clone())),
                    value: self.branch(value, want),
                };
                fields.iter().map(branch).collect()
            }
            Branches::List(items) => {
                items.iter().map(|value| Branch { item: Type::Int, value: self.branch(value, want) }).collect()
            }
        }
    }

    fn branch(&mut self, value: &'a Expr, want: Option<&Type>) -> Type {
        self.inside(true, |this| this.check_or_infer(value, want))
    }
}

/// The type of elements of which there may be none.
fn some(item: Type) -> Type {
    if item == Type::Never { Type::Any } else { item }
}

/// What `settle` collects for one branch.
fn outcome(branch: Branch) -> Type {
    let ok = |value| Type::Literal(Literal::Bool(value));
    let failed = record([("ok", ok(false)), ("error", super::agent::error_type()), ("item", branch.item.clone())]);
    match branch.value {
        Type::Never => failed,
        value => union([record([("ok", ok(true)), ("value", value), ("item", branch.item)]), failed]),
    }
}
