//! What happens to a run while it computes, and when it goes on late or from an older checkpoint.

use crate::support::{Place, json};

#[test]
fn who_asks_for_the_time_over_and_over_still_hears_ctrl_c() {
    let place = Place::with(&["clock.wf"]);
    let mut run = place.start(&["run", "clock.wf", "--stream", "--id", "clock"]);
    run.until("workflow_started");
    run.signal("INT");
    run.done().ends(130);
}

#[test]
fn an_answer_that_comes_after_the_deadline_is_too_late() {
    let place = Place::with(&["late.wf"]);
    place.wf(&["run", "late.wf", "--id", "late", "--max-wait", "0s"]).ends(3);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    place.wf(&["resume", "late", "yes"]).ends(2).says("its time is over");
    assert_eq!(place.wf(&["resume", "late", "--json"]).ends(0).json()["output"], "caught timeout");
}

#[test]
fn a_run_goes_on_from_an_older_checkpoint_with_all_that_it_held() {
    let place = Place::with(&["rounds.wf"]);
    place.wf(&["run", "rounds.wf", "--id", "rounds"]).ends(3);
    for answer in ["one", "two"] {
        place.wf(&["resume", "rounds", answer]).ends(3);
    }
    place.wf(&["resume", "rounds", "again", "--at", "1"]).ends(3);
    // What was asked after that checkpoint waits for nobody any more.
    let open = place.wf(&["list", "--requests", "--json"]).ends(0).json();
    assert_eq!((open.as_array().map(Vec::len), &open[0]["data"]), (Some(1), &json!({ "round": 1 })));
    for _ in 0..2 {
        place.wf(&["resume", "rounds", "more"]);
    }
    assert_eq!(place.wf(&["resume", "rounds", "--json"]).ends(0).json()["output"], json!(1203));
}
