//! The command itself: how long it takes to start, and what it leaves behind at a pause.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use wf_runtime::store::{Chunks, Saved, SqliteStore, Store};

use crate::{
    Size,
    measure::{at_most, cpu_of_children, millis, spread},
};

const HELLO: &str = "step hello() -> string { \"hello\" }\nworkflow main() -> string { hello() }\n";

pub(crate) fn report(folder: &Path, size: &Size) {
    let script = folder.join("hello.wf");
    std::fs::write(&script, HELLO).expect("written");
    let store = folder.join("cold.db");
    println!(
        "\ne. a process from start to end, on a store that there is (median of {}; cpu is their mean)",
        size.starts
    );
    let script = script.to_string_lossy();
    wf(&["run", &script], &store);
    let cpu = show("wf run, one step", size.starts, || wf(&["run", &script], &store));
    at_most("cold start of a durable run, cpu ms", cpu, 8.0);
    show("wf list", size.starts, || wf(&["list"], &store));
    show("wf --version", size.starts, || wf(&["--version"], &store));
    headline(folder);
}

/// Shows what starting a process takes; gives the processor time in milliseconds.
fn show(what: &str, starts: usize, start: impl Fn()) -> f64 {
    let cpu = cpu_of_children();
    let walls: Vec<f64> = (0..starts)
        .map(|_| {
            let began = Instant::now();
            start();
            millis(began.elapsed())
        })
        .collect();
    let cpu = millis(cpu_of_children().saturating_sub(cpu)) / starts as f64;
    println!("   {what:<34} wall {} ms   cpu {cpu:.1} ms", spread(walls));
    cpu
}

/// Runs the command, which may end as paused.
fn wf(args: &[&str], store: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_wf"))
        .args(args)
        .env("WF_STORE", store)
        .env("WF_MODEL", "offline/echo")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the command starts");
    assert!(matches!(status.code(), Some(0 | 3)), "{args:?} ended with {status}");
}

/// The rows of the checkpoint at which the headline waits for its answer.
fn headline(folder: &Path) {
    let path = folder.join("headline.db");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/headline.wf");
    wf(&["run", script, "product=NebulaCloud"], &path);
    let store = SqliteStore::open(&path).expect("the store opens");
    let run = store.runs(1).expect("the runs").remove(0);
    let (mut header, mut fibers, mut chunks) = (0, 0, 0);
    let mut visit = |saved: &Saved, source: &mut dyn Chunks| {
        header = saved.header.len();
        fibers = saved.fibers.iter().map(|row| row.data.len()).sum::<usize>();
        for id in 1..1000 {
            chunks += source.chunk(id)?.map_or(0, |chunk| chunk.len());
        }
        Ok(())
    };
    store.load(&run.id, None, &mut visit).expect("the checkpoint");
    println!("\nf. the checkpoint of examples/headline.wf at its pause");
    println!("   {} bytes = header {header} + fibers {fibers} + chunks {chunks}", header + fibers + chunks);
    at_most("bytes", (header + fibers + chunks) as f64, 2048.0);
}
