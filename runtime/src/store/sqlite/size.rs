//! What the bytes of a run hold.

use rusqlite::{Transaction, params};

use super::{
    apply::{OPEN, rid, summed},
    fault,
    number::counted,
    query::all,
};
use crate::store::{COUNTED, Counted, RunId, Sizes, StoreError};

pub(super) fn of(tx: &Transaction<'_>, run: &RunId) -> Result<Sizes, StoreError> {
    let rid = rid(tx, run)?;
    let counted_of = |sql: &str| -> Result<Counted, StoreError> {
        let read = |row: &rusqlite::Row<'_>| Ok(Counted { rows: counted(row, 0)?, bytes: counted(row, 1)? });
        Ok(all(tx, sql, [rid], read)?.into_iter().next().unwrap_or_default())
    };
    let bytes_of = |sql: &str| summed(tx, sql, [rid]).map(|bytes| u64::try_from(bytes).unwrap_or(0));
    let sql = "SELECT fiber, sum(octet_length(data)) FROM fiber WHERE rid = ?1 AND until = ?2 GROUP BY fiber";
    let fibers = all(tx, sql, params![rid, OPEN], |row| Ok((row.get(0).map_err(fault::of)?, counted(row, 1)?)))?;
    Ok(Sizes {
        input: bytes_of("SELECT octet_length(input) + octet_length(settings) FROM run WHERE rid = ?1")?,
        result: bytes_of("SELECT octet_length(json) FROM result WHERE rid = ?1")?,
        headers: counted_of("SELECT count(*), coalesce(sum(octet_length(header)), 0) FROM checkpoint WHERE rid = ?1")?,
        fibers,
        chunks: counted_of(
            "SELECT count(*), coalesce(sum(octet_length(data)), 0) FROM chunk \
             WHERE rid = ?1 AND dead_since IS NULL",
        )?,
        old_fibers: counted_of(
            "SELECT count(*), coalesce(sum(octet_length(data)), 0) FROM fiber \
             WHERE rid = ?1 AND until < 9223372036854775807",
        )?,
        old_chunks: counted_of(
            "SELECT count(*), coalesce(sum(octet_length(data)), 0) FROM chunk \
             WHERE rid = ?1 AND dead_since IS NOT NULL",
        )?,
        events: counted_of(
            "SELECT coalesce(sum(count), 0), coalesce(sum(octet_length(lines)), 0) FROM event WHERE rid = ?1",
        )?,
        requests: counted_of(
            "SELECT count(*), coalesce(sum(octet_length(json) + coalesce(octet_length(answer), 0)), 0) \
             FROM request WHERE rid = ?1",
        )?,
        code: bytes_of(
            "SELECT octet_length(data) FROM code WHERE hash IN (SELECT code_hash FROM run WHERE rid = ?1 \
             UNION SELECT code_hash FROM moved WHERE rid = ?1)",
        )?,
        code_shared_by: sharers(tx, rid)?,
    })
}

/// How many other runs started with the same code, counted up to a limit.
fn sharers(tx: &Transaction<'_>, rid: i64) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM run WHERE code_hash = \
               (SELECT code_hash FROM run WHERE rid = ?1) AND rid <> ?1 LIMIT ?2)";
    let found = all(tx, sql, params![rid, COUNTED as i64], |row| counted(row, 0))?;
    Ok(found.into_iter().sum())
}
