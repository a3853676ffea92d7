//! A run is removed, and leaves no bytes.
//!
//! First it is gone for every reader, in one small transaction; then its rows go, part by part, so that others write in
//! between. A removal that was cut short goes on at the next one. Rows that were deleted long before lie in free pages
//! and in the gaps of others: the free pages are given back, the file is rewritten when that is quick, and at last the
//! write-ahead log is emptied.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{
    apply::{exec, rid},
    fault,
};
use crate::store::{Millis, Owner, Removal, RunStatus, StoreError, Swept, owner};

/// How many rows a transaction deletes.
const ROWS: usize = 2_000;

/// How many free pages are given back in one transaction.
const PAGES: i64 = 1_024;

/// Where the rows of a run lie, and what tells them apart.
const TABLES: [(&str, &str); 6] = [
    ("event", "rowid"),
    ("chunk", "rowid"),
    ("fiber", "rowid"),
    ("checkpoint", "n"),
    ("request", "rowid"),
    ("moved", "n"),
];

/// Makes the run gone for every reader, or says why it stays.
pub(super) fn mark(conn: &mut Connection, run: &str, force: bool, now: Millis) -> Result<Removal, StoreError> {
    let tx = begin(conn)?;
    let rid = rid(&tx, run)?;
    let sql = "SELECT status, owner, lease_until, bytes FROM standing WHERE rid = ?1";
    let standing = tx
        .query_row(sql, [rid], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?, row.get(2)?, row.get::<_, i64>(3)?))
        })
        .optional()
        .map_err(fault::of)?;
    let mut bytes = 0;
    // A run of which it is not said where it stands is of no use to anybody.
    if let Some((status, holder, lease_until, weight)) = standing {
        let holder = holder.as_deref().and_then(Owner::parse);
        if let Some(holder) = holder
            && !owner::is_free(Some(&holder), lease_until, now)
        {
            return Ok(Removal::Executed(holder.to_string()));
        }
        let ended = RunStatus::parse(&status).is_some_and(RunStatus::has_ended);
        if !ended && !force {
            return Ok(Removal::Unfinished(status));
        }
        bytes = u64::try_from(weight).unwrap_or(0);
    }
    exec(&tx, "INSERT INTO removed (rid, code_hash) SELECT rid, code_hash FROM run WHERE rid = ?1", [rid])?;
    // Those are found without the run.
    exec(&tx, "DELETE FROM request WHERE rid = ?1 AND state IN ('open', 'recorded')", [rid])?;
    // And these hang on it.
    exec(&tx, "DELETE FROM result WHERE rid = ?1", [rid])?;
    exec(&tx, "DELETE FROM standing WHERE rid = ?1", [rid])?;
    exec(&tx, "DELETE FROM run WHERE rid = ?1", [rid])?;
    tx.commit().map_err(fault::of)?;
    Ok(Removal::Removed { bytes })
}

/// Deletes all rows of the runs that are gone, and what is left of them in the file. At most `quick` bytes of a file are
/// rewritten whole.
pub(super) fn sweep(conn: &mut Connection, quick: u64) -> Result<Swept, StoreError> {
    loop {
        let tx = begin(conn)?;
        let more = part(&tx)?;
        tx.commit().map_err(fault::of)?;
        if !more {
            break;
        }
    }
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(fault::of);
    // Others free pages meanwhile; those are not waited for.
    for _ in 0..=number("freelist_count")? / PAGES {
        let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({PAGES})")).map_err(fault::of)?;
        let mut rows = statement.query([]).map_err(fault::of)?;
        while rows.next().map_err(fault::of)?.is_some() {}
    }
    let size = number("page_count")?.saturating_mul(number("page_size")?);
    let rewritten = u64::try_from(size).is_ok_and(|size| size <= quick);
    if rewritten {
        conn.execute_batch("VACUUM").map_err(fault::of)?;
    }
    let busy = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).map_err(fault::of)?;
    Ok(Swept { rewritten, log_emptied: busy == 0 })
}

/// Deletes some rows of a run that is gone. Whether there are more.
fn part(tx: &Transaction<'_>) -> Result<bool, StoreError> {
    let sql = "SELECT rid, code_hash FROM removed ORDER BY rid LIMIT 1";
    let gone: Option<(i64, Vec<u8>)> =
        tx.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(fault::of)?;
    let Some((rid, started_with)) = gone else { return Ok(false) };
    let mut left = ROWS;
    for (table, key) in TABLES {
        if table == "moved" {
            codes(tx, rid, &started_with)?;
        }
        let sql = format!(
            "DELETE FROM {table} WHERE rid = ?1 AND {key} IN (SELECT {key} FROM {table} WHERE rid = ?1 LIMIT ?2)"
        );
        left -= exec(tx, &sql, params![rid, left as i64])?.min(left);
        if left == 0 {
            return Ok(true);
        }
    }
    exec(tx, "DELETE FROM removed WHERE rid = ?1", [rid])?;
    Ok(true)
}

/// Deletes the code of a run that no other run names.
fn codes(tx: &Transaction<'_>, rid: i64, started_with: &[u8]) -> Result<(), StoreError> {
    exec(
        tx,
        "DELETE FROM code WHERE hash IN (SELECT ?2 UNION SELECT code_hash FROM moved WHERE rid = ?1) \
         AND NOT EXISTS (SELECT 1 FROM run WHERE run.code_hash = code.hash) \
         AND NOT EXISTS (SELECT 1 FROM moved WHERE moved.code_hash = code.hash AND moved.rid <> ?1)",
        params![rid, started_with],
    )
    .map(drop)
}

fn begin(conn: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault::of)
}
