//! `==` of values whose type has optional fields: absent and null are equal there.

use wf_lang::program::{Field, TypeId, TypeKind, Types};

use super::{
    NativeContext,
    args::{arg, ty},
};
use crate::{
    fault::Fault,
    value::{Map, Value},
};

/// `(a, b, type)`.
pub(super) fn equal(context: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let same = same(&context.program.types, ty(args, 2)?, arg(args, 0), arg(args, 1));
    Ok(Value::Bool(same))
}

/// Values are nested to a bounded depth, and each level of a type but a union takes one of theirs.
fn same(types: &Types, ty: TypeId, a: &Value, b: &Value) -> bool {
    match (types.get(ty), a, b) {
        (TypeKind::List(item), Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(types, *item, a, b))
        }
        (TypeKind::Map(item), Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(types, *item, value, other)))
        }
        (TypeKind::Record(fields), Value::Map(a), Value::Map(b)) => same_record(types, fields, a, b),
        (TypeKind::Union(members), ..) => a == b || members.iter().any(|member| same(types, *member, a, b)),
        _ => a == b,
    }
}

fn same_record(types: &Types, fields: &[Field], a: &Map, b: &Map) -> bool {
    let declared = |key: &str| fields.iter().find(|field| field.name == key);
    let holds = |one: &Map, other: &Map| {
        one.iter().all(|(key, value)| match (declared(key), other.get(key)) {
            (Some(field), Some(twin)) => same(types, field.ty, value, twin) || (field.optional && value == twin),
            (Some(field), None) => field.optional && *value == Value::Null,
            (None, twin) => twin == Some(value),
        })
    };
    holds(a, b)
        && b.iter().all(|(key, value)| {
            a.get(key).is_some() || (declared(key).is_some_and(|f| f.optional) && *value == Value::Null)
        })
}
