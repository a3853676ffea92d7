//! How far the tests are, for who sits at a terminal while they are crashed everywhere.

use std::{
    io::{self, IsTerminal},
    sync::{atomic::Ordering, mpsc},
    time::Duration,
};

use wf_runtime::testing::Verdict;

use super::Crashing;
use crate::out;

/// How often it is said.
const EVERY: Duration = Duration::from_millis(100);

/// How far the tests are.
pub(super) struct Progress<'a> {
    crashing: Option<&'a Crashing>,
    tests: usize,
    done: usize,
    /// A line stands there that is to be wiped before anything else is said.
    shown: bool,
}

impl<'a> Progress<'a> {
    pub(super) fn of(crashing: Option<&'a Crashing>, tests: usize) -> Self {
        let crashing = crashing.filter(|_| io::stderr().is_terminal());
        Self { crashing, tests, done: 0, shown: false }
    }

    /// The next verdict; until it is there, how far the tests are.
    pub(super) fn next(&mut self, receiver: &mpsc::Receiver<(usize, Verdict)>) -> Option<(usize, Verdict)> {
        let verdict = match self.crashing {
            None => receiver.recv().ok(),
            Some(crashing) => loop {
                match receiver.recv_timeout(EVERY) {
                    Ok(verdict) => break Some(verdict),
                    Err(mpsc::RecvTimeoutError::Disconnected) => break None,
                    Err(mpsc::RecvTimeoutError::Timeout) => self.say(crashing),
                }
            },
        };
        if std::mem::take(&mut self.shown) {
            out::tell("\r\u{1b}[2K");
        }
        self.done += 1;
        verdict
    }

    fn say(&mut self, crashing: &Crashing) {
        let crashes = crashing.done.load(Ordering::Relaxed);
        out::tell(&format!("\r\u{1b}[2K{} of {} tests, {crashes} crashes", self.done, self.tests));
        self.shown = true;
    }
}
