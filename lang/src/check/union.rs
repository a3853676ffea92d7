//! Unions, and what exact types become when they are no longer exact.

use std::sync::Arc;

use super::ty::{FieldType, FunctionType, Literal, ParamType, RecordType, Type};

/// A list with more different exact types than this is widened.
pub(super) const MANY: usize = 16;

/// The union of types: flat, without duplicates, without what another member covers; one member is that type.
pub(super) fn union(types: impl IntoIterator<Item = Type>) -> Type {
    let mut members: Vec<Type> = Vec::new();
    for ty in types {
        match ty {
            Type::Unknown => return Type::Unknown,
            Type::Never => {}
            Type::Union(inner) => inner.iter().for_each(|ty| add(&mut members, ty.clone())),
            other => add(&mut members, other),
        }
    }
    if members.contains(&Type::Any) {
        members.retain(|ty| *ty == Type::Any || !is_plain_data(ty));
    }
    match members.len() {
        0 => Type::Never,
        1 => members.swap_remove(0),
        _ => Type::Union(members.into()),
    }
}

fn add(members: &mut Vec<Type>, ty: Type) {
    if members.contains(&ty) {
        return;
    }
    if let Type::Literal(literal) = &ty {
        if members.contains(&base(literal)) {
            return;
        }
        if let Literal::Bool(value) = literal
            && let Some(other) = members.iter_mut().find(|m| **m == Type::Literal(Literal::Bool(!value)))
        {
            *other = Type::Bool;
            return;
        }
    } else {
        members.retain(|member| !matches!(member, Type::Literal(literal) if base(literal) == ty));
    }
    members.push(ty);
}

fn is_plain_data(ty: &Type) -> bool {
    !matches!(ty, Type::Function(_) | Type::Agent(_) | Type::TypeOf(_) | Type::Secret | Type::Tool | Type::Payload)
}

/// `T?`.
pub(super) fn optional(ty: Type) -> Type {
    match ty {
        Type::Any | Type::Unknown | Type::Payload => ty,
        other => union([other, Type::Null]),
    }
}

/// The type that a literal is of.
pub(super) fn base(literal: &Literal) -> Type {
    match literal {
        Literal::String(_) => Type::String,
        Literal::Int(_) => Type::Int,
        Literal::Float(_) => Type::Float,
        Literal::Bool(_) => Type::Bool,
        Literal::Duration(_) => Type::Duration,
    }
}

/// The type with all literals replaced by what they are of; the names of declared types stay.
pub(super) fn widen(ty: &Type) -> Type {
    match ty {
        Type::Literal(literal) => base(literal),
        Type::List(item) => Type::List(Arc::new(widen(item))),
        Type::Map(item) => Type::Map(Arc::new(widen(item))),
        Type::Record(record) => Type::Record(Arc::new(map_record(record, &mut widen))),
        Type::Union(members) => {
            let wide = union(members.iter().map(widen));
            match wide {
                Type::Union(members) if members.contains(&Type::Int) && members.contains(&Type::Float) => {
                    union(members.iter().filter(|ty| **ty != Type::Int).cloned())
                }
                other => other,
            }
        }
        other => other.clone(),
    }
}

/// A record type with each field's type changed.
pub(super) fn map_record(record: &RecordType, change: &mut dyn FnMut(&Type) -> Type) -> RecordType {
    let fields = record.fields.iter().map(|field| FieldType { ty: change(&field.ty), ..field.clone() });
    RecordType { fields: fields.collect() }
}

/// The type with its parts changed one level down; `change` goes on by itself where it wants to.
pub(super) fn map_parts(ty: &Type, change: &mut dyn FnMut(&Type) -> Type) -> Type {
    match ty {
        Type::List(item) => Type::List(Arc::new(change(item))),
        Type::Map(item) => Type::Map(Arc::new(change(item))),
        Type::Agent(item) => Type::Agent(Arc::new(change(item))),
        Type::TypeOf(item) => Type::TypeOf(Arc::new(change(item))),
        Type::Record(record) => Type::Record(Arc::new(map_record(record, change))),
        Type::Union(members) => union(members.iter().map(change)),
        Type::Function(function) => Type::Function(Arc::new(FunctionType {
            params: function.params.iter().map(|p| ParamType { ty: change(&p.ty), ..p.clone() }).collect(),
            result: change(&function.result),
        })),
        other => other.clone(),
    }
}

/// Whether a type variable stands anywhere in the type.
pub(super) fn has_var(ty: &Type) -> bool {
    match ty {
        Type::Var(_) => true,
        Type::List(item) | Type::Map(item) | Type::Agent(item) | Type::TypeOf(item) => has_var(item),
        Type::Record(record) => record.fields.iter().any(|field| has_var(&field.ty)),
        Type::Union(members) => members.iter().any(has_var),
        Type::Function(function) => function.params.iter().any(|param| has_var(&param.ty)) || has_var(&function.result),
        _ => false,
    }
}

/// The type with every type variable replaced by `any`: what can be checked at run time.
pub(super) fn erase(ty: &Type) -> Type {
    if !has_var(ty) {
        return ty.clone();
    }
    match ty {
        Type::Var(_) => Type::Any,
        other => map_parts(other, &mut erase),
    }
}

/// A list type.
pub(super) fn list(item: Type) -> Type {
    Type::List(Arc::new(item))
}

/// A map type.
pub(super) fn map(item: Type) -> Type {
    Type::Map(Arc::new(item))
}

/// A record type with these required fields.
pub(super) fn record(fields: impl IntoIterator<Item = (&'static str, Type)>) -> Type {
    let fields = fields.into_iter().map(|(name, ty)| FieldType { name: name.into(), ty, optional: false, doc: None });
    Type::Record(Arc::new(RecordType { fields: fields.collect() }))
}
