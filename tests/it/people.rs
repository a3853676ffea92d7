//! Questions to people: each answer reaches its own, in whatever order and from wherever it comes.

use crate::support::{Json, Place, eventually, json};

fn two(words: &[&str]) -> Place {
    let place = Place::with(&["two.wf"]);
    place.wf(&[&["run", "two.wf"], words].concat()).ends(3);
    place
}

const BOTH: &str = r#"{"score":4,"comment":"fine"}"#;

fn both() -> Json {
    json!({ "a": "Eve", "b": { "score": 4, "comment": "fine" } })
}

#[test]
fn two_answers_in_either_order_in_one_resume() {
    for (first, second) in
        [("name=Eve".to_owned(), format!("review={BOTH}")), (format!("review={BOTH}"), "name=Eve".into())]
    {
        let place = two(&["two"]);
        let done = place.wf(&["resume", "last", "--json", "--respond", &first, "--respond", &second]).ends(0);
        assert_eq!(done.json()["output"], both());
    }
}

#[test]
fn one_answer_at_a_time() {
    let place = two(&["two"]);
    let done = place.wf(&["resume", "last", "--json", "--respond", &format!("review={BOTH}")]).ends(3);
    assert_eq!(done.json()["requests"].as_array().map(Vec::len), Some(1));
    assert_eq!(done.json()["requests"][0]["id"], "name");
    // The only one that is left needs no id.
    assert_eq!(place.wf(&["resume", "last", "--json", "Eve"]).ends(0).json()["output"], both());
    place.wf(&["resume", "last", "Eve"]).ends(2).says("it takes no answers any more");
}

#[test]
fn requests_without_an_id_keep_theirs_apart() {
    let place = two(&["alike"]);
    let inbox = place.wf(&["list", "--requests", "--json"]).ends(0).json();
    let inbox = inbox.as_array().expect("a list");
    assert_eq!(inbox.len(), 3);
    // The last is answered first.
    for request in inbox.iter().rev() {
        let person = request["data"].as_str().and_then(|data| data.split(' ').nth(2)).expect("a name");
        let answer = format!("{}={person} agrees", request["id"].as_str().expect("an id"));
        place.wf(&["resume", "last", "--respond", &answer]);
    }
    let output = place.wf(&["resume", "last", "--json"]).ends(0).json()["output"].clone();
    let said = |person: &str| json!({ "person": person, "said": format!("{person} agrees") });
    assert_eq!(output, json!([said("ann"), said("bob"), said("cy")]));
}

#[test]
fn of_several_answers_all_are_taken_or_none() {
    let place = two(&["two"]);
    let words =
        ["resume", "last", "--respond", "name=Eve", "--respond", r#"review={"score":"4"}"#, "--respond", "nobody=1"];
    let done = place.wf(&words).ends(2);
    for part in ["the answer to `review` does not fit", "no open request `nobody`", "no answer was taken"] {
        assert!(done.err.contains(part), "`{part}` in\n{}", done.err);
    }
    let shown = place.wf(&["show", "last", "--json"]).ends(0).json();
    assert_eq!(shown["requests"].as_array().map(Vec::len), Some(2));
    let answers = ["resume", "last", "--json", "--respond", "name=Eve", "--respond"];
    let done = place.wf(&[&answers[..], &[&format!("review={BOTH}")]].concat()).ends(0);
    assert_eq!(done.json()["output"], both());
}

#[test]
fn requests_stand_in_the_order_in_which_they_were_asked() {
    let place = Place::with(&[]);
    let script = "workflow main() -> any {\n    gather {\n        one: request_info(1, int, id: \"z\"),\n        two: do { sleep(2ms); request_info(2, int, id: \"a\") },\n    }\n}\n";
    std::fs::write(place.path("order.wf"), script).expect("written");
    let result = place.wf(&["run", "order.wf", "--json"]).ends(3).json();
    let ids = |list: &Json| list.as_array().expect("a list").iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&result["requests"]), ["z", "a"]);
    assert_eq!(ids(&place.wf(&["show", "last", "--json"]).ends(0).json()["requests"]), ["z", "a"]);
    assert_eq!(ids(&place.wf(&["list", "--requests", "--json"]).ends(0).json()), ["z", "a"]);
    let paused = place.events().into_iter().rfind(|event| event["type"] == "paused").expect("it has paused");
    assert_eq!(paused["requests"], json!(["z", "a"]));
}

#[test]
fn what_does_not_fit_is_refused_and_the_run_still_waits() {
    let place = two(&["two"]);
    let respond = |answer: &str| place.wf(&["resume", "last", "--respond", answer]).ends(2);
    respond(r#"review={"score":"4"}"#).says("expected `int` at .score, found \"4\"").says("the run still waits");
    respond(r#"review={"comment":"no score"}"#).says(".score");
    respond("review=fine").says("expected an object as JSON, found `fine`");
    respond("reveiw=fine").says("the run has no open request `reveiw`; open are `name`, `review`");
    respond("fine").says("write ID=VALUE");
    place.wf(&["resume", "last", "fine"]).ends(2).says("several open requests");
    // One that fits is not taken either when another one beside it does not.
    place.wf(&["resume", "last", "--respond", "name=Eve", "--respond", "review=1"]).ends(2);
    place
        .wf(&["resume", "last", "--respond", "name=Eve", "--respond", "name=Ann"])
        .ends(2)
        .says("no open request `name`");
    let inbox = place.wf(&["list", "--requests", "--json"]).ends(0).json();
    assert_eq!(inbox.as_array().map(Vec::len), Some(2));
    assert!(inbox.as_array().into_iter().flatten().all(|request| request["recorded"] == false), "{inbox}");
    assert_eq!(place.wf(&["show", "last", "--json"]).json()["status"], "paused");
}

#[test]
fn the_inbox_for_people_and_for_machines() {
    let place = two(&["two", "--id", "first"]);
    place.wf(&["run", "two.wf", "two", "--id", "second"]).ends(3);
    let text = place.wf(&["list", "--requests"]).ends(0).out;
    assert!(text.contains("A review: {\"text\":\"the review?\"}"), "{text}");
    assert!(text.contains("wf resume first --respond name=VALUE"), "{text}");
    assert!(text.contains("a JSON object with score, comment"), "{text}");
    let inbox = place.wf(&["list", "--requests", "--json"]).ends(0).json();
    let ids: Vec<&str> = inbox.as_array().into_iter().flatten().filter_map(|open| open["run_id"].as_str()).collect();
    assert_eq!(ids, ["first", "first", "second", "second"], "oldest first");
    assert_eq!(inbox[1]["schema"]["properties"]["score"]["type"], "integer");
    assert_eq!((&inbox[1]["title"], &inbox[1]["path"]), (&json!("A review"), &json!("two[0]/gather[0].b")));
    for run in ["first", "second"] {
        place.wf(&["resume", run, "--respond", "name=Eve", "--respond", &format!("review={BOTH}")]).ends(0);
    }
    assert_eq!(place.wf(&["list", "--requests"]).ends(0).out, "nobody waits for an answer\n");
}

#[test]
fn a_live_owner_takes_what_another_process_answers() {
    let place = Place::with(&["two.wf"]);
    let mut owner = place.start(&["run", "two.wf", "waits", "wait=2m", "--stream", "--max-wait=1h"]);
    let asked = owner.until("request_info");
    assert_eq!(asked["id"], "meantime");
    place.wf(&["resume", "last"]).ends(2).says("is being executed by process");
    // What does not fit is refused with its reason, as it would be without an owner.
    place.wf(&["resume", "last", "soon"]).ends(2).says("expected an integer as JSON, found `soon`");
    place.wf(&["resume", "last", "7.5"]).ends(2).says("expected `int`, found 7.5");
    place.wf(&["resume", "last", "--respond", "other=7"]).ends(2).says("no open request `other`");
    place.wf(&["resume", "last", "7"]).ends(0).says("taken by process");
    assert_eq!(owner.until("response")["value"], 7);
    place.wf(&["resume", "last", "8"]).ends(2).says("no open request");
    owner.signal("INT");
    owner.done().ends(130);
    let shown = place.wf(&["show", "last", "--json"]).ends(0).json();
    assert_eq!((&shown["requests"], &shown["status"]), (&json!([]), &json!("interrupted")));
}

#[test]
fn an_answer_that_was_recorded_for_an_owner_that_died_is_taken_by_the_next() {
    let place = Place::with(&["two.wf"]);
    let mut owner = place.start(&["run", "two.wf", "waits", "wait=300ms", "--stream", "--max-wait=1h"]);
    owner.until("request_info");
    owner.signal("STOP");
    place.wf(&["resume", "last", "7"]).ends(0).says("recorded; process");
    place.wf(&["resume", "last", "8"]).ends(2).says("has an answer that waits to be taken");
    assert_eq!(place.wf(&["list", "--requests", "--json"]).json()[0]["recorded"], true);
    owner.kill();
    let done = place.wf(&["resume", "last", "--json"]).ends(0).json();
    assert_eq!(done["output"], json!({ "asked": 7, "slept": "slept" }));
}

#[test]
fn a_question_that_nobody_answers_in_time() {
    let place = Place::with(&["two.wf"]);
    let done = place.wf(&["run", "two.wf", "late", "wait=50ms", "--json"]).ends(0).json();
    assert_eq!(done["output"], json!({ "kind": "timeout" }));
    let done = place.wf(&["run", "two.wf", "late", "wait=50ms", "--json", "--max-wait=0s"]).ends(3).json();
    assert_eq!(done["wake_at"], done["requests"][0]["due_at"]);
    eventually("its time is over", || place.wf(&["resume", "last", "--max-wait=0s"]).code == Some(0));
    assert!(place.events().iter().any(|event| event["type"] == "request_withdrawn" && event["id"] == "now"));
    place.wf(&["run", "two.wf", "late", "wait=1h", "--json"]).ends(3);
    assert_eq!(place.wf(&["resume", "last", "yes", "--json"]).ends(0).json()["output"], "yes");
}

#[test]
fn the_id_of_a_request_that_was_withdrawn_is_free() {
    let place = Place::with(&["two.wf"]);
    let done = place.wf(&["run", "two.wf", "again", "--json"]).ends(3).json();
    assert_eq!(done["requests"][0]["data"], "slow?");
    let done = place.wf(&["resume", "last", "now", "--json"]).ends(0).json();
    assert_eq!(done["output"], json!({ "first": "late", "second": "now" }));
}
