//! No statement looks at all runs: each finds its rows by an index, so its time does not grow with the store.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};

use super::{super::migrate, apply, hand, query, read, remove, size};
use crate::store::{
    Delta, Epoch, EventBatch, FiberRow, Moved, NewRun, Owner, Removal, RequestEnd, RequestRow, RunId, RunStatus,
};

/// The source of everything that asks.
const SOURCES: [&str; 6] = [
    include_str!("apply.rs"),
    include_str!("hand.rs"),
    include_str!("query.rs"),
    include_str!("read.rs"),
    include_str!("remove.rs"),
    include_str!("size.rs"),
];

/// What reads an index in its order, until it has as many rows as were asked for.
const IN_ORDER: [&str; 5] = [
    "SCAN standing USING INDEX standing_running",
    "SCAN run USING INDEX run_created",
    "SCAN request USING INDEX request_inbox",
    "SCAN request USING COVERING INDEX request_inbox",
    // Runs that are being removed, which are few.
    "SCAN removed",
];

/// What looks at all runs because that is what it is asked.
const OF_ALL: &str = "WHERE updated_at < ?1";

fn run(name: &str) -> NewRun {
    NewRun {
        id: name.into(),
        workflow: "w".into(),
        script: "w.wf".into(),
        code_hash: [1; 32],
        code: b"code".as_slice().into(),
        input: "{}".into(),
        settings: "{}".into(),
        created_at: 1,
        owner: Owner { host: "elsewhere".into(), pid: 1, started: 1 },
    }
}

/// A delta with everything that a delta may have.
fn full(n: u64) -> Delta {
    let ends = [RequestEnd::Answered, RequestEnd::Withdrawn, RequestEnd::Refused];
    Delta {
        n,
        time: 1,
        header: b"h".to_vec(),
        pinned: n == 1,
        pins: vec![n - 1],
        fibers: vec![FiberRow { fiber: 0, segment: 0, data: b"f".to_vec() }],
        closed: vec![(1, 0)],
        chunks: vec![(n, b"c".to_vec())],
        dead: vec![n - 1],
        reset: n == 3,
        floor: n,
        events: Some(EventBatch { first_seq: n, count: 1, lines: "{}\n".into() }),
        opened: vec![RequestRow { id: format!("q{n}"), json: "{}".into(), asked_at: 1 }],
        settled: ends.iter().map(|end| (format!("q{}", n - 1), *end)).collect(),
        status: RunStatus::Paused,
        wake_at: Some(1),
        result: Some("{}".into()),
        moved: (n == 2).then(|| Moved { code_hash: [2; 32], code: Arc::from(&b"code"[..]) }),
    }
}

/// Asks and writes everything that there is; gives the statements.
fn everything(conn: &mut Connection) -> BTreeSet<String> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let sink = seen.clone();
    let trace = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(_, sql) = event {
            sink.lock().expect("no panic").insert(sql.to_owned());
        }
    };
    conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(trace)).expect("traced");
    let (name, owner): (RunId, _) = ("a".into(), run("a").owner);
    let tx = conn.transaction().expect("a transaction");
    hand::begin(&tx, &run("a")).expect("begun");
    for n in 1..=4 {
        let delta = full(n);
        let standing = apply::check(&tx, "a", Epoch(1), &delta).expect("checked");
        apply::apply(&tx, &standing, &delta).expect("written");
    }
    hand::notified(&tx, "a", Epoch(1), "q4", 1).expect("noted");
    hand::answer(&tx, "a", "q4", "1", 1).expect("answered");
    let epoch = hand::acquire(&tx, "a", &owner, true, 1).expect("acquired");
    hand::renew(&tx, "a", epoch, 1).expect("renewed");
    hand::cancel(&tx, "a").expect("asked");
    hand::wants_cancelled(&tx, "a").expect("known");
    hand::release(&tx, "a", epoch).expect("released");
    read::load(&tx, "a", None, &mut |_, chunks| chunks.chunk(4).map(drop)).expect("loaded");
    read::load(&tx, "a", Some(9), &mut |_, _| Ok(())).expect_err("there is no such checkpoint");
    read::code(&tx, &[1; 32]).expect("code");
    query::run(&tx, "a").expect("a run");
    query::runs(&tx, 1).expect("runs");
    query::ids_like(&tx, "a", 1).expect("ids");
    query::requests(&tx, Some(&name)).expect("requests");
    query::inbox(&tx, 1).expect("requests");
    query::due(&tx, 5, true, 9).expect("due runs");
    query::resting(&tx, 5).expect("resting runs");
    query::events(&tx, "a", 1).expect("events");
    query::code_at(&tx, "a", 2).expect("code");
    query::told(&tx, "a", 1, 2).expect("events");
    query::kept(&tx, "a").expect("numbers");
    query::checkpoints(&tx, "a").expect("numbers");
    size::of(&tx, &name).expect("sizes");
    tx.commit().expect("committed");
    assert!(matches!(remove::mark(conn, "a", true, 9), Ok(Removal::Removed { .. })));
    remove::sweep(conn, 0).expect("swept");
    let seen = seen.lock().expect("no panic");
    seen.clone()
}

#[test]
fn each_statement_finds_its_rows_by_an_index() {
    let mut conn = Connection::open_in_memory().expect("a database");
    migrate::build(&mut conn).expect("a store");
    let statements = everything(&mut conn);
    let mut looked = 0;
    for sql in &statements {
        let word = sql.trim_start().split([' ', '\n']).next().unwrap_or_default();
        if !matches!(word, "SELECT" | "UPDATE" | "DELETE" | "INSERT") || sql.contains(OF_ALL) {
            continue;
        }
        if sql.contains("sqlite_schema") {
            continue;
        }
        looked += 1;
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
        let mut rows = explain.raw_query();
        while let Some(row) = rows.next().expect("a row") {
            let step: String = row.get(3).expect("text");
            let scans = step.starts_with("SCAN") && !step.starts_with("SCAN (") && !step.starts_with("SCAN CONSTANT");
            let in_order = IN_ORDER.iter().any(|fine| step.starts_with(fine));
            assert!(!scans || in_order, "`{step}` in\n{sql}");
        }
    }
    assert!(looked > 50, "{looked} statements");
}

/// A function that nobody calls above would not be looked at.
#[test]
fn every_function_that_asks_is_looked_at() {
    let here = include_str!("plans.rs");
    let rooms = ["apply", "hand", "query", "read", "remove", "size"];
    let helpers = ["rid", "exec", "step", "summed", "request_bytes", "no_standing", "all"];
    for (room, source) in rooms.iter().zip(SOURCES) {
        for line in source.lines().filter_map(|line| line.strip_prefix("pub(super) fn ")) {
            let name = line.split(['(', '<']).next().unwrap_or_default();
            let called = here.contains(&format!("{room}::{name}("));
            assert!(called || helpers.contains(&name), "`{room}::{name}` is not looked at");
        }
    }
}
