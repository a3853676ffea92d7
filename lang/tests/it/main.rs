//! The language at its own door: text in, trees and diagnostics out.

mod cases;
mod check;
mod compile;
mod fuzz;
mod parse;
mod robust;
