//! The command from outside: the real binary, its output, its exit codes, and what is left in the store.

mod check;
mod crash;
mod lsp;
mod people;
mod support;
mod terminal;
mod wf;
mod zombie;
