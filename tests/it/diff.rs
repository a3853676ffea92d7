//! What changed in a run from one checkpoint to another.

use crate::support::{Json, Place, json};

const SCRIPT: &str = "\
state { done: [string] = [], count: int = 0 }

step work(name: string) -> string {
    ctx.state.done.push(name)
    ctx.state.count += 1
    name
}

workflow main() -> any {
    let first = work(\"a\")
    let answer = request_info(\"go on?\", string, id: \"go\")
    let all = gather {
        left: request_info(\"left?\", string, id: \"left\"),
        right: work(\"b\"),
    }
    { first, answer, all }
}
";

/// A run that has paused twice.
fn paused() -> Place {
    let place = Place::with(&[]);
    std::fs::write(place.path("main.wf"), SCRIPT).expect("written");
    place.wf(&["run", "main.wf", "--id", "it"]).ends(3);
    place.wf(&["resume", "it", "yes"]).ends(3);
    place
}

fn pauses(place: &Place) -> Vec<String> {
    let all = place.wf(&["show", "it", "--checkpoints", "--json"]).ends(0).json();
    let all = all.as_array().cloned().expect("a list");
    let paused = |one: &&Json| one["events"].as_array().is_some_and(|events| events.contains(&json!("paused")));
    all.iter().filter(paused).map(|one| one["checkpoint"].to_string()).collect()
}

#[test]
fn state_branches_requests_and_what_was_told() {
    let place = paused();
    let [first, second] = &pauses(&place)[..] else { panic!("two pauses") };
    let diff = place.wf(&["diff", "it", "--at", first, "--to", second, "--json"]).ends(0).json();
    assert_eq!(
        diff["state"],
        json!([{ "path": ".done[1]", "after": "b" }, { "path": ".count", "before": 1, "after": 2 }])
    );
    let ids = |list: &Json| list.as_array().expect("a list").iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&diff["requests"]["opened"]), ["left"]);
    assert_eq!(ids(&diff["requests"]["closed"]), ["go"]);
    let branches = diff["branches"].as_array().expect("a list");
    assert!(
        branches.iter().any(|one| one["branch"] == "main[0]/gather[0].left" && one["before"].is_null()),
        "{diff:#}"
    );
    let told: Vec<&Json> = diff["events"].as_array().expect("a list").iter().map(|event| &event["type"]).collect();
    assert_eq!(told.last(), Some(&&json!("paused")));
    assert!(told.contains(&&json!("step_completed")), "{told:?}");
    let text = place.wf(&["diff", "it", "--at", first, "--to", second]).ends(0).out;
    for line in [
        "  + .done[1]: \"b\"\n",
        "  ~ .count: 1 → 2\n",
        "  + main[0]/gather[0].left  ",
        "  - go  go on?\n",
        "  + left  left?\n",
    ] {
        assert!(text.contains(line), "`{line}` in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn to_the_latest_to_itself_and_backwards() {
    let place = paused();
    let [first, second] = &pauses(&place)[..] else { panic!("two pauses") };
    let latest = place.wf(&["diff", "it", "--at", first, "--json"]).ends(0).json();
    assert_eq!(latest["to"].to_string(), *second);
    let same = place.wf(&["diff", "it", "--at", first, "--to", first, "--json"]).ends(0).json();
    for part in ["state", "branches", "events"] {
        assert_eq!(same[part], json!([]), "{part}");
    }
    let back = place.wf(&["diff", "it", "--at", second, "--to", first, "--json"]).ends(0).json();
    assert_eq!(back["state"][1], json!({ "path": ".count", "before": 2, "after": 1 }));
}

#[test]
fn a_checkpoint_that_there_is_not() {
    let place = paused();
    place.wf(&["diff", "it", "--at", "99"]).ends(2).says("checkpoint 99 is not kept; the nearest");
    place.wf(&["diff", "it"]).ends(2).says("--at <N>");
}
