//! `wf run` and `wf resume`: arguments, results, exit codes, and what is printed.

use crate::support::{Done, Json, Place, json};

fn place() -> Place {
    Place::with(&["arguments.wf"])
}

fn run(place: &Place, words: &[&str]) -> Done {
    place.wf(&[&["run", "arguments.wf"], words].concat())
}

#[test]
fn arguments_are_text_where_the_parameter_takes_text_and_else_json() {
    let place = place();
    let output = |words: &[&str]| run(&place, &[&["--json", "one"], words].concat()).ends(0).json()["output"].clone();
    let defaults = json!({ "name": "7", "count": 2, "mode": "fast", "wait": "1s", "tags": [] });
    assert_eq!(output(&["name=7"]), defaults);
    assert_eq!(
        output(&["name=a=b c", "count=3.0", "mode=slow", "wait=1h30m", r#"tags=["x"]"#]),
        json!({ "name": "a=b c", "count": 3, "mode": "slow", "wait": "1h30m", "tags": ["x"] })
    );
    std::fs::write(place.path("name.txt"), "from a file\n").expect("written");
    std::fs::write(place.path("in.json"), r#"{"name":"whole","count":5}"#).expect("written");
    assert_eq!(output(&["name=@name.txt"])["name"], "from a file");
    assert_eq!(output(&["--input", "@in.json"])["count"], 5);
    assert_eq!(output(&["--input", "@in.json", "count=6"])["count"], 6);
    let fed = place.wf_fed(&["run", "arguments.wf", "one", "--json", "name=-"], "from a pipe").ends(0).json();
    assert_eq!(fed["output"]["name"], "from a pipe");
    let fed =
        place.wf_fed(&["run", "arguments.wf", "one", "--json", "--input", "-"], r#"{"name":"piped"}"#).ends(0).json();
    assert_eq!(fed["output"]["name"], "piped");
}

#[test]
fn what_is_wrong_with_arguments_is_said_before_there_is_a_run() {
    let place = place();
    for (words, said) in [
        (&["one"][..], "workflow `one` needs `name`"),
        (&["one", "name=x", "cuont=3"], "no parameter `cuont`; its parameters: `name`, `count`"),
        (&["one", "name=x", "count=three"], "`count`: expected an integer as JSON, found `three`"),
        (&["one", "name=x", "count=1.5"], "`count`: expected `int`, found 1.5"),
        (&["one", "name=x", "mode=medium"], "`mode`: expected"),
        (&["one", "name=x", "wait=5"], "`wait`: expected `duration`, found \"5\""),
        (&["one", "name=x", "tags=[1]"], "`tags`: expected `string` at [0], found 1"),
        (&["one", "name=@gone"], "cannot read `gone`"),
        (&["one", "--input", "[]"], "`--input` takes a JSON object"),
        (&["one", "--input", "{"], "`--input` is no JSON"),
        (&["ohter"], "no workflow `ohter`; it has `one`, `other`"),
        (&[], "the script has several workflows, name one"),
        (&["one", "other"], "`other` is neither a workflow nor name=value"),
        (&["one", "name=x", "--keep=few"], "`--keep few`: write a number, or all"),
        (&["one", "name=x", "--max-wait=soon"], "`soon` is no duration; write 30s"),
        (&["one", "name=x", "--allow=exce"], "`exce` is nothing that can be allowed"),
        (&["one", "name=x", "--stream=all"], "`--stream=all` is not known"),
        (&["one", "name=x", "--id=last"], "`last` cannot name a run"),
        (&["one", "name=x", "--id=a b"], "letters, digits"),
    ] {
        run(&place, words).ends(2).says(said);
    }
    let listed = place.wf(&["list", "--json"]);
    assert!(listed.code == Some(2) || listed.json() == json!([]), "{listed:?}");
    place.wf(&["run", "gone.wf"]).ends(2).says("there is no file `gone.wf`");
    place.wf(&["resume", "last"]).ends(2);
}

#[test]
fn a_result_of_each_kind() {
    let place = place();
    let shape = |result: &Json| result.as_object().map(|result| result.keys().cloned().collect::<Vec<_>>());
    let keys = ["run_id", "workflow", "status", "output", "state", "requests", "error", "usage", "wake_at"];
    let keys = Some(keys.map(str::to_owned).to_vec());

    let done = run(&place, &["one", "name=x", "--json"]).ends(0).says("hello x");
    let result = done.json();
    assert_eq!((shape(&result), &result["status"], &result["error"]), (keys.clone(), &json!("completed"), &Json::Null));
    assert_eq!(result["state"], json!({ "seen": 1 }));
    assert_eq!(place.wf(&["resume", "last", "--json"]).ends(0).json(), result, "an ended run is shown as it ended");

    let result = run(&place, &["fails", "--json"]).ends(1).json();
    assert_eq!((shape(&result), &result["status"], &result["output"]), (keys.clone(), &json!("failed"), &Json::Null));
    assert_eq!((&result["error"]["kind"], &result["error"]["message"]), (&json!("budget"), &json!("no money")));
    assert_eq!(result["state"], json!({ "seen": 7 }));

    let result = run(&place, &["runs", "--json"]).ends(3).json();
    assert_eq!((shape(&result), &result["status"], &result["wake_at"]), (keys.clone(), &json!("paused"), &Json::Null));
    assert_eq!(result["requests"][0]["schema"], json!({ "type": "boolean" }));

    let result = run(&place, &["sleeps", "wait=1h", "--json"]).ends(3).json();
    assert_eq!((shape(&result), &result["requests"]), (keys, &json!([])));
    assert!(result["wake_at"].is_string());
}

#[test]
fn what_people_see() {
    let place = place();
    assert_eq!(run(&place, &["one", "name=x", "mode=slow"]).ends(0).out.lines().next(), Some("hello x"));
    assert_eq!(run(&place, &["other"]).ends(0).out, "other\n");
    let failed =
        run(&place, &["fails"]).ends(1).says("failed: no money (budget)").says("in fails at arguments.wf:17:5");
    assert_eq!(failed.out, "");
    let paused = run(&place, &["runs", "--id", "asks"]).ends(3).says("waiting for an answer: may it?");
    assert!(paused.err.contains("wf resume asks VALUE"), "{}", paused.err);
    run(&place, &["sleeps", "wait=1h", "--id", "nap"]).ends(3).says("go on then: wf resume nap");
    // Elsewhere, the command that goes on names the store.
    let store = place.path("other place.db").display().to_string();
    run(&place, &["runs", "--store", &store]).ends(3).says(&format!("--store '{store}'"));
}

#[test]
fn an_id_goes_on_with_the_same_workflow_and_input_only() {
    let place = place();
    run(&place, &["sleeps", "wait=200ms", "--id", "nap", "--max-wait=0s"]).ends(3);
    run(&place, &["sleeps", "wait=201ms", "--id", "nap"]).ends(2).says("there is a run `nap` already");
    run(&place, &["other", "--id", "nap"]).ends(2).says("use another --id");
    assert_eq!(run(&place, &["sleeps", "wait=200ms", "--id", "nap"]).ends(0).out, "woke\n");
    assert_eq!(run(&place, &["sleeps", "wait=200ms", "--id", "nap"]).ends(0).out, "woke\n");
    let started = place.events().iter().filter(|event| event["type"] == "started").count();
    assert_eq!(started, 1);
    run(&place, &["fails", "--id", "poor"]).ends(1);
    run(&place, &["fails", "--id", "poor"]).ends(1).says("no money");
}

#[test]
fn what_is_not_allowed_names_the_flag() {
    let place = place();
    let out = place
        .path("out")
        .canonicalize()
        .unwrap_or_else(|_| place.path("").canonicalize().expect("a folder").join("out"));
    let path = out.join("x");
    let words = format!("path={}", path.display());
    std::fs::create_dir(&out).expect("made");
    run(&place, &["writes", &words]).ends(1).says(&format!("add `--allow write={}`", out.display()));
    run(&place, &["writes", "path=out/../out/x", "--allow", "exec,write=elsewhere"]).ends(1).says("is not allowed");
    run(&place, &["writes", &words, "--allow", "write=out"]).ends(0);
    run(&place, &["writes", "path=out/../../x", "--allow", "write=out"]).ends(1).says("is not allowed");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "x");
}

#[test]
fn resume_adds_to_what_is_allowed_and_the_run_keeps_it() {
    let place = place();
    run(&place, &["runs", "--id", "a"]).ends(3);
    place.wf(&["resume", "a", "true"]).ends(1).says("running programs is not allowed; add `--allow exec`");
    run(&place, &["runs", "--id", "b"]).ends(3);
    assert_eq!(place.wf(&["resume", "b", "true", "--allow", "exec"]).ends(0).out, "ran\n\n");
    run(&place, &["runs", "--id", "c", "--allow", "exec"]).ends(3);
    assert_eq!(place.wf(&["resume", "c", "true"]).ends(0).out, "ran\n\n");
}

#[test]
fn how_long_timers_are_waited_for() {
    let place = place();
    assert_eq!(run(&place, &["sleeps", "wait=50ms"]).ends(0).out, "woke\n");
    let since = std::time::Instant::now();
    run(&place, &["sleeps", "wait=10m"]).ends(3);
    run(&place, &["sleeps", "wait=1h", "--max-wait=30m"]).ends(3);
    assert!(since.elapsed().as_secs() < 50, "a timer that is too far away is not waited for");
    run(&place, &["sleeps", "wait=20ms", "--max-wait=0s", "--id", "nap"]).ends(3);
    assert_eq!(place.wf(&["resume", "nap"]).ends(0).out, "woke\n");
}

#[test]
fn how_many_checkpoints_are_kept() {
    let place = Place::with(&["steps.wf"]);
    let kept = |keep: &str| {
        place.wf(&["run", "steps.wf", "--allow", "exec", "count=70", "--keep", keep, "--id", keep]).ends(0);
        let shown = place.wf(&["show", keep, "--json"]).ends(0).json();
        (
            shown["checkpoints"]["kept"].as_u64().expect("a number"),
            shown["checkpoints"]["last"].as_u64().expect("a number"),
        )
    };
    let (all, last) = kept("all");
    assert_eq!(all, last);
    let (few, last) = kept("5");
    assert!(few < 75 && last > 70, "{few} of {last} are kept");
}

#[test]
fn a_stream_of_events_and_of_changes_of_status() {
    let place = place();
    let types = |done: Done| -> Vec<String> {
        let events = done.out.lines().map(|line| serde_json::from_str::<Json>(line).expect("an event"));
        events.map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    };
    let words = ["started", "workflow_started", "log", "workflow_completed", "output", "completed"];
    let streamed = run(&place, &["one", "name=x", "--stream"]).ends(0);
    assert_eq!(streamed.err, "", "nothing but events");
    assert_eq!(place.wf(&["events", "last"]).ends(0).out, streamed.out, "what was streamed is what is stored");
    assert_eq!(types(streamed), words);
    let done = run(&place, &["other", "--stream=status"]).ends(0);
    let status: Vec<Json> = done.out.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    let status: Vec<&Json> =
        status.iter().filter(|event| event["type"] == "status").map(|event| &event["status"]).collect();
    assert_eq!(status, ["running", "completed"]);
    let after = place.wf(&["events", "last", "--after", "3"]).ends(0);
    assert_eq!(types(after), ["output", "completed"]);
}
