//! A run that is cancelled as a whole: every branch leaves its stack, and its `finally` blocks run to their end, over
//! checkpoints too.

use std::sync::Arc;

use wf_runtime::{Fault, Kind, checkpoint::load, event::Event};

use crate::small::{HASH, Small, output};

/// What the open questions ask first.
fn asked(run: &Small) -> Vec<String> {
    let word = |effect: &wf_runtime::effect::Effect| match effect.args.first().and_then(|argv| argv.as_list()) {
        Some(words) => words.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(" "),
        None => effect.name.as_str().to_owned(),
    };
    run.asked.iter().map(word).collect()
}

/// Saves the run and goes on with what was read back.
fn reload(run: &mut Small) {
    run.save();
    let saved = run.rows.saved();
    let (machine, saver, _) = load(&run.image, "run".into(), HASH, &saved, &mut run.rows, false).expect("it loads");
    (run.machine, run.saver) = (machine, saver);
    assert_eq!(run.asked.len(), run.machine.open_effects().len(), "what is asked is saved");
}

/// Cancels the run; gives what nobody waits for any more.
fn cancel(run: &mut Small) -> Vec<String> {
    run.machine.cancel();
    let withdrawn = run.machine.take_cancelled();
    run.asked.retain(|asked| !withdrawn.iter().any(|effect| effect.id == asked.id));
    withdrawn.iter().map(|effect| effect.name.as_str().to_owned()).collect()
}

fn told(run: &mut Small) -> Vec<String> {
    let path = |event: &Event| match event {
        Event::Call { path, .. } => format!(" {path}"),
        Event::Log { text, .. } => format!(" {text}"),
        _ => String::new(),
    };
    run.machine.take_events().iter().map(|event| format!("{}{}", event.name(), path(event))).collect()
}

const TEXT: &str = "
    step clean(what: string) { exec([\"clean\", what]) }
    step wait() { try { sleep(1h) } catch { exec([\"caught\"]) } finally { clean(\"wait\") } }
    workflow main() {
        try {
            gather {
                a: wait(),
                b: try { request_info(\"?\", int) } finally { gather [clean(\"left\"), clean(\"right\")] },
                c: exec([\"work\"]),
            }
        } catch {
            exec([\"caught\"])
        } finally {
            clean(\"main\")
        }
        exec([\"not reached\"])
    }";

#[test]
fn every_finally_runs_innermost_branches_first() {
    for reloads in [false, true] {
        let mut run = Small::new(TEXT);
        run.go();
        let mut events = Vec::new();
        assert_eq!(cancel(&mut run), ["sleep_until", "_request", "exec"]);
        assert!(run.machine.is_cancelling());
        run.go();
        let mut steps = 0;
        let expected: [&[&str]; 4] = [
            &["clean wait", "clean left", "clean right"],
            &["clean left", "clean right"],
            &["clean right"],
            &["clean main"],
        ];
        while !run.cancelled {
            assert_eq!(asked(&run), expected[steps], "after {steps} answers");
            events.extend(told(&mut run));
            if reloads {
                reload(&mut run);
                assert!(run.machine.is_cancelling(), "a run that is loaded is still cancelled");
            }
            run.answer(0, output("done"));
            run.go();
            steps += 1;
        }
        assert_eq!(steps, expected.len());
        events.extend(told(&mut run));
        for path in ["main[0]", "main[0]/gather[0].a/wait[0]"] {
            assert!(events.contains(&format!("step_cancelled {path}")), "{path} in {events:?}");
        }
        assert!(!events.iter().any(|event| event.contains("failed")), "{events:?}");
    }
}

#[test]
fn a_second_cancellation_changes_nothing() {
    let mut run = Small::new(TEXT);
    run.go();
    cancel(&mut run);
    run.go();
    let before = asked(&run);
    assert_eq!(cancel(&mut run), Vec::<String>::new());
    run.go();
    assert_eq!(asked(&run), before);
}

#[test]
fn a_run_that_was_not_begun_ends_at_once() {
    let mut run = Small::new(TEXT);
    run.machine.cancel();
    run.go();
    assert!(run.cancelled && run.asked.is_empty());
}

#[test]
fn an_error_in_a_finally_is_told_and_the_run_is_cancelled_all_the_same() {
    let mut run = Small::new(
        "workflow main() { try { try { sleep(1h) } finally { exec([\"work\"]) } } finally { print(\"outer\") } }",
    );
    run.go();
    cancel(&mut run);
    run.go();
    let effect = run.asked.remove(0);
    run.machine.settle(effect.fiber, effect.id, Err(Fault::new(Kind::Exec, "no such program")));
    run.go();
    assert!(run.cancelled);
    let told = told(&mut run);
    let error = "log `main[0]` was cancelled, and left an error: no such program";
    assert_eq!(told[told.len() - 3..], [error, "log outer", "step_cancelled main[0]"]);
}

#[test]
fn a_run_that_computes_is_cancelled_at_its_next_turn() {
    let mut run = Small::new("workflow main() { try { while true { ctx.state.n = 1 } } finally { print(\"done\") } }");
    assert!(matches!(run.machine.run(1000), wf_runtime::machine::Progress::Boundary));
    assert!(matches!(run.machine.run(1000), wf_runtime::machine::Progress::OutOfFuel));
    run.machine.cancel();
    reload(&mut run);
    run.go();
    assert!(run.cancelled);
    assert!(told(&mut run).contains(&"log done".to_owned()));
    assert_eq!(Arc::strong_count(&run.image), 2, "the machine and the test");
}
