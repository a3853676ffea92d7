//! Types as they are written.

use wf_lang::program::{Literal, TypeId, TypeKind, Types};

use crate::ops::quote;

/// How deep a type without a name is shown.
const DEPTH: usize = 3;

/// The type as it is written: by its name, if it has one.
pub fn show_type(types: &Types, ty: TypeId) -> String {
    show(types, ty, 0)
}

fn show(types: &Types, ty: TypeId, depth: usize) -> String {
    if let Some(name) = types.name(ty) {
        return name.into();
    }
    if depth > DEPTH {
        return "…".into();
    }
    let inner = |ty: &TypeId| show(types, *ty, depth + 1);
    match types.get(ty) {
        TypeKind::Any => "any".into(),
        TypeKind::Never => "never".into(),
        TypeKind::Null => "null".into(),
        TypeKind::Bool => "bool".into(),
        TypeKind::Int => "int".into(),
        TypeKind::Float => "float".into(),
        TypeKind::String => "string".into(),
        TypeKind::Duration => "duration".into(),
        TypeKind::Time => "time".into(),
        TypeKind::Bytes => "bytes".into(),
        TypeKind::Secret => "secret".into(),
        TypeKind::Payload => "payload".into(),
        TypeKind::Tool => "tool".into(),
        TypeKind::Literal(literal) => match literal {
            Literal::String(text) => quote(text),
            Literal::Int(number) => number.to_string(),
            Literal::Float(number) => serde_json::Value::from(*number).to_string(),
            Literal::Bool(value) => value.to_string(),
            Literal::Duration(millis) => crate::json::duration_text(*millis),
        },
        TypeKind::List(item) => format!("[{}]", inner(item)),
        TypeKind::Map(item) => format!("map<{}>", inner(item)),
        TypeKind::Record(fields) => {
            let shown: Vec<String> = fields
                .iter()
                .take(6)
                .map(|field| format!("{}{}: {}", field.name, if field.optional { "?" } else { "" }, inner(&field.ty)))
                .collect();
            let more = if fields.len() > shown.len() { ", …" } else { "" };
            if shown.is_empty() { "{}".into() } else { format!("{{ {}{more} }}", shown.join(", ")) }
        }
        TypeKind::Union(members) => union(types, members, depth),
        TypeKind::Function { params, result } => {
            let params: Vec<String> = params.iter().map(inner).collect();
            format!("fn({}) -> {}", params.join(", "), inner(result))
        }
        TypeKind::Agent(output) => format!("agent<{}>", inner(output)),
        TypeKind::TypeOf(ty) => format!("type<{}>", inner(ty)),
    }
}

fn union(types: &Types, members: &[TypeId], depth: usize) -> String {
    let (nulls, rest): (Vec<&TypeId>, Vec<&TypeId>) =
        members.iter().partition(|member| *types.get(**member) == TypeKind::Null);
    if let ([_], [one]) = (nulls.as_slice(), rest.as_slice()) {
        let one = show(types, **one, depth + 1);
        return if one.starts_with("fn(") { format!("({one})?") } else { format!("{one}?") };
    }
    let shown: Vec<String> = members.iter().take(8).map(|member| show(types, *member, depth + 1)).collect();
    let more = if members.len() > shown.len() { " | …" } else { "" };
    format!("{}{more}", shown.join(" | "))
}
