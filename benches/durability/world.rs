//! A small world to run scripts in: a host that answers at once, and notes when it was asked.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use tokio::sync::mpsc;
use wf_lang::load::{Library, load};
use wf_runtime::{
    Fault, Value,
    code::{Code, StoredSource},
    drive::{self, Begin, Command, Options, Report, Run, Sink},
    effect::Effect,
    fault::Kind,
    host::{Host, Performing},
    machine::{Image, Outcome},
    store::{NewRun, Owner, RunId, Store},
};

use crate::measure;

/// Steps, each with one effect outside.
pub(crate) const STEPS: &str = r#"
step one(i: int) -> string {
    exec(["work", "${i}"]).stdout
}
workflow main(n: int) -> int {
    for i in 0..n {
        one(i)
    }
    n
}
"#;

/// The same, and their results are kept in a list.
pub(crate) const ACCUMULATE: &str = r#"
step one(i: int) -> string {
    exec(["work", "${i}"]).stdout
}
workflow main(n: int) -> int {
    let results: [string] = []
    for i in 0..n {
        results.push(one(i))
    }
    results.len()
}
"#;

/// A script, ready to run.
pub(crate) struct Script {
    pub(crate) image: Arc<Image>,
    packed: Arc<[u8]>,
    hash: [u8; 32],
    workflow: String,
}

impl Script {
    /// Checks and compiles a script.
    pub(crate) fn new(text: &str) -> Self {
        let library = Library::new(wf_stdlib::MODULES.iter().copied());
        let loaded = load(&library, "bench.wf", text);
        assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
        let program = wf_lang::compile::compile(&loaded.checked).expect("a program");
        let stored = |module: &wf_lang::check::ModuleInput| StoredSource {
            name: module.source.name.to_string(),
            library: module.library,
            text: module.source.text.to_string(),
            imports: Vec::new(),
        };
        let workflow = program.workflows.first().expect("a workflow").name.to_string();
        let code = Code { sources: loaded.checked.modules.iter().map(stored).collect(), program };
        let (packed, hash) = code.pack().expect("packed");
        Self { image: code.image().expect("an image"), packed, hash, workflow }
    }

    /// What a run of it starts with.
    pub(crate) fn new_run(&self, id: &str, input: &Json) -> NewRun {
        NewRun {
            id: id.into(),
            workflow: self.workflow.clone(),
            script: "bench.wf".into(),
            code_hash: self.hash,
            code: Arc::clone(&self.packed),
            input: input.to_string(),
            settings: "{}".into(),
            created_at: 0,
            owner: Owner::current(),
        }
    }

    /// Begins a run.
    pub(crate) fn begin(
        &self,
        store: Arc<dyn Store>,
        host: Arc<dyn Host>,
        keep: Option<u64>,
        id: &str,
        input: &Json,
    ) -> Run {
        let options = Options { keep, ..Options::default() };
        let begin = Begin { store, host, image: Arc::clone(&self.image), options };
        drive::begin(begin, self.new_run(id, input)).expect("the run begins")
    }

    /// Takes a run that there is.
    pub(crate) fn reopen(image: Arc<Image>, store: Arc<dyn Store>, host: Arc<dyn Host>, id: &RunId) -> Run {
        let record = store.run(id).expect("the run");
        let begin = Begin { store, host, image, options: Options::default() };
        drive::reopen(begin, &record, None, true).expect("the run goes on")
    }
}

/// When a question was asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    /// What the process had used by then; only where it was to be noted.
    pub(crate) cpu: Duration,
}

/// A host that answers every call with 30 bytes.
pub(crate) struct Answering {
    asked: Mutex<Vec<Asked>>,
    /// Notes the processor time at these questions.
    pub(crate) note_cpu: Vec<usize>,
    /// Ends the run at this question.
    pub(crate) stop: Option<(usize, mpsc::UnboundedSender<Command>)>,
}

impl Answering {
    pub(crate) fn new() -> Self {
        Self { asked: Mutex::default(), note_cpu: Vec::new(), stop: None }
    }

    /// When it was asked, so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Host for Answering {
    fn instant(&self, _: &Effect) -> Outcome {
        Err(Fault::new(Kind::Error, "nothing of this world is answered at once"))
    }

    fn perform(&self, effect: Effect, _: String) -> Performing {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let number = asked.len();
        let cpu = if self.note_cpu.contains(&number) { measure::cpu() } else { Duration::ZERO };
        asked.push(Asked { at: Instant::now(), cpu });
        if let Some((at, commands)) = &self.stop
            && number >= *at
        {
            let _ = commands.send(Command::Interrupt);
            return Box::pin(std::future::pending());
        }
        let stdout = format!("result {:>23}", effect.id);
        let output = [("stdout", Value::str(stdout)), ("stderr", Value::str("")), ("code", Value::Int(0))];
        Box::pin(std::future::ready(Value::record(output)))
    }

    fn now(&self) -> i64 {
        1_700_000_000_000
    }
}

/// Nobody looks.
struct Nobody;

impl Sink for Nobody {
    fn event(&mut self, _: &Json) -> bool {
        true
    }
}

/// The threads that the command has.
pub(crate) fn threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads")
}

/// Drives a run to where it stops.
pub(crate) fn drive(threads: &tokio::runtime::Runtime, run: Run, commands: mpsc::UnboundedReceiver<Command>) -> Report {
    threads.block_on(async { run.drive(&mut Nobody, commands).await.expect("the store takes it") })
}

/// Drives a run to its end.
pub(crate) fn drive_to_end(threads: &tokio::runtime::Runtime, run: Run) {
    let (_sender, commands) = mpsc::unbounded_channel();
    let report = drive(threads, run, commands);
    assert_eq!(report.ended, drive::Ended::Completed, "{}", report.result);
}
