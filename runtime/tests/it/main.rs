//! The machine, its values, its checkpoints and its stores, from outside.

mod codec;
mod fuzz;
mod growth;
mod harness;
mod interrupt;
mod ops;
mod random;
mod small;
mod store;
mod validate;
mod value;
