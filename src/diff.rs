//! `wf diff`: what changed in a run from one checkpoint to another.

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use wf_runtime::store::{RunRecord, SqliteStore, Store};

use crate::{
    list::pretty,
    moment::{self, Moment},
    out::{self, Exit},
    place, value,
};

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// How much of a value is shown as text.
const SHOWN: usize = 80;

/// Show what changed in a run from one checkpoint to another: state, variables, branches, requests, and what it told
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf diff 4f7c1a --at 3 --to 7    from checkpoint 3 to checkpoint 7
  wf diff last --at 3             from checkpoint 3 to now
  wf diff last --at 3 --json      the same for a machine

`wf show RUN --checkpoints` lists the checkpoints.

RUN is an id, an unambiguous beginning or ending of one, or `last`.")]
pub(crate) struct Diff {
    /// The run
    run: String,
    /// The checkpoint before
    #[arg(long, value_name = "N")]
    at: u64,
    /// The checkpoint after (default: the latest)
    #[arg(long, value_name = "M")]
    to: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
}

impl Diff {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        out::answer(self.text())
    }

    fn text(&self) -> Result<String, String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let id = place::find_run(&*store, &self.run)?;
        let record = store.run(&id).map_err(|error| place::unusable(&path, &error))?;
        let diff = Changes::between(&store, &record, self.at, self.to.unwrap_or(record.last_checkpoint))?;
        Ok(if self.json { pretty(&diff.as_json()) } else { diff.as_text() })
    }
}

/// One value that differs: where it is, and what stands there before and after; `None` where there is nothing.
struct Change {
    path: String,
    before: Option<Json>,
    after: Option<Json>,
}

/// A branch before and after.
struct Branch {
    name: String,
    /// Where its innermost call stands, unless there is no such branch.
    stood: Option<String>,
    stands: Option<String>,
    /// Variables of the calls that are in progress on both sides.
    locals: Vec<Change>,
}

/// What changed in a run between two of its checkpoints.
struct Changes {
    run: String,
    from: u64,
    to: u64,
    status: (String, String),
    state: Vec<Change>,
    branches: Vec<Branch>,
    opened: Vec<Json>,
    closed: Vec<Json>,
    events: Vec<Json>,
}

impl Changes {
    fn between(store: &SqliteStore, record: &RunRecord, from: u64, to: u64) -> Result<Changes, String> {
        let (before, after) = (Moment::of(store, record, Some(from))?, Moment::of(store, record, Some(to))?);
        let (before, after) = (before.json, after.json);
        let status = |moment: &Json| moment["status"].as_str().unwrap_or_default().to_owned();
        let mut state = Vec::new();
        compare("", Some(&before["state"]), Some(&after["state"]), &mut state);
        let missing = |from: &Json, of: &Json| -> Vec<Json> {
            let there = |request: &Json| list(of).iter().any(|other| other["id"] == request["id"]);
            list(from).iter().filter(|request| !there(request)).cloned().collect()
        };
        let (earlier, later) = (from.min(to), from.max(to));
        Ok(Changes {
            run: record.id.to_string(),
            from,
            to,
            status: (status(&before), status(&after)),
            state,
            branches: branches(list(&before["fibers"]), list(&after["fibers"])),
            opened: missing(&after["requests"], &before["requests"]),
            closed: missing(&before["requests"], &after["requests"]),
            events: moment::events(store, record, earlier.saturating_add(1), later)?,
        })
    }

    fn as_json(&self) -> Json {
        let changes = |all: &[Change]| -> Vec<Json> {
            let one = |change: &Change| {
                let mut shown = json!({ "path": change.path });
                let sides = [("before", &change.before), ("after", &change.after)];
                for (name, side) in sides {
                    side.iter().for_each(|value| shown[name] = (*value).clone());
                }
                shown
            };
            all.iter().map(one).collect()
        };
        let branch = |branch: &Branch| {
            let (stood, stands) = (&branch.stood, &branch.stands);
            json!({ "branch": branch.name, "before": stood, "after": stands, "locals": changes(&branch.locals) })
        };
        json!({
            "run_id": self.run,
            "from": self.from,
            "to": self.to,
            "status": { "before": self.status.0, "after": self.status.1 },
            "state": changes(&self.state),
            "branches": self.branches.iter().map(branch).collect::<Vec<_>>(),
            "requests": { "opened": self.opened, "closed": self.closed },
            "events": self.events,
        })
    }

    fn as_text(&self) -> String {
        let mut text = format!("{BOLD}run {}, checkpoint {} → {}{PLAIN}\n", self.run, self.from, self.to);
        if self.status.0 != self.status.1 {
            text.push_str(&format!("{} → {}\n", self.status.0, self.status.1));
        }
        let part = |text: &mut String, title: &str, lines: String| {
            if !lines.is_empty() {
                text.push_str(&format!("\n{BOLD}{title}{PLAIN}\n{lines}"));
            }
        };
        part(&mut text, "state", self.state.iter().map(|change| line(change, "  ")).collect());
        part(&mut text, "branches", self.branches.iter().map(branch_text).collect());
        let request = |mark: &str, colour: &str, request: &Json| {
            let id = request["id"].as_str().unwrap_or_default();
            format!("  {colour}{mark} {id}{PLAIN}  {}\n", value::question(request))
        };
        let closed = self.closed.iter().map(|closed| request("-", RED, closed));
        let opened = self.opened.iter().map(|opened| request("+", GREEN, opened));
        part(&mut text, "requests", closed.chain(opened).collect());
        part(&mut text, "told", self.events.iter().map(told).collect());
        text
    }
}

/// One event in a line.
fn told(event: &Json) -> String {
    let field = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let what = match field("type").as_str() {
        "log" => shortened(&field("text")),
        "request_info" | "request_withdrawn" | "response" => field("id"),
        _ => field("path"),
    };
    let seq = event["seq"].as_u64().unwrap_or_default();
    format!("  {seq:>5}  {:<20} {what}", field("type")).trim_end().to_owned() + "\n"
}

fn branch_text(branch: &Branch) -> String {
    let name = &branch.name;
    let mut text = match (&branch.stood, &branch.stands) {
        (None, Some(stands)) => format!("  {GREEN}+ {name}{PLAIN}  {stands}\n"),
        (Some(stood), None) => format!("  {RED}- {name}{PLAIN}  {stood}\n"),
        (Some(stood), Some(stands)) if stood != stands => format!("  {YELLOW}~ {name}{PLAIN}  {stood} → {stands}\n"),
        (_, stands) => format!("  {YELLOW}~ {name}{PLAIN}  {}\n", stands.as_deref().unwrap_or_default()),
    };
    text.extend(branch.locals.iter().map(|change| line(change, "      ")));
    text
}

/// A change of a value in a line.
fn line(change: &Change, indent: &str) -> String {
    let path = &change.path;
    let shown = |value: &Json| shortened(&value.to_string());
    match (&change.before, &change.after) {
        (None, Some(after)) => format!("{indent}{GREEN}+ {path}{PLAIN}: {}\n", shown(after)),
        (Some(before), None) => format!("{indent}{RED}- {path}{PLAIN}: {}\n", shown(before)),
        (Some(before), Some(after)) => {
            format!("{indent}{YELLOW}~ {path}{PLAIN}: {} → {}\n", shown(before), shown(after))
        }
        (None, None) => String::new(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The branches that are not the same on both sides, in the order of their names.
fn branches(before: &[Json], after: &[Json]) -> Vec<Branch> {
    let name = |fiber: &Json| fiber["branch"].as_str().unwrap_or_default().to_owned();
    let all: std::collections::BTreeSet<String> = before.iter().chain(after).map(name).collect();
    let find = |side: &[Json], wanted: &str| side.iter().find(|fiber| fiber["branch"] == *wanted).cloned();
    all.into_iter()
        .filter_map(|name| {
            let (old, new) = (find(before, &name), find(after, &name));
            let (stood, stands) = (old.as_ref().map(stands), new.as_ref().map(stands));
            let locals = match (&old, &new) {
                (Some(old), Some(new)) => locals(list(&old["frames"]), list(&new["frames"])),
                _ => Vec::new(),
            };
            let shown = if name.is_empty() { "the main line".to_owned() } else { name };
            (stood != stands || !locals.is_empty()).then_some(Branch { name: shown, stood, stands, locals })
        })
        .collect()
}

/// Where the innermost call of a branch stands.
fn stands(fiber: &Json) -> String {
    let Some(top) = list(&fiber["frames"]).first() else { return "nowhere".into() };
    let text = |name: &str| top[name].as_str().unwrap_or_default().to_owned();
    format!("{} at {}:{}", text("function"), text("file"), top["line"])
}

/// The variables that differ, of calls that are in progress on both sides: from the outermost on, as long as they are calls
/// of the same functions.
fn locals(before: &[Json], after: &[Json]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (old, new) in before.iter().rev().zip(after.iter().rev()) {
        if old["function"] != new["function"] || old["file"] != new["file"] {
            break;
        }
        let function = new["function"].as_str().unwrap_or_default();
        compare(function, Some(&old["locals"]), Some(&new["locals"]), &mut changes);
    }
    changes
}

/// Goes down to the smallest parts that differ.
fn compare(path: &str, before: Option<&Json>, after: Option<&Json>, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                compare(&format!("{path}.{key}"), old.get(key), new.get(key), changes);
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(&format!("{path}[{index}]"), old.get(index), new.get(index), changes);
            }
        }
        (before, after) => {
            changes.push(Change { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
        }
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}
