//! The command from outside: the real binary, its output, its exit codes, and what is left in the store. One module a
//! subject.

mod back;
mod check;
mod crash;
mod docs;
mod due;
mod examples;
mod failed;
mod fork;
mod imports;
mod lsp;
mod moved;
mod notify;
mod people;
mod pipes;
mod run;
mod saved;
mod show;
mod store_faults;
mod support;
mod terminal;
mod test;
mod tidy;
mod wf;
mod workshop;
mod zombie;
