//! The wf language: text becomes a program.
//!
//! Source → tokens → tree → checked → program. Everything here is pure: no I/O, no async, no clock. `parse` and `check`
//! always give a tree, with diagnostics beside it; `compile` follows when none of them is an error.

pub mod check;
pub mod code;
pub mod compile;
pub mod diagnostic;
mod graph;
pub mod load;
pub mod path;
pub mod program;
pub mod source;
pub mod span;
pub mod syntax;

pub use code::Code;
pub use diagnostic::{Diagnostic, Fix, Label, Severity};
pub use source::{LineColumn, Source};
pub use span::{SourceId, Span};
