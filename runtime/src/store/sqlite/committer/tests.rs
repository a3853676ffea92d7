//! What cannot be brought about from outside: a COMMIT that fails, a disk that is full.

use super::*;
use crate::store::{FiberRow, NewRun, Owner, RunStatus, migrate, sqlite::hand};

type Waiting = oneshot::Receiver<Result<(), StoreError>>;

fn owner() -> Owner {
    Owner { host: "elsewhere".into(), pid: 1, started: 1 }
}

fn committer<'c>(folder: &tempfile::TempDir, counts: &'c Mutex<StoreCounts>) -> Committer<'c> {
    let mut conn = Connection::open(folder.path().join("wf.db")).unwrap();
    migrate::prepare(&mut conn).unwrap();
    let mut committer = Committer { conn, counts, refusals: Refusals::default(), untidied: 0 };
    for name in ["a", "b"] {
        let run = NewRun {
            id: name.into(),
            workflow: String::new(),
            script: String::new(),
            code_hash: [0; 32],
            code: [].into(),
            input: String::new(),
            settings: String::new(),
            created_at: 0,
            owner: owner(),
        };
        in_transaction(&mut committer.conn, |tx| hand::begin(tx, &run)).unwrap();
    }
    committer
}

fn queued(run: &str, epoch: u64, n: u64, size: usize) -> (Queued, Waiting) {
    let delta = Delta {
        n,
        time: 0,
        header: Vec::new(),
        pinned: false,
        pins: Vec::new(),
        fibers: vec![FiberRow { fiber: 0, segment: 0, data: vec![1; size] }],
        closed: Vec::new(),
        chunks: Vec::new(),
        dead: Vec::new(),
        reset: false,
        floor: 0,
        events: None,
        opened: Vec::new(),
        settled: Vec::new(),
        status: RunStatus::Running,
        wake_at: None,
        result: None,
        moved: None,
    };
    let (reply, waiting) = oneshot::channel();
    (Queued { run: run.into(), epoch: Epoch(epoch), delta, reply }, waiting)
}

fn commit(committer: &mut Committer<'_>, deltas: &[(&str, u64, u64, usize)]) -> Vec<Result<(), StoreError>> {
    let (batch, waiting): (Vec<_>, Vec<_>) =
        deltas.iter().map(|(run, epoch, n, size)| queued(run, *epoch, *n, *size)).unzip();
    committer.commit(batch);
    waiting.into_iter().map(|mut waiting| waiting.try_recv().unwrap()).collect()
}

fn acquire(committer: &mut Committer<'_>, run: &'static str) -> u64 {
    let (reply, answer) = mpsc::channel();
    let work = move |tx: &Transaction<'_>| hand::acquire(tx, run, &owner(), true, 0);
    committer.change(Change::new(Some(run.into()), work, move |result| reply.send(result).unwrap()));
    answer.recv().unwrap().unwrap().0
}

#[test]
fn a_failed_commit_stops_every_run_in_it() {
    let (folder, counts) = (tempfile::tempdir().unwrap(), Mutex::default());
    let mut committer = committer(&folder, &counts);
    // The constraint is checked at the COMMIT only.
    let trap = "PRAGMA foreign_keys = ON; CREATE TABLE parent (id INTEGER PRIMARY KEY); \
                CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED); \
                CREATE TRIGGER trap AFTER INSERT ON checkpoint WHEN new.n = 2 BEGIN INSERT INTO child VALUES (1); END;";
    committer.conn.execute_batch(trap).unwrap();
    assert_eq!(commit(&mut committer, &[("a", 1, 1, 9), ("b", 1, 1, 9)]), [Ok(()), Ok(())]);
    let results = commit(&mut committer, &[("a", 1, 2, 9), ("b", 1, 9, 9), ("a", 1, 3, 9), ("a", 7, 2, 9)]);
    assert!(results[0].is_err() && results[0] == results[2], "{results:?}");
    assert_eq!(results[1], Err(StoreError::OutOfOrder { stored: 1, given: 9 }), "its own reason");
    assert_eq!(results[3], Err(StoreError::Stale));
    committer.conn.execute_batch("DROP TRIGGER trap").unwrap();
    assert_eq!(commit(&mut committer, &[("a", 1, 2, 9)]), [results[0].clone()]);
    let epoch = acquire(&mut committer, "a");
    assert_eq!(commit(&mut committer, &[("a", epoch, 2, 9)]), [Ok(())]);
    assert_eq!(counts.lock().unwrap().deltas, 3);
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let (folder, counts) = (tempfile::tempdir().unwrap(), Mutex::default());
    let mut committer = committer(&folder, &counts);
    let pages: i64 = committer.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |committer: &Committer<'_>, pages: i64| {
        committer.conn.pragma_query_value(None, "max_page_count", |_| Ok(())).unwrap();
        committer.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    };
    limit(&committer, pages + 4);
    let results = commit(&mut committer, &[("b", 1, 1, 9), ("a", 1, 1, 100_000), ("a", 1, 2, 9), ("b", 1, 2, 9)]);
    let full =
        |result: &Result<(), StoreError>| matches!(result, Err(StoreError::Unusable(why)) if why.contains("full"));
    assert!(full(&results[1]) && full(&results[2]), "{results:?}");
    // Whether the others were written depends on SQLite; but the second not without the first.
    assert!(results[0] == results[3], "{results:?}");
    limit(&committer, 1 << 20);
    assert!(full(&commit(&mut committer, &[("a", 1, 1, 9)])[0]));
    for run in ["a", "b"] {
        let epoch = acquire(&mut committer, run);
        let n = if run == "b" && results[0].is_ok() { 3 } else { 1 };
        assert_eq!(commit(&mut committer, &[(run, epoch, n, 100_000)]), [Ok(())]);
    }
}
