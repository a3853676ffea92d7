//! What came of tests, for people and as JSON.

use serde_json::{Value as Json, json};
use wf_lang::{load::Loaded, syntax::ast::ItemKind};
use wf_runtime::testing::{Crashes, DiffLine, Failure, MOST_WRITES, Verdict};

use super::{Crashing, Suite};
use crate::report;

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const BOLD: &str = "\u{1b}[1m";
const FAINT: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// How many characters of what something is and what it holds go on one line.
const NARROW: usize = 100;
/// How many lines of a value are shown above the difference to another.
const SHORT: usize = 8;

/// Whether a script has tests, or would have if it could be read.
pub(super) fn may_have_tests(loaded: &Loaded) -> bool {
    let main = loaded.checked.modules.get(usize::from(loaded.checked.main().0));
    let parsed = main.is_some_and(|main| main.module.items.iter().any(|item| matches!(item.kind, ItemKind::Test(_))));
    parsed || loaded.main().text.lines().any(|line| line.starts_with("test \""))
}

/// The line of a test, after the name of its script if it is the first.
pub(super) fn line(suite: &Suite, number: usize, verdict: &Verdict, first: bool, output: bool) -> String {
    let name = &suite.image.program.tests[number].name;
    let mut text = String::new();
    if first {
        text.push_str(&format!("{BOLD}{}{PLAIN}\n", suite.path.display()));
    }
    let (colour, word) = if verdict.failure.is_some() { (RED, "FAILED") } else { (GREEN, "ok") };
    let crashes = verdict.crashes.as_ref().map(|crashes| format!(" {FAINT}({}){PLAIN}", crashes_of(crashes)));
    text.push_str(&format!("  {colour}{word:<6}{PLAIN} {}{}\n", one_line(name), crashes.unwrap_or_default()));
    if output && verdict.failure.is_none() {
        text.push_str(&printed(verdict));
    }
    text
}

/// How often a test was crashed.
fn crashes_of(crashes: &Crashes) -> String {
    let sample = match crashes.sampled {
        true => format!(" at a sample of {MOST_WRITES} of {} writes", crashes.writes),
        false => String::new(),
    };
    let unknown = match crashes.unknown {
        0 => String::new(),
        count => format!(", {count} left a call unknown that throws then"),
    };
    format!("{}{sample}{unknown}", count(crashes.runs, "crash", "crashes"))
}

/// Everything there is to say about tests that failed.
pub(super) fn failures(suites: &[Suite], verdicts: &[Vec<Verdict>], colour: bool) -> String {
    let mut text = String::new();
    for (suite, verdicts) in suites.iter().zip(verdicts) {
        for (number, verdict) in suite.chosen.iter().zip(verdicts) {
            if let Some(failure) = &verdict.failure {
                let name = one_line(&suite.image.program.tests[*number].name);
                text.push_str(&format!("\n{BOLD}{}: {name}{PLAIN}\n", suite.path.display()));
                text.push_str(&reason(suite, failure, colour));
                text.push_str(&again(suite, &name, verdict));
                text.push_str(&printed(verdict));
            }
        }
    }
    text
}

/// How to see again what a crash has changed.
fn again(suite: &Suite, name: &str, verdict: &Verdict) -> String {
    let Some(write) = verdict.crashes.as_ref().and_then(|crashes| crashes.at) else { return String::new() };
    let (path, name) = (suite.path.display().to_string(), name.replace('\'', "'\\''"));
    format!("  help: the same crash again: `wf test '{path}' --filter '{name}' --crash-at {write}`\n")
}

fn reason(suite: &Suite, failure: &Failure, colour: bool) -> String {
    let mut text = match failure.span {
        Some(span) => report::place_of(&suite.loaded, "failed", span, &failure.message, colour).trim_end().to_owned(),
        None => format!("failed: {}", failure.message),
    };
    text.push('\n');
    for (of, lines) in &failure.values {
        match lines.as_slice() {
            [one] if of.chars().count() + one.chars().count() <= NARROW => text.push_str(&format!("  {of}: {one}\n")),
            many if failure.diff.is_empty() || many.len() <= SHORT => {
                text.push_str(&format!("  {of}:\n"));
                many.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
            }
            _ => {}
        }
    }
    if !failure.diff.is_empty() {
        text.push_str("  the difference:\n");
        failure.diff.iter().for_each(|line| text.push_str(&diff_line(line)));
    }
    text.push_str(&trace(failure));
    for help in &failure.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

/// The calls that an error left; one that was made again and again by the same place is told once.
fn trace(failure: &Failure) -> String {
    let mut text = String::new();
    // Within the test itself the place says it all.
    if failure.trace.len() < 2 {
        return text;
    }
    for same in failure.trace.chunk_by(|a, b| a == b) {
        let [(function, place), more @ ..] = same else { continue };
        let times = if more.is_empty() { String::new() } else { format!(" ({} times)", more.len() + 1) };
        text.push_str(&format!("  in {function} at {place}{times}\n"));
    }
    text
}

fn diff_line(line: &DiffLine) -> String {
    match line {
        DiffLine::Same(text) => format!("      {text}\n"),
        DiffLine::Left(text) => format!("    {RED}- {text}{PLAIN}\n"),
        DiffLine::Right(text) => format!("    {GREEN}+ {text}{PLAIN}\n"),
        DiffLine::Skipped(count) => format!("    {FAINT}… {count} more{PLAIN}\n"),
    }
}

fn printed(verdict: &Verdict) -> String {
    if verdict.printed.is_empty() {
        return String::new();
    }
    let lines: String =
        verdict.printed.iter().flat_map(|text| text.lines()).map(|line| format!("    {line}\n")).collect();
    format!("  {FAINT}it printed:{PLAIN}\n{lines}")
}

/// How many tests there were.
pub(super) fn summary(verdicts: &[Vec<Verdict>], wrong: usize, crashing: Option<&Crashing>) -> String {
    let all = verdicts.iter().flatten().count();
    let failed = verdicts.iter().flatten().filter(|verdict| verdict.failure.is_some()).count();
    let mut words = vec![format!("{} passed", all - failed)];
    if failed > 0 {
        words.push(format!("{failed} failed"));
    }
    if wrong > 0 {
        words.push(format!("{} could not be checked", count(wrong as u64, "script", "scripts")));
    }
    let colour = if failed + wrong > 0 { RED } else { GREEN };
    let tried = || verdicts.iter().flatten().filter_map(|verdict| verdict.crashes.as_ref());
    if crashing.is_some() {
        words.push(count(tried().map(|crashes| crashes.runs).sum(), "crash", "crashes"));
    }
    let mut text = format!("\n{}: {colour}{}{PLAIN}\n", count(all as u64, "test", "tests"), words.join(", "));
    if let Some(crashing) = crashing.filter(|_| tried().any(|crashes| crashes.sampled)) {
        text.push_str(&format!("the sample of writes is drawn by a seed: `--seed {}` takes the same\n", crashing.seed));
    }
    text
}

/// Everything as one object.
pub(super) fn json(suites: &[Suite], verdicts: &[Vec<Verdict>], wrong: &[Loaded], crashing: Option<&Crashing>) -> Json {
    let tests: Vec<Json> = suites
        .iter()
        .zip(verdicts)
        .flat_map(|(suite, verdicts)| {
            suite.chosen.iter().zip(verdicts).map(|(number, verdict)| record(suite, *number, verdict))
        })
        .collect();
    let failed = verdicts.iter().flatten().filter(|verdict| verdict.failure.is_some()).count();
    let checked = report::json(wrong);
    let mut all = json!({
        "tests": tests,
        "passed": tests.len() - failed,
        "failed": failed,
        "errors": wrong.len(),
        "diagnostics": checked["diagnostics"],
    });
    if let Some(crashing) = crashing {
        all["seed"] = json!(crashing.seed);
    }
    all
}

fn record(suite: &Suite, number: usize, verdict: &Verdict) -> Json {
    let test = &suite.image.program.tests[number];
    let at = suite.loaded.source(test.span).line_column(test.span.start);
    let mut record = json!({
        "file": suite.path.display().to_string(),
        "name": test.name.as_str(),
        "line": at.line,
        "status": if verdict.failure.is_some() { "failed" } else { "passed" },
        "failure": verdict.failure.as_ref().map(|failure| failure_json(suite, failure)),
        "printed": verdict.printed,
    });
    if let Some(crashes) = &verdict.crashes {
        record["crashes"] = json!({
            "count": crashes.runs,
            "writes": crashes.writes,
            "sampled": crashes.sampled,
            "unknown": crashes.unknown,
            "at": crashes.at,
        });
    }
    record
}

fn failure_json(suite: &Suite, failure: &Failure) -> Json {
    let place = failure.span.map(|span| {
        let source = suite.loaded.source(span);
        let at = source.line_column(span.start);
        json!({ "file": &*source.name, "line": at.line, "column": at.column })
    });
    let values: Vec<Json> =
        failure.values.iter().map(|(of, lines)| json!({ "of": of, "text": lines.join("\n") })).collect();
    let trace: Vec<Json> =
        failure.trace.iter().map(|(function, place)| json!({ "function": function, "place": place })).collect();
    let diff: Vec<String> = failure
        .diff
        .iter()
        .map(|line| match line {
            DiffLine::Same(text) => format!("  {text}"),
            DiffLine::Left(text) => format!("- {text}"),
            DiffLine::Right(text) => format!("+ {text}"),
            DiffLine::Skipped(count) => format!("… {count} more"),
        })
        .collect();
    json!({
        "message": failure.message,
        "place": place,
        "values": values,
        "diff": diff,
        "help": failure.help,
        "trace": trace,
    })
}

/// A number of things.
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn one_line(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}
