//! A program in the reference and on the machine: what each says of it, and how that differs.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use wf_lang::load::Library;
use wf_runtime::{
    code::{Code, StoredSource},
    drive::{self, Begin, DriveError, Ended, Options, Sink},
    effect::{EffectKind, Hold},
    json::parse_time,
    machine::Image,
    store::{MemoryStore, NewRun, Owner, RunStatus, SqliteStore, Store},
};

use super::{
    fate::{Fate, START},
    interp::{self, Exit, Origin, Wrong},
    program::{OnCrash, Program},
    sim::{Called, Inner, Sim},
    world::{Crash, Hand, World},
};
use crate::{files, gated::Gated};

/// What a run came to, as far as the contract fixes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Came {
    /// `{ status, output, error, total, seen }`
    pub(super) result: Json,
    /// What it told: first by path, then in order.
    pub(super) told: Vec<String>,
    pub(super) calls: Vec<Called>,
    /// Those that may not have left.
    pub(super) maybe: BTreeSet<String>,
}

/// Why a program is not compared.
#[derive(Debug)]
pub(super) struct Doubt(pub(super) String);

/// What the reference says.
pub(super) fn reference(program: &Program, seed: u64, wrong: Option<Wrong>) -> Result<Came, Doubt> {
    Ok(simulated(program, Inner::new(START, Fate::new(seed)), wrong)?.0)
}

/// The same, where crashes left unknown what became of calls: (moment, key). `last` says that what else happens at such a
/// moment was saved before.
pub(super) fn reference_crashed(
    program: &Program,
    seed: u64,
    unknown: &[(i64, String)],
    last: bool,
    wrong: Option<Wrong>,
) -> Result<Came, Doubt> {
    let mut inner = Inner::new(START, Fate::new(seed));
    inner.unknown = unknown.iter().cloned().collect();
    inner.unknown_last = last;
    Ok(simulated(program, inner, wrong)?.0)
}

/// What the reference says of a program whose failed runs are taken up again so often, in a world that is mended when the
/// first of them has failed.
pub(super) fn reference_mended(program: &Program, seed: u64, most: usize) -> Result<Came, Doubt> {
    let mut mended: Vec<(i64, String)> = Vec::new();
    loop {
        let mut inner = Inner::new(START, Fate::new(seed));
        inner.fate.mended = mended.first().map(|(at, _)| *at);
        inner.mended.clone_from(&mended);
        let (came, ended) = simulated(program, inner, None)?;
        match ended {
            Some((now, Origin::Call(at, key))) if mended.len() < most && now == at => mended.push((at, key)),
            Some((_, Origin::Elsewhere | Origin::Call(..))) if mended.len() < most => {
                return Err(Doubt("it fails otherwise than by a call".into()));
            }
            _ => return Ok(came),
        }
    }
}

/// What a program comes to, and when and by what it has failed.
fn simulated<'p>(
    program: &'p Program,
    inner: Inner<'p>,
    wrong: Option<Wrong>,
) -> Result<(Came, Option<(i64, Origin)>), Doubt> {
    let sim = Rc::new(Sim(RefCell::new(inner)));
    let result = interp::run(program, &sim, wrong);
    let mut inner = sim.0.borrow_mut();
    if let Some(doubt) = inner.ambiguous.take() {
        return Err(Doubt(doubt));
    }
    let failed = match &result {
        // What is thrown at the moment at which a call fails may be thrown because of that.
        Some(Err(Exit::Throw(fault))) if fault.origin == Origin::Thrown && inner.last_failure == inner.now => {
            Some((inner.now, Origin::Elsewhere))
        }
        Some(Err(Exit::Throw(fault))) => Some((inner.now, fault.origin.clone())),
        _ => None,
    };
    let (status, output, error) = match result {
        Some(Ok(value)) => ("completed", value, Json::Null),
        Some(Err(Exit::Throw(fault))) => ("failed", Json::Null, json!(fault.said())),
        Some(Err(_)) => ("cancelled", Json::Null, Json::Null),
        None => return Err(Doubt("nothing will ever happen".into())),
    };
    let came = Came {
        result: json!({
            "status": status, "output": output, "error": error, "total": inner.total, "seen": inner.seen,
        }),
        told: arranged(std::mem::take(&mut inner.told)),
        calls: std::mem::take(&mut inner.calls),
        maybe: std::mem::take(&mut inner.maybe),
    };
    Ok((came, failed))
}

/// Events in an order that the contract fixes: those of one path, and those of one text.
fn arranged(mut told: Vec<String>) -> Vec<String> {
    told.sort_by_cached_key(|line| line.split(' ').nth(2).unwrap_or_default().to_owned());
    let own = |line: &String| matches!(line.split(' ').nth(1), Some("told" | "log" | "request_withdrawn"));
    let (mut own, told): (Vec<_>, Vec<_>) = told.into_iter().partition(own);
    own.sort();
    [told, own].concat()
}

/// A program, compiled.
pub(super) struct Script {
    pub(super) image: Arc<Image>,
    code: Code,
}

impl Script {
    pub(super) fn new(text: &str) -> Result<Self, Vec<String>> {
        thread_local! {
            static LIBRARY: Library = Library::new(wf_stdlib::MODULES.iter().copied());
        }
        let loaded = LIBRARY.with(|library| files::load(library, "model.wf", text));
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

/// How a run is driven.
#[derive(Clone, Debug, Default)]
pub(super) struct How {
    /// Where the first processes are killed; the ones after them are not, unless the last is to be repeated.
    pub(super) crashes: Vec<Crash>,
    /// Every later process is killed where the last of these was.
    pub(super) again: bool,
    pub(super) each_boundary: bool,
    /// No process waits: each ends when only answers and timers move the run on.
    pub(super) leaves: bool,
    pub(super) sqlite: bool,
    /// How often a run that failed is taken up again, in a world that is mended.
    pub(super) mends: usize,
}

impl How {
    /// Whether it kills in the same way, be it elsewhere.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let sorts = |how: &Self| how.crashes.iter().map(std::mem::discriminant).collect::<Vec<_>>();
        (self.again, self.mends) == (other.again, other.mends) && sorts(self) == sorts(other)
    }
}

/// What the machine says.
pub(super) struct Ran {
    pub(super) came: Came,
    /// How often a crash found the call of a key in flight.
    pub(super) in_flight: BTreeMap<String, usize>,
    /// The same calls with the moments of the crashes.
    pub(super) unknown: Vec<(i64, String)>,
    pub(super) deaths: usize,
    /// Why the failed run was not taken up again.
    pub(super) refused: Option<String>,
    /// Writes and calls of the last process.
    pub(super) counts: (u64, u64),
}

#[derive(Default)]
struct Shown(Vec<Json>);

impl Sink for Shown {
    fn event(&mut self, event: &Json) -> bool {
        self.0.push(event.clone());
        true
    }
}

/// Runs a script to its end.
///
/// # Errors
/// What must never be, whatever the script says.
pub(super) fn machine(script: &Script, seed: u64, how: &How) -> Result<Ran, String> {
    let folder = how.sqlite.then(|| tempfile::tempdir().expect("a folder"));
    let open = || -> Result<Arc<dyn Store>, String> {
        match &folder {
            Some(folder) => Ok(SqliteStore::open(&folder.path().join("runs.db")).map_err(|error| error.to_string())?),
            None => Ok(MemoryStore::new()),
        }
    };
    let mut life = Lives { script, world: World::new(seed), store: open()?, how, shown: Shown::default() };
    life.all(seed)
}

struct Lives<'s> {
    script: &'s Script,
    world: Arc<World>,
    store: Arc<dyn Store>,
    how: &'s How,
    shown: Shown,
}

impl Lives<'_> {
    fn begin(&self) -> Begin {
        let gate = Hand(Arc::clone(&self.world));
        let options = Options {
            max_wait: self.how.leaves.then_some(std::time::Duration::ZERO),
            wait_for_answers: !self.how.leaves,
            each_boundary: self.how.each_boundary,
            ..Options::default()
        };
        Begin {
            store: Arc::new(Gated::new(Arc::clone(&self.store), gate.clone())),
            host: Arc::new(gate),
            image: Arc::clone(&self.script.image),
            options,
        }
    }

    fn start(&self) -> Result<drive::Run, DriveError> {
        let (code, code_hash) = self.script.code.pack().expect("code can be written");
        let new = NewRun {
            id: "run".into(),
            workflow: "main".into(),
            script: "model.wf".into(),
            code_hash,
            code,
            input: "{}".into(),
            settings: "{}".into(),
            created_at: START,
            owner: Owner::current(),
        };
        drive::begin(self.begin(), new)
    }

    fn reopen(&self) -> Result<drive::Run, DriveError> {
        let record = self.store.run("run")?;
        drive::reopen(self.begin(), &record, None, true)
    }

    fn all(&mut self, seed: u64) -> Result<Ran, String> {
        let mut crashes = self.how.crashes.iter().copied();
        let mut crash = crashes.next();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (mut in_flight, mut unknown, mut deaths) = (BTreeMap::<String, usize>::new(), Vec::new(), 0);
        self.world.live(crash);
        let (mut mends, mut refused) = (self.how.mends, None);
        let mut coin = crate::random::Random(seed);
        let mut run = self.start().map_err(|error| error.to_string())?;
        loop {
            let (_commands, received) = mpsc::unbounded_channel();
            let (world, shown) = (Arc::clone(&self.world), &mut self.shown);
            let report = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = world.death() => None,
                    report = run.drive(shown, received) => Some(report),
                }
            });
            let next = match report {
                Some(Ok(report)) if !self.world.is_dead() => {
                    if report.ended == Ended::Failed && mends > 0 {
                        mends -= 1;
                        // Calls of branches that the error has ended were under way.
                        for key in self.world.mend() {
                            *in_flight.entry(key).or_default() += 1;
                        }
                        self.world.live(crash);
                        let record = self.store.run("run").map_err(|error| error.to_string())?;
                        match drive::retry(self.begin(), &record, true) {
                            Ok(taken) => {
                                run = taken;
                                continue;
                            }
                            Err(DriveError::Refused(reason)) => refused = Some(reason),
                            Err(error) => return Err(error.to_string()),
                        }
                    }
                    if report.ended != Ended::Paused {
                        let came = self.came(&report.result)?;
                        let counts = self.world.counts();
                        return Ok(Ran { came, in_flight, unknown, deaths, refused, counts });
                    }
                    let wake_at = report.result["wake_at"].as_str().and_then(parse_time);
                    let open: Vec<&str> = report.result["requests"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(|request| request["id"].as_str())
                        .collect();
                    let person = self.world.next_person(&open);
                    match person.filter(|person| wake_at.is_none_or(|wake_at| person.at < wake_at)) {
                        Some(person) => {
                            self.world.set_clock(person.at.max(self.world.now()));
                            Some(person)
                        }
                        None => {
                            let Some(wake_at) = wake_at else { return Err(format!("it is stuck: {}", report.result)) };
                            self.world.set_clock(wake_at.max(self.world.now()));
                            None
                        }
                    }
                }
                Some(Err(error)) if !self.world.is_dead() => return Err(error.to_string()),
                _ => {
                    deaths += 1;
                    // It had renewed its lease just before.
                    let record = self.store.run("run").map_err(|error| error.to_string())?;
                    let renewed = self.store.renew(&record.id, record.epoch, self.world.now());
                    renewed.map_err(|error| error.to_string())?;
                    if deaths > 3000 {
                        return Err("it does not come to its end".into());
                    }
                    if let Some(result) = self.ended()? {
                        let came = self.came(&result)?;
                        let counts = self.world.counts();
                        return Ok(Ran { came, in_flight, unknown, deaths, refused, counts });
                    }
                    crash = match crashes.next() {
                        Some(crash) => Some(crash),
                        None => crash.filter(|_| self.how.again),
                    };
                    for key in self.open_calls()? {
                        *in_flight.entry(key.clone()).or_default() += 1;
                        unknown.push((self.world.now(), key));
                    }
                    None
                }
            };
            self.world.live(crash);
            let recorded = coin.below(2) == 0;
            if let (Some(person), true) = (&next, recorded) {
                let text = person.value.to_string();
                self.store.answer(&"run".into(), &person.id, &text, person.at).map_err(|error| error.to_string())?;
            }
            run = self.reopen().map_err(|error| error.to_string())?;
            next.iter().for_each(|person| self.world.given(person));
            if let (Some(person), false) = (&next, recorded) {
                let taken = run.respond(&person.id, &person.value);
                if taken.is_err() != person.value.is_string() {
                    return Err(format!(
                        "the answer {} to {} at {}: {taken:?}",
                        person.value,
                        person.id,
                        person.at - START
                    ));
                }
            }
        }
    }

    fn came(&self, result: &Json) -> Result<Came, String> {
        Ok(Came { result: shown_result(result), told: self.told()?, calls: self.world.calls(), maybe: BTreeSet::new() })
    }

    /// The result of a run that has come to its end, as the store holds it.
    fn ended(&self) -> Result<Option<Json>, String> {
        let record = self.store.run("run").map_err(|error| error.to_string())?;
        if !matches!(record.status, RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled) {
            return Ok(None);
        }
        let text = record.result.ok_or("a run that has ended has no result")?;
        let mut result: Json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        result["status"] = json!(record.status.text());
        Ok(Some(result))
    }

    /// The keys of the calls that the latest checkpoint holds as asked.
    fn open_calls(&self) -> Result<Vec<String>, String> {
        let record = self.store.run("run").map_err(|error| error.to_string())?;
        let machine =
            drive::look(&self.script.image, &*self.store, &record, None).map_err(|error| error.to_string())?;
        let open = machine.map_or_else(Vec::new, |machine| machine.open_effects());
        let open = open.into_iter().filter(|effect| effect.kind() == EffectKind::Outside && effect.hold == Hold::No);
        Ok(open.map(|effect| effect.key("run")).collect())
    }

    /// What the store holds of what the run told.
    fn told(&self) -> Result<Vec<String>, String> {
        let batches = self.store.events(&"run".into(), 0).map_err(|error| error.to_string())?;
        let mut events: Vec<Json> = Vec::new();
        for batch in &batches {
            events.extend(batch.lines.lines().map(|line| serde_json::from_str(line).expect("an event")));
        }
        for (index, event) in events.iter().enumerate() {
            if event["seq"] != json!(index + 1) {
                return Err(format!("event {} has the number {}", index + 1, event["seq"]));
            }
        }
        let mut last = 0;
        for shown in &self.shown.0 {
            let seq = shown["seq"].as_u64().unwrap_or_default();
            if seq <= last {
                return Err(format!("event {seq} was shown after event {last}"));
            }
            last = seq;
            if events.get(seq as usize - 1) != Some(shown) {
                return Err(format!("event {seq} was shown, but another was stored: {shown}"));
            }
        }
        let mut requests = BTreeMap::new();
        Ok(arranged(events.iter().filter_map(|event| line(event, &mut requests)).collect()))
    }
}

/// What the reference says of an event, if it says anything.
fn line(event: &Json, requests: &mut BTreeMap<String, String>) -> Option<String> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let at = parse_time(text("time")).unwrap_or_default() - START;
    let (path, attempt) = (text("path"), &event["attempt"]);
    let of = |requests: &BTreeMap<String, String>| requests.get(text("id")).cloned();
    let rest = match text("type") {
        what @ ("workflow_started" | "workflow_completed" | "step_started" | "step_completed" | "step_cancelled") => {
            format!("{what} {path} {attempt}")
        }
        what @ ("workflow_failed" | "step_failed" | "step_retrying") => {
            format!("{what} {path} {attempt} {}", said(&event["error"]))
        }
        "told" => format!("told {}", event["data"]),
        // What a cancelled branch leaves is told as well; in which words is not in the contract.
        "log" if text("text").starts_with('t') => format!("log {}", text("text")),
        "sleeping" if path.rsplit('/').next().is_some_and(|last| last.starts_with("nap[")) => {
            format!("sleeping {path} {}", parse_time(text("until")).unwrap_or_default() - START)
        }
        "request_info" => {
            // What a crash left unknown is asked beside what the script asks.
            if event["data"]["on_crash"].is_string() {
                return None;
            }
            let what = format!("{path} {}", event["data"]);
            requests.insert(text("id").to_owned(), what.clone());
            format!("request_info {what}")
        }
        "response" => format!("response {} {}", of(requests)?, event["value"]),
        "request_withdrawn" => format!("request_withdrawn {}", of(requests)?),
        _ => return None,
    };
    Some(format!("{at} {rest}"))
}

fn said(error: &Json) -> String {
    match error["kind"].as_str().unwrap_or_default() {
        "error" | "mine" => error["message"].as_str().unwrap_or_default().to_owned(),
        kind => kind.to_owned(),
    }
}

fn shown_result(result: &Json) -> Json {
    let error = if result["error"].is_null() { Json::Null } else { json!(said(&result["error"])) };
    let state = &result["state"];
    json!({
        "status": result["status"], "output": result["output"], "error": error, "total": state["total"],
        "seen": state["seen"],
    })
}

/// How what the machine says differs from what the reference says; `throws` says that some calls are not made again after a
/// crash.
pub(super) fn difference(expected: &Came, ran: &Ran, throws: bool, mended: bool) -> Option<String> {
    let mut differences = String::new();
    if ran.came.result != expected.result {
        let (reference, machine) = (&expected.result, &ran.came.result);
        differences += &format!("the reference comes to {reference}\nthe machine comes to   {machine}\n");
    }
    // What was told of an error that did not end the run after all is told.
    if ran.came.told != expected.told && (!mended || !differences.is_empty()) {
        let mut only = [Vec::new(), Vec::new()];
        for (index, (these, those)) in
            [(&expected.told, &ran.came.told), (&ran.came.told, &expected.told)].into_iter().enumerate()
        {
            only[index].extend(these.iter().filter(|line| !those.contains(line)).cloned());
        }
        if only.iter().all(Vec::is_empty) {
            only[1] = ran.came.told.clone();
            differences += "the machine tells the same in another order, or not as often\n";
        }
        let [reference, machine] = only.map(|lines| lines.join("\n  "));
        differences += &format!("only the reference tells\n  {reference}\nonly the machine tells\n  {machine}\n");
    }
    if !differences.is_empty() {
        return Some(differences);
    }
    let (once, again) = (counts(&expected.calls), counts(&ran.came.calls));
    for (key, (call, count)) in &once {
        let made = again.get(key).map_or(0, |(_, count)| *count);
        let most = count + ran.in_flight.get(*key).copied().unwrap_or_default();
        // One that is not made again after a crash may not have left at all.
        let lost = if throws { ran.in_flight.get(*key).copied().unwrap_or_default() } else { 0 };
        let least = if expected.maybe.contains(*key) { 0 } else { count.saturating_sub(lost) };
        if made < least || made > most {
            return Some(format!("{call:?} was made {made} times; at least {least} and at most {most} are right"));
        }
        if made > 0 && again[key].0.args != call.args {
            return Some(format!("{call:?} was made as {:?}", again[key].0));
        }
    }
    let further = again.iter().find(|(key, _)| !once.contains_key(*key));
    further.map(|(_, (call, _))| format!("{call:?} was made, and is not to be made"))
}

fn counts(calls: &[Called]) -> BTreeMap<&str, (&Called, usize)> {
    let mut counts: BTreeMap<&str, (&Called, usize)> = BTreeMap::new();
    for call in calls {
        counts.entry(&call.key).or_insert((call, 0)).1 += 1;
    }
    counts
}

/// Whether a crash may change what a program comes to: it has calls that are not made again then, or not
/// always.
pub(super) fn crashes_matter(program: &Program) -> bool {
    program.says(OnCrash::Throw) || program.says(OnCrash::Ask)
}
