//! What SQLite says, in the words of the store.

use rusqlite::{Error, ErrorCode};

use crate::store::StoreError;

/// An error while a store is opened: a file that cannot be read as one is foreign.
pub(in crate::store) fn at_open(error: Error) -> StoreError {
    match code(&error) {
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Foreign(format!("the file is torn: {}", words(&error))),
        _ => of(error),
    }
}

/// An error while a store is used.
pub(in crate::store) fn of(error: Error) -> StoreError {
    let Some(code) = code(&error) else {
        return damaged(&error);
    };
    let reason = match code {
        ErrorCode::NotADatabase => return StoreError::Foreign("the file is not a database".into()),
        ErrorCode::DatabaseCorrupt | ErrorCode::TypeMismatch | ErrorCode::ConstraintViolation => {
            return damaged(&error);
        }
        // Tables or columns that ought to be there.
        ErrorCode::Unknown => return damaged(&error),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "another process is writing to it; try again".into(),
        ErrorCode::DiskFull => "the disk is full; make room, then resume the run".into(),
        ErrorCode::ReadOnly => "it is read-only; check the permissions of the file and of its folder".into(),
        ErrorCode::CannotOpen => "the file cannot be opened; check the path and the permissions".into(),
        ErrorCode::PermissionDenied => "access to it is denied".into(),
        ErrorCode::SystemIoFailure => format!("the disk reports an error ({})", words(&error)),
        ErrorCode::FileLockingProtocolFailed | ErrorCode::NoLargeFileSupport => {
            "its file system cannot lock files (a network drive?); put the store on a local disk".into()
        }
        ErrorCode::TooBig => "a row is larger than it can hold".into(),
        _ => words(&error),
    };
    StoreError::Unusable(reason)
}

/// Whether someone else holds the lock that was wanted.
pub(in crate::store) fn is_busy(error: &Error) -> bool {
    matches!(code(error), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn code(error: &Error) -> Option<ErrorCode> {
    match error {
        Error::SqliteFailure(failure, _) => Some(failure.code),
        Error::SqlInputError { error, .. } => Some(error.code),
        _ => None,
    }
}

fn damaged(error: &Error) -> StoreError {
    StoreError::Damaged { row: "the database file".into(), reason: words(error) }
}

/// SQLite's own words, without the statement.
fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}
