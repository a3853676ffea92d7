//! The wf machine: a program becomes an outcome.

pub mod codec;
pub mod fault;
pub mod json;
pub mod native;
pub mod ops;
pub mod schema;
pub mod store;
pub mod validate;
pub mod value;

pub use fault::{Fault, Kind};
pub use value::Value;
