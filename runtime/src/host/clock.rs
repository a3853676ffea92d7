//! Clock and randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    effect::Effect,
    fault::{Fault, Kind},
    machine::Outcome,
    value::Value,
};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(super) fn now() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
    }
}

pub(super) fn instant(effect: &Effect) -> Outcome {
    match effect.name.as_str() {
        "time.now" => Ok(Value::Time(now())),
        "uuid" => Ok(Value::str(uuid::Uuid::now_v7().to_string())),
        "random.float" => {
            // The 53 highest bits of a random word, which is as many as a float holds below 1.
            let (word, _) = uuid::Uuid::new_v4().as_u64_pair();
            let mixed = blake3::hash(&word.to_le_bytes());
            let bits = u64::from_le_bytes(mixed.as_bytes()[..8].try_into().unwrap_or_default()) >> 11;
            Ok(Value::Float(bits as f64 / (1_u64 << 53) as f64))
        }
        other => Err(Fault::new(Kind::Error, format!("this engine has no library function `{other}`"))),
    }
}
