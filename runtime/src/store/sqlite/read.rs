//! A checkpoint is read, all of it in one transaction.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{apply::rid, fault, number::*};
use crate::store::{Chunks, FiberRow, Saved, StoreError, Visit, rules};

pub(super) fn load(tx: &Transaction<'_>, run: &str, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError> {
    let rid = rid(tx, run)?;
    let last = last_checkpoint(tx, rid, run)?;
    if last == 0 {
        return Ok(false);
    }
    let asked = at.unwrap_or(last);
    // A number that the database cannot hold is not kept either.
    let n = i64::try_from(asked).unwrap_or(i64::MAX);
    let header = match header(tx, rid, n)? {
        Some(header) => header,
        None if at.is_none() => {
            return Err(StoreError::Damaged { row: format!("checkpoint {last}"), reason: "it is missing".into() });
        }
        None => return Err(StoreError::NoCheckpoint { asked, nearest: nearest(tx, rid, n)? }),
    };
    let saved = Saved { n: asked, header, fibers: fibers(tx, rid, n)? };
    visit(&saved, &mut Rows { tx, rid, n })?;
    Ok(true)
}

pub(super) fn code(tx: &Transaction<'_>, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT data FROM code WHERE hash = ?1").map_err(fault::of)?;
    let data = statement.query_row([hash], |row| row.get(0)).optional().map_err(fault::of)?;
    data.ok_or_else(|| StoreError::NotFound(format!("code {}", rules::hex(hash))))
}

/// The chunks that a checkpoint may name.
struct Rows<'t> {
    tx: &'t Transaction<'t>,
    rid: i64,
    n: i64,
}

impl Chunks for Rows<'_> {
    fn chunk(&mut self, id: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT data FROM chunk \
                   WHERE rid = ?1 AND id = ?2 AND since <= ?3 AND (dead_since IS NULL OR dead_since > ?3)";
        let Ok(id) = i64::try_from(id) else { return Ok(None) };
        let mut statement = self.tx.prepare_cached(sql).map_err(fault::of)?;
        statement.query_row(params![self.rid, id, self.n], |row| row.get(0)).optional().map_err(fault::of)
    }
}

fn last_checkpoint(tx: &Transaction<'_>, rid: i64, run: &str) -> Result<u64, StoreError> {
    let mut statement = tx.prepare_cached("SELECT last_checkpoint FROM standing WHERE rid = ?1").map_err(fault::of)?;
    let mut rows = statement.query([rid]).map_err(fault::of)?;
    match rows.next().map_err(fault::of)? {
        Some(row) => counted(row, 0),
        None => Err(super::hand::no_standing(run)),
    }
}

fn header(tx: &Transaction<'_>, rid: i64, n: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT header FROM checkpoint WHERE rid = ?1 AND n = ?2").map_err(fault::of)?;
    statement.query_row([rid, n], |row| row.get(0)).optional().map_err(fault::of)
}

fn fibers(tx: &Transaction<'_>, rid: i64, n: i64) -> Result<Vec<FiberRow>, StoreError> {
    let sql = "SELECT fiber, segment, data FROM fiber \
               WHERE rid = ?1 AND until > ?2 AND since <= ?2 ORDER BY fiber, segment";
    let mut statement = tx.prepare_cached(sql).map_err(fault::of)?;
    let row = |row: &rusqlite::Row<'_>| Ok(FiberRow { fiber: row.get(0)?, segment: row.get(1)?, data: row.get(2)? });
    let rows = statement.query_map([rid, n], row).map_err(fault::of)?;
    rows.collect::<Result<_, _>>().map_err(fault::of)
}

/// The kept checkpoints just below and just above a number.
fn nearest(tx: &Transaction<'_>, rid: i64, n: i64) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT max(n) FROM checkpoint WHERE rid = ?1 AND n < ?2 \
               UNION ALL SELECT min(n) FROM checkpoint WHERE rid = ?1 AND n > ?2";
    let mut statement = tx.prepare_cached(sql).map_err(fault::of)?;
    let rows = statement.query_map([rid, n], |row| row.get::<_, Option<i64>>(0)).map_err(fault::of)?;
    let found = rows.collect::<Result<Vec<_>, _>>().map_err(fault::of)?;
    Ok(found.into_iter().flatten().filter_map(|n| u64::try_from(n).ok()).collect())
}
