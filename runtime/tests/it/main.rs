//! The runtime from outside.

mod codec;
mod ops;
mod random;
mod validate;
mod value;
