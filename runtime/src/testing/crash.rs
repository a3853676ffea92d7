//! `crash` lines: the process is killed at a write, and the run goes on from the store.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Kill,
    failure::Failure,
    mock::without_attempt,
    world::{Crash, Doom, Line, World},
};
use crate::{
    effect::Effect,
    machine::Outcome,
    store::{
        Answered, Delta, Epoch, EventBatch, Kept, Millis, NewRun, OpenRequest, Owner, Receipt, RunId, RunRecord, Store,
        StoreCounts, StoreError, Visit,
    },
    value::Value,
};

/// How many bytes of events a test may tell.
const MOST_TOLD: usize = 64 << 20;

impl World {
    /// Answers a hook; whether what is true then has to be saved.
    pub(super) fn hook(&self, effect: &Effect) -> (Outcome, bool) {
        let outcome = match effect.name.as_str() {
            "test._mock" => self.mock(effect),
            "test._answer" => self.answer(effect),
            "test._crash" => self.crash(effect),
            "test._failed" => {
                self.fail(Failure::of_assertion(effect));
                Ok(Value::Null)
            }
            "test._calls" => self.calls(effect),
            "test._call" => self.call(effect),
            "test._arguments" => self.arguments(effect),
            "test._value" => self.value(effect),
            "test._answer_of" => self.answer_of_agent(effect),
            "test._wire" => self.wire(effect),
            "test._observed_from" => self.observed_from(),
            "test._observed" => self.observed(effect),
            "test._observe" => return (Ok(Value::Null), true),
            "test._done" => return (Ok(Value::Null), self.done(effect)),
            other => Err(super::outside::unknown(other)),
        };
        (outcome, false)
    }

    /// `_answer(line)`.
    fn answer(&self, effect: &Effect) -> Outcome {
        if let Some(line) = effect.args.first() {
            self.lock().lines.push(Line { function: line.clone(), span: effect.span });
        }
        Ok(Value::Null)
    }

    /// `_crash(of, during, nth)`.
    fn crash(&self, effect: &Effect) -> Outcome {
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
    fn done(&self, effect: &Effect) -> bool {
        let Some(entry) = self.entry(effect.args.first()) else { return false };
        let told = effect.args.get(1).and_then(Value::as_bool) == Some(true);
        let identity = effect.path.as_str();
        // What reaches the outside is lost at the write that would hold its answer, which was before.
        let before = !self.reaches_outside(entry) && self.fires(entry, identity, true);
        let after = self.fires(entry, identity, false);
        let doom = if before {
            Doom::Before
        } else if after {
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
}

/// A store in memory whose process may be killed at a write.
pub(super) struct Killing {
    world: Arc<World>,
    kill: Option<Kill>,
}

impl Killing {
    pub(super) fn new(world: Arc<World>, kill: Option<Kill>) -> Self {
        Self { world, kill }
    }

    /// What comes of the next write.
    fn doom(&self) -> Option<Doom> {
        let mut inner = self.world.lock();
        inner.writes += 1;
        let due = self.kill.filter(|kill| inner.writes.is_multiple_of(kill.every));
        inner.doom.take().or(due.map(|kill| if kill.before { Doom::Before } else { Doom::After }))
    }

    fn write(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Result<(), StoreError> {
        let killed = || StoreError::Unusable("the process was killed by the test".into());
        let doom = self.doom();
        if doom == Some(Doom::Before) {
            self.world.lock().killed = true;
            return Err(killed());
        }
        let told = delta.events.as_ref().map_or(0, |events| events.lines.len());
        let receipt = self.world.store.commit(run, epoch, delta);
        futures_util::FutureExt::now_or_never(receipt).unwrap_or(Ok(()))?;
        let mut inner = self.world.lock();
        inner.was_saved();
        if doom == Some(Doom::After) {
            inner.killed = true;
            return Err(killed());
        }
        inner.told += told;
        if inner.told > MOST_TOLD {
            inner.failure.get_or_insert_with(|| Failure::new("the test tells more than 64 MiB of events"));
        }
        Ok(())
    }
}

impl Store for Killing {
    fn begin(&self, run: NewRun) -> Result<Epoch, StoreError> {
        self.world.store.begin(run)
    }

    fn commit(&self, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        Box::pin(std::future::ready(self.write(run, epoch, delta)))
    }

    fn acquire(&self, run: &RunId, owner: Owner, take_over: bool, now: Millis) -> Result<Epoch, StoreError> {
        self.world.store.acquire(run, owner, take_over, now)
    }

    fn renew(&self, run: &RunId, epoch: Epoch, now: Millis) -> Result<(), StoreError> {
        self.world.store.renew(run, epoch, now)
    }

    fn release(&self, run: &RunId, epoch: Epoch) -> Result<(), StoreError> {
        if self.world.lock().killed {
            // A process that was killed gives nothing up.
            return Ok(());
        }
        self.world.store.release(run, epoch)
    }

    fn answer(&self, run: &RunId, request: &str, value: &str, now: Millis) -> Result<Answered, StoreError> {
        self.world.store.answer(run, request, value, now)
    }

    fn load(&self, run: &RunId, at: Option<u64>, visit: Visit<'_>) -> Result<bool, StoreError> {
        self.world.store.load(run, at, visit)
    }

    fn code(&self, hash: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.world.store.code(hash)
    }

    fn run(&self, id: &str) -> Result<RunRecord, StoreError> {
        self.world.store.run(id)
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.world.store.runs(limit)
    }

    fn ids_like(&self, part: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        self.world.store.ids_like(part, limit)
    }

    fn requests(&self, run: Option<&RunId>) -> Result<Vec<OpenRequest>, StoreError> {
        self.world.store.requests(run)
    }

    fn events(&self, run: &RunId, after: u64) -> Result<Vec<EventBatch>, StoreError> {
        self.world.store.events(run, after)
    }

    fn kept(&self, run: &RunId) -> Result<Option<Kept>, StoreError> {
        self.world.store.kept(run)
    }

    fn checkpoints(&self, run: &RunId) -> Result<Vec<u64>, StoreError> {
        self.world.store.checkpoints(run)
    }

    fn counts(&self) -> StoreCounts {
        self.world.store.counts()
    }
}
