//! Random programs, in a small reference and on the machine: what they come to, tell, change and call is the same, and it is
//! the same when the process is killed at any write to the store and at any call, and the run goes on from what was saved.
//!
//! `program` is the tree of a program, `grow` draws one, `print` writes it as a script. `interp` is the reference, written
//! from the contract, with `calls` for what waits, over the fibers and the clock of `sim`. `world` is the host and the door of the store for the machine,
//! and `fate` what outside calls and people do, the same on both sides. `check` runs both and compares, `shrink` makes a
//! program that fails smaller. A failure names its seed:
//!
//! ```text
//! WF_MODEL_SEEDS=5000 cargo test --workspace model            # more seeds than usual
//! WF_MODEL_FROM=1234 WF_MODEL_SEEDS=1 cargo test --workspace model
//! ```

use std::time::{Duration, Instant};

use crate::random::Random;

mod calls;
mod check;
mod fate;
mod grow;
mod interp;
mod print;
mod program;
mod shrink;
mod sim;
mod world;

use check::{Doubt, How, Script};
use interp::Wrong;
use program::{OnCrash, Program};
use world::Crash;

/// Where a program fails, and how.
struct Failure {
    how: How,
    difference: String,
}

/// Which crashes are tried.
enum Which {
    /// So many at most.
    Most(usize),
    /// Those of one sort.
    Like(How),
}

/// How many runs were compared, and how many of them were killed how often.
#[derive(Debug, Default)]
struct Tally {
    programs: usize,
    /// Programs that are not compared, and why.
    doubts: std::collections::BTreeMap<String, usize>,
    runs: usize,
    deaths: usize,
}

/// Runs a program once as it is, and then with crashes, and compares each run with the reference.
fn check(
    program: &Program,
    seed: u64,
    which: &Which,
    wrong: Option<Wrong>,
    tally: &mut Tally,
) -> Result<(), Box<Failure>> {
    let text = program.text();
    // A cut may leave a script that does not check; what is drawn does.
    let Ok(script) = Script::new(&text) else { return Ok(()) };
    let expected = match check::reference(program, seed, wrong) {
        Ok(expected) => expected,
        Err(Doubt(why)) => {
            *tally.doubts.entry(why).or_default() += 1;
            return Ok(());
        }
    };
    tally.programs += 1;
    let mut random = Random(seed);
    let (each_boundary, leaves, sqlite) = (random.below(3) == 0, random.below(3) == 0, random.below(30) == 0);
    let plain = How { each_boundary, leaves, sqlite, ..How::default() };
    let mut compare = |how: &How| -> Result<(u64, u64), Box<Failure>> {
        tally.runs += 1;
        let failure = |difference| Box::new(Failure { how: how.clone(), difference });
        let ran = check::machine(&script, seed, how).map_err(failure)?;
        tally.deaths += ran.deaths;
        let throws = check::crashes_matter(program);
        let mut found = None;
        for last in [false, true] {
            let crashed = match ran.unknown.is_empty() || !throws {
                true => None,
                false => match check::reference_crashed(program, seed, &ran.unknown, last, wrong) {
                    Ok(crashed) => Some(crashed),
                    Err(Doubt(_)) => return Ok(ran.counts),
                },
            };
            match check::difference(crashed.as_ref().unwrap_or(&expected), &ran, throws, false) {
                Some(difference) => drop(found.get_or_insert(difference)),
                None => return Ok(ran.counts),
            }
        }
        Err(failure(found.unwrap_or_default()))
    };
    let (writes, calls) = compare(&plain)?;
    let mut hows = crashes(program, &plain, writes, calls);
    match which {
        Which::Most(most) => {
            // A disk is slow.
            while hows.len() > if sqlite { *most / 5 } else { *most } {
                hows.swap_remove(random.below(hows.len()));
            }
        }
        Which::Like(like) => hows.retain(|how| how.is_like(like)),
    }
    for how in hows {
        compare(&how)?;
    }
    Ok(())
}

/// Every place at which a run can be killed, once; and at every k-th write.
fn crashes(program: &Program, plain: &How, writes: u64, calls: u64) -> Vec<How> {
    let once = |crash| How { crashes: vec![crash], ..plain.clone() };
    let mut hows = Vec::new();
    for write in 0..writes {
        hows.push(once(Crash::Write(write)));
        hows.push(once(Crash::Written(write)));
    }
    for call in 0..calls {
        hows.push(once(Crash::Leaving(call)));
        hows.push(once(Crash::InFlight(call)));
        let crashes =
            vec![Crash::InFlight(call), Crash::Write(1), Crash::InFlight(0), Crash::Leaving(0), Crash::Written(0)];
        hows.push(How { crashes, ..plain.clone() });
    }
    // To ask, to be answered, and to save what the call came to takes three writes.
    for every in if program.says(OnCrash::Ask) { 4..7 } else { 1..4 } {
        hows.push(How { crashes: vec![Crash::Write(every)], again: true, ..plain.clone() });
    }
    hows
}

/// What a person needs to find out why.
fn report(seed: u64, program: &Program, failure: &Failure) -> String {
    format!("seed {seed}, {:?}:\n{}\n\n{}", failure.how, failure.difference, program.text())
}

/// Looks for a difference; the smallest program that shows it.
fn hunt(
    seeds: std::ops::Range<u64>,
    which: &Which,
    wrong: Option<Wrong>,
    until: Option<Instant>,
) -> (Tally, Option<String>) {
    let mut tally = Tally::default();
    for seed in seeds {
        if until.is_some_and(|until| Instant::now() > until) {
            break;
        }
        let program = grow::program(seed);
        if let Err(failure) = check(&program, seed, which, wrong, &mut tally) {
            let like = Which::Like(failure.how.clone());
            let fails = |program: &Program| check(program, seed, &like, wrong, &mut Tally::default()).err();
            let (program, failure) = shrink::shrink(program, failure, &fails);
            return (tally, Some(report(seed, &program, &failure)));
        }
    }
    (tally, None)
}

/// The same for a run that fails and is taken up again, in a world in which calls do not fail any more.
fn check_mended(program: &Program, seed: u64, tally: &mut Tally) -> Result<(), Box<Failure>> {
    let Ok(script) = Script::new(&program.text()) else { return Ok(()) };
    let mut doubt = |why: &str| *tally.doubts.entry(why.to_owned()).or_default() += 1;
    let expected = match (check::reference(program, seed, None), check::reference_mended(program, seed, MENDS)) {
        (Ok(first), Ok(expected)) if first.result["status"] == "failed" => expected,
        (Err(Doubt(why)), _) | (_, Err(Doubt(why))) => {
            doubt(&why);
            return Ok(());
        }
        _ => return Ok(()),
    };
    for each_boundary in [false, true] {
        let how = How { mends: MENDS, each_boundary, ..How::default() };
        let failure = |difference| Box::new(Failure { how: how.clone(), difference });
        let ran = check::machine(&script, seed, &how).map_err(failure)?;
        if ran.refused.is_some() {
            doubt("a call was made since the error");
            continue;
        }
        tally.programs += 1;
        tally.runs += 1;
        if let Some(difference) = check::difference(&expected, &ran, false, true) {
            return Err(failure(difference));
        }
    }
    Ok(())
}

/// How often a failed run is taken up again.
const MENDS: usize = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

#[test]
fn what_is_drawn_is_a_script() {
    for seed in 0..300 {
        let text = grow::program(seed).text();
        if let Err(errors) = Script::new(&text) {
            panic!("seed {seed}: {errors:?}\n{text}");
        }
    }
}

#[test]
fn random_programs_mean_the_same_to_the_reference_and_to_a_machine_that_is_killed_anywhere() {
    let from = number("WF_MODEL_FROM").unwrap_or(0);
    let (seeds, until) = match number("WF_MODEL_SEEDS") {
        Some(seeds) => (seeds, None),
        None => (400, Some(Instant::now() + Duration::from_secs(25))),
    };
    let (tally, failure) = hunt(from..from + seeds, &Which::Most(40), None, until);
    println!("{tally:?}");
    if let Some(failure) = failure {
        panic!("{failure}");
    }
    assert!(tally.programs > 0, "there was something to compare: {tally:?}");
}

#[test]
fn a_reference_with_a_wrong_rule_is_noticed() {
    for wrong in [Wrong::Finally, Wrong::Retry, Wrong::State, Wrong::Key] {
        let (tally, failure) = hunt(0..2000, &Which::Most(0), Some(wrong), None);
        assert!(failure.is_some(), "{wrong:?} was not noticed: {tally:?}");
    }
}

#[test]
fn a_failed_run_goes_on_as_if_its_call_had_not_failed() {
    let from = number("WF_MODEL_FROM").unwrap_or(0);
    let (seeds, until) = match number("WF_MODEL_SEEDS") {
        Some(seeds) => (seeds, None),
        None => (1000, Some(Instant::now() + Duration::from_secs(10))),
    };
    let mut tally = Tally::default();
    for seed in from..from + seeds {
        if until.is_some_and(|until| Instant::now() > until) {
            break;
        }
        let mut program = grow::program(seed);
        program.leave_errors();
        if let Err(failure) = check_mended(&program, seed, &mut tally) {
            let fails = |program: &Program| check_mended(program, seed, &mut Tally::default()).err();
            let (program, failure) = shrink::shrink(program, failure, &fails);
            panic!("{}", report(seed, &program, &failure));
        }
    }
    println!("{tally:?}");
    assert!(tally.programs > 0, "there was something to compare: {tally:?}");
}
