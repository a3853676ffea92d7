//! The world of the reference: fibers, what each waits for, and a clock that jumps to whatever happens next.
//!
//! A fiber is a future that is polled when its turn comes; nothing wakes it but this simulation. What the contract leaves
//! open (two things at one moment, a branch that ends before its siblings have begun) makes a program ambiguous, and such
//! programs are not compared.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use serde_json::Value as Json;

use super::{
    fate::{Came, Fate},
    interp::{Exit, Fault, Origin},
};

pub(super) type Fiber = usize;
/// A fiber's own work: the value of its branch, or how it left.
pub(super) type Task<'p> = Pin<Box<dyn Future<Output = Result<Json, Exit>> + 'p>>;
/// Makes the work of a branch when its turn comes.
pub(super) type Start<'p> = Box<dyn FnOnce(Fiber) -> Task<'p> + 'p>;

/// What a fiber waits for.
#[derive(Clone, Debug)]
pub(super) enum Wait {
    Moment(i64),
    Call {
        key: String,
        at: i64,
        came: Came,
    },
    Person {
        answer: (i64, i64),
        due: Option<i64>,
    },
    /// Its branches.
    Join(usize),
}

/// Why it goes on.
#[derive(Clone, Debug)]
pub(super) enum Woke {
    Moment,
    Came(Came),
    /// A crash left unknown what became of the call.
    Unknown,
    Answered(i64),
    Late,
    Joined(Result<Vec<Json>, Exit>),
    /// It is cancelled down to this depth.
    Cancelled(usize),
}

/// What a fiber's stack has that cancelling looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mark {
    Step,
    Finally,
}

#[derive(Default)]
struct State {
    waits: Option<Wait>,
    woke: Option<Woke>,
    marks: Vec<Mark>,
    /// Depths of the stack down to which it is to be cancelled.
    pending: BTreeSet<usize>,
    group: Option<(usize, usize)>,
    begun: bool,
    over: bool,
}

/// The branches of a construct.
struct Group<'p> {
    parent: Fiber,
    mode: Mode,
    live: BTreeSet<Fiber>,
    starts: VecDeque<(usize, Start<'p>)>,
    values: BTreeMap<usize, Json>,
    finished: Vec<Json>,
    decided: Option<Result<Vec<Json>, Exit>>,
    decided_at: i64,
    /// An error thrown while a branch was cancelled.
    late: Option<Fault>,
    closing: Option<usize>,
}

/// How a construct ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Mode {
    pub(super) limit: Option<usize>,
    pub(super) first: Option<usize>,
    /// The items of a construct that collects errors.
    pub(super) settle: Option<Vec<Json>>,
    pub(super) race: bool,
}

/// The clock of an attempt with `@timeout`.
struct Deadline {
    fiber: Fiber,
    depth: usize,
    left: i64,
}

/// A call that reached the world.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Called {
    pub(super) key: String,
    pub(super) args: Json,
}

#[derive(Default)]
pub(super) struct Inner<'p> {
    pub(super) now: i64,
    pub(super) fate: Fate,
    pub(super) total: i64,
    pub(super) seen: BTreeMap<String, i64>,
    pub(super) told: Vec<String>,
    pub(super) calls: Vec<Called>,
    /// Calls that were withdrawn at once.
    pub(super) maybe: BTreeSet<String>,
    /// Which calls were answered with an error status, and how often.
    pub(super) refused: BTreeMap<(String, usize), u32>,
    /// Ids of open requests.
    pub(super) open: BTreeSet<String>,
    /// Why this program cannot be compared.
    pub(super) ambiguous: Option<String>,
    pub(super) fuel: usize,
    /// Calls of which a crash at a moment left unknown what became.
    pub(super) unknown: BTreeSet<(i64, String)>,
    /// What else happens at that moment was saved before the crash.
    pub(super) unknown_last: bool,
    /// The calls that a crash may leave unknown: those in a step that wants it thrown.
    pub(super) thrown: BTreeSet<String>,
    /// Failed calls for which the failed run was taken up again: the moment, and the key.
    pub(super) mended: Vec<(i64, String)>,
    /// When a call has last failed.
    pub(super) last_failure: i64,
    /// When the run is cancelled.
    pub(super) cancel_at: Option<i64>,
    states: Vec<State>,
    tasks: BTreeMap<Fiber, Task<'p>>,
    ready: VecDeque<Fiber>,
    groups: Vec<Group<'p>>,
    deadlines: Vec<Deadline>,
    result: Option<Result<Json, Exit>>,
}

/// Shared by all fibers.
pub(super) struct Sim<'p>(pub(super) RefCell<Inner<'p>>);

impl<'p> Sim<'p> {
    /// Lets a fiber wait.
    pub(super) async fn wait(self: &Rc<Self>, fiber: Fiber, wait: Wait) -> Woke {
        let mut wait = Some(wait);
        std::future::poll_fn(|_| {
            let mut inner = self.0.borrow_mut();
            if let Some(wait) = wait.take() {
                inner.states[fiber].waits = Some(wait);
                return Poll::Pending;
            }
            match inner.states[fiber].woke.take() {
                Some(woke) => Poll::Ready(woke),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Runs the main fiber to its end; `None` when nothing will ever happen any more.
    pub(super) fn run(self: &Rc<Self>, main: Start<'p>) -> Option<Result<Json, Exit>> {
        let fiber = self.0.borrow_mut().fiber(None);
        let task = main(fiber);
        let mut inner = self.0.borrow_mut();
        inner.tasks.insert(fiber, task);
        inner.ready.push_back(fiber);
        drop(inner);
        loop {
            while let Some(fiber) = self.next() {
                self.turn(fiber);
            }
            let mut inner = self.0.borrow_mut();
            if inner.result.is_some() || inner.ambiguous.is_some() || !inner.happen() {
                // What a fiber holds knows of the simulation.
                let tasks = std::mem::take(&mut inner.tasks);
                let groups = std::mem::take(&mut inner.groups);
                let result = inner.result.take();
                drop(inner);
                drop((tasks, groups));
                return result;
            }
        }
    }

    fn next(&self) -> Option<Fiber> {
        self.0.borrow_mut().ready.pop_front()
    }

    fn turn(&self, fiber: Fiber) {
        let mut inner = self.0.borrow_mut();
        if !inner.states[fiber].begun {
            inner.states[fiber].begun = true;
            if inner.states[fiber].pending.contains(&0) {
                inner.tasks.remove(&fiber);
                inner.over(fiber, Err(Exit::Cancel(0)));
                return;
            }
        }
        let Some(mut task) = inner.tasks.remove(&fiber) else { return };
        drop(inner);
        match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {
                self.0.borrow_mut().tasks.insert(fiber, task);
            }
            Poll::Ready(result) => self.0.borrow_mut().over(fiber, result),
        }
    }

    /// Runs branches, and waits for them.
    pub(super) async fn branches(
        self: &Rc<Self>,
        parent: Fiber,
        mode: Mode,
        starts: Vec<Start<'p>>,
    ) -> Result<Vec<Json>, Exit> {
        if starts.is_empty() && mode.first.is_none() {
            return Ok(Vec::new());
        }
        let group = self.0.borrow_mut().begin(parent, mode, starts);
        match self.wait(parent, Wait::Join(group)).await {
            Woke::Joined(result) => result,
            Woke::Cancelled(depth) => Err(Exit::Cancel(depth)),
            other => unreachable!("{other:?}"),
        }
    }
}

impl<'p> Inner<'p> {
    pub(super) fn new(now: i64, fate: Fate) -> Self {
        Self { now, fate, fuel: 20_000, ..Self::default() }
    }

    fn fiber(&mut self, group: Option<(usize, usize)>) -> Fiber {
        self.states.push(State { group, ..State::default() });
        self.states.len() - 1
    }

    pub(super) fn doubt(&mut self, why: &str) {
        self.ambiguous.get_or_insert_with(|| why.to_owned());
    }

    fn begin(&mut self, parent: Fiber, mode: Mode, starts: Vec<Start<'p>>) -> usize {
        let group = self.groups.len();
        let limit = mode.limit.unwrap_or(usize::MAX);
        self.groups.push(Group {
            parent,
            mode,
            live: BTreeSet::new(),
            starts: starts.into_iter().enumerate().collect(),
            values: BTreeMap::new(),
            finished: Vec::new(),
            decided: None,
            decided_at: 0,
            late: None,
            closing: None,
        });
        while self.groups[group].live.len() < limit && self.start_next(group) {}
        group
    }

    fn start_next(&mut self, group: usize) -> bool {
        let Some((index, start)) = self.groups[group].starts.pop_front() else { return false };
        let fiber = self.fiber(Some((group, index)));
        self.groups[group].live.insert(fiber);
        let task = start(fiber);
        self.tasks.insert(fiber, task);
        self.ready.push_back(fiber);
        true
    }

    pub(super) fn mark(&mut self, fiber: Fiber, mark: Mark) -> usize {
        self.states[fiber].marks.push(mark);
        self.states[fiber].marks.len()
    }

    pub(super) fn unmark(&mut self, fiber: Fiber) {
        let marks = &mut self.states[fiber].marks;
        marks.pop();
        let depth = marks.len();
        self.states[fiber].pending.retain(|pending| *pending <= depth);
    }

    /// The depth down to which a fiber is to be cancelled now: no `finally` stands in between.
    pub(super) fn due(&self, fiber: Fiber) -> Option<usize> {
        let state = &self.states[fiber];
        state.pending.iter().copied().find(|depth| !state.marks[*depth..].contains(&Mark::Finally))
    }

    pub(super) fn clock(&mut self, fiber: Fiber, depth: usize, left: i64) {
        self.deadlines.push(Deadline { fiber, depth, left });
    }

    pub(super) fn stop_clock(&mut self, fiber: Fiber, depth: usize) {
        self.deadlines.retain(|deadline| (deadline.fiber, deadline.depth) != (fiber, depth));
    }

    fn wake(&mut self, fiber: Fiber, woke: Woke) {
        self.states[fiber].waits = None;
        self.states[fiber].woke = Some(woke);
        self.ready.push_back(fiber);
    }

    /// A fiber is to leave its stack down to a depth.
    fn cancel(&mut self, fiber: Fiber, depth: usize) {
        if self.states[fiber].over {
            return;
        }
        self.states[fiber].pending.insert(depth);
        let Some(depth) = self.due(fiber) else { return };
        match &self.states[fiber].waits {
            None if self.states[fiber].begun => self.states[fiber].woke = Some(Woke::Cancelled(depth)),
            None => {}
            Some(Wait::Join(group)) => {
                let group = *group;
                self.groups[group].closing = Some(depth);
                self.close(group);
            }
            Some(_) => self.wake(fiber, Woke::Cancelled(depth)),
        }
    }

    /// The branches of a construct are cancelled, and none begins any more.
    fn close(&mut self, group: usize) {
        self.groups[group].starts.clear();
        for fiber in self.groups[group].live.clone() {
            self.cancel(fiber, 0);
        }
        self.join(group);
    }

    /// Whoever waits for branches goes on when none is left.
    fn join(&mut self, group: usize) {
        let it = &mut self.groups[group];
        if !it.live.is_empty() || (it.closing.is_none() && it.decided.is_none()) {
            return;
        }
        if let Some(depth) = it.closing {
            if it.late.is_some() {
                self.doubt("an error in a `finally` of a construct that is cancelled");
                return;
            }
            let parent = it.parent;
            return self.wake(parent, Woke::Cancelled(depth));
        }
        let Some(mut decided) = it.decided.take() else { return };
        if let (Ok(_), Some(late)) = (&decided, it.late.take()) {
            decided = Err(Exit::Throw(late));
        }
        if let Err(Exit::Throw(fault)) = &mut decided
            && it.decided_at != self.now
        {
            fault.origin = Origin::Elsewhere;
        }
        let parent = it.parent;
        self.wake(parent, Woke::Joined(decided));
    }

    /// A fiber has come to its end.
    fn over(&mut self, fiber: Fiber, result: Result<Json, Exit>) {
        self.states[fiber].over = true;
        self.deadlines.retain(|deadline| deadline.fiber != fiber);
        let Some((group, index)) = self.states[fiber].group else {
            self.result = Some(result);
            return;
        };
        self.groups[group].live.remove(&fiber);
        let over = self.groups[group].decided.is_some() || self.groups[group].closing.is_some();
        if over {
            match result {
                Err(Exit::Late(fault)) => drop(self.groups[group].late.get_or_insert(fault)),
                Err(Exit::Throw(_)) => self.doubt("a branch that was to be cancelled threw"),
                _ => {}
            }
            return self.join(group);
        }
        let decided = self.groups[group].take(index, result);
        match decided {
            Some(decided) => {
                let fresh = |fiber: &Fiber| !self.states[*fiber].begun;
                if self.groups[group].live.iter().any(fresh) {
                    self.doubt("a construct is decided before each of its branches has begun");
                }
                self.groups[group].decided = Some(decided);
                self.groups[group].decided_at = self.now;
                self.close(group);
            }
            None => {
                self.start_next(group);
            }
        }
    }

    /// Lets the next thing happen; whether there was one.
    fn happen(&mut self) -> bool {
        let mut found: Vec<(i64, Next)> = Vec::new();
        for (fiber, state) in self.states.iter().enumerate() {
            match &state.waits {
                Some(Wait::Moment(at)) => found.push((*at, Next::Wake(fiber, Woke::Moment))),
                Some(Wait::Call { key, at, came }) => {
                    found.push((*at, Next::Wake(fiber, Woke::Came(came.clone()))));
                    let thrown = self.thrown.contains(key);
                    let mut unknown =
                        self.unknown.iter().filter(|(at, called)| thrown && called == key && *at >= self.now);
                    if let Some((at, key)) = unknown.next() {
                        found.push((*at, Next::Unknown(fiber, key.clone())));
                    }
                }
                Some(Wait::Person { answer, due }) => {
                    found.push((answer.0, Next::Wake(fiber, Woke::Answered(answer.1))));
                    found.extend(due.map(|at| (at, Next::Wake(fiber, Woke::Late))));
                }
                Some(Wait::Join(_)) | None => {}
            }
        }
        for (index, deadline) in self.deadlines.iter().enumerate() {
            if !self.stands_still(deadline.fiber) {
                found.push((self.now + deadline.left, Next::Deadline(index)));
            }
        }
        found.extend(self.cancel_at.map(|at| (at, Next::Cancel)));
        let Some(at) = found.iter().map(|(at, _)| *at).min() else { return false };
        found.retain(|(moment, _)| *moment == at);
        let unknown: Vec<Fiber> = found
            .iter()
            .filter_map(|(_, next)| if let Next::Unknown(fiber, _) = next { Some(*fiber) } else { None })
            .collect();
        if unknown.len() > 1 {
            self.doubt("a crash leaves two calls unknown at one moment");
        }
        if !unknown.is_empty() {
            // What became of the call is lost.
            found.retain(|(_, next)| !matches!(next, Next::Wake(fiber, _) if unknown.contains(fiber)));
            let first = found.iter().position(|(_, next)| matches!(next, Next::Unknown(..)) != self.unknown_last);
            found.swap(0, first.unwrap_or(0));
            found.truncate(1);
        }
        if found.len() > 1 {
            self.doubt("two things happen at one moment");
        }
        let passed = at - self.now;
        for index in 0..self.deadlines.len() {
            if !self.stands_still(self.deadlines[index].fiber) {
                self.deadlines[index].left -= passed;
            }
        }
        self.now = at;
        match found.swap_remove(0).1 {
            Next::Wake(fiber, woke) => self.wake(fiber, woke),
            Next::Unknown(fiber, key) => {
                self.unknown.remove(&(at, key));
                self.wake(fiber, Woke::Unknown);
            }
            Next::Deadline(index) => {
                let deadline = self.deadlines.remove(index);
                self.cancel(deadline.fiber, deadline.depth);
            }
            Next::Cancel => {
                self.cancel_at = None;
                self.cancel(0, 0);
            }
        }
        true
    }

    /// Whether all that runs below a step waits for people.
    fn stands_still(&self, fiber: Fiber) -> bool {
        match &self.states[fiber].waits {
            Some(Wait::Person { .. }) => true,
            Some(Wait::Join(group)) => self.groups[*group].live.iter().all(|fiber| self.stands_still(*fiber)),
            _ => false,
        }
    }
}

enum Next {
    Wake(Fiber, Woke),
    Unknown(Fiber, String),
    Deadline(usize),
    Cancel,
}

impl Group<'_> {
    /// Takes what a branch came to; what the construct comes to, if that is decided now.
    fn take(&mut self, index: usize, result: Result<Json, Exit>) -> Option<Result<Vec<Json>, Exit>> {
        if self.mode.race {
            return Some(result.map(|value| vec![index.into(), value]));
        }
        let value = match (result, &self.mode.settle) {
            (Ok(value), None) => value,
            (Ok(value), Some(items)) => serde_json::json!({ "ok": true, "value": value, "item": items[index] }),
            (Err(Exit::Throw(fault)), Some(items)) => {
                serde_json::json!({ "ok": false, "error": fault.said(), "item": items[index] })
            }
            (Err(exit), _) => return Some(Err(exit)),
        };
        self.finished.push(value.clone());
        self.values.insert(index, value);
        if let Some(first) = self.mode.first {
            return (self.finished.len() == first).then(|| Ok(self.finished.clone()));
        }
        let all = self.live.is_empty() && self.starts.is_empty();
        all.then(|| Ok(self.values.values().cloned().collect()))
    }
}
