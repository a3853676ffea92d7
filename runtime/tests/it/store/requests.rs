//! Requests and their answers.

use wf_runtime::store::{Answered, RecordedAnswer, RequestEnd, Store};

use super::*;

over_both_stores! {
    an_answer_waits_for_the_owner, an_answer_is_taken_once, a_withdrawn_request_refuses, a_refused_answer_opens_again,
    an_id_may_be_used_again, opened_again_keeps_its_answer, oldest_first,
    a_page_of_the_inbox
}

/// A run that asks `q` at its first checkpoint.
fn asking(store: &dyn Store) -> (RunId, Epoch) {
    let (run, epoch) = begin(store, "a");
    commit(store, &run, epoch, Delta { opened: vec![request("q", 50)], ..delta(1) }).unwrap();
    (run, epoch)
}

fn settle(store: &dyn Store, run: &RunId, epoch: Epoch, n: u64, end: RequestEnd) {
    commit(store, run, epoch, Delta { settled: vec![("q".into(), end)], ..delta(n) }).unwrap();
}

fn refused(answered: Answered, why: &str) {
    assert!(matches!(&answered, Answered::Refused(reason) if reason.contains(why)), "{answered:?}, expected {why}");
}

fn an_answer_waits_for_the_owner(store: &dyn Store) {
    let (run, _) = asking(store);
    let open = store.requests(Some(&run)).unwrap();
    assert_eq!((open[0].request.clone(), &open[0].recorded), (request("q", 50), &None));
    assert_eq!((open[0].run.clone(), open[0].workflow.as_str()), (run.clone(), "greet"));
    assert_eq!(store.answer(&run, "q", "true", 60), Ok(Answered::Recorded));
    let recorded = store.requests(None).unwrap()[0].recorded.clone();
    assert_eq!(recorded, Some(RecordedAnswer { value: "true".into(), at: 60 }));
}

fn an_answer_is_taken_once(store: &dyn Store) {
    let (run, epoch) = asking(store);
    assert_eq!(store.answer(&run, "q", "1", 60), Ok(Answered::Recorded));
    refused(store.answer(&run, "q", "2", 61).unwrap(), "waits to be taken");
    settle(store, &run, epoch, 2, RequestEnd::Answered);
    refused(store.answer(&run, "q", "3", 62).unwrap(), "answered already");
    assert!(store.requests(Some(&run)).unwrap().is_empty());
    refused(store.answer(&run, "other", "1", 60).unwrap(), "no request `other`");
}

fn a_withdrawn_request_refuses(store: &dyn Store) {
    let (run, epoch) = asking(store);
    settle(store, &run, epoch, 2, RequestEnd::Withdrawn);
    refused(store.answer(&run, "q", "1", 60).unwrap(), "withdrawn");
    assert!(store.requests(None).unwrap().is_empty());
}

fn a_refused_answer_opens_again(store: &dyn Store) {
    let (run, epoch) = asking(store);
    store.answer(&run, "q", "1", 60).unwrap();
    settle(store, &run, epoch, 2, RequestEnd::Refused);
    assert_eq!(store.requests(Some(&run)).unwrap()[0].recorded, None);
    assert_eq!(store.answer(&run, "q", "2", 61), Ok(Answered::Recorded));
    settle(store, &run, epoch, 3, RequestEnd::Answered);
    // A refusal of what no longer waits opens nothing.
    settle(store, &run, epoch, 4, RequestEnd::Refused);
    assert!(store.requests(Some(&run)).unwrap().is_empty());
}

fn an_id_may_be_used_again(store: &dyn Store) {
    let (run, epoch) = asking(store);
    store.answer(&run, "q", "1", 60).unwrap();
    let mut next = delta(2);
    next.settled = vec![("q".into(), RequestEnd::Answered)];
    next.opened = vec![request("q", 70)];
    commit(store, &run, epoch, next).unwrap();
    let open = store.requests(Some(&run)).unwrap();
    assert_eq!((open[0].request.asked_at, &open[0].recorded), (70, &None));
}

fn opened_again_keeps_its_answer(store: &dyn Store) {
    let (run, epoch) = asking(store);
    store.answer(&run, "q", "1", 60).unwrap();
    let resumed = Delta { reset: true, opened: vec![request("q", 70)], ..delta(2) };
    commit(store, &run, epoch, resumed).unwrap();
    let open = store.requests(Some(&run)).unwrap();
    assert_eq!(open[0].recorded.as_ref().map(|answer| answer.value.as_str()), Some("1"));
    assert_eq!(open[0].request.asked_at, 70);
}

fn a_page_of_the_inbox(store: &dyn Store) {
    let (run, epoch) = begin(store, "a");
    let opened = (0..30).map(|at| request(&format!("q{at}"), 100 - at)).collect();
    commit(store, &run, epoch, Delta { opened, ..delta(1) }).unwrap();
    let page = |limit| {
        let found = store.inbox(limit).unwrap();
        (found.requests.into_iter().map(|open| open.request.id).collect::<Vec<_>>(), found.more)
    };
    assert_eq!(page(2), (vec!["q29".to_owned(), "q28".into()], 28));
    assert_eq!((page(30).1, page(99).1, page(0)), (0, 0, (Vec::new(), 30)));
}

fn oldest_first(store: &dyn Store) {
    for (name, opened) in [("a", vec![request("z", 20), request("y", 20)]), ("b", vec![request("x", 10)])] {
        let (run, epoch) = begin(store, name);
        commit(store, &run, epoch, Delta { opened, ..delta(1) }).unwrap();
    }
    let ids: Vec<_> = store.requests(None).unwrap().into_iter().map(|open| open.request.id).collect();
    assert_eq!(ids, ["x", "z", "y"]);
}
