//! Runs that are removed, and copies of a store.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use wf_runtime::store::{Removal, Store, StoreError, Swept};

use super::*;

/// A run with the mark in every kind of row, some of it deleted again before it ends.
fn marked(store: &SqliteStore, name: &str, mark: &str, status: RunStatus) {
    let new = NewRun { input: format!("\"{mark} input\""), settings: format!("\"{mark} settings\""), ..new_run(name) };
    let code_hash = *blake3_of(name).first_chunk().unwrap();
    let run = id(name);
    let epoch = store.begin(NewRun { code_hash, code: format!("{mark} code").into_bytes().into(), ..new }).unwrap();
    for n in 1..=90 {
        let long = format!("{mark} {n} ").repeat(usize::try_from(n % 7 * 90 + 1).unwrap());
        let mut next = delta(n);
        next.header = format!("{mark} header").into_bytes();
        next.fibers = vec![fiber(0, 0, &long), fiber(u32::try_from(n % 5).unwrap(), 1, &long)];
        next.chunks = vec![(n, long.clone().into_bytes())];
        next.dead = vec![n / 2];
        next.events = Some(EventBatch { first_seq: n, count: 1, lines: format!("{long}\n") });
        next.opened = vec![RequestRow { json: format!("\"{long}\""), ..request(&format!("{mark} q{n}"), 5) }];
        next.settled = vec![(format!("{mark} q{}", n / 2), wf_runtime::store::RequestEnd::Withdrawn)];
        next.result = Some(format!("\"{}\"", &long[..long.len() / 2]));
        next.floor = n.saturating_sub(20);
        next.status = if n == 90 { status } else { RunStatus::Running };
        commit(store, &run, epoch, next).unwrap();
        store.answer(&run, &format!("{mark} q{n}"), &format!("\"{mark} answer\""), 5).unwrap();
    }
    store.release(&run, epoch).unwrap();
}

fn blake3_of(name: &str) -> Vec<u8> {
    name.bytes().cycle().take(32).collect()
}

/// How often the mark stands in the files of the store.
fn found(folder: &Path, mark: &str) -> usize {
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        count += bytes.windows(mark.len()).filter(|window| *window == mark.as_bytes()).count();
    }
    count
}

const ALL: u64 = u64::MAX;

#[test]
fn a_removed_run_leaves_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    thread::scope(|scope| {
        // At once, so that their rows share pages.
        for (name, mark) in [("stays", "STAYSHERE"), ("goes", "GOESAWAY"), ("too", "GOESTOO")] {
            let store = &store;
            scope.spawn(move || marked(store, name, mark, RunStatus::Completed));
        }
    });
    assert!(found(folder.path(), "GOESAWAY") > 1_000);
    let stays = store.run("stays").unwrap();
    let Removal::Removed { bytes } = store.remove("goes", false, 2_000).unwrap() else { panic!("it stays") };
    assert!(bytes > 10_000, "{bytes}");
    // It is gone before its rows are.
    assert_eq!(store.run("goes").err(), Some(StoreError::NotFound("run `goes`".into())));
    assert_eq!(store.remove("goes", true, 2_000), Err(StoreError::NotFound("run `goes`".into())));
    assert!(store.requests(None).unwrap().iter().all(|open| &*open.run != "goes"));
    assert!(matches!(store.remove("too", false, 2_000), Ok(Removal::Removed { .. })));
    assert_eq!(store.sweep(ALL).unwrap(), Swept { rewritten: true, log_emptied: true });
    assert_eq!((found(folder.path(), "GOESAWAY"), found(folder.path(), "GOESTOO")), (0, 0));
    assert!(found(folder.path(), "STAYSHERE") > 500);
    assert_eq!(at(&*store, &id("stays"), 90).text().len(), 6);
    assert_eq!(store.run("stays").unwrap().bytes, stays.bytes);
    assert_eq!(store.sizes(&id("stays")).unwrap().total(), stays.bytes);
    // The name is free.
    begin(&*store, "goes");
}

#[test]
fn rows_of_a_removed_run_go_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    marked(&store, "goes", "GOESAWAY", RunStatus::Failed);
    store.remove("goes", false, 2_000).unwrap();
    // Cut short here; another run begins, in another process, before the rows are deleted.
    drop(store);
    let store = sqlite(folder.path());
    let (run, epoch) = begin(&*store, "goes");
    commit(&*store, &run, epoch, Delta { chunks: vec![(3, b"mine".to_vec())], ..delta(1) }).unwrap();
    assert_eq!(at(&*store, &run, 1).chunks, [(3, b"mine".to_vec())].into());
    assert!(store.requests(Some(&run)).unwrap().is_empty() && store.events(&run, 0).unwrap().is_empty());
    store.sweep(ALL).unwrap();
    assert_eq!(found(folder.path(), "GOESAWAY"), 0);
    assert_eq!(at(&*store, &run, 1).chunks, [(3, b"mine".to_vec())].into());
    assert_eq!(store.code(&[7; 32]).unwrap(), b"code");
    let unused = store.code(blake3_of("goes").first_chunk().unwrap());
    assert!(matches!(unused, Err(StoreError::NotFound(_))), "{unused:?}");
}

#[test]
fn what_may_go_on_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    marked(&store, "paused", "MARK", RunStatus::Paused);
    assert_eq!(store.remove("paused", false, 2_000), Ok(Removal::Unfinished("paused".into())));
    let epoch = store.acquire(&id("paused"), elsewhere(3), false, 2_000).unwrap();
    let executed = Removal::Executed("process 3 on elsewhere".into());
    assert_eq!(store.remove("paused", true, 2_000), Ok(executed));
    assert_eq!(store.run("paused").unwrap().epoch, epoch);
    // Its lease has expired, so a zombie may be left; it writes nothing any more.
    assert!(matches!(store.remove("paused", true, 60_000), Ok(Removal::Removed { .. })));
    let zombie = commit(&*store, &id("paused"), epoch, delta(91));
    assert_eq!(zombie, Err(StoreError::NotFound("run `paused`".into())));
    assert_eq!(store.remove("nobody", true, 0), Err(StoreError::NotFound("run `nobody`".into())));
}

#[test]
fn others_write_while_a_run_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    marked(&store, "goes", "MARK", RunStatus::Completed);
    let (run, epoch) = begin(&*store, "writes");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 0;
            while !done.load(Ordering::Relaxed) {
                n += 1;
                commit(&*store, &run, epoch, Delta { floor: n, ..delta(n) }).unwrap();
            }
            n
        });
        let other = sqlite(folder.path());
        other.remove("goes", false, 2_000).unwrap();
        other.sweep(0).unwrap();
        done.store(true, Ordering::Relaxed);
        let written = writer.join().unwrap();
        assert_eq!(store.run("writes").unwrap().last_checkpoint, written);
    });
}

#[test]
fn a_copy_is_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path());
    marked(&store, "ended", "MARK", RunStatus::Completed);
    let runs: Vec<_> = ["a", "b"].iter().map(|name| begin(&*store, name)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // Another process: the store is opened a second time.
            let writer = sqlite(folder.path());
            let mut n = 0;
            while !done.load(Ordering::Relaxed) || n == 0 {
                n += 1;
                for (run, epoch) in &runs {
                    let chunks = vec![(n, vec![1; 3_000])];
                    commit(&*writer, run, *epoch, Delta { chunks, dead: vec![n - 1], floor: n, ..delta(n) }).unwrap();
                }
            }
        });
        for copy in 0..5 {
            let target = folder.path().join(format!("copy {copy}.db"));
            let bytes = store.backup(&target, &folder.path().join("partial")).unwrap();
            assert_eq!(bytes, fs::metadata(&target).unwrap().len());
            let copied = SqliteStore::open_existing(&target).unwrap();
            let at = |name| copied.run(name).unwrap().last_checkpoint;
            assert!(at("a") == at("b") || at("a") == at("b") + 1, "{} and {}", at("a"), at("b"));
            assert_eq!(super::at(&*copied, &id("ended"), 90), super::at(&*store, &id("ended"), 90));
            assert!(!folder.path().join("partial").exists());
        }
        done.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    });
    let nowhere = store.backup(&folder.path().join("no/such/copy.db"), &folder.path().join("no/such/partial"));
    assert!(matches!(nowhere, Err(StoreError::Unusable(_))), "{nowhere:?}");
    // A copy over an older store forgets that one's log.
    let target = folder.path().join("copy 0.db");
    fs::write(folder.path().join("copy 0.db-wal"), b"of another store").unwrap();
    store.backup(&target, &folder.path().join("partial")).unwrap();
    assert_eq!(SqliteStore::open_existing(&target).unwrap().runs(9).unwrap().len(), 3);
}
