//! The command from outside.

mod check;
mod lsp;
mod wf;
