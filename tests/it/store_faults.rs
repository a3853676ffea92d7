//! Stores that are torn, foreign, damaged, newer, missing or not to be written: each is said, with what to do.

use crate::support::{Json, Place, json};

/// A run that has paused twice, so that it has an older checkpoint to go on from.
fn paused() -> Place {
    let place = Place::with(&["asks.wf"]);
    place.wf(&["run", "asks.wf", "--allow", "exec", "--id", "asks"]).ends(3);
    place.wf(&["resume", "asks", "approve"]).ends(3);
    place
}

fn last(place: &Place) -> u64 {
    let shown = place.wf(&["show", "asks", "--json"]).ends(0).json();
    shown["checkpoints"]["last"].as_u64().expect("a number")
}

/// Changes one byte of the row that an expression chooses.
fn flip(place: &Place, table: &str, column: &str, which: &str) {
    let other = format!("CASE hex(substr({column}, -6, 1)) WHEN 'EE' THEN x'11' ELSE x'EE' END");
    let flipped = format!("CAST(substr({column}, 1, length({column}) - 6) || {other} || substr({column}, -5) AS BLOB)");
    let changed = place.sql(&format!("UPDATE {table} SET {column} = {flipped} WHERE {which}"));
    assert!(changed > 0, "no row of {table} where {which}");
}

const COMMANDS: [&[&str]; 5] =
    [&["resume", "asks", "3"], &["show", "asks"], &["list"], &["list", "--requests"], &["events", "asks"]];

#[test]
fn a_torn_store() {
    let place = paused();
    let bytes = std::fs::read(place.store()).expect("a store");
    for length in [5000, bytes.len() / 2, bytes.len() - 4096] {
        std::fs::write(place.store(), &bytes[..length]).expect("written");
        for args in COMMANDS {
            let done = place.wf(args);
            assert!(matches!(done.code, Some(0..=3)), "{length} bytes, wf {}: {done:?}", args.join(" "));
            assert!(!done.err.contains("panic"), "{length} bytes: {}", done.err);
            if done.code != Some(0) {
                assert!(done.err.contains("the store"), "{length} bytes, wf {}: {}", args.join(" "), done.err);
            }
        }
        place.wf(&["resume", "asks", "3"]).ends(2).says("torn");
        assert_eq!(std::fs::read(place.store()).expect("a store").len(), length, "nothing is written into it");
    }
    std::fs::write(place.store(), bytes).expect("written");
    place.wf(&["resume", "asks", "3"]).ends(0);
}

#[test]
fn a_file_of_another_program() {
    let place = Place::with(&["asks.wf"]);
    std::fs::create_dir(place.path(".wf")).expect("made");
    let text = "a text that is long enough to be a header of a database, which it is not, however long it is looked at";
    std::fs::write(place.store(), text).expect("written");
    for args in COMMANDS.into_iter().chain([&["run", "asks.wf"][..]]) {
        place.wf(args).ends(2).says("not a database").says("runs.db");
    }
    assert_eq!(std::fs::read_to_string(place.store()).expect("a file"), text, "it is left as it was");
    std::fs::remove_file(place.store()).expect("removed");
    place.sql("CREATE TABLE other (x)");
    place.wf(&["run", "asks.wf"]).ends(2).says("the database of another program");
}

#[test]
fn a_store_of_a_newer_version() {
    let place = paused();
    let store = rusqlite::Connection::open(place.store()).expect("a store");
    store.pragma_update(None, "user_version", 99).expect("written");
    drop(store);
    for args in COMMANDS.into_iter().chain([&["run", "asks.wf"][..]]) {
        place.wf(args).ends(2).says("the store has version 99, this wf reads up to 2; use a newer wf");
    }
}

#[test]
fn no_store_at_all() {
    let place = Place::with(&["asks.wf"]);
    for args in COMMANDS {
        place.wf(args).ends(2).says("there is no store at");
        place.wf(&[args, &["--store", "gone/runs.db"]].concat()).ends(2).says("there is no store at `gone/runs.db`");
    }
    assert!(!place.path("gone").exists() && !place.path(".wf").exists(), "who only looks makes nothing");
    place.wf(&["run", "asks.wf", "--store", "."]).ends(2).says("is a folder");
}

#[test]
fn a_folder_that_may_not_be_written() {
    let place = paused();
    // Not a folder that this user may not write, because the tests may be run by one who may write everywhere.
    std::fs::write(place.path("file"), "").expect("written");
    for store in ["file/runs.db", "/proc/self/runs.db", "/dev/null"] {
        let done = place.wf(&["run", "asks.wf", "--store", store]).ends(2).says("the store").says(store);
        assert!(!done.err.contains("panic"), "{}", done.err);
    }
    let mut permissions = std::fs::metadata(place.path(".wf")).expect("a folder").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(place.path(".wf"), permissions.clone()).expect("changed");
    let may_write = std::fs::write(place.path(".wf/try"), "").is_ok();
    let done = place.wf(&["resume", "asks", "3"]);
    #[expect(clippy::permissions_set_readonly_false, reason = "the folder is removed at the end of the test")]
    permissions.set_readonly(false);
    std::fs::set_permissions(place.path(".wf"), permissions).expect("changed");
    if !may_write {
        done.ends(2).says("the store");
        place.wf(&["resume", "asks", "3"]).ends(0);
    }
}

#[test]
fn a_damaged_row_is_named_and_an_older_checkpoint_goes_on() {
    let place = paused();
    let n = last(&place);
    // A row that the latest checkpoint has, and no older one.
    flip(&place, "fiber", "data", &format!("since = {n}"));
    for args in [&["resume", "asks", "3"][..], &["resume", "asks"]] {
        let done = place.wf(args).ends(2).says(&format!("checkpoint {n} cannot be used: "));
        assert!(done.err.contains("the row of "), "the row is named: {}", done.err);
        assert!(done.err.contains("wf resume asks --at "), "{}", done.err);
    }
    let before = place.effects();
    let help = place.wf(&["resume", "asks"]).err;
    let usable: u64 = help.split("--at ").nth(1).and_then(|rest| rest.trim().parse().ok()).expect("a number");
    assert!(usable < n, "{help}");
    let at = usable.to_string();
    let mut done = place.wf(&["resume", "asks", "--at", &at, "--json"]);
    while done.code == Some(3) {
        let asked = done.json()["requests"][0]["id"].as_str().map(str::to_owned).expect("a request");
        let answer = if asked == "decide" { "decide=approve" } else { "count=3" };
        done = place.wf(&["resume", "asks", "--json", "--respond", answer]);
    }
    let result = done.ends(0).json();
    assert_eq!(result["output"]["asked"], 2);
    assert_eq!(result["output"]["last"], json!(["did last-4\n", "did last-5\n"]));
    let repeated: Vec<String> =
        place.effects()[before.len()..].iter().filter(|line| before.contains(line)).cloned().collect();
    assert!(repeated.len() <= 1, "what came after checkpoint {usable} is done again: {repeated:?}");
}

#[test]
fn a_damaged_header_is_named() {
    let place = paused();
    let n = last(&place);
    flip(&place, "checkpoint", "header", &format!("n = {n}"));
    let done = place.wf(&["resume", "asks", "3"]).ends(2).says(&format!("checkpoint {n} "));
    assert!(done.err.contains("--at "), "{}", done.err);
}

#[test]
fn when_no_checkpoint_is_usable_it_is_said() {
    let place = paused();
    flip(&place, "checkpoint", "header", "1");
    place.wf(&["resume", "asks", "3"]).ends(2).says("no other checkpoint can be used instead");
    // Who looks is told the same, and what does not need the checkpoint is still there.
    place.wf(&["show", "asks"]).ends(2).says("cannot be used");
    place.wf(&["events", "asks"]).ends(0);
    place.wf(&["list", "--requests"]).ends(0);
}

#[test]
fn damaged_code_is_named() {
    let place = paused();
    flip(&place, "code", "data", "1");
    let done = place.wf(&["resume", "asks", "3"]).ends(2);
    assert!(done.err.contains("code"), "{}", done.err);
    // The run was not taken, and can be looked at.
    assert_eq!(place.wf(&["list", "--json"]).ends(0).json()[0]["status"], "paused");
}

#[test]
fn a_checkpoint_that_is_not_kept() {
    let place = paused();
    let n = last(&place);
    let done = place.wf(&["resume", "asks", "--at", &(n + 7).to_string()]).ends(2);
    assert!(done.err.contains(&format!("checkpoint {} is not kept", n + 7)), "{}", done.err);
    place.wf(&["resume", "asks", "--at", "0"]).ends(2);
    // The run was given up again.
    let shown: Json = place.wf(&["show", "asks", "--json"]).ends(0).json();
    assert_eq!((&shown["status"], &shown["owner"]), (&json!("paused"), &Json::Null));
    place.wf(&["resume", "asks", "3"]).ends(0);
}
