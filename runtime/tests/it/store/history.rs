//! Which rows a checkpoint consists of, and which checkpoints are kept.

use wf_runtime::store::{Answered, Kept, RequestEnd, Store, StoreError};

use super::*;

over_both_stores! {
    each_checkpoint_has_its_rows, the_floor_deletes, a_pinned_checkpoint_stays_whole, a_reset_names_nothing_older,
    a_floor_does_not_go_back, two_runs_do_not_meet, old_events_go
}

/// The events of the last 10,000 checkpoints are kept, and the requests that ended in them.
fn old_events_go(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    let (all, all_epoch) = begin(store, "keeps all");
    let mut receipts = Vec::new();
    for n in 1..=10_300 {
        let mut next = Delta { events: events(n, 1), floor: n.saturating_sub(5) / 64 * 64, ..delta(n) };
        if n <= 2 {
            next.opened = vec![request(&format!("q{n}"), 5)];
        }
        if n == 3 {
            next.settled = vec![("q1".into(), RequestEnd::Withdrawn)];
        }
        receipts.push(store.commit(&run, epoch, next));
        receipts.push(store.commit(&all, all_epoch, Delta { events: events(n, 1), ..delta(n) }));
    }
    receipts.into_iter().for_each(|receipt| wait(receipt).unwrap());
    let first = |run| store.events(run, 0).unwrap()[0].first_seq;
    // The floor moved last at 10,245, when the checkpoints below 245 had become too old.
    assert_eq!(first(&run), 245);
    assert_eq!(first(&all), 1);
    assert_eq!(store.events(&run, 0).unwrap().len(), 10_300 - 244);
    let ids: Vec<_> = store.requests(Some(&run)).unwrap().into_iter().map(|open| open.request.id).collect();
    assert_eq!(ids, ["q2"], "an open request stays however old it is");
    let reason = |id| match store.answer(&run, id, "1", 9).unwrap() {
        Answered::Refused(reason) => reason,
        Answered::Recorded => "recorded".into(),
    };
    assert_eq!((reason("q1"), reason("q2")), ("there is no request `q1` in this run".into(), "recorded".into()));
}

/// Checkpoints 1 to 4: fiber 0 changes each time, fiber 1 lives from 2 to 3, chunk 2 dies at 4.
fn four(store: &dyn Store, pinned: u64) -> (RunId, Epoch) {
    let (run, epoch) = begin(store, "a");
    for n in 1..=4 {
        let mut next = Delta { pinned: n == pinned, ..delta(n) };
        next.fibers = vec![fiber(0, 0, &format!("main {n}"))];
        next.chunks = vec![(n, vec![u8::try_from(n).unwrap()])];
        match n {
            1 => next.fibers.push(fiber(0, -1, "head")),
            2 => next.fibers.push(fiber(1, 0, "branch")),
            4 => (next.closed, next.dead) = (vec![(1, 0)], vec![2]),
            _ => {}
        }
        commit(store, &run, epoch, next).unwrap();
    }
    (run, epoch)
}

fn each_checkpoint_has_its_rows(store: &dyn Store) {
    let (run, _) = four(store, 0);
    assert_eq!(at(store, &run, 1).text(), ["0.-1 head", "0.0 main 1"]);
    assert_eq!(at(store, &run, 2).text(), ["0.-1 head", "0.0 main 2", "1.0 branch"]);
    assert_eq!(at(store, &run, 3).text(), ["0.-1 head", "0.0 main 3", "1.0 branch"]);
    assert_eq!(at(store, &run, 4).text(), ["0.-1 head", "0.0 main 4"]);
    assert_eq!(load(store, &run, None).unwrap(), Some(at(store, &run, 4)));
    let chunks: Vec<_> = (1..=4).map(|n| at(store, &run, n).chunk_ids()).collect();
    assert_eq!(chunks, [vec![1], vec![1, 2], vec![1, 2, 3], vec![1, 3, 4]]);
}

fn the_floor_deletes(store: &dyn Store) {
    let (run, epoch) = four(store, 0);
    commit(store, &run, epoch, Delta { floor: 3, ..delta(5) }).unwrap();
    assert_eq!(store.checkpoints(&run).unwrap(), [5, 4, 3]);
    assert_eq!(store.kept(&run).unwrap(), Some(Kept { first: 3, last: 5, count: 3 }));
    assert_eq!(at(store, &run, 3).text(), ["0.-1 head", "0.0 main 3", "1.0 branch"]);
    assert_eq!(at(store, &run, 3).chunk_ids(), [1, 2, 3]);
    let gone = load(store, &run, Some(2));
    assert_eq!(gone, Err(StoreError::NoCheckpoint { asked: 2, nearest: vec![3] }));
    let beyond = load(store, &run, Some(9));
    assert_eq!(beyond, Err(StoreError::NoCheckpoint { asked: 9, nearest: vec![5] }));
    commit(store, &run, epoch, Delta { floor: 6, ..delta(6) }).unwrap();
    assert_eq!(store.checkpoints(&run).unwrap(), [6], "the latest alone");
    assert_eq!(at(store, &run, 6).text(), ["0.-1 head", "0.0 main 4"]);
}

fn a_pinned_checkpoint_stays_whole(store: &dyn Store) {
    let (run, epoch) = four(store, 2);
    let before = at(store, &run, 2);
    commit(store, &run, epoch, Delta { floor: 5, ..delta(5) }).unwrap();
    commit(store, &run, epoch, Delta { floor: 6, ..delta(6) }).unwrap();
    assert_eq!(store.checkpoints(&run).unwrap(), [6, 2]);
    assert_eq!(at(store, &run, 2), before);
    let between = load(store, &run, Some(4));
    assert_eq!(between, Err(StoreError::NoCheckpoint { asked: 4, nearest: vec![2, 6] }));
}

fn a_reset_names_nothing_older(store: &dyn Store) {
    let (run, epoch) = four(store, 0);
    let mut fresh = Delta { reset: true, ..delta(5) };
    fresh.fibers = vec![fiber(0, 0, "fresh")];
    fresh.chunks = vec![(9, b"nine".to_vec())];
    commit(store, &run, epoch, fresh).unwrap();
    let whole = at(store, &run, 5);
    assert_eq!((whole.text(), whole.chunk_ids()), (vec!["0.0 fresh".to_owned()], vec![9]));
    assert_eq!(at(store, &run, 4).text(), ["0.-1 head", "0.0 main 4"]);
    assert_eq!(at(store, &run, 4).chunk_ids(), [1, 3, 4]);
}

fn a_floor_does_not_go_back(store: &dyn Store) {
    let (run, epoch) = four(store, 0);
    commit(store, &run, epoch, Delta { floor: 4, ..delta(5) }).unwrap();
    commit(store, &run, epoch, Delta { floor: 1, ..delta(6) }).unwrap();
    commit(store, &run, epoch, Delta { floor: 5, ..delta(7) }).unwrap();
    assert_eq!(store.checkpoints(&run).unwrap(), [7, 6, 5]);
}

fn two_runs_do_not_meet(store: &dyn Store) {
    let (run, _) = four(store, 0);
    let (other, epoch) = begin(store, "b");
    let mut first = Delta { reset: true, floor: 1, ..delta(1) };
    first.fibers = vec![fiber(0, 0, "other")];
    first.chunks = vec![(1, b"other".to_vec())];
    commit(store, &other, epoch, first).unwrap();
    assert_eq!(at(store, &other, 1).text(), ["0.0 other"]);
    assert_eq!(at(store, &run, 4).text(), ["0.-1 head", "0.0 main 4"]);
    assert_eq!(at(store, &run, 4).chunks[&1], [1]);
}
