//! Whether a step costs the same late in a run as early, and how large the store becomes.

use std::{path::Path, sync::Arc};

use serde_json::json;
use wf_runtime::store::{Delta, Store};

use crate::{
    Size, fresh,
    measure::{at_most, micros, size_of_store, spread},
    open,
    recording::Recording,
    world::{ACCUMULATE, Answering, Script, drive_to_end, threads},
};

/// The cost of a step around one of them, each a median.
struct Around {
    wall: f64,
    cpu: f64,
}

pub(crate) fn report(folder: &Path, size: &Size) {
    let script = Script::new(ACCUMULATE);
    let half = (size.early / 2).min(100);
    println!("\nb. step {} against step {}, each result of 30 bytes kept in a list", size.late, size.early);
    let repeats = size.repeats.min(3);
    let runs: Vec<(Around, Around)> = (0..repeats)
        .map(|_| {
            let path = fresh(folder, "growth");
            let host = run(&script, open(&path), Some(500), size.late + half, half, size);
            (around(&host, size.early, half), around(&host, size.late, half))
        })
        .collect();
    let early = spread(runs.iter().map(|(early, _)| early.wall));
    let late = spread(runs.iter().map(|(_, late)| late.wall));
    println!("   wall {:.0} µs early, {:.0} µs late, ratio {}", early.middle, late.middle, ratio(&runs, |at| at.wall));
    let early = spread(runs.iter().map(|(early, _)| early.cpu));
    let late = spread(runs.iter().map(|(_, late)| late.cpu));
    println!("   cpu  {:.0} µs early, {:.0} µs late, ratio {}", early.middle, late.middle, ratio(&runs, |at| at.cpu));
    let middle = spread(runs.iter().map(|(early, late)| late.cpu / early.cpu)).middle;
    at_most("a late step against an early one, cpu", middle, 1.2);

    let store = Recording::new(open(&fresh(folder, "recorded")));
    run(&script, store.clone(), Some(500), size.late + half, half, size);
    let deltas = store.deltas();
    let bytes = |at: usize| {
        let window = deltas.get(at - half..at + half).unwrap_or_default();
        let rows = |delta: &Delta| delta.fibers.iter().map(|row| row.data.len()).sum::<usize>();
        let chunks = |delta: &Delta| delta.chunks.iter().map(|(_, data)| data.len()).sum::<usize>();
        let mean = |of: &dyn Fn(&Delta) -> usize| window.iter().map(of).sum::<usize>() / window.len().max(1);
        format!("{} (fibers {}, chunks {})", mean(&|delta| delta.bytes()), mean(&rows), mean(&chunks))
    };
    println!("   bytes of rows per step: {} early, {} late", bytes(size.early), bytes(size.late));

    println!("\nc. the store after {} steps", size.late + half);
    for (what, keep) in [("the last 500 checkpoints kept", Some(500)), ("all checkpoints kept", None)] {
        let path = fresh(folder, "size");
        let store = open(&path);
        run(&script, store.clone(), keep, size.late + half, half, size);
        let counts = store.counts();
        let open = size_of_store(&path);
        drop(store);
        let closed = size_of_store(&path);
        println!(
            "   {what:<34} {:.2} MB and {:.2} MB log; closed {:.2} MB; {:.2} MB of rows written",
            mb(open.0),
            mb(open.1),
            mb(closed.0 + closed.1),
            mb(counts.bytes)
        );
        if keep.is_some() {
            at_most("the store and its log, MB", mb(open.0 + open.1), 10.0);
        }
    }
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn ratio(runs: &[(Around, Around)], of: impl Fn(&Around) -> f64) -> String {
    spread(runs.iter().map(|(early, late)| of(late) / of(early))).to_string()
}

fn run(
    script: &Script,
    store: Arc<dyn Store>,
    keep: Option<u64>,
    steps: usize,
    half: usize,
    size: &Size,
) -> Arc<Answering> {
    let mut host = Answering::new();
    host.note_cpu = [size.early, size.late].into_iter().flat_map(|at| [at - half, at + half - 1]).collect();
    let host = Arc::new(host);
    let run = script.begin(store, host.clone(), keep, "run", &json!({ "n": steps }));
    drive_to_end(&threads(), run);
    host
}

fn around(host: &Answering, at: usize, half: usize) -> Around {
    let asked = host.asked();
    let window = asked.get(at - half..at + half).unwrap_or_default();
    let steps = window.windows(2).map(|pair| micros(pair[1].at - pair[0].at));
    let wall = spread(steps).middle;
    let cpu = match (window.first(), window.last()) {
        (Some(first), Some(last)) => micros(last.cpu.saturating_sub(first.cpu)) / (window.len() - 1) as f64,
        _ => 0.0,
    };
    Around { wall, cpu }
}
