//! Runs that earlier versions have saved go on with this one: `tests/saved/` has a store of each version, with runs
//! stopped in all the shapes in which a run can be stopped, and what they come to.
//!
//! Each version adds its own store; none is ever changed. See `tests/saved/README.md`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{Done, Json, Place, eventually, json};

/// A workflow of `tests/saved/scripts/shapes.wf`, and how it is stopped.
struct Story {
    workflow: &'static str,
    /// So many of its calls are under way when it is killed; 0 for a run that pauses.
    calls: usize,
    /// What people answer, by the id of the request; `` for requests that have none of their own.
    answers: &'static [(&'static str, &'static str)],
}

const fn pauses(workflow: &'static str, answers: &'static [(&'static str, &'static str)]) -> Story {
    Story { workflow, calls: 0, answers }
}

const STORIES: &[Story] = &[
    pauses("one_request", &[("first", "fine"), ("", "approve")]),
    pauses(
        "several_requests",
        &[("name", "Eve"), ("review", r#"{"score":4}"#), ("ann", "A"), ("bob", "B"), ("cy", "C")],
    ),
    pauses("sleeps", &[("awake", "yes")]),
    pauses("late_request", &[("later", "now")]),
    pauses("limited_gather", &[("c", "C"), ("d", "D"), ("e", "E")]),
    pauses("races", &[("faster", "approve"), ("ann", "A"), ("bob", "B")]),
    pauses("settles", &[("i0", "10"), ("i2", "12")]),
    pauses("retries", &[]),
    pauses("times_out", &[("in time", "yes"), ("other", "o")]),
    pauses("cleans_up", &[("cleanup", "clean"), ("first", "1"), ("now", "tidy")]),
    pauses("deep_stack", &[("bottom", "7")]),
    pauses("large_values", &[("", "1500")]),
    pauses("functions", &[("p", "P"), ("q", "Q"), ("which", "no")]),
    pauses("modules", &[("inner", "5")]),
    pauses("values", &[("", "true")]),
    pauses("fails", &[("why", "so")]),
    Story { workflow: "unknown_outcome", calls: 1, answers: &[("", r#"{"action":"result","value":"by hand"}"#)] },
    Story { workflow: "in_flight", calls: 2, answers: &[("meanwhile", "M")] },
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/saved")
}

/// Some version of wf, in a folder with a store.
struct At<'p> {
    binary: &'p Path,
    place: &'p Place,
}

impl At<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command.args(args).current_dir(self.place.path("")).stdin(Stdio::null());
        for name in ["WF_STORE", "WF_MODEL", "NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
            command.env_remove(name);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn wf(&self, args: &[&str]) -> Done {
        self.command(args).output().expect("wf starts").into()
    }

    fn events(&self, run: &str) -> Vec<Json> {
        let lines = self.wf(&["events", run]).out;
        lines.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
    }

    fn requests(&self, run: &str) -> Vec<Json> {
        let open = self.wf(&["list", "--requests", "--json"]).json();
        open.as_array().into_iter().flatten().filter(|open| open["run_id"] == run).cloned().collect()
    }

    /// Goes on with a run, whose requests are answered as they come, until it ends; gives what it came to.
    fn to_the_end(&self, run: &str, answers: &Json) -> Json {
        for _ in 0..20 {
            let words = self.requests(run).into_iter().filter_map(|request| {
                let id = request["id"].as_str().unwrap_or_default();
                let answer = answers.get(id).or_else(|| answers.get("").filter(|_| id.len() == 36))?;
                Some(format!("--respond={id}={}", answer.as_str().expect("text")))
            });
            let words: Vec<String> = words.collect();
            let mut args = vec!["resume", run, "--json", "--max-wait=5s"];
            args.extend(words.iter().map(String::as_str));
            let done = self.wf(&args);
            if done.code == Some(3) {
                continue;
            }
            assert!(matches!(done.code, Some(0 | 1)), "{run}: {done:?}");
            let result = done.json();
            let error = json!({ "kind": result["error"]["kind"], "message": result["error"]["message"], "data": result["error"]["data"] });
            return json!({
                "status": result["status"], "output": result["output"], "state": result["state"],
                "error": error, "told": told(&self.events(run)),
            });
        }
        panic!("{run} does not come to its end: {:?}", self.wf(&["show", run]));
    }
}

/// What was told of calls and requests, in no order: branches whose calls leave the process end as they like.
fn told(events: &[Json]) -> Vec<String> {
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "events are numbered without a gap");
    let text = |event: &Json, name: &str| event[name].as_str().map(str::to_owned).unwrap_or_default();
    let of_runs = |event: &&Json| !matches!(event["type"].as_str(), Some("resumed" | "paused" | "status"));
    let mut told: Vec<String> = events
        .iter()
        .filter(of_runs)
        .map(|event| format!("{} {}{}", text(event, "type"), text(event, "path"), text(event, "id")))
        .collect();
    told.sort();
    told
}

/// A folder with a copy of a saved store, as if the runs had been started in it.
fn restored(store: &Path) -> Place {
    let place = Place::with(&[]);
    fs::create_dir(place.path(".wf")).expect("made");
    fs::copy(store, place.store()).expect("copied");
    fs::write(place.path("go"), "").expect("written");
    let folder = place.path("").display().to_string();
    place.sql(&format!("UPDATE run SET settings = json_set(settings, '$.folder', '{folder}')"));
    place
}

/// The versions whose runs are kept.
fn versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the saved runs").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.join("runs.db").is_file()).collect();
    found.sort();
    found
}

#[test]
fn runs_that_earlier_versions_saved_go_on() {
    let binary = Path::new(env!("CARGO_BIN_EXE_wf"));
    let versions = versions();
    assert!(versions.iter().any(|path| path.ends_with("0.1.0")), "{versions:?}");
    for version in versions {
        let expected = fs::read_to_string(version.join("runs.json")).expect("what they come to");
        let expected: Json = serde_json::from_str(&expected).expect("JSON");
        let place = restored(&version.join("runs.db"));
        let at = At { binary, place: &place };
        for (run, expected) in expected.as_object().expect("runs") {
            let shown = at.wf(&["show", run, "--json"]).ends(0).json();
            assert_eq!(shown["fibers"][0]["frames"].as_array().map(Vec::is_empty), Some(false), "{run}: {shown}");
            let before = at.events(run);
            let came = at.to_the_end(run, &expected["answers"]);
            assert_eq!(came, expected["comes_to"], "{}: {run}", version.display());
            assert_eq!(at.events(run).get(..before.len()), Some(before.as_slice()), "what was told stays");
        }
    }
}

/// Makes the saved runs of a version: of the present one, or of the binary that `WF_SAVED_BY` names.
#[test]
#[ignore = "makes files of the source; see tests/saved/README.md"]
fn make_the_saved_runs_of_a_version() {
    let binary = std::env::var_os("WF_SAVED_BY").map_or_else(|| env!("CARGO_BIN_EXE_wf").into(), PathBuf::from);
    let place = Place::with(&[]);
    let at = At { binary: &binary, place: &place };
    let version = at.wf(&["--version"]).out.split_whitespace().last().expect("a version").to_owned();
    for script in ["shapes.wf", "parts.wf"] {
        fs::copy(folder().join("scripts").join(script), place.path(script)).expect("copied");
    }
    for story in STORIES {
        stop(&at, story);
    }
    let target = folder().join(&version);
    fs::create_dir_all(&target).expect("a folder");
    let store = target.join("runs.db");
    fold(&place.store(), &store);
    let mut all = BTreeMap::new();
    for story in STORIES {
        let place = restored(&store);
        let answers: BTreeMap<&str, &str> = story.answers.iter().copied().collect();
        let answers = json!(answers);
        let comes_to = At { binary: &binary, place: &place }.to_the_end(story.workflow, &answers);
        all.insert(story.workflow, json!({ "answers": answers, "comes_to": comes_to }));
    }
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    fs::write(target.join("runs.json"), format!("{text}\n")).expect("written");
}

/// Starts the run of a story, and lets it stop where it is to be saved.
fn stop(at: &At<'_>, story: &Story) {
    let run = story.workflow;
    let args = ["run", "shapes.wf", run, "--id", run, "--allow", "exec", "--json", "--max-wait=0s"];
    if story.calls == 0 {
        at.wf(&args).ends(3);
        return;
    }
    let mut child = at.command(&args).spawn().expect("wf starts");
    eventually("its calls are under way", || {
        let shown: Json = serde_json::from_str(&at.wf(&["show", run, "--json"]).out).unwrap_or_default();
        let fibers = shown["fibers"].as_array().cloned().unwrap_or_default();
        fibers.iter().filter(|fiber| fiber["waits_for"]["kind"] == "call").count() == story.calls
    });
    child.kill().expect("killed");
    child.wait().expect("dead");
}

/// One small file of a store and its log.
fn fold(from: &Path, to: &Path) {
    let _ = fs::remove_file(to);
    let store = rusqlite::Connection::open(from).expect("a store");
    store.pragma_update(None, "wal_checkpoint", "TRUNCATE").expect("written");
    store.execute("VACUUM INTO ?1", [to.to_str().expect("a path")]).expect("copied");
}
