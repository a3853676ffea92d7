//! What scripts do: the cases of `tests/cases/run`, one file a feature.
//!
//! A case is a script and, at its end, what comes of it:
//!
//! ```text
//! // case: a name is asked for
//! workflow main(greeting: string) -> string {
//!     let name = request_info("Your name?", string, id: "name")
//!     print(name)
//!     "${greeting}, ${name}"
//! }
//! // input: {"greeting":"Hello"}
//! // answers: name="Ada"
//! // prints: Ada
//! // output: "Hello, Ada"
//! ```
//!
//! `input` and `answers` (with an id, or for the oldest open request; one line a pause, and `-` where time passes instead)
//! are given; the rest is found: `prints`, `tells` (the program's own events), `retries`, `cancels` (a step), `withdraws`
//! (a request), `file`, `refused`, `output`, `fails: kind: message`, `waits` (an open request), `state`, or `error[CODE]
//! line: message` where the script is wrong. `UPDATE_EXPECT=1` rewrites what is found. The world is that of `scripted.rs`;
//! a line `// file: ./steps.wf` begins another file of the script.

use std::{fmt::Write, fs, path::Path};

use serde_json::Value as Json;

use crate::scripted::{self, Answer, Ran};

const FOUND: [&str; 12] = [
    "prints: ",
    "tells: ",
    "retries: ",
    "cancels: ",
    "withdraws: ",
    "file ",
    "refused: ",
    "output: ",
    "fails: ",
    "waits: ",
    "state: ",
    "error[",
];
/// Longer lines are cut.
const SHOWN: usize = 400;

/// A case, without what is expected of it.
struct Case {
    title: String,
    text: String,
    expected: String,
}

#[test]
fn every_case_does_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/run");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the folder exists").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let only = std::env::var("ONLY_CASE").ok();
    let (mut count, mut differences) = (0, String::new());
    for path in &paths {
        let text = fs::read_to_string(path).expect("readable text");
        let mut actual = Vec::new();
        for case in split(&text) {
            if only.as_ref().is_some_and(|only| !case.title.contains(only.as_str())) {
                continue;
            }
            let found = play(&case.text);
            if found != case.expected {
                let (name, title) = (path.file_stem().unwrap_or_default().to_string_lossy(), &case.title);
                let _ = writeln!(differences, "{name}: {title}\n{}\n  but\n{found}", case.expected);
            }
            actual.push(format!("// case: {}\n{}{found}", case.title, case.text));
            count += 1;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() && only.is_none() {
            fs::write(path, actual.join("\n")).expect("writable");
        }
    }
    assert!(count >= 200 || only.is_some(), "only {count} cases were found");
    assert!(differences.is_empty() || std::env::var_os("UPDATE_EXPECT").is_some(), "\n{differences}");
}

fn split(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("// case: ") {
            cases.push(Case { title: title.to_owned(), text: String::new(), expected: String::new() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        let found = line.strip_prefix("// ").is_some_and(|rest| FOUND.iter().any(|known| rest.starts_with(known)));
        let into = if found { &mut case.expected } else { &mut case.text };
        into.push_str(line);
        into.push('\n');
    }
    for case in &mut cases {
        case.text.truncate(case.text.trim_end().len());
        case.text.push('\n');
    }
    cases
}

/// Runs a script and writes down what came of it.
fn play(text: &str) -> String {
    let loaded = scripted::read(text);
    let program = match scripted::compile(&loaded) {
        Ok(program) => program,
        Err(errors) => {
            let place = |error: &wf_lang::Diagnostic| {
                let source = loaded.source(error.span);
                let line = source.line_column(error.span.start).line;
                if source.id == loaded.main().id { line.to_string() } else { format!("{}:{line}", source.name) }
            };
            let shown = errors
                .iter()
                .map(|error| format!("// error[{}] {}: {}\n", error.code.id(), place(error), error.message));
            return shown.collect();
        }
    };
    let workflow = program.workflow(Some("main")).or(program.workflow(None)).map(|found| found.name.to_string());
    let image = scripted::image(&loaded, program);
    let input = given(text, "input: ").next().map_or_else(|| Json::Object(serde_json::Map::new()), data);
    let answers: Vec<_> = given(text, "answers: ").map(answer).collect();
    match scripted::run(&image, &workflow.unwrap_or_default(), &input, &answers) {
        Ok(ran) => describe(&ran),
        Err(reason) => format!("// fails: {reason}\n"),
    }
}

fn given<'a>(text: &'a str, what: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.strip_prefix("// ")?.strip_prefix(what))
}

fn data(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("`{text}` is no JSON: {error}"))
}

fn answer(text: &str) -> Answer {
    if text == "-" {
        return None;
    }
    let named = text.split_once('=').filter(|(id, _)| id.chars().all(|c| c.is_alphanumeric() || "-_".contains(c)));
    match named {
        Some((id, value)) => Some((Some(id.to_owned()), data(value))),
        None => Some((None, data(text))),
    }
}

fn describe(ran: &Ran) -> String {
    let mut out = String::new();
    let mut line = |what: &str, value: String| {
        let value = value.replace('\n', "\\n");
        let shown: String = value.chars().take(SHOWN).collect();
        let cut = if shown.len() < value.len() { "…" } else { "" };
        let _ = writeln!(out, "// {what}{shown}{cut}");
    };
    for event in &ran.told.0 {
        match event["type"].as_str().unwrap_or_default() {
            "log" if event["print"] == true => line("prints: ", text(&event["text"])),
            "log" => line("tells: log ", format!("{} {}", text(&event["text"]), event["data"])),
            "step_cancelled" => line("cancels: ", text(&event["path"])),
            "request_withdrawn" => line("withdraws: ", text(&event["id"])),
            "step_retrying" => line("retries: ", format!("{} after {}", text(&event["path"]), text(&event["delay"]))),
            own if event.get("data").is_some() && event.get("schema").is_none() => {
                line("tells: ", format!("{own} {}", event["data"]))
            }
            _ => {}
        }
    }
    for (name, content) in &ran.files {
        line("file ", format!("{name}: {content}"));
    }
    for reason in &ran.refused {
        line("refused: ", reason.clone());
    }
    let result = &ran.report.result;
    match result["status"].as_str() {
        Some("completed") => line("output: ", result["output"].to_string()),
        Some("failed") => {
            line("fails: ", format!("{}: {}", text(&result["error"]["kind"]), text(&result["error"]["message"])));
        }
        _ => result["requests"]
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|request| line("waits: ", request["data"].to_string())),
    }
    match &result["state"] {
        Json::Null => {}
        Json::Object(state) if state.is_empty() => {}
        state => line("state: ", state.to_string()),
    }
    out
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}
