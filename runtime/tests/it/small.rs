//! Scripts on a machine, with the least that drives one: for tests of what is saved.

use std::{collections::BTreeMap, sync::Arc};

use wf_runtime::{
    Value,
    checkpoint::{Rows, Saver},
    code::Code,
    effect::{Effect, EffectKind},
    machine::{Image, Machine, Outcome, Progress},
    store::{Chunks, FiberRow, Saved, StoreError},
};

use crate::harness::Script;

pub(crate) const HASH: [u8; 32] = [7; 32];

/// The code of a script that has no mistakes.
pub(crate) fn code(text: &str) -> Code {
    Script::new("test.wf", text).code
}

/// A run in memory: its machine, and the rows that a store would have.
pub(crate) struct Small {
    pub(crate) image: Arc<Image>,
    pub(crate) machine: Machine,
    pub(crate) saver: Saver,
    pub(crate) rows: Stored,
    /// What was asked and is not answered, oldest first.
    pub(crate) asked: Vec<Effect>,
    pub(crate) done: Option<Outcome>,
    /// It was cancelled, and has ended.
    pub(crate) cancelled: bool,
}

impl Small {
    /// A run of the only workflow of a script, without arguments.
    pub(crate) fn new(text: &str) -> Self {
        let image = code(text).image().expect("an image");
        let workflow = image.program.workflows[0].clone();
        let machine = Machine::start(Arc::clone(&image), "run".into(), &workflow, Vec::new());
        let (rows, asked) = (Stored::default(), Vec::new());
        Self { image, machine, saver: Saver::new(HASH), rows, asked, done: None, cancelled: false }
    }

    /// Runs until every branch waits.
    pub(crate) fn go(&mut self) {
        for _ in 0..100_000 {
            let progress = self.machine.run(100_000);
            for gone in self.machine.take_cancelled() {
                self.asked.retain(|asked| asked.id != gone.id);
            }
            match progress {
                Progress::Effect(effect) if effect.kind() == EffectKind::Instant => {
                    self.machine.settle_now(effect.fiber, effect.id, Ok(instant(&effect)));
                }
                Progress::Effect(effect) => self.asked.push(effect),
                Progress::Boundary | Progress::OutOfFuel => {}
                Progress::Waiting => return,
                Progress::Cancelled => {
                    self.cancelled = true;
                    return;
                }
                Progress::Done(outcome) => {
                    self.done = Some(outcome);
                    return;
                }
            }
        }
        panic!("it does not come to rest");
    }

    /// Answers one of the open questions.
    pub(crate) fn answer(&mut self, index: usize, outcome: Outcome) {
        let effect = self.asked.remove(index);
        assert!(self.machine.settle(effect.fiber, effect.id, outcome));
    }

    /// Saves what changed, as one checkpoint.
    pub(crate) fn save(&mut self) -> Rows {
        self.rows.n += 1;
        let rows = self.saver.save(&mut self.machine, self.rows.n, 1);
        self.rows.take(&rows);
        rows
    }
}

/// The outcome of what a machine without a world asks.
pub(crate) fn instant(effect: &Effect) -> Value {
    match effect.name.as_str() {
        "time.now" => Value::Time(1_700_000_000_000),
        "random.float" => Value::Float(0.5),
        _ => Value::str("00000000-0000-4000-8000-000000000000"),
    }
}

/// The outcome of `exec`.
pub(crate) fn output(stdout: &str) -> Outcome {
    Value::record([("stdout", Value::str(stdout)), ("stderr", Value::str("")), ("code", Value::Int(0))])
}

/// The rows of a checkpoint, as a store has them.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    pub(crate) n: u64,
    pub(crate) header: Vec<u8>,
    pub(crate) fibers: BTreeMap<(u32, i32), Vec<u8>>,
    pub(crate) chunks: BTreeMap<u64, Vec<u8>>,
}

impl Stored {
    fn take(&mut self, rows: &Rows) {
        self.header.clone_from(&rows.header);
        rows.closed.iter().for_each(|key| drop(self.fibers.remove(key)));
        rows.dead.iter().for_each(|id| drop(self.chunks.remove(id)));
        self.fibers.extend(rows.fibers.iter().map(|row| ((row.fiber, row.segment), row.data.clone())));
        self.chunks.extend(rows.chunks.iter().cloned());
    }

    /// As a store gives it to whoever loads it.
    pub(crate) fn saved(&self) -> Saved {
        let row = |(key, data): (&(u32, i32), &Vec<u8>)| FiberRow { fiber: key.0, segment: key.1, data: data.clone() };
        // The order is by fiber and segment as the store has it: the head, -1, comes first.
        Saved { n: self.n, header: self.header.clone(), fibers: self.fibers.iter().map(row).collect() }
    }
}

impl Chunks for Stored {
    fn chunk(&mut self, id: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.chunks.get(&id).cloned())
    }
}

/// How many bytes a checkpoint adds.
pub(crate) fn bytes(rows: &Rows) -> usize {
    let fibers: usize = rows.fibers.iter().map(|row| row.data.len()).sum();
    rows.header.len() + fibers + rows.chunks.iter().map(|(_, data)| data.len()).sum::<usize>()
}
