//! Text to values, without a tree of JSON in between.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::out_of_range;
use crate::fault::{Fault, Kind};
use crate::value::{List, MAX_DEPTH, Map, Str, Value, too_deep};

/// The value of JSON text. Faults with kind `json` for what is none, and for a number that no value has; with kind
/// `limit` for what is larger or nested deeper than a value may be.
pub fn from_text(text: &str) -> Result<Value, Fault> {
    if let Some(value) = super::quick::value(text) {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    // Ours is that of values, and bounded as well.
    reader.disable_recursion_limit();
    let bad = |error: serde_json::Error| Fault::new(Kind::Json, format!("this is no JSON: {error}"));
    let mut seen = Seen { room: MAX_DEPTH, ..Seen::default() };
    let read = Seed { seen: &mut seen }.deserialize(&mut reader);
    if let Some(fault) = seen.limit {
        return Err(fault);
    }
    let value = read.map_err(bad)?;
    reader.end().map_err(bad)?;
    match seen.large.then(|| large_integer(text)).flatten() {
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

/// What was noticed on the way.
#[derive(Default)]
struct Seen {
    /// There was a float that may have been written as an integer.
    large: bool,
    /// How much deeper values may be nested.
    room: usize,
    /// The text stands for more than a value may hold.
    limit: Option<Fault>,
}

impl Seen {
    /// Ends the reading where a limit is met.
    fn within<T, E: Error>(&mut self, result: Result<T, Fault>) -> Result<T, E> {
        result.map_err(|fault| {
            self.limit = Some(fault);
            E::custom("too much")
        })
    }

    /// Goes one level deeper.
    fn enter<E: Error>(&mut self) -> Result<(), E> {
        let room = self.room.checked_sub(1).ok_or_else(too_deep);
        self.room = self.within(room)?;
        Ok(())
    }
}

struct Seed<'a> {
    seen: &'a mut Seen,
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
        self.seen.large |= value.abs() >= 9.2e18;
        Value::float(value).ok_or_else(|| E::custom("the number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = List::new();
        self.seen.enter()?;
        while let Some(item) = items.next_element_seed(Seed { seen: &mut *self.seen })? {
            self.seen.within(list.push(item))?;
        }
        self.seen.room += 1;
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        self.seen.enter()?;
        while let Some(key) = entries.next_key_seed(Key)? {
            let value = entries.next_value_seed(Seed { seen: &mut *self.seen })?;
            self.seen.within(map.insert(key, value))?;
        }
        self.seen.room += 1;
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
