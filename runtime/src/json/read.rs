//! Text to values, without a tree of JSON in between.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::out_of_range;
use crate::fault::{Fault, Kind};
use crate::value::{List, Map, Str, Value};

/// The value of JSON text. Faults with kind `json` for what is none, and for a number that no value has.
pub fn from_text(text: &str) -> Result<Value, Fault> {
    if let Some(value) = super::quick::value(text) {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let bad = |error: serde_json::Error| Fault::new(Kind::Json, format!("this is no JSON: {error}"));
    let mut large = false;
    let value = Seed { large: &mut large }.deserialize(&mut reader).map_err(bad)?;
    reader.end().map_err(bad)?;
    match large.then(|| large_integer(text)).flatten() {
        Some(number) => Err(out_of_range(number)),
        None => Ok(value),
    }
}

/// The first integer in JSON text that does not fit 64 bits: the reader below has seen it as a float.
fn large_integer(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = rest.get(at..)?;
        if let Some(inside) = rest.strip_prefix('"') {
            let mut escaped = false;
            let end = inside.find(|c: char| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            })?;
            rest = inside.get(end + 1..)?;
            continue;
        }
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let (number, behind) = rest.split_at_checked(end)?;
        if !number.contains(['.', 'e', 'E']) && number.parse::<i64>().is_err() {
            return Some(number);
        }
        rest = behind;
    }
    None
}

struct Seed<'a> {
    /// Set by a float that may have been written as an integer.
    large: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        let number = i64::try_from(value).map_err(|_| E::custom(format!("the number {value} is out of range")))?;
        Ok(Value::Int(number))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        *self.large |= value.abs() >= 9.2e18;
        Value::float(value).ok_or_else(|| E::custom("the number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = List::new();
        while let Some(item) = items.next_element_seed(Seed { large: &mut *self.large })? {
            list.push(item).map_err(A::Error::custom)?;
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            let value = entries.next_value_seed(Seed { large: &mut *self.large })?;
            map.insert(key, value).map_err(A::Error::custom)?;
        }
        Ok(Value::Map(map))
    }
}

/// A key: text, made once.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Str, E> {
        Ok(value.into())
    }
}
