//! `wf show`: where a run stands and stood, for people and for programs.

use crate::support::{Json, Place, json};

fn paused() -> (Place, String) {
    let place = Place::with(&["travel.wf"]);
    place.wf(&["run", "travel.wf", "main", "--allow", "exec", "--id", "one"]).ends(3);
    let at = place.wf(&["show", "one", "--json"]).json()["checkpoint"].to_string();
    (place, at)
}

#[test]
fn a_checkpoint_of_the_past_is_shown_as_it_was() {
    let (place, at) = paused();
    let then = place.wf(&["show", "one", "--json"]).ends(0).json();
    place.wf(&["resume", "one", "approve"]).ends(3);
    place.wf(&["resume", "one", "Eve"]).ends(0);
    let shown = place.wf(&["show", "one", "--json", "--at", &at]).ends(0).json();
    for part in ["status", "state", "requests", "fibers", "output", "error", "checkpoint"] {
        assert_eq!(shown[part], then[part], "{part}");
    }
    assert_eq!((&shown["status"], shown["requests"].as_array().map(Vec::len)), (&json!("paused"), Some(1)));
    let now = place.wf(&["show", "one", "--json"]).ends(0).json();
    assert_eq!(
        (&now["status"], &now["requests"], &now["output"]["both"]["person"]),
        (&json!("completed"), &json!([]), &json!("Eve"))
    );
    let last = now["checkpoint"].to_string();
    let end = place.wf(&["show", "one", "--json", "--at", &last]).ends(0).json();
    assert_eq!((&end["status"], &end["output"]), (&json!("completed"), &now["output"]));
    let text = place.wf(&["show", "one", "--at", &at]).ends(0).out;
    assert!(text.contains(&format!("wf fork one --at {at} --respond")), "{text}");
    place.wf(&["show", "one", "--at", "99"]).ends(2).says("checkpoint 99 is not kept; the nearest");
}

#[test]
fn the_stack_stands_in_its_source_with_what_the_rest_can_read() {
    let (place, _) = paused();
    let text = place.wf(&["show", "one"]).ends(0).out;
    let shown = [
        r#"    19 | ctx.state.done.push("first")"#,
        r#"    20 | let decision = request_info({ first }, Decision, title: "Go on?")"#,
        r"       |                ^",
        r#"    21 | if decision == "reject" {"#,
        r#"      first = "did first tea""#,
    ];
    assert!(text.contains(&shown.join("\n")), "{text}");
    assert!(!text.contains("unused ="), "what is not there yet has no value: {text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    let frames = place.wf(&["show", "one", "--json"]).json()["fibers"][0]["frames"].clone();
    let main = frames.as_array().and_then(|frames| frames.last()).expect("a frame").clone();
    assert_eq!((&main["function"], &main["locals"]), (&json!("main"), &json!({ "first": "did first tea" })));
    assert_eq!((&main["file"], main["column"].as_u64()), (&json!("travel.wf"), Some(20)));
}

#[test]
fn a_name_is_shown_only_where_the_variable_has_its_register() {
    let place = Place::with(&["travel.wf"]);
    let script = "workflow main() -> any {\n    if 1 < 2 { let early = 1; print(\"${early}\") }\n    \
                  if 1 < 2 { let late = [2]; request_info(\"x\", string, id: \"q\"); return late }\n    null\n}\n";
    std::fs::write(place.path("scopes.wf"), script).expect("written");
    place.wf(&["run", "scopes.wf", "--id", "scopes"]).ends(3);
    let frames = place.wf(&["show", "scopes", "--json"]).json()["fibers"][0]["frames"].clone();
    let main = frames.as_array().and_then(|frames| frames.last()).expect("a frame").clone();
    assert_eq!(main["locals"], json!({ "late": [2] }));
}

#[test]
fn the_checkpoints_are_listed_with_what_happened() {
    let (place, at) = paused();
    let text = place.wf(&["show", "one", "--checkpoints"]).ends(0).out;
    let last = text.lines().last().expect("a line");
    assert!(last.trim_start().starts_with(&at) && last.contains("asked") && last.contains("paused"), "{text}");
    assert!(text.contains("work started") && text.contains("work completed"), "{text}");
    let list = place.wf(&["show", "one", "--checkpoints", "--json"]).ends(0).json();
    let numbers: Vec<u64> =
        list.as_array().into_iter().flatten().filter_map(|one| one["checkpoint"].as_u64()).collect();
    assert_eq!(numbers.last().map(u64::to_string), Some(at));
    let kinds: Vec<&Json> =
        list.as_array().into_iter().flatten().flat_map(|one| one["events"].as_array().into_iter().flatten()).collect();
    assert!(kinds.contains(&&json!("step_completed")), "{kinds:?}");
}

#[test]
fn of_many_branches_the_first_are_shown() {
    let place = Place::with(&["travel.wf"]);
    place.wf(&["run", "travel.wf", "many", "count=50", "--id", "many"]).ends(3);
    let text = place.wf(&["show", "many"]).ends(0).out;
    assert!(text.contains("… and 31 more branches; `--all` shows them"), "{text}");
    let all = place.wf(&["show", "many", "--all"]).ends(0).out;
    assert!(all.contains("many[0]/gather[0].49") && !all.contains("more branches"), "{all}");
    assert_eq!(place.wf(&["show", "many", "--json"]).json()["fibers"].as_array().map(Vec::len), Some(51));
}
