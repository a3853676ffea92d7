//! Runs that have failed, and go on from before their error.

use crate::support::{Done, Place, json};

fn run(place: &Place, words: &[&str]) -> Done {
    let words: Vec<&str> = ["run", "fails.wf"].into_iter().chain(words.iter().copied()).collect();
    place.wf(&[&words[..], &["--allow", "exec", "--id", "it"]].concat())
}

fn mend(place: &Place) {
    std::fs::write(place.path("mended"), "").expect("written");
}

fn names(place: &Place) -> Vec<String> {
    place.effects().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

/// The keys under which a call reached the world.
fn keys(place: &Place, name: &str) -> Vec<String> {
    place.effects().iter().filter_map(|line| line.strip_prefix(&format!("{name} "))).map(str::to_owned).collect()
}

#[test]
fn the_call_that_failed_is_made_again_and_nothing_else() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["branches"]).ends(1).says("go on from before the error: wf resume it");
    let mut before = names(&place);
    before.sort();
    assert_eq!(before, ["first", "one", "two", "two"]);
    place.wf(&["show", "it"]).ends(0);
    // Nothing is mended yet: it fails in the same way, with attempts that start anew.
    place.wf(&["resume", "it"]).ends(1).says("`sh` ended with code 1");
    assert_eq!(keys(&place, "two").len(), 4);
    mend(&place);
    assert_eq!(place.wf(&["resume", "it"]).ends(0).out, "did first\ndid one\npaid two\n\n");
    assert_eq!((keys(&place, "first").len(), keys(&place, "one").len()), (1, 1));
    let mut keys = keys(&place, "two");
    assert_eq!(keys.len(), 5);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 5, "each was answered with an error, so the next has a new key");
    let kinds: Vec<_> = place.events().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "failed").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "resumed").count(), 2);
    let numbers: Vec<_> = place.events().iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[test]
fn the_same_id_goes_on_too() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["branches"]).ends(1);
    mend(&place);
    run(&place, &["branches"]).ends(0);
    assert_eq!(keys(&place, "two").len(), 3);
}

#[test]
fn killed_after_it_was_resumed() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["branches"]).ends(1);
    for _ in 0..4 {
        let mut again = place.start(&["resume", "it", "--stream"]);
        again.until("resumed");
        again.kill();
    }
    mend(&place);
    assert_eq!(place.wf(&["resume", "it"]).ends(0).out, "did first\ndid one\npaid two\n\n");
    assert_eq!((keys(&place, "first").len(), keys(&place, "one").len()), (1, 1));
}

#[test]
fn an_error_that_is_thrown_again_keeps_its_origin() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["passes"]).ends(1);
    mend(&place);
    assert_eq!(place.wf(&["resume", "it", "--json"]).ends(0).json()["output"], 1);
}

#[test]
fn a_call_that_a_catch_has_made_is_not_made_twice() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["tells"]).ends(1);
    mend(&place);
    let refused = place.wf(&["resume", "it"]).ends(2).says("made a call after its error was thrown");
    assert!(refused.err.contains("wf fork it --at "), "{}", refused.err);
    assert_eq!(keys(&place, "told").len(), 1);
    assert_eq!(place.wf(&["show", "it", "--json"]).ends(0).json()["status"], "failed", "the run is as it was");
}

#[test]
fn an_error_that_takes_the_place_of_another_is_its_own() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["wraps"]).ends(1).says("it is not paid");
    mend(&place);
    // The call of the `catch` came before this error was thrown.
    place.wf(&["resume", "it"]).ends(1).says("it is not paid");
    assert_eq!(keys(&place, "told").len(), 1);
}

#[test]
fn an_error_of_the_program_comes_again() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["pure", "n=0"]).ends(1).says("arithmetic");
    place.wf(&["resume", "it"]).ends(1).says("arithmetic");
    assert_eq!(names(&place), ["first"]);
}

#[test]
fn before_anything_is_saved() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["at_once"]).ends(1).says("at once");
    place.wf(&["resume", "it"]).ends(1).says("at once");
    place.wf(&["resume", "it"]).ends(1).says("at once");
    let started = place.events().iter().filter(|event| event["type"] == "started").count();
    assert_eq!(started, 1);
}

#[test]
fn what_was_answered_is_asked_again() {
    let place = Place::with(&["fails.wf"]);
    run(&place, &["asks"]).ends(3);
    place.wf(&["resume", "it", "no"]).ends(1).says("refused");
    let shown = place.wf(&["resume", "it", "--json"]).ends(3).json();
    assert_eq!(shown["requests"][0]["id"], "well");
    let done = place.wf(&["resume", "it", "yes", "--json"]).ends(0).json();
    assert_eq!(done["output"], json!("did last\n"));
    assert_eq!(names(&place), ["first", "last"]);
}

#[test]
fn the_checkpoint_is_kept_whatever_the_retention_is() {
    let place = Place::with(&["fails.wf"]);
    let words = ["run", "fails.wf", "branches", "--allow", "exec", "--id", "it", "--keep", "0"];
    place.wf(&words).ends(1);
    mend(&place);
    place.wf(&["resume", "it"]).ends(0);
}
