//! `wf run`: a script from its file to its result.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value as Json};
use wf_lang::{load::Loaded, program::Workflow};
use wf_runtime::{
    drive::{self, Begin, DriveError, KEEP},
    host::{Host, Permissions, System},
    machine::Image,
    schema::schema,
    store::{NewRun, Owner, RunStatus, SqliteStore, Store, StoreError},
};

use crate::{
    compiled, detach,
    engine::{self, Settings, Showing},
    load::load_file,
    notify,
    out::{self, Exit},
    place, report, resume, value,
};

/// The most bytes of a value from a file: what a value of the language may have.
const LARGEST_VALUE: usize = 16 << 20;

/// Start a workflow of a script, and go on until it ends or waits for a person
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf run headline.wf product=NebulaCloud      its only workflow, with an argument
  wf run reports.wf weekly --input @in.json   one of several, with all arguments as JSON
  wf run job.wf --allow exec,write=out        a script that runs programs and writes files
  wf run job.wf --stream | jq .type           the events, as they happen
  wf run job.wf --detach                      goes on by itself; `wf events last --follow` shows it

A value is text where the parameter takes text, else JSON; `name=@file` and `name=-` read it from a file or from
standard input.")]
pub(crate) struct Run {
    /// The script
    file: PathBuf,
    /// The workflow (the only one, `main`, or the one called like the file if left out), then its arguments as name=value
    #[arg(value_name = "WORKFLOW | name=value")]
    rest: Vec<String>,
    /// All arguments as a JSON object; `@file` and `-` read it
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// The name of the run; with the same workflow and input, goes on with the run of that name
    #[arg(long)]
    id: Option<String>,
    /// The store (default: .wf/runs.db beside the nearest wf.toml, or beside the script)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
    /// The model of agents that name none: openai/NAME or offline/echo
    #[arg(long, env = "WF_MODEL")]
    model: Option<String>,
    /// What the script may do: exec,write=DIR,read=DIR,env=NAME,net=HOST
    #[arg(long, value_name = "LIST")]
    allow: Vec<String>,
    /// How many checkpoints are kept beside those where the run started, paused or failed: a number, or all
    #[arg(long)]
    keep: Option<String>,
    /// Print the run's id, and let it go on in a process of its own that survives this terminal
    #[arg(long, conflicts_with = "stream")]
    detach: bool,
    #[command(flatten)]
    showing: Showing,
}

impl Run {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        let loaded = match load_file(&self.file) {
            Ok(loaded) => loaded,
            Err(unreadable) => {
                out::complain_of(&unreadable);
                return Ok(Exit::Wrong);
            }
        };
        if loaded.has_errors() {
            out::tell(&report::text(&[loaded], out::colour()));
            return Ok(Exit::Wrong);
        }
        Ok(self.start(&loaded).unwrap_or_else(|message| {
            out::complain(&message, None);
            Exit::Wrong
        }))
    }

    fn start(self, loaded: &Loaded) -> Result<Exit, String> {
        let code = compiled::code(loaded)?;
        let (packed, code_hash) = code.pack().map_err(|error| error.to_string())?;
        let image = code.image().map_err(|error| error.to_string())?;
        let (named, given) = self.named_and_given(&image)?;
        let workflow = chosen(&image, named.as_deref(), &self.file)?;
        let input = self.input(&image, &workflow, &given)?;
        // The arguments are wrong before there is a run.
        drive::arguments(&image, &workflow, &input)?;
        let settings = self.settings()?;
        let options = self.showing.options(settings.keep)?;
        let path = place::store_for_script(self.store.as_deref(), &self.file)?;
        let store = SqliteStore::open(&path).map_err(|error| place::unusable(&path, &error))?;
        place::warn(&store);
        let id: Arc<str> = match &self.id {
            Some(id) => checked_id(id)?.into(),
            None => uuid::Uuid::now_v7().to_string().into(),
        };
        let script = self.file.display().to_string();
        let host = System::new(Arc::clone(&image), settings.allow.clone(), settings.folder.clone(), settings.models());
        let host =
            notify::with_hook(host, &settings.folder, &id, &script, &store, &path).map_err(|(_, reason)| reason)?;
        let new = NewRun {
            id: Arc::clone(&id),
            workflow: workflow.name.to_string(),
            script,
            code_hash,
            code: packed,
            input: input.to_string(),
            settings: serde_json::to_string(&settings).map_err(|error| error.to_string())?,
            created_at: host.now(),
            owner: Owner::current(),
        };
        let begin = Begin { store: store.clone(), host: Arc::new(host), image, options };
        match drive::begin(begin, new) {
            Ok(run) if self.detach => {
                let short = place::short(&*store, &id);
                detach::hand_over(run, &self.showing, &short, &store, &path)
            }
            Ok(run) => {
                if !self.showing.json && self.showing.stream.is_none() {
                    out::tell(&format!("run {id}\n"));
                }
                Ok(engine::drive(run, &self.showing, &store, &path))
            }
            Err(DriveError::Store(StoreError::Exists(_))) if self.id.is_some() => {
                self.go_on_with(&store, &path, &id, workflow.name.as_str(), &input)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// `--id` of a run that there is: the same workflow and input goes on with it.
    fn go_on_with(
        &self,
        store: &Arc<SqliteStore>,
        path: &Path,
        id: &str,
        workflow: &str,
        input: &Json,
    ) -> Result<Exit, String> {
        let record = store.run(id).map_err(|error| error.to_string())?;
        let same =
            record.workflow == workflow && serde_json::from_str::<Json>(&record.input).ok().as_ref() == Some(input);
        if !same {
            return Err(format!(
                "there is a run `{id}` already, of another workflow or with another input; use another --id"
            ));
        }
        if matches!(record.status, RunStatus::Completed | RunStatus::Cancelled) {
            return resume::show_ended(&record, &self.showing);
        }
        resume::go_on(store, path, &record, &self.showing, resume::GoOn::default())
    }

    /// The workflow that is named, and what is given as `name=value`.
    fn named_and_given(&self, image: &Image) -> Result<(Option<String>, Given), String> {
        let mut rest = self.rest.iter();
        let mut named = None;
        let mut given = Given::new();
        for word in rest.by_ref() {
            match word.split_once('=') {
                Some((name, value)) => given.push((name.to_owned(), value.to_owned())),
                None if named.is_none() && given.is_empty() => named = Some(word.clone()),
                None => {
                    let first = image.program.workflows.first().map_or("WORKFLOW", |workflow| workflow.name.as_str());
                    return Err(format!(
                        "`{word}` is neither a workflow nor name=value; such as: wf run {} {first} name=value",
                        self.file.display()
                    ));
                }
            }
        }
        Ok((named, given))
    }

    /// The arguments as a JSON object.
    fn input(
        &self,
        image: &Image,
        workflow: &wf_lang::program::Workflow,
        given: &[(String, String)],
    ) -> Result<Json, String> {
        let mut input = match &self.input {
            None => Map::new(),
            Some(text) => match serde_json::from_str(&read_value(text, true)?) {
                Ok(Json::Object(object)) => object,
                Ok(_) => return Err("`--input` takes a JSON object with a field for each parameter".into()),
                Err(error) => return Err(format!("`--input` is no JSON: {error}")),
            },
        };
        let params = image.program.function(workflow.function).map_or(&[][..], |function| function.params.as_slice());
        for (name, text) in given {
            let Some(param) = params.iter().find(|param| param.name == name.as_str()) else {
                // Said in full, with the parameters that there are, when the arguments are read.
                input.insert(name.clone(), Json::String(text.clone()));
                continue;
            };
            let text = read_value(text, false)?;
            let schema = schema(&image.program.types, param.ty);
            let value = value::read(&text, &schema).map_err(|reason| format!("`{name}`: {reason}"))?;
            input.insert(name.clone(), value);
        }
        Ok(Json::Object(input))
    }

    fn settings(&self) -> Result<Settings, String> {
        let folder = place::folder_of(&self.file);
        let (root, project) = place::project(&folder)?;
        let here = std::env::current_dir().unwrap_or_else(|_| folder.clone());
        let mut allow = Permissions::default();
        for list in &project.allow {
            allow.extend(Permissions::parse(list, root.as_deref().unwrap_or(&folder))?);
        }
        for list in &self.allow {
            allow.extend(Permissions::parse(list, &here)?);
        }
        let keep = match (&self.keep, &project.store.keep) {
            (Some(text), _) => keep(text)?,
            (None, Some(place::KeepSetting::Number(number))) => Some(*number),
            (None, Some(place::KeepSetting::Word(word))) => keep(word)?,
            (None, None) => Some(KEEP),
        };
        Ok(Settings { allow, model: self.model.clone().or(project.model), keep, folder })
    }
}

/// What is given as `name=value`.
type Given = Vec<(String, String)>;

fn keep(text: &str) -> Result<Option<u64>, String> {
    match text {
        "all" => Ok(None),
        number => number.parse().map(Some).map_err(|_| format!("`--keep {text}`: write a number, or all")),
    }
}

/// The workflow that is named; else the only one, the one called `main`, or the one called like the file.
fn chosen(image: &Image, named: Option<&str>, file: &Path) -> Result<Workflow, String> {
    let workflows = &image.program.workflows;
    let called = |name: &str| workflows.iter().find(|workflow| workflow.name == name).cloned();
    let there: Vec<String> = workflows.iter().map(|workflow| format!("`{}`", workflow.name)).collect();
    match (named, workflows.as_slice()) {
        (_, []) => Err("the script has no workflow; declare one: workflow main() { … }".into()),
        (Some(named), _) => {
            called(named).ok_or_else(|| format!("the script has no workflow `{named}`; it has {}", there.join(", ")))
        }
        (None, [only]) => Ok(only.clone()),
        (None, _) => {
            let stem = file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
            called("main").or_else(|| called(&stem)).ok_or_else(|| {
                format!(
                    "the script has several workflows, name one: wf run {} NAME, of {}",
                    file.display(),
                    there.join(", ")
                )
            })
        }
    }
}

pub(crate) fn checked_id(id: &str) -> Result<&str, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    match id {
        "" | "last" => Err(format!("`{id}` cannot name a run")),
        id if id.len() > 100 || !id.chars().all(plain) => {
            Err("a run's name has at most 100 letters, digits, and `-_.:`".into())
        }
        id => Ok(id),
    }
}

/// A value as it is given, or the text of the file that it names.
fn read_value(text: &str, whole: bool) -> Result<String, String> {
    let small = |all: String| match all.len() {
        0..=LARGEST_VALUE => Ok(trimmed(all, whole)),
        size => Err(format!("the value has {size} bytes; at most {LARGEST_VALUE} are taken")),
    };
    if text == "-" {
        let mut all = String::new();
        let read = std::io::stdin().read_to_string(&mut all);
        return read.map_err(|error| format!("cannot read standard input: {error}")).and_then(|_| small(all));
    }
    match text.strip_prefix('@') {
        None => Ok(text.to_owned()),
        Some(file) => {
            let read = std::fs::read_to_string(file);
            read.map_err(|error| format!("cannot read `{file}`: {error}")).and_then(small)
        }
    }
}

/// Text from a file is taken as it is, but for the line break that editors add at its end.
fn trimmed(mut text: String, whole: bool) -> String {
    if !whole && text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}
