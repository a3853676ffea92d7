//! Runs are removed, the store is copied, and what its bytes hold is shown.

use crate::support::{Json, Place};

/// A run that has ended, one that waits, and their ids.
fn two() -> Place {
    let place = Place::with(&["asks.wf", "steps.wf"]);
    place.wf(&["run", "asks.wf", "--allow", "exec", "--id", "waits"]).ends(3);
    place.wf(&["run", "asks.wf", "--allow", "exec", "--id", "ended"]).ends(3);
    place.wf(&["resume", "ended", "reject"]).ends(3);
    place.wf(&["resume", "ended", "77123"]).ends(0);
    place
}

fn ids(place: &Place) -> Vec<String> {
    let listed = place.wf(&["list", "--json"]).ends(0).json();
    let ids = listed.as_array().expect("a list").iter().map(|run| run["run_id"].as_str().expect("an id").to_owned());
    ids.collect()
}

/// How often some bytes stand in the files of the store.
fn found(place: &Place, mark: &str) -> usize {
    let mut count = 0;
    for end in ["", "-wal", "-shm"] {
        let bytes = std::fs::read(format!("{}{end}", place.store().display())).unwrap_or_default();
        count += bytes.windows(mark.len()).filter(|window| *window == mark.as_bytes()).count();
    }
    count
}

#[test]
fn a_run_that_has_ended_is_removed_without_a_trace() {
    let place = two();
    assert!(found(&place, "77123") > 0 && found(&place, "ended") > 0);
    let done = place.wf(&["rm", "ended"]).ends(0);
    assert!(done.out.starts_with("removed ended  asks  completed  "), "{}", done.out);
    assert_eq!((found(&place, "77123"), found(&place, "after-reject")), (0, 0));
    assert_eq!(ids(&place), ["waits"]);
    for args in [&["show", "ended"][..], &["events", "ended"], &["rm", "ended"], &["resume", "ended"]] {
        place.wf(args).ends(2).says("there is no run `ended`");
    }
    // The other goes on as if nothing had been.
    place.wf(&["resume", "waits", "approve"]).ends(3);
    place.wf(&["resume", "waits", "1"]).ends(0);
}

#[test]
fn a_run_that_may_go_on_needs_force() {
    let place = two();
    let done = place.wf(&["rm", "waits", "ended"]).ends(2).says("the run `waits` is paused").says("--force");
    assert!(done.out.contains("removed ended"), "{}", done.out);
    assert_eq!(ids(&place), ["waits"]);
    let json = place.wf(&["rm", "waits", "--force", "--json"]).ends(0).json();
    assert_eq!(json["removed"][0]["run_id"], "waits");
    assert!(json["removed"][0]["bytes"].as_u64() > Some(100), "{json}");
    assert!(ids(&place).is_empty());
    assert_eq!(place.wf(&["list", "--requests"]).ends(0).out, "nobody waits for an answer\n");
    place.wf(&["rm"]).ends(2).says("required arguments");
    place.wf(&["rm", "x", "--older-than", "3d"]).ends(2);
    place.wf(&["rm", "--older-than", "soon"]).ends(2).says("30d");
}

#[test]
fn a_run_that_is_executed_stays() {
    let place = Place::with(&["late.wf", "spins.wf"]);
    let mut started = place.start(&["run", "spins.wf", "--id", "busy", "--stream"]);
    started.until("started");
    let done = place.wf(&["rm", "busy", "--force"]).ends(2).says("is being executed by process");
    assert!(done.out.is_empty(), "{}", done.out);
    assert!(started.kill());
    place.wf(&["rm", "busy"]).ends(2).says("is interrupted");
    place.wf(&["rm", "busy", "--force"]).ends(0);
    assert!(ids(&place).is_empty());
}

#[test]
fn old_runs_are_removed() {
    let place = two();
    let none = place.wf(&["rm", "--older-than", "30d"]).ends(0);
    assert_eq!(none.out, "no run that has ended is that old\n");
    place.sql("UPDATE standing SET updated_at = updated_at - 31 * 86400000");
    let dry = place.wf(&["rm", "--older-than", "30d", "--dry-run"]).ends(0);
    assert!(dry.out.starts_with("would remove ended  asks"), "{}", dry.out);
    assert!(dry.out.contains("1 that old have not ended"), "{}", dry.out);
    assert_eq!(ids(&place).len(), 2);
    let json = place.wf(&["rm", "--older-than", "30d", "--json"]).ends(0).json();
    assert_eq!((&json["removed"][0]["run_id"], &json["kept"][0]["run_id"]), (&"ended".into(), &"waits".into()));
    assert_eq!(ids(&place), ["waits"]);
    place.wf(&["rm", "--older-than", "30d", "--force"]).ends(0);
    assert!(ids(&place).is_empty());
    place.wf(&["rm", "--vacuum"]).ends(0);
}

#[test]
fn a_copy_goes_on_by_itself() {
    let place = two();
    let done = place.wf(&["backup", "copy.db"]).ends(0);
    assert!(done.out.contains("copied to copy.db ("), "{}", done.out);
    place.wf(&["rm", "waits", "--force"]).ends(0);
    let listed = place.wf(&["list", "--store", "copy.db", "--json"]).ends(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    place.wf(&["resume", "waits", "approve", "--store", "copy.db"]).ends(3);
    place.wf(&["backup", "copy.db"]).ends(2).says("is there already").says("--force");
    place.wf(&["backup", ".wf/runs.db", "--force"]).ends(2).says("is the store itself");
    place.wf(&["backup", "."]).ends(2).says("is a folder");
    place.wf(&["backup", "no/such/copy.db"]).ends(2).says("no backup of");
    let json = place.wf(&["backup", "copy.db", "--force", "--json"]).ends(0).json();
    assert!(json["bytes"].as_u64() > Some(10_000), "{json}");
    assert_eq!(place.wf(&["list", "--store", "copy.db", "--json"]).ends(0).json().as_array().map(Vec::len), Some(1));
    let left = std::fs::read_dir(place.path(".")).expect("a folder").filter_map(Result::ok);
    let left: Vec<_> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.contains("partial")), "{left:?}");
}

#[test]
fn sizes_are_shown() {
    let place = two();
    let listed = place.wf(&["list", "--json"]).ends(0).json();
    let bytes = |listed: &Json, id| {
        let run = listed.as_array().expect("a list").iter().find(|run| run["run_id"] == id).cloned();
        run.expect("it is listed")["bytes"].as_u64().expect("a number")
    };
    for id in ["waits", "ended"] {
        let size = place.wf(&["show", id, "--size", "--json"]).ends(0).json();
        assert_eq!(size["bytes"], bytes(&listed, id));
        assert_eq!(size["code"]["shared_with"], 1);
        assert!(size["events"]["count"].as_u64() > Some(3), "{size}");
    }
    let size = place.wf(&["show", "waits", "--size", "--json"]).ends(0).json();
    assert_eq!(size["live"]["branches"][0]["path"], "asks[0]");
    assert_eq!(size["live"]["largest_variables"][0]["name"], "before");
    let text = place.wf(&["show", "waits", "--size"]).ends(0).out;
    for part in ["stack of asks", "events", "together", "shared with 1 other run", "before  ", "in asks at asks.wf"] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert!(place.wf(&["list"]).ends(0).out.contains(" kB\n"));
    place.wf(&["show", "waits", "--size", "--at", "1"]).ends(2);
}

#[test]
fn a_page_of_the_inbox() {
    let place = two();
    place.wf(&["run", "asks.wf", "--allow", "exec", "--id", "second"]).ends(3);
    place.wf(&["run", "asks.wf", "--allow", "exec", "--id", "third"]).ends(3);
    let all = place.wf(&["list", "--requests"]).ends(0).out;
    assert!(!all.contains("more"), "{all}");
    let page = place.wf(&["list", "--requests", "--limit", "1"]).ends(0).out;
    assert!(page.contains("  waits\n") && page.ends_with("and 2 more; `--limit N` shows more\n"), "{page}");
    let json = place.wf(&["list", "--requests", "--limit", "1", "--json"]).ends(0).says("and 2 more");
    assert_eq!(json.json().as_array().map(Vec::len), Some(1));
}

#[test]
fn events_that_are_gone_are_told() {
    let place = two();
    let all = place.wf(&["events", "ended"]).ends(0);
    assert!(all.err.is_empty(), "{}", all.err);
    let gone = place.sql("DELETE FROM event WHERE first_seq < 4 AND rid = (SELECT rid FROM run WHERE id = 'ended')");
    assert!(gone > 0);
    let rest = place.wf(&["events", "ended"]).ends(0).says("events 1–").says("are no longer kept");
    assert!(all.out.ends_with(&rest.out) && rest.out.len() < all.out.len(), "{}", rest.out);
    let late = place.wf(&["events", "ended", "--after", "9"]).ends(0);
    assert!(late.err.is_empty(), "{}", late.err);
}
