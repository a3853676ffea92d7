//! Random deltas: both stores hold what a model holds that keeps every checkpoint whole.

use std::collections::BTreeSet;

use wf_runtime::store::{MemoryStore, RequestEnd, Store};

use super::*;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

/// Every kept checkpoint, whole.
struct Model {
    now: Whole,
    kept: BTreeMap<u64, Whole>,
    pinned: BTreeSet<u64>,
    floor: u64,
}

impl Model {
    fn apply(&mut self, delta: &Delta) {
        let now = &mut self.now;
        (now.n, now.header) = (delta.n, delta.header.clone());
        if delta.reset {
            now.fibers.clear();
            now.chunks.clear();
        }
        delta.closed.iter().for_each(|key| drop(now.fibers.remove(key)));
        delta.dead.iter().for_each(|id| drop(now.chunks.remove(id)));
        now.fibers.extend(delta.fibers.iter().map(|row| ((row.fiber, row.segment), row.data.clone())));
        now.chunks.extend(delta.chunks.iter().cloned());
        self.kept.insert(delta.n, now.clone());
        if delta.pinned {
            self.pinned.insert(delta.n);
        }
        self.floor = self.floor.max(delta.floor.min(delta.n));
        self.kept.retain(|n, _| *n >= self.floor || self.pinned.contains(n));
    }

    fn random(&self, dice: &mut Dice, next_chunk: &mut u64) -> Delta {
        let n = self.now.n + 1;
        let mut delta = Delta { pinned: dice.one_in(9), reset: dice.one_in(25), ..delta(n) };
        for _ in 0..dice.roll(4) {
            let (number, segment) = (dice.roll(4), dice.roll(3));
            let key = (u32::try_from(number).unwrap(), i32::try_from(segment).unwrap() - 1);
            match dice.roll(4) {
                0 => delta.closed.push(key),
                _ => delta.fibers.push(fiber(key.0, key.1, &format!("{n} {}", dice.roll(9)))),
            }
        }
        for _ in 0..dice.roll(3) {
            if *next_chunk < 100 {
                delta.chunks.push((*next_chunk, vec![u8::try_from(n % 251).unwrap(); 3]));
                *next_chunk += 1 + dice.roll(2);
            }
        }
        delta.dead = (0..dice.roll(3)).map(|_| dice.roll(*next_chunk + 1)).collect();
        delta.dead.retain(|id| delta.chunks.iter().all(|(new, _)| new != id));
        delta.floor = n.saturating_sub(dice.roll(12));
        delta.events = (!dice.one_in(3)).then(|| events(n * 10, 1 + dice.roll(3))).flatten();
        delta.result = dice.one_in(5).then(|| "é".repeat(dice.roll(9) as usize));
        let name = |dice: &mut Dice| format!("q{}", dice.roll(4));
        delta.opened = (0..dice.roll(2)).map(|_| request(&name(dice), 5)).collect();
        let ends = [RequestEnd::Answered, RequestEnd::Withdrawn, RequestEnd::Refused];
        delta.settled = (0..dice.roll(2)).map(|_| (name(dice), ends[dice.roll(3) as usize])).collect();
        delta
    }
}

#[test]
fn both_stores_hold_what_the_model_holds() {
    let folder = tempfile::tempdir().unwrap();
    let disk = sqlite(folder.path());
    let memory = MemoryStore::new();
    for seed in 1..=12 {
        let name = format!("seed {seed}");
        let (run, epoch) = begin(&*disk, &name);
        assert_eq!(begin(&*memory, &name).1, epoch);
        check_seed(&*disk, &*memory, &run, epoch, seed);
    }
    check_bytes(&disk, &memory, folder.path());
    drop(disk);
    let rows = rusqlite::Connection::open(folder.path().join("wf.db")).unwrap();
    for (table, until) in [("fiber", "until"), ("chunk", "coalesce(dead_since, 9223372036854775807)")] {
        let sql = format!(
            "SELECT count(*) FROM {table} r WHERE NOT EXISTS \
             (SELECT 1 FROM checkpoint c WHERE c.rid = r.rid AND c.n >= r.since AND c.n < {until})"
        );
        let useless: i64 = rows.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(useless, 0, "rows of {table} that no checkpoint needs");
    }
}

/// What is counted along the way is what a count of all rows gives, in both stores and in the parts of each run.
fn check_bytes(disk: &SqliteStore, memory: &MemoryStore, folder: &std::path::Path) {
    let rows = rusqlite::Connection::open(folder.join("wf.db")).unwrap();
    let column = |table: &str, bytes: &str, run: &RunId| -> u64 {
        let sql = format!("SELECT coalesce(sum({bytes}), 0) FROM {table} JOIN run AS r USING (rid) WHERE r.id = ?1");
        let sum: i64 = rows.query_row(&sql, [&**run], |row| row.get(0)).unwrap();
        u64::try_from(sum).unwrap()
    };
    for record in disk.runs(99).unwrap() {
        let run = &record.id;
        let counted = column("checkpoint", "octet_length(header)", run)
            + column("fiber", "octet_length(data)", run)
            + column("chunk", "octet_length(data)", run)
            + column("event", "octet_length(lines)", run)
            + column("request", "octet_length(json) + coalesce(octet_length(answer), 0)", run)
            + column("result", "octet_length(json)", run)
            + record.input.len() as u64
            + record.settings.len() as u64;
        assert!(counted > 100);
        assert_eq!(record.bytes, counted, "{run}");
        assert_eq!(memory.run(run).unwrap().bytes, counted, "{run} in memory");
        assert_eq!(disk.sizes(run).unwrap().total(), counted, "{run} by its parts");
    }
}

fn check_seed(disk: &dyn Store, memory: &dyn Store, run: &RunId, epoch: Epoch, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let empty = Whole { n: 0, header: Vec::new(), fibers: BTreeMap::new(), chunks: BTreeMap::new() };
    let mut model = Model { now: empty, kept: BTreeMap::new(), pinned: BTreeSet::new(), floor: 0 };
    let mut next_chunk = 0;
    for step in 0..80 {
        let delta = model.random(&mut dice, &mut next_chunk);
        model.apply(&delta);
        if dice.one_in(4) {
            let (name, value) = (format!("q{}", dice.roll(4)), "7".repeat(dice.roll(20) as usize));
            let answered = disk.answer(run, &name, &value, 5).unwrap();
            assert_eq!(memory.answer(run, &name, &value, 5).unwrap(), answered, "seed {seed} step {step}");
        }
        commit(memory, run, epoch, delta.clone()).unwrap();
        commit(disk, run, epoch, delta).unwrap();
        if step % 10 == 9 {
            for store in [disk, memory] {
                let numbers: Vec<_> = model.kept.keys().rev().copied().collect();
                assert_eq!(store.checkpoints(run).unwrap(), numbers, "seed {seed} step {step}");
                for (n, whole) in &model.kept {
                    assert_eq!(&at(store, run, *n), whole, "seed {seed} step {step}");
                }
            }
        }
    }
}
