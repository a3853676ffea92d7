//! What version a database file has, and how it comes to the present one.
//!
//! Nothing is written into a file before it is known to be ours or empty: whoever names the wrong file finds it
//! unchanged.

use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, sqlite::fault};

/// Says in bytes 68–71 of the file that it is a wf store: `wfst`.
const APPLICATION_ID: i32 = 0x7766_7374;

/// One script a version: the n-th takes a store from version n - 1 to n.
const STEPS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema2.sql")];

/// The version that this program reads and writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// How long the change to write-ahead logging is tried; SQLite itself does not wait there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes sure that `conn` is a wf store of the present version, in write-ahead mode.
pub(super) fn prepare(conn: &mut Connection) -> Result<(), StoreError> {
    // In one transaction: who creates the store at this moment must not be seen half done.
    let tx = conn.transaction().map_err(fault::at_open)?;
    let found = recognise(&tx)?;
    drop(tx);
    if found == 0 {
        // Only before the first page is written; a file gets no second chance at it.
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(fault::at_open)?;
    }
    write_ahead(conn)?;
    if found < VERSION {
        migrate(conn)?;
    }
    Ok(())
}

/// The version of the store; 0 for a file that holds nothing yet.
fn recognise(conn: &Connection) -> Result<i64, StoreError> {
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(fault::at_open);
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault::at_open)?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(0),
        (id, _, _) if id != i64::from(APPLICATION_ID) => {
            Err(StoreError::Foreign("it is the database of another program".into()))
        }
        (_, version, _) if version > VERSION => Err(StoreError::Newer { found: version, known: VERSION }),
        (_, version, tables) if version < 1 || tables == 0 => {
            Err(StoreError::Foreign(format!("it says that it has version {version}, which never was")))
        }
        _ => Ok(version),
    }
}

fn write_ahead(conn: &Connection) -> Result<(), StoreError> {
    let start = Instant::now();
    loop {
        match conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(_) => {
                return Err(StoreError::Unusable(
                    "its file system does not support write-ahead logging (a network drive?); put the store on a local disk"
                        .into(),
                ));
            }
            Err(error) if fault::is_busy(&error) && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(fault::at_open(error)),
        }
    }
}

/// As [`prepare`], in memory, where there is nothing to log ahead.
#[cfg(test)]
pub(super) fn build(conn: &mut Connection) -> Result<(), StoreError> {
    migrate(conn)
}

fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault::at_open)?;
    // Another process may have been faster while this one waited for the lock.
    let found = recognise(&tx)?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        tx.execute_batch(step).map_err(fault::at_open)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(fault::at_open)?;
    tx.pragma_update(None, "user_version", VERSION).map_err(fault::at_open)?;
    tx.commit().map_err(fault::at_open)
}
