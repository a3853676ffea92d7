//! What the clock of `@timeout` counts while no process has the run: sleeps in full, and nothing else.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use wf_runtime::{
    drive::{self, Begin, Options},
    host::Host,
    machine::Image,
    store::{MemoryStore, NewRun, Owner, Store},
};

use crate::scripted::{self, Told, World};

const MINUTE: i64 = 60_000;

/// A run whose process ends and comes back.
struct Stage {
    image: Arc<Image>,
    store: Arc<MemoryStore>,
    world: Arc<World>,
}

impl Stage {
    fn new(text: &str) -> Self {
        let loaded = scripted::read(text);
        let program = scripted::compile(&loaded).unwrap_or_else(|errors| panic!("{errors:?}"));
        let image = scripted::image(&loaded, program);
        let world = World::new(&image);
        Self { image, store: MemoryStore::new(), world }
    }

    fn begin(&self, max_wait: Option<Duration>) -> Begin {
        Begin {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            host: Arc::clone(&self.world) as Arc<dyn Host>,
            image: Arc::clone(&self.image),
            options: Options { max_wait, ..Options::default() },
        }
    }

    /// Begins the run and lets it come to rest; then the process is gone, without a word.
    fn begin_and_crash(&self) {
        let new = NewRun {
            id: "run".into(),
            workflow: "main".into(),
            script: "case.wf".into(),
            code_hash: [0; 32],
            code: Arc::from([]),
            input: "{}".into(),
            settings: "{}".into(),
            created_at: self.world.now(),
            owner: Owner::current(),
        };
        let run = drive::begin(self.begin(None), new).expect("the run begins");
        runtime().block_on(async {
            let mut told = Told::default();
            let (_commands, received) = mpsc::unbounded_channel();
            tokio::select! {
                ended = run.drive(&mut told, received) => panic!("it has ended: {ended:?}"),
                () = let_others_go_on() => {}
            }
        });
    }

    /// A process takes the run and lets it go on, without waiting for a moment.
    fn go_on(&self) -> Json {
        let record = self.store.run("run").expect("the run is there");
        let run = drive::reopen(self.begin(Some(Duration::ZERO)), &record, None, true).expect("it can be taken");
        let (_commands, received) = mpsc::unbounded_channel();
        runtime().block_on(run.drive(&mut Told::default(), received)).expect("it can be driven").result
    }

    fn pass(&self, minutes: i64) {
        self.world.wait_until(self.world.now() + minutes * MINUTE);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn let_others_go_on() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_crash_during_a_call_stops_the_clock() {
    let stage = Stage::new(
        "@timeout(30m)
        step work() -> string { exec([\"wait\", \"1000\", \"done\"]).stdout }
        workflow main() -> any { work() }",
    );
    stage.begin_and_crash();
    stage.pass(120);
    assert_eq!(stage.go_on()["output"], json!("done"));
}

#[test]
fn it_runs_for_as_long_as_the_process_renewed_its_lease() {
    for (alive, output) in [(20, json!("done")), (40, json!("timeout"))] {
        let stage = Stage::new(
            "@timeout(30m)
            step work() -> string { exec([\"wait\", \"1000\", \"done\"]).stdout }
            workflow main() -> any { try { work() } catch e { e.kind } }",
        );
        stage.begin_and_crash();
        stage.pass(alive);
        let record = stage.store.run("run").expect("the run is there");
        stage.store.renew(&record.id, record.epoch, stage.world.now()).expect("it has the lease");
        stage.pass(120);
        assert_eq!(stage.go_on()["output"], output, "{alive}");
    }
}

#[test]
fn so_it_does_beside_a_sleep() {
    let stage = Stage::new(
        "@timeout(30m)
        step work() -> any { gather [exec([\"wait\", \"1000\", \"done\"]).stdout, do { sleep(20m); 1 }] }
        workflow main() -> any { work() }",
    );
    stage.begin_and_crash();
    stage.pass(120);
    assert_eq!(stage.go_on()["output"], json!(["done", 1]));
}

#[test]
fn a_sleep_counts_in_full_after_a_crash_too() {
    let stage = Stage::new(
        "@timeout(30m)
        step work() -> int { sleep(40m); 1 }
        workflow main() -> any { try { work() } catch e { e.kind } }",
    );
    stage.begin_and_crash();
    stage.pass(120);
    assert_eq!(stage.go_on()["output"], json!("timeout"));
}

#[test]
fn what_comes_after_a_sleep_has_the_time_that_is_left() {
    let stage = Stage::new(
        "@timeout(30m)
        step work() -> any { sleep(20m); sleep(5m); 1 }
        @timeout(30m)
        step late() -> any { sleep(20m); sleep(15m); 1 }
        workflow main() -> any { gather settle [work(), late()] }",
    );
    stage.begin_and_crash();
    stage.pass(120);
    let paused = stage.go_on();
    assert_eq!(paused["status"], "paused", "{paused}");
    stage.pass(5);
    stage.go_on();
    stage.pass(5);
    let ended = stage.go_on();
    let settled: Vec<&Json> = ended["output"].as_array().expect("a list").iter().map(|one| &one["ok"]).collect();
    assert_eq!(settled, [&json!(true), &json!(false)], "{ended}");
}

#[test]
fn a_question_stops_the_clock_and_its_answer_starts_it() {
    let stage = Stage::new(
        "@timeout(30m)
        step work() -> int { sleep(20m); let n = request_info(\"?\", int, id: \"q\"); sleep(n * 1m); n }
        workflow main() -> any { gather settle [work()] }",
    );
    for (minutes, ok) in [(5, true), (15, false)] {
        let stage =
            Stage { store: MemoryStore::new(), world: World::new(&stage.image), image: Arc::clone(&stage.image) };
        stage.begin_and_crash();
        stage.pass(20);
        assert_eq!(stage.go_on()["wake_at"], Json::Null, "the clock stands");
        stage.pass(600);
        let record = stage.store.run("run").expect("the run is there");
        let mut run = drive::reopen(stage.begin(Some(Duration::ZERO)), &record, None, true).expect("it can be taken");
        run.respond("q", &json!(minutes)).expect("it fits");
        let (_commands, received) = mpsc::unbounded_channel();
        let paused = runtime().block_on(run.drive(&mut Told::default(), received)).expect("it can be driven").result;
        assert_eq!(paused["status"], "paused", "{paused}");
        stage.pass(20);
        assert_eq!(stage.go_on()["output"][0]["ok"], json!(ok), "{minutes} minutes after the answer");
    }
}
