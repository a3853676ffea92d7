//! Many runs at once, and a store that stops.

use std::thread;

use wf_runtime::store::{MemoryStore, Store, StoreError};

use super::*;

#[test]
fn runs_share_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    let runs: Vec<_> = (0..64).map(|index| begin(&*store, &format!("run {index}"))).collect();
    let before = store.counts();
    thread::scope(|scope| {
        for (run, epoch) in &runs {
            let store = &store;
            scope.spawn(move || (1..=8).for_each(|n| commit(&**store, run, *epoch, delta(n)).unwrap()));
        }
    });
    let after = store.counts();
    assert_eq!(after.deltas - before.deltas, 64 * 8);
    let transactions = after.transactions - before.transactions;
    assert!(transactions < 64 * 8 / 2, "{transactions} transactions");
    for (run, _) in &runs {
        assert_eq!(store.run(run).unwrap().last_checkpoint, 8);
    }
}

#[test]
fn a_dropped_store_writes_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    let (run, epoch) = begin(&*store, "a");
    let receipts: Vec<_> = (1..=50).map(|n| store.commit(&run, epoch, delta(n))).collect();
    drop(store);
    receipts.into_iter().for_each(|receipt| wait(receipt).unwrap());
    assert_eq!(sqlite(folder.path()).run(&run).unwrap().last_checkpoint, 50);
}

#[test]
fn two_stores_on_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [sqlite(folder.path()), sqlite(folder.path())];
    thread::scope(|scope| {
        for (index, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                let (run, epoch) = begin(&**store, &format!("run {index}"));
                (1..=40).for_each(|n| commit(&**store, &run, epoch, delta(n)).unwrap());
            });
        }
    });
    for store in &stores {
        assert_eq!(store.runs(9).unwrap().iter().map(|run| run.last_checkpoint).collect::<Vec<_>>(), [40, 40]);
    }
    // The zombie of another process is refused as well.
    let run = id("run 0");
    let new = stores[1].acquire(&run, elsewhere(2), true, 0).unwrap();
    assert_eq!(commit(&*stores[0], &run, Epoch(1), delta(41)), Err(StoreError::Stale));
    commit(&*stores[1], &run, new, delta(41)).unwrap();
}

#[test]
fn many_open_one_new_file() {
    for _ in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for index in 0..8 {
                let folder = folder.path();
                scope.spawn(move || begin(&*sqlite(folder), &format!("run {index}")));
            }
        });
        assert_eq!(sqlite(folder.path()).runs(9).unwrap().len(), 8);
    }
}

#[test]
fn a_visitor_may_ask_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] = [sqlite(folder.path()), MemoryStore::new()];
    for store in stores {
        let (run, epoch) = begin(&*store, "a");
        commit(&*store, &run, epoch, delta(1)).unwrap();
        let mut visit = |saved: &wf_runtime::store::Saved, _: &mut dyn wf_runtime::store::Chunks| {
            // What is written meanwhile does not change what is being read.
            commit(&*store, &run, epoch, delta(2))?;
            assert_eq!((saved.n, store.run(&run)?.last_checkpoint), (1, 2));
            Err(StoreError::NotFound("what the visitor sought".into()))
        };
        let result = store.load(&run, None, &mut visit);
        assert_eq!(result, Err(StoreError::NotFound("what the visitor sought".into())));
    }
}

#[test]
fn a_test_stops_the_memory_store() {
    let store = MemoryStore::new();
    let (run, epoch) = begin(&*store, "a");
    store.fail_after(2);
    let stopped = StoreError::Unusable("stopped by the test".into());
    commit(&*store, &run, epoch, delta(1)).unwrap();
    commit(&*store, &run, epoch, delta(2)).unwrap();
    assert_eq!(commit(&*store, &run, epoch, delta(3)), Err(stopped.clone()));
    assert_eq!(store.commits(), 2);
    store.fail_after(u64::MAX);
    assert_eq!(commit(&*store, &run, epoch, delta(3)), Err(stopped), "a failed commit stops the run");
    let epoch = store.acquire(&run, elsewhere(1), false, 2_000).unwrap();
    commit(&*store, &run, epoch, delta(3)).unwrap();
    assert_eq!(at(&*store, &run, 3).n, 3);
}
