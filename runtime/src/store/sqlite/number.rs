//! Numbers between Rust, which counts without sign, and SQLite, which has signed integers only.

use rusqlite::Row;

use super::fault;
use crate::store::StoreError;

/// A number as the database keeps it. Too large a one cannot come from counting.
pub(super) fn stored(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Unusable(format!("the number {number} is larger than it can hold")))
}

/// A number from the database: column `index` of `row`.
pub(super) fn counted(row: &Row<'_>, index: usize) -> Result<u64, StoreError> {
    let number: i64 = row.get(index).map_err(fault::of)?;
    u64::try_from(number).map_err(|_| StoreError::Damaged {
        row: format!("column `{}`", row.as_ref().column_name(index).unwrap_or("?")),
        reason: format!("{number} is negative"),
    })
}

/// A limit of rows.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
