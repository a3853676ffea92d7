//! What can be wrong with a store, each with what the operator can do.

/// Why the store could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// There is no such run or code.
    NotFound(String),
    /// The run's id is taken.
    Exists(String),
    /// Another process has the run.
    Owned {
        /// Who, as people read it.
        owner: String,
        /// Milliseconds until its lease expires.
        expires_in: i64,
    },
    /// The run has changed hands; nothing of this owner is written any more.
    Stale,
    /// A delta whose number does not follow the stored one.
    OutOfOrder {
        /// The stored number.
        stored: u64,
        /// The delta's.
        given: u64,
    },
    /// The checkpoint is not kept.
    NoCheckpoint {
        /// What was asked for.
        asked: u64,
        /// The nearest that are kept.
        nearest: Vec<u64>,
    },
    /// A row does not hold what was written.
    Damaged {
        /// Which row: `checkpoint 12`, `fiber 3 segment 0`, `chunk 7`, `code 1f…`.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is no wf store, or is torn.
    Foreign(String),
    /// The store is from a newer version.
    Newer {
        /// Its version.
        found: i64,
        /// The newest that this program reads.
        known: i64,
    },
    /// The store cannot be read or written: the disk, a lock, permissions.
    Unusable(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound(what) => write!(f, "{what} is not in the store"),
            Self::Exists(id) => write!(f, "there is already a run `{id}`"),
            Self::Owned { owner, expires_in } => {
                write!(f, "the run is being executed by {owner} (its lease ends in {} s)", (expires_in + 999) / 1000)
            }
            Self::Stale => write!(f, "the run was taken over by another process; nothing more was written here"),
            Self::OutOfOrder { stored, given } => {
                write!(f, "checkpoint {given} does not follow checkpoint {stored}; nothing was written")
            }
            Self::NoCheckpoint { asked, nearest } => {
                write!(f, "checkpoint {asked} is not kept")?;
                match nearest.as_slice() {
                    [] => Ok(()),
                    [one] => write!(f, "; the nearest is {one}"),
                    near => {
                        let near: Vec<_> = near.iter().map(u64::to_string).collect();
                        write!(f, "; the nearest are {}", near.join(" and "))
                    }
                }
            }
            Self::Damaged { row, reason } => write!(f, "the store is damaged at {row}: {reason}"),
            Self::Foreign(reason) => write!(f, "no wf store that can be read: {reason}"),
            Self::Newer { found, known } => {
                write!(f, "the store has version {found}, this wf reads up to {known}; use a newer wf")
            }
            Self::Unusable(reason) => write!(f, "the store cannot be used: {reason}"),
        }
    }
}

impl std::error::Error for StoreError {}
