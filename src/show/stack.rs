//! The stack of a branch, for people: each call with its place in the source and its variables.

use serde_json::Value as Json;

use crate::moment::Moment;

/// How many branches are shown unless all are wanted.
const MOST_BRANCHES: usize = 20;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const CYAN: &str = "\x1b[36m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// The branches of a run: the first ones and how many there are beside, unless `all` are wanted.
pub(super) fn branches(moment: &Moment, all: bool) -> String {
    let fibers = moment.json["fibers"].as_array().map_or(&[][..], Vec::as_slice);
    let shown = if all { fibers.len() } else { MOST_BRANCHES };
    let mut text: String = fibers.iter().take(shown).map(|fiber| branch(moment, fiber)).collect();
    if fibers.len() > shown {
        text.push_str(&format!("\n… and {} more branches; `--all` shows them\n", fibers.len() - shown));
    }
    text
}

/// One branch: its frames, innermost first.
fn branch(moment: &Moment, fiber: &Json) -> String {
    let path = fiber["path"].as_str().unwrap_or_default();
    let waits = match (fiber["waits_for"]["kind"].as_str(), &fiber["waits_for"]) {
        (Some("gather" | "race"), waits) => joined(waits),
        (Some(kind), waits) => format!(", waits for a {kind} ({})", waits["what"].as_str().unwrap_or_default()),
        (None, _) => String::new(),
    };
    let cancelled = if fiber["cancelled"] == true { ", cancelled and cleaning up" } else { "" };
    let mut text = format!("\n{BOLD}{path}{PLAIN}{cancelled}{waits}\n");
    for frame in fiber["frames"].as_array().into_iter().flatten() {
        text.push_str(&call(moment, frame));
    }
    text
}

/// A call in progress.
fn call(moment: &Moment, frame: &Json) -> String {
    let (file, line) = (frame["file"].as_str().unwrap_or_default(), frame["line"].as_u64().unwrap_or_default());
    let mut text = format!("  {CYAN}{}{PLAIN} at {file}:{line}\n", frame["function"].as_str().unwrap_or_default());
    if moment.is_library(file) {
        for (_, source) in moment.lines(file, line, 0) {
            text.push_str(&format!("    {DIM}|{PLAIN} {}\n", source.trim()));
        }
    } else {
        text.push_str(&excerpt(&moment.lines(file, line, 1), line, frame["column"].as_u64().unwrap_or(1)));
    }
    for (name, local) in frame["locals"].as_object().into_iter().flatten() {
        text.push_str(&format!("      {name} = {}\n", shortened(&local.to_string())));
    }
    text
}

/// Lines of a source, with a mark under a place.
fn excerpt(lines: &[(u64, &str)], line: u64, column: u64) -> String {
    let lines: Vec<(u64, String)> = lines
        .iter()
        .map(|(number, text)| (*number, visible(text)))
        .filter(|(n, text)| *n == line || !text.trim().is_empty())
        .collect();
    let width = lines.last().map_or(1, |(number, _)| number.to_string().len());
    let blanks = |text: &String| text.len() - text.trim_start().len();
    let margin = lines.iter().filter(|(_, text)| !text.trim().is_empty()).map(|(_, text)| blanks(text)).min();
    let margin = margin.unwrap_or_default();
    let mut drawn = String::new();
    for (number, text) in &lines {
        let text = text.get(margin..).unwrap_or_default().trim_end();
        drawn.push_str(&format!("    {DIM}{number:>width$} |{PLAIN} {}\n", shortened(text)));
        if *number == line {
            let before = usize::try_from(column).unwrap_or(1).saturating_sub(1).saturating_sub(margin);
            drawn.push_str(&format!("    {:width$} {DIM}|{PLAIN} {}{RED}^{PLAIN}\n", "", " ".repeat(before.min(MOST))));
        }
    }
    drawn
}

/// One character for each, none of which moves the cursor.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// What a branch waits for that joins others.
fn joined(waits: &Json) -> String {
    let (done, total) = (&waits["done"], &waits["total"]);
    match (waits["kind"].as_str(), waits["ending"].as_bool(), &waits["wanted"]) {
        (_, Some(true), _) => format!(", {done} of {total} branches done, waits for the others to clean up"),
        (Some("race"), ..) => format!(", waits for the first of {total} branches"),
        (_, _, Json::Null) => format!(", {done} of {total} branches done"),
        (_, _, wanted) => format!(", {done} of the first {wanted} of {total} branches done"),
    }
}

/// More characters of a value are not shown.
const MOST: usize = 100;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
