//! The server over a pair of streams, as an editor meets it.

mod client;
mod diagnostics;
mod edits;
mod imports;
mod wire;
