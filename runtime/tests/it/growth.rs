//! What a checkpoint writes, counted: as much as has changed, however much there is.

use crate::small::{Small, bytes, output};
use wf_runtime::Value;

/// Answers the oldest question and saves where the machine comes to rest; gives the bytes of it.
fn step(run: &mut Small) -> usize {
    run.answer(0, output("a result of thirty bytes, see?"));
    run.go();
    bytes(&run.save())
}

fn begun(text: &str) -> Small {
    let mut run = Small::new(text);
    run.go();
    run.save();
    run
}

#[test]
fn a_late_step_writes_what_an_early_one_does() {
    let mut run = begun(
        "step one(i: int) -> string { exec([\"work\", \"${i}\"]).stdout }
        workflow main() {
            let results: [string] = []
            for i in 0..1100 { results.push(one(i)) }
        }",
    );
    let written: Vec<usize> = (0..1064).map(|_| step(&mut run)).collect();
    // A leaf fills and the next one begins, so the middle of as many steps as a leaf takes.
    let mean = |at: usize| written[at - 32..at + 32].iter().sum::<usize>() / 64;
    let (early, late) = (mean(100), mean(1000));
    assert!(late < early * 3 / 2, "{early} bytes at step 100, {late} at step 1,000");
    assert!(late < 2048, "{late} bytes at step 1,000");
}

#[test]
fn adding_to_a_long_list_writes_little() {
    let mut run = begun(
        "workflow main() {
            let all: [string] = []
            for i in 0..20000 { all.push(\"element ${i}\") }
            for i in 0..100 { all.push(exec([\"work\"]).stdout) }
        }",
    );
    for number in 0..50 {
        let written = step(&mut run);
        assert!(written < 8 << 10, "{written} bytes at element {number}");
    }
}

#[test]
fn a_branch_that_ends_writes_its_own_rows_and_the_head_that_joins_it() {
    let mut run = begun(
        "workflow main() -> [string] {
            gather for i in 0..500 { exec([\"work\", \"${i}\"]).stdout }
        }",
    );
    assert_eq!(run.asked.len(), 500);
    let branch = run.asked[250].fiber;
    run.answer(250, output("done"));
    run.go();
    let rows = run.save();
    assert!(rows.closed.iter().all(|(fiber, _)| *fiber == branch) && !rows.closed.is_empty(), "{:?}", rows.closed);
    let written: Vec<(u32, i32)> = rows.fibers.iter().map(|row| (row.fiber, row.segment)).collect();
    assert_eq!(written, [(0, -1)], "the head that joins");
    assert!(bytes(&rows) < 4 << 10, "{} bytes", bytes(&rows));
}

#[test]
fn a_branch_that_goes_on_writes_its_own_rows() {
    let mut run = begun(
        "workflow main() {
            gather for i in 0..500 { for j in 0..3 { exec([\"work\", \"${i}\"]) } }
        }",
    );
    let branch = run.asked[250].fiber;
    run.answer(250, output("done"));
    run.go();
    let rows = run.save();
    let written: Vec<(u32, i32)> = rows.fibers.iter().map(|row| (row.fiber, row.segment)).collect();
    assert_eq!(written, [(branch, -1), (branch, 0)]);
    assert_eq!(rows.closed, []);
    assert!(bytes(&rows) < 1 << 10, "{} bytes", bytes(&rows));
}

#[test]
fn a_deep_stack_writes_its_top() {
    let mut run = begun(
        "fn deep(n: int) -> int {
            if n > 0 { return deep(n - 1) + 1 }
            for i in 0..100 { exec([\"work\"]) }
            0
        }
        workflow main() -> int { deep(1000) }",
    );
    let all = run.rows.fibers.keys().filter(|(fiber, _)| *fiber == 0).count();
    assert!(all > 16, "{all} rows");
    for _ in 0..10 {
        run.answer(0, output("done"));
        run.go();
        let rows = run.save();
        let segments: Vec<i32> = rows.fibers.iter().map(|row| row.segment).collect();
        assert_eq!(segments, [-1, all as i32 - 2], "the head and the top");
        // The path of what is asked names every call around it, and is no part of the stack.
        let stack: usize = rows.fibers.iter().map(|row| row.data.len()).sum();
        assert!(stack < 4 << 10, "{stack} bytes");
    }
    for _ in 10..100 {
        run.answer(0, output("done"));
        run.go();
    }
    assert!(matches!(run.done, Some(Ok(Value::Int(1000)))), "{:?}", run.done);
}
