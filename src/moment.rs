//! A run as it stands, or stood at a checkpoint: what `show` and `diff` look at.

use serde_json::{Value as Json, json};
use wf_runtime::{
    code::Code,
    drive::look,
    json::{time_text, to_json},
    machine::Machine,
    store::{RunRecord, SqliteStore, Store, StoreError},
};

use crate::{compiled, list::status};

/// A run at one of its checkpoints.
pub(crate) struct Moment {
    /// As `wf show --json` prints it.
    pub(crate) json: Json,
    /// Its code there.
    pub(crate) code: Code,
}

impl Moment {
    /// A run as it stands, or as it was at checkpoint `at`.
    ///
    /// # Errors
    /// When there is no such checkpoint, or it cannot be read.
    pub(crate) fn of(store: &SqliteStore, record: &RunRecord, at: Option<u64>) -> Result<Moment, String> {
        let failed = |error: StoreError| error.to_string();
        let code = compiled::stored_at(store, record, at)?;
        let image = code.image().map_err(|error| error.to_string())?;
        let machine = look(&image, store, record, at).map_err(|error| error.to_string())?;
        let kept = store.kept(&record.id).map_err(failed)?;
        let n = at.unwrap_or(record.last_checkpoint);
        let mut json = json!({
            "run_id": &*record.id,
            "workflow": record.workflow,
            "script": record.script,
            "status": status(record),
            "created_at": time_text(record.created_at),
            "updated_at": time_text(record.updated_at),
        });
        let of_machine = |machine: &Machine| {
            let workflow = image.program.workflow(Some(&record.workflow));
            workflow.map(|workflow| to_json(&machine.state(workflow)).unwrap_or_default())
        };
        let state = machine.as_ref().and_then(of_machine);
        match (&machine, at) {
            (Some(machine), Some(at)) => {
                let told = events(store, record, at, at)?;
                let of = |kind: &str, field: &str| {
                    let event = told.iter().find(|event| event["type"] == kind);
                    event.map_or(Json::Null, |event| event[field].clone())
                };
                json["status"] = json!(status_at(&told, machine));
                json["output"] = of("output", "output");
                json["state"] = json!(state);
                json["requests"] = json!(machine.open_requests());
                json["error"] = of("failed", "error");
                json["usage"] = machine.usage();
                json["wake_at"] = json!(machine.wakes_at().map(time_text));
                json["owner"] = Json::Null;
            }
            _ => {
                let stored: Json =
                    record.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
                let requests = store.requests(Some(&record.id)).map_err(failed)?;
                let requests = requests.iter().map(|open| serde_json::from_str(&open.request.json).unwrap_or_default());
                json["output"] = stored["output"].clone();
                json["state"] = if stored.is_null() { json!(state) } else { stored["state"].clone() };
                json["requests"] = requests.collect::<Vec<Json>>().into();
                json["error"] = stored["error"].clone();
                json["usage"] = machine.as_ref().map_or(Json::Null, Machine::usage);
                json["wake_at"] = json!(record.wake_at.map(time_text));
                json["owner"] = json!(record.owner.as_ref().map(ToString::to_string));
            }
        }
        json["checkpoint"] = json!(n);
        json["checkpoints"] =
            json!(kept.map(|kept| json!({ "first": kept.first, "last": kept.last, "kept": kept.count })));
        json["fibers"] = machine.as_ref().map_or_else(|| json!([]), Machine::view);
        Ok(Moment { json, code })
    }

    /// The lines of a source around one of them, each with its number from 1.
    pub(crate) fn lines(&self, file: &str, line: u64, around: u64) -> Vec<(u64, &str)> {
        let Some(source) = self.code.sources.iter().find(|source| source.name == file) else { return Vec::new() };
        let wanted = line.saturating_sub(around)..=line.saturating_add(around);
        (1..).zip(source.text.lines()).filter(|(number, _)| wanted.contains(number)).collect()
    }

    /// Whether a file is of the library.
    pub(crate) fn is_library(&self, file: &str) -> bool {
        self.code.sources.iter().any(|source| source.library && source.name == file)
    }
}

/// What a run told from checkpoint `from` to checkpoint `to`.
pub(crate) fn events(store: &SqliteStore, record: &RunRecord, from: u64, to: u64) -> Result<Vec<Json>, String> {
    let told = store.told(&record.id, from, to).map_err(|error| error.to_string())?;
    let lines = told.iter().flat_map(|(_, batch)| batch.lines.lines());
    Ok(lines.filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Where a run stood at a checkpoint with which it told this.
fn status_at(told: &[Json], machine: &Machine) -> &'static str {
    let said = told.iter().rev().find_map(|event| match event["type"].as_str()? {
        "paused" => Some("paused"),
        "completed" => Some("completed"),
        "failed" => Some("failed"),
        "cancelled" => Some("cancelled"),
        "cancelling" => Some("cancelling"),
        _ => None,
    });
    said.unwrap_or(if machine.is_cancelled() { "cancelling" } else { "running" })
}
