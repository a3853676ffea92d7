//! Whose turn it is: saved, loaded, and refused when it cannot be.

use wf_runtime::{
    Value,
    checkpoint::{LoadError, load},
    codec::seal,
    machine::{Machine, Progress},
};

use crate::small::{HASH, Small, Stored, output};

const SCRIPT: &str = "workflow main() -> any {
    gather for i in 0..6 { exec([\"work\"]); print(\"${i}\"); exec([\"more\"]) }
}";
/// In which order the branches can go on.
const ORDER: [usize; 4] = [3, 1, 4, 0];

/// A run that is saved when four of its six branches can go on.
fn waiting() -> Small {
    let mut run = Small::new(SCRIPT);
    run.go();
    run.save();
    let asked = run.asked.clone();
    for index in ORDER {
        let effect = &asked[index];
        assert!(run.machine.settle(effect.fiber, effect.id, output("done")));
    }
    run.save();
    run
}

fn loaded(run: &Small, stored: &Stored) -> Result<(Machine, Vec<(u32, i32)>), String> {
    let mut stored = stored.clone();
    let saved = stored.saved();
    match load(&run.image, "run".into(), HASH, &saved, &mut stored, false) {
        Ok((mut machine, mut saver, _)) => {
            let rows = saver.save(&mut machine, saved.n + 1, 1);
            Ok((machine, rows.fibers.iter().map(|row| (row.fiber, row.segment)).collect()))
        }
        Err(LoadError::Damaged { reason, .. }) => Err(reason),
        Err(other) => panic!("{other}"),
    }
}

/// What is printed, in order.
fn printed(machine: &mut Machine) -> Vec<String> {
    while !matches!(machine.run(1000), Progress::Waiting) {}
    let texts = machine.take_events().into_iter().filter_map(|event| {
        let json = event.to_json("run", 1, "");
        (json["type"] == "log").then(|| json["text"].as_str().unwrap_or_default().trim().to_owned())
    });
    texts.collect()
}

/// The head of a fiber, without its seal.
fn head(stored: &Stored, fiber: u32) -> Vec<u8> {
    let row = &stored.fibers[&(fiber, -1)];
    row[2..row.len() - 8].to_vec()
}

fn set_head(stored: &mut Stored, fiber: u32, body: &[u8]) {
    let kind = stored.fibers[&(fiber, -1)][1];
    stored.fibers.insert((fiber, -1), seal(kind, body));
}

/// What version 0.1.0 wrote: the header lists who can run, and heads end before their turns.
fn as_written_before(stored: &Stored, turns: &[u8]) -> Stored {
    let mut old = stored.clone();
    for index in ORDER {
        let fiber = index as u32 + 1;
        let body = head(&old, fiber);
        // What it is, its length, and a small number.
        set_head(&mut old, fiber, &body[..body.len() - 3]);
    }
    let kind = old.header[1];
    let mut body = old.header[2..old.header.len() - 8].to_vec();
    assert_eq!(body.pop(), Some(0), "none are listed");
    body.push(turns.len() as u8);
    body.extend_from_slice(turns);
    old.header = seal(kind, &body);
    old
}

#[test]
fn branches_go_on_in_the_order_in_which_they_could() {
    let run = waiting();
    let (mut machine, written) = loaded(&run, &run.rows).expect("it loads");
    assert_eq!(written, [], "all of it is saved");
    assert_eq!(printed(&mut machine), ["3", "1", "4", "0"]);
}

#[test]
fn what_is_settled_at_once_goes_on_before_the_others() {
    let mut run = waiting();
    let last = run.asked[5].clone();
    assert!(run.machine.settle_now(last.fiber, last.id, Ok(Value::Null)));
    run.save();
    let (mut machine, _) = loaded(&run, &run.rows).expect("it loads");
    assert_eq!(printed(&mut machine), ["5", "3", "1", "4", "0"]);
}

#[test]
fn turns_in_a_header_are_those_of_an_earlier_version() {
    let run = waiting();
    let old = as_written_before(&run.rows, &[4, 2, 5, 1]);
    let (mut machine, written) = loaded(&run, &old).expect("it loads");
    assert_eq!(written, [(1, -1), (2, -1), (4, -1), (5, -1)], "their heads are written anew");
    assert_eq!(printed(&mut machine), ["3", "1", "4", "0"]);
}

#[test]
fn turns_that_cannot_be_are_refused() {
    let run = waiting();
    let refused = |stored: &Stored, reason: &str| {
        let found = loaded(&run, stored).err().unwrap_or_else(|| panic!("it loads: {reason}"));
        assert!(found.contains(reason), "{found}");
    };
    for turns in [&[4, 2, 5][..], &[4, 2, 5, 1, 3], &[4, 2, 5, 5], &[4, 2, 5, 9], &[4, 2, 5, 0]] {
        refused(&as_written_before(&run.rows, turns), "other fibers have their turn than can run");
    }
    // One without a turn, among others that have theirs.
    let mut without = run.rows.clone();
    let body = head(&without, 4);
    set_head(&mut without, 4, &body[..body.len() - 3]);
    refused(&without, "other fibers have their turn than can run");
    // Two with the same.
    let mut same = run.rows.clone();
    let other = head(&same, 5);
    let body = [&body[..body.len() - 1], &other[other.len() - 1..]].concat();
    set_head(&mut same, 4, &body);
    refused(&same, "two fibers have the same turn");
    // One that waits, and has a turn.
    let mut waits = run.rows.clone();
    let body = [head(&waits, 3), vec![1, 1, 40]].concat();
    set_head(&mut waits, 3, &body);
    refused(&waits, "other fibers have their turn than can run");
    // Two turns of one, and one that does not end where it should.
    for (more, reason) in
        [(&[1, 1, 40][..], "it has two turns"), (&[1, 2, 40, 0], "it has two turns"), (&[1], "too early")]
    {
        let mut stored = run.rows.clone();
        let body = [head(&stored, 4), more.to_vec()].concat();
        set_head(&mut stored, 4, &body);
        refused(&stored, reason);
    }
}

#[test]
fn what_a_later_version_adds_to_a_head_is_skipped() {
    let run = waiting();
    let mut later = run.rows.clone();
    let body = [head(&later, 4), vec![99, 3, 1, 2, 3]].concat();
    set_head(&mut later, 4, &body);
    let (mut machine, _) = loaded(&run, &later).expect("it loads");
    assert_eq!(printed(&mut machine), ["3", "1", "4", "0"]);
}
