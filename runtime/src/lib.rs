//! The wf machine: a program becomes an outcome.

pub mod store;
