//! A run begins, changes hands, is answered.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    apply::{exec, request_bytes, rid},
    fault,
    number::*,
};
use crate::store::{Answered, Epoch, LEASE_MS, Millis, NewRun, Owner, RunStatus, StoreError, owner, rules};

pub(super) fn begin(tx: &Transaction<'_>, run: &NewRun) -> Result<Epoch, StoreError> {
    let rid = enter(tx, run)?;
    let epoch = Epoch(1);
    exec(
        tx,
        "INSERT INTO standing \
         (rid, status, updated_at, epoch, owner, lease_until, last_checkpoint, last_seq, floor, bytes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, ?7)",
        params![
            rid,
            RunStatus::Running.text(),
            run.created_at,
            stored(epoch.0)?,
            run.owner.to_text(),
            run.created_at.saturating_add(LEASE_MS),
            (run.input.len() + run.settings.len()) as i64
        ],
    )?;
    exec(
        tx,
        "INSERT INTO code (hash, data) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![run.code_hash, &*run.code],
    )?;
    Ok(epoch)
}

/// The rows of a run that is being removed keep its number until they are gone, so no other run gets it.
fn enter(tx: &Transaction<'_>, run: &NewRun) -> Result<i64, StoreError> {
    let entered = exec(
        tx,
        "INSERT INTO run (rid, id, workflow, script, code_hash, created_at, input, settings, reversed) \
         VALUES (1 + max((SELECT coalesce(max(rid), 0) FROM run), (SELECT coalesce(max(rid), 0) FROM removed)), \
         ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            &*run.id,
            run.workflow,
            run.script,
            run.code_hash,
            run.created_at,
            run.input,
            run.settings,
            rules::reversed(&run.id)
        ],
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
    let before = request_bytes(tx, rid, request)?;
    exec(
        tx,
        "UPDATE request SET state = 'recorded', answer = ?3, answered_at = ?4 WHERE rid = ?1 AND id = ?2",
        params![rid, request, value, now],
    )?;
    let grown = request_bytes(tx, rid, request)? - before;
    exec(tx, "UPDATE standing SET bytes = bytes + ?2 WHERE rid = ?1", params![rid, grown])?;
    Ok(Answered::Recorded)
}

/// One that has failed may be under way again, before that is saved.
pub(super) fn cancel(tx: &Transaction<'_>, run: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE standing SET cancel = 1 WHERE rid = ?1 AND \
               (status IN ('running', 'paused', 'cancelling') OR status = 'failed' AND owner IS NOT NULL)";
    Ok(exec(tx, sql, [rid(tx, run)?])? > 0)
}

pub(super) fn wants_cancelled(tx: &Transaction<'_>, run: &str) -> Result<bool, StoreError> {
    let sql = "SELECT cancel FROM run JOIN standing USING (rid) WHERE id = ?1";
    let mut statement = tx.prepare_cached(sql).map_err(fault::of)?;
    let wanted: Option<bool> = statement.query_row([run], |row| row.get(0)).optional().map_err(fault::of)?;
    wanted.ok_or_else(|| StoreError::NotFound(format!("run `{run}`")))
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
