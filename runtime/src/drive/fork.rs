//! A new run that goes on from a checkpoint of another one.
//!
//! The machine is loaded as if nothing of it were saved, given the new run's name, and written whole as the first
//! checkpoint of that run: nothing is shared with the other one, so either can be removed. Names of requests, keys of
//! calls and `ctx.run_id` come from the new name.

use serde_json::Value as Json;
use wf_lang::program::Workflow;

use super::{Begin, DriveError, Run, start};
use crate::{
    checkpoint::Saver,
    effect::{EffectKind, Hold},
    event::Event,
    machine::Machine,
    request::Request,
    store::{NewRun, RunId, RunRecord},
};

/// A run that is about to be forked.
pub struct Fork {
    begin: Begin,
    machine: Machine,
    workflow: Workflow,
    event: Event,
    id: RunId,
    requests: Vec<(String, Request)>,
}

/// A call that was under way at the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// What is called, as the author of the script knows it.
    pub call: String,
    /// The path of the call.
    pub path: String,
}

impl Fork {
    /// Reads what is to be forked, at its latest checkpoint or at `at`, for a run named `id`. Nothing is written.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the run has none.
    pub fn of(begin: Begin, source: &RunRecord, at: Option<u64>, id: RunId) -> Result<Self, DriveError> {
        let workflow = start::workflow(&begin.image, &source.workflow)?;
        let checkpoint = at.unwrap_or(source.last_checkpoint);
        let found = start::read(
            &begin.image,
            &*begin.store,
            source,
            Some(checkpoint).filter(|n| *n > 0 || at.is_some()),
            true,
        )?;
        let Some((mut machine, _)) = found else {
            return Err(DriveError::Refused("the run has no checkpoint yet; start another one with `wf run`".into()));
        };
        if machine.is_over() {
            return Err(DriveError::Refused(format!(
                "checkpoint {checkpoint} is the end of the run, from which nothing goes on; fork it at an earlier one"
            )));
        }
        let types = &begin.image.program.types;
        let asked = machine.open_effects().into_iter().filter(|effect| effect.kind() == EffectKind::Request);
        let both = asked.filter_map(|effect| {
            let theirs = Request::new(&effect, &source.id, types).ok()?;
            Some((theirs.id, Request::new(&effect, &id, types).ok()?))
        });
        let requests = both.collect();
        machine.run = id.clone();
        let input = serde_json::from_str(&source.input).unwrap_or_default();
        let from = source.id.to_string();
        let event = Event::Forked { from, checkpoint, workflow: workflow.name.to_string(), input };
        Ok(Self { begin, machine, workflow, event, id, requests })
    }

    /// The calls that were under way, and are made again.
    pub fn in_flight(&self) -> Vec<InFlight> {
        let left = |effect: &crate::effect::Effect| effect.kind() == EffectKind::Outside && effect.hold == Hold::No;
        let calls = self.machine.open_effects().into_iter().filter(left);
        calls.map(|call| InFlight { call: call.called().to_owned(), path: call.path.as_str().to_owned() }).collect()
    }

    /// The requests that are open, as they are published: each with its id in the run that is forked.
    pub fn requests(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.requests.iter().map(|(theirs, request)| (theirs.as_str(), &request.json))
    }

    /// Whether an answer fits, by the id of its request in the new run.
    ///
    /// # Errors
    /// Why it does not.
    pub fn fits(&self, id: &str, answer: &Json) -> Result<(), String> {
        match self.requests.iter().find(|(_, request)| request.id == id) {
            Some((_, request)) => request.read(&self.begin.image.program.types, answer).map(drop),
            None => Err(format!("the request `{id}` is not open")),
        }
    }

    /// Enters the new run in the store and takes it, with answers as if they had been given at that checkpoint.
    ///
    /// # Errors
    /// When the store does not take it.
    pub fn begin(self, new: NewRun, answers: &[(String, Json)]) -> Result<Run, DriveError> {
        let Self { begin, machine, workflow, event, id, .. } = self;
        let code_hash = new.code_hash;
        let epoch = begin.store.begin(new)?;
        let mut run = Run::new(begin, id, epoch, workflow, machine, Saver::new(code_hash));
        run.told.push(event);
        run.ask_again(true, &[]);
        for (request, answer) in answers {
            run.answer(request, answer).map_err(DriveError::Refused)?;
        }
        Ok(run)
    }
}
