//! Damaged checkpoints, stored code and input: whatever the bytes are, there is an answer and no panic.
//!
//! What is damaged is sealed again, so that what lies behind the checksum is reached. `WF_FUZZ_SEED` repeats a run,
//! `WF_FUZZ_ITERATIONS` makes it longer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use wf_runtime::{
    Fault, Kind, Value,
    checkpoint::load,
    code::Code,
    codec::seal,
    drive, host,
    json::{from_text, parse_duration, parse_time},
    machine::{Image, Machine, Progress},
    store::Chunks,
};

use crate::{
    random::Random,
    small::{HASH, Small, Stored, code, instant, output},
};

/// Scripts that between them have every kind of row, frame and value.
const SCRIPTS: &[&str] = &[
    "step one(i: int) -> string { exec([\"work\", \"${i}\"]).stdout }
    workflow main() -> int {
        let results: [string] = []
        let counts: map<int> = {}
        for i in 0..60 {
            let text = one(i)
            results.push(text)
            counts[text] = (counts[text] ?? 0) + 1
            ctx.state.last = { i, text, all: results }
        }
        results.len()
    }",
    "fn deep(n: int) -> int {
        if n > 0 { return deep(n - 1) + 1 }
        exec([\"work\"])
        0
    }
    @retry(attempts: 3, backoff: 1s)
    step again(x: any) -> any { if x == null { throw \"no\" } else { deep(70) } }
    workflow main() -> any {
        let seen = []
        let both = gather { a: do { again(1) }, b: do { sleep(2h); request_info({ x: 1 }, type \"yes\" | \"no\") } }
        let all = gather limit 3 for i, x in [1, 2, 3, 4, 5, 6] {
            try { exec([\"work\", \"${i + x}\"]).stdout } catch e { e.message }
        }
        seen.push({ both, all })
        seen
    }",
    "step clean(n: int) -> string { exec([\"clean\", \"${n}\"]).stdout }
    @timeout(1h)
    @retry(attempts: 2, backoff: 1s)
    step timed(n: int) -> any {
        for i in 0..3 {
            try {
                if i == n { return exec([\"work\"]) }
                if i == 2 { throw \"two\" }
                continue
            } catch e { clean(i) } finally {
                try { clean(n) } finally { if n == 5 { break } }
            }
        }
        n
    }
    workflow main() -> any {
        let won = race { a: timed(0), b: gather settle limit 2 for i in 1..6 { timed(i) }, c: try { sleep(1h) } finally { clean(7) } }
        let few = gather first 2 for i in 1..4 { try { exec([\"work\", \"${i}\"]) } finally { clean(i) } }
        let failed = try { gather [try { sleep(1h) } finally { throw clean(8) }, do { clean(9); throw \"no\" }] } catch e { e.message }
        match won { { key: \"a\", value: { stdout, ...rest } } => [stdout, rest], { value: [{ ok: true, item }, ..., last] } => [item, last], _ => [few, failed] }
    }",
    "type Reply = { kind: \"ok\", value: int } | { kind: \"error\", message: string }
    agent helper { instructions: \"Help.\" }
    let rate = 1.5
    fn parse(text: string) -> Reply {
        try { { kind: \"ok\", value: json.parse(text).n } } catch e { { kind: \"error\", message: e.message } }
    }
    workflow main() -> any {
        let add = (x: int) => x + 2
        let long = \"0123456789\"
        while long.len() < 5000 { long = long + long }
        let b: [any] = [1, 2.5, null, true, 3s]
        let record = { a: { b }, f: add(1), t: time.now() }
        for k, v in record { record.a.b.push(exec([\"work\", k]).stdout) }
        for i in 3..=5 { record.a.b[0] += add(i); print(helper(\"${i}\")) }
        let replies = [\"{\\\"n\\\": 1}\", \"{\"].map(parse).filter(r => r.kind == \"ok\")
        ctx.state.long = long
        let base = add(1)
        let kept: [fn(int) -> int] = [add, (y: int) => y * base]
        exec([\"work\"])
        { record, replies, n: kept[1](kept[0](4)), r: exec([\"work\"]).json(type any) }
    }",
];

fn seed() -> u64 {
    std::env::var("WF_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

fn iterations(usual: u64) -> u64 {
    std::env::var("WF_FUZZ_ITERATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// Calls `target` with a generator of its own each time; a panic names the seed with which it comes at once.
fn fuzz(what: &str, usual: u64, mut target: impl FnMut(&mut Random)) {
    let first = seed();
    for seed in first..first + iterations(usual) {
        let once = catch_unwind(AssertUnwindSafe(|| target(&mut Random(seed))));
        assert!(once.is_ok(), "{what}: WF_FUZZ_SEED={seed} WF_FUZZ_ITERATIONS=1 repeats it");
    }
    println!("{what}: seeds {first}.. {}", iterations(usual));
}

/// Changes some bytes.
fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    const TELLING: [u8; 12] = [0, 1, 2, 3, 10, 11, 12, 19, 21, 0x7f, 0x80, 0xff];
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(6)).min(bytes.len());
        match random.below(8) {
            0 => bytes.insert(at, random.next() as u8),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            // The largest and the least number, as they are written.
            4 => drop(bytes.splice(at..end, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])),
            kind => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = match kind {
                        5 => *byte ^ (1 << random.below(8)),
                        6 => TELLING[random.below(TELLING.len())],
                        _ => byte.wrapping_add(random.below(5) as u8).wrapping_sub(2),
                    };
                }
            }
        }
    }
}

/// Damages what is sealed, and seals it again.
fn damage_row(random: &mut Random, row: &mut Vec<u8>) {
    let kind = row[1];
    let mut body = row[2..row.len() - 8].to_vec();
    damage(random, &mut body);
    *row = seal(kind, &body);
}

/// Lets a machine go on for a while, whatever it asks and whatever it is answered.
fn let_run(machine: &mut Machine, random: &mut Random) {
    let mut open = machine.open_effects();
    for _ in 0..40 {
        match machine.run(500) {
            Progress::Effect(effect) => open.push(effect),
            Progress::Boundary | Progress::OutOfFuel => {}
            Progress::Waiting if open.is_empty() => return,
            Progress::Waiting if random.below(30) == 0 => machine.cancel(),
            Progress::Waiting => {
                let effect = open.swap_remove(random.below(open.len()));
                let outcome = match random.below(8) {
                    0 => Err(Fault::new(Kind::Error, "no")),
                    1 => Ok(random.value(2, 5)),
                    2 | 3 => Ok(instant(&effect)),
                    _ => output("{\"n\": 1}"),
                };
                machine.settle(effect.fiber, effect.id, outcome);
            }
            Progress::Done(_) | Progress::Cancelled => return,
        }
        machine.take_events();
        machine.take_cancelled();
    }
}

/// Checkpoints of the scripts at many of their moments.
fn checkpoints() -> Vec<(Arc<Image>, Stored)> {
    let mut all = Vec::new();
    for text in SCRIPTS {
        let mut run = Small::new(text);
        let mut random = Random(1);
        for _ in 0..40 {
            run.go();
            if run.done.is_some() || run.asked.is_empty() {
                break;
            }
            run.save();
            all.push((Arc::clone(&run.image), run.rows.clone()));
            let index = random.below(run.asked.len());
            run.answer(index, output("{\"n\": 1}"));
        }
    }
    all
}

#[test]
fn damaged_checkpoints_are_refused_or_run() {
    let all = checkpoints();
    assert!(all.len() > 40, "{} checkpoints", all.len());
    let mut loaded = 0;
    fuzz("checkpoints", 6000, |random| {
        let (image, stored) = &all[random.below(all.len())];
        let mut stored = stored.clone();
        for _ in 0..=random.below(2) {
            match random.below(8) {
                0 => damage_row(random, &mut stored.header),
                1 | 2 if !stored.chunks.is_empty() => {
                    let at = random.below(stored.chunks.len());
                    stored.chunks.values_mut().nth(at).into_iter().for_each(|row| damage_row(random, row));
                }
                3 => {
                    let at = random.below(stored.fibers.len());
                    let key = *stored.fibers.keys().nth(at).expect("a row");
                    stored.fibers.remove(&key);
                }
                _ => {
                    let at = random.below(stored.fibers.len());
                    stored.fibers.values_mut().nth(at).into_iter().for_each(|row| damage_row(random, row));
                }
            }
        }
        let (saved, fresh) = (stored.saved(), random.below(2) == 0);
        let run = "run".into();
        let Ok((mut machine, mut saver, _)) = load(image, run, HASH, &saved, &mut stored as &mut dyn Chunks, fresh)
        else {
            return;
        };
        loaded += 1;
        machine.view();
        let_run(&mut machine, random);
        saver.save(&mut machine, saved.n + 1, 1);
    });
    assert!(iterations(6000) < 1000 || loaded > 100, "only {loaded} were run");
}

#[test]
fn whole_checkpoints_load() {
    for (image, mut stored) in checkpoints() {
        let saved = stored.saved();
        let (mut machine, mut saver, _) =
            load(&image, "run".into(), HASH, &saved, &mut stored, false).expect("it loads");
        let again = saver.save(&mut machine, saved.n + 1, 1);
        assert!(again.fibers.is_empty() && again.chunks.is_empty(), "a machine that was loaded is saved");
    }
}

#[test]
fn damaged_code_is_refused_or_runs() {
    let codes: Vec<_> = SCRIPTS.iter().map(|text| code(text)).collect();
    let packed: Vec<(Vec<u8>, usize)> = codes
        .iter()
        .map(|code| {
            // Behind the bytecode stands that there are no imports.
            let bytes = code.program.to_bytes().expect("bytes").len() + 1;
            (code.pack().expect("packed").0.to_vec(), bytes)
        })
        .collect();
    let mut ran = 0;
    fuzz("code", 3000, |random| {
        let (row, bytecode) = &packed[random.below(packed.len())];
        let body = &row[2..row.len() - 8];
        let mut head = body[..body.len() - bytecode].to_vec();
        let mut tail = body[body.len() - bytecode..].to_vec();
        // The bytecode is the smaller part, and the one that runs; its length stands before it.
        match random.below(8) {
            0 => damage(random, &mut head),
            _ => {
                let before = tail.len();
                damage(random, &mut tail);
                tail.resize(before, 0);
            }
        }
        let row = seal(row[1], &[head, tail].concat());
        let Ok(code) = Code::unpack(&row, &|_| Err("not here".into())) else { return };
        let Ok(image) = code.image() else { return };
        for workflow in image.program.workflows.clone() {
            let Some(function) = image.program.function(workflow.function) else { continue };
            let args = function.params.iter().map(|_| Value::Missing).collect();
            let mut machine = Machine::start(Arc::clone(&image), "run".into(), &workflow, args);
            let_run(&mut machine, random);
            ran += 1;
        }
    });
    assert!(iterations(3000) < 1000 || ran > 50, "only {ran} were run");
}

#[test]
fn damaged_input_is_refused_or_taken() {
    let code = code(
        "type Item = { name: string, price: float, tags?: [string], more: map<any>, by: \"a\" | \"b\" | null }
        workflow main(items: [Item], wait: duration = 1s, at: time? = null, n: int | string = 1) -> any { items }",
    );
    let image = code.image().expect("an image");
    let workflow = image.program.workflows[0].clone();
    let whole = "{\"items\": [{\"name\": \"caf\\u00e9 \\ud83d\\ude00\", \"price\": 1.5e3, \"tags\": [\"x\"], \"more\": \
                 {\"k\": [1, -0, 9223372036854775807, {}]}, \"by\": null}], \"wait\": \"1h30m\", \"at\": \
                 \"2026-01-02T03:04:05Z\", \"n\": 12}";
    let mut taken = 0;
    fuzz("input", 30_000, |random| {
        let mut bytes = whole.as_bytes().to_vec();
        damage(random, &mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = (from_text(&text), parse_duration(&text), parse_time(&text));
        let piece = text.get(random.below(text.len())..).unwrap_or_default();
        let _ = (parse_duration(piece), parse_time(piece), host::Permissions::parse(piece, "/folder".as_ref()));
        if let Ok(json) = serde_json::from_str(&text) {
            taken += u32::from(drive::arguments(&image, &workflow, &json).is_ok());
        }
        for (whole, parse) in [
            ("1h30m250ms", &(|text: &str| parse_duration(text).is_some()) as &dyn Fn(&str) -> bool),
            ("2026-01-02T03:04:05.678+01:00", &|text| parse_time(text).is_some()),
            ("exec,write=out,net=a.example:80", &|text| host::Permissions::parse(text, "/folder".as_ref()).is_ok()),
        ] {
            let mut bytes = whole.as_bytes().to_vec();
            damage(random, &mut bytes);
            parse(&String::from_utf8_lossy(&bytes));
        }
    });
    assert!(iterations(30_000) < 1000 || taken > 0);
}
