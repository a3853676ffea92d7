//! A delta becomes rows.

use rusqlite::{OptionalExtension, Params, Transaction, params};

use super::{fault, number::*};
use crate::store::{Delta, Epoch, RequestEnd, RequestRow, StoreError, rules};

/// The `until` of a row that is still open.
pub(super) const OPEN: i64 = i64::MAX;

/// What has to be known of a run before something is written for it.
pub(super) struct Standing {
    rid: i64,
    last_seq: u64,
    floor: u64,
}

/// Whether the delta may be written: its epoch is the present one, and its number follows.
pub(super) fn check(tx: &Transaction<'_>, run: &str, epoch: Epoch, delta: &Delta) -> Result<Standing, StoreError> {
    let sql = "SELECT rid, epoch, last_checkpoint, last_seq, floor FROM run JOIN standing USING (rid) WHERE id = ?1";
    let mut statement = tx.prepare_cached(sql).map_err(fault::of)?;
    let mut rows = statement.query([run]).map_err(fault::of)?;
    let Some(row) = rows.next().map_err(fault::of)? else {
        return Err(StoreError::NotFound(format!("run `{run}`")));
    };
    let standing =
        Standing { rid: row.get(0).map_err(fault::of)?, last_seq: counted(row, 3)?, floor: counted(row, 4)? };
    rules::check_delta(delta, epoch, Epoch(counted(row, 1)?), counted(row, 2)?, standing.last_seq)?;
    Ok(standing)
}

/// Writes a delta that was checked.
pub(super) fn apply(tx: &Transaction<'_>, standing: &Standing, delta: &Delta) -> Result<(), StoreError> {
    let (rid, n) = (standing.rid, stored(delta.n)?);
    let mut grown = delta.header.len() as i64;
    close(tx, rid, n, delta)?;
    exec(
        tx,
        "INSERT INTO checkpoint (rid, n, pinned, header) VALUES (?1, ?2, ?3, ?4)",
        params![rid, n, delta.pinned, delta.header],
    )?;
    for pin in &delta.pins {
        exec(tx, "UPDATE checkpoint SET pinned = 1 WHERE rid = ?1 AND n = ?2", params![rid, stored(*pin)?])?;
    }
    for row in rules::last_of_each(&delta.fibers) {
        exec(
            tx,
            "INSERT INTO fiber (rid, until, fiber, segment, since, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![rid, OPEN, row.fiber, row.segment, n, row.data],
        )?;
        grown += row.data.len() as i64;
    }
    for (id, data) in &delta.chunks {
        chunk(tx, rid, n, *id, data)?;
        grown += data.len() as i64;
    }
    if let Some(events) = delta.told() {
        exec(
            tx,
            "INSERT INTO event (rid, first_seq, count, n, lines) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![rid, stored(events.first_seq)?, stored(events.count)?, n, events.lines],
        )?;
        grown += events.lines.len() as i64;
    }
    grown += requests(tx, rid, n, delta)?;
    if let Some(json) = &delta.result {
        grown += result(tx, rid, json)?;
    }
    if let Some(moved) = &delta.moved {
        exec(
            tx,
            "INSERT INTO code (hash, data) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![moved.code_hash, &*moved.code],
        )?;
        exec(tx, "INSERT INTO moved (rid, n, code_hash) VALUES (?1, ?2, ?3)", params![rid, n, moved.code_hash])?;
    }
    let floor = rules::floor(delta, standing.floor);
    if floor > standing.floor {
        grown -= prune(tx, rid, standing.floor, floor)?;
        grown -= forget(tx, rid, rules::told_floor(delta.n, floor))?;
    }
    stand(tx, standing, delta, floor, grown)
}

/// Ends the validity of what the delta replaces, closes or no longer names.
fn close(tx: &Transaction<'_>, rid: i64, n: i64, delta: &Delta) -> Result<(), StoreError> {
    if delta.reset {
        exec(tx, "UPDATE fiber SET until = ?2 WHERE rid = ?1 AND until = ?3", params![rid, n, OPEN])?;
        exec(tx, "UPDATE chunk SET dead_since = ?2 WHERE rid = ?1 AND dead_since IS NULL", params![rid, n])?;
        return Ok(());
    }
    let written = delta.fibers.iter().map(|row| (row.fiber, row.segment));
    for (fiber, segment) in delta.closed.iter().copied().chain(written) {
        // A row of this very delta has no predecessor any more; it is written over.
        exec(
            tx,
            "UPDATE fiber SET until = ?2 WHERE rid = ?1 AND until = ?3 AND fiber = ?4 AND segment = ?5",
            params![rid, n, OPEN, fiber, segment],
        )?;
    }
    for id in &delta.dead {
        exec(
            tx,
            "UPDATE chunk SET dead_since = ?2 WHERE rid = ?1 AND id = ?3 AND dead_since IS NULL",
            params![rid, n, stored(*id)?],
        )?;
    }
    Ok(())
}

fn chunk(tx: &Transaction<'_>, rid: i64, n: i64, id: u64, data: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO chunk (rid, id, since, data) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    match exec(tx, sql, params![rid, stored(id)?, n, data])? {
        0 => Err(rules::chunk_again(id)),
        _ => Ok(()),
    }
}

/// Gives by how many bytes they grew.
fn requests(tx: &Transaction<'_>, rid: i64, n: i64, delta: &Delta) -> Result<i64, StoreError> {
    let mut grown = 0;
    for (id, end) in &delta.settled {
        let ended = "UPDATE request SET state = ?3, settled_n = ?4 WHERE rid = ?1 AND id = ?2";
        match end {
            RequestEnd::Answered => exec(tx, ended, params![rid, id, "answered", n])?,
            RequestEnd::Withdrawn => exec(tx, ended, params![rid, id, "withdrawn", n])?,
            RequestEnd::Refused => {
                grown -= request_bytes(tx, rid, id)?;
                exec(
                    tx,
                    "UPDATE request SET state = 'open', answer = NULL, answered_at = NULL \
                     WHERE rid = ?1 AND id = ?2 AND state = 'recorded'",
                    params![rid, id],
                )?;
                grown += request_bytes(tx, rid, id)?;
                0
            }
        };
    }
    for RequestRow { id, json, asked_at } in &delta.opened {
        // One that is open already keeps its recorded answer: it is the same question, asked again by a resumed run.
        grown -= request_bytes(tx, rid, id)?;
        exec(
            tx,
            "INSERT INTO request (rid, id, state, asked_at, json) VALUES (?1, ?2, 'open', ?3, ?4) \
             ON CONFLICT DO UPDATE SET \
             notified_at = iif(state IN ('open', 'recorded') AND asked_at = excluded.asked_at, notified_at, NULL), \
             asked_at = excluded.asked_at, json = excluded.json, \
             answer = iif(state = 'recorded', answer, NULL), answered_at = iif(state = 'recorded', answered_at, NULL), \
             state = iif(state = 'recorded', 'recorded', 'open'), settled_n = NULL",
            params![rid, id, asked_at, json],
        )?;
        grown += request_bytes(tx, rid, id)?;
    }
    Ok(grown)
}

/// How many bytes a request and its answer have; 0 when it is not there.
pub(super) fn request_bytes(tx: &Transaction<'_>, rid: i64, id: &str) -> Result<i64, StoreError> {
    let sql = "SELECT octet_length(json) + coalesce(octet_length(answer), 0) FROM request WHERE rid = ?1 AND id = ?2";
    summed(tx, sql, params![rid, id])
}

/// Gives by how many bytes it grew.
fn result(tx: &Transaction<'_>, rid: i64, json: &str) -> Result<i64, StoreError> {
    let before = summed(tx, "SELECT octet_length(json) FROM result WHERE rid = ?1", [rid])?;
    exec(
        tx,
        "INSERT INTO result (rid, json) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET json = excluded.json",
        params![rid, json],
    )?;
    Ok(json.len() as i64 - before)
}

fn stand(tx: &Transaction<'_>, standing: &Standing, delta: &Delta, floor: u64, grown: i64) -> Result<(), StoreError> {
    let last_seq = rules::last_seq(delta, standing.last_seq);
    exec(
        tx,
        "UPDATE standing SET status = ?2, updated_at = ?3, last_checkpoint = ?4, last_seq = ?5, floor = ?6, \
         wake_at = ?7, bytes = bytes + ?8, cancel = iif(?9, 0, cancel) WHERE rid = ?1",
        params![
            standing.rid,
            delta.status.text(),
            delta.time,
            stored(delta.n)?,
            stored(last_seq)?,
            stored(floor)?,
            delta.wake_at,
            grown,
            delta.status.has_ended()
        ],
    )?;
    Ok(())
}

/// Deletes what only checkpoints below `floor` need, and gives how many bytes that were. Below `before` it is done
/// already, so only what passed the floor since is looked at; what a pinned checkpoint held back then stays for ever.
fn prune(tx: &Transaction<'_>, rid: i64, before: u64, floor: u64) -> Result<i64, StoreError> {
    let range = params![rid, stored(before)?, stored(floor)?];
    let headers = summed(
        tx,
        "DELETE FROM checkpoint WHERE rid = ?1 AND n >= ?2 AND n < ?3 AND pinned = 0 RETURNING octet_length(header)",
        range,
    )?;
    // Every checkpoint that is left below the floor is pinned.
    let fibers = summed(
        tx,
        "DELETE FROM fiber WHERE rid = ?1 AND until > ?2 AND until <= ?3 AND NOT EXISTS \
         (SELECT 1 FROM checkpoint c WHERE c.rid = ?1 AND c.n >= fiber.since AND c.n < fiber.until) \
         RETURNING octet_length(data)",
        range,
    )?;
    let chunks = summed(
        tx,
        "DELETE FROM chunk WHERE rid = ?1 AND dead_since > ?2 AND dead_since <= ?3 AND NOT EXISTS \
         (SELECT 1 FROM checkpoint c WHERE c.rid = ?1 AND c.n >= chunk.since AND c.n < chunk.dead_since) \
         RETURNING octet_length(data)",
        range,
    )?;
    Ok(headers + fibers + chunks)
}

/// Deletes the events of checkpoints below `told` and the requests that ended there, and gives how many bytes that
/// were. The floor moves seldom by more than this takes at a time; what is left then goes the next times.
fn forget(tx: &Transaction<'_>, rid: i64, told: u64) -> Result<i64, StoreError> {
    let range = params![rid, stored(told)?];
    let events = summed(
        tx,
        "DELETE FROM event WHERE rowid IN (SELECT row FROM \
         (SELECT rowid AS row, n FROM event WHERE rid = ?1 ORDER BY first_seq LIMIT 512) WHERE n < ?2) \
         RETURNING octet_length(lines)",
        range,
    )?;
    let requests = summed(
        tx,
        "DELETE FROM request WHERE rowid IN \
         (SELECT rowid FROM request WHERE rid = ?1 AND settled_n < ?2 ORDER BY settled_n LIMIT 512) \
         RETURNING octet_length(json) + coalesce(octet_length(answer), 0)",
        range,
    )?;
    Ok(events + requests)
}

/// The row number of a run.
pub(super) fn rid(tx: &Transaction<'_>, run: &str) -> Result<i64, StoreError> {
    let mut statement = tx.prepare_cached("SELECT rid FROM run WHERE id = ?1").map_err(fault::of)?;
    let rid = statement.query_row([run], |row| row.get(0)).optional().map_err(fault::of)?;
    rid.ok_or_else(|| StoreError::NotFound(format!("run `{run}`")))
}

/// A statement that changes rows, prepared once; gives how many.
pub(super) fn exec(tx: &Transaction<'_>, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    tx.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(fault::of)
}

/// The sum of the numbers that a statement gives.
pub(super) fn summed(tx: &Transaction<'_>, sql: &str, params: impl Params) -> Result<i64, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(fault::of)?;
    let mut rows = statement.query(params).map_err(fault::of)?;
    let mut sum = 0;
    while let Some(row) = rows.next().map_err(fault::of)? {
        sum += row.get::<_, i64>(0).map_err(fault::of)?;
    }
    Ok(sum)
}

/// A statement without parameters or rows, prepared once.
pub(super) fn step(tx: &Transaction<'_>, sql: &str) -> Result<(), StoreError> {
    exec(tx, sql, []).map(drop)
}
