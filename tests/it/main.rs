//! The command from outside: the real binary, its output, its exit codes, and what is left in the store.

mod crash;
mod support;
mod zombie;
