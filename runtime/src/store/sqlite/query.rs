//! What is asked about runs, rather than by them.

use std::{collections::BTreeSet, sync::Arc};

use rusqlite::{Params, Row, Transaction, params, types::Value};

use super::{apply::rid, fault, number::*};
use crate::store::{
    COUNTED, Epoch, EventBatch, Inbox, Kept, Millis, OpenRequest, Owner, RecordedAnswer, RequestRow, RunId, RunRecord,
    RunStatus, StoreError, owner, rules,
};

const RUN: &str = "SELECT id, workflow, script, \
                   coalesce((SELECT m.code_hash FROM moved m WHERE m.rid = run.rid ORDER BY n DESC LIMIT 1), code_hash), input, settings, status, created_at, updated_at, epoch, \
                   owner, lease_until, last_checkpoint, last_seq, wake_at, json, bytes \
                   FROM run JOIN standing USING (rid) LEFT JOIN result USING (rid)";

pub(super) fn run(tx: &Transaction<'_>, id: &str) -> Result<RunRecord, StoreError> {
    let found = all(tx, &format!("{RUN} WHERE id = ?1"), [id], record)?;
    found.into_iter().next().ok_or_else(|| StoreError::NotFound(format!("run `{id}`")))
}

pub(super) fn runs(tx: &Transaction<'_>, most: usize) -> Result<Vec<RunRecord>, StoreError> {
    all(tx, &format!("{RUN} ORDER BY created_at DESC, rid DESC LIMIT ?1"), [limit(most)], record)
}

pub(super) fn due(
    tx: &Transaction<'_>,
    now: Millis,
    interrupted: bool,
    limit: usize,
) -> Result<Vec<RunRecord>, StoreError> {
    let due = format!("{RUN} WHERE wake_at <= ?1 AND status IN ('running', 'paused', 'cancelling') ORDER BY wake_at");
    let stopped = format!("{RUN} WHERE status IN ('running', 'cancelling') ORDER BY updated_at");
    let mut found: Vec<RunRecord> = Vec::new();
    let mut take = |sql: &str, params: &[&dyn rusqlite::ToSql]| -> Result<(), StoreError> {
        let mut statement = tx.prepare_cached(sql).map_err(fault::of)?;
        let mut rows = statement.query(params).map_err(fault::of)?;
        while found.len() < limit
            && let Some(row) = rows.next().map_err(fault::of)?
        {
            let run = record(row)?;
            let free = owner::is_free(run.owner.as_ref(), run.lease_until, now);
            if free && !found.iter().any(|known| known.id == run.id) {
                found.push(run);
            }
        }
        Ok(())
    };
    take(&due, &[&now])?;
    if interrupted {
        take(&stopped, &[])?;
    }
    Ok(found)
}

/// The very id first, so that a limit does not cut it off.
pub(super) fn ids_like(tx: &Transaction<'_>, part: &str, most: usize) -> Result<Vec<RunId>, StoreError> {
    let begin = "SELECT id FROM run WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3";
    let end = "SELECT id FROM run WHERE reversed >= ?1 AND reversed < ?2 ORDER BY reversed LIMIT ?3";
    let mut found = BTreeSet::new();
    for (sql, part) in [(begin, part.to_owned()), (end, rules::reversed(part))] {
        // Bytes are greater than any text.
        let behind = rules::behind(&part).map_or(Value::Blob(Vec::new()), Value::Text);
        found.extend(all(tx, sql, params![part, behind, limit(most)], |row| Ok(Arc::from(text(row, 0)?)))?);
    }
    let mut found: Vec<RunId> = found.into_iter().collect();
    found.sort_by_key(|id| &**id != part);
    found.truncate(most);
    Ok(found)
}

const REQUEST: &str = "SELECT run.id, workflow, request.id, json, asked_at, answer, answered_at, \
                       notified_at FROM request JOIN run USING (rid) WHERE state IN ('open', 'recorded')";

pub(super) fn requests(tx: &Transaction<'_>, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError> {
    let order = "ORDER BY asked_at, request.rowid";
    match run.map(|run| rid(tx, run)).transpose()? {
        Some(rid) => all(tx, &format!("{REQUEST} AND rid = ?1 {order}"), [rid], request),
        None => all(tx, &format!("{REQUEST} {order}"), [], request),
    }
}

pub(super) fn inbox(tx: &Transaction<'_>, most: usize) -> Result<Inbox, StoreError> {
    let sql = format!("{REQUEST} ORDER BY asked_at, request.rowid LIMIT ?1");
    let requests = all(tx, &sql, [limit(most)], request)?;
    let sql = "SELECT count(*) FROM (SELECT 1 FROM request WHERE state IN ('open', 'recorded') \
               ORDER BY asked_at LIMIT ?1)";
    let counted = all(tx, sql, [limit(requests.len().saturating_add(COUNTED))], |row| counted(row, 0))?;
    let more = counted.into_iter().sum::<u64>().saturating_sub(requests.len() as u64);
    Ok(Inbox { requests, more })
}

pub(super) fn resting(tx: &Transaction<'_>, before: Millis) -> Result<Vec<RunId>, StoreError> {
    // An index of these times would have to be written at every commit.
    let sql = "SELECT id FROM standing JOIN run USING (rid) WHERE updated_at < ?1 ORDER BY updated_at, rid";
    all(tx, sql, [before], |row| Ok(Arc::from(text(row, 0)?)))
}

pub(super) fn events(tx: &Transaction<'_>, run: &str, after: u64) -> Result<Vec<EventBatch>, StoreError> {
    let rid = rid(tx, run)?;
    let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
    // The batch that holds the next event may begin before it.
    let sql = "SELECT first_seq, count, lines FROM event WHERE rid = ?1 AND first_seq >= \
               coalesce((SELECT max(first_seq) FROM event WHERE rid = ?1 AND first_seq <= ?2), 0) \
               AND first_seq + count - 1 > ?2 ORDER BY first_seq";
    all(tx, sql, [rid, after], |row| {
        Ok(EventBatch { first_seq: counted(row, 0)?, count: counted(row, 1)?, lines: text(row, 2)? })
    })
}

pub(super) fn code_at(tx: &Transaction<'_>, run: &str, at: u64) -> Result<[u8; 32], StoreError> {
    let sql = "SELECT coalesce((SELECT m.code_hash FROM moved m WHERE m.rid = run.rid AND n <= ?2 ORDER BY n DESC LIMIT 1), \
               code_hash) FROM run WHERE id = ?1";
    let found = all(tx, sql, params![run, i64::try_from(at).unwrap_or(i64::MAX)], |row| column(row, 0))?;
    found.into_iter().next().ok_or_else(|| StoreError::NotFound(format!("run `{run}`")))
}

pub(super) fn told(tx: &Transaction<'_>, run: &str, from: u64, to: u64) -> Result<Vec<(u64, EventBatch)>, StoreError> {
    let bound = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    // Sequence numbers and checkpoints grow together.
    let sql = "SELECT n, first_seq, count, lines FROM event WHERE rid = ?1 AND n BETWEEN ?2 AND ?3 ORDER BY first_seq";
    all(tx, sql, params![rid(tx, run)?, bound(from), bound(to)], |row| {
        Ok((
            counted(row, 0)?,
            EventBatch { first_seq: counted(row, 1)?, count: counted(row, 2)?, lines: text(row, 3)? },
        ))
    })
}

pub(super) fn kept(tx: &Transaction<'_>, run: &str) -> Result<Option<Kept>, StoreError> {
    let sql = "SELECT count(*), coalesce(min(n), 0), coalesce(max(n), 0) FROM checkpoint WHERE rid = ?1";
    let kept = all(tx, sql, [rid(tx, run)?], |row| {
        Ok(Kept { count: counted(row, 0)?, first: counted(row, 1)?, last: counted(row, 2)? })
    })?;
    Ok(kept.into_iter().find(|kept| kept.count > 0))
}

pub(super) fn checkpoints(tx: &Transaction<'_>, run: &str) -> Result<Vec<u64>, StoreError> {
    all(tx, "SELECT n FROM checkpoint WHERE rid = ?1 ORDER BY n DESC", [rid(tx, run)?], |row| counted(row, 0))
}

/// All rows that a query gives.
pub(super) fn all<T>(
    tx: &Transaction<'_>,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(fault::of)?;
    let mut rows = statement.query(params).map_err(fault::of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault::of)? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn record(row: &Row<'_>) -> Result<RunRecord, StoreError> {
    let id: RunId = Arc::from(text(row, 0)?);
    let status = text(row, 6)?;
    let status = RunStatus::parse(&status).ok_or_else(|| StoreError::Damaged {
        row: format!("run `{id}`"),
        reason: format!("it has the status `{status}`"),
    })?;
    let owner: Option<String> = column(row, 10)?;
    Ok(RunRecord {
        workflow: text(row, 1)?,
        script: text(row, 2)?,
        code_hash: column(row, 3)?,
        input: text(row, 4)?,
        settings: text(row, 5)?,
        status,
        created_at: column(row, 7)?,
        updated_at: column(row, 8)?,
        epoch: Epoch(counted(row, 9)?),
        owner: owner.as_deref().and_then(Owner::parse),
        lease_until: column(row, 11)?,
        last_checkpoint: counted(row, 12)?,
        last_seq: counted(row, 13)?,
        wake_at: column(row, 14)?,
        result: column(row, 15)?,
        // Counting never comes out below nothing, but a row may be damaged.
        bytes: u64::try_from(column::<i64>(row, 16)?).unwrap_or(0),
        id,
    })
}

fn request(row: &Row<'_>) -> Result<OpenRequest, StoreError> {
    let recorded = match (column::<Option<String>>(row, 5)?, column(row, 6)?) {
        (Some(value), Some(at)) => Some(RecordedAnswer { value, at }),
        _ => None,
    };
    Ok(OpenRequest {
        run: Arc::from(text(row, 0)?),
        workflow: text(row, 1)?,
        request: RequestRow { id: text(row, 2)?, json: text(row, 3)?, asked_at: column(row, 4)? },
        notified: column::<Option<i64>>(row, 7)?.is_some(),
        recorded,
    })
}

fn text(row: &Row<'_>, index: usize) -> Result<String, StoreError> {
    column(row, index)
}

fn column<T: rusqlite::types::FromSql>(row: &Row<'_>, index: usize) -> Result<T, StoreError> {
    row.get(index).map_err(fault::of)
}
