//! Bytes as text.

use super::{
    NativeContext,
    args::{data, misfit, room, sized, text},
};
use crate::{fault::Fault, json, ops::quote, value::Value};

pub(super) fn encode(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let data = data(args, 0)?;
    room(data.len().saturating_mul(4) / 3)?;
    sized(json::base64_text(data))
}

/// Either alphabet, with or without padding, with line breaks and blanks anywhere, as mail and APIs have them.
pub(super) fn decode(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let text = text(args, 0)?;
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let found = if plain {
        json::base64_bytes(text)
    } else {
        let letters = text.chars().filter(|c| !c.is_ascii_whitespace()).map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        });
        json::base64_bytes(&letters.collect::<String>())
    };
    match found {
        Some(bytes) => Ok(Value::Bytes(bytes.into())),
        None => Err(misfit(format!("{} is no base64", quote(text)))),
    }
}
