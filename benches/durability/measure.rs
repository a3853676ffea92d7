//! Time, processor time and counts, and how they are shown.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// What a piece of work took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// From beginning to end.
    pub(crate) wall: Duration,
    /// On a processor, user and system, all threads of this process.
    pub(crate) cpu: Duration,
}

/// Measures `work`. Threads that end meanwhile are not counted, so it keeps its threads.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (Took, T) {
    let (cpu, start) = (cpu(), Instant::now());
    let value = work();
    let wall = start.elapsed();
    (Took { wall, cpu: self::cpu().saturating_sub(cpu) }, value)
}

/// How long the living threads of this process were on a processor.
pub(crate) fn cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanos = |path: &Path| fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok();
    Duration::from_nanos(threads.filter_map(|thread| nanos(&thread.path())).sum())
}

/// How long all children that have ended were on a processor; in ticks of ten milliseconds, so many runs are needed.
pub(crate) fn cpu_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        fields.split_ascii_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The middle of some numbers, with the lowest and the highest.
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
}

/// The spread of some numbers; of none it is zero.
pub(crate) fn spread(numbers: impl IntoIterator<Item = f64>) -> Spread {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let at = |index: usize| numbers.get(index).copied().unwrap_or_default();
    Spread { low: at(0), middle: at(numbers.len() / 2), high: at(numbers.len().saturating_sub(1)) }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.middle, self.low, self.high)
    }
}

/// Shows a figure beside its bar.
pub(crate) fn at_most(what: &str, found: f64, bar: f64) {
    let verdict = if found <= bar { "holds" } else { "OVER" };
    println!("   {what:<44} {found:>9.2}   at most {bar}: {verdict}");
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How large a store is: database and write-ahead log, in bytes.
pub(crate) fn size_of_store(path: &Path) -> (u64, u64) {
    let size = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
    (size(path), size(&path.with_extension("db-wal")))
}

/// Runs this program as a child that does `steps` steps in a store at `path`, and counts what it asks the disk to make
/// durable. `None` when there is no `strace`.
pub(crate) fn count_syncs(path: &Path, steps: usize) -> Option<u64> {
    let output = Command::new("strace")
        .args(["-f", "-c", "-e", "trace=fsync,fdatasync"])
        .arg(std::env::current_exe().ok()?)
        .args(["--child", &steps.to_string()])
        .arg(path)
        .output()
        .ok()?;
    // `% time  seconds  usecs/call  calls  [errors]  syscall`
    let table = String::from_utf8_lossy(&output.stderr).into_owned();
    let calls = |line: &str| line.split_ascii_whitespace().nth(3)?.parse::<u64>().ok();
    let syncs: u64 = table.lines().filter(|line| line.ends_with("sync")).filter_map(calls).sum();
    (output.status.success() && syncs > 0).then_some(syncs)
}
