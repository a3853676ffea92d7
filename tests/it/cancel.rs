//! `wf cancel`: of a run that nobody executes, of one that another process executes, and again after a crash.

use crate::support::{Done, Place, Started, eventually};

fn names(place: &Place) -> Vec<String> {
    place.effects().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

fn words<'a>(workflow: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "cancels.wf", workflow, "--allow", "exec", "--id", "it"], more].concat()
}

fn run(place: &Place, workflow: &str, more: &[&str]) -> Done {
    place.wf(&words(workflow, more))
}

/// A run whose call is under way in its process.
fn held(place: &Place, workflow: &str, effects: usize) -> Started {
    let run = place.start(&words(workflow, &[]));
    eventually("the call is under way", || place.effects().len() == effects);
    run
}

fn status(place: &Place) -> String {
    place.wf(&["show", "it", "--json"]).ends(0).json()["status"].as_str().unwrap_or_default().to_owned()
}

fn events(place: &Place) -> Vec<String> {
    place.events().iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn one_that_nobody_executes_is_cleaned_up_by_the_command() {
    let place = Place::with(&["cancels.wf"]);
    run(&place, "waits", &["--max-wait", "0s"]).ends(3);
    place.wf(&["cancel", "it"]).ends(0).says("cancelled");
    assert_eq!(names(&place), ["one", "two"]);
    assert_eq!(status(&place), "cancelled");
    let told = events(&place);
    let at = |name: &str| told.iter().position(|told| told == name).unwrap_or_else(|| panic!("{name} of {told:?}"));
    assert!(at("cancelling") < at("request_withdrawn") && at("request_withdrawn") < at("cancelled"), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("cancelled"));
    let listed = place.wf(&["list", "--json"]).ends(0).json();
    assert_eq!((&listed[0]["status"], &listed[0]["wake_at"]), (&"cancelled".into(), &serde_json::Value::Null));
    assert_eq!(place.wf(&["list", "--requests", "--json"]).ends(0).json(), serde_json::json!([]));
    // Once more, and what else can be asked of it.
    place.wf(&["cancel", "it"]).ends(0).says("cancelled already");
    place.wf(&["cancel", "it", "--now"]).ends(0).says("cancelled already");
    assert_eq!(place.wf(&["cancel", "it", "--json"]).ends(0).json()["status"], "cancelled");
    place.wf(&["resume", "it", "yes"]).ends(2).says("the run is cancelled");
    place.wf(&["resume", "it"]).ends(1).says("cancelled");
    assert_eq!(names(&place), ["one", "two"]);
}

#[test]
fn the_events_of_status_say_so() {
    let place = Place::with(&["cancels.wf"]);
    run(&place, "asks", &[]).ends(3);
    let statuses = |done: &Done| -> Vec<String> {
        let events = done.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an event"));
        events
            .filter(|event| event["type"] == "status")
            .map(|event| event["status"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let done = place.wf(&["cancel", "it", "--stream=status"]).ends(3);
    assert_eq!(statuses(&done), ["cancelling"]);
    let done = place.wf(&["resume", "it", "yes", "--stream=status"]).ends(1);
    assert_eq!(statuses(&done), ["cancelling", "cancelled"]);
}

#[test]
fn a_cleanup_that_asks_is_answered_by_resume() {
    let place = Place::with(&["cancels.wf"]);
    run(&place, "asks", &[]).ends(3);
    let paused = place.wf(&["cancel", "it", "--json"]).ends(3).json();
    assert_eq!((&paused["status"], &paused["requests"][0]["id"]), (&"cancelling".into(), &"undo".into()));
    assert_eq!(status(&place), "cancelling");
    // While it is cancelling there is nothing more to do.
    place.wf(&["cancel", "it"]).ends(3).says("undo it?");
    place.wf(&["resume", "it", "--respond", "well=yes"]).ends(2).says("`well`");
    place.wf(&["resume", "it"]).ends(3);
    place.wf(&["resume", "it", "yes"]).ends(1).says("cancelled");
    assert_eq!(status(&place), "cancelled");
    assert_eq!(names(&place), ["undo"]);
    let told = events(&place);
    assert_eq!(told.iter().filter(|told| *told == "cancelling").count(), 1, "{told:?}");
}

#[test]
fn a_run_that_has_ended_otherwise_says_so() {
    let place = Place::with(&["cancels.wf"]);
    run(&place, "ends", &["fails=false"]).ends(0);
    place.wf(&["cancel", "it"]).ends(2).says("the run is completed already");
    place.wf(&["cancel", "it", "--now"]).ends(2).says("the run is completed already");
    place.wf(&["run", "cancels.wf", "ends", "fails=true", "--id", "bad"]).ends(1);
    place.wf(&["cancel", "bad"]).ends(2).says("the run is failed already");
    place.wf(&["cancel", "nobody"]).ends(2).says("nobody");
}

#[test]
fn the_owner_cancels_its_call_under_way() {
    let place = Place::with(&["cancels.wf"]);
    let owner = held(&place, "calls", 1);
    place.wf(&["cancel", "it"]).ends(0).says("cancelled");
    owner.done().ends(1).says("cancelled");
    assert_eq!(names(&place), ["call", "cleaned"]);
    assert_eq!(status(&place), "cancelled");
}

#[test]
fn the_owner_cancels_what_it_computes() {
    let place = Place::with(&["cancels.wf"]);
    let mut owner = place.start(&words("computes", &["--stream"]));
    owner.until("workflow_started");
    place.wf(&["cancel", "it"]).ends(0);
    owner.done().ends(1);
    assert_eq!(names(&place), ["cleaned"]);
}

#[test]
fn the_wish_outlives_an_owner_that_dies() {
    let place = Place::with(&["cancels.wf"]);
    let owner = held(&place, "calls", 1);
    owner.signal("STOP");
    let asking = place.start(&["cancel", "it"]);
    let wish = || {
        let store = rusqlite::Connection::open(place.store()).expect("a store");
        store.query_row("SELECT cancel FROM standing", [], |row| row.get::<_, i64>(0)).expect("a row")
    };
    eventually("the wish is recorded", || wish() == 1);
    asking.kill();
    assert!(owner.kill());
    place.wf(&["resume", "it"]).ends(1).says("cancelled");
    assert_eq!(names(&place), ["call", "cleaned"], "the call is not made again");
    assert_eq!(wish(), 0);
}

#[test]
fn whoever_asks_does_it_when_the_owner_dies() {
    let place = Place::with(&["cancels.wf"]);
    let owner = held(&place, "calls", 1);
    owner.signal("STOP");
    let asking = place.start(&["cancel", "it"]);
    assert!(owner.kill());
    asking.done().ends(0);
    assert_eq!(names(&place), ["call", "cleaned"]);
}

#[test]
fn at_once_without_cleanup() {
    let place = Place::with(&["cancels.wf"]);
    run(&place, "waits", &["--max-wait", "0s"]).ends(3);
    place.wf(&["cancel", "it", "--now"]).ends(0).says("cancelled");
    assert!(names(&place).is_empty());
    assert_eq!(status(&place), "cancelled");
    assert_eq!(place.wf(&["list", "--requests", "--json"]).ends(0).json(), serde_json::json!([]));
    place.wf(&["resume", "it"]).ends(1).says("cancelled");
}

#[test]
fn at_once_from_an_owner() {
    let place = Place::with(&["cancels.wf"]);
    let owner = held(&place, "calls", 1);
    owner.signal("STOP");
    place.wf(&["cancel", "it", "--now"]).ends(0).says("cancelled");
    std::fs::write(place.path("go"), "").expect("written");
    let before = place.wf(&["events", "it"]).out;
    owner.signal("CONT");
    owner.done().ends(1).says("taken over");
    assert_eq!(place.wf(&["events", "it"]).out, before, "nothing was written by the owner");
    assert_eq!(names(&place), ["call"]);
}

#[test]
fn a_cleanup_that_is_killed_goes_on_from_where_it_was() {
    let place = Place::with(&["cancels.wf"]);
    run(&place, "slow", &[]).ends(3);
    let cancelling = place.start(&["cancel", "it"]);
    eventually("the cleanup is under way", || place.effects().len() == 2);
    assert!(cancelling.kill());
    let shown = place.wf(&["show", "it"]).ends(0).out;
    assert!(shown.contains("cancelling"), "{shown}");
    std::fs::write(place.path("go"), "").expect("written");
    place.wf(&["resume", "it"]).ends(1).says("cancelled");
    assert_eq!(names(&place), ["before", "cleanup", "cleanup", "after"]);
    assert_eq!(place.effects()[1], place.effects()[2], "under the same key");
    assert_eq!(status(&place), "cancelled");
}

#[test]
fn a_process_that_cleans_up_is_waited_for() {
    let place = Place::with(&["cancels.wf"]);
    run(&place, "slow", &[]).ends(3);
    let first = place.start(&["cancel", "it"]);
    eventually("the cleanup is under way", || place.effects().len() == 2);
    let second = place.start(&["cancel", "it"]);
    std::fs::write(place.path("go"), "").expect("written");
    first.done().ends(0);
    second.done().ends(0);
    assert_eq!(names(&place), ["before", "cleanup", "after"]);
}
