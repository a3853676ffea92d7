//! The command from outside: the real binary, its output, its exit codes, and what is left in the store.

mod check;
mod crash;
mod lsp;
mod moved;
mod people;
mod pipes;
mod run;
mod store_faults;
mod support;
mod terminal;
mod wf;
mod zombie;
