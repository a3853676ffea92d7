//! Many branches, many runs, many steps.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use wf_runtime::{drive::Sink, store::Store};

use crate::{
    Size, fresh,
    measure::{self, at_most, cpu_of_children, measure, micros, millis, size_of_store},
    open,
    world::{Answering, STEPS, Script, threads},
};

/// Branches of every sort: the script, what it shows, and the code with which it ends.
const FAN_OUTS: &[(&str, &str, i32)] = &[
    (
        "steps",
        "step one(i: int) -> int { i + 1 }\nworkflow main(n: int) -> int { (gather for i in 0..n { one(i) }).len() }",
        0,
    ),
    (
        "sleeps",
        "step one(i: int) -> int { i + 1 }\nworkflow main(n: int) -> int { (gather for i in 0..n { sleep(10ms); one(i) }).len() }",
        0,
    ),
    (
        "limit 50",
        "step one(i: int) -> int { sleep(1ms); i }\nworkflow main(n: int) -> int { (gather limit 50 for i in 0..n { one(i) }).len() }",
        0,
    ),
    ("requests", "workflow main(n: int) -> int { (gather for i in 0..n { request_info({ i }, int) }).len() }", 3),
];

/// Steps, and at last a question.
pub(crate) const LONG: &str = r#"
step one(i: int) -> int { i + 1 }
workflow main(n: int) -> string {
    let sum = 0
    for i in 0..n { sum = one(sum) }
    exec(["work"]).stdout
}
"#;

pub(crate) fn report(folder: &Path, size: &Size) {
    println!("\nh. a `gather` of many branches, by the command");
    for (what, text, code) in FAN_OUTS {
        let costs: Vec<f64> = size.branches.iter().map(|n| fan_out(folder, what, text, *code, *n)).collect();
        if let [few, .., many] = costs.as_slice() {
            at_most(&format!("{what}: cpu per branch, most against fewest"), many / few, 2.0);
        }
    }
    many_runs(folder, size);
    many_steps(folder, size);
}

/// Runs a script with so many branches; gives the processor time per branch.
fn fan_out(folder: &Path, what: &str, text: &str, code: i32, branches: usize) -> f64 {
    let script = folder.join("fan-out.wf");
    std::fs::write(&script, text).expect("written");
    let store = fresh(folder, "fan-out");
    let (cpu, start) = (cpu_of_children(), Instant::now());
    let mut child = Command::new(env!("CARGO_BIN_EXE_wf"))
        .arg("run")
        .arg(&script)
        .arg(format!("n={branches}"))
        .env("WF_STORE", &store)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut peak = 0.0;
    let status = loop {
        peak = peak_of(child.id()).unwrap_or(peak);
        match child.try_wait().expect("the command is ours") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    assert_eq!(status.code(), Some(code), "{what} of {branches}");
    let cpu = micros(cpu_of_children().saturating_sub(cpu)) / branches as f64;
    let wall = millis(start.elapsed());
    println!("   {branches:>6} {what:<12} wall {wall:>7.0} ms   cpu {cpu:>5.1} µs a branch   peak {peak:.1} MB");
    if branches == 10_000 && *what == *"steps" {
        at_most("peak memory of a fan-out of 10,000, MB", peak, 40.0);
    }
    cpu
}

/// The most memory that a process has had so far, in MB.
fn peak_of(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1e3)
}

/// Nobody looks.
struct Nobody;

impl Sink for Nobody {
    fn event(&mut self, _: &Json) -> bool {
        true
    }
}

/// So many runs at once, each of ten steps with an effect.
fn many_runs(folder: &Path, size: &Size) {
    const EACH: usize = 10;
    let store = open(&fresh(folder, "many"));
    let script = Script::new(STEPS);
    let begin = |number: usize| {
        let id = format!("run-{number}");
        script.begin(store.clone(), Arc::new(Answering::new()), Some(500), &id, &json!({ "n": EACH }))
    };
    let runs: Vec<_> = (0..size.runs).map(begin).collect();
    let (before, threads) = (store.counts(), threads());
    let (took, ()) = measure(|| {
        threads.block_on(async {
            let drive = |run: wf_runtime::drive::Run| async move {
                let (_sender, commands) = mpsc::unbounded_channel();
                run.drive(&mut Nobody, commands).await.expect("the store takes it")
            };
            let tasks: Vec<_> = runs.into_iter().map(|run| tokio::spawn(drive(run))).collect();
            for task in tasks {
                task.await.expect("it ends");
            }
        });
    });
    let effects = (size.runs * EACH) as f64;
    let after = store.counts();
    println!("\ni. {} runs at once in one process, each of {EACH} effects", size.runs);
    println!(
        "   wall {:.0} ms   cpu {:.0} µs an effect   {:.1} deltas a transaction",
        millis(took.wall),
        micros(took.cpu) / effects,
        (after.deltas - before.deltas) as f64 / (after.transactions - before.transactions).max(1) as f64
    );
}

/// Notes the processor time at some of its events.
struct Marks {
    seen: usize,
    at: Vec<usize>,
    cpu: Vec<Duration>,
}

impl Sink for Marks {
    fn event(&mut self, event: &Json) -> bool {
        if event["type"] == "step_completed" {
            self.seen += 1;
            if self.at.contains(&self.seen) {
                self.cpu.push(measure::cpu());
            }
        }
        true
    }
}

/// A run of very many steps with a small live state.
fn many_steps(folder: &Path, size: &Size) {
    let (steps, tenth) = (size.steps_of_long, size.steps_of_long / 10);
    let path = fresh(folder, "long");
    let store = open(&path);
    let mut marks = Marks { seen: 0, at: vec![1, tenth, steps - tenth, steps], cpu: Vec::new() };
    let run = Script::new(LONG).begin(store, Arc::new(Answering::new()), Some(500), "run", &json!({ "n": steps }));
    let (_sender, commands) = mpsc::unbounded_channel();
    let threads = threads();
    let (took, _) =
        measure(|| threads.block_on(async { run.drive(&mut marks, commands).await.expect("the store takes it") }));
    println!("\nj. a run of {steps} steps with a small live state");
    println!("   wall {:.1} s   cpu {:.1} µs a step", took.wall.as_secs_f64(), micros(took.cpu) / steps as f64);
    // Of a short run, all events are shown at once.
    if let [first, early, late, last] = marks.cpu.as_slice()
        && early > first
    {
        at_most("cpu of the last tenth against the first", micros(*last - *late) / micros(*early - *first), 1.2);
    }
    let (database, log) = size_of_store(&path);
    println!("   the store has {:.1} MB and {:.1} MB log, events and all", database as f64 / 1e6, log as f64 / 1e6);
}
