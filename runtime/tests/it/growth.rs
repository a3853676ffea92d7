//! What a checkpoint writes, counted: as much as has changed, however much there is.

use wf_runtime::{Value, checkpoint::load, machine::Progress};

use crate::small::{HASH, Small, bytes, output};

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
            for i in 0..100000 { all.push(\"element ${i}\") }
            for i in 0..100 { all.push(exec([\"work\"]).stdout) }
        }",
    );
    for number in 0..50 {
        let written = step(&mut run);
        assert!(written < 8 << 10, "{written} bytes at element {number}");
    }
}

#[test]
fn one_key_of_a_large_map_writes_little() {
    let mut run = begun(
        "workflow main() {
            let all: map<{ name: string, n: int }> = {}
            for i in 0..20000 { all[\"key ${i}\"] = { name: \"element ${i}\", n: i } }
            for i in 0..50 { all[\"key ${i * 397}\"].name = exec([\"work\"]).stdout }
        }",
    );
    for number in 0..40 {
        let written = step(&mut run);
        assert!(written < 8 << 10, "{written} bytes at change {number}");
    }
}

#[test]
fn one_field_of_a_large_record_writes_little() {
    let fields: Vec<String> = (0..400).map(|i| format!("f{i}: \"{i:0>100}\"")).collect();
    let script = "workflow main() {
            ctx.state.big = { FIELDS, inner: { list: [1, 2, 3], n: 0 } }
            for i in 0..50 { exec([\"work\"]); ctx.state.big.inner.n += 1 }
        }";
    let mut run = begun(&script.replace("FIELDS", &fields.join(", ")));
    for number in 0..40 {
        let written = step(&mut run);
        assert!(written < 8 << 10, "{written} bytes at change {number}");
    }
}

#[test]
fn one_branch_of_ten_thousand_writes_as_much_as_one_of_ten() {
    let written = |branches: usize| {
        let script = "workflow main() {
                gather for i in 0..BRANCHES { for j in 0..3 { exec([\"work\"]) } }
            }";
        let mut run = begun(&script.replace("BRANCHES", &branches.to_string()));
        assert_eq!(run.asked.len(), branches);
        run.answer(branches / 2, output("done"));
        // The one that can go on is saved so, with its turn, and all others wait.
        let ready = run.save();
        assert_eq!(ready.fibers.iter().map(|row| row.segment).collect::<Vec<_>>(), [-1]);
        run.go();
        [bytes(&ready), bytes(&run.save())]
    };
    let (few, many) = (written(10), written(10_000));
    // The numbers of fibers and effects take a byte or two more.
    assert!(few.iter().zip(many).all(|(few, many)| many <= few + 32), "{few:?} bytes of 10, {many:?} of 10,000");
}

#[test]
fn a_header_does_not_grow_with_what_can_run() {
    let script = "workflow main() { gather for i in 0..BRANCHES { exec([\"work\"]); exec([\"work\"]) } }";
    let header = |branches: usize| {
        let mut run = begun(&script.replace("BRANCHES", &branches.to_string()));
        for _ in 0..branches {
            run.answer(0, output("done"));
        }
        run.save().header.len()
    };
    let (few, many) = (header(10), header(3000));
    assert!(many <= few + 8, "{few} bytes of 10, {many} of 3,000");
}

#[test]
fn the_top_of_a_stack_of_nine_thousand_writes_little() {
    let mut run = begun(
        "fn deep(n: int) -> int {
            if n > 0 { return deep(n - 1) + 1 }
            for i in 0..100 { exec([\"work\"]) }
            0
        }
        workflow main() -> int { deep(9000) }",
    );
    for number in 0..20 {
        let written = step(&mut run);
        assert!(written < 6 << 10, "{written} bytes at step {number}");
        assert!(run.asked[0].path.byte_len() < 512, "a path of {} bytes", run.asked[0].path.byte_len());
    }
}

#[test]
fn what_a_step_tells_that_calls_itself_is_bounded() {
    let mut run = begun(
        "step down(n: int) -> int { if n > 0 { down(n - 1) + 1 } else { exec([\"work\"]); exec([\"work\"]); 0 } }
        workflow main() -> int { down(2000) }",
    );
    let paths: Vec<String> = run
        .machine
        .take_events()
        .iter()
        .filter_map(|event| Some(event.to_json("run", 1, "")["path"].as_str()?.to_owned()))
        .collect();
    assert_eq!(paths.len(), 2002);
    let distinct: std::collections::BTreeSet<_> = paths.iter().collect();
    assert_eq!(distinct.len(), paths.len(), "each has its own");
    let bytes: usize = paths.iter().map(String::len).sum();
    assert!(bytes < 2002 * 400, "{bytes} bytes");
    assert!(paths.iter().all(|path| path.starts_with("main[0]") && path.len() <= 1024));
    // The same after it was loaded, and of the next call.
    let before = run.asked[0].clone();
    let saved = run.rows.saved();
    let (mut machine, ..) = load(&run.image, "run".into(), HASH, &saved, &mut run.rows, false).expect("it loads");
    assert_eq!(machine.open_effects()[0].path, before.path);
    assert!(machine.settle(before.fiber, before.id, output("done")));
    let Progress::Effect(next) = machine.run(1000) else { panic!("it asks again") };
    assert_eq!((next.path.as_str(), next.ordinal), (before.path.as_str(), 1));
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
