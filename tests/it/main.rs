//! The command from outside: one module a subject.

mod examples;
mod readme;
mod support;
mod tidy;
