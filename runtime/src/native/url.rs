//! URLs.

use std::fmt::Write as _;

use ::url::Url;

use super::{
    NativeContext,
    args::{misfit, sized, text},
};
use crate::{
    fault::Fault,
    ops::quote,
    value::{Map, Value},
};

/// Text as a part of a URL: everything but letters, digits and `-._~` is percent-encoded.
pub(super) fn encode(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let mut out = String::new();
    for byte in text(args, 0)?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    sized(out)
}

pub(super) fn decode(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let whole = text(args, 0)?;
    let bad = || misfit(format!("{} is not percent-encoded text", quote(whole)));
    let mut out = Vec::with_capacity(whole.byte_len());
    let mut bytes = whole.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit().ok_or_else(bad)?, digit().ok_or_else(bad)?);
        out.push((high * 16 + low) as u8);
    }
    String::from_utf8(out).map(Value::from).map_err(|_| bad())
}

/// `{ scheme, host, path, query }`: the host with its port, if one is written; of equal names in the query the last one.
pub(super) fn parse(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let text = text(args, 0)?;
    let url = Url::parse(text).map_err(|error| misfit(format!("{} is no URL: {error}", quote(text))))?;
    let mut host = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        let _ = write!(host, ":{port}");
    }
    let mut query = Map::new();
    for (name, value) in url.query_pairs() {
        query.insert(&*name, Value::str(&*value))?;
    }
    Value::record([
        ("scheme", Value::str(url.scheme())),
        ("host", Value::from(host)),
        ("path", Value::str(url.path())),
        ("query", Value::Map(query)),
    ])
}
