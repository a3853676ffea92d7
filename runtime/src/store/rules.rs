//! What every store has to check, and says when it does not hold.

use std::collections::BTreeSet;

use super::{Delta, Epoch, EventBatch, FiberRow, StoreError};

impl Delta {
    /// What the run told, if anything.
    pub(super) fn told(&self) -> Option<&EventBatch> {
        self.events.as_ref().filter(|events| events.count > 0)
    }

    /// How many bytes of rows it hands over.
    pub fn bytes(&self) -> usize {
        let fibers: usize = self.fibers.iter().map(|row| row.data.len()).sum();
        let chunks: usize = self.chunks.iter().map(|(_, data)| data.len()).sum();
        let opened: usize = self.opened.iter().map(|request| request.json.len()).sum();
        let events = self.events.as_ref().map_or(0, |events| events.lines.len());
        self.header.len() + fibers + chunks + opened + events + self.result.as_ref().map_or(0, String::len)
    }
}

/// Whether a delta may be written for a run at `epoch`, checkpoint `last` and event `last_seq`.
pub(super) fn check_delta(
    delta: &Delta,
    given: Epoch,
    epoch: Epoch,
    last: u64,
    last_seq: u64,
) -> Result<(), StoreError> {
    if given != epoch {
        return Err(StoreError::Stale);
    }
    if Some(delta.n) != last.checked_add(1) {
        return Err(StoreError::OutOfOrder { stored: last, given: delta.n });
    }
    match delta.told() {
        Some(events) if events.first_seq <= last_seq => Err(StoreError::Unusable(format!(
            "event {} of the run is written already; the latest is {last_seq}",
            events.first_seq
        ))),
        _ => Ok(()),
    }
}

/// The floor after a delta. It never goes back, and never passes the latest checkpoint.
pub(super) fn floor(delta: &Delta, before: u64) -> u64 {
    delta.floor.min(delta.n).max(before)
}

/// The events of the last so many checkpoints are kept, or of as many as the checkpoints themselves when those are more.
pub(super) const TOLD: u64 = 10_000;

/// Of checkpoints below this number events are not kept, nor requests that ended there: checkpoint `n` is the latest.
pub(super) fn told_floor(n: u64, floor: u64) -> u64 {
    floor.min(n.saturating_sub(TOLD))
}

/// The sequence number of the latest event after a delta.
pub(super) fn last_seq(delta: &Delta, before: u64) -> u64 {
    delta
        .events
        .as_ref()
        .map_or(before, |events| events.first_seq.saturating_add(events.count).saturating_sub(1).max(before))
}

/// The rows that are to be written: of several for one segment the last.
pub(super) fn last_of_each(rows: &[FiberRow]) -> impl Iterator<Item = &FiberRow> {
    let mut seen = BTreeSet::new();
    rows.iter().rev().filter(move |row| seen.insert((row.fiber, row.segment)))
}

/// An id backwards, by which its ending is found.
pub(super) fn reversed(id: &str) -> String {
    id.chars().rev().collect()
}

/// The first text, by its bytes, that comes after all that begin with `part`; `None` when all texts do.
pub(super) fn behind(part: &str) -> Option<String> {
    let mut chars: Vec<char> = part.chars().collect();
    while let Some(last) = chars.pop() {
        // The range of characters leaves out what is none.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// Ids of chunks grow; one that is there already means that somebody counts wrongly.
pub(super) fn chunk_again(id: u64) -> StoreError {
    StoreError::Damaged { row: format!("chunk {id}"), reason: "it is written already".into() }
}

/// Why an answer to a request in `state` is not recorded; `None` when it is.
pub(super) fn refuse_answer(request: &str, state: Option<&str>) -> Option<String> {
    match state {
        Some("open") => None,
        Some("recorded") => Some(format!("the request `{request}` has an answer that waits to be taken")),
        Some("answered") => Some(format!("the request `{request}` is answered already")),
        Some("withdrawn") => Some(format!("the request `{request}` was withdrawn")),
        Some(other) => Some(format!("the request `{request}` is `{other}`")),
        None => Some(format!("there is no request `{request}` in this run")),
    }
}

/// Bytes as people write them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
