//! Whether a value fits a type: the one check behind `as`, answers, tool arguments, a model's output and the command
//! line.
//!
//! A value that fits is given back as it is; nothing of it is copied. What JSON cannot say otherwise is converted: `3.0`
//! where an int is wanted, and in values from outside the text of a duration, of a time and of bytes.

use std::fmt;

use wf_lang::program::{Field, Literal, TypeId, TypeKind, Types};

use crate::fault::{Fault, Kind};
use crate::json;
use crate::ops::{describe, display, quote};
use crate::value::{List, Map, Value};

mod show;

pub use show::show_type;

/// A value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where in the value: `.items[3].price`; empty for the value itself.
    pub path: String,
    /// The type that is wanted there, as it is written.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected `{}`", self.expected)?;
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        write!(f, ", found {}", self.found)
    }
}

impl From<Misfit> for Fault {
    fn from(misfit: Misfit) -> Self {
        Fault::new(Kind::Type, misfit.to_string())
    }
}

impl Misfit {
    fn under(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

/// The value as one of the type: itself, or with its numbers brought into the type's form.
pub fn fits(types: &Types, ty: TypeId, value: Value) -> Result<Value, Misfit> {
    Check { types, outside: false }.fit(ty, value)
}

/// The same for a value from outside, in which durations, times and bytes are text.
pub fn fits_outside(types: &Types, ty: TypeId, value: Value) -> Result<Value, Misfit> {
    Check { types, outside: true }.fit(ty, value)
}

/// Whether the value fits as it is, without any conversion.
pub fn accepts(types: &Types, ty: TypeId, value: &Value) -> bool {
    Check { types, outside: false }.accepts(ty, value)
}

struct Check<'a> {
    types: &'a Types,
    outside: bool,
}

impl Check<'_> {
    fn accepts(&self, ty: TypeId, value: &Value) -> bool {
        match (self.types.get(ty), value) {
            (TypeKind::Any, value) => value.is_data(),
            (TypeKind::Payload, value) => value.is_payload(),
            (TypeKind::Null, Value::Null)
            | (TypeKind::Bool, Value::Bool(_))
            | (TypeKind::Int, Value::Int(_))
            | (TypeKind::Float, Value::Float(_) | Value::Int(_))
            | (TypeKind::String, Value::Str(_))
            | (TypeKind::Duration, Value::Duration(_))
            | (TypeKind::Time, Value::Time(_))
            | (TypeKind::Bytes, Value::Bytes(_))
            | (TypeKind::Secret, Value::Secret(_))
            | (TypeKind::Tool, Value::Tool(_) | Value::Closure(_) | Value::Agent(_))
            | (TypeKind::Function { .. }, Value::Closure(_) | Value::Agent(_))
            | (TypeKind::Agent(_), Value::Agent(_))
            | (TypeKind::TypeOf(_), Value::Type(_)) => true,
            (TypeKind::Literal(literal), value) => is_literal(literal, value),
            (TypeKind::List(item), Value::List(list)) => {
                // A list of `any` need not be looked at: it knows whether it is data.
                if *self.types.get(*item) == TypeKind::Any {
                    return value.is_data();
                }
                list.iter().all(|value| self.accepts(*item, value))
            }
            (TypeKind::List(item), Value::Range(range)) => range.len().is_some() && self.accepts(*item, &Value::Int(0)),
            (TypeKind::Map(item), Value::Map(map)) => map.values().all(|value| self.accepts(*item, value)),
            (TypeKind::Record(fields), Value::Map(map)) => fields.iter().all(|field| match map.get(&field.name) {
                None => field.optional,
                Some(Value::Null) if field.optional => true,
                Some(value) => self.accepts(field.ty, value),
            }),
            (TypeKind::Union(members), value) => {
                for member in members {
                    if self.accepts(*member, value) {
                        return true;
                    }
                    if self.outside && value.as_str().is_some_and(|text| self.read(*member, text).is_some()) {
                        return false;
                    }
                }
                false
            }
            _ => false,
        }
    }

    /// What text from outside stands for.
    fn read(&self, ty: TypeId, text: &str) -> Option<Value> {
        match self.types.get(ty) {
            TypeKind::Duration => json::parse_duration(text).map(Value::Duration),
            TypeKind::Time => json::parse_time(text).map(Value::Time),
            TypeKind::Bytes => json::base64_bytes(text).map(|bytes| Value::Bytes(bytes.into())),
            TypeKind::Literal(Literal::Duration(wanted)) => {
                json::parse_duration(text).filter(|millis| millis == wanted).map(Value::Duration)
            }
            _ => None,
        }
    }

    fn fit(&self, ty: TypeId, value: Value) -> Result<Value, Misfit> {
        if self.accepts(ty, &value) {
            return Ok(value);
        }
        match (self.types.get(ty), value) {
            (TypeKind::Int | TypeKind::Literal(Literal::Int(_)), Value::Float(number)) => {
                let whole = Value::Int(number as i64);
                // The conversion saturates, so what comes back equal has fitted.
                if whole == Value::Float(number) && self.accepts(ty, &whole) {
                    return Ok(whole);
                }
                Err(self.misfit(ty, &Value::Float(number)))
            }
            (TypeKind::Union(members), value) => self.union(ty, members, value),
            (_, Value::Str(text)) => match self.read(ty, &text).filter(|_| self.outside) {
                Some(value) => Ok(value),
                None => Err(self.misfit(ty, &Value::Str(text))),
            },
            (TypeKind::List(item), Value::List(list)) => self.list(*item, list),
            (TypeKind::Map(item), Value::Map(map)) => {
                let keys: Vec<_> = map.keys().cloned().collect();
                keys.iter().try_fold(map, |map, key| self.field(*item, map, key)).map(Value::Map)
            }
            (TypeKind::Record(fields), Value::Map(map)) => self.record(fields, map),
            (_, value) => Err(self.misfit(ty, &value)),
        }
    }

    fn list(&self, item: TypeId, mut list: List) -> Result<Value, Misfit> {
        for at in 0..list.len() {
            let fitted = list
                .get(at)
                .filter(|value| !self.accepts(item, value))
                .map(|value| self.fit(item, value.clone()).map_err(|misfit| misfit.under(&format!("[{at}]"))));
            if let Some(value) = fitted {
                drop(list.set(at, value?));
            }
        }
        // What only came to fit by an element's conversion fits now; what holds no data in an `any` still does not.
        Ok(Value::List(list))
    }

    fn record(&self, fields: &[Field], map: Map) -> Result<Value, Misfit> {
        let mut map = map;
        for field in fields {
            match map.get(&field.name) {
                None if field.optional => {}
                Some(Value::Null) if field.optional => {}
                None => {
                    let expected = show_type(self.types, field.ty);
                    return Err(Misfit { path: step(&field.name), expected, found: "nothing".into() });
                }
                Some(_) => map = self.field(field.ty, map, &field.name)?,
            }
        }
        Ok(Value::Map(map))
    }

    fn field(&self, ty: TypeId, mut map: Map, key: &str) -> Result<Map, Misfit> {
        let fitted = map
            .get(key)
            .filter(|value| !self.accepts(ty, value))
            .map(|value| self.fit(ty, value.clone()).map_err(|misfit| misfit.under(&step(key))));
        if let Some(value) = fitted {
            let value = value?;
            map.update(key, |slot| *slot = value);
        }
        Ok(map)
    }

    /// The first member that fits; else what is wrong with the one that was probably meant.
    fn union(&self, ty: TypeId, members: &[TypeId], value: Value) -> Result<Value, Misfit> {
        let mut candidates = Vec::new();
        for member in members {
            match self.fit(*member, value.clone()) {
                Ok(value) => return Ok(value),
                Err(misfit) => candidates.push((*member, misfit)),
            }
        }
        let mut meant: Vec<_> = candidates.into_iter().filter(|(member, _)| self.alike(*member, &value)).collect();
        if meant.len() > 1 {
            meant.retain(|(member, _)| self.tagged(*member, &value));
        }
        match meant.pop() {
            Some((_, misfit)) if meant.is_empty() && !misfit.path.is_empty() => Err(misfit),
            _ => Err(self.misfit(ty, &value)),
        }
    }

    /// Whether the value is of the sort of the type, whatever is in it.
    fn alike(&self, ty: TypeId, value: &Value) -> bool {
        matches!(
            (self.types.get(ty), value),
            (TypeKind::Record(_) | TypeKind::Map(_) | TypeKind::Union(_), Value::Map(_))
                | (TypeKind::List(_) | TypeKind::Union(_), Value::List(_))
        )
    }

    /// Whether the fields that tell the members of a union apart say that it is this one.
    fn tagged(&self, ty: TypeId, value: &Value) -> bool {
        let TypeKind::Record(fields) = self.types.get(ty) else { return false };
        let mut tags = fields.iter().filter_map(|field| match self.types.get(field.ty) {
            TypeKind::Literal(literal) => Some((field, literal)),
            _ => None,
        });
        let says = |(field, literal): (&Field, &Literal)| {
            value.get(&field.name).is_some_and(|value| is_literal(literal, value))
        };
        tags.next().is_some_and(says) && tags.all(says)
    }

    fn misfit(&self, ty: TypeId, value: &Value) -> Misfit {
        Misfit { path: String::new(), expected: show_type(self.types, ty), found: found(value) }
    }
}

fn is_literal(literal: &Literal, value: &Value) -> bool {
    match (literal, value) {
        (Literal::String(wanted), Value::Str(text)) => wanted.as_str() == text.as_str(),
        (Literal::Int(wanted), Value::Int(number)) => wanted == number,
        (Literal::Float(wanted), Value::Float(_) | Value::Int(_)) => Value::Float(*wanted) == *value,
        (Literal::Bool(wanted), Value::Bool(value)) => wanted == value,
        (Literal::Duration(wanted), Value::Duration(millis)) => wanted == millis,
        _ => false,
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::Str(text) => quote(text),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) | Value::Time(_) => display(value),
        other => describe(other),
    }
}

/// A field as a step of a path.
fn step(key: &str) -> String {
    let plain = key.chars().all(|c| c == '_' || c.is_alphanumeric()) && !key.starts_with(|c: char| c.is_numeric());
    if plain && !key.is_empty() { format!(".{key}") } else { format!("[{}]", quote(key)) }
}
