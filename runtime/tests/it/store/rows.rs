//! What is written is read: runs, checkpoints, code, events, ids.

use wf_runtime::store::{Epoch, RunStatus, Store, StoreError};

use super::*;

over_both_stores! {
    a_run_reads_back, a_commit_reads_back, numbers_follow, a_refused_delta_stops_its_epoch, runs_newest_first,
    ids_by_their_ends, events_after_a_number, events_do_not_go_back, unknown_runs, odd_text_reads_back,
    one_delta_may_name_a_row_twice, numbers_too_large
}

fn a_run_reads_back(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    assert_eq!(epoch, Epoch(1));
    assert_eq!(store.begin(new_run("a")), Err(StoreError::Exists("a".into())));
    let record = store.run(&run).unwrap();
    assert_eq!((record.status, record.last_checkpoint, record.last_seq), (RunStatus::Running, 0, 0));
    assert_eq!((record.workflow.as_str(), record.script.as_str()), ("greet", "greet.wf"));
    assert_eq!((record.input.as_str(), record.settings.as_str()), (r#"{"name":"Ada"}"#, "{}"));
    assert_eq!((record.owner, record.lease_until), (Some(elsewhere(1)), 11_000));
    assert_eq!((record.epoch, record.code_hash, record.result, record.wake_at), (epoch, [7; 32], None, None));
    assert_eq!(store.code(&[7; 32]).unwrap(), b"code");
    assert_eq!(store.kept(&run).unwrap(), None);
    assert_eq!(load(store, &run, None).unwrap(), None);
    assert_eq!(load(store, &run, Some(3)).unwrap(), None);
}

fn a_commit_reads_back(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    let mut first = delta(1);
    first.fibers = vec![fiber(1, 0, "one"), fiber(0, -1, "head"), fiber(0, 0, "main")];
    first.chunks = vec![(4, b"four".to_vec())];
    first.events = events(1, 2);
    first.status = RunStatus::Paused;
    first.wake_at = Some(99_000);
    first.result = Some(r#"{"output":1}"#.into());
    commit(store, &run, epoch, first).unwrap();
    let whole = load(store, &run, None).unwrap().unwrap();
    assert_eq!(whole.text(), ["0.-1 head", "0.0 main", "1.0 one"]);
    assert_eq!((whole.n, whole.header.as_slice()), (1, b"header 1".as_slice()));
    assert_eq!(whole.chunks[&4], b"four");
    let record = store.run(&run).unwrap();
    assert_eq!((record.status, record.last_checkpoint, record.last_seq), (RunStatus::Paused, 1, 2));
    assert_eq!((record.wake_at, record.updated_at), (Some(99_000), 1_001));
    assert_eq!(record.result.as_deref(), Some(r#"{"output":1}"#));
    commit(store, &run, epoch, delta(2)).unwrap();
    let record = store.run(&run).unwrap();
    assert_eq!(record.result.as_deref(), Some(r#"{"output":1}"#), "unchanged");
    assert_eq!((record.wake_at, record.last_seq), (None, 2));
    let counts = store.counts();
    assert_eq!(counts.deltas, 2);
    assert!(counts.bytes > 30 && counts.transactions >= 2, "{counts:?}");
}

fn numbers_follow(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    let refused = commit(store, &run, epoch, delta(2));
    assert_eq!(refused, Err(StoreError::OutOfOrder { stored: 0, given: 2 }));
    let (run, epoch) = begin(store, "b");
    commit(store, &run, epoch, delta(1)).unwrap();
    let refused = commit(store, &run, epoch, delta(1));
    assert_eq!(refused, Err(StoreError::OutOfOrder { stored: 1, given: 1 }));
    assert_eq!(store.checkpoints(&run).unwrap(), [1]);
}

fn a_refused_delta_stops_its_epoch(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    let (other, other_epoch) = begin(store, "b");
    let gap = StoreError::OutOfOrder { stored: 0, given: 2 };
    let receipts = [
        store.commit(&run, epoch, delta(2)),
        store.commit(&other, other_epoch, delta(1)),
        // Its number would fit; but what it rests on was refused.
        store.commit(&run, epoch, delta(1)),
        store.commit(&other, other_epoch, delta(2)),
    ];
    let results: Vec<_> = receipts.into_iter().map(wait).collect();
    assert_eq!(results, [Err(gap.clone()), Ok(()), Err(gap.clone()), Ok(())]);
    assert_eq!(commit(store, &run, epoch, delta(1)), Err(gap));
    let epoch = store.acquire(&run, elsewhere(1), false, 2_000).unwrap();
    commit(store, &run, epoch, delta(1)).unwrap();
}

fn runs_newest_first(store: &dyn Store) {
    for (name, created_at) in [("b", 5), ("a", 9), ("c", 9), ("d", 1)] {
        store.begin(NewRun { created_at, ..new_run(name) }).unwrap();
    }
    let names = |limit| store.runs(limit).unwrap().iter().map(|run| run.id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(9), ["c", "a", "b", "d"]);
    assert_eq!(names(2), ["c", "a"]);
    assert_eq!(names(usize::MAX).len(), 4);
}

fn ids_by_their_ends(store: &dyn Store) {
    for name in ["abc", "ab", "xab", "zab%", "é-ab", "ABC"] {
        begin(store, name);
    }
    let like = |part: &str, limit| store.ids_like(part, limit).unwrap().iter().map(|id| id.to_string()).collect();
    let all: fn(Vec<String>) -> Vec<String> = |ids| ids;
    assert_eq!(all(like("ab", 9)), ["ab", "abc", "xab", "é-ab"]);
    assert_eq!(all(like("xab", 9)), ["xab"]);
    assert_eq!(all(like("ab", 1)), ["ab"], "the very id comes first");
    assert_eq!(all(like("%", 9)), ["zab%"], "no wild cards");
    assert_eq!(all(like("é", 9)), ["é-ab"]);
    assert_eq!(all(like("é-", 9)), ["é-ab"]);
    assert_eq!(all(like("b%", 9)), ["zab%"]);
    assert!(all(like("\u{10ffff}", 9)).is_empty());
    begin(store, "a\u{10ffff}");
    assert_eq!(all(like("\u{10ffff}", 9)), ["a\u{10ffff}"]);
    assert_eq!(all(like("", 9)).len(), 7);
    assert!(all(like("q", 9)).is_empty());
}

fn events_after_a_number(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    for (n, batch) in [(1, events(1, 3)), (2, events(4, 0)), (3, events(4, 1)), (4, events(5, 2))] {
        commit(store, &run, epoch, Delta { events: batch, ..delta(n) }).unwrap();
    }
    let firsts = |after| store.events(&run, after).unwrap().iter().map(|batch| batch.first_seq).collect::<Vec<_>>();
    assert_eq!(firsts(0), [1, 4, 5]);
    assert_eq!(firsts(2), [1, 4, 5], "a batch may begin earlier");
    assert_eq!(firsts(3), [4, 5]);
    assert_eq!(firsts(5), [5]);
    assert_eq!(firsts(6), [0; 0]);
    assert_eq!(firsts(u64::MAX), [0; 0]);
    assert_eq!(store.events(&run, 3).unwrap()[1], events(5, 2).unwrap());
    assert_eq!(store.run(&run).unwrap().last_seq, 6);
}

fn events_do_not_go_back(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    commit(store, &run, epoch, Delta { events: events(1, 3), ..delta(1) }).unwrap();
    let refused = commit(store, &run, epoch, Delta { events: events(3, 1), ..delta(2) });
    assert!(matches!(refused, Err(StoreError::Unusable(reason)) if reason.contains("event 3")));
    assert_eq!(store.checkpoints(&run).unwrap(), [1]);
}

fn unknown_runs(store: &dyn Store) {
    let run = id("nobody");
    let missing = || StoreError::NotFound("run `nobody`".into());
    assert_eq!(commit(store, &run, Epoch(1), delta(1)), Err(missing()));
    assert_eq!(store.run(&run).err(), Some(missing()));
    assert_eq!(load(store, &run, None), Err(missing()));
    assert_eq!(store.acquire(&run, elsewhere(1), true, 0), Err(missing()));
    assert_eq!(store.renew(&run, Epoch(1), 0), Err(missing()));
    assert_eq!(store.release(&run, Epoch(1)), Err(missing()));
    assert_eq!(store.answer(&run, "q", "1", 0), Err(missing()));
    assert_eq!(store.events(&run, 0).err(), Some(missing()));
    assert_eq!(store.kept(&run).err(), Some(missing()));
    assert_eq!(store.checkpoints(&run).err(), Some(missing()));
    assert_eq!(store.requests(Some(&run)).err(), Some(missing()));
    assert!(matches!(store.code(&[0xab; 32]), Err(StoreError::NotFound(what)) if what.starts_with("code abab")));
    // A commit that found no run does not spoil the run that begins later.
    let (run, epoch) = begin(store, "nobody");
    commit(store, &run, epoch, delta(1)).unwrap();
}

fn odd_text_reads_back(store: &dyn Store) {
    for name in ["", "'; DROP TABLE run; --", "a\0b", "\u{10ffff}", "line\nbreak"] {
        let (run, epoch) = begin(store, name);
        let mut first = delta(1);
        first.header = Vec::new();
        first.fibers = vec![fiber(u32::MAX, i32::MIN, "")];
        first.chunks = vec![(0, Vec::new())];
        first.result = Some(name.into());
        commit(store, &run, epoch, first).unwrap();
        assert_eq!(store.run(&run).unwrap().result.as_deref(), Some(name));
        let whole = at(store, &run, 1);
        assert_eq!((whole.text(), whole.chunk_ids()), (vec![format!("{}.{} ", u32::MAX, i32::MIN)], vec![0]));
    }
}

fn one_delta_may_name_a_row_twice(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    let twice = |a, b| vec![fiber(0, 0, a), fiber(0, 0, b)];
    commit(store, &run, epoch, Delta { fibers: twice("a", "b"), ..delta(1) }).unwrap();
    commit(store, &run, epoch, Delta { fibers: twice("c", "d"), closed: vec![(0, 0)], ..delta(2) }).unwrap();
    assert_eq!(at(store, &run, 1).text(), ["0.0 b"]);
    assert_eq!(at(store, &run, 2).text(), ["0.0 d"]);
    let again = vec![(1, b"x".to_vec()), (1, b"y".to_vec())];
    let refused = commit(store, &run, epoch, Delta { chunks: again, ..delta(3) });
    assert!(matches!(refused, Err(StoreError::Damaged { row, .. }) if row == "chunk 1"));
    assert!(at(store, &run, 2).chunks.is_empty());
    assert_eq!(store.checkpoints(&run).unwrap(), [2, 1]);
}

fn numbers_too_large(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    commit(store, &run, epoch, Delta { floor: u64::MAX, dead: vec![5], ..delta(1) }).unwrap();
    assert_eq!(store.checkpoints(&run).unwrap(), [1], "the floor never passes the latest checkpoint");
    assert!(
        matches!(load(store, &run, Some(u64::MAX)), Err(StoreError::NoCheckpoint { nearest, .. }) if nearest == [1])
    );
    assert_eq!(commit(store, &run, Epoch(u64::MAX), delta(2)), Err(StoreError::Stale));
    assert_eq!(store.renew(&run, epoch, i64::MAX), Ok(()));
}
