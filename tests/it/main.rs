//! The command from outside: one module a subject.

mod check;
mod examples;
mod lsp;
mod readme;
mod support;
mod tidy;
mod wf;
