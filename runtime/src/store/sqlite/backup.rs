//! A store is copied while runs go on.
//!
//! What is copied is one moment of it: a read transaction holds that moment, and whoever writes goes on beside it. The
//! copy gets its name when it is whole and on the disk.

use std::{fs, path::Path};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::fault;
use crate::store::StoreError;

/// How many pages are copied at a time.
const PAGES: i32 = 1_024;

/// Copies what `source` reads to `target`, by way of `partial` beside it; gives how many bytes the copy has.
pub(super) fn copy(source: &Connection, target: &Path, partial: &Path) -> Result<u64, StoreError> {
    discard(partial);
    let copied = write(source, partial).and_then(|()| publish(partial, target));
    if copied.is_err() {
        discard(partial);
    }
    copied
}

fn write(source: &Connection, partial: &Path) -> Result<(), StoreError> {
    let read = source.unchecked_transaction().map_err(fault::of)?;
    // The moment is chosen by the first look.
    read.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(fault::of)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(partial, flags).map_err(fault::of)?;
    let backup = Backup::new(source, &mut copy).map_err(fault::of)?;
    while backup.step(PAGES).map_err(fault::of)? != StepResult::Done {}
    drop(backup);
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fault::of)?;
    if found != "ok" {
        return Err(StoreError::Damaged { row: "the database file".into(), reason: found });
    }
    copy.close().map_err(|(_, error)| fault::of(error))
}

fn publish(partial: &Path, target: &Path) -> Result<u64, StoreError> {
    let failed = |error: std::io::Error| StoreError::Unusable(format!("`{}`: {error}", target.display()));
    let file = fs::File::open(partial).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    // The log of a store that is written over would be taken for that of the copy.
    companions(target);
    fs::rename(partial, target).map_err(failed)?;
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty())
        && let Ok(folder) = fs::File::open(folder)
    {
        // Not every file system knows that of folders.
        let _ = folder.sync_all();
    }
    Ok(file.metadata().map_err(failed)?.len())
}

/// Nothing may be there, and nothing need be.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
    companions(path);
}

fn companions(path: &Path) {
    for end in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let _ = fs::remove_file(name);
    }
}
