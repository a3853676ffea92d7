//! `wf fork`: a new run that goes on from a checkpoint of another one.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value as Json;
use wf_runtime::{
    drive::{self, Begin, DriveError},
    host::{Host, Permissions, System},
    store::{NewRun, Owner, RunRecord, SqliteStore, Store, StoreError},
};

use crate::{
    compiled,
    engine::{self, Settings, Showing},
    notify,
    out::{self, Exit},
    place, resume, run, value,
};

/// Start a new run that goes on from a checkpoint of another one, which stays as it is
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf fork 4f7c1a --at 12                      go on from checkpoint 12, as another run
  wf fork 4f7c1a --at 12 --respond q1=reject  with another answer than the one that was given
  wf fork last                                from its latest checkpoint

`wf show RUN --checkpoints` lists the checkpoints. The new run has a name of its own, so the keys of its calls are new;
calls that were under way at the checkpoint are made again.

RUN is an id, an unambiguous beginning or ending of one, or `last`.")]
pub(crate) struct Fork {
    /// The run
    run: String,
    /// The checkpoint (default: the latest)
    #[arg(long, value_name = "N")]
    at: Option<u64>,
    /// An answer to a request that is open there
    #[arg(long, value_name = "ID=VALUE")]
    respond: Vec<String>,
    /// The name of the new run
    #[arg(long)]
    id: Option<String>,
    /// Allow more than the other run was given
    #[arg(long, value_name = "LIST")]
    allow: Vec<String>,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
    #[command(flatten)]
    showing: Showing,
}

impl Fork {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        Ok(self.fork().unwrap_or_else(|message| {
            out::complain(&message, None);
            Exit::Wrong
        }))
    }

    fn fork(self) -> Result<Exit, String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let source = place::find_run(&*store, &self.run)?;
        let source = store.run(&source).map_err(|error| place::unusable(&path, &error))?;
        let mut settings = Settings::of(&source)?;
        let here = std::env::current_dir().map_err(|error| error.to_string())?;
        for list in &self.allow {
            settings.allow.extend(Permissions::parse(list, &here)?);
        }
        let id: Arc<str> = match &self.id {
            Some(id) => run::checked_id(id)?.into(),
            None => uuid::Uuid::now_v7().to_string().into(),
        };
        let code_hash = match self.at {
            Some(at) => store.code_at(&source.id, at).map_err(|error| error.to_string())?,
            None => source.code_hash,
        };
        let code = store.code(&code_hash).map_err(|error| error.to_string())?;
        let image = compiled::stored_at(&*store, &source, self.at)?.image().map_err(|error| error.to_string())?;
        let host = System::new(Arc::clone(&image), settings.allow.clone(), settings.folder.clone(), settings.models());
        let host = notify::with_hook(host, &settings.folder, &id, &source.script, &store, &path);
        let host = host.map_err(|(_, reason)| reason)?;
        let new = NewRun {
            id: Arc::clone(&id),
            workflow: source.workflow.clone(),
            script: source.script.clone(),
            code_hash,
            code: code.into(),
            input: source.input.clone(),
            settings: serde_json::to_string(&settings).map_err(|error| error.to_string())?,
            created_at: host.now(),
            owner: Owner::current(),
        };
        let options = self.showing.options(settings.keep)?;
        let begin = Begin { store: store.clone(), host: Arc::new(host), image, options };
        let fork = match drive::Fork::of(begin, &source, self.at, Arc::clone(&id)) {
            Ok(fork) => fork,
            Err(error) => return refused(&store, &path, &source, &error),
        };
        let answers = answers(&fork, &self.respond)?;
        let calls = fork.in_flight();
        let run = fork.begin(new, &answers).map_err(|error| match error {
            DriveError::Store(StoreError::Exists(_)) => format!("there is a run `{id}` already; use another --id"),
            error => error.to_string(),
        })?;
        let checkpoint = self.at.unwrap_or(source.last_checkpoint);
        let from = place::short(&*store, &source.id);
        let mut text = format!("run {id}, from checkpoint {checkpoint} of {from}\n");
        for call in &calls {
            text.push_str(&format!("  made again: `{}` of {}\n", call.call, call.path));
        }
        out::tell(&text);
        Ok(engine::drive(run, &self.showing, &store, &path))
    }
}

/// The answers, each by the id of its request in the new run; either run's id may be given.
fn answers(fork: &drive::Fork, given: &[String]) -> Result<Vec<(String, Json)>, String> {
    let requests: Vec<(String, Json)> =
        fork.requests().map(|(theirs, json)| (theirs.to_owned(), json.clone())).collect();
    let open: Vec<Json> = requests.iter().map(|(_, json)| json.clone()).collect();
    let mut answers: Vec<(String, Json)> = Vec::new();
    for respond in given {
        let (id, text) = respond.split_once('=').ok_or_else(|| format!("`--respond {respond}`: write ID=VALUE"))?;
        let ours = requests.iter().find(|(theirs, _)| theirs == id).and_then(|(_, json)| json["id"].as_str());
        let request = resume::chosen(&open, Some(ours.unwrap_or(id)))
            .map_err(|reason| format!("{} at that checkpoint", reason.replace("the run has", "there is")))?;
        let value = value::read(text, &request["schema"]).map_err(|reason| resume::misfit(request, &reason))?;
        let id = request["id"].as_str().unwrap_or_default();
        fork.fits(id, &value).map_err(|reason| resume::misfit(request, &reason))?;
        if answers.iter().any(|(answered, _)| answered == id) {
            return Err(format!("`{id}` is answered twice"));
        }
        answers.push((id.to_owned(), value));
    }
    Ok(answers)
}

/// Why the run cannot be forked, and what can.
fn refused(store: &SqliteStore, path: &Path, source: &RunRecord, error: &DriveError) -> Result<Exit, String> {
    let (short, flag) = (place::short(store, &source.id), place::store_flag(path));
    let help = match error {
        DriveError::Store(StoreError::NoCheckpoint { nearest, .. }) if !nearest.is_empty() => {
            nearest.last().map(|n| format!("wf fork {short} --at {n}{flag}"))
        }
        DriveError::Damaged { usable: Some(n), .. } => Some(format!("wf fork {short} --at {n}{flag}")),
        DriveError::Refused(_) => Some(format!("`wf show {short} --checkpoints{flag}` lists them")),
        _ => None,
    };
    out::complain(&error.to_string(), help.as_deref());
    Ok(Exit::Wrong)
}
