//! Who executes a run, and how to tell that it no longer does.
//!
//! A process is known by host, id and start time: an id alone is used again, and then a stranger would keep a run
//! from ever going on.

use std::{fmt, process::Command, sync::OnceLock};

use super::{Millis, StoreError};

/// A process that executes runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The name of its host, and after a `#` what tells apart the process ids that it can see: the boot of the system and
    /// the namespace of processes (containers may share the name of their host).
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// When that process started, in the system's own unit, so that a process id used again is not mistaken; 0 where
    /// the system does not tell.
    pub started: u64,
}

impl Owner {
    /// This process.
    pub fn current() -> Self {
        static CURRENT: OnceLock<Owner> = OnceLock::new();
        let find = || {
            let pid = std::process::id();
            let started = stat(pid).map_or(0, |stat| stat.started);
            Owner { host: host_name(), pid, started }
        };
        CURRENT.get_or_init(find).clone()
    }

    /// Whether the process has ended; `None` when that cannot be told from here, as on another host.
    pub fn is_dead(&self) -> Option<bool> {
        let current = Self::current();
        // Where process ids mean something else, only the lease tells.
        if self.host != current.host {
            return None;
        }
        if self.pid == current.pid {
            return Some(self.started != current.started);
        }
        // A system without `/proc` gave no start time, neither to this process nor to that one.
        if current.started == 0 {
            return ask_kill(self.pid);
        }
        Some(stat(self.pid).is_none_or(|stat| stat.ended || stat.started != self.started))
    }

    /// As the database keeps it: process id, start time, host. The host comes last because any character may be in it.
    pub(super) fn to_text(&self) -> String {
        format!("{} {} {}", self.pid, self.started, self.host)
    }

    /// The reverse of [`Owner::to_text`].
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let pid = parts.next()?.parse().ok()?;
        let started = parts.next()?.parse().ok()?;
        Some(Owner { host: parts.next()?.to_owned(), pid, started })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.host.split('#').next().unwrap_or_default();
        write!(f, "process {} on {name}", self.pid)
    }
}

/// Whether `holder` keeps a run from being acquired by `asker`: it is another process, may be alive, and its lease has
/// not expired.
pub(super) fn check_free(
    holder: Option<&Owner>,
    lease_until: Millis,
    asker: &Owner,
    now: Millis,
) -> Result<(), StoreError> {
    match holder {
        Some(holder) if holder != asker && lease_until > now && holder.is_dead() != Some(true) => {
            Err(StoreError::Owned { owner: holder.to_string(), expires_in: lease_until.saturating_sub(now) })
        }
        _ => Ok(()),
    }
}

/// Whether nobody alive executes a run that this owner had, whose lease runs until then.
pub(super) fn is_free(holder: Option<&Owner>, lease_until: Millis, now: Millis) -> bool {
    holder.is_none_or(|holder| lease_until <= now || holder.is_dead() == Some(true))
}

/// What Linux tells of a process.
struct Stat {
    /// It has ended, and only its parent has not noticed.
    ended: bool,
    /// Clock ticks from boot to its start.
    started: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let bytes = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X" | "x");
    let started = fields.nth(18)?.parse().ok()?;
    Some(Stat { ended, started })
}

/// `kill -0` sends nothing; it fails for a process that is gone, and also for one of another user.
fn ask_kill(pid: u32) -> Option<bool> {
    let output = Command::new("kill").args(["-0", &pid.to_string()]).env("LC_ALL", "C").output().ok()?;
    match output.status.success() {
        true => Some(false),
        false => String::from_utf8_lossy(&output.stderr).contains("No such process").then_some(true),
    }
}

fn host_name() -> String {
    let file = |path| std::fs::read_to_string(path).ok();
    let command = || Some(String::from_utf8_lossy(&Command::new("hostname").output().ok()?.stdout).into_owned());
    let found = file("/proc/sys/kernel/hostname").or_else(|| file("/etc/hostname")).or_else(command);
    let found = found.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = found.unwrap_or("localhost").replace('#', "");
    let boot = file("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    match (boot.trim(), space.as_str()) {
        ("", "") => name,
        parts => {
            let seen = blake3::hash(format!("{} {}", parts.0, parts.1).as_bytes()).to_hex();
            format!("{name}#{}", &seen[..16])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_reads_back() {
        let owner = Owner::current();
        assert_eq!(owner.is_dead(), Some(false));
        assert_eq!(Owner::parse(&owner.to_text()), Some(owner));
        let odd = Owner { host: "a b\nc".into(), pid: 7, started: 0 };
        assert_eq!(Owner::parse(&odd.to_text()), Some(odd));
        assert_eq!(Owner::parse("x 1 host"), None);
        assert_eq!(Owner::parse(""), None);
    }

    #[test]
    fn a_process_id_used_again_is_another_process() {
        let now = Owner::current();
        let before = Owner { started: now.started.wrapping_add(1), ..now.clone() };
        assert_eq!(before.is_dead(), Some(true));
        let elsewhere = Owner { host: "elsewhere".into(), ..now };
        assert_eq!(elsewhere.is_dead(), None);
    }
}
