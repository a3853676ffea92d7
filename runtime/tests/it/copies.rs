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

/// A loop that hands `xs` on and gets it back, a hundred times.
fn handed_on(declarations: &str, call: &str) -> u64 {
    copied(&format!(
        "{declarations}\nworkflow main() -> int {{ let xs: [int] = [0]\nfor i in 0..100 {{ {call} }}\nxs.len() }}"
    ))
}

#[test]
fn a_step_that_takes_and_gives_copies_nothing() {
    let add = "step add(xs: [int], x: int) -> [int] { let xs = xs\nxs.push(x)\nxs }";
    assert_eq!(handed_on(add, "xs = add(xs, i)"), 0);
    assert_eq!(handed_on(&format!("@timeout(1h)\n{add}"), "xs = add(xs, i)"), 0);
    assert_eq!(handed_on(add, "xs = add(add(xs, i), i)"), 0);
    assert_eq!(handed_on(add, "xs = xs |> add(i) |> add(i)"), 0);
}

#[test]
fn what_may_be_tried_again_is_kept_and_copied_once_a_call() {
    let add = "@retry(attempts: 2)\nstep add(xs: [int], x: int) -> [int] { let xs = xs\nxs.push(x)\nxs }";
    assert_eq!(handed_on(add, "xs = add(xs, i)"), 100);
}

#[test]
fn a_called_workflow_and_a_lambda_copy_nothing() {
    let add = "workflow add(xs: [int], x: int) -> [int] { let xs = xs\nxs.push(x)\nxs }";
    assert_eq!(handed_on(add, "xs = add(xs, i)"), 0);
    assert_eq!(handed_on("", "let add = (xs: [int]) => { let xs = xs\nxs.push(i)\nxs }\nxs = add(xs)"), 0);
}

#[test]
fn what_is_covered_by_handlers_copies_nothing() {
    let add = "fn add(xs: [int], x: int) -> [int] { let xs = xs\nxs.push(x)\nxs }";
    assert_eq!(handed_on(add, "try { xs.push(i) } catch { null } finally { xs.push(i) }"), 0);
    let covered =
        "fn add(xs: [int], x: int) -> [int] { let xs = xs\ntry { xs.push(x)\nreturn xs } finally { print(\"done\") } }";
    assert_eq!(handed_on(covered, "xs = add(xs, i)"), 0);
}

#[test]
fn choosing_copies_nothing() {
    assert_eq!(handed_on("", "if i % 2 == 0 { xs.push(i) } else { xs.push(0) }"), 0);
    assert_eq!(handed_on("", "match i { 0 => xs.push(1), n if n > 50 => xs.push(n), _ => xs.push(i) }"), 0);
    assert_eq!(handed_on("", "let ys = if i > 50 { [1] } else { [2] }\nys.push(i)\nxs.push(ys.len())"), 0);
}

#[test]
fn places_of_every_depth_copy_nothing() {
    let text = "type R = { items: [{ tags: [string], n: int }], by: map<map<[int]>> }
        workflow main() -> any {
            let r: R = { items: [{ tags: [], n: 0 }], by: { a: {} } }
            let k = \"a\"
            for i in 0..100 {
                r.items[0].tags.push(\"x\")
                r.items[-1].n += 1
                r.by[k][\"${i}\"] = []
                r.by[k][\"${i}\"].push(i)
                r.items.push({ tags: [], n: i })
            }
            r.items.len()
        }";
    assert_eq!(copied(text), 0);
}

#[test]
fn the_state_is_changed_in_place_by_steps_and_branches() {
    let text = "state { xs: [int] = [], text: string = \"\", by: map<{ n: int, xs: [int] }> = {} }
        step add(x: int) { ctx.state.xs.push(x)\nctx.state.text += \"x\"\nctx.state.by[\"a\"].n += 1\nctx.state.by[\"a\"].xs.push(x) }
        workflow main() -> int {
            ctx.state.by[\"a\"] = { n: 0, xs: [] }
            for i in 0..50 { add(i) }
            gather limit 4 for i in 0..50 { exec([\"echo\", \"x\"])\nadd(i) }
            ctx.state.xs.len()
        }";
    assert_eq!(copied(text), 0);
}

#[test]
fn what_is_gathered_and_collected_is_handed_over() {
    assert_eq!(handed_on("", "let all = gather for j in 0..3 { [j] }\nall.push([i])\nxs.push(all.len())"), 0);
    assert_eq!(handed_on("", "let all = gather settle [i, i]\nxs.push(all.len())"), 0);
    assert_eq!(handed_on("", "let one = race [[i], [i]]\none.push(i)\nxs.push(one.len())"), 0);
}

#[test]
fn a_library_function_that_accumulates_copies_nothing() {
    let fold = "let all = (0..50).reduce([0], (acc, x) => { let acc = acc\nacc.push(x)\nacc })\nxs.push(all.len())";
    assert_eq!(handed_on("", fold), 0);
}
