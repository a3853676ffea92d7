//! Prompts, on a real terminal.

use std::process::Command;

use crate::support::{Done, Place, eventually};

/// Types text whenever something was shown.
fn typed(place: &Place, typed: &[(&str, &str)], args: &[&str]) -> Done {
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/terminal.py")).arg(place.path(""));
    command.args(typed.iter().flat_map(|(shown, text)| [*shown, *text])).arg("--").arg(env!("CARGO_BIN_EXE_wf"));
    command.args(args).env_remove("WF_STORE");
    let mut done: Done = command.output().expect("python3 starts").into();
    done.out = done.out.replace("\r\n", "\n");
    done
}

#[test]
fn a_wrong_answer_is_asked_again() {
    let place = Place::with(&["two.wf"]);
    let answers = [("> ", "five"), ("> ", r#"{"score":"5"}"#), ("> ", r#"{"score":5}"#)];
    let done = typed(&place, &answers, &["run", "two.wf", "decide"]).ends(0);
    assert!(done.out.contains("? well?"), "{}", done.out);
    assert!(done.out.contains("that does not fit: expected an object as JSON, found `five`"), "{}", done.out);
    assert!(done.out.contains("that does not fit: expected `int` at .score, found \"5\""), "{}", done.out);
    assert!(done.out.ends_with("5\n"), "{}", done.out);
}

#[test]
fn the_end_of_the_input_leaves_the_question_open() {
    let place = Place::with(&["two.wf"]);
    let done = typed(&place, &[("> ", "^D")], &["run", "two.wf", "decide", "--id", "open"]).ends(3);
    assert!(done.out.contains("wf resume open VALUE"), "{}", done.out);
    assert_eq!(place.wf(&["resume", "open", r#"{"score":1}"#]).ends(0).out, "1\n");
}

#[test]
fn two_questions_one_after_the_other() {
    let place = Place::with(&["two.wf"]);
    let answers = [("the name?", "Eve"), ("the review?", r#"{"score":2}"#)];
    let done = typed(&place, &answers, &["run", "two.wf", "two"]).ends(0);
    assert!(done.out.contains("\"a\": \"Eve\""), "{}", done.out);
}

#[test]
fn ctrl_c_at_the_prompt_saves() {
    let place = Place::with(&["two.wf"]);
    let done = typed(&place, &[("> ", "^C")], &["run", "two.wf", "decide", "--id", "stopped"]).ends(130);
    assert!(done.out.contains("wf resume stopped"), "{}", done.out);
    assert_eq!(place.wf(&["resume", "stopped", r#"{"score":1}"#]).ends(0).out, "1\n");
}

#[test]
fn an_answer_from_elsewhere_ends_the_wait_at_the_prompt() {
    let place = Place::with(&["two.wf"]);
    std::thread::scope(|scope| {
        let prompt = scope.spawn(|| typed(&place, &[], &["run", "two.wf", "decide", "--id", "asked"]));
        eventually("it asks", || place.wf(&["list", "--requests"]).out.contains("well?"));
        place.wf(&["resume", "asked", r#"{"score":9}"#]).ends(0).says("taken by process");
        let done = prompt.join().expect("no panic").ends(0);
        assert!(done.out.ends_with("9\n"), "{}", done.out);
    });
}
