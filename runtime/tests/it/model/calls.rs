//! What the reference does where a run has a boundary: steps with their attempts and clocks, branches, calls that leave, and
//! questions to people.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use wf_runtime::effect::idempotency_key;

use super::{
    fate::Came,
    interp::{Cx, Done, Exit, Fault, Origin, Scope, Wrong, fault},
    program::{Block, Branches, Kind, NAMES, Notes, OnCrash, Request, Retry},
    sim::{Called, Mark, Mode, Start, Wait, Woke},
};

impl<'p> Cx<'p> {
    pub(super) fn call(&mut self, index: usize, args: Vec<Json>) -> Done<'_, Json> {
        Box::pin(async move {
            let program = self.program;
            let decl = &program.decls[index];
            let path = self.element(&decl.name);
            self.scopes.push(Scope { path: path.clone(), ..Scope::default() });
            let params: Vec<_> = decl.params.iter().map(|(name, _)| name.clone()).zip(args).collect();
            let vars = std::mem::replace(&mut self.vars, params.clone());
            let lambdas = std::mem::take(&mut self.lambdas);
            let errors = std::mem::take(&mut self.errors);
            let result = match &decl.kind {
                Kind::Fn => self.body(&decl.body).await,
                Kind::Workflow => {
                    self.tell(format!("workflow_started {path} 1"));
                    let result = self.body(&decl.body).await;
                    match &result {
                        Ok(_) => self.tell(format!("workflow_completed {path} 1")),
                        Err(Exit::Throw(fault)) => self.tell(format!("workflow_failed {path} 1 {}", fault.said())),
                        Err(_) => self.tell(format!("step_cancelled {path} 1")),
                    }
                    result
                }
                Kind::Step(notes) => self.step(notes, &decl.body, &path, &params).await,
            };
            self.vars = vars;
            self.lambdas = lambdas;
            self.errors = errors;
            self.scopes.pop();
            result
        })
    }

    pub(super) async fn body(&mut self, body: &'p Block) -> Result<Json, Exit> {
        match self.block(body).await {
            Err(Exit::Return(value)) => Ok(value),
            other => other,
        }
    }

    async fn step(
        &mut self,
        notes: &'p Notes,
        body: &'p Block,
        path: &str,
        params: &[(String, Json)],
    ) -> Result<Json, Exit> {
        let (outer, on_crash) = (self.attempt, self.on_crash);
        self.on_crash = notes.on_crash.or(on_crash);
        let total = self.with(|inner| inner.total);
        let mut attempt = 1;
        let result = loop {
            self.attempt = attempt;
            *self.scopes.last_mut().expect("that of the step") = Scope { path: path.to_owned(), ..Scope::default() };
            self.vars = params.to_vec();
            self.lambdas.clear();
            self.tell(format!("step_started {path} {attempt}"));
            let result = self.timed(notes.timeout, body).await;
            let fault = match result {
                Err(Exit::Throw(fault)) => fault,
                Ok(value) => {
                    self.tell(format!("step_completed {path} {attempt}"));
                    break Ok(value);
                }
                Err(exit) => {
                    self.tell(format!("step_cancelled {path} {attempt}"));
                    break Err(exit);
                }
            };
            if self.wrong == Some(Wrong::State) {
                self.with(|inner| inner.total = total);
            }
            let Some(wait) = notes.retry.as_ref().and_then(|retry| retry.wait(&fault, attempt, self.wrong)) else {
                self.tell(format!("step_failed {path} {attempt} {}", fault.said()));
                break Err(Exit::Throw(fault));
            };
            self.tell(format!("step_retrying {path} {attempt} {}", fault.said()));
            let until = self.with(|inner| inner.now) + wait;
            if let Woke::Cancelled(depth) = self.wait(Wait::Moment(until)).await {
                self.tell(format!("step_cancelled {path} {attempt}"));
                break Err(Exit::Cancel(depth));
            }
            attempt += 1;
        };
        self.attempt = outer;
        self.on_crash = on_crash;
        result
    }

    /// An attempt, which may take so long.
    async fn timed(&mut self, timeout: Option<i64>, body: &'p Block) -> Result<Json, Exit> {
        let Some(timeout) = timeout else { return self.body(body).await };
        let fiber = self.fiber;
        let depth = self.with(|inner| {
            let depth = inner.mark(fiber, Mark::Step);
            inner.clock(fiber, depth, timeout);
            depth
        });
        let result = self.body(body).await;
        self.with(|inner| {
            inner.stop_clock(fiber, depth);
            inner.unmark(fiber);
        });
        match result {
            Err(Exit::Cancel(to)) if to == depth => fault("timeout"),
            other => other,
        }
    }

    pub(super) async fn branches(
        &mut self,
        word: &str,
        mut mode: Mode,
        branches: &'p Branches,
    ) -> Result<Vec<Json>, Exit> {
        let mut made: Vec<(String, &'p Block, Vec<(String, Json)>)> = Vec::new();
        match branches {
            Branches::For { index, var, list, body } => {
                for (number, item) in self.list(list).await?.into_iter().enumerate() {
                    let mut own = vec![(var.clone(), item)];
                    own.extend(index.iter().map(|index| (index.clone(), json!(number))));
                    made.push((number.to_string(), body, own));
                }
            }
            Branches::List(blocks) => {
                made.extend(blocks.iter().enumerate().map(|(number, block)| (number.to_string(), block, Vec::new())));
            }
            Branches::Named(blocks) => {
                made.extend(NAMES.iter().zip(blocks).map(|(name, block)| ((*name).to_owned(), block, Vec::new())));
            }
        }
        if let Some(items) = &mut mode.settle {
            items.extend(made.iter().map(|(name, ..)| json!(name)));
        }
        let path = self.element(word);
        if mode.first.is_some_and(|first| first > made.len()) {
            return fault("limit");
        }
        let mut starts: Vec<Start<'p>> = Vec::new();
        for (label, block, own) in made {
            let mut cx = Cx {
                sim: Rc::clone(&self.sim),
                vars: self.vars.iter().cloned().chain(own).collect(),
                lambdas: self.lambdas.clone(),
                errors: self.errors.clone(),
                scopes: vec![Scope { path: format!("{path}.{label}"), ..Scope::default() }],
                ..*self
            };
            starts.push(Box::new(move |fiber| {
                cx.fiber = fiber;
                Box::pin(async move { cx.block(block).await })
            }));
        }
        let sim = Rc::clone(&self.sim);
        sim.branches(self.fiber, mode, starts).await
    }

    pub(super) async fn exec(&mut self, label: &str, arg: i64) -> Result<i64, Exit> {
        let (path, ordinal) = (self.path(), self.ask());
        let call = (path.clone(), ordinal);
        let on_crash = self.on_crash;
        loop {
            let (key, wait) = self.with(|inner| {
                let generation = inner.refused.get(&call).copied().unwrap_or_default();
                let key = idempotency_key("run", &path, Some((ordinal as u32, generation)));
                let reply = inner.fate.call(&key, inner.now);
                inner.calls.push(Called { key: key.clone(), args: json!([label, arg.to_string()]) });
                let thrown = on_crash == Some(OnCrash::Throw);
                if thrown || (on_crash == Some(OnCrash::Ask) && inner.fate.gives_up(&key)) {
                    inner.thrown.insert(key.clone());
                }
                (key.clone(), Wait::Call { key, at: reply.at, came: reply.came })
            });
            let asked = self.with(|inner| inner.now);
            let woke = self.wait(wait).await;
            let origin = (self.with(|inner| inner.now), key);
            let again = self.with(|inner| inner.mended.contains(&origin));
            let mut failed = match woke {
                Woke::Came(Came::Value(value)) => return Ok(value),
                Woke::Came(Came::Nothing) => Fault::new("network", ""),
                Woke::Came(Came::Refused) => {
                    if self.wrong != Some(Wrong::Key) {
                        self.with(|inner| *inner.refused.entry(call.clone()).or_default() += 1);
                    }
                    Fault::new("exec", "")
                }
                Woke::Unknown => Fault::new("unknown_outcome", ""),
                Woke::Cancelled(depth) => {
                    // One that is withdrawn at the moment at which it is made may not have left.
                    if asked == origin.0 {
                        self.with(|inner| inner.maybe.insert(origin.1));
                    }
                    return Err(Exit::Cancel(depth));
                }
                other => unreachable!("{other:?}"),
            };
            if !again {
                self.with(|inner| inner.last_failure = inner.now);
                failed.origin = Origin::Call(origin.0, origin.1);
                return Err(Exit::Throw(failed));
            }
        }
    }

    pub(super) async fn request(&mut self, request: &'p Request) -> Result<Json, Exit> {
        let arg = self.expr(&request.arg).await?;
        let id = match &request.id {
            Some(id) => Some(self.text(id).await?),
            None => None,
        };
        let (path, ordinal) = (self.path(), self.ask());
        let key = idempotency_key("run", &path, Some((ordinal as u32, 0)));
        let id = id.unwrap_or_else(|| key.clone());
        let taken = self.with(|inner| !inner.open.insert(id.clone()));
        if taken {
            return fault("request");
        }
        let what = format!("{path} {}", json!({ (request.label.as_str()): arg }));
        self.tell(format!("request_info {what}"));
        let wait = self.with(|inner| {
            let answer = inner.fate.person(&key, inner.now);
            Wait::Person { answer: (answer.at, answer.value), due: request.timeout.map(|timeout| inner.now + timeout) }
        });
        let woke = self.wait(wait).await;
        self.with(|inner| inner.open.remove(&id));
        match woke {
            Woke::Answered(value) => {
                self.tell(format!("response {what} {value}"));
                Ok(json!(value))
            }
            Woke::Late => {
                self.tell(format!("request_withdrawn {what}"));
                fault("timeout")
            }
            Woke::Cancelled(depth) => {
                self.tell(format!("request_withdrawn {what}"));
                Err(Exit::Cancel(depth))
            }
            other => unreachable!("{other:?}"),
        }
    }
}

impl Retry {
    /// How long to wait before the next attempt, if there is one.
    fn wait(&self, fault: &Fault, attempt: i64, wrong: Option<Wrong>) -> Option<i64> {
        let attempts = self.attempts + i64::from(wrong == Some(Wrong::Retry));
        let again = self.when.map_or(fault.retryable, |kind| fault.kind == kind);
        if !again || attempt >= attempts {
            return None;
        }
        let most = self.max.unwrap_or(60_000.max(self.backoff));
        let factor = self.factor.pow(u32::try_from(attempt - 1).unwrap_or(0));
        Some((self.backoff * factor).min(most))
    }
}
