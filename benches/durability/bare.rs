//! The floor: the same rows in the same tables, by SQLite alone.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};
use wf_runtime::store::Delta;

/// An empty database with the store's tables and settings.
pub(crate) fn open(path: &Path) -> Connection {
    let conn = Connection::open(path).expect("a database");
    conn.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
    )
    .expect("settings");
    conn.set_prepared_statement_cache_capacity(64);
    conn.execute_batch(include_str!("../../runtime/src/store/schema.sql")).expect("tables");
    conn
}

/// Inserts the rows of each delta in a transaction of its own; nothing is read, closed or deleted.
pub(crate) fn insert(conn: &mut Connection, deltas: &[Delta]) -> rusqlite::Result<()> {
    for delta in deltas {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let n = delta.n as i64;
        tx.prepare_cached("INSERT INTO checkpoint VALUES (1, ?1, ?2, ?3)")?.execute(params![
            n,
            delta.pinned,
            delta.header
        ])?;
        for row in &delta.fibers {
            tx.prepare_cached("INSERT INTO fiber VALUES (1, ?1, ?2, ?3, ?1, ?4)")?.execute(params![
                n,
                row.fiber,
                row.segment,
                row.data
            ])?;
        }
        for (id, data) in &delta.chunks {
            tx.prepare_cached("INSERT INTO chunk VALUES (1, ?1, ?2, NULL, ?3)")?
                .execute(params![*id as i64, n, data])?;
        }
        if let Some(events) = &delta.events {
            tx.prepare_cached("INSERT INTO event VALUES (1, ?1, ?2, ?3, ?4)")?.execute(params![
                events.first_seq as i64,
                events.count as i64,
                n,
                events.lines
            ])?;
        }
        tx.commit()?;
    }
    Ok(())
}
