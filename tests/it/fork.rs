//! `wf fork`: another run from any checkpoint that is kept.

use crate::support::{Json, Place, eventually, json};

/// A run that has come to its end, with a pause in its middle at the checkpoint that is given.
fn ended() -> (Place, String) {
    let place = Place::with(&["travel.wf"]);
    place.wf(&["run", "travel.wf", "main", "--allow", "exec", "--id", "one"]).ends(3);
    let at = pause_of(&place, "one");
    place.wf(&["resume", "one", "approve"]).ends(3);
    place.wf(&["resume", "one", "Eve", "--json"]).ends(0);
    (place, at)
}

fn pause_of(place: &Place, run: &str) -> String {
    place.wf(&["show", run, "--json"]).json()["checkpoints"]["last"].to_string()
}

fn types(place: &Place, run: &str) -> Vec<String> {
    let lines = place.wf(&["events", run]).out;
    let events = lines.lines().map(|line| serde_json::from_str::<Json>(line).expect("an event"));
    events.map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn another_answer_to_a_question_of_the_past() {
    let (place, at) = ended();
    let before = (place.wf(&["events", "one"]).out, place.wf(&["show", "one", "--json"]).out);
    let asked = place.wf(&["show", "one", "--json", "--at", &at]).json()["requests"][0]["id"].clone();
    let answer = format!("{}=reject", asked.as_str().expect("an id"));
    let done = place.wf(&["fork", "one", "--at", &at, "--id", "two", "--respond", &answer, "--json"]).ends(0);
    assert_eq!(done.json()["output"], json!({ "rejected": "did first tea", "run": "two" }));
    assert_eq!(done.json()["state"], json!({ "done": ["first"], "spent": 10 }));
    let told = types(&place, "two");
    assert_eq!((told[0].as_str(), told.last().map(String::as_str)), ("forked", Some("completed")));
    assert!(!told.iter().any(|kind| kind == "started" || kind == "step_started"), "{told:?}");
    let first: Json =
        serde_json::from_str(place.wf(&["events", "two"]).out.lines().next().expect("one")).expect("JSON");
    assert_eq!((&first["from"], first["checkpoint"].to_string(), &first["seq"]), (&json!("one"), at, &json!(1)));
    // In the other run nothing is told of it.
    assert_eq!((place.wf(&["events", "one"]).out, place.wf(&["show", "one", "--json"]).out), before);
}

#[test]
fn a_fork_asks_under_ids_of_its_own_and_calls_under_keys_of_its_own() {
    let (place, at) = ended();
    let effects = place.effects();
    let done = place.wf(&["fork", "one", "--at", &at, "--id", "two", "--json"]).ends(3).json();
    let asked = place.wf(&["show", "one", "--json", "--at", &at]).json()["requests"][0].clone();
    assert_eq!((&done["requests"][0]["data"], done["status"].as_str()), (&asked["data"], Some("paused")));
    assert_ne!(done["requests"][0]["id"], asked["id"]);
    place.wf(&["resume", "two", "approve"]).ends(3);
    let output = place.wf(&["resume", "two", "Ann", "--json"]).ends(0).json()["output"].clone();
    assert_eq!(output["both"], json!({ "person": "Ann", "call": "did second 36" }));
    assert_eq!((&output["run"], &output["state"]["spent"]), (&json!("two"), &json!(15)));
    let after = place.effects();
    let again = after.last().expect("a call");
    assert_eq!((after.len(), again.starts_with("second 36 ")), (effects.len() + 1, true));
    assert!(!effects.contains(again), "it has a key of its own: {after:?}");
}

#[test]
fn a_call_under_way_is_made_again_and_said() {
    let place = Place::with(&["travel.wf"]);
    let run = place.start(&["run", "travel.wf", "holds", "--allow", "exec", "--id", "one", "--stream"]);
    eventually("the call is under way", || place.effects().len() == 1);
    let fork = place.start(&["fork", "one", "--id", "two", "--json"]);
    eventually("it is under way twice", || place.effects().len() == 2);
    std::fs::write(place.path("go"), "").expect("written");
    let done = fork.done().ends(0).says("made again: `exec` of holds[0]/held[0]");
    assert_eq!(done.json()["output"], "before done");
    run.done().ends(0);
    let effects = place.effects();
    assert_ne!(effects[0], effects[1]);
}

#[test]
fn a_failed_run_forked_from_before_it_failed() {
    let place = Place::with(&["travel.wf"]);
    place.wf(&["run", "travel.wf", "fails", "--id", "one"]).ends(3);
    let at = pause_of(&place, "one");
    place.wf(&["resume", "one", "7"]).ends(1);
    let last = pause_of(&place, "one");
    place.wf(&["fork", "one", "--at", &last]).ends(2).says("is the end of the run").says("--checkpoints");
    let done = place.wf(&["fork", "one", "--at", &at, "--respond", "n=3", "--json"]).ends(0);
    assert_eq!(done.json()["output"], 3);
    assert_eq!(place.wf(&["fork", "one", "--at", &at, "--respond", "n=8"]).ends(1).code, Some(1));
}

#[test]
fn forks_of_forks_and_a_removed_source() {
    let (place, at) = ended();
    place.wf(&["fork", "one", "--at", &at, "--id", "two"]).ends(3);
    place.wf(&["fork", "two", "--id", "three"]).ends(3);
    for table in ["checkpoint", "fiber", "chunk", "event", "request"] {
        place.sql(&format!("DELETE FROM {table} WHERE rid = (SELECT rid FROM run WHERE id = 'one')"));
    }
    assert_eq!(place.wf(&["resume", "two", "reject", "--json"]).ends(0).json()["output"]["run"], "two");
    assert_eq!(place.wf(&["resume", "three", "reject", "--json"]).ends(0).json()["output"]["run"], "three");
}

#[test]
fn what_cannot_be_forked_says_why() {
    let (place, at) = ended();
    let runs = || place.wf(&["list", "--json"]).json().as_array().map(Vec::len);
    let fork = |words: &[&str]| place.wf(&[&["fork", "one", "--at", &at], words].concat());
    place
        .wf(&["fork", "one", "--at", "99"])
        .ends(2)
        .says("checkpoint 99 is not kept; the nearest is 5")
        .says("wf fork one --at");
    place.wf(&["fork", "one", "--at", "0"]).ends(2).says("checkpoint 0 is not kept");
    place.wf(&["fork", "none", "--at", "1"]).ends(2).says("there is no run `none`");
    fork(&["--id", "one"]).ends(2).says("there is a run `one` already; use another --id");
    fork(&["--id", "a b"]).ends(2).says("a run's name");
    fork(&["--respond", "what=1"]).ends(2).says("no open request `what`").says("at that checkpoint");
    fork(&["--respond", "what"]).ends(2).says("write ID=VALUE");
    let asked = place.wf(&["show", "one", "--json", "--at", &at]).json()["requests"][0]["id"].clone();
    let wrong = format!("{}=maybe", asked.as_str().expect("an id"));
    fork(&["--respond", &wrong]).ends(2).says("does not fit");
    assert_eq!(runs(), Some(1), "nothing is left of what was refused");
}
