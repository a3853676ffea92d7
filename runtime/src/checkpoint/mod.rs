//! Machine to rows and back: what a run needs in order to go on, at one instant of all its branches.
//!
//! A frame is saved as its function, the number of the safe point at which it stands, and the values that the rest of
//! the function reads, in order of their slots; never as a pc with registers, so the ops behind a function may change.
//! Rows are written only for what changed: fibers that ran, of those the frames above the low-water mark, and of
//! values the chunks that were touched. Everything is checked when it is read, before the machine runs.

use crate::store::Millis;

mod check;
mod load;
mod origins;
mod save;

pub use load::{LoadError, load};
pub use save::{Rows, Saver};

/// The fiber number under which the top-level `let`s and `ctx.state` are saved.
pub(crate) const ROOT: u32 = u32::MAX;
/// The segment number of a fiber's head.
pub(crate) const HEAD: i32 = -1;
/// How many frames a segment holds.
pub(crate) const SEGMENT: usize = 64;

/// The kinds of sealed rows.
pub(crate) mod row {
    use crate::codec::row::FREE;

    pub(crate) const HEADER: u8 = FREE;
    pub(crate) const ROOT: u8 = FREE + 1;
    pub(crate) const HEAD: u8 = FREE + 2;
    pub(crate) const FRAMES: u8 = FREE + 3;
}

/// What a fiber waits for, as it is written.
pub(crate) mod state {
    pub(crate) const READY: u8 = 0;
    pub(crate) const VALUE: u8 = 1;
    pub(crate) const FAULT: u8 = 2;
    pub(crate) const WAITING: u8 = 3;
    pub(crate) const JOINING: u8 = 4;
}

/// Whether a call leaves, as it is written.
pub(crate) mod hold {
    pub(crate) const NO: u8 = 0;
    pub(crate) const KEPT: u8 = 1;
    pub(crate) const ASKS: u8 = 2;
}

/// What a cancellation comes to, as it is written.
pub(crate) mod then {
    pub(crate) const END: u8 = 0;
    pub(crate) const THROW: u8 = 1;
    pub(crate) const GIVE: u8 = 2;
}

/// What a group comes to, as it is written.
pub(crate) mod ending {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const RESULTS: u8 = 1;
    pub(crate) const ERROR: u8 = 2;
    pub(crate) const CANCELLED: u8 = 3;
}

/// A clock of an attempt, as it is written.
pub(crate) mod clock {
    pub(crate) const RUNS: u8 = 0;
    pub(crate) const STANDS: u8 = 1;
}

/// What may stand behind the rest of a fiber's head, each with its length; what a reader does not know it skips.
pub(crate) mod more {
    /// The turn of a fiber that can run.
    pub(crate) const TURN: u64 = 1;
}

/// The small part of a checkpoint that is always written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The engine that wrote it.
    pub engine: String,
    /// The code that it belongs to.
    pub code_hash: [u8; 32],
    /// The number of the checkpoint.
    pub n: u64,
    /// The next number of a fiber, an effect, a chunk, an event.
    pub next: [u64; 4],
    /// Tokens used so far: input, output.
    pub usage: (i64, i64),
    /// How many fibers it has.
    pub fibers: u64,
    /// What the clock was.
    pub clock: Millis,
    /// The fibers that can run, in the order in which they have their turns, as version 0.1.0 wrote it; since then each
    /// has its turn in its head.
    pub turns: Vec<u32>,
}
