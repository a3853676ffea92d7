//! The functions of the library that are written in Rust: pure, short, known by name.
//!
//! None of them calls the machine; what takes a function is written in wf, and hands what its function gave to one of
//! these. A method that changes its receiver finds it in its first argument and leaves it there; when it fails, it has
//! changed nothing. What would become larger than a value may be fails with kind `limit` before it is built.

use wf_lang::program::Program;

use crate::fault::Fault;
use crate::value::Value;

pub(crate) mod answer;
mod args;
mod base64;
mod bytes;
mod change;
mod csv;
mod equal;
mod group;
mod hash;
mod json;
mod list;
mod map;
mod math;
mod number;
mod order;
mod pattern;
mod random;
mod regex;
mod round;
mod string;
mod table;
mod time;
mod url;
mod yaml;

pub use table::NATIVES;

/// What a native may look at beside its arguments.
#[derive(Clone, Copy)]
pub struct NativeContext<'a> {
    /// The program that calls it.
    pub program: &'a Program,
}

/// A function of the library.
pub type NativeFn = fn(&NativeContext<'_>, &mut [Value]) -> Result<Value, Fault>;

/// The function of that name.
pub fn native(name: &str) -> Option<NativeFn> {
    NATIVES
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()
        .and_then(|at| NATIVES.get(at))
        .map(|(_, native)| *native)
}
