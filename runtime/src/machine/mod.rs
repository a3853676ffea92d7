//! The machine: everything a run needs in order to go on, as plain data, and the rules by which it goes on.
//!
//! It runs until it needs the world, hands out an [`Effect`], and is resumed with the outcome. It never waits, never
//! reads a clock, and never recurses in Rust for a call in wf, so it can be stopped between any two safe points and saved
//! there. All branches of a run are fibers of one machine: a checkpoint is one instant of all of them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    effect::Effect,
    event::Event,
    fault::{Fault, Kind},
    store::{Millis, RunId},
    value::{Map, Value},
};

mod call;
mod cancel;
mod clock;
mod dispatch;
mod exec;
mod fiber;
mod gather;
mod image;
mod iter;
mod origin;
pub(crate) mod path;
mod place;
mod rare;
mod scope;
mod tell;
mod testing;
mod turns;
mod unknown;
mod unwind;
pub(crate) mod view;
mod weight;
mod window;

pub(crate) use fiber::{
    Around, Cancel, Clock, Counts, Deadline, Delivered, End, Ending, Fiber, FiberState, Frame, Group, Scope, Then,
};
pub use fiber::{MAX_FRAMES, Outcome};
pub(crate) use gather::in_order;
pub use image::Image;
pub(crate) use origin::{MOST_ORIGINS, Origin};
pub(crate) use rare::result_register;
pub(crate) use scope::dealt_with;
pub use tell::TELLS;
pub(crate) use unknown::{Decided, Unknown};

/// Why the machine stopped.
#[derive(Debug)]
pub enum Progress {
    /// A question to the world; the fiber that asks waits for [`Machine::settle`].
    Effect(Effect),
    /// A boundary was crossed: what is true now may be saved here.
    Boundary,
    /// Every fiber waits.
    Waiting,
    /// The fuel is used up; run it again.
    OutOfFuel,
    /// The run has come to its end.
    Done(Outcome),
    /// The run was cancelled, and has ended.
    Cancelled,
}

/// A run in progress.
pub struct Machine {
    pub(crate) image: Arc<Image>,
    pub(crate) run: RunId,
    /// Each in a box: nodes of the map are half empty, and a fiber leaves the map for its turn and comes back.
    pub(crate) fibers: BTreeMap<u32, Box<Fiber>>,
    pub(crate) turns: turns::Turns,
    /// The top-level `let`s.
    pub(crate) globals: Vec<Value>,
    /// `ctx.state` of each module.
    pub(crate) states: Vec<Value>,
    pub(crate) next_fiber: u32,
    pub(crate) next_effect: u64,
    /// The globals or the states were changed since they were last saved.
    pub(crate) root_changed: bool,
    /// Fibers that ended since they were last saved, with how many segments of them are.
    pub(crate) gone: Vec<(u32, usize)>,
    /// Tokens used by the run so far: input, output.
    pub(crate) usage: (i64, i64),
    /// How often calls of the steps under way were answered with an error, by path and ordinal.
    pub(crate) answered: BTreeMap<(String, u32), u32>,
    /// Where the last few errors were thrown.
    pub(crate) origins: Vec<Origin>,
    /// How many calls have left.
    pub(crate) left: u64,
    /// The number of the latest checkpoint; 0 before the first.
    pub(crate) checkpoint: u64,
    events: Vec<Event>,
    cancelled: Vec<Effect>,
    end: Option<End>,
    clocks: clock::Clocks,
    /// What the clock was when it was last told.
    pub(crate) clock: Millis,
    streaming: bool,
    boundary: bool,
    fuel: u32,
    weight: weight::Weight,
}

impl Machine {
    /// A run of a workflow from its beginning; `args` has a value, or [`Value::Missing`], for each parameter.
    pub fn start(image: Arc<Image>, run: RunId, workflow: &wf_lang::program::Workflow, args: Vec<Value>) -> Self {
        let mut machine = Self::empty(image, run);
        let mut fiber = Fiber::new(0, None, Around::default());
        machine.enter(&mut fiber, workflow.start.0, args, &[]);
        machine.turns.last(&mut fiber);
        machine.fibers.insert(0, Box::new(fiber));
        machine.next_fiber = 1;
        machine
    }

    pub(crate) fn empty(image: Arc<Image>, run: RunId) -> Self {
        let globals = vec![Value::Null; image.program.globals as usize];
        let states = image.program.modules.iter().map(|_| Value::Map(Map::new())).collect();
        Self {
            image,
            run,
            fibers: BTreeMap::new(),
            turns: turns::Turns::default(),
            globals,
            states,
            next_fiber: 0,
            next_effect: 1,
            root_changed: true,
            gone: Vec::new(),
            usage: (0, 0),
            answered: BTreeMap::new(),
            origins: Vec::new(),
            left: 0,
            checkpoint: 0,
            events: Vec::new(),
            cancelled: Vec::new(),
            end: None,
            clocks: clock::Clocks::default(),
            clock: 0,
            streaming: false,
            boundary: false,
            fuel: 0,
            weight: weight::Weight::new(),
        }
    }

    /// Takes up the fibers that were loaded.
    pub(crate) fn adopt(&mut self, fibers: Vec<Fiber>) {
        let links: Vec<(u32, u32)> = fibers.iter().filter_map(|f| f.parent.map(|(parent, _)| (parent, f.id))).collect();
        for mut fiber in fibers {
            let below = fiber.parent.and_then(|(parent, _)| self.fibers.get(&parent));
            fiber.depth = below.map_or(0, |below| below.depth + below.frames.len());
            fiber.look_at = fiber.look_at.min(MAX_FRAMES.saturating_sub(fiber.depth));
            self.fibers.insert(fiber.id, Box::new(fiber));
        }
        for (parent, child) in links {
            if let Some(FiberState::Joining(group)) = self.fibers.get_mut(&parent).map(|parent| &mut parent.state) {
                group.children.insert(child);
            }
        }
        self.turns.adopt(&self.fibers);
        self.find_clocks();
    }

    /// What `ctx.is_streaming` says.
    pub fn set_streaming(&mut self, streaming: bool) {
        self.streaming = streaming;
    }

    /// Runs ready fibers, in the order in which they became ready, until something must be decided outside.
    pub fn run(&mut self, mut fuel: u32) -> Progress {
        while let Some(id) = self.turns.front() {
            let Some(mut fiber) = self.fibers.remove(&id) else {
                self.turns.pop();
                continue;
            };
            let stop = self.turn(&mut fiber, &mut fuel);
            self.turns.mark(&mut fiber);
            match stop {
                // It goes on where it stopped: branches switch only where a call waits.
                Stop::OutOfFuel => {
                    self.fibers.insert(id, fiber);
                    return Progress::OutOfFuel;
                }
                Stop::Boundary => {
                    self.fibers.insert(id, fiber);
                    return Progress::Boundary;
                }
                Stop::Asked(effect) => {
                    self.turns.pop();
                    fiber.rest(&self.image);
                    fiber.state = FiberState::Waiting(Box::new(effect.clone()));
                    self.fibers.insert(id, fiber);
                    return Progress::Effect(effect);
                }
                Stop::Joins(group) => {
                    self.turns.pop();
                    fiber.rest(&self.image);
                    self.boundary = true;
                    fiber.state = FiberState::Joining(group);
                    self.fibers.insert(id, fiber);
                    self.spawn(id);
                }
                Stop::Finished(end) => {
                    self.turns.pop();
                    self.finished(*fiber, end);
                }
            }
            match self.end.take() {
                None => {}
                Some(End::Value(value)) => return Progress::Done(Ok(value)),
                Some(End::Error(fault)) => return Progress::Done(Err(fault)),
                Some(End::Cancelled(_)) => return Progress::Cancelled,
            }
        }
        Progress::Waiting
    }

    /// Gives a fiber the outcome of what it asked; `false` when it no longer waits for it.
    pub fn settle(&mut self, fiber: u32, effect: u64, outcome: Outcome) -> bool {
        let Some(waiting) = self.fibers.get_mut(&fiber) else { return false };
        let FiberState::Waiting(asked) = &waiting.state else { return false };
        if asked.id != effect {
            return false;
        }
        let dealt_with = scope::answered_with_error(asked, &outcome);
        let key = dealt_with.then(|| (asked.path.as_str().to_owned(), asked.ordinal));
        let parent = waiting.parent.map(|(parent, _)| parent);
        if let Err(fault) = &outcome {
            self.thrown(fiber, parent, fault, Some((effect, dealt_with)));
        }
        let Some(waiting) = self.fibers.get_mut(&fiber) else { return false };
        waiting.state = FiberState::Ready(Some(outcome.into()));
        self.turns.last(waiting);
        if let Some(key) = key
            && self.in_step(fiber)
        {
            *self.answered.entry(key).or_default() += 1;
            self.root_changed = true;
        }
        true
    }

    /// The same for what is answered at once: the fiber goes on before any other.
    pub fn settle_now(&mut self, fiber: u32, effect: u64, outcome: Outcome) -> bool {
        let settled = self.settle(fiber, effect, outcome);
        if settled {
            self.turns.first(&mut self.fibers);
        }
        settled
    }

    /// Whether nothing goes on: the run has come to its end.
    pub fn is_over(&self) -> bool {
        self.fibers.is_empty()
    }

    /// Whether its main line is on its way out, because the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.fibers.get(&0).is_some_and(|fiber| !fiber.cancels.is_empty())
    }

    /// Whether any fiber can go on.
    pub fn can_run(&self) -> bool {
        !self.turns.is_empty()
    }

    /// What fibers wait for, in the order in which it was asked.
    pub fn open_effects(&self) -> Vec<Effect> {
        let mut open: Vec<Effect> = self
            .fibers
            .values()
            .filter_map(|fiber| match &fiber.state {
                FiberState::Waiting(effect) => Some((**effect).clone()),
                FiberState::Ready(_) | FiberState::Joining(_) => None,
            })
            .collect();
        open.sort_by_key(|effect| effect.id);
        open
    }

    /// What was told since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether anything was told, or a boundary crossed, that is not saved yet.
    pub fn has_news(&self) -> bool {
        self.boundary || !self.events.is_empty()
    }

    /// What was saved is no longer news.
    pub(crate) fn saved(&mut self, n: u64) {
        self.boundary = false;
        self.checkpoint = n;
    }

    /// The questions whose answers nobody waits for any more, since the last call.
    pub fn take_cancelled(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.cancelled)
    }

    /// `ctx.state` of a workflow's module.
    pub fn state(&self, workflow: &wf_lang::program::Workflow) -> Value {
        let module = self.image.find(workflow.function).map_or(0, |function| function.module);
        self.states.get(usize::from(module)).cloned().unwrap_or_default()
    }

    /// Tokens used so far: `{ input_tokens, output_tokens, total_tokens }`.
    pub fn usage(&self) -> serde_json::Value {
        let (input, output) = self.usage;
        serde_json::json!({
            "input_tokens": input, "output_tokens": output, "total_tokens": input.saturating_add(output),
        })
    }

    /// Adds what a model call used.
    pub fn add_usage(&mut self, input: i64, output: i64) {
        self.usage.0 = self.usage.0.saturating_add(input);
        self.usage.1 = self.usage.1.saturating_add(output);
        self.root_changed = true;
    }

    fn limit(message: impl Into<crate::value::Str>) -> Fault {
        Fault::new(Kind::Limit, message)
    }
}

/// Why a fiber stopped.
pub(crate) enum Stop {
    OutOfFuel,
    Boundary,
    Asked(Effect),
    Joins(Box<Group>),
    Finished(End),
}
