//! The machine, its values, its checkpoints and its stores, from outside.

mod codec;
mod copies;
mod harness;
mod library;
mod ops;
mod random;
mod run;
mod store;
mod validate;
mod value;
