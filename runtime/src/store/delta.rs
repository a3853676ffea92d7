//! What one commit writes: everything that becomes true together.

use std::sync::Arc;

use super::{Millis, RequestEnd, RequestRow, RunStatus};
#[cfg(doc)]
use super::{NewRun, RunRecord, StoreError};

/// Everything that becomes true together at one checkpoint.
#[derive(Clone, Debug)]
pub struct Delta {
    /// The number of the checkpoint: the stored one plus one, else [`StoreError::OutOfOrder`].
    pub n: u64,
    /// When.
    pub time: Millis,
    /// The sealed header: small, of constant size.
    pub header: Vec<u8>,
    /// Kept whatever the retention is: the run started, paused or failed here.
    pub pinned: bool,
    /// Earlier checkpoints that are kept from now on whatever the retention is.
    pub pins: Vec<u64>,
    /// Rows of fibers that changed. Writing one closes the open row of the same fiber and segment.
    pub fibers: Vec<FiberRow>,
    /// Rows of fibers that are gone: (fiber, segment).
    pub closed: Vec<(u32, i32)>,
    /// New chunks: (id, sealed bytes). Ids grow and are never used again, not even by a run that goes on from an earlier
    /// checkpoint; one that is stored already is refused as [`StoreError::Damaged`].
    pub chunks: Vec<(u64, Vec<u8>)>,
    /// Chunks that the live machine no longer names.
    pub dead: Vec<u64>,
    /// Nothing of earlier checkpoints is named: every open fiber row and live chunk is closed before the new ones are written.
    pub reset: bool,
    /// The oldest checkpoint still kept, but for pinned ones; what only older ones need is deleted. Never goes back.
    pub floor: u64,
    /// What the run told, in order. Sequence numbers only grow; those of a run that was resumed from an earlier
    /// checkpoint go on from [`RunRecord::last_seq`].
    pub events: Option<EventBatch>,
    /// Requests that it opens, after others were settled. One that is open already keeps its recorded answer.
    pub opened: Vec<RequestRow>,
    /// Requests that are no longer open.
    pub settled: Vec<(String, RequestEnd)>,
    /// Where the run stands now.
    pub status: RunStatus,
    /// When its next timer is due, if nothing else can go on before.
    pub wake_at: Option<Millis>,
    /// Its result so far, as JSON, if it changed.
    pub result: Option<String>,
    /// From this checkpoint on its code is this.
    pub moved: Option<Moved>,
}

/// The code to which a run moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its hash.
    pub code_hash: [u8; 32],
    /// The code, as in [`NewRun::code`].
    pub code: Arc<[u8]>,
}

/// A part of a fiber's stack, or (segment -1) its head. Valid for checkpoints from the one that wrote it until the one
/// that wrote its successor or closed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiberRow {
    /// The fiber.
    pub fiber: u32,
    /// Which 64 frames of its stack; -1 is the head.
    pub segment: i32,
    /// Sealed bytes.
    pub data: Vec<u8>,
}

/// The events of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBatch {
    /// The sequence number of the first one, from 1.
    pub first_seq: u64,
    /// How many they are.
    pub count: u64,
    /// JSON lines, one an event, each ending in a line break.
    pub lines: String,
}
