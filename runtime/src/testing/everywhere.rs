//! A test, run again and again, each time with a crash at another of its writes: what comes of it is to be the same.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use wf_lang::program::Test;

use super::{Kill, Settings, Verdict, diff::diff, failure::Failure, played};
use crate::machine::Image;

/// The most writes that users have tried.
pub const MOST_WRITES: u64 = 200;

/// At which writes a test is crashed.
#[derive(Debug)]
pub struct Everywhere<'a> {
    /// What a sample is drawn by.
    pub seed: u64,
    /// Past so many writes a sample of so many is taken.
    pub most: u64,
    /// Only this write, from 1.
    pub only: Option<u64>,
    /// Counts the crashes, for those who watch.
    pub progress: &'a AtomicU64,
}

/// What came of the crashes of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crashes {
    /// How often the test was run with a crash.
    pub runs: u64,
    /// How many writes it makes.
    pub writes: u64,
    /// Not all of them were tried.
    pub sampled: bool,
    /// How many crashes left a call unknown in a step with `@on_crash("throw")`: what then comes is up to the script.
    pub unknown: u64,
    /// The write at which a crash changed the outcome.
    pub at: Option<u64>,
}

/// What a test came to, beside its verdict.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    /// The steps that completed, by path, each as often as it did, in order of their names.
    pub(super) finished: Vec<String>,
    pub(super) writes: u64,
    /// A crash from outside has left a call unknown, and its step threw.
    pub(super) unknown: bool,
    /// What had happened when the crash from outside came.
    pub(super) when: Option<String>,
}

/// Runs a test, and again with a crash at each write, one time right before it and one time right after.
pub async fn run_everywhere(image: &Arc<Image>, test: &Test, settings: &Settings, how: &Everywhere<'_>) -> Verdict {
    let (mut whole, trace) = played(image, test, settings).await;
    if whole.failure.is_some() {
        return whole;
    }
    let (writes, sampled) = chosen(trace.writes, how);
    let mut crashes = Crashes { writes: trace.writes, sampled, ..Crashes::default() };
    if let Some(only) = how.only.filter(|only| *only == 0 || *only > trace.writes) {
        let failure = Failure::new(format!("there is no write {only}: the test makes {} writes", trace.writes));
        whole.failure = Some(failure.help("they are counted from 1").at(test.span));
    }
    for (write, before) in writes.into_iter().flat_map(|write| [(write, true), (write, false)]) {
        let kill = Some(Kill { every: write, before, once: true });
        let (crashed, after) = played(image, test, &Settings { kill, ..settings.clone() }).await;
        crashes.runs += 1;
        how.progress.fetch_add(1, Ordering::Relaxed);
        crashes.unknown += u64::from(after.unknown);
        let Some(failure) = changed(&whole, &trace, crashed, &after) else { continue };
        let lost = if before { "which is lost" } else { "which is kept" };
        let crash = format!("at write {write} of {}, {lost}", trace.writes);
        let lines = [Some(crash), after.when].into_iter().flatten().collect();
        let mut failure = Failure { span: failure.span.or(Some(test.span)), ..failure };
        failure.values.insert(0, ("the crash".to_owned(), lines));
        whole.failure = Some(failure);
        crashes.at = Some(write);
        break;
    }
    whole.crashes = Some(crashes);
    whole
}

/// What a crash has changed.
fn changed(whole: &Verdict, trace: &Trace, crashed: Verdict, after: &Trace) -> Option<Failure> {
    // The attempts of a step around it are not told in its path, so it may have completed more than once without a crash.
    let times = |trace: &Trace, path: &String| trace.finished.iter().filter(|found| *found == path).count();
    let more = |path: &&String| times(after, path) > times(trace, path).max(1);
    let repeats = after.finished.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]);
    if let Some(twice) = repeats.into_iter().find(more) {
        let failure = Failure::new(format!("the step `{twice}` has finished before a crash, and was run again"));
        return Some(failure.help("this is an error of wf: please report it, with the script"));
    }
    if after.unknown {
        return None;
    }
    if let Some(failure) = crashed.failure {
        let message = format!("this fails when the process crashes: {}", failure.message);
        return Some(Failure { message, ..failure });
    }
    for (what, before, after) in [
        ("a crash changes which steps come to an end", &trace.finished, &after.finished),
        ("a crash changes what is printed", &whole.printed, &crashed.printed),
    ] {
        let differs = diff(before, after);
        if !differs.is_empty() {
            return Some(Failure { diff: differs, ..Failure::new(what) });
        }
    }
    None
}

/// The writes at which the test is crashed, and whether they are a sample.
fn chosen(writes: u64, how: &Everywhere<'_>) -> (BTreeSet<u64>, bool) {
    if let Some(only) = how.only {
        return ((1..=writes).filter(|write| *write == only).collect(), false);
    }
    if writes <= how.most {
        return ((1..=writes).collect(), false);
    }
    let (mut drawn, mut state) = (BTreeSet::new(), how.seed);
    while (drawn.len() as u64) < how.most {
        drawn.insert(next(&mut state) % writes + 1);
    }
    (drawn, true)
}

/// The next of the numbers that look random (SplitMix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(writes: u64, seed: u64, only: Option<u64>) -> (BTreeSet<u64>, bool) {
        chosen(writes, &Everywhere { seed, most: MOST_WRITES, only, progress: &AtomicU64::new(0) })
    }

    #[test]
    fn few_writes_are_all_tried_and_many_are_drawn_by_the_seed() {
        assert_eq!(of(200, 1, None), ((1..=200).collect(), false));
        let (drawn, sampled) = of(201, 1, None);
        assert!(sampled && drawn.len() == 200 && drawn.iter().all(|write| (1..=201).contains(write)));
        assert_eq!(of(10_000, 7, None), of(10_000, 7, None));
        assert_ne!(of(10_000, 7, None), of(10_000, 8, None));
        assert_eq!(of(10_000, 7, Some(9000)), ([9000].into(), false));
    }

    #[test]
    fn what_a_crash_changes_is_seen() {
        let trace = |finished: &[&str]| Trace {
            finished: finished.iter().map(|&path| path.to_owned()).collect(),
            ..Trace::default()
        };
        let prints = |line: &str| Verdict { printed: vec![line.to_owned()], ..Verdict::default() };
        let message = |crashed: Verdict, after: &Trace| {
            changed(&prints("a"), &trace(&["x", "y"]), crashed, after).map(|failure| failure.message)
        };
        assert_eq!(message(prints("a"), &trace(&["x", "y"])), None);
        let twice = message(prints("a"), &trace(&["x", "x", "y"])).expect("seen");
        assert!(twice.contains("`x` has finished before a crash"), "{twice}");
        assert!(message(prints("a"), &trace(&["x"])).expect("seen").contains("come to an end"));
        assert!(message(prints("b"), &trace(&["x", "y"])).expect("seen").contains("printed"));
        let failed = Verdict { failure: Some(Failure::new("no")), ..prints("a") };
        assert_eq!(message(failed, &trace(&["x", "y"])).as_deref(), Some("this fails when the process crashes: no"));
        // Who says that a call throws after a crash has it throw; but nothing is run twice for that.
        let unknown = |finished: &[&str]| Trace { unknown: true, ..trace(finished) };
        assert_eq!(message(prints("b"), &unknown(&["x"])), None);
        assert!(message(prints("b"), &unknown(&["x", "x"])).is_some());
    }
}
