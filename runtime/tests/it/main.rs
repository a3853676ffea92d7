//! The machine, its values, its checkpoints and its stores, from outside.

mod codec;
mod ops;
mod random;
mod store;
mod validate;
mod value;
