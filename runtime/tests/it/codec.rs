//! Values as bytes and chunks.

use std::collections::{BTreeMap, BTreeSet};

use wf_lang::program::Program;
use wf_runtime::codec::{
    ChunkSink, ChunkSource, DecodeError, Decoder, Encoder, LEAF_MAX, LiveChunks, Reader, Writer, fuzz_decode, open,
    row, seal,
};
use wf_runtime::value::{List, MAX_DEPTH, Map, Str, Value};

use crate::random::{Random, program};

#[derive(Default)]
struct Chunks {
    tag: u64,
    rows: BTreeMap<u64, Vec<u8>>,
    next: u64,
    written: (usize, usize),
}

impl Chunks {
    fn new(tag: u64) -> Self {
        Self { tag, ..Self::default() }
    }

    fn save(&mut self, value: &Value) -> Vec<u8> {
        self.written = (0, 0);
        let mut out = Writer::new();
        Encoder::new(self).value(value, &mut out);
        out.into_bytes()
    }

    fn load(&mut self, program: &Program, bytes: &[u8], tag: Option<u64>) -> Value {
        let mut reader = Reader::new(bytes, "value");
        let value = Decoder::new(program, self, tag).value(&mut reader).unwrap();
        reader.end().unwrap();
        value
    }

    /// Deletes what `value` does not name.
    fn sweep(&mut self, value: &Value) {
        let mut live = LiveChunks::new(self.tag);
        live.mark(value);
        let live: BTreeSet<u64> = live.into_ids().into_iter().collect();
        for id in &live {
            assert!(self.rows.contains_key(id), "chunk {id} is named and missing");
        }
        self.rows.retain(|id, _| live.contains(id));
    }
}

impl ChunkSink for Chunks {
    fn write(&mut self, bytes: Vec<u8>) -> u64 {
        self.next += 1;
        self.written.0 += 1;
        self.written.1 += bytes.len();
        assert!(bytes.len() < 2 * LEAF_MAX, "a chunk of {} bytes", bytes.len());
        self.rows.insert(self.next, bytes);
        self.next
    }

    fn run_tag(&self) -> u64 {
        self.tag
    }
}

impl ChunkSource for Chunks {
    fn read(&mut self, id: u64) -> Result<Vec<u8>, DecodeError> {
        self.rows.get(&id).cloned().ok_or_else(|| DecodeError::new(format!("chunk {id}"), "it is missing"))
    }
}

fn numbers(count: i64) -> List {
    List::collect((0..count).map(Value::Int)).unwrap()
}

#[test]
fn values_come_back_as_they_were() {
    let program = program();
    for seed in 0..100 {
        let mut random = Random(seed);
        let value = random.value(4, if seed % 10 == 0 { 80 } else { 12 });
        let mut chunks = Chunks::new(3);
        let bytes = chunks.save(&value);
        for tag in [None, Some(3)] {
            let loaded = chunks.load(&program, &bytes, tag);
            assert_eq!(loaded, value, "seed {seed}");
            assert_eq!(loaded.depth(), value.depth(), "seed {seed}");
        }
        let again = chunks.save(&value);
        assert_eq!((again, chunks.written), (bytes.clone(), (0, 0)), "seed {seed}");
        let loaded = chunks.load(&program, &bytes, Some(3));
        assert_eq!(
            (chunks.save(&loaded), chunks.written),
            (bytes, (0, 0)),
            "nothing is written after a load: seed {seed}"
        );
    }
}

#[test]
fn large_values_come_back_as_they_were() {
    let program = program();
    let records =
        List::collect((0..20_000i64).map(|n| {
            Value::record([("id", Value::Int(n)), ("name", Value::str(format!("record number {n}")))]).unwrap()
        }))
        .unwrap();
    let map = Map::from_entries((0..30_000i64).map(|n| (Str::from(format!("key {n}")), Value::Int(n)))).unwrap();
    let text = Random(5).text(400_000);
    for value in [Value::List(records), Value::Map(map), Value::str(text), Value::List(numbers(100_000))] {
        let mut chunks = Chunks::new(3);
        let bytes = chunks.save(&value);
        assert!(bytes.len() < 20);
        assert_eq!(chunks.load(&program, &bytes, Some(3)), value);
    }
}

#[test]
fn a_push_writes_a_leaf_and_the_way_to_it() {
    let record = |n: i64| {
        let fields =
            [("id", Value::Int(n)), ("name", Value::str(format!("record number {n}"))), ("ok", Value::Bool(true))];
        Value::record(fields).unwrap()
    };
    let mut list = List::collect((0..20_000).map(record)).unwrap();
    let mut chunks = Chunks::new(3);
    chunks.save(&Value::List(list.clone()));
    assert!(chunks.written.0 > 100);
    for n in 0..100 {
        list.push(record(n)).unwrap();
        chunks.save(&Value::List(list.clone()));
        let (count, bytes) = chunks.written;
        assert!(count < 4 && bytes < 4096, "push {n} wrote {count} chunks of {bytes} bytes");
    }
    list.update(7, |item| *item = Value::Null).unwrap().unwrap();
    chunks.save(&Value::List(list.clone()));
    assert!(chunks.written.0 < 4 && chunks.written.1 < 4096, "{:?}", chunks.written);

    let mut text = Str::from(Random(1).text(500_000));
    chunks.save(&Value::Str(text.clone()));
    text.push_str("a line more\n");
    chunks.save(&Value::Str(text));
    assert!(chunks.written.0 < 5 && chunks.written.1 < 4096, "{:?}", chunks.written);
}

#[test]
fn a_short_list_of_long_records_is_written_once() {
    let items = List::collect((0..5).map(|n| Value::str("x".repeat(200) + &n.to_string()))).unwrap();
    let value = Value::List(items);
    let mut chunks = Chunks::new(3);
    chunks.save(&value);
    assert_eq!(chunks.written.0, 1);
    chunks.save(&value);
    assert_eq!(chunks.written.0, 0);
}

#[test]
fn a_change_deep_inside_writes_the_way_to_it() {
    let inner = || Value::record([("log", Value::List(numbers(5000))), ("name", Value::str("x".repeat(300)))]).unwrap();
    let outer = List::collect((0..300).map(|_| inner())).unwrap();
    let mut state = Map::from_entries([(Str::from("items"), Value::List(outer))]).unwrap();
    let mut chunks = Chunks::new(9);
    chunks.save(&Value::Map(state.clone()));
    let change = |value: &mut Value| {
        let Value::List(items) = value else { panic!("a list") };
        items.update(250, |item| {
            let Value::Map(record) = item else { panic!("a record") };
            record.update("log", |log| {
                let Value::List(log) = log else { panic!("a list") };
                log.set(2500, Value::Null).unwrap()
            })
        });
    };
    state.update("items", change).unwrap().unwrap();
    let bytes = chunks.save(&Value::Map(state.clone()));
    assert!(chunks.written.0 <= 6 && chunks.written.1 < 4096, "{:?}", chunks.written);
    chunks.sweep(&Value::Map(state.clone()));
    assert_eq!(chunks.load(&program(), &bytes, None), Value::Map(state));
}

/// Changes something somewhere in a value.
fn mutate(random: &mut Random, value: &mut Value, depth: usize) {
    let fresh = |random: &mut Random| random.value(2, 6);
    match value {
        Value::List(list) if depth > 0 && !list.is_empty() && random.below(2) == 0 => {
            let at = random.below(list.len());
            drop(list.update(at, |item| mutate(random, item, depth - 1)));
        }
        Value::List(list) => match random.below(7) {
            0 => drop(list.pop()),
            1 => drop(list.insert(random.below(list.len() + 1), fresh(random))),
            2 => drop(list.remove(random.below(list.len() + 1))),
            3 => drop(list.set(random.below(list.len() + 1), fresh(random))),
            4 => drop(list.extend(&numbers(random.below(300) as i64))),
            5 => *list = list.slice(random.below(3), list.len()),
            _ => drop(list.push(fresh(random))),
        },
        Value::Map(map) if depth > 0 && !map.is_empty() && random.below(2) == 0 => {
            let key = map.entry(random.below(map.len())).unwrap().0.clone();
            drop(map.update(&key, |item| mutate(random, item, depth - 1)));
        }
        Value::Map(map) => match random.below(3) {
            0 => {
                if let Some(key) = map.entry(random.below(map.len())).map(|(key, _)| key.clone()) {
                    map.remove(&key);
                }
            }
            _ => drop(map.insert(random.text(300), fresh(random))),
        },
        Value::Str(text) => text.push_str(&random.text(500)),
        other => *other = fresh(random),
    }
}

#[test]
fn saving_again_and_again_loses_nothing() {
    let program = program();
    for seed in 0..20 {
        let mut random = Random(seed * 77);
        let mut root = Value::record([
            ("numbers", Value::List(numbers(random.below(3000) as i64))),
            ("map", Value::Map(random.map(2, 100))),
            ("log", Value::str(random.text(3000))),
            ("any", random.value(3, 40)),
        ])
        .unwrap();
        let mut chunks = Chunks::new(5);
        let mut kept: Vec<Value> = Vec::new();
        for round in 0..40 {
            for _ in 0..random.below(4) {
                mutate(&mut random, &mut root, 3);
            }
            if random.below(8) == 0 {
                kept.push(root.clone());
            }
            let bytes = chunks.save(&root);
            if random.below(4) == 0 {
                let kept_too = List::from_vec(kept.iter().cloned().chain([root.clone()]).collect()).unwrap();
                chunks.save(&Value::List(kept_too.clone()));
                chunks.sweep(&Value::List(kept_too));
            }
            let loaded = chunks.load(&program, &bytes, Some(5));
            assert_eq!(loaded, root, "seed {seed}, round {round}");
            if random.below(3) == 0 {
                root = loaded;
            }
        }
        for value in kept {
            let bytes = chunks.save(&value);
            assert_eq!(chunks.load(&program, &bytes, None), value, "seed {seed}");
        }
    }
}

#[test]
fn the_ids_of_another_run_do_not_count() {
    let value = Value::List(numbers(5000));
    let (mut one, mut two) = (Chunks::new(1), Chunks::new(2));
    for _ in 0..3 {
        for chunks in [&mut one, &mut two] {
            let bytes = chunks.save(&value);
            assert_eq!(chunks.load(&program(), &bytes, None), value);
            chunks.sweep(&value);
        }
    }
}

#[test]
fn constants_are_saved_as_numbers() {
    let constant = Value::Str(Str::constant("a constant", 1));
    let mut chunks = Chunks::new(1);
    let bytes = chunks.save(&constant);
    assert_eq!(bytes.len(), 2);
    let origin = |value: Value| value.as_text().and_then(Str::constant_number);
    assert_eq!(origin(chunks.load(&program(), &bytes, Some(1))), Some(1));
    assert_eq!(origin(chunks.load(&program(), &bytes, None)), None);
}

#[test]
fn what_was_shared_is_shared_after_a_load() {
    let mut value = Value::List(numbers(300));
    for _ in 0..12 {
        value = Value::list(vec![value.clone(), value, Value::str("x".repeat(300))]).unwrap();
    }
    let mut chunks = Chunks::new(1);
    let bytes = chunks.save(&value);
    assert!(chunks.written.0 < 50, "{:?}", chunks.written);
    chunks.sweep(&value);
    assert_eq!(chunks.load(&program(), &bytes, Some(1)), value);
}

#[test]
fn deep_values_are_saved_and_deeper_bytes_refused() {
    let mut value = Value::str("x".repeat(400));
    for depth in 0..MAX_DEPTH {
        value = if depth % 2 == 0 {
            Value::list(vec![value, Value::str("y".repeat(200))]).unwrap()
        } else {
            Value::record([("inner", value)]).unwrap()
        };
    }
    let mut chunks = Chunks::new(1);
    let bytes = chunks.save(&value);
    assert_eq!(chunks.load(&program(), &bytes, Some(1)), value);

    let mut bytes = [11u8, 1].repeat(100_000);
    bytes.push(0);
    let program = program();
    let mut decoder = Decoder::new(&program, &mut chunks, None);
    let error = decoder.value(&mut Reader::new(&bytes, "value")).unwrap_err();
    assert!(error.to_string().contains("too deeply"), "{error}");
}

#[test]
fn what_a_reader_does_not_know_is_skipped_or_refused() {
    let program = program();
    let mut chunks = Chunks::new(1);
    let mut read = |bytes: &[u8]| {
        let mut reader = Reader::new(bytes, "value");
        let value = Decoder::new(&program, &mut chunks, None).value(&mut reader)?;
        reader.end().map(|()| value)
    };
    assert_eq!(read(&[127, 5, 2, 9, 9, 4, 2]), Ok(Value::Int(1)));
    let refused: [&[u8]; 12] = [
        &[],
        &[4, 2, 0],
        &[99],
        &[4, 0x82, 0],
        &[8, 2, 0xff, 0xff],
        &[11, 200, 1, 0],
        &[12, 2, 8, 1, 97, 0, 8, 1, 97, 0],
        &[9, 0],
        &[9, 9],
        &[14, 0, 1, 0],
        &[15, 9],
        &[21, 100, 8, 1],
    ];
    for bytes in refused {
        assert!(read(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn rows_are_checked() {
    let sealed = seal(row::VALUE, b"body");
    assert_eq!(open(row::VALUE, &sealed).unwrap(), b"body");
    assert!(open(row::CHUNK, &sealed).is_err());
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1 << bit;
            assert!(open(row::VALUE, &damaged).is_err());
        }
        assert!(open(row::VALUE, &sealed[..at]).is_err());
    }
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let mut random = Random(42);
    let program = program();
    for round in 0..400 {
        let value = random.value(4, 30);
        let mut chunks = Chunks::new(1);
        let bytes = chunks.save(&value);
        for _ in 0..10 {
            let mut mutated = bytes.clone();
            for _ in 0..=random.below(4) {
                match random.below(4) {
                    0 => mutated.truncate(random.below(mutated.len() + 1)),
                    1 => mutated.insert(random.below(mutated.len() + 1), random.next() as u8),
                    2 if !mutated.is_empty() => {
                        let at = random.below(mutated.len());
                        mutated[at] = random.next() as u8;
                    }
                    _ if !mutated.is_empty() => {
                        let at = random.below(mutated.len());
                        mutated[at] ^= 1 << random.below(8);
                    }
                    _ => {}
                }
            }
            drop(Decoder::new(&program, &mut chunks, Some(1)).value(&mut Reader::new(&mutated, "value")));
            fuzz_decode(&mutated);
        }
        // Damage behind a right checksum.
        let ids: Vec<u64> = chunks.rows.keys().copied().collect();
        for id in ids.iter().take(5) {
            let good = chunks.rows[id].clone();
            let mut body = open(row::CHUNK, &good).unwrap().to_vec();
            let at = random.below(body.len());
            body[at] = random.next() as u8;
            chunks.rows.insert(*id, seal(row::CHUNK, &body));
            drop(Decoder::new(&program, &mut chunks, Some(1)).value(&mut Reader::new(&bytes, "value")));
            chunks.rows.insert(*id, good);
        }
        let noise: Vec<u8> = (0..random.below(200)).map(|_| (random.next() % 24) as u8).collect();
        fuzz_decode(&noise);
        assert!(round < 400);
    }
}
