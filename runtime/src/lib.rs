//! The wf machine: a program becomes an outcome.

pub mod checkpoint;
pub mod code;
pub mod codec;
pub mod drive;
pub mod effect;
pub mod event;
pub mod fault;
pub mod host;
pub mod json;
pub mod machine;
pub mod native;
pub mod ops;
pub mod request;
pub mod schema;
pub mod store;
pub mod testing;
pub mod validate;
pub mod value;

pub use fault::{Fault, Kind};
pub use value::Value;
