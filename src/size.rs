//! `wf show --size`: what the bytes of a run hold.

use serde_json::{Value as Json, json};
use wf_runtime::{
    drive::look,
    store::{RunRecord, Sizes, SqliteStore},
};

use crate::{compiled, list::pretty, value};

/// What belongs to no branch: the state of the modules, and what the branches share.
const ROOT: u32 = u32::MAX;

/// So many branches and variables are named, the largest first.
const NAMED: usize = 10;

/// What the bytes of a run hold, as text or JSON.
pub(crate) fn shown(store: &SqliteStore, record: &RunRecord, json: bool) -> Result<String, String> {
    let mut sizes = store.sizes(&record.id).map_err(|error| error.to_string())?;
    sizes.fibers.sort_by_key(|(fiber, bytes)| (std::cmp::Reverse(*bytes), *fiber));
    // A run that cannot be read still has its sizes.
    let machine = compiled::stored_at(store, record, None)
        .ok()
        .and_then(|code| code.image().ok())
        .and_then(|image| look(&image, store, record, None).ok().flatten());
    let paths = machine.as_ref().map(wf_runtime::machine::Machine::paths).unwrap_or_default();
    let path = |fiber: u32| match paths.get(&fiber) {
        Some(path) => path.clone(),
        None if fiber == ROOT => "the state".into(),
        None => format!("branch {fiber}"),
    };
    let branches: Vec<(String, u64)> = sizes.fibers.iter().map(|(fiber, bytes)| (path(*fiber), *bytes)).collect();
    let variables = machine.map(|machine| variables(&machine.view())).unwrap_or_default();
    Ok(match json {
        true => pretty(&as_json(record, &sizes, &branches, &variables)),
        false => as_text(record, &sizes, &branches, &variables),
    })
}

/// A variable of a live frame, and how long it is as JSON.
struct Variable {
    name: String,
    place: String,
    bytes: u64,
}

fn variables(fibers: &Json) -> Vec<Variable> {
    let mut found = Vec::new();
    for frame in fibers.as_array().into_iter().flatten().flat_map(|fiber| fiber["frames"].as_array()).flatten() {
        let place = format!(
            "{} at {}:{}",
            frame["function"].as_str().unwrap_or_default(),
            frame["file"].as_str().unwrap_or_default(),
            frame["line"]
        );
        for (name, local) in frame["locals"].as_object().into_iter().flatten() {
            let bytes = local.to_string().len() as u64;
            found.push(Variable { name: name.clone(), place: place.clone(), bytes });
        }
    }
    found.sort_by_key(|variable| std::cmp::Reverse(variable.bytes));
    found.truncate(NAMED);
    found
}

fn as_json(record: &RunRecord, sizes: &Sizes, branches: &[(String, u64)], variables: &[Variable]) -> Json {
    json!({
        "run_id": &*record.id,
        "bytes": sizes.total(),
        "live": {
            "branches": branches.iter().map(|(path, bytes)| json!({ "path": path, "bytes": bytes })).collect::<Vec<_>>(),
            "values": { "chunks": sizes.chunks.rows, "bytes": sizes.chunks.bytes },
            "largest_variables": variables.iter().map(|variable| json!({
                "name": variable.name, "in": variable.place, "json_bytes": variable.bytes
            })).collect::<Vec<_>>(),
        },
        "history": {
            "checkpoints": sizes.headers.rows,
            "headers": sizes.headers.bytes,
            "branches": sizes.old_fibers.bytes,
            "values": sizes.old_chunks.bytes,
        },
        "events": { "count": sizes.events.rows, "bytes": sizes.events.bytes },
        "requests": { "count": sizes.requests.rows, "bytes": sizes.requests.bytes },
        "input": sizes.input,
        "result": sizes.result,
        "code": { "bytes": sizes.code, "shared_with": sizes.code_shared_by },
    })
}

fn as_text(record: &RunRecord, sizes: &Sizes, branches: &[(String, u64)], variables: &[Variable]) -> String {
    let total = sizes.total();
    let mut rows: Vec<(String, u64)> = Vec::new();
    rows.push(("input and settings".into(), sizes.input));
    for (path, bytes) in branches.iter().take(NAMED) {
        rows.push((if path == "the state" { path.clone() } else { format!("stack of {path}") }, *bytes));
    }
    if branches.len() > NAMED {
        let rest = branches.iter().skip(NAMED).map(|(_, bytes)| bytes).sum();
        rows.push((format!("stacks of {} other branches", branches.len() - NAMED), rest));
    }
    rows.push((format!("large values ({})", value::counted(sizes.chunks.rows, "part")), sizes.chunks.bytes));
    let old = sizes.old_fibers.bytes + sizes.old_chunks.bytes;
    rows.push(("what only older checkpoints need".into(), old));
    rows.push((value::counted(sizes.headers.rows, "checkpoint"), sizes.headers.bytes));
    rows.push((value::counted(sizes.events.rows, "event"), sizes.events.bytes));
    rows.push((value::counted(sizes.requests.rows, "request"), sizes.requests.bytes));
    rows.push(("result".into(), sizes.result));
    rows.retain(|(_, bytes)| *bytes > 0);
    let width = rows.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default().max("together".len());
    let mut text = format!("run {}\n", record.id);
    for (what, bytes) in &rows {
        let share = bytes.saturating_mul(100) / total.max(1);
        text.push_str(&format!("  {what:<width$}  {:>9}  {share:>3} %\n", value::bytes(*bytes)));
    }
    text.push_str(&format!("  {:<width$}  {:>9}\n", "together", value::bytes(total)));
    let shared = match sizes.code_shared_by {
        0 => "of this run alone".to_owned(),
        others => format!("shared with {}", value::counted(others, "other run")),
    };
    text.push_str(&format!("  {:<width$}  {:>9}  {shared}\n", "code", value::bytes(sizes.code)));
    if !variables.is_empty() {
        text.push_str("\nthe largest variables, as JSON\n");
    }
    for Variable { name, place, bytes } in variables {
        text.push_str(&format!("  {name}  {}  in {place}\n", value::bytes(*bytes)));
    }
    text
}
