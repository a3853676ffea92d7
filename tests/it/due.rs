//! Runs that go on without anybody at a terminal: those whose timer has come, and those that were detached.

use std::process::Stdio;

use crate::support::{Json, Place, eventually};

/// A folder with runs that wait for a moment that is near.
fn napping(count: usize) -> Place {
    let place = Place::with(&["due.wf"]);
    for index in 0..count {
        let (id, name) = (format!("nap-{index}"), format!("name=n{index}"));
        nap(&place, &id, &["naps", &name, "wait=300ms"]);
    }
    place
}

fn nap(place: &Place, id: &str, words: &[&str]) {
    let words = [&["run", "due.wf"], words, &["--allow", "exec", "--max-wait", "0s", "--id", id]].concat();
    place.wf(&words).ends(3);
}

/// Waits until the clock has passed the moment for which a run waits.
fn until_due(place: &Place, id: &str) {
    eventually("the moment has come", || {
        let shown = place.wf(&["show", id, "--json"]).ends(0).json();
        let at = shown["wake_at"].as_str().map(str::to_owned).expect("a moment");
        let now = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%3NZ"]).output().expect("date");
        String::from_utf8_lossy(&now.stdout).trim() > at.as_str()
    });
}

fn statuses(place: &Place) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let all = place.wf(&["list", "--json"]).ends(0).json();
    let mut all: Vec<_> =
        all.as_array().expect("a list").iter().map(|run| (text(&run["run_id"]), text(&run["status"]))).collect();
    all.sort();
    all
}

#[test]
fn every_run_whose_timer_has_come() {
    let place = napping(3);
    nap(&place, "later", &["naps", "name=later", "wait=1h"]);
    until_due(&place, "nap-2");
    let done = place.wf(&["resume", "--due", "--json"]).ends(0);
    let results = done.json();
    assert_eq!(results.as_array().map(Vec::len), Some(3));
    assert!(results.as_array().expect("a list").iter().all(|result| result["status"] == "completed"), "{results:#?}");
    assert!(done.says("nap-0  naps  completed").err.contains("nap-2  naps  completed"));
    let mut names: Vec<String> = place.effects().iter().map(|line| line[..2].to_owned()).collect();
    names.sort();
    assert_eq!(names, ["n0", "n1", "n2"]);
    assert_eq!(statuses(&place)[0], ("later".into(), "paused".into()));
    place.wf(&["resume", "--due"]).ends(0).says("no run is due");
}

#[test]
fn one_that_fails_and_one_that_asks_do_not_keep_the_others() {
    let place = napping(1);
    nap(&place, "breaks", &["breaks", "wait=10ms"]);
    nap(&place, "asks", &["asks", "wait=10ms"]);
    nap(&place, "damaged", &["naps", "name=never", "wait=10ms"]);
    place.sql("UPDATE fiber SET data = x'00' WHERE rid = (SELECT rid FROM run WHERE id = 'damaged')");
    until_due(&place, "nap-0");
    let done = place.wf(&["resume", "--due"]).ends(1);
    for line in [
        "nap-0  naps  completed",
        "breaks  breaks  failed: it broke",
        "asks  asks  paused",
        "damaged  naps  cannot go on: ",
    ] {
        assert!(done.err.contains(line), "`{line}` in\n{}", done.err);
    }
}

#[test]
fn the_events_of_all_with_stream() {
    let place = napping(2);
    until_due(&place, "nap-1");
    let done = place.wf(&["resume", "--due", "--stream"]).ends(0);
    let events: Vec<Json> = done.out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    for id in ["nap-0", "nap-1"] {
        assert!(events.iter().any(|event| event["run_id"] == id && event["type"] == "completed"), "{events:#?}");
    }
}

#[test]
fn a_run_that_another_process_has_is_left_and_one_whose_process_died_is_taken() {
    let place = Place::with(&["due.wf"]);
    let owner = place.start(&["run", "due.wf", "holds", "--allow", "exec", "--id", "held"]);
    eventually("the call is under way", || place.effects().len() == 1);
    place.wf(&["resume", "--due", "--interrupted"]).ends(0).says("no run is due");
    owner.kill();
    place.wf(&["resume", "--due"]).ends(0).says("no run is due");
    std::fs::write(place.path("go"), "").expect("written");
    place.wf(&["resume", "--due", "--interrupted"]).ends(0).says("held  holds  completed");
}

#[test]
fn all_are_saved_when_they_are_interrupted() {
    let place = Place::with(&["due.wf"]);
    for id in ["one", "two"] {
        let owner = place.start(&["run", "due.wf", "holds", "--allow", "exec", "--id", id]);
        eventually("the call is under way", || place.wf(&["show", id]).code == Some(0));
        owner.kill();
    }
    let before = place.effects().len();
    for signal in ["INT", "TERM", "HUP"] {
        let all = place.start(&["resume", "--due", "--interrupted"]);
        let now = place.effects().len();
        eventually("both calls are made again", || place.effects().len() >= now.max(before) + 2);
        all.signal(signal);
        all.done().ends(130).says("one  holds  interrupted").says("two  holds  interrupted");
        assert_eq!(statuses(&place), [("one".into(), "interrupted".into()), ("two".into(), "interrupted".into())]);
    }
    std::fs::write(place.path("go"), "").expect("written");
    place.wf(&["resume", "--due", "--interrupted"]).ends(0);
}

#[test]
fn a_hundred_at_once() {
    let place = Place::with(&["due.wf"]);
    std::fs::write(place.path("many.wf"), "workflow main(n: int) -> int {\n    sleep(1ms)\n    n\n}\n")
        .expect("written");
    for n in 0..100 {
        let n = format!("n={n}");
        place.wf(&["run", "many.wf", &n, "--max-wait", "0s"]);
    }
    let done = place.wf(&["resume", "--due", "--json"]).ends(0).json();
    let mut outputs: Vec<i64> =
        done.as_array().expect("a list").iter().filter_map(|result| result["output"].as_i64()).collect();
    outputs.sort_unstable();
    // Some may have been over before they could pause.
    assert!(outputs.windows(2).all(|two| two[0] < two[1]));
    assert!(statuses(&place).iter().all(|(_, status)| status == "completed"));
}

#[test]
fn a_detached_run_goes_on_by_itself() {
    let place = Place::with(&["due.wf"]);
    // Whoever reads its output does not wait for the run.
    let started = place.wf(&["run", "due.wf", "holds", "--allow", "exec", "--detach", "--json"]).ends(0).json();
    let id = started["run_id"].as_str().expect("an id").to_owned();
    eventually("the call is under way", || place.effects().len() == 1);
    place.wf(&["resume", &id]).ends(2).says("is being executed by process");
    let mut follower = place.start(&["events", &id, "--follow"]);
    follower.until("workflow_started");
    std::fs::write(place.path("go"), "").expect("written");
    follower.until("completed");
    assert_eq!(follower.done().code, Some(0));
    assert_eq!(place.wf(&["show", &id, "--json"]).ends(0).json()["output"], "let go\n");
}

#[test]
fn detached_errors_of_the_arguments_are_told_here() {
    let place = Place::with(&["due.wf"]);
    place.wf(&["run", "due.wf", "naps", "--detach"]).ends(2).says("workflow `naps` needs `name`");
    place.wf(&["run", "due.wf", "nope", "--detach"]).ends(2).says("no workflow `nope`");
}

#[test]
fn a_detached_run_waits_for_its_timers() {
    let place = Place::with(&["due.wf"]);
    let done = place
        .wf(&["run", "due.wf", "naps", "name=n", "wait=500ms", "--allow", "exec", "--detach", "--id", "nap"])
        .ends(0);
    assert_eq!(done.out, "nap\n");
    assert!(done.err.contains("wf events nap --follow"), "{}", done.err);
    eventually("it is completed", || statuses(&place) == [("nap".into(), "completed".into())]);
}

#[test]
fn what_ends_a_terminal_saves_a_run() {
    for signal in ["TERM", "HUP"] {
        let place = Place::with(&["due.wf"]);
        let run = place.start(&["run", "due.wf", "naps", "name=n", "wait=1h", "--max-wait", "2h", "--id", "nap"]);
        eventually("it is saved", || place.wf(&["show", "nap"]).code == Some(0));
        run.signal(signal);
        run.done().ends(130).says("wf resume nap");
    }
    // `nohup` is respected.
    let place = Place::with(&["due.wf"]);
    let mut command = std::process::Command::new("nohup");
    command
        .arg(env!("CARGO_BIN_EXE_wf"))
        .args(["run", "due.wf", "holds", "--allow", "exec", "--id", "held", "--store"]);
    command
        .arg(place.store())
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut run = command.spawn().expect("nohup starts");
    eventually("the call is under way", || place.effects().len() == 1);
    let kill = std::process::Command::new("kill").args(["-HUP", &run.id().to_string()]).status().expect("kill starts");
    assert!(kill.success());
    std::fs::write(place.path("go"), "").expect("written");
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
}
