//! Whether the file system of a store can lock files.
//!
//! Two processes that both think they have the lock damage the file, and neither notices. SQLite takes a file system
//! that knows no locks for one where somebody else has them, and waits in vain.

use std::{fs, io, path::Path};

use rustix::io::Errno;

use super::StoreError;

/// What is to be told of a store at `path`, if anything. A new one is tried out; so is one on a file system of which it
/// is known that locks may not work.
///
/// # Errors
/// When files cannot be locked there.
pub(super) fn check(path: &Path, new: bool) -> Result<Option<String>, StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let network = kind(folder);
    let tried = if new || network.is_some() { probe(folder) } else { Ok(()) };
    judge(network, tried)
}

fn judge(network: Option<&str>, tried: Result<(), Errno>) -> Result<Option<String>, StoreError> {
    match (tried, network) {
        (Err(error @ (Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL)), _) => {
            let error = io::Error::from(error);
            Err(StoreError::Unusable(format!(
                "its file system cannot lock files ({error}); put the store on a local disk"
            )))
        }
        // Whatever else is wrong is told when the store is opened.
        (_, Some(name)) => Ok(Some(format!(
            "it lies on a network drive ({name}), where locks may not hold between hosts: let one host alone use it, or put \
             it on a local disk"
        ))),
        _ => Ok(None),
    }
}

/// Locks a file beside the store: to close the store itself would give up the locks that this process has on it.
fn probe(folder: &Path) -> Result<(), Errno> {
    use rustix::fs::{FlockOperation, fcntl_lock};
    let path = folder.join(format!(".wf-lock-{}", std::process::id()));
    // Who cannot write there learns it when the store is opened.
    let Ok(file) = fs::File::options().write(true).create_new(true).open(&path) else { return Ok(()) };
    let locked = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
    let _ = fs::remove_file(&path);
    locked
}

/// The name of a file system that lies on another host.
#[cfg(target_os = "linux")]
fn kind(folder: &Path) -> Option<&'static str> {
    const NAMES: [(u32, &str); 8] = [
        (0x6969, "nfs"),
        (0x517b, "smb"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        (0x0102_1997, "9p"),
        (0x5346_414f, "afs"),
        (0x7375_7245, "coda"),
        (0x00c3_6400, "ceph"),
    ];
    let found = rustix::fs::statfs(folder).ok()?.f_type as u32;
    NAMES.iter().find(|(number, _)| *number == found).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn kind(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_told() {
        for fault in [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP] {
            for network in [None, Some("nfs")] {
                let error = judge(network, Err(fault)).expect_err("no store goes there").to_string();
                assert!(error.contains("cannot lock files") && error.contains("local disk"), "{error}");
            }
        }
    }

    #[test]
    fn a_network_drive_is_warned_of() {
        let warning = judge(Some("nfs"), Ok(())).expect("it may be used").expect("a warning");
        assert!(warning.contains("(nfs)") && warning.contains("one host alone"), "{warning}");
        assert_eq!(judge(None, Ok(())), Ok(None));
        // Somebody else has the lock, or there is no room: nothing that speaks against locks.
        assert_eq!(judge(None, Err(Errno::AGAIN)), Ok(None));
    }

    #[test]
    fn a_disk_that_locks_is_left_as_it_was() {
        let folder = std::env::temp_dir().join(format!("wf-locks-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        assert_eq!(probe(&folder), Ok(()));
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
        assert!(probe(&folder.join("missing")).is_ok());
        fs::remove_dir(&folder).expect("removed");
    }
}
