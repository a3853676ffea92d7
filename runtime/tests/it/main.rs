//! The machine, its checkpoints and its stores, from outside.

mod store;
