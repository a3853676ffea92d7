//! The same world for the machine: a host whose clock jumps, and a store whose process can be killed at any write and any
//! call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};
use tokio::sync::{Notify, oneshot};
use wf_runtime::{
    Fault, Kind, Value,
    effect::{Effect, Hold},
    host::{Host, Performing, Waiting, Woken},
    json::to_json,
    machine::{Machine, Outcome},
    request::Request,
    store::{Delta, Epoch, Receipt, RunId, Store, StoreError},
};

use super::{
    fate::{Came, Fate, START},
    sim::Called,
};
use crate::gated::Gate;

/// Where a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// Instead of its n-th write.
    Write(u64),
    /// After its n-th write, before it knows.
    Written(u64),
    /// Before its n-th call leaves.
    Leaving(u64),
    /// When its n-th call has happened, before it knows.
    InFlight(u64),
}

/// Somebody answers a request.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) at: i64,
    pub(super) id: String,
    pub(super) value: Json,
}

/// What outlives a process, and what it has under way.
pub(super) struct World {
    inner: Mutex<Inner>,
    died: Notify,
}

struct Inner {
    now: i64,
    fate: Fate,
    calls: Vec<Called>,
    life: Life,
}

/// One process.
#[derive(Default)]
struct Life {
    crash: Option<Crash>,
    dead: bool,
    writes: u64,
    left: u64,
    came: u64,
    /// Writes that are not durable yet.
    writing: usize,
    under_way: Vec<(i64, oneshot::Sender<Came>, Came, String)>,
    people: Vec<Person>,
}

impl World {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        let inner = Inner { now: START, fate: Fate::new(seed), calls: Vec::new(), life: Life::default() };
        Arc::new(Self { inner: Mutex::new(inner), died: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process begins, which will be killed there.
    pub(super) fn live(&self, crash: Option<Crash>) {
        self.lock().life = Life { crash, ..Life::default() };
    }

    /// Ends when the process is killed.
    pub(super) async fn death(&self) {
        while !self.lock().life.dead {
            self.died.notified().await;
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.lock().life.dead
    }

    pub(super) fn now(&self) -> i64 {
        self.lock().now
    }

    pub(super) fn set_clock(&self, now: i64) {
        self.lock().now = now;
    }

    pub(super) fn calls(&self) -> Vec<Called> {
        self.lock().calls.clone()
    }

    /// From now on every call has a value. The calls that are under way.
    pub(super) fn mend(&self) -> Vec<String> {
        let mut inner = self.lock();
        let now = inner.now;
        inner.fate.mended.get_or_insert(now);
        std::mem::take(&mut inner.life.under_way).into_iter().map(|(_, _, _, key)| key).collect()
    }

    /// How many writes were made and calls left in this life.
    pub(super) fn counts(&self) -> (u64, u64) {
        let life = &self.lock().life;
        (life.writes, life.left)
    }

    /// Who answers one of these requests next.
    pub(super) fn next_person(&self, open: &[&str]) -> Option<Person> {
        let inner = self.lock();
        let asked = inner.life.people.iter().filter(|person| open.contains(&person.id.as_str()));
        asked.min_by_key(|person| person.at).cloned()
    }

    /// This answer has been given.
    pub(super) fn given(&self, person: &Person) {
        self.lock().life.people.retain(|other| (other.at, &other.id) != (person.at, &person.id));
    }

    fn die(&self, inner: &mut Inner) {
        inner.life.dead = true;
        inner.life.under_way.clear();
        self.died.notify_one();
    }

    /// What happens next, when nothing else moves the run on; none if that is not for the clock to say.
    fn happen(&self, moment: Option<i64>, idle: bool) -> Option<Woken> {
        let mut inner = self.lock();
        if inner.life.dead || inner.life.writing > 0 {
            return None;
        }
        inner.life.under_way.retain(|(_, sender, ..)| !sender.is_closed());
        let call = inner.life.under_way.iter().map(|(at, ..)| *at).min();
        let person = inner.life.people.iter().map(|person| person.at).min();
        let Some(at) = [call, person, moment].into_iter().flatten().min() else {
            return idle.then_some(Woken::Stuck);
        };
        inner.now = inner.now.max(at);
        if person == Some(at) {
            let index = inner.life.people.iter().position(|person| person.at == at)?;
            let person = inner.life.people.swap_remove(index);
            return Some(Woken::Answer { request: person.id, value: person.value });
        }
        if call == Some(at) {
            let index = inner.life.under_way.iter().position(|(moment, ..)| *moment == at)?;
            if inner.life.crash == Some(Crash::InFlight(inner.life.came)) {
                self.die(&mut inner);
                return None;
            }
            inner.life.came += 1;
            let (_, sender, came, _) = inner.life.under_way.swap_remove(index);
            let _ = sender.send(came);
            return None;
        }
        Some(Woken::Moment)
    }
}

/// A process's hold on the world, as host and at the door of its store.
#[derive(Clone)]
pub(super) struct Hand(pub(super) Arc<World>);

impl Host for Hand {
    fn instant(&self, effect: &Effect) -> Outcome {
        match effect.name.as_str() {
            "time.now" => Ok(Value::Time(self.now())),
            _ => Ok(Value::Float(0.5)),
        }
    }

    fn perform(&self, effect: Effect, key: String) -> Performing {
        let mut inner = self.0.lock();
        if inner.life.crash == Some(Crash::Leaving(inner.life.left)) {
            self.0.die(&mut inner);
        }
        if inner.life.dead {
            return Box::pin(std::future::pending());
        }
        inner.life.left += 1;
        let args = effect.args.first().and_then(|argv| to_json(argv).ok()).unwrap_or_default();
        inner.calls.push(Called { key: key.clone(), args });
        let now = inner.now;
        let reply = inner.fate.call(&key, now);
        let (sender, receiver) = oneshot::channel();
        inner.life.under_way.push((reply.at, sender, reply.came, key));
        Box::pin(async move {
            match receiver.await {
                Ok(came) => outcome(&came),
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn now(&self) -> i64 {
        self.0.now()
    }

    fn wait(&self, moment: Option<i64>, idle: bool) -> Waiting {
        let world = Arc::clone(&self.0);
        Box::pin(async move {
            loop {
                // Everybody else goes first.
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                if world.lock().life.writing > 0 {
                    std::future::pending::<()>().await;
                }
                match world.happen(moment, idle) {
                    Some(woken) => return woken,
                    None if world.is_dead() => std::future::pending().await,
                    None => {}
                }
            }
        })
    }

    fn asked(&self, effect: &Effect, request: &Request, _machine: &Machine) {
        let mut inner = self.0.lock();
        let (now, id) = (inner.now, request.id.clone());
        // Who was asked under this id before is asked no more.
        inner.life.people.retain(|person| person.id != id);
        if let Hold::Asks(_) = effect.hold {
            let action = if inner.fate.gives_up(&effect.key("run")) { "fail" } else { "retry" };
            inner.life.people.push(Person { at: now, id, value: json!({ "action": action }) });
            return;
        }
        let answer = inner.fate.person(&effect.key("run"), request.asked_at);
        let wrong = answer.wrong_at.filter(|at| *at > now).map(|at| (at, json!("no number")));
        let right = (answer.at, json!(answer.value));
        let people = wrong.into_iter().chain([right]).map(|(at, value)| Person { at, id: id.clone(), value });
        inner.life.people.extend(people);
    }
}

fn outcome(came: &Came) -> Outcome {
    match came {
        Came::Value(value) => Value::record([
            ("stdout", Value::str(value.to_string())),
            ("stderr", Value::str("")),
            ("code", Value::Int(0)),
        ]),
        Came::Nothing => {
            let mut fault = Fault::new(Kind::Network, "nothing came back");
            fault.retryable = true;
            Err(fault)
        }
        Came::Refused => Err(Fault::new(Kind::Exec, "refused")),
    }
}

impl Gate for Hand {
    fn lives(&self) -> bool {
        !self.0.is_dead()
    }

    fn commit(&self, store: &dyn Store, run: &RunId, epoch: Epoch, delta: Delta) -> Receipt {
        let killed = || Box::pin(std::future::ready(Err(StoreError::Unusable("killed".into())))) as Receipt;
        let mut inner = self.0.lock();
        let writes = inner.life.writes;
        if inner.life.crash == Some(Crash::Write(writes)) {
            self.0.die(&mut inner);
        }
        if inner.life.dead {
            return killed();
        }
        inner.life.writes += 1;
        inner.life.writing += 1;
        let receipt = store.commit(run, epoch, delta);
        let world = Arc::clone(&self.0);
        let lost = inner.life.crash == Some(Crash::Written(writes));
        Box::pin(async move {
            let result = receipt.await;
            let mut inner = world.lock();
            inner.life.writing = inner.life.writing.saturating_sub(1);
            if lost {
                world.die(&mut inner);
                return Err(StoreError::Unusable("killed".into()));
            }
            result
        })
    }
}
