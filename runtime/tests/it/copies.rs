//! What is changed in place is not copied: the compiler moves values at their last use.

use crate::scripted;
use wf_runtime::value::copies;

/// How many shared bodies are copied while a program runs.
fn copied(text: &str) -> u64 {
    let loaded = scripted::read(text);
    let program = scripted::compile(&loaded).unwrap_or_else(|errors| panic!("{errors:?}"));
    let image = scripted::image(&loaded, program);
    let before = copies();
    let ran = scripted::run(&image, "main", &serde_json::Value::Null, &[]).expect("a run");
    assert_eq!(ran.report.result["status"], "completed", "{}", ran.report.result["error"]);
    copies() - before
}

#[test]
fn pushing_copies_nothing() {
    assert_eq!(copied("workflow main() -> int { let xs = []\nfor i in 0..1000 { xs.push(i) }\nxs.len() }"), 0);
}

#[test]
fn a_function_that_takes_and_gives_copies_nothing() {
    let text = "fn add(xs: [int], x: int) -> [int] { let xs = xs\nxs.push(x)\nxs }\n\
        workflow main() -> int { let xs = [0]\nfor i in 0..100 { xs = add(xs, i) }\nxs.len() }";
    assert_eq!(copied(text), 0);
}

#[test]
fn changing_within_a_map_copies_nothing() {
    let text = "workflow main() -> any { let m: map<{ n: int }> = { a: { n: 0 } }\nlet k = \"a\"\n\
        for i in 0..100 { m[k].n += 1 }\nm }";
    assert_eq!(copied(text), 0);
}

#[test]
fn changing_the_state_copies_nothing() {
    let text = "state { xs: [int] = [], by: map<[int]> = {} }\nworkflow main() -> int { ctx.state.by[\"a\"] = []\n\
        for i in 0..100 { ctx.state.xs.push(i)\nctx.state.by[\"a\"].push(i) }\nctx.state.xs.len() }";
    assert_eq!(copied(text), 0);
}

#[test]
fn growing_text_copies_nothing() {
    assert_eq!(copied("workflow main() -> int { let s = \"\"\nfor i in 0..1000 { s += \"xy\" }\ns.len() }"), 0);
}

#[test]
fn lists_that_grow_by_lists_copy_nothing() {
    assert_eq!(copied("workflow main() -> int { let xs = [0]\nfor i in 0..100 { xs += [i] }\nxs.len() }"), 0);
    assert_eq!(copied("workflow main() -> int { let xs = [0]\nfor i in 0..100 { xs = xs + [i] }\nxs.len() }"), 0);
}

#[test]
fn a_copy_that_is_changed_is_copied_once() {
    let text =
        "workflow main() -> int { let xs = [1]\nlet ys = xs\nfor i in 0..10 { ys.push(i) }\nxs.len() + ys.len() }";
    assert_eq!(copied(text), 1);
}
