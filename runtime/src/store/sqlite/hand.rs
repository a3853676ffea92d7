//! A run begins, changes hands, is answered.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    apply::{exec, rid},
    fault,
    number::*,
};
use crate::store::{Answered, Epoch, LEASE_MS, Millis, NewRun, Owner, RunStatus, StoreError, owner, rules};

pub(super) fn begin(tx: &Transaction<'_>, run: &NewRun) -> Result<Epoch, StoreError> {
    let rid = enter(tx, run)?;
    let epoch = Epoch(1);
    exec(
        tx,
        "INSERT INTO standing (rid, status, updated_at, epoch, owner, lease_until, last_checkpoint, last_seq, floor) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0)",
        params![
            rid,
            RunStatus::Running.text(),
            run.created_at,
            stored(epoch.0)?,
            run.owner.to_text(),
            run.created_at.saturating_add(LEASE_MS)
        ],
    )?;
    exec(
        tx,
        "INSERT INTO code (hash, data) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![run.code_hash, &*run.code],
    )?;
    Ok(epoch)
}

fn enter(tx: &Transaction<'_>, run: &NewRun) -> Result<i64, StoreError> {
    let entered = exec(
        tx,
        "INSERT INTO run (id, workflow, script, code_hash, created_at, input, settings) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        params![&*run.id, run.workflow, run.script, run.code_hash, run.created_at, run.input, run.settings],
    )?;
    match entered {
        0 => Err(StoreError::Exists(run.id.to_string())),
        _ => Ok(tx.last_insert_rowid()),
    }
}

pub(super) fn acquire(
    tx: &Transaction<'_>,
    run: &str,
    asker: &Owner,
    take_over: bool,
    now: Millis,
) -> Result<Epoch, StoreError> {
    let rid = rid(tx, run)?;
    let mut statement =
        tx.prepare_cached("SELECT epoch, owner, lease_until FROM standing WHERE rid = ?1").map_err(fault::of)?;
    let mut rows = statement.query([rid]).map_err(fault::of)?;
    let Some(row) = rows.next().map_err(fault::of)? else {
        return Err(no_standing(run));
    };
    let held: Option<String> = row.get(1).map_err(fault::of)?;
    if !take_over {
        // An owner that cannot be read executes nothing that this program knows of.
        let holder = held.as_deref().and_then(Owner::parse);
        owner::check_free(holder.as_ref(), row.get(2).map_err(fault::of)?, asker, now)?;
    }
    let epoch = counted(row, 0)?.saturating_add(1);
    exec(
        tx,
        "UPDATE standing SET epoch = ?2, owner = ?3, lease_until = ?4 WHERE rid = ?1",
        params![rid, stored(epoch)?, asker.to_text(), now.saturating_add(LEASE_MS)],
    )?;
    Ok(Epoch(epoch))
}

pub(super) fn renew(tx: &Transaction<'_>, run: &str, epoch: Epoch, now: Millis) -> Result<(), StoreError> {
    let sql = "UPDATE standing SET lease_until = ?3 WHERE rid = ?1 AND epoch = ?2";
    match exec(tx, sql, params![rid(tx, run)?, stored(epoch.0)?, now.saturating_add(LEASE_MS)])? {
        0 => Err(StoreError::Stale),
        _ => Ok(()),
    }
}

/// Who no longer has the run has nothing to give up.
pub(super) fn release(tx: &Transaction<'_>, run: &str, epoch: Epoch) -> Result<(), StoreError> {
    let sql = "UPDATE standing SET owner = NULL, lease_until = 0 WHERE rid = ?1 AND epoch = ?2";
    exec(tx, sql, params![rid(tx, run)?, stored(epoch.0)?]).map(drop)
}

pub(super) fn answer(
    tx: &Transaction<'_>,
    run: &str,
    request: &str,
    value: &str,
    now: Millis,
) -> Result<Answered, StoreError> {
    let rid = rid(tx, run)?;
    let mut statement = tx.prepare_cached("SELECT state FROM request WHERE rid = ?1 AND id = ?2").map_err(fault::of)?;
    let state: Option<String> =
        statement.query_row(params![rid, request], |row| row.get(0)).optional().map_err(fault::of)?;
    if let Some(reason) = rules::refuse_answer(request, state.as_deref()) {
        return Ok(Answered::Refused(reason));
    }
    exec(
        tx,
        "UPDATE request SET state = 'recorded', answer = ?3, answered_at = ?4 WHERE rid = ?1 AND id = ?2",
        params![rid, request, value, now],
    )?;
    Ok(Answered::Recorded)
}

pub(super) fn notified(
    tx: &Transaction<'_>,
    run: &str,
    epoch: Epoch,
    request: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let rid = rid(tx, run)?;
    let mut statement = tx.prepare_cached("SELECT epoch FROM standing WHERE rid = ?1").map_err(fault::of)?;
    let held: Option<i64> = statement.query_row([rid], |row| row.get(0)).optional().map_err(fault::of)?;
    if held != Some(stored(epoch.0)?) {
        return Err(StoreError::Stale);
    }
    exec(tx, "UPDATE request SET notified_at = ?3 WHERE rid = ?1 AND id = ?2", params![rid, request, now]).map(drop)
}

pub(super) fn no_standing(run: &str) -> StoreError {
    StoreError::Damaged { row: format!("run `{run}`"), reason: "it is not said where it stands".into() }
}
