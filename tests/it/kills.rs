//! `kill -9` at random moments, again and again, for as long as there is time.
//!
//! Each round starts a run, or several in one store, kills every process that has it at a random moment, goes on in a random
//! way, and in the end compares with a run that nobody has killed: output, state, and the steps that completed are the same;
//! each call reached the world, under the same key, and more than once only if it was under way when a process was killed.
//! The number of kills is printed. More, or another course:
//!
//! ```sh
//! WF_KILLS_SECONDS=600 WF_KILLS_SEED=7 cargo test --workspace kills
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    time::{Duration, Instant},
};

use crate::support::{Done, Json, Place, Started};

/// How long it goes on unless `WF_KILLS_SECONDS` says otherwise.
const SECONDS: u64 = 30;
/// No fewer kills than this, however long they take.
const AT_LEAST: usize = 100;

/// A workflow, and what people answer.
struct Story {
    script: &'static str,
    workflow: &'static str,
    answers: &'static [(&'static str, &'static str)],
}

const STORIES: &[Story] = &[
    Story { script: "storm.wf", workflow: "storm", answers: &[("go-on", "yes"), ("number", "3")] },
    Story { script: "storm.wf", workflow: "spread", answers: &[] },
    Story { script: "storm.wf", workflow: "raced", answers: &[] },
    Story { script: "storm.wf", workflow: "large", answers: &[] },
    Story { script: "steps.wf", workflow: "steps", answers: &[] },
    Story { script: "nested.wf", workflow: "nested", answers: &[] },
    Story { script: "retried.wf", workflow: "retried", answers: &[] },
    Story { script: "parallel.wf", workflow: "parallel", answers: &[] },
    Story { script: "asks.wf", workflow: "asks", answers: &[("decide", "approve"), ("count", "3")] },
];

/// What is left of a run.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    output: Json,
    state: Json,
    /// Each effect, as a name and whether it came to pass; keys differ from run to run.
    effects: BTreeSet<String>,
    /// The paths of the steps that completed, as often as they did.
    completed: Vec<String>,
}

impl Story {
    fn start(&self, id: &str) -> Vec<String> {
        let mut words = vec!["run", self.script, self.workflow, "--id", id, "--allow", "exec", "--stream"];
        match self.workflow {
            "spread" | "large" => words.push("count=6"),
            "steps" => words.push("count=12"),
            _ => {}
        }
        words.into_iter().map(str::to_owned).collect()
    }

    fn outcome(&self, place: &Place, id: &str) -> Outcome {
        let result = place.wf(&["show", id, "--json"]).ends(0).json();
        assert_eq!(result["status"], "completed", "{result:#}");
        let events: Vec<Json> = place.wf(&["events", id]).ends(0).out.lines().map(parsed).collect();
        let numbers: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
        assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "events are numbered without a gap");
        for once in ["started", "completed", "output"] {
            assert_eq!(events.iter().filter(|event| event["type"] == once).count(), 1, "`{once}` of {id}: {events:#?}");
        }
        let completed = events.iter().filter(|event| event["type"] == "step_completed");
        let mut completed: Vec<String> = completed.map(|event| event["path"].to_string()).collect();
        completed.sort();
        let effects = place.effects().iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
        Outcome { output: result["output"].clone(), state: result["state"].clone(), effects, completed }
    }

    /// A run that nobody kills.
    fn whole(&self) -> Outcome {
        let place = Place::with(&[self.script]);
        let mut done = place.wf(&words(&self.start("whole")));
        while done.code == Some(3) {
            done = place.wf(&words(&self.go_on(&place, "whole")));
        }
        done.ends(0);
        self.outcome(&place, "whole")
    }

    /// Goes on with a run that is there, with answers to what it asks.
    fn go_on(&self, place: &Place, id: &str) -> Vec<String> {
        let inbox = place.wf(&["list", "--requests", "--json"]);
        let open: Vec<Json> = serde_json::from_str(&inbox.out).unwrap_or_default();
        let asks = |name: &str| open.iter().any(|request| request["run_id"] == id && request["id"] == name);
        let answers = self.answers.iter().filter(|(name, _)| asks(name));
        let answers = answers.map(|(name, value)| format!("--respond={name}={value}"));
        ["resume", id, "--stream"].into_iter().map(str::to_owned).chain(answers).collect()
    }
}

fn parsed(line: &str) -> Json {
    serde_json::from_str(line).expect("an event")
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Numbers that look random, and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Kills a process when it has shown so many events, and some time more.
fn killed(mut process: Started, dice: &mut Dice) -> bool {
    for _ in 0..dice.below(6) {
        if process.line().is_none() {
            break;
        }
    }
    std::thread::sleep(Duration::from_micros(dice.below(20_000)));
    process.kill()
}

/// How many calls of a run have left, and have no result that is saved.
fn under_way(place: &Place, id: &str) -> usize {
    let shown = place.wf(&["show", id, "--json"]);
    let shown: Json = serde_json::from_str(&shown.out).unwrap_or_default();
    let fibers = shown["fibers"].as_array().cloned().unwrap_or_default();
    fibers.iter().filter(|fiber| fiber["waits_for"]["kind"] == "call").count()
}

/// One round: a story, killed some times, and its end. Gives how many processes were killed.
fn round(story: &Story, whole: &Outcome, dice: &mut Dice) -> usize {
    let place = Place::with(&[story.script]);
    let (mut kills, mut in_flight) = (0, 0);
    let mut next = story.start("it");
    for _ in 0..=dice.below(8) {
        if killed(place.start(&words(&next)), dice) {
            kills += 1;
            in_flight += under_way(&place, "it");
        }
        let there = place.wf(&["show", "it"]).code == Some(0);
        next = match dice.below(4) {
            _ if !there => story.start("it"),
            0 => story.start("it"),
            1 => ["resume", "--due", "--interrupted", "--stream"].map(str::to_owned).to_vec(),
            _ => story.go_on(&place, "it"),
        };
    }
    finish(story, &place);
    check(story, &place, whole, in_flight);
    kills
}

/// Lets a run come to its end.
fn finish(story: &Story, place: &Place) {
    loop {
        let done: Done = match place.wf(&["show", "it"]).code {
            Some(0) => place.wf(&words(&story.go_on(place, "it"))),
            _ => place.wf(&words(&story.start("it"))),
        };
        if done.code != Some(3) {
            done.ends(0);
            break;
        }
    }
}

fn check(story: &Story, place: &Place, whole: &Outcome, in_flight: usize) {
    assert_eq!(story.outcome(place, "it"), *whole);
    let effects = place.effects();
    let again = effects.len() - effects.iter().collect::<BTreeSet<_>>().len();
    assert!(again <= in_flight, "{again} effects happened again, {in_flight} calls were under way: {effects:#?}");
    let keys: BTreeMap<&str, BTreeSet<&str>> = effects.iter().fold(BTreeMap::new(), |mut keys, line| {
        let (name, key) = line.split_once(' ').expect("a name and a key");
        keys.entry(name).or_default().insert(key);
        keys
    });
    for (name, keys) in keys {
        assert_eq!(keys.len(), 1, "the call `{name}` is made again under its key: {effects:#?}");
    }
    let store = rusqlite::Connection::open(place.store()).expect("a store");
    let sound: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
    assert_eq!(sound, "ok");
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn killed_at_random_moments() {
    let started = Instant::now();
    let time = Duration::from_secs(setting("WF_KILLS_SECONDS", SECONDS));
    let seed = setting("WF_KILLS_SEED", 1);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let whole: Vec<Outcome> = STORIES.iter().map(Story::whole).collect();
    let (mut kills, mut rounds) = (0, 0);
    while started.elapsed() < time || kills < AT_LEAST {
        let index = rounds % STORIES.len();
        kills += round(&STORIES[index], &whole[index], &mut dice);
        rounds += 1;
    }
    // Past the capture of the test's output, so that it is seen when all is well.
    let seconds = started.elapsed().as_secs();
    let _ = writeln!(std::io::stderr(), "{kills} kills in {rounds} runs and {seconds} s, seed {seed}");
}

#[test]
fn several_runs_in_one_store_are_killed_at_once() {
    let place = Place::with(&["steps.wf"]);
    let mut dice = Dice(0x5eed);
    let ids = ["a", "b", "c", "d"];
    let start = |id: &str| {
        let words = ["run", "steps.wf", "steps", "count=6", "--id", id, "--allow", "exec", "--stream"];
        place.start(&words)
    };
    for _ in 0..6 {
        let all: Vec<Started> = ids.iter().map(|id| start(id)).collect();
        std::thread::sleep(Duration::from_millis(20 + dice.below(60)));
        for process in all {
            process.kill();
        }
    }
    for id in ids {
        let done = place.wf(&["run", "steps.wf", "steps", "count=6", "--id", id, "--allow", "exec", "--json"]).ends(0);
        assert_eq!(done.json()["state"]["done"], 6);
    }
    let store = rusqlite::Connection::open(place.store()).expect("a store");
    let sound: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
    assert_eq!(sound, "ok");
}

/// The check itself can fail.
#[test]
#[should_panic(expected = "effects happened again")]
fn an_effect_that_happened_twice_is_seen() {
    let story = &STORIES[4];
    let place = Place::with(&[story.script]);
    place.wf(&words(&story.start("it"))).ends(0);
    let whole = story.outcome(&place, "it");
    let twice = place.effects()[..1].to_vec();
    let mut effects = std::fs::OpenOptions::new().append(true).open(place.path("effects")).expect("a file");
    writeln!(effects, "{}", twice[0]).expect("written");
    check(story, &place, &whole, 0);
}
