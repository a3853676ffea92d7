//! A process that was stopped, and wakes when another one has its run.

use crate::support::{Place, Started, eventually};

/// A run that is in the middle of its second call.
fn held(place: &Place) -> Started {
    let run = place.start(&["run", "held.wf", "--allow", "exec", "--id", "held"]);
    eventually("the call is under way", || place.effects().len() == 2);
    run
}

fn names(place: &Place) -> Vec<String> {
    place.effects().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_stopped_owner_that_wakes_writes_nothing() {
    let place = Place::with(&["held.wf"]);
    let owner = held(&place);
    owner.signal("STOP");
    let told = place.wf(&["resume", "held"]).ends(2).says("is being executed by process");
    assert!(told.err.contains("wf resume held --take-over"), "{}", told.err);
    let heir = place.start(&["resume", "held", "--take-over"]);
    eventually("the call is made again", || place.effects().len() == 3);
    std::fs::write(place.path("go"), "").expect("written");
    let done = heir.done().ends(0);
    assert_eq!(done.out, "did one\ndid two\ndid three\n\n");
    let before = place.wf(&["events", "held"]).out;
    owner.signal("CONT");
    owner.done().ends(1).says("taken over by another process").says("wf show held");
    assert_eq!(names(&place), ["one", "two", "two", "three"]);
    let effects = place.effects();
    assert_eq!(effects[1], effects[2], "the call is made again under the same key");
    assert_eq!(place.wf(&["events", "held"]).out, before, "nothing was written by the zombie");
}

#[test]
fn a_zombie_that_has_nothing_to_write_learns_it_too() {
    let place = Place::with(&["held.wf"]);
    let owner = held(&place);
    owner.signal("STOP");
    let heir = place.start(&["resume", "held", "--take-over"]);
    eventually("the call is made again", || place.effects().len() == 3);
    // Its call does not end; only its lease is refused.
    owner.signal("CONT");
    owner.done().ends(1).says("taken over");
    std::fs::write(place.path("go"), "").expect("written");
    heir.done().ends(0);
    assert_eq!(names(&place), ["one", "two", "two", "three"]);
}

#[test]
fn a_run_whose_owner_is_dead_is_free_at_once() {
    let place = Place::with(&["held.wf"]);
    let owner = held(&place);
    place.wf(&["resume", "held"]).ends(2).says("is being executed by process");
    assert!(owner.kill());
    std::fs::write(place.path("go"), "").expect("written");
    let done = place.wf(&["resume", "held"]).ends(0);
    assert_eq!(done.out, "did one\ndid two\ndid three\n\n");
    assert_eq!(names(&place), ["one", "two", "two", "three"]);
}

#[test]
fn who_computes_keeps_its_run() {
    let place = Place::with(&["spins.wf"]);
    let mut owner = place.start(&["run", "spins.wf", "--stream", "--id", "spins"]);
    owner.until("workflow_started");
    let lease = || {
        let store = rusqlite::Connection::open(place.store()).expect("a store");
        store.query_row("SELECT lease_until FROM standing", [], |row| row.get::<_, i64>(0)).expect("a lease")
    };
    let first = lease();
    eventually("the lease is renewed while the run computes", || lease() > first);
    owner.signal("INT");
    owner.done().ends(130);
    let shown = place.wf(&["show", "spins", "--json"]).ends(0).json();
    assert_eq!(shown["status"], "interrupted");
    let turns = shown["state"]["turns"].as_i64();
    assert!(turns.is_some_and(|turns| turns > 0), "what was computed is saved: {}", shown["state"]);
}
