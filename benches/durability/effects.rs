//! A step with an effect outside, against its bytes through the same store, and against SQLite alone.

use std::{path::Path, sync::Arc};

use serde_json::json;
use wf_runtime::store::{Delta, RunId, Store, StoreCounts};

use crate::{
    Size, bare, fresh,
    measure::{Took, count_syncs, measure, micros, spread},
    open,
    recording::Recording,
    world::{Answering, STEPS, Script, drive_to_end, threads},
};

/// One turn of the comparison.
struct Turn {
    run: Took,
    replay: Took,
    bare: Took,
    counts: StoreCounts,
}

pub(crate) fn report(folder: &Path, size: &Size) {
    let script = Script::new(STEPS);
    let deltas = record(&script, folder, size.steps);
    let turns: Vec<Turn> =
        (0..size.repeats).map(|turn| take_turn(&script, &deltas, folder, size.steps, turn)).collect();
    let steps = size.steps as f64;
    let bytes: usize = deltas.iter().map(Delta::bytes).sum();

    println!("\na. a durable step with one effect ({} steps, {} repeats in turns)", size.steps, size.repeats);
    let line = |what: &str, took: &dyn Fn(&Turn) -> Took| {
        let wall = spread(turns.iter().map(|turn| micros(took(turn).wall) / steps));
        let cpu = spread(turns.iter().map(|turn| micros(took(turn).cpu) / steps));
        println!("   {what:<34} wall {:>6.0} µs   cpu {:>6.0} µs", wall.middle, cpu.middle);
    };
    line("the run", &|turn| turn.run);
    line("its deltas through the same store", &|turn| turn.replay);
    line("its rows by SQLite alone", &|turn| turn.bare);
    let ratio = |what: &str, of: &dyn Fn(&Turn) -> f64| println!("   {what:<34} {}", spread(turns.iter().map(of)));
    ratio("run / deltas, wall", &|turn| micros(turn.run.wall) / micros(turn.replay.wall));
    ratio("run / SQLite alone, wall", &|turn| micros(turn.run.wall) / micros(turn.bare.wall));
    ratio("our cpu beside the store, µs", &|turn| (micros(turn.run.cpu) - micros(turn.replay.cpu)) / steps);
    if let Some(turn) = turns.last() {
        let each = |count: u64| count as f64 / steps;
        println!(
            "   {:<34} {:.3} deltas, {:.3} transactions, {:.0} bytes of rows",
            "per effect",
            each(turn.counts.deltas),
            each(turn.counts.transactions),
            bytes as f64 / steps
        );
    }
    syncs(folder, size.steps);
}

/// What the disk is asked to make durable, by `strace` where there is one.
fn syncs(folder: &Path, steps: usize) {
    // A run of one step has the same beginning and end.
    let base = count_syncs(&fresh(folder, "sync-base"), 1);
    let all = count_syncs(&fresh(folder, "sync"), steps + 1);
    match (base, all) {
        (Some(base), Some(all)) => {
            let each = all.saturating_sub(base) as f64 / steps as f64;
            println!("   {:<34} {each:.3} (counted by strace: {all} in all, {base} for one step)", "syncs per effect");
        }
        _ => println!("   {:<34} one per transaction and two per log turned over (no strace here)", "syncs"),
    }
}

fn record(script: &Script, folder: &Path, steps: usize) -> Vec<Delta> {
    let store = Recording::new(open(&fresh(folder, "record")));
    let run = script.begin(store.clone(), Arc::new(Answering::new()), Some(500), "run", &json!({ "n": steps }));
    drive_to_end(&threads(), run);
    store.deltas()
}

fn take_turn(script: &Script, deltas: &[Delta], folder: &Path, steps: usize, turn: usize) -> Turn {
    let (mut ran, mut replayed, mut alone) = (Took::default(), Took::default(), Took::default());
    let mut counts = StoreCounts::default();
    // The order moves on, so that nobody always comes after the same one.
    for part in 0..3 {
        match (part + turn) % 3 {
            0 => (ran, counts) = run(script, folder, steps),
            1 => replayed = replay(script, deltas, folder, steps),
            _ => alone = insert(deltas, folder),
        }
    }
    Turn { run: ran, replay: replayed, bare: alone, counts }
}

fn run(script: &Script, folder: &Path, steps: usize) -> (Took, StoreCounts) {
    let (store, threads) = (open(&fresh(folder, "run")), threads());
    let run = script.begin(store.clone(), Arc::new(Answering::new()), Some(500), "run", &json!({ "n": steps }));
    let before = store.counts();
    let (took, ()) = measure(|| drive_to_end(&threads, run));
    let after = store.counts();
    let counts = StoreCounts {
        transactions: after.transactions - before.transactions,
        deltas: after.deltas - before.deltas,
        bytes: after.bytes - before.bytes,
    };
    (took, counts)
}

fn replay(script: &Script, deltas: &[Delta], folder: &Path, steps: usize) -> Took {
    let (store, threads) = (open(&fresh(folder, "replay")), threads());
    let id: RunId = "run".into();
    let epoch = store.begin(script.new_run("run", &json!({ "n": steps }))).expect("the run begins");
    let deltas = deltas.to_vec();
    let (took, ()) = measure(|| {
        threads.block_on(async {
            for delta in deltas {
                store.commit(&id, epoch, delta).await.expect("committed");
            }
        });
    });
    took
}

fn insert(deltas: &[Delta], folder: &Path) -> Took {
    let mut conn = bare::open(&fresh(folder, "bare"));
    measure(|| bare::insert(&mut conn, deltas).expect("inserted")).0
}
