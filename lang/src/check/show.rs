//! How a type is written in messages: as in source, names kept.

use super::{
    Checked, ItemRef,
    ty::{FunctionType, Literal, RecordType, Type},
};
use std::fmt::Write;

/// What a type variable is called where its declaration is not at hand.
const VARS: [&str; 6] = ["T", "U", "V", "W", "X", "Y"];

impl Checked {
    /// The type as source would write it.
    pub fn show(&self, ty: &Type) -> String {
        show(ty, &|item| self.named.get(&item).map_or_else(|| "?".to_owned(), |named| named.name.to_string()))
    }
}

/// The type as source would write it; `name` tells what declared types are called.
pub(super) fn show(ty: &Type, name: &dyn Fn(ItemRef) -> String) -> String {
    let mut out = String::new();
    write(&mut out, ty, name, false);
    out
}

/// `tight` is set where a union needs parentheses.
fn write(out: &mut String, ty: &Type, name: &dyn Fn(ItemRef) -> String, tight: bool) {
    match ty {
        Type::Unknown => out.push('?'),
        Type::Any => out.push_str("any"),
        Type::Never => out.push_str("never"),
        Type::Null => out.push_str("null"),
        Type::Bool => out.push_str("bool"),
        Type::Int => out.push_str("int"),
        Type::Float => out.push_str("float"),
        Type::String => out.push_str("string"),
        Type::Duration => out.push_str("duration"),
        Type::Time => out.push_str("time"),
        Type::Bytes => out.push_str("bytes"),
        Type::Secret => out.push_str("secret"),
        Type::Payload => out.push_str("payload"),
        Type::Tool => out.push_str("tool"),
        Type::Literal(literal) | Type::Exact(literal) => out.push_str(&show_literal(literal)),
        Type::List(item) => around(out, "[", item, "]", name),
        Type::Map(item) => around(out, "map<", item, ">", name),
        Type::Agent(item) if matches!(**item, Type::String | Type::Unknown) => out.push_str("agent"),
        Type::Agent(item) => around(out, "agent<", item, ">", name),
        Type::TypeOf(item) if **item == Type::Unknown => out.push_str("type"),
        Type::TypeOf(item) => around(out, "type<", item, ">", name),
        Type::Record(record) => write_record(out, record, name),
        Type::Union(members) => write_union(out, members, name, tight),
        Type::Function(function) => write_function(out, function, name, tight),
        Type::Named(item) => out.push_str(&name(*item)),
        Type::Hole(_) => out.push_str("any"),
        Type::Var(n) => out.push_str(VARS.get(*n as usize).unwrap_or(&"T")),
    }
}

fn around(out: &mut String, open: &str, item: &Type, close: &str, name: &dyn Fn(ItemRef) -> String) {
    out.push_str(open);
    write(out, item, name, false);
    out.push_str(close);
}

fn write_record(out: &mut String, record: &RecordType, name: &dyn Fn(ItemRef) -> String) {
    if record.fields.is_empty() {
        return out.push_str("{}");
    }
    for (i, field) in record.fields.iter().enumerate() {
        out.push_str(if i == 0 { "{ " } else { ", " });
        out.push_str(&field.name);
        out.push_str(if field.optional { "?: " } else { ": " });
        write(out, &field.ty, name, false);
    }
    out.push_str(" }");
}

fn write_union(out: &mut String, members: &[Type], name: &dyn Fn(ItemRef) -> String, tight: bool) {
    if let [one, Type::Null] | [Type::Null, one] = members {
        write(out, one, name, true);
        return out.push('?');
    }
    out.push_str(if tight { "(" } else { "" });
    for (i, member) in members.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { " | " });
        write(out, member, name, true);
    }
    out.push_str(if tight { ")" } else { "" });
}

fn write_function(out: &mut String, function: &FunctionType, name: &dyn Fn(ItemRef) -> String, tight: bool) {
    out.push_str(if tight { "(fn(" } else { "fn(" });
    for (i, param) in function.params.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        write(out, &param.ty, name, false);
    }
    out.push(')');
    if function.result != Type::Null {
        out.push_str(" -> ");
        write(out, &function.result, name, false);
    }
    out.push_str(if tight { ")" } else { "" });
}

/// A literal as source would write it.
pub(super) fn show_literal(literal: &Literal) -> String {
    match literal {
        Literal::String(text) => format!("{text:?}"),
        Literal::Int(n) => n.to_string(),
        Literal::Float(n) => format!("{n:?}"),
        Literal::Bool(value) => value.to_string(),
        Literal::Duration(millis) => show_duration(*millis),
    }
}

fn show_duration(millis: i64) -> String {
    let mut rest = millis.unsigned_abs();
    let mut out = String::from(if millis < 0 { "-" } else { "" });
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= size {
            let _ = write!(out, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    if millis == 0 { "0s".to_owned() } else { out }
}
