//! The checkpoints that a run still has, and what happened at each.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use wf_runtime::store::{RunRecord, SqliteStore, Store, StoreError};

use crate::list::pretty;

/// How many events of a checkpoint are named.
const MOST_EVENTS: usize = 4;

/// The kept checkpoints, oldest first: as text, or as JSON.
pub(super) fn checkpoints(store: &SqliteStore, run: &RunRecord, as_json: bool) -> Result<String, String> {
    let failed = |error: StoreError| error.to_string();
    let kept = store.checkpoints(&run.id).map_err(failed)?;
    let mut told: BTreeMap<u64, Vec<Json>> = BTreeMap::new();
    for (n, batch) in store.told(&run.id, 0, u64::MAX).map_err(failed)? {
        let events = batch.lines.lines().filter_map(|line| serde_json::from_str(line).ok());
        told.entry(n).or_default().extend(events);
    }
    let nothing = Vec::new();
    let kept = kept.into_iter().rev().map(|n| (n, told.get(&n).unwrap_or(&nothing)));
    if as_json {
        let all = kept.map(|(n, events)| {
            let types: Vec<&Json> = events.iter().map(|event| &event["type"]).collect();
            json!({ "checkpoint": n, "time": events.first().map(|event| &event["time"]), "events": types })
        });
        return Ok(pretty(&json!(all.collect::<Vec<_>>())));
    }
    let width = run.last_checkpoint.to_string().len();
    let lines = kept.map(|(n, events)| {
        let time = events.first().and_then(|event| event["time"].as_str()).unwrap_or_default();
        let mut words: Vec<String> = events.iter().take(MOST_EVENTS).map(in_words).collect();
        if events.len() > MOST_EVENTS {
            words.push(format!("{} more", events.len() - MOST_EVENTS));
        }
        format!("{n:>width$}  {time:<24}  {}\n", words.join(", ")).trim_end().to_owned() + "\n"
    });
    Ok(lines.collect())
}

/// What happened, in a word or two.
fn in_words(event: &Json) -> String {
    let kind = event["type"].as_str().unwrap_or_default();
    let name = event["name"].as_str().unwrap_or_default();
    let id = event["id"].as_str().unwrap_or_default();
    match kind {
        "request_info" => format!("asked {id}"),
        "request_withdrawn" => format!("withdrew {id}"),
        "response" => format!("answered {id}"),
        _ => match kind.split_once('_') {
            Some(("step" | "workflow", what)) => format!("{name} {what}"),
            _ => kind.replace('_', " "),
        },
    }
}
