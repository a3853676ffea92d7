//! `wf test`: what it runs, what it says, and how it ends.
//!
//! Each script of `tests/cases/failing` has what the command says of it beside it; `UPDATE_EXPECT=1` rewrites it.

use std::{fs, path::Path};

use crate::{
    support::{Done, Json, Place},
    workshop::root,
};

/// A project with these files.
fn project(files: &[(&str, &str)]) -> Place {
    let place = Place::with(&[]);
    for (name, text) in files {
        let path = place.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    place
}

const PASSES: &str = "test \"one\" { assert 1 == 1 }\ntest \"two\" { print(\"hello\") }\n";
const FAILS: &str = "test \"wrong\" {\n    print(\"seen\")\n    assert 1 == 2\n}\ntest \"right\" {}\n";

#[test]
fn failures_are_told_as_expected() {
    let mut wrong = Vec::new();
    let mut names: Vec<_> = fs::read_dir(root().join("tests/cases/failing"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wf"))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for path in names {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let place = project(&[(&name, &fs::read_to_string(&path).expect("text"))]);
        let done = place.wf(&["test", &name]).ends(1);
        assert_eq!(done.err, "", "{name}");
        wrong.extend(differs(&path.with_extension("out"), &done.out));
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 accepts what was found", wrong.join("\n"));
}

/// Compares with what is stored, or stores it under `UPDATE_EXPECT=1`; gives the difference.
fn differs(path: &Path, found: &str) -> Option<String> {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return None;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, found).expect("writable");
        return None;
    }
    let line = expected.lines().zip(found.lines()).position(|(old, new)| old != new).unwrap_or_default();
    let at = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
    Some(format!("{}:{}\n  expected: {}\n     found: {}", path.display(), line + 1, at(&expected), at(found)))
}

#[test]
fn tests_that_pass_are_told_in_order() {
    let place = project(&[("a.wf", PASSES)]);
    let done = place.wf(&["test", "a.wf"]).ends(0);
    assert_eq!(done.out, "a.wf\n  ok     one\n  ok     two\n\n2 tests: 2 passed\n");
    assert_eq!(done.err, "");
}

#[test]
fn the_output_of_tests_that_pass_is_shown_on_demand() {
    let place = project(&[("a.wf", PASSES)]);
    let done = place.wf(&["test", "a.wf", "--show-output"]).ends(0);
    assert_eq!(done.out, "a.wf\n  ok     one\n  ok     two\n  it printed:\n    hello\n\n2 tests: 2 passed\n");
}

#[test]
fn the_scripts_of_a_project_are_found() {
    let place = project(&[
        ("b.wf", PASSES),
        ("flows/a.wf", "test \"in a folder\" {}\n"),
        ("flows/none.wf", "workflow main() {}\n"),
        ("flows/broken.txt", "test \"no script\" {}\n"),
        ("target/c.wf", "test \"built\" {}\n"),
        (".wf/d.wf", "test \"hidden\" {}\n"),
        ("flows/.old/e.wf", "test \"hidden, too\" {}\n"),
    ]);
    let done = place.wf(&["test"]).ends(0);
    let expected = "b.wf\n  ok     one\n  ok     two\nflows/a.wf\n  ok     in a folder\n\n3 tests: 3 passed\n";
    assert_eq!(done.out, expected);
    assert_eq!(place.wf(&["test", "flows"]).ends(0).out, "flows/a.wf\n  ok     in a folder\n\n1 test: 1 passed\n");
    let both = place.wf(&["test", "flows/a.wf", "flows", "flows/a.wf"]).ends(0);
    assert_eq!(both.out, "flows/a.wf\n  ok     in a folder\n\n1 test: 1 passed\n");
    // Below the folder of the project, wherever in it the command is given.
    let mut command = place.command(&["test"]);
    let inside: Done = command.current_dir(place.path("flows")).output().expect("wf starts").into();
    assert_eq!(inside.ends(0).out.lines().last(), Some("3 tests: 3 passed"));
}

#[test]
fn a_filter_chooses_by_name() {
    let place = project(&[("a.wf", FAILS)]);
    assert_eq!(place.wf(&["test", "--filter", "right"]).ends(0).out, "a.wf\n  ok     right\n\n1 test: 1 passed\n");
    place.wf(&["test", "--filter", "Right"]).ends(2).says("no test has `Right` in its name");
    let done = place.wf(&["test", "--filter", "wro"]).ends(1);
    assert!(done.out.contains("FAILED wrong") && done.out.ends_with("1 test: 0 passed, 1 failed\n"), "{}", done.out);
}

#[test]
fn what_a_failing_test_prints_is_shown() {
    let place = project(&[("a.wf", FAILS)]);
    let done = place.wf(&["test"]).ends(1);
    assert!(done.out.contains("  it printed:\n    seen\n"), "{}", done.out);
    assert!(done.out.ends_with("2 tests: 1 passed, 1 failed\n"), "{}", done.out);
}

#[test]
fn a_script_without_tests_says_so() {
    let place = project(&[("a.wf", "workflow main() {}\n")]);
    place.wf(&["test", "a.wf"]).ends(2).says("`a.wf` has no tests").says("help: a test is a declaration");
    place.wf(&["test"]).ends(2).says("there are no tests here");
    place.wf(&["test", "b.wf"]).ends(2).says("there is no file `b.wf`");
}

#[test]
fn a_script_that_is_wrong_does_not_keep_the_others() {
    let place = project(&[("a.wf", "test \"x\" { assert nothing }\n"), ("b.wf", PASSES), ("c.wf", "fn broken( {\n")]);
    let done = place.wf(&["test"]).ends(2).says("there is no `nothing` here");
    assert!(!done.err.contains("c.wf"), "a script without tests is none of its business: {}", done.err);
    assert!(done.out.ends_with("2 tests: 2 passed, 1 script could not be checked\n"), "{}", done.out);
    place.wf(&["test", "c.wf"]).ends(2).says("c.wf");
}

const STEPS: &str = "\
state { count: int = 10 }
agent writer { instructions: \"Write.\" }
step draft(topic: string) -> string {
    ctx.state.count += 1
    writer(\"${topic} ${ctx.state.count}\")
}
test \"of the imported file\" { assert false }
";

const FLOW: &str = "\
import { draft, writer as author } from \"./lib/steps.wf\"
import \"./lib/steps.wf\" as steps
state { count: int = 1 }
step twice(topic: string) -> [string] {
    ctx.state.count *= 2
    [draft(topic), steps.draft(topic)]
}
test \"imported steps and agents\" {
    mock author => prompt => \"<${prompt}>\"
    crash after draft
    crash during twice
    assert twice(\"x\") == [\"<x 11>\", \"<x 12>\"]
    assert ctx.state.count == 2
    assert twice(\"y\") == [\"<y 11>\", \"<y 12>\"]
    assert calls(steps.draft).map(call => call.topic) == [\"x\", \"x\", \"y\", \"y\"]
    mock steps.draft => \"mocked\"
    assert twice(\"z\") == [\"mocked\", \"mocked\"]
    assert calls(steps.writer).len() == 4
}
test \"it fails in the imported file\" { draft(\"x\") }
";

#[test]
fn what_is_imported_is_mocked_and_counted() {
    let place = project(&[("flow.wf", FLOW), ("lib/steps.wf", STEPS)]);
    let done = place.wf(&["test", "flow.wf"]).ends(1);
    assert!(done.out.contains("  ok     imported steps and agents\n"), "{}", done.out);
    assert!(!done.out.contains("of the imported file"), "{}", done.out);
    assert!(done.out.contains("`writer` asks a model, which would leave the process"), "{}", done.out);
    assert!(done.out.contains("lib/steps.wf:5:5"), "{}", done.out);
}

#[test]
fn everything_is_there_as_json() {
    let place = project(&[("a.wf", FAILS), ("b.wf", "test \"x\" { assert nothing }\n")]);
    let found = place.wf(&["test", "--json"]).ends(2).json();
    assert_eq!((&found["passed"], &found["failed"], &found["errors"]), (&1.into(), &1.into(), &1.into()));
    let test = &found["tests"][0];
    assert_eq!((&test["file"], &test["name"], &test["line"]), (&"a.wf".into(), &"wrong".into(), &1.into()));
    assert_eq!((&test["status"], &test["printed"]), (&"failed".into(), &Json::from(vec!["seen"])));
    let failure = &test["failure"];
    assert_eq!(failure["message"], "`==` does not hold");
    assert_eq!((&failure["place"]["line"], &failure["place"]["column"]), (&3.into(), &12.into()));
    assert_eq!(found["tests"][1]["failure"], Json::Null);
    assert_eq!(found["diagnostics"][0]["file"], "b.wf");
    let passed = place.wf(&["test", "--json", "a.wf", "--filter", "right"]).ends(0).json();
    assert_eq!((&passed["passed"], &passed["failed"]), (&1.into(), &0.into()));
}

#[test]
fn a_test_without_an_end_is_ended() {
    let text = "test \"loops\" {\n    let n = 0\n    while true { n += 1 }\n}\ntest \"prints\" {\n    while true { print(\"again\") }\n}\n";
    let place = project(&[("a.wf", text)]);
    let done = place.wf(&["test", "--timeout", "300ms"]).ends(1);
    assert_eq!(done.out.matches("the test did not come to an end in 300ms").count(), 2, "{}", done.out);
    assert!(done.out.len() < 200_000, "{} bytes", done.out.len());
    place.wf(&["test", "--timeout", "soon"]).ends(2).says("write a duration, such as 30s");
}

#[test]
fn the_model_of_the_project_is_used_when_it_needs_no_network() {
    let text = "agent a { instructions: \"x\" }\ntest \"asks\" { assert a(\"hello\") == \"hello\" }\n";
    let place = project(&[("a.wf", text)]);
    let done = place.wf(&["test"]).ends(1);
    assert!(done.out.contains("`a` asks a model, which would leave the process"), "{}", done.out);
    let real = place.wf(&["test", "--model", "openai/some"]).ends(1);
    assert!(real.out.contains("`a` asks a model, which would leave the process"), "{}", real.out);
    place.wf(&["test", "--model", "offline/echo"]).ends(0);
    fs::write(place.path("wf.toml"), "model = \"offline/echo\"\n").expect("written");
    place.wf(&["test"]).ends(0);
}

#[test]
fn many_tests_are_told_in_order() {
    let text: String = (0..200).map(|n| format!("test \"number {n}\" {{ assert {n} >= 0 }}\n")).collect();
    let place = project(&[("a.wf", &text)]);
    let done = place.wf(&["test"]).ends(0);
    let told: Vec<String> =
        done.out.lines().filter_map(|line| line.strip_prefix("  ok     ")).map(Into::into).collect();
    assert_eq!(told, (0..200).map(|n| format!("number {n}")).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_behind() {
    let place = project(&[("a.wf", PASSES)]);
    place.wf(&["test"]).ends(0);
    let left: Vec<String> = fs::read_dir(place.path("."))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

const CRASHED: &str = "\
step pay(amount: int) -> string { exec([\"pay\", \"${amount}\"]).stdout }
test \"pays\" {
    mock exec => { stdout: \"paid\" }
    assert pay(1) == \"paid\"
    print(\"done\")
}
";

#[test]
fn tests_are_crashed_everywhere() {
    let place = project(&[("a.wf", CRASHED)]);
    let done = place.wf(&["test", "a.wf", "--crash-everywhere"]).ends(0);
    assert!(done.out.starts_with("a.wf\n  ok     pays (") && done.out.contains("1 test: 1 passed, "), "{}", done.out);
    let json = place.wf(&["test", "a.wf", "--crash-everywhere", "--json"]).ends(0).json();
    let crashes = &json["tests"][0]["crashes"];
    let writes = crashes["writes"].as_u64().expect("a number");
    assert!(writes > 1 && crashes["count"] == writes * 2 && crashes["at"].is_null(), "{json:#}");
    // At one write only, before it and after it.
    let last = writes.to_string();
    let done = place.wf(&["test", "a.wf", "--crash-at", &last]).ends(0);
    assert!(done.out.contains("pays (2 crashes)"), "{}", done.out);
    for wrong in ["0", "1000"] {
        let done = place.wf(&["test", "a.wf", "--crash-at", wrong]).ends(1);
        let expected = format!("there is no write {wrong}: the test makes {writes} writes");
        assert!(done.out.contains(&expected), "{}", done.out);
    }
    place.wf(&["test", "a.wf", "--seed", "3"]).ends(2).says("--crash-everywhere");
}

#[test]
fn a_long_test_is_crashed_at_a_sample_of_its_writes() {
    let text = "step add(n: int) -> int { n + 1 }\ntest \"long\" { for i in 0..150 { add(i) } }\n";
    let place = project(&[("a.wf", text)]);
    let done = place.wf(&["test", "a.wf", "--crash-everywhere", "--seed", "42"]).ends(0);
    assert!(done.out.contains("at a sample of 200 of "), "{}", done.out);
    assert!(done.out.ends_with("`--seed 42` takes the same\n"), "{}", done.out);
}

#[test]
fn a_test_that_fails_by_itself_is_not_crashed() {
    let place = project(&[("a.wf", FAILS)]);
    let json = place.wf(&["test", "a.wf", "--crash-everywhere", "--json"]).ends(1).json();
    assert_eq!(json["tests"][0]["status"], "failed");
    assert_eq!(json["tests"][0]["crashes"], Json::Null);
    assert!(json["tests"][1]["crashes"]["count"].as_u64() > Some(0), "{json:#}");
}
