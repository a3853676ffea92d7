//! `gather` and `race`: branches with scopes of their own.

use super::{
    checker::Checker,
    ty::{FieldType, RecordType, Type},
    union::{list, record, union},
};
use crate::syntax::ast::{Branches, Expr, Gather};

impl<'a> Checker<'a> {
    /// `gather …`.
    pub(super) fn gather(&mut self, gather: &'a Gather, want: Option<&Type>) -> Type {
        for count in gather.limit.iter().chain(&gather.first) {
            self.check(count, &Type::Int);
        }
        let plain = !gather.settle && gather.first.is_none();
        match &gather.branches {
            Branches::For { .. } | Branches::List(_) => {
                let item = want.filter(|_| plain).and_then(|want| self.wanted_items(want));
                let found = self.branches(&gather.branches, item.as_ref());
                let item = item.unwrap_or_else(|| union(found.into_iter().map(|(_, ty)| ty)));
                let item = if item == Type::Never { Type::Any } else { item };
                if gather.settle { list(settled(&item)) } else { list(item) }
            }
            Branches::Named(fields) => {
                let found = self.branches(&gather.branches, None);
                if gather.first.is_some() {
                    return list(union(found.into_iter().map(|(_, ty)| ty)));
                }
                let named = fields.iter().zip(found).map(|((name, _), (_, ty))| {
                    let ty = if gather.settle { settled(&ty) } else { ty };
                    FieldType { name: name.text.clone(), ty, optional: false, doc: None }
                });
                let fields = named.collect();
                Self::of_record(RecordType::closed(fields))
            }
        }
    }

    fn wanted_items(&self, want: &Type) -> Option<Type> {
        match &*self.members_non_null(want) {
            [Type::List(item)] => Some((**item).clone()),
            _ => None,
        }
    }

    /// `race …`, which is not built yet: only its parts are looked at.
    pub(super) fn race(&mut self, branches: &'a Branches) -> Type {
        self.branches(branches, None);
        Type::Unknown
    }

    fn branches(&mut self, branches: &'a Branches, want: Option<&Type>) -> Vec<(Option<&'a Expr>, Type)> {
        match branches {
            Branches::For { index, item, iter, body } => {
                let ty = self.infer(iter, None);
                let types = self.iterate(iter, &ty, index.is_some());
                let value = self.inside(true, |this| {
                    this.bind_items(index.as_ref(), item, types);
                    this.block(body, want)
                });
                vec![(None, value)]
            }
            Branches::Named(fields) => fields.iter().map(|(_, value)| self.branch(value, want)).collect(),
            Branches::List(items) => items.iter().map(|value| self.branch(value, want)).collect(),
        }
    }

    fn branch(&mut self, value: &'a Expr, want: Option<&Type>) -> (Option<&'a Expr>, Type) {
        (Some(value), self.inside(true, |this| this.check_or_infer(value, want)))
    }
}

/// What `settle` collects for one branch.
fn settled(value: &Type) -> Type {
    use super::ty::Literal::Bool;
    let ok = record([("ok", Type::Literal(Bool(true))), ("value", value.clone()), ("item", Type::Any)]);
    let failed =
        record([("ok", Type::Literal(Bool(false))), ("error", super::agent::error_type()), ("item", Type::Any)]);
    union([ok, failed])
}
