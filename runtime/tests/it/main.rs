//! The machine, its checkpoints and its stores, from outside.

mod store;
//! The runtime from outside.

mod codec;
mod ops;
mod random;
mod validate;
mod value;
