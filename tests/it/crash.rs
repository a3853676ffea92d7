//! Runs that are killed, again and again, and come to the same end with the same effects.

use std::{collections::BTreeSet, time::Duration};

use crate::support::{Done, Json, Place, eventually, json};

/// A script, and what people answer.
struct Story {
    script: &'static str,
    answers: &'static [(&'static str, &'static str)],
}

/// What is left of a run.
#[derive(Debug, PartialEq)]
struct Outcome {
    output: Json,
    state: Json,
    effects: BTreeSet<String>,
    /// The paths of the steps that completed: none twice but for what is tried again.
    completed: Vec<String>,
}

impl Story {
    fn start<'a>(&self, show: &'a str) -> Vec<&'a str>
    where
        Self: 'a,
    {
        vec!["run", self.script, "--id", "same", "--allow", "exec", show]
    }

    /// What goes on with the run: with answers to all that it asks.
    fn go_on(&self, place: &Place, again: bool) -> Vec<String> {
        let inbox = place.wf(&["list", "--requests", "--json"]);
        let open: Vec<Json> = serde_json::from_str(&inbox.out).unwrap_or_default();
        let answers = self.answers.iter().filter(|(id, _)| open.iter().any(|request| request["id"] == *id));
        let answers: Vec<String> = answers.map(|(id, value)| format!("--respond={id}={value}")).collect();
        // A run that was killed before it was written is started again; `--id` goes on with one that was.
        let words =
            if again && answers.is_empty() { self.start("--stream") } else { vec!["resume", "same", "--stream"] };
        words.into_iter().map(str::to_owned).chain(answers).collect()
    }

    fn outcome(&self, place: &Place) -> Outcome {
        let result = place.wf(&["resume", "same", "--json"]).ends(0).json();
        let effects = place.effects().into_iter().collect();
        let completed = completed(&place.events());
        Outcome { output: result["output"].clone(), state: result["state"].clone(), effects, completed }
    }

    fn uninterrupted(&self) -> Outcome {
        let place = Place::with(&[self.script]);
        let mut done = place.wf(&self.start("--stream"));
        while done.code == Some(3) {
            done = resume(&place, &self.go_on(&place, false));
        }
        done.ends(0);
        let outcome = self.outcome(&place);
        assert_eq!(outcome.effects.len(), place.effects().len(), "an effect happened twice without a crash");
        outcome
    }

    /// Kills each process when it has shown so many events, and some milliseconds more; gives how many were killed.
    fn killed_after(&self, moments: &[(usize, u64)]) -> usize {
        let place = Place::with(&[self.script]);
        let mut words: Vec<String> = self.start("--stream").into_iter().map(str::to_owned).collect();
        let (mut kills, mut in_flight) = (0, 0);
        for (index, (events, millis)) in moments.iter().enumerate() {
            let words_now: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut run = place.start(&words_now);
            for _ in 0..*events {
                run.line();
            }
            std::thread::sleep(Duration::from_millis(*millis));
            if run.kill() {
                kills += 1;
                in_flight += calls_under_way(&place);
            }
            words = self.go_on(&place, index % 2 == 0);
        }
        let mut done = resume(&place, &words);
        while done.code == Some(3) {
            done = resume(&place, &self.go_on(&place, false));
        }
        done.ends(0);
        assert_eq!(self.outcome(&place), self.uninterrupted());
        let effects = place.effects();
        let again = effects.len() - effects.iter().collect::<BTreeSet<_>>().len();
        assert!(again <= in_flight, "{again} effects happened again, {in_flight} calls were under way: {effects:#?}");
        kills
    }
}

fn resume(place: &Place, words: &[String]) -> Done {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    place.wf(&words)
}

/// How many calls the latest checkpoint holds that have left and have no result.
fn calls_under_way(place: &Place) -> usize {
    let shown = place.wf(&["show", "same", "--json"]);
    let shown: Json = serde_json::from_str(&shown.out).unwrap_or_default();
    let fibers = shown["fibers"].as_array().cloned().unwrap_or_default();
    fibers.iter().filter(|fiber| fiber["waits_for"]["kind"] == "call").count()
}

/// The steps that completed, from events that are numbered without a gap and have one start and one end.
#[track_caller]
fn completed(events: &[Json]) -> Vec<String> {
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    assert_eq!((of("started").len(), of("completed").len(), of("output").len()), (1, 1, 1));
    let mut paths: Vec<String> = of("step_completed").iter().map(|event| event["path"].to_string()).collect();
    paths.sort();
    paths
}

/// Moments that differ from seed to seed, and are the same in each run of the tests.
fn moments(seed: u64, count: usize, most_events: u64) -> Vec<(usize, u64)> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..count).map(|_| (next(most_events) as usize + 1, next(9))).collect()
}

#[test]
fn steps_one_after_the_other() {
    let story = Story { script: "steps.wf", answers: &[] };
    let kills = story.killed_after(&[(0, 5), (2, 0), (2, 3), (3, 0), (3, 8), (1, 2), (4, 0)]);
    assert!(kills >= 6, "{kills}");
}

#[test]
fn branches_with_a_limit() {
    let story = Story { script: "parallel.wf", answers: &[] };
    let kills = story.killed_after(&moments(1, 6, 4));
    assert!(kills >= 4, "{kills}");
}

#[test]
fn a_step_that_is_tried_again_with_a_step_in_it() {
    let story = Story { script: "retried.wf", answers: &[] };
    let kills = story.killed_after(&moments(2, 6, 5));
    assert!(kills >= 4, "{kills}");
}

#[test]
fn workflows_in_workflows_with_pauses() {
    let story = Story { script: "nested.wf", answers: &[] };
    let kills = story.killed_after(&moments(3, 6, 4));
    assert!(kills >= 4, "{kills}");
}

#[test]
fn questions_that_are_answered_between_the_crashes() {
    let story = Story { script: "asks.wf", answers: &[("decide", "approve"), ("count", "3")] };
    // The first kill is before the first question is asked, the second right after it is answered.
    let kills = story.killed_after(&[(3, 0), (5, 5), (2, 0), (2, 1), (3, 0), (2, 4)]);
    assert!(kills >= 3, "{kills}");
}

#[test]
fn killed_at_any_time_from_its_birth() {
    let story = Story { script: "steps.wf", answers: &[] };
    let kills = story.killed_after(&[(0, 0), (0, 2), (0, 4), (0, 9), (0, 14), (0, 20), (0, 30)]);
    assert!(kills >= 3, "{kills}");
}

#[test]
fn who_follows_sees_the_run_through_a_crash() {
    let place = Place::with(&["steps.wf"]);
    let run = place.start(&["run", "steps.wf", "count=4", "--allow", "exec"]);
    eventually("the run is in the store", || place.wf(&["show", "last"]).code == Some(0));
    let mut follower = place.start(&["events", "last", "--follow"]);
    follower.until("step_completed");
    run.kill();
    let done = place.wf(&["resume", "last", "--json"]).ends(0).json();
    assert_eq!(done["state"], json!({ "done": 4 }));
    assert_eq!(follower.until("completed")["type"], "completed");
    assert_eq!(follower.done().code, Some(0));
}
