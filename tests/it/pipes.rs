//! Pipes that close, Ctrl-C, and output without colours.

use std::process::{Command, Stdio};

use crate::support::{Done, Place, eventually, json};

/// Runs `wf … | head -1`; gives the line, and what `wf` said on standard error.
fn head(place: &Place, args: &[&str]) -> Done {
    let mut wf = place.command(args).spawn().expect("wf starts");
    let line = Command::new("head").arg("-1").stdin(wf.stdout.take().expect("a pipe")).stderr(Stdio::null()).output();
    let line = line.expect("head starts");
    let mut done: Done = wf.wait_with_output().expect("it ends").into();
    done.out = String::from_utf8(line.stdout).expect("text");
    done
}

#[test]
fn who_reads_only_the_first_event_lets_the_run_save_and_stop() {
    let place = Place::with(&["steps.wf"]);
    let done = head(&place, &["run", "steps.wf", "--allow", "exec", "--stream", "count=40"]);
    assert!(done.out.starts_with(r#"{"type":"started""#), "{}", done.out);
    assert_eq!(done.err, "");
    assert_eq!(done.code, Some(130));
    let shown = place.wf(&["show", "last", "--json"]).ends(0).json();
    assert_eq!((&shown["status"], &shown["owner"]), (&json!("interrupted"), &json!(null)));
    let done = place.wf(&["resume", "last", "--json"]).ends(0).json();
    assert_eq!(done["state"], json!({ "done": 40 }));
    assert_eq!(place.effects().iter().collect::<std::collections::BTreeSet<_>>().len(), 40);
}

#[test]
fn who_reads_only_the_first_line_of_a_script_that_prints() {
    let place = Place::with(&["prints.wf"]);
    let done = head(&place, &["run", "prints.wf"]);
    assert_eq!(done.out, "line 0\n");
    assert!(!done.err.contains("panic"), "{}", done.err);
}

#[test]
fn lists_and_events_end_quietly() {
    let place = Place::with(&["arguments.wf"]);
    place.wf(&["run", "arguments.wf", "ticks", "count=5000"]).ends(0);
    for args in
        [&["events", "last"][..], &["events", "last", "--follow"], &["list"], &["show", "last"], &["list", "--json"]]
    {
        let done = head(&place, args).ends(0);
        assert_eq!(done.err, "", "wf {}", args.join(" "));
        assert!(done.out.ends_with('\n'));
    }
}

#[test]
fn the_last_line_that_a_result_was_printed_to_may_be_gone() {
    let place = Place::with(&["arguments.wf"]);
    let mut wf = place.command(&["run", "arguments.wf", "other", "--json"]).spawn().expect("wf starts");
    drop(wf.stdout.take());
    let done: Done = wf.wait_with_output().expect("it ends").into();
    assert!(!done.err.contains("panic"), "{}", done.err);
    assert_eq!(place.wf(&["show", "last", "--json"]).json()["status"], "completed");
}

#[test]
fn pipes_and_no_color_have_no_escape_codes() {
    let place = Place::with(&["arguments.wf"]);
    for args in [
        &["run", "arguments.wf", "one", "name=x"][..],
        &["run", "arguments.wf", "fails"],
        &["run", "arguments.wf", "runs"],
        &["list"],
        &["list", "--requests"],
        &["show", "last"],
        &["events", "last"],
        &["resume", "last", "x"],
    ] {
        for colour in [false, true] {
            let mut command = place.command(args);
            if colour {
                command.env("NO_COLOR", "1");
            }
            let done: Done = command.output().expect("wf starts").into();
            assert!(!done.out.contains('\u{1b}') && !done.err.contains('\u{1b}'), "{done:?}");
        }
    }
}

#[test]
fn ctrl_c_saves_and_stops() {
    let place = Place::with(&["steps.wf"]);
    let mut run = place.start(&["run", "steps.wf", "--allow", "exec", "--stream", "count=60", "--id", "long"]);
    run.until("step_completed");
    run.signal("INT");
    run.done().ends(130);
    let shown = place.wf(&["show", "long", "--json"]).ends(0).json();
    assert_eq!((&shown["status"], &shown["owner"]), (&json!("interrupted"), &json!(null)));
    assert_eq!(place.wf(&["resume", "long", "--json"]).ends(0).json()["state"], json!({ "done": 60 }));
    let effects = place.effects();
    assert!(effects.len() <= 61, "one call may have been under way: {}", effects.len());
}

#[test]
fn ctrl_c_says_how_to_go_on() {
    let place = Place::with(&["held.wf"]);
    let run = place.start(&["run", "held.wf", "--allow", "exec", "--id", "held"]);
    eventually("a call is under way", || place.effects().len() == 2);
    run.signal("INT");
    run.done().ends(130).says("everything so far is saved").says("go on: wf resume held");
    std::fs::write(place.path("go"), "").expect("written");
    place.wf(&["resume", "held"]).ends(0);
}

#[test]
fn ctrl_c_while_a_run_sleeps_or_waits() {
    let place = Place::with(&["two.wf"]);
    let mut run = place.start(&["run", "two.wf", "waits", "wait=1h", "--stream", "--max-wait=2h"]);
    run.until("sleeping");
    run.signal("INT");
    run.done().ends(130);
    assert_eq!(place.wf(&["show", "last", "--json"]).json()["requests"][0]["id"], "meantime");
    place.wf(&["resume", "last", "5"]).ends(3);
}

#[test]
fn the_second_ctrl_c_ends_at_once_whatever_happens() {
    let place = Place::with(&["spins.wf"]);
    let mut run = place.start(&["run", "spins.wf", "--stream", "--id", "spins"]);
    run.until("workflow_started");
    run.signal("INT");
    // It may be gone by then: both are well.
    run.signal_if_there("INT");
    run.done().ends(130);
    assert_eq!(place.wf(&["show", "spins", "--json"]).ends(0).json()["status"], "interrupted");
}
