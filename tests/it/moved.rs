//! A run goes on with the code that it started with, whatever happened to the files.

use crate::support::{Place, json};

fn paused() -> Place {
    let place = Place::with(&["asks.wf"]);
    place.wf(&["run", "asks.wf", "--allow", "exec", "--id", "asks"]).ends(3);
    place
}

fn goes_on(place: &Place) {
    place.wf(&["resume", "asks", "approve"]).ends(3).says("A number: how many?");
    let result = place.wf(&["resume", "asks", "1", "--json"]).ends(0).json();
    assert_eq!(result["output"]["after"], "did after-approve\n");
    assert_eq!(result["state"], json!({ "asked": 2 }));
}

#[test]
fn a_script_that_was_edited_meanwhile() {
    let place = paused();
    let text = std::fs::read_to_string(place.path("asks.wf")).expect("a script");
    let edited = text.replace("after-", "elsewhere-").replace("asked += 1", "asked += 10");
    std::fs::write(place.path("asks.wf"), edited).expect("written");
    let shown = place.wf(&["show", "asks"]).ends(0).out;
    assert!(shown.contains("request_info({ before }"), "the lines are those of the stored code: {shown}");
    goes_on(&place);
    // A new run has the new code.
    place.wf(&["run", "asks.wf", "--allow", "exec", "--id", "new"]).ends(3);
    let result = place.wf(&["resume", "new", "approve", "--json"]).ends(3).json();
    assert_eq!(result["state"], json!({ "asked": 20 }));
}

#[test]
fn a_script_that_became_wrong() {
    let place = paused();
    std::fs::write(place.path("asks.wf"), "workflow {").expect("written");
    goes_on(&place);
}

#[test]
fn a_script_that_is_gone() {
    let place = paused();
    std::fs::remove_file(place.path("asks.wf")).expect("removed");
    goes_on(&place);
}

#[test]
fn another_folder_and_another_place_of_the_store() {
    let place = paused();
    std::fs::create_dir(place.path("elsewhere")).expect("made");
    std::fs::rename(place.store(), place.path("elsewhere/copy.db")).expect("moved");
    let store = place.path("elsewhere/copy.db").display().to_string();
    let mut command = place.command(&["resume", "asks", "approve", "--store", "copy.db"]);
    let output = command.current_dir(place.path("elsewhere")).output().expect("wf starts");
    assert_eq!(output.status.code(), Some(3));
    // Paths of the script still begin where the script lay.
    assert!(place.effects().iter().any(|line| line.starts_with("after-approve ")));
    place.wf(&["resume", "asks", "1", "--store", &store]).ends(0);
}
