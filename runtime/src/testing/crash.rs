//! `crash` lines: which calls they wait for, and whether they fired.

use std::collections::BTreeMap;

use super::{
    failure::Failure,
    mock::without_attempt,
    world::{Crash, Doom, World},
};
use crate::{effect::Effect, machine::Outcome, value::Value};

impl World {
    /// `_crash(of, during, nth)`.
    pub(super) fn crash(&self, effect: &Effect) -> Outcome {
        let [of, during, nth] = effect.args.as_slice() else { return Ok(Value::Null) };
        let Some(entry) = self.entry(Some(of)) else { return Ok(Value::Null) };
        let Some(nth) = nth.as_int().and_then(|nth| usize::try_from(nth).ok()).filter(|nth| *nth > 0) else {
            self.fail(Failure::new("calls are counted from 1").at(effect.span).value("it is", nth));
            return Ok(Value::Null);
        };
        let during = during.as_bool() == Some(true);
        let mut inner = self.lock();
        let completed = inner.completed.get(&(entry, during)).map_or(0, BTreeMap::len);
        let fired = inner.fired.get(inner.crashes.len()) == Some(&true);
        inner.crashes.push(Crash { entry, during, nth, span: effect.span });
        drop(inner);
        if completed >= nth && !fired {
            self.too_late(entry, during, completed, effect);
        }
        Ok(Value::Null)
    }

    /// A `crash` line stands behind the call that it waits for.
    fn too_late(&self, entry: u16, during: bool, completed: usize, effect: &Effect) {
        let (word, name) = (if during { "during" } else { "after" }, self.name(entry));
        let calls = if completed == 1 { "1 call".to_owned() } else { format!("{completed} calls") };
        let failure = Failure::new(format!("this crash comes too late: {calls} of `{name}` came to the end before it"));
        let help = format!("calls are counted in the whole test: `crash {word} {name} {}` is the next", completed + 1);
        self.fail(failure.at(effect.span).help(help));
    }

    /// `_done(of, told)`: a call has its value. Whether it has to be saved now: the end of what is told is saved anyway.
    pub(super) fn done(&self, effect: &Effect) -> bool {
        let Some(entry) = self.entry(effect.args.first()) else { return false };
        let told = effect.args.get(1).and_then(Value::as_bool) == Some(true);
        let identity = effect.path.as_str();
        // What reaches the outside is lost at the write that would hold its answer, which was before.
        let before = !self.reaches_outside(entry) && self.fires(entry, identity, true);
        let doom = if before {
            Doom::Before
        } else if self.fires(entry, identity, false) {
            Doom::After
        } else {
            return false;
        };
        self.lock().doom = Some(doom);
        !told
    }

    /// Counts a call that completes, once, and fires the `crash` lines that wait for it. Whether any did.
    pub(super) fn fires(&self, entry: u16, identity: &str, during: bool) -> bool {
        let call = without_attempt(identity);
        let mut inner = self.lock();
        let completed = inner.completed.entry((entry, during)).or_default();
        let next = completed.len() + 1;
        let nth = *completed.entry(call.to_owned()).or_insert(next);
        let inner = &mut *inner;
        inner.fired.resize(inner.crashes.len().max(inner.fired.len()), false);
        let mut any = false;
        for (crash, fired) in inner.crashes.iter().zip(&mut inner.fired) {
            if crash.entry == entry && crash.during == during && crash.nth == nth && !*fired {
                *fired = true;
                any = true;
            }
        }
        any
    }

    /// The failure of a test that has a `crash` line which never fired.
    pub(super) fn unfired(&self) -> Option<Failure> {
        let inner = self.lock();
        let (_, crash) =
            inner.crashes.iter().enumerate().find(|(number, _)| inner.fired.get(*number) != Some(&true))?;
        let completed = inner.completed.get(&(crash.entry, crash.during)).map_or(0, BTreeMap::len);
        let word = if crash.during { "during" } else { "after" };
        let times = match completed {
            0 => "no call of it came to the end".to_owned(),
            1 => "1 call of it came to the end".to_owned(),
            n => format!("{n} calls of it came to the end"),
        };
        let name = self.name(crash.entry);
        let failure = Failure::new(format!("this crash never happened: `crash {word} {name}`, and {times}"));
        Some(failure.at(crash.span).help("take the line out, or let the test reach that call"))
    }
}
