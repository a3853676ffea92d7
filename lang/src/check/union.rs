//! Unions, and what exact types become when they are no longer exact.

use std::sync::Arc;

use super::ty::{FieldType, FunctionType, Literal, ParamType, RecordType, Type};

/// A list with more different exact types than this is widened.
pub(super) const MANY: usize = 16;

/// The union of types: flat, without duplicates, without what another member covers; one member is that type.
pub(super) fn union(types: impl IntoIterator<Item = Type>) -> Type {
    let mut types = types.into_iter();
    let Some(first) = types.next() else { return Type::Never };
    let Some(second) = types.next() else { return first };
    // A union is flat already, so only what comes to it has to be looked at.
    let (mut members, first) = match first {
        Type::Union(members) => (members.to_vec(), Type::Never),
        other => (Vec::new(), other),
    };
    for ty in [first, second].into_iter().chain(types) {
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
    of_members(members)
}

/// The union of what has been members of one union, or parts of such.
pub(super) fn of_members(mut members: Vec<Type>) -> Type {
    match members.len() {
        0 => Type::Never,
        1 => members.swap_remove(0),
        _ => Type::Union(members.into()),
    }
}

fn add(members: &mut Vec<Type>, ty: Type) {
    if let Some(known) = members.iter_mut().find(|known| **known == ty) {
        // With a value among them that may have further fields, any may.
        if matches!((&*known, &ty), (Type::Record(a), Type::Record(b)) if a.closed && !b.closed) {
            *known = ty;
        }
        return;
    }
    match &ty {
        Type::Literal(literal) | Type::Exact(literal) => {
            if members.contains(&base(literal)) {
                return;
            }
            // What is written as a type stays when the other is forgotten.
            if let Some(known) = members.iter_mut().find(|member| literal_of(member) == Some(literal)) {
                *known = Type::Literal(literal.clone());
                return;
            }
            if let Literal::Bool(value) = literal
                && let Some(other) = members.iter_mut().find(|m| literal_of(m) == Some(&Literal::Bool(!value)))
            {
                *other = Type::Bool;
                return;
            }
        }
        Type::Null | Type::Any | Type::Function(_) | Type::Agent(_) | Type::Named(_) => {}
        // `[]` is any list, and `{}` any map.
        Type::List(_) | Type::Map(_) | Type::Record(_) => {
            if members.iter().any(|member| is_empty_of(&ty, member)) {
                return;
            }
            members.retain(|member| !is_empty_of(member, &ty));
        }
        _ => members.retain(|member| literal_of(member).is_none_or(|literal| base(literal) != ty)),
    }
    members.push(ty);
}

fn is_empty_of(empty: &Type, other: &Type) -> bool {
    match (empty, other) {
        (Type::List(item), Type::List(_)) => **item == Type::Never,
        (Type::Record(record), Type::Map(_)) => is_empty(record),
        _ => false,
    }
}

/// Whether a record type is that of `{}`.
pub(super) fn is_empty(record: &RecordType) -> bool {
    record.closed && record.fields.is_empty()
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

/// The literal that a type is.
pub(super) fn literal_of(ty: &Type) -> Option<&Literal> {
    match ty {
        Type::Literal(literal) | Type::Exact(literal) => Some(literal),
        _ => None,
    }
}

/// The type with all exact types replaced by what they are of; what is written as a type stays.
pub(super) fn widen(ty: &Type) -> Type {
    match ty {
        Type::Exact(literal) => base(literal),
        Type::List(item) if !is_wide(item) => Type::List(Arc::new(widen(item))),
        Type::Map(item) if !is_wide(item) => Type::Map(Arc::new(widen(item))),
        Type::Record(record) if !record.fields.iter().all(|field| is_wide(&field.ty)) => {
            Type::Record(Arc::new(map_record(record, &mut widen)))
        }
        Type::Union(members) if !is_wide(ty) => {
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

/// What the values of a type are of: every literal becomes its type, also what is written as one.
pub(super) fn broad(ty: &Type) -> Type {
    match ty {
        Type::Literal(literal) | Type::Exact(literal) => base(literal),
        Type::Union(members) => union(members.iter().map(broad)),
        other => other.clone(),
    }
}

/// Whether widening changes nothing.
fn is_wide(ty: &Type) -> bool {
    match ty {
        Type::Exact(_) => false,
        Type::List(item) | Type::Map(item) => is_wide(item),
        Type::Record(record) => record.fields.iter().all(|field| is_wide(&field.ty)),
        Type::Union(members) => {
            members.iter().all(is_wide) && !(members.contains(&Type::Int) && members.contains(&Type::Float))
        }
        _ => true,
    }
}

/// What is inferred for others to see: without exact types, and with `[any]` for the list that is always empty.
pub(super) fn settled(ty: &Type) -> Type {
    fn fill(ty: &Type) -> Type {
        match ty {
            Type::List(item) if **item == Type::Never => list(Type::Any),
            Type::List(_) | Type::Map(_) | Type::Record(_) | Type::Union(_) => map_parts(ty, &mut fill),
            other => other.clone(),
        }
    }
    fill(&widen(ty))
}

/// A record type with each field's type changed.
pub(super) fn map_record(record: &RecordType, change: &mut dyn FnMut(&Type) -> Type) -> RecordType {
    let fields = record.fields.iter().map(|field| FieldType { ty: change(&field.ty), ..field.clone() });
    RecordType { fields: fields.collect(), closed: record.closed }
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

/// Whether a type is, or holds anywhere within, what is asked for.
fn holds(ty: &Type, is: fn(&Type) -> bool) -> bool {
    if is(ty) {
        return true;
    }
    match ty {
        Type::List(item) | Type::Map(item) | Type::Agent(item) | Type::TypeOf(item) => holds(item, is),
        Type::Record(record) => record.fields.iter().any(|field| holds(&field.ty, is)),
        Type::Union(members) => members.iter().any(|member| holds(member, is)),
        Type::Function(function) => {
            function.params.iter().any(|param| holds(&param.ty, is)) || holds(&function.result, is)
        }
        _ => false,
    }
}

/// Whether a type variable stands anywhere in the type.
pub(super) fn has_var(ty: &Type) -> bool {
    holds(ty, |ty| matches!(ty, Type::Var(_)))
}

/// Whether something that is yet to be filled stands anywhere in the type.
pub(super) fn has_hole(ty: &Type) -> bool {
    holds(ty, |ty| matches!(ty, Type::Hole(_)))
}

/// Whether `any` stands anywhere in the type, outside of functions.
pub(super) fn has_any(ty: &Type) -> bool {
    !matches!(ty, Type::Function(_)) && holds(ty, |ty| *ty == Type::Any)
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
    Type::Record(Arc::new(RecordType::open(fields.collect())))
}
