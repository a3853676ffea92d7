//! Scripts, run in this process: a store in memory, a clock that stands still until a timer is waited for, and programs
//! that are played.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use serde_json::Value as Json;
use tokio::sync::mpsc;
use wf_lang::{
    Diagnostic,
    load::{Library, Loaded},
    program::{Program, verify},
};
use wf_runtime::{
    Fault, Kind, Value,
    drive::{self, Begin, Options, Report, Sink},
    effect::Effect,
    host::{Host, ModelSettings, Performing, Permissions, System},
    json,
    machine::{Image, Outcome},
    store::{MemoryStore, NewRun, Owner, Store},
};

use crate::files;

/// When the clock of a script starts: 2030-01-07T09:00:00Z.
const START: i64 = 1_894_006_800_000;

/// Reads and checks a script, with its files, beside the library.
pub(crate) fn read(text: &str) -> Loaded {
    static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::new(wf_stdlib::MODULES.iter().copied()));
    files::load(&LIBRARY, "case.wf", text)
}

/// Compiles a script, and checks what was compiled: it is well formed, and the same after it was written and read.
///
/// # Errors
/// What is wrong with the script.
pub(crate) fn compile(loaded: &Loaded) -> Result<Program, Vec<Diagnostic>> {
    let errors: Vec<Diagnostic> = loaded.diagnostics.iter().filter(|found| found.is_error()).cloned().collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let program = wf_lang::compile::compile(&loaded.checked).map_err(|error| vec![*error])?;
    verify(&program).expect("what was compiled is well formed");
    let bytes = program.to_bytes().expect("a program can be written");
    assert_eq!(Program::from_bytes(&bytes).as_ref(), Ok(&program), "a program is the same after it was read back");
    Ok(program)
}

/// The image of a program that was compiled from `loaded`.
pub(crate) fn image(loaded: &Loaded, program: Program) -> Arc<Image> {
    Image::new(program, loaded.sources.clone()).expect("the engine has all that the library declares")
}

/// A world in which nothing happens but what a script asks for.
///
/// Programs: `["echo", …]` writes its words, `["cat"]` its input as JSON, `["fail", message]` ends with code 1,
/// `["flaky", n, text]` fails `n` times with an error that may pass and then writes `text`, `["wait", n, text]` lets others
/// go first `n` times, `["busy"]` gives how many of its kind ran beside it. Models: `offline/echo`, and `script/a|b|c`,
/// which answers `a`, then `b`, then `c` for ever.
pub(crate) struct World {
    clock: AtomicI64,
    ids: AtomicU32,
    played: Arc<Played>,
    system: System,
}

/// What the world remembers.
#[derive(Default)]
struct Played {
    files: Mutex<BTreeMap<String, String>>,
    counts: Mutex<BTreeMap<String, usize>>,
    busy: AtomicU32,
}

impl World {
    /// The world of a program.
    pub(crate) fn new(image: &Arc<Image>) -> Arc<Self> {
        let model = ModelSettings { default_model: Some("offline/echo".into()), ..ModelSettings::default() };
        Arc::new(Self {
            clock: AtomicI64::new(START),
            ids: AtomicU32::new(0),
            played: Arc::default(),
            system: System::new(Arc::clone(image), Permissions::default(), PathBuf::new(), model),
        })
    }

    /// Moves the clock on.
    pub(crate) fn wait_until(&self, moment: i64) {
        self.clock.fetch_max(moment, Ordering::SeqCst);
    }

    /// What was appended to files.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        self.played.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Played {
    /// How often this was asked before.
    fn count(&self, what: &str) -> usize {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(what.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    async fn exec(&self, effect: &Effect) -> Outcome {
        let argv = effect.args.first().map(json::to_json).transpose()?.unwrap_or_default();
        let words: Vec<&str> = argv.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let number = words.get(1).and_then(|word| word.parse::<usize>().ok()).unwrap_or_default();
        let text = words.get(2..).unwrap_or_default().join(" ");
        match words.first().copied().unwrap_or_default() {
            "echo" => output(&words[1..].join(" ")),
            "cat" => output(&effect.args.get(1).map(json::to_json).transpose()?.unwrap_or_default().to_string()),
            "flaky" if self.count(&argv.to_string()) < number => {
                let mut error = BTreeMap::from([("kind", Value::str("network")), ("message", Value::str("no route"))]);
                error.insert("retryable", Value::Bool(true));
                Err(Fault::from_value(&Value::record(error)?))
            }
            "flaky" => output(&text),
            "wait" => {
                for _ in 0..number * 10 {
                    tokio::task::yield_now().await;
                }
                output(&text)
            }
            "busy" => {
                let beside = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                self.busy.fetch_sub(1, Ordering::SeqCst);
                output(&beside.to_string())
            }
            "fail" => Err(Fault::new(Kind::Exec, words[1..].join(" "))),
            other => Err(Fault::new(Kind::Exec, format!("cannot run `{other}`: there is no such program"))),
        }
    }

    fn append(&self, effect: &Effect) -> Outcome {
        let text = |index: usize| effect.args.get(index).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.entry(text(0)).or_default().push_str(&text(1));
        Ok(Value::Null)
    }

    fn model(&self, script: &str) -> Outcome {
        let answers: Vec<&str> = script.split('|').collect();
        let answer = answers[self.count(script).min(answers.len() - 1)];
        let tokens = [("input_tokens", 2), ("output_tokens", 3), ("total_tokens", 5)];
        let usage = Value::record(tokens.map(|(name, tokens)| (name, Value::Int(tokens))))?;
        Value::record([("text", Value::str(answer)), ("usage", usage)])
    }
}

fn output(text: &str) -> Outcome {
    Value::record([("stdout", Value::str(text)), ("stderr", Value::str("")), ("code", Value::Int(0))])
}

impl Host for World {
    fn instant(&self, effect: &Effect) -> Outcome {
        match effect.name.as_str() {
            "time.now" => Ok(Value::Time(self.now())),
            "uuid" => {
                let number = self.ids.fetch_add(1, Ordering::SeqCst);
                Ok(Value::from(format!("00000000-0000-7000-8000-{number:012}")))
            }
            _ => Ok(Value::Float(0.5)),
        }
    }

    fn perform(&self, effect: Effect, key: String) -> Performing {
        let played = Arc::clone(&self.played);
        let model = effect.args.first().and_then(|request| request.get("model")).and_then(Value::as_str);
        let script = model.and_then(|model| model.strip_prefix("script/")).map(str::to_owned);
        match (effect.name.as_str(), script) {
            ("exec", _) => Box::pin(async move { played.exec(&effect).await }),
            ("fs.append", _) => Box::pin(async move { played.append(&effect) }),
            (_, Some(script)) => Box::pin(async move { played.model(&script) }),
            _ => self.system.perform(effect, key),
        }
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }
}

/// The events of a run.
#[derive(Default)]
pub(crate) struct Told(pub(crate) Vec<Json>);

impl Sink for Told {
    fn event(&mut self, event: &Json) -> bool {
        self.0.push(event.clone());
        true
    }
}

/// What came of a run.
pub(crate) struct Ran {
    /// How it stopped.
    pub(crate) report: Report,
    /// What it told.
    pub(crate) told: Told,
    /// Why answers were refused.
    pub(crate) refused: Vec<String>,
    /// What was appended to files.
    pub(crate) files: BTreeMap<String, String>,
}

/// An answer: to the request with this id, or to the oldest one that is open. None lets time pass instead.
pub(crate) type Answer = Option<(Option<String>, Json)>;

/// Runs a program to its end, or until no answer is left for what it asks.
///
/// # Errors
/// When the run cannot begin.
pub(crate) fn run(image: &Arc<Image>, workflow: &str, input: &Json, answers: &[Answer]) -> Result<Ran, String> {
    let store: Arc<dyn Store> = MemoryStore::new();
    let world = World::new(image);
    let begin = || {
        // Timers are not waited for: the clock is moved, and the run goes on.
        let options = Options { max_wait: Some(std::time::Duration::ZERO), ..Options::default() };
        Begin {
            store: Arc::clone(&store),
            host: Arc::clone(&world) as Arc<dyn Host>,
            image: Arc::clone(image),
            options,
        }
    };
    let new = NewRun {
        id: "run".into(),
        workflow: workflow.to_owned(),
        script: "case.wf".into(),
        code_hash: [0; 32],
        code: Arc::from([]),
        input: input.to_string(),
        settings: "{}".into(),
        created_at: START,
        owner: Owner::current(),
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let mut told = Told::default();
    let mut refused = Vec::new();
    let mut answers = answers.iter();
    let mut run = drive::begin(begin(), new).map_err(|error| error.to_string())?;
    loop {
        let (_commands, received) = mpsc::unbounded_channel();
        let report = runtime.block_on(run.drive(&mut told, received)).map_err(|error| error.to_string())?;
        let wake_at = report.result["wake_at"].as_str().and_then(json::parse_time);
        let open = report.result["requests"].as_array().is_some_and(|requests| !requests.is_empty());
        let answer = if open { answers.next() } else { None };
        if report.ended != drive::Ended::Paused || (answer.is_none() && wake_at.is_none()) {
            return Ok(Ran { report, told, refused, files: world.files() });
        }
        let record = store.run("run").map_err(|error| error.to_string())?;
        run = drive::reopen(begin(), &record, None, true).map_err(|error| error.to_string())?;
        match (answer, wake_at) {
            (Some(Some((id, value))), _) => {
                let oldest =
                    || run.open_requests().first().and_then(|request| request["id"].as_str().map(str::to_owned));
                let id = id.clone().or_else(oldest).unwrap_or_default();
                refused.extend(run.respond(&id, value).err());
            }
            (Some(None) | None, Some(moment)) => world.wait_until(moment),
            (Some(None) | None, None) => {}
        }
    }
}
