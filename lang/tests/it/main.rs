//! The language at its own door: text in, trees and diagnostics out.

mod cases;
mod check;
mod compile;
mod fuzz;
mod mutate;
mod parse;
mod robust;
mod tree;
