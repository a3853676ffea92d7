//! Runs that have moved to other code than they started with.

use crate::store::{Moved, RunRecord, Store, StoreError};

/// What a run that goes on from an older checkpoint moves back to, when it had other code there.
pub(super) fn back(store: &dyn Store, record: &RunRecord, at: Option<u64>) -> Result<Option<Moved>, StoreError> {
    let Some(at) = at else { return Ok(None) };
    let code_hash = store.code_at(&record.id, at)?;
    if code_hash == record.code_hash {
        return Ok(None);
    }
    Ok(Some(Moved { code_hash, code: store.code(&code_hash)?.into() }))
}
