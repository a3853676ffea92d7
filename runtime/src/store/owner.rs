//! Who executes a run, and how to tell that it no longer does.

/// A process that executes runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The name of its host.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// When that process started, in the system's own unit, so that a process id used again is not mistaken; 0 where
    /// the system does not tell.
    pub started: u64,
}
