//! Hashes.

use sha2::{Digest, Sha256};

use super::{NativeContext, args::data};
use crate::{fault::Fault, value::Value};

/// SHA-256, as 64 hexadecimal digits.
pub(super) fn sha256(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let digest = Sha256::digest(data(args, 0)?);
    Ok(Value::from(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}
