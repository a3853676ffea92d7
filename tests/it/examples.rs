//! Every example runs, without a key or a network, and gives what it says.

use serde_json::{Value as Json, json};

use crate::workshop::{Workshop, root};

/// The events of a run that a test looks at.
fn events(out: &str, kind: &str) -> Vec<Json> {
    let events = out.lines().map(|line| serde_json::from_str::<Json>(line).expect("an event"));
    events.filter(|event| event["type"] == kind).collect()
}

#[test]
fn hello_greets() {
    let workshop = Workshop::new();
    let ended = workshop.wf(&["run", "examples/hello.wf"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "Hello, world!\n"), "{}", ended.err);
    let ended = workshop.wf(&["run", "examples/hello.wf", "name=Ada"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "Hello, Ada!\n"), "{}", ended.err);
}

#[test]
fn headline_asks_and_goes_on() {
    let workshop = Workshop::new();
    let store = "examples/.wf/runs.db";
    let paused = workshop.wf(&["run", "examples/headline.wf", "product=NebulaCloud"]);
    assert_eq!((paused.code, paused.out.as_str()), (3, ""), "{}", paused.err);
    let refused = workshop.wf(&["resume", "last", "maybe", "--store", store]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    let ended = workshop.wf(&["resume", "last", "reject", "--store", store]);
    let rejected = "Headline rejected: Write a headline for: NebulaCloud\n";
    assert_eq!((ended.code, ended.out.as_str()), (0, rejected), "{}", ended.err);
}

#[test]
fn approval_takes_answers_in_any_order() {
    let workshop = Workshop::new();
    let store = "examples/.wf/runs.db";
    assert_eq!(workshop.wf(&["run", "examples/approval.wf", "what=a boat"]).code, 3);
    let one = workshop.wf(&["resume", "last", "--respond", "ben=approve", "--store", store]);
    assert_eq!(one.code, 3, "{}", one.err);
    let both = workshop.wf(&["resume", "last", "--respond", "ada=reject", "--store", store]);
    let text = "Not bought: ada said reject, ben said approve\n";
    assert_eq!((both.code, both.out.as_str()), (0, text), "{}", both.err);
}

#[test]
fn parallel_keeps_the_order_and_tells_its_progress() {
    let workshop = Workshop::new();
    let ended = workshop.wf(&["run", "examples/parallel.wf", "--stream"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(events(&ended.out, "output")[0]["output"], json!([3, 5, 7, 7]));
    let done: Vec<Json> = events(&ended.out, "progress").iter().map(|event| event["data"]["done"].clone()).collect();
    assert_eq!(done, [1, 2, 3, 4]);
}

#[test]
fn state_stops_at_the_budget() {
    let workshop = Workshop::new();
    let ended = workshop.wf(&["run", "examples/state.wf", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let result: Json = serde_json::from_str(&ended.out).expect("a result");
    assert_eq!(result["output"], json!(["summary of a", "summary of b"]));
    assert_eq!(result["state"], json!({ "spent": 0.8 }));
    assert!(ended.err.contains("stopped at page c"), "{}", ended.err);
}

#[test]
fn retry_needs_permission_and_a_second_attempt() {
    let workshop = Workshop::new();
    let refused = workshop.wf(&["run", "examples/retry.wf"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--allow exec"), "{}", refused.err);
    let ended = workshop.wf(&["run", "examples/retry.wf", "--allow", "exec", "--stream"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(events(&ended.out, "step_retrying").len(), 1);
    assert_eq!(events(&ended.out, "output")[0]["output"], json!({ "words": 3, "attempt": 2 }));
}

#[test]
fn nightly_sleeps_and_leaves_when_the_wait_is_long() {
    let workshop = Workshop::new();
    let away = workshop.wf(&["run", "examples/nightly.wf"]);
    assert_eq!((away.code, away.out.as_str()), (3, "night 1: the report is written\n"), "{}", away.err);
    let ended = workshop.wf(&["run", "examples/nightly.wf", "pause=20ms", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let result: Json = serde_json::from_str(&ended.out).expect("a result");
    assert_eq!(result["output"], json!(["report 1", "report 2"]));
}

#[test]
fn triage_answers_several_messages() {
    let workshop = Workshop::new();
    let ended = workshop.wf(&["run", "examples/triage.wf", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let result: Json = serde_json::from_str(&ended.out).expect("a result");
    let done = json!([
        { "message": "Where is my parcel?", "result": "Topic: . Message: Where is my parcel?" },
        { "message": "Is it in stock?", "result": "Topic: . Message: Is it in stock?" },
    ]);
    assert_eq!((&result["output"], &result["state"]), (&done, &json!({ "refunded": 0.0 })));
}

#[test]
fn sales_are_summed_up_with_the_reader_in_another_file() {
    let workshop = Workshop::new();
    let ended = workshop.wf(&["run", "examples/sales.wf"]);
    let table = "region,sales,total,best\nsouth,1,80.0,desk\nnorth,2,53.0,chair\n";
    assert_eq!((ended.code, ended.out.trim_end()), (0, table.trim_end()), "{}", ended.err);
    let tested = workshop.wf(&["test", "examples/table.wf"]);
    assert_eq!(tested.code, 0, "{}", tested.out);
}

#[test]
fn the_examples_withstand_a_crash_at_every_write() {
    let ended = Workshop::new().wf(&["test", "examples", "--crash-everywhere", "--json"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.err);
    let all: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    for test in all["tests"].as_array().expect("tests") {
        assert!(test["crashes"]["count"].as_u64() > Some(0), "{test:#}");
    }
}

#[test]
fn the_tests_of_the_examples_pass() {
    let workshop = Workshop::new();
    let ended = workshop.wf(&["test", "examples"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.err);
    let scripts = std::fs::read_dir(root().join("examples")).expect("the examples");
    let scripts =
        scripts.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().ends_with(".wf")));
    assert_eq!(
        ended.out.lines().filter(|line| line.starts_with("examples/")).count(),
        scripts.count(),
        "{}",
        ended.out
    );
}

#[test]
fn every_example_is_here() {
    let here = include_str!("examples.rs");
    for entry in std::fs::read_dir(root().join("examples")).expect("the examples") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(!name.ends_with(".wf") || here.contains(&format!("examples/{name}")), "no test runs {name}");
    }
}

#[test]
fn every_example_checks() {
    let workshop = Workshop::new();
    for entry in std::fs::read_dir(root().join("examples")).expect("the examples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "wf") {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let checked = workshop.wf(&["check", "--deny-warnings", &format!("examples/{name}")]);
            assert_eq!(checked.code, 0, "{name}: {}", checked.out);
        }
    }
}
