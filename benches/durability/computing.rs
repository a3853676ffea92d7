//! What purely computing steps cost, how long an event waits meanwhile, and how many commits an effect takes.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use wf_runtime::{drive::Sink, store::Store};

use crate::{
    Size, fresh,
    measure::{at_most, measure, micros, millis},
    open,
    world::{Answering, STEPS, Script, drive_to_end, threads},
};

/// Steps that only compute.
const COMPUTE: &str = r#"
step one(i: int) -> int { i + 1 }
workflow main(n: int) -> int {
    let sum = 0
    for i in 0..n { sum = one(sum) }
    sum
}
"#;

/// An event now and then, and a lot to compute between them.
const TELLING: &str = r#"
workflow main(n: int) -> int {
    let sum = 0
    for i in 0..n {
        log("at ${i}")
        for j in 0..500 { sum = (sum + i * j) % 1000003 }
    }
    sum
}
"#;

/// Notes the longest time between two events.
struct Gaps {
    last: Option<Instant>,
    longest: Duration,
}

impl Sink for Gaps {
    fn event(&mut self, event: &Json) -> bool {
        if event["type"] == "log" {
            let now = Instant::now();
            self.longest = self.last.map_or(Duration::ZERO, |last| (now - last).max(self.longest));
            self.last = Some(now);
        }
        true
    }
}

pub(crate) fn report(folder: &Path, size: &Size) {
    let count = size.late;
    println!("\ng. computing and counting");
    let run = |text: &str, name: &str| {
        let store = open(&fresh(folder, name));
        let run =
            Script::new(text).begin(store.clone(), Arc::new(Answering::new()), Some(500), name, &json!({ "n": count }));
        let before = store.counts().deltas;
        let (took, ()) = measure(|| drive_to_end(&threads(), run));
        (took, store.counts().deltas - before)
    };
    let (took, deltas) = run(COMPUTE, "compute");
    at_most("a step that only computes, cpu µs", micros(took.cpu) / count as f64, 20.0);
    println!("   {:<44} {deltas} commits for {count} steps", "");
    let (_, deltas) = run(STEPS, "commits");
    at_most("commits per outside effect", deltas as f64 / count as f64, 1.05);

    let store = open(&fresh(folder, "telling"));
    let run = Script::new(TELLING).begin(store, Arc::new(Answering::new()), Some(500), "run", &json!({ "n": count }));
    let mut gaps = Gaps { last: None, longest: Duration::ZERO };
    let (_sender, commands) = mpsc::unbounded_channel();
    threads().block_on(async { run.drive(&mut gaps, commands).await.expect("the store takes it") });
    at_most("an event waits while it computes, ms at most", millis(gaps.longest), 10.0);
}
