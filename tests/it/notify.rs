//! The hook that tells people of requests.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc,
};

use crate::support::{Json, Place, eventually};

/// A folder with a script that asks two questions, one after the other, and a hook.
fn place(hook: &str, program: &str) -> Place {
    let place = Place::with(&["two.wf"]);
    std::fs::write(place.path("wf.toml"), format!("[notify]\n{hook}\n")).expect("written");
    std::fs::write(place.path("hook.sh"), format!("#!/bin/sh\n{program}\n")).expect("written");
    place
}

const COMMAND: &str = "command = [\"sh\", \"hook.sh\"]";

/// What the hook was told, in order: the key, and what stood on its standard input.
fn told(place: &Place) -> Vec<(String, Json)> {
    let text = std::fs::read_to_string(place.path("told")).unwrap_or_default();
    let line = |line: &str| {
        let (key, about) = line.split_once(' ').expect("a key before it");
        (key.to_owned(), serde_json::from_str(about).expect("JSON"))
    };
    text.lines().map(line).collect()
}

const TELLS: &str = "about=$(cat); echo \"$WF_IDEMPOTENCY_KEY $about\" >> told";

#[test]
fn a_program_is_told_of_each_request_once() {
    let place = place(COMMAND, TELLS);
    place.wf(&["run", "two.wf", "--id", "it"]).ends(3);
    let all = told(&place);
    let ids: Vec<&str> = all.iter().filter_map(|(_, about)| about["request"]["id"].as_str()).collect();
    assert_eq!(ids.len(), 2, "{all:#?}");
    let (key, about) = &all[0];
    assert_eq!(key.len(), 32);
    assert_eq!((&about["run_id"], &about["script"]), (&"it".into(), &"two.wf".into()));
    for field in ["data", "schema", "title", "to", "path", "asked_at", "due_at"] {
        assert!(about["request"].get(field).is_some(), "{field} of {about}");
    }
    // The command that answers can be run as it is, from anywhere.
    let answer = about["answer"].as_str().expect("a command");
    assert!(answer.starts_with("wf resume it --respond "), "{answer}");
    assert!(answer.contains("/.wf/runs.db"), "{answer}");
    // Going on tells of nothing again.
    place.wf(&["resume", "it"]).ends(3);
    assert_eq!(told(&place).len(), 2);
}

#[test]
fn a_hook_that_fails_is_tried_again_and_never_fails_the_run() {
    let place = place(COMMAND, "echo x >> tries; mkdir first 2> /dev/null && exit 7\ncat > /dev/null");
    place.wf(&["run", "two.wf", "--id", "it"]).ends(3);
    let tries = std::fs::read_to_string(place.path("tries")).expect("tried");
    assert_eq!(tries.lines().count(), 3, "one in vain, then one for each request");
    let broken = self::place(COMMAND, "echo x >> tries; echo the line is dead >&2; exit 7");
    let done = broken.wf(&["run", "two.wf", "--id", "it"]).ends(3);
    assert!(done.err.contains("nobody could be told of the request"), "{}", done.err);
    assert!(done.err.contains("`sh` ended with code 7: the line is dead"), "{}", done.err);
    let events = broken.events();
    assert!(events.iter().any(|event| event["type"] == "log"), "{events:#?}");
    assert_eq!(events.iter().filter(|event| event["type"] == "paused").count(), 1, "{events:#?}");
    // The next process tries again.
    std::fs::write(broken.path("hook.sh"), TELLS).expect("written");
    broken.wf(&["resume", "it"]).ends(3);
    assert_eq!(told(&broken).len(), 2);
}

#[test]
fn a_crash_between_the_request_and_its_hook() {
    let place = place(COMMAND, &format!("while [ ! -e go ]; do sleep 0.02; done\n{TELLS}"));
    let mut run = place.start(&["run", "two.wf", "--id", "it", "--stream"]);
    run.until("request_info");
    run.kill();
    assert_eq!(told(&place).len(), 0);
    std::fs::write(place.path("go"), "").expect("written");
    // What was under way when the process died may come too: at least once, and under the same key.
    place.wf(&["resume", "it"]).ends(3);
    eventually("both are told of", || {
        let mut ids: Vec<_> = told(&place).iter().map(|(_, about)| about["request"]["id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        ids.len() == 2
    });
    let mut keys: Vec<_> =
        told(&place).into_iter().map(|(key, about)| (about["request"]["id"].to_string(), key)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 2, "each request has one key");
}

#[test]
fn one_that_hangs_is_ended() {
    let place = place("command = [\"sh\", \"hook.sh\"]\ntimeout = \"100ms\"", "sleep 60");
    place.wf(&["run", "two.wf"]).ends(3).says("it did not end in");
}

#[test]
fn an_answered_request_is_told_of_no_more() {
    let place = place(COMMAND, "exit 1");
    place.wf(&["run", "two.wf", "--id", "it"]).ends(3);
    std::fs::write(place.path("hook.sh"), TELLS).expect("written");
    let shown = place.wf(&["show", "it", "--json"]).ends(0).json();
    let id = shown["requests"][0]["id"].as_str().expect("an id").to_owned();
    place.wf(&["resume", "it", "--respond", &format!("{id}=yes")]);
    assert!(told(&place).iter().all(|(_, about)| about["request"]["id"] != id.as_str()), "{:#?}", told(&place));
}

#[test]
fn an_address_is_posted_to() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, posted) = mpsc::channel();
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().flatten().enumerate() {
            let mut reader = BufReader::new(stream);
            let (mut length, mut key) = (0, String::new());
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                if let Some(value) = lower.strip_prefix("idempotency-key:") {
                    key = value.trim().to_owned();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            // The first one is refused, and comes again.
            let status = if index == 0 { "503 Service Unavailable" } else { "204 No Content" };
            let reply = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            reader.into_inner().write_all(reply.as_bytes()).expect("sent");
            let about: Json = serde_json::from_slice(&body).expect("JSON");
            let _ = sender.send((index, key, about));
        }
    });
    let place = place(&format!("url = \"http://127.0.0.1:{port}/hook\""), "");
    place.wf(&["run", "two.wf", "--id", "it"]).ends(3);
    let all: Vec<_> = posted.try_iter().collect();
    assert_eq!(all.len(), 3, "{all:#?}");
    let first = &all[0].2["request"]["id"];
    let same: Vec<_> = all.iter().filter(|(_, _, about)| about["request"]["id"] == *first).collect();
    assert!(same.iter().all(|(_, key, _)| *key == all[0].1 && key.len() == 32), "{all:#?}");
}

#[test]
fn settings_that_make_no_hook() {
    let place = place("", "");
    place.wf(&["run", "two.wf"]).ends(2).says("says neither `command` nor `url`");
    let place = self::place("command = [\"true\"]\ntimeout = \"soon\"", "");
    place.wf(&["run", "two.wf"]).ends(2).says("`soon` is no duration");
    let place = self::place("commnd = [\"true\"]", "");
    place.wf(&["run", "two.wf"]).ends(2).says("unknown field `commnd`");
}
