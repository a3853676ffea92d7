//! Text to tree.

pub mod ast;
pub mod visit;
