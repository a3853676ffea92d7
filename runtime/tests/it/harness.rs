//! A world for scripts under test: they are compiled with the real library, their effects are counted outside of the
//! run, and their calls finish in the order in which they were made.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use wf_lang::load::Library;
use wf_runtime::{
    Fault, Kind, Value,
    code::{Code, StoredSource},
    drive::{self, Begin, DriveError, Ended, Options, Report, Sink},
    effect::Effect,
    host::{Host, Performing},
    json::{parse_time, to_json},
    machine::{Image, Outcome},
    store::{NewRun, Owner, RunId, Store, StoreError},
};

use crate::files;

/// A script, compiled.
pub(crate) struct Script {
    pub(crate) image: Arc<Image>,
    pub(crate) code: Code,
}

impl Script {
    /// Compiles a script; panics with its diagnostics when it does not check.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        match Self::compile(name, text) {
            Ok(script) => script,
            Err(messages) => panic!("{name} does not check:\n{}", messages.join("\n")),
        }
    }

    /// Compiles a script, or says what is wrong with it.
    pub(crate) fn compile(name: &str, text: &str) -> Result<Self, Vec<String>> {
        let library = Library::new(wf_stdlib::MODULES.iter().copied());
        let loaded = files::load(&library, name, text);
        let errors: Vec<String> = loaded
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .map(|diagnostic| {
                let at = loaded.source(diagnostic.span).line_column(diagnostic.span.start);
                format!("{}:{}: {}", at.line, at.column, diagnostic.message)
            })
            .collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let program = wf_lang::compile::compile(&loaded.checked).map_err(|diagnostic| vec![diagnostic.message])?;
        let sources = loaded.checked.modules.iter().map(|module| StoredSource {
            name: module.source.name.to_string(),
            library: module.library,
            text: module.source.text.to_string(),
            imports: Vec::new(),
        });
        let code = Code { sources: sources.collect(), program };
        let image = code.image().expect("the library's functions are there");
        Ok(Self { image, code })
    }
}

/// A call that reached the world.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) args: Json,
}

/// The world: it counts what reaches it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) calls: Mutex<Vec<Call>>,
    clock: AtomicI64,
    /// What time it is, if time does not pass by itself.
    still: Option<AtomicI64>,
}

/// 2030-01-07T09:00:00Z.
const START: i64 = 1_894_006_800_000;

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// A world in which time passes only while a run waits for it, and no process has the run.
    pub(crate) fn still() -> Arc<Self> {
        Arc::new(Self { still: Some(AtomicI64::new(START)), ..Self::default() })
    }

    /// Lets time pass, if it does not by itself.
    fn wait_until(&self, moment: i64) -> bool {
        self.still.as_ref().is_some_and(|still| still.fetch_max(moment, Ordering::Relaxed) < moment)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("no panic meanwhile").clone()
    }

    fn started() -> std::time::Instant {
        static AT: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        *AT.get_or_init(std::time::Instant::now)
    }

    /// `exec(["echo", …])` gives its words, `["fail", n, attempt]` gets no answer up to attempt n, `["refuse", …]` an error, `["wait", ms]` takes time.
    fn exec(effect: &Effect) -> (Outcome, Duration) {
        let words: Vec<String> = match effect.args.first().map(to_json) {
            Some(Ok(Json::Array(words))) => {
                words.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect()
            }
            _ => Vec::new(),
        };
        let number = |index: usize| words.get(index).and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
        let output = |text: String| {
            Value::record([("stdout", Value::str(text)), ("stderr", Value::str("")), ("code", Value::Int(0))])
        };
        match words.first().map(String::as_str) {
            Some("fail") => {
                if number(2) <= number(1) {
                    let mut fault = Fault::new(Kind::Network, format!("attempt {} fails", number(2)));
                    fault.retryable = true;
                    return (Err(fault), Duration::ZERO);
                }
                (output("at last".into()), Duration::ZERO)
            }
            Some("refuse") => {
                if number(2) <= number(1) {
                    let mut fault = Fault::new(Kind::Exec, format!("attempt {} is refused", number(2)));
                    fault.retryable = true;
                    return (Err(fault), Duration::ZERO);
                }
                (output("at last".into()), Duration::ZERO)
            }
            Some("wait") => (output("waited".into()), Duration::from_millis(number(1))),
            _ => (output(words.iter().skip(1).cloned().collect::<Vec<_>>().join(" ")), Duration::ZERO),
        }
    }
}

/// The world as a host: a run's handle on it.
pub(crate) struct Handle(pub(crate) Arc<World>);

impl Host for Handle {
    fn instant(&self, effect: &Effect) -> Outcome {
        match effect.name.as_str() {
            "time.now" => Ok(Value::Time(self.now())),
            "uuid" => Ok(Value::str(format!("id-{}", self.0.clock.fetch_add(1, Ordering::Relaxed)))),
            "random.float" => Ok(Value::Float(0.5)),
            other => Err(Fault::new(Kind::Error, format!("no instant `{other}`"))),
        }
    }

    fn perform(&self, effect: Effect, key: String) -> Performing {
        let args = match effect.name.as_str() {
            "exec" => effect.args.first().and_then(|argv| to_json(argv).ok()).unwrap_or_default(),
            "agent._model" => json!("model"),
            _ => effect.args.iter().map(|arg| to_json(arg).unwrap_or_default()).collect(),
        };
        let call = Call { name: effect.name.as_str().to_owned(), key: key.clone(), args };
        self.0.calls.lock().expect("no panic meanwhile").push(call);
        let (outcome, takes) = match effect.name.as_str() {
            "exec" => World::exec(&effect),
            "fs.append" => (Ok(Value::Null), Duration::ZERO),
            "agent._model" => (echo(&effect), Duration::ZERO),
            other => (Err(Fault::new(Kind::Error, format!("no effect `{other}`"))), Duration::ZERO),
        };
        Box::pin(async move {
            if !takes.is_zero() {
                tokio::time::sleep(takes).await;
            }
            outcome
        })
    }

    fn now(&self) -> i64 {
        match &self.0.still {
            Some(still) => still.load(Ordering::Relaxed),
            None => START + i64::try_from(World::started().elapsed().as_millis()).expect("a short test"),
        }
    }
}

fn echo(effect: &Effect) -> Outcome {
    let messages = effect.args.first().and_then(|request| request.get("messages")).and_then(Value::as_list).cloned();
    let last = messages.and_then(|messages| messages.iter().last().cloned()).unwrap_or_default();
    let text = last.get("content").cloned().unwrap_or_default();
    let usage = Value::record([
        ("input_tokens", Value::Int(1)),
        ("output_tokens", Value::Int(1)),
        ("total_tokens", Value::Int(2)),
    ])?;
    Value::record([("text", text), ("usage", usage)])
}

/// Keeps the events.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Vec<Json>);

impl Sink for Kept {
    fn event(&mut self, event: &Json) -> bool {
        self.0.push(event.clone());
        true
    }
}

impl Kept {
    /// What was printed, line by line.
    #[allow(dead_code, reason = "not every module of this binary looks at what is printed")]
    pub(crate) fn printed(&self) -> Vec<String> {
        let prints = self.0.iter().filter(|event| event["type"] == "log" && event["print"] == true);
        prints.map(|event| event["text"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Which run, in which store and world.
pub(crate) struct Stage<'s> {
    pub(crate) script: &'s Script,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<World>,
    pub(crate) options: Options,
}

impl Stage<'_> {
    fn begin(&self) -> Begin {
        Begin {
            store: Arc::clone(&self.store),
            host: Arc::new(Handle(Arc::clone(&self.world))),
            image: Arc::clone(&self.script.image),
            options: self.options.clone(),
        }
    }

    /// Enters a new run of a workflow (the first one if none is named).
    pub(crate) fn start(&self, id: &str, workflow: Option<&str>, input: &Json) -> Result<drive::Run, DriveError> {
        let workflow = self.script.image.program.workflow(workflow).expect("the script has the workflow");
        let (code, code_hash) = self.script.code.pack().expect("code can be written");
        let new = NewRun {
            id: id.into(),
            workflow: workflow.name.to_string(),
            script: "test.wf".into(),
            code_hash,
            code,
            input: input.to_string(),
            settings: "{}".into(),
            created_at: START,
            owner: Owner::current(),
        };
        drive::begin(self.begin(), new)
    }

    /// Takes a run that the store remembers.
    pub(crate) fn reopen(&self, id: &str) -> Result<drive::Run, DriveError> {
        let record = self.store.run(id).map_err(DriveError::Store)?;
        drive::reopen(self.begin(), &record, None, false)
    }

    /// Drives a run with answers to its requests, by id, given one after the other whenever it pauses for them.
    pub(crate) fn finish(
        &self,
        mut run: drive::Run,
        answers: &dyn Fn(&Json) -> Option<Json>,
        kept: &mut Kept,
    ) -> Result<Report, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        loop {
            let id: RunId = Arc::clone(run.id());
            let (_commands, received) = mpsc::unbounded_channel();
            let report = runtime.block_on(run.drive(kept, received))?;
            if report.ended != Ended::Paused {
                return Ok(report);
            }
            run = match self.reopen(&id) {
                Ok(run) => run,
                Err(DriveError::Store(error)) => return Err(error),
                Err(error) => panic!("{error}"),
            };
            let mut answered = false;
            for request in run.open_requests() {
                if let Some(answer) = answers(&request) {
                    let id = request["id"].as_str().expect("a request has an id");
                    run.respond(id, &answer).unwrap_or_else(|reason| panic!("{id}: {reason}"));
                    answered = true;
                    break;
                }
            }
            let wake_at = report.result["wake_at"].as_str().and_then(parse_time);
            if !answered && !wake_at.is_some_and(|moment| self.world.wait_until(moment)) {
                return Ok(report);
            }
        }
    }
}
