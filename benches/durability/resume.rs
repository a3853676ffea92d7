//! How long it takes to go on, after few steps and after many.

use std::{path::Path, sync::Arc, time::Instant};

use serde_json::json;
use tokio::sync::mpsc;
use wf_runtime::{
    code::Code,
    store::{RunId, Store},
};

use crate::{
    Size, fresh,
    measure::{at_most, millis, spread},
    open,
    scale::LONG,
    world::{ACCUMULATE, Answering, Script, drive, threads},
};

pub(crate) fn report(folder: &Path, size: &Size) {
    let script = Script::new(ACCUMULATE);
    println!("\nd. going on: milliseconds until the first question is asked again (median of {})", size.repeats);
    for steps in [size.early, size.late] {
        let path = fresh(folder, "resume");
        stop_at(&script, &path, steps, None);
        let times: Vec<[f64; 4]> = (0..size.repeats).map(|_| go_on(&path)).collect();
        let part = |index: usize| spread(times.iter().map(|time| time[index])).middle;
        let all = spread(times.iter().map(|time| time.iter().sum()));
        println!(
            "   after {steps:>5} steps: {:.2} = open {:.2} + code {:.2} + checkpoint {:.2} + first question {:.2}",
            all.middle,
            part(0),
            part(1),
            part(2),
            part(3)
        );
    }
    // The same with a small live state: what is loaded is what lives, however long the run was.
    let script = Script::new(LONG);
    let times = [size.early, size.resumed].map(|steps| {
        let path = fresh(folder, "resume-long");
        stop_in(&script, &path, steps);
        spread((0..size.repeats).map(|_| go_on(&path).iter().sum())).middle
    });
    println!(
        "   with little to load: {:.2} after {} steps, {:.2} after {}",
        times[0], size.early, times[1], size.resumed
    );
    at_most("late against early", times[1] / times[0], 1.2);
}

/// Runs so many steps, and stops at the question behind them.
fn stop_in(script: &Script, path: &Path, steps: usize) {
    let (sender, commands) = mpsc::unbounded_channel();
    let mut host = Answering::new();
    host.stop = Some((0, sender));
    let run = script.begin(open(path), Arc::new(host), Some(500), "run", &json!({ "n": steps }));
    drive(&threads(), run, commands);
}

/// Runs until so many questions were asked, and stops there.
fn stop_at(script: &Script, path: &Path, steps: usize, keep: Option<u64>) {
    let (sender, commands) = mpsc::unbounded_channel();
    let mut host = Answering::new();
    host.stop = Some((steps, sender));
    let run = script.begin(open(path), Arc::new(host), keep, "run", &json!({ "n": steps + 10 }));
    drive(&threads(), run, commands);
}

/// Goes on until the first question, as a new process would.
fn go_on(path: &Path) -> [f64; 4] {
    let threads = threads();
    let start = Instant::now();
    let store = open(path);
    let opened = Instant::now();
    let id: RunId = "run".into();
    let record = store.run(&id).expect("the run");
    let code = store.code(&record.code_hash).expect("its code");
    let image =
        Code::unpack(&code, &|_| Err("written by this engine".into())).expect("its code").image().expect("an image");
    let unpacked = Instant::now();
    let (sender, commands) = mpsc::unbounded_channel();
    let mut host = Answering::new();
    host.stop = Some((0, sender));
    let host = Arc::new(host);
    let run = Script::reopen(image, store, host.clone(), &id);
    let loaded = Instant::now();
    drive(&threads, run, commands);
    let asked = host.asked().first().map_or(loaded, |asked| asked.at);
    [opened - start, unpacked - opened, loaded - unpacked, asked - loaded].map(millis)
}
