//! The machine, its values, its checkpoints and its stores, from outside.

mod codec;
mod harness;
mod interrupt;
mod ops;
mod random;
mod store;
mod validate;
mod value;
