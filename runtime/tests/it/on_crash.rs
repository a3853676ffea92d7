//! Calls that were in flight when their process was gone, and what `@on_crash` makes of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use wf_runtime::{
    drive::{self, Begin, Command, Ended, Options, Run},
    host::Host,
    machine::Image,
    store::{Delta, Epoch, MemoryStore, NewRun, Owner, Receipt, RunId, Store},
};

use crate::{
    gated::{Gate, Gated},
    scripted::{self, Told, World},
};

struct Stage {
    image: Arc<Image>,
    store: Arc<Gated<Disk>>,
    world: Arc<World>,
    told: Told,
}

impl Stage {
    fn new(text: &str) -> Self {
        let loaded = scripted::read(text);
        let program = scripted::compile(&loaded).unwrap_or_else(|errors| panic!("{errors:?}"));
        let image = scripted::image(&loaded, program);
        let world = World::new(&image);
        Self { image, store: Arc::new(Gated::new(MemoryStore::new(), Disk::default())), world, told: Told::default() }
    }

    fn begin(&self) -> Begin {
        Begin {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            host: Arc::clone(&self.world) as Arc<dyn Host>,
            image: Arc::clone(&self.image),
            options: Options { max_wait: Some(Duration::ZERO), ..Options::default() },
        }
    }

    fn start(&self) -> Run {
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
        drive::begin(self.begin(), new).expect("the run begins")
    }

    fn take(&self) -> Run {
        let record = self.store.run("run").expect("the run is there");
        drive::reopen(self.begin(), &record, None, true).expect("it can be taken")
    }

    /// Lets the run come to where its call is in flight; then its process is gone.
    fn crash(&mut self, run: Run) {
        let (_commands, received) = mpsc::unbounded_channel();
        let told = &mut self.told;
        runtime().block_on(async {
            tokio::select! {
                ended = run.drive(told, received) => panic!("it has ended: {ended:?}"),
                () = let_others_go_on() => {}
            }
        });
    }

    /// The same, but the process is told to stop.
    fn interrupt(&mut self, run: Run) {
        let (commands, received) = mpsc::unbounded_channel();
        let told = &mut self.told;
        let ended = runtime().block_on(async {
            let driven = run.drive(told, received);
            let stops = async {
                let_others_go_on().await;
                commands.send(Command::Interrupt).expect("somebody listens");
            };
            tokio::join!(driven, stops).0
        });
        assert_eq!(ended.expect("it is saved").ended, Ended::Interrupted);
    }

    fn drive(&mut self, run: Run) -> Json {
        let (_commands, received) = mpsc::unbounded_channel();
        runtime().block_on(run.drive(&mut self.told, received)).expect("it can be driven").result
    }

    fn answer(&mut self, answer: Json) -> Json {
        let mut run = self.take();
        let id = run.open_requests()[0]["id"].as_str().expect("an id").to_owned();
        run.respond(&id, &answer).expect("it fits");
        self.drive(run)
    }

    fn count(&self, kind: &str) -> usize {
        self.told.0.iter().filter(|event| event["type"] == kind).count()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn let_others_go_on() {
    turns(200).await;
}

async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// A store whose commits can take longer to become durable than it takes to stop a run.
#[derive(Default)]
struct Disk {
    slow: AtomicBool,
}

impl Gate for Disk {
    fn commit(&self, store: &dyn Store, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        let receipt = store.commit(run, epoch, delta);
        let wait = if self.slow.load(Ordering::SeqCst) { 1000 } else { 0 };
        Box::pin(async move {
            turns(wait).await;
            receipt.await
        })
    }
}

const PAY: &str = "
    @on_crash(\"ask\")
    step pay(amount: int) -> string {
        try {
            exec([\"wait\", \"1000\", \"paid ${amount}\"], env: { KEY: \"k\" }).stdout
        } catch e {
            \"caught ${e.kind}: ${e.message}\"
        } finally {
            print(\"finally\")
        }
    }
    workflow main() -> any { pay(5) }";

#[test]
fn a_person_is_asked_about_a_call_that_was_in_flight() {
    let mut stage = Stage::new(PAY);
    let run = stage.start();
    stage.crash(run);
    let run = stage.take();
    let paused = stage.drive(run);
    assert_eq!(paused["status"], "paused");
    let request = &paused["requests"][0];
    let args = json!({
        "argv": ["wait", "1000", "paid 5"], "input": null, "env": { "KEY": "k" }, "cwd": null, "timeout": null, "check": true,
    });
    assert_eq!(request["data"], json!({ "on_crash": "pay", "call": "exec", "args": args }));
    assert_eq!(request["path"], "main[0]/pay[0]");
    let actions = request["schema"]["anyOf"].as_array().map_or(0, Vec::len);
    assert_eq!(actions, 3, "{}", request["schema"]);
    let mut run = stage.take();
    let id = request["id"].as_str().expect("an id");
    let refused = run.respond(id, &json!({ "action": "result", "value": 7 })).expect_err("it does not fit");
    assert!(refused.contains(".value"), "{refused}");
    run.respond(id, &json!({ "action": "retry" })).expect("it fits");
    assert_eq!(stage.drive(run)["output"], "paid 5");
    assert_eq!((stage.count("request_info"), stage.count("response")), (1, 1));
}

#[test]
fn a_result_is_that_of_the_step() {
    let mut stage = Stage::new(PAY);
    let run = stage.start();
    stage.crash(run);
    let run = stage.take();
    stage.drive(run);
    let ended = stage.answer(json!({ "action": "result", "value": "paid by hand" }));
    assert_eq!(ended["output"], "paid by hand");
    assert_eq!((stage.count("step_completed"), stage.count("step_cancelled"), stage.count("log")), (1, 0, 1));
}

#[test]
fn a_failure_is_thrown_by_the_call() {
    for (answer, message) in [
        (json!({ "action": "fail", "message": "never mind" }), "never mind"),
        (
            json!({ "action": "fail" }),
            "whether `exec` has happened is not known: the run was stopped while it was under way",
        ),
    ] {
        let mut stage = Stage::new(PAY);
        let run = stage.start();
        stage.crash(run);
        let run = stage.take();
        stage.drive(run);
        assert_eq!(stage.answer(answer)["output"], format!("caught unknown_outcome: {message}"));
    }
}

#[test]
fn whoever_is_asked_is_asked_once_however_often_the_run_is_taken() {
    let mut stage = Stage::new(PAY);
    let run = stage.start();
    stage.crash(run);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let run = stage.take();
        ids.push(stage.drive(run)["requests"][0]["id"].clone());
    }
    ids.dedup();
    assert_eq!((ids.len(), stage.count("request_info")), (1, 1));
    // Once it is made again, it may be in flight again.
    let mut run = stage.take();
    run.respond(ids[0].as_str().expect("an id"), &json!({ "action": "retry" })).expect("it fits");
    stage.crash(run);
    let run = stage.take();
    assert_eq!(stage.drive(run)["status"], "paused");
    assert_eq!(stage.answer(json!({ "action": "retry" }))["output"], "paid 5");
}

#[test]
fn the_result_of_a_step_ends_its_branches() {
    let mut stage = Stage::new(
        "@on_crash(\"ask\")
        step pay() -> [string] {
            gather [
                exec([\"wait\", \"1000\", \"a\"]).stdout,
                try { exec([\"wait\", \"1000\", \"b\"]).stdout } finally { print(\"b\") },
                try { sleep(1h); \"c\" } finally { print(\"c\") },
            ]
        }
        workflow main() -> any { pay() }",
    );
    let run = stage.start();
    stage.crash(run);
    let run = stage.take();
    assert_eq!(stage.drive(run)["requests"].as_array().map(Vec::len), Some(2));
    let ended = stage.answer(json!({ "action": "result", "value": ["given"] }));
    assert_eq!(ended["output"], json!(["given"]));
    assert_eq!((stage.count("log"), stage.count("request_withdrawn")), (2, 1));
}

#[test]
fn a_step_may_throw_instead() {
    let mut stage = Stage::new(
        "@on_crash(\"throw\")
        @retry(attempts: 2, when: e => e.kind == \"unknown_outcome\" && e.message == \"\")
        step pay() -> string { exec([\"wait\", \"1000\", \"paid\"]).stdout }
        workflow main() -> any { try { pay() } catch e { [e.kind, e.step, \"${e.retryable}\"] } }",
    );
    let run = stage.start();
    stage.crash(run);
    let run = stage.take();
    assert_eq!(stage.drive(run)["output"], json!(["unknown_outcome", "main[0]/pay[0]", "false"]));
}

#[test]
fn the_innermost_step_that_says_so_decides() {
    let text = |inner: &str| {
        format!(
            "{inner} step inner() -> string {{ exec([\"wait\", \"1000\", \"paid\"]).stdout }}
            @on_crash(\"throw\")
            step outer() -> any {{ gather [inner()] }}
            workflow main() -> any {{ try {{ outer() }} catch e {{ e.kind }} }}"
        )
    };
    for (inner, output) in [("", json!("unknown_outcome")), ("@on_crash(\"retry\")", json!(["paid"]))] {
        let mut stage = Stage::new(&text(inner));
        let run = stage.start();
        stage.crash(run);
        let run = stage.take();
        assert_eq!(stage.drive(run)["output"], output, "{inner}");
    }
}

#[test]
fn what_may_be_made_again_is_made_again() {
    let mut stage = Stage::new(
        "agent slow { model: \"script/answer\" }
        @on_crash(\"throw\")
        step ask() -> string { slow(\"?\") }
        workflow main() -> any { [exec([\"wait\", \"1000\", \"first\"]).stdout, ask()] }",
    );
    let run = stage.start();
    stage.crash(run);
    let run = stage.take();
    assert_eq!(stage.drive(run)["output"], json!(["first", "answer"]), "`exec` stands in no such step");
}

#[test]
fn a_run_that_is_told_to_stop_knows_what_has_left() {
    // A call that had left is ended, and may have happened.
    let mut stage = Stage::new(PAY);
    let run = stage.start();
    stage.interrupt(run);
    let run = stage.take();
    assert_eq!(stage.drive(run)["status"], "paused");
    assert_eq!(stage.count("request_info"), 1);
    // Before its checkpoint is durable no call leaves, so nothing is unknown, however often the run is stopped.
    let mut stage = Stage::new(PAY);
    let mut run = stage.start();
    for _ in 0..3 {
        stage.store.gate.slow.store(true, Ordering::SeqCst);
        stage.interrupt(run);
        stage.store.gate.slow.store(false, Ordering::SeqCst);
        run = stage.take();
    }
    assert_eq!(stage.drive(run)["output"], "paid 5");
    assert_eq!(stage.count("request_info"), 0);
}
