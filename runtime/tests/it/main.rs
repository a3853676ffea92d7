//! The machine, its values, its checkpoints and its stores, from outside.

mod cancel;
mod clock;
mod codec;
mod copies;
mod documented;
mod files;
mod fuzz;
mod growth;
mod harness;
mod interrupt;
mod json;
mod library;
mod natives;
mod on_crash;
mod ops;
mod random;
mod run;
mod scripted;
mod small;
mod store;
mod testing;
mod turns;
mod validate;
mod value;
mod weight;
mod zones;
