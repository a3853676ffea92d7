//! The types that a value may have, one by one.

use std::{ops::Deref, sync::Arc};

use super::{
    checker::Checker,
    relate::resolve,
    ty::{FunctionType, Literal, RecordType, Type},
    union::{broad, union},
};

/// The members of a type, declared names and filled holes followed.
pub(super) enum Members {
    One([Type; 1]),
    All(Arc<[Type]>),
    Own(Vec<Type>),
}

impl Deref for Members {
    type Target = [Type];

    fn deref(&self) -> &[Type] {
        match self {
            Members::One(one) => one,
            Members::All(all) => all,
            Members::Own(own) => own,
        }
    }
}

impl IntoIterator for Members {
    type Item = Type;
    type IntoIter = std::vec::IntoIter<Type>;

    fn into_iter(self) -> Self::IntoIter {
        let own = match self {
            Members::One(one) => Vec::from(one),
            Members::All(all) => Vec::from(&*all),
            Members::Own(own) => own,
        };
        own.into_iter()
    }
}

impl Checker<'_> {
    /// What a type stands for; a type variable, and a hole that nothing fills, are anything, and an exact type is the
    /// literal that it is.
    pub(super) fn resolve(&self, ty: &Type) -> Type {
        match resolve(&self.named, &self.frame.holes, ty) {
            Type::Var(_) | Type::Hole(_) => Type::Any,
            Type::Exact(literal) => Type::Literal(literal.clone()),
            other => other.clone(),
        }
    }

    /// The types that a value may have, one by one, declared names followed.
    pub(super) fn members(&self, ty: &Type) -> Members {
        match self.resolve(ty) {
            Type::Union(inner) if !inner.iter().any(is_indirect) => Members::All(inner),
            Type::Union(inner) => {
                let mut own = Vec::with_capacity(inner.len());
                inner.iter().for_each(|ty| self.add_members(ty, &mut own, 0));
                Members::Own(own)
            }
            other => Members::One([other]),
        }
    }

    fn add_members(&self, ty: &Type, out: &mut Vec<Type>, depth: u32) {
        match self.resolve(ty) {
            Type::Union(inner) if depth < 64 => inner.iter().for_each(|ty| self.add_members(ty, out, depth + 1)),
            other if out.contains(&other) => {}
            other => out.push(other),
        }
    }

    /// Whether null is certainly among the values.
    pub(super) fn has_null(&self, ty: &Type) -> bool {
        match ty {
            Type::Null => true,
            Type::Union(_) | Type::Named(_) | Type::Hole(_) => match resolve(&self.named, &self.frame.holes, ty) {
                Type::Null => true,
                Type::Union(members) => members.iter().any(|member| self.has_null(member)),
                _ => false,
            },
            _ => false,
        }
    }

    /// The type without null.
    pub(super) fn non_null(&self, ty: &Type) -> Type {
        match ty {
            Type::Null => Type::Never,
            _ if !self.has_null(ty) => ty.clone(),
            Type::Union(members) => union(members.iter().map(|member| self.non_null(member))),
            Type::Named(_) | Type::Hole(_) => self.non_null(&self.resolve(ty)),
            other => other.clone(),
        }
    }

    /// What the values of a type are of, one by one: no literals.
    pub(super) fn kinds(&self, ty: &Type) -> Members {
        let members = self.members(ty);
        if !members.iter().any(|member| matches!(member, Type::Literal(_))) {
            return members;
        }
        let mut kinds: Vec<Type> = Vec::with_capacity(members.len());
        for kind in members.iter().map(broad) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Members::Own(kinds)
    }

    /// The members of a type without null.
    pub(super) fn members_non_null(&self, ty: &Type) -> Members {
        let members = self.members(ty);
        if members.contains(&Type::Null) {
            return Members::Own(members.iter().filter(|member| **member != Type::Null).cloned().collect());
        }
        members
    }

    /// The record types that a value may have.
    pub(super) fn records(&self, ty: &Type) -> Vec<Arc<RecordType>> {
        let members = self.members(ty);
        let records = members.iter().filter_map(|member| match member {
            Type::Record(record) => Some(record.clone()),
            _ => None,
        });
        records.collect()
    }

    /// The function type among what is expected.
    pub(super) fn function_type(&self, ty: &Type) -> Option<Arc<FunctionType>> {
        self.members(ty).iter().find_map(|member| match member {
            Type::Function(function) => Some(function.clone()),
            _ => None,
        })
    }

    /// The values of a union of literals.
    pub(super) fn literals(&self, ty: &Type) -> Option<Vec<Literal>> {
        let members = self.members(ty);
        let literals = members.iter().map(|member| match member {
            Type::Literal(literal) => Some(literal.clone()),
            _ => None,
        });
        literals.collect()
    }
}

/// Whether what a type stands for has to be looked up.
fn is_indirect(ty: &Type) -> bool {
    matches!(ty, Type::Named(_) | Type::Hole(_) | Type::Var(_) | Type::Union(_) | Type::Exact(_))
}
