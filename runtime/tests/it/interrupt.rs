//! The test the house stands on.
//!
//! Each script of `tests/interrupt/` is run to its end; then again, stopped after every k-th write to the store,
//! reloaded from bytes and continued. Outcome and `ctx.state` are the same, and the keys of the calls that reached the
//! world are the same, each once, but that a call in flight when the run was stopped may be repeated once.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use wf_runtime::{
    drive::{Options, Report},
    effect::EffectKind,
    store::MemoryStore,
};

use crate::harness::{Call, Kept, Script, Stage, World};

/// The scripts that run by a clock which stands still while they compute: what they come to depends on it.
const STILL: &[&str] = &["everywhere.wf", "timeout.wf"];

/// How a script is run once, with stops after each `every` writes.
struct Outcome {
    result: Json,
    calls: Vec<Call>,
    stops: u64,
    /// How often a stop found the call of a key in flight, which may then be made once more.
    in_flight: BTreeMap<String, usize>,
}

fn answers(request: &Json) -> Option<Json> {
    // Who is asked about a call in flight has it made again.
    if request["data"]["on_crash"].is_string() {
        return Some(json!({ "action": "retry" }));
    }
    // A request says itself what is answered, so that an answer that went to another request shows.
    Some(request["data"]["answer"].clone())
}

fn what_counts(report: &Report) -> Json {
    let result = &report.result;
    let error = json!({ "kind": result["error"]["kind"], "message": result["error"]["message"] });
    json!({ "status": result["status"], "output": result["output"], "state": result["state"], "error": error })
}

fn run(name: &str, script: &Script, options: &Options, every: Option<u64>) -> Outcome {
    let store = MemoryStore::new();
    let mut options = options.clone();
    let world = match STILL.contains(&name) {
        true => {
            options.max_wait = Some(std::time::Duration::ZERO);
            World::still()
        }
        false => World::new(),
    };
    let stage = Stage { script, store: store.clone(), world: world.clone(), options };
    store.fail_after(every.unwrap_or(u64::MAX));
    let mut kept = Kept::default();
    let mut run = stage.start("run", Some("main"), &json!({})).expect("the run begins");
    let mut stops = 0;
    let mut in_flight = BTreeMap::new();
    loop {
        let before = store.commits();
        match stage.finish(run, &answers, &mut kept) {
            Ok(report) => return Outcome { result: what_counts(&report), calls: world.calls(), stops, in_flight },
            Err(_) => stops += 1,
        }
        assert!(stops < 2000, "{name}, stopped after every {every:?}: it does not come to its end");
        assert!(store.commits() > before || every == Some(0), "a run that is continued gets further");
        store.fail_after(every.unwrap_or(u64::MAX));
        run = stage.reopen("run").unwrap_or_else(|error| panic!("stop {stops}: {error}"));
        for key in open_calls(&stage) {
            *in_flight.entry(key).or_default() += 1;
        }
    }
}

/// The keys of the calls that the latest checkpoint holds as asked.
fn open_calls(stage: &Stage<'_>) -> Vec<String> {
    let record = stage.store.run("run").expect("the run is there");
    let machine = wf_runtime::drive::look(&stage.script.image, &*stage.store, &record, None).expect("it can be read");
    let open = machine.map_or_else(Vec::new, |machine| machine.open_effects());
    open.into_iter().filter(|effect| effect.kind() == EffectKind::Outside).map(|effect| effect.key("run")).collect()
}

fn count(calls: &[Call]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(call.key.as_str()).or_default() += 1;
    }
    counts
}

fn compare(name: &str, whole: &Outcome, stopped: &Outcome, every: u64) {
    assert_eq!(stopped.result, whole.result, "{name}, stopped after every {every}: the outcome");
    let (once, again) = (count(&whole.calls), count(&stopped.calls));
    let keys = |counts: &BTreeMap<&str, usize>| counts.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(keys(&again), keys(&once), "{name}, stopped after every {every}: the keys that reached the world");
    for (key, count) in again {
        let call = stopped.calls.iter().find(|call| call.key == key);
        assert!(count >= once[key], "{name}, stopped after every {every}: {call:?} was made {count} times only");
        let (repeated, most) = (count - once[key], stopped.in_flight.get(key).copied().unwrap_or_default());
        assert!(
            repeated <= most,
            "{name}, stopped after every {every}: {call:?} was in flight {most} times, and repeated {repeated} times"
        );
    }
}

fn scripts() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interrupt");
    let mut scripts: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wf"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("text"))
        })
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 10, "the corpus has at least ten scripts");
    scripts
}

fn interrupt(options: &Options) {
    let mut runs = 0;
    for (name, text) in scripts() {
        let script = Script::new(&name, &text);
        let whole = run(&name, &script, options, None);
        println!("{name}: {}", whole.result);
        assert_ne!(whole.result["status"], "paused", "{name} comes to its end: {}", whole.result);
        for every in 1.. {
            let stopped = run(&name, &script, options, Some(every));
            compare(&name, &whole, &stopped, every);
            runs += 1;
            if stopped.stops == 0 {
                break;
            }
        }
    }
    println!("{runs} runs were stopped and continued");
}

#[test]
fn a_run_that_is_stopped_after_any_write_comes_to_the_same_end() {
    interrupt(&Options::default());
}

#[test]
fn so_does_one_that_saves_at_every_boundary() {
    interrupt(&Options { each_boundary: true, ..Options::default() });
}

#[test]
fn what_a_default_calls_has_a_key_of_its_own() {
    let text = r#"
        @retry(attempts: 2, backoff: 1ms)
        step work(a: string = exec(["echo", "a"]).stdout, b: string = fs.append("x", a) ?? a) -> string {
            exec(["fail", "1", "${ctx.attempt}", a, b]).stdout
        }
        workflow main() -> any { work() }
    "#;
    let script = Script::new("defaults.wf", text);
    for every in [None, Some(1), Some(2)] {
        let outcome = run("defaults.wf", &script, &Options::default(), every);
        let keys: std::collections::BTreeSet<_> = outcome.calls.iter().map(|call| &call.key).collect();
        assert_eq!(keys.len(), 3, "{every:?}: {:?}", outcome.calls);
    }
}

#[test]
fn a_person_who_has_calls_made_again_brings_a_run_to_its_end() {
    let text = r#"
        @on_crash("ask")
        step pay(who: string) -> string {
            let first = exec(["echo", "pay", who]).stdout
            try {
                exec(["echo", first, "again"]).stdout
            } finally {
                fs.append("ledger", who)
            }
        }

        @on_crash("ask")
        step outer() -> [string] {
            let read = inner()
            [read, ...gather for who in ["a", "b"] { exec(["echo", who]).stdout }]
        }

        @on_crash("retry")
        step inner() -> string { exec(["echo", "inner"]).stdout }

        workflow main() -> any {
            let both = gather { x: pay("x"), y: pay("y") }
            { both, outer: outer() }
        }
    "#;
    let script = Script::new("on_crash.wf", text);
    let whole = run("on_crash.wf", &script, &Options::default(), None);
    assert_eq!(whole.result["status"], "completed", "{}", whole.result);
    // To ask, to be answered, and to save what the call came to takes three writes; with fewer it never gets further.
    for every in 4.. {
        let stopped = run("on_crash.wf", &script, &Options::default(), Some(every));
        compare("on_crash.wf", &whole, &stopped, every);
        if stopped.stops == 0 {
            break;
        }
    }
}

/// The keys under which the calls with this first word reached the world.
fn keys_of(calls: &[Call], word: &str) -> Vec<String> {
    calls.iter().filter(|call| call.args[0] == word).map(|call| call.key.clone()).collect()
}

#[test]
fn only_a_call_that_was_answered_with_an_error_has_a_new_key() {
    let text = r#"
        step call(word: string) -> string { exec([word, "2", "${ctx.attempt}"]).stdout }

        @retry(attempts: 3, backoff: 1ms)
        step again(word: string) -> string { call(word) }

        workflow main() -> any { [again("fail"), again("refuse")] }
    "#;
    // The attempt of the inner step is always the first, so the world is told that of the outer one.
    let text = text.replace("step call(word: string)", "step call(word: string, n: int)");
    let text = text.replace("${ctx.attempt}", "${n}").replace("call(word) }", "call(word, ctx.attempt) }");
    let script = Script::new("keys.wf", &text);
    for every in [None, Some(1), Some(2)] {
        let outcome = run("keys.wf", &script, &Options::default(), every);
        assert_eq!(outcome.result["output"], json!(["at last", "at last"]));
        let (mut same, mut new) = (keys_of(&outcome.calls, "fail"), keys_of(&outcome.calls, "refuse"));
        same.dedup();
        new.dedup();
        assert_eq!((same.len(), new.len()), (1, 3), "{every:?}: {:?}", outcome.calls);
    }
}
