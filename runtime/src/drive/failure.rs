//! Going on with a run that has failed, from the last checkpoint before its error was thrown.
//!
//! The delta that ends the run says in its result where that is, and keeps that checkpoint. The call that failed is made
//! again, the attempts of the steps around it start anew, and everything else stands where it stood. What has left the
//! process since the error was thrown (a `catch` or a `finally` made a call) would be done twice, so then it is refused.
//!
//! A checkpoint holds calls as under way whose results came in after it. Results that no checkpoint has when the run fails
//! get one, before the delta that ends the run: it is that checkpoint, with those results.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Run, Sink, commit::Standing};
use crate::{
    checkpoint::Saver,
    event::{CallEvent, Event},
    fault::Fault,
    machine::Outcome,
    store::{RunRecord, RunStatus, StoreError},
};

/// Where a failed run goes on, as its stored result has it under `resume`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The number of the last checkpoint before the error was thrown; 0 before the first.
    pub at: u64,
    /// Whether a call has left since.
    pub since: bool,
    /// The branch in which it was thrown, and those around it.
    pub(super) fibers: Vec<u32>,
    /// Calls that failed, and whether the world had dealt with them.
    pub(super) calls: Vec<(u64, bool)>,
    /// What was told between that checkpoint and the error; told again, it would be told twice.
    pub(super) told: Vec<Json>,
}

impl Failure {
    /// What the stored result of a run says; `None` for a run that has not failed, or of whose error it is not known
    /// where it was thrown.
    pub fn of(record: &RunRecord) -> Option<Failure> {
        let result: Json = serde_json::from_str(record.result.as_deref()?).ok()?;
        serde_json::from_value(result.get("resume")?.clone()).ok()
    }
}

/// What came of a call since the latest checkpoint.
pub(super) struct Recent {
    pub(super) fiber: u32,
    pub(super) effect: u64,
    pub(super) outcome: Outcome,
}

/// More events than this between two checkpoints are not compared with.
const MOST_TOLD: usize = 1000;

impl Run {
    /// Where the run goes on from that ends with this error; the results that came in before it are saved.
    pub(super) async fn failure(&mut self, fault: &Fault, sink: &mut dyn Sink) -> Result<Option<Failure>, StoreError> {
        let Some(origin) = self.machine.origin(fault).cloned() else { return Ok(None) };
        let mut failure = Failure {
            at: origin.at,
            since: self.machine.left() > origin.left,
            fibers: origin.fibers,
            calls: origin.call.into_iter().collect(),
            told: Vec::new(),
        };
        if origin.at != self.machine.checkpoint {
            // What was saved since holds results that this checkpoint does not have.
            failure.since |= origin.lacks;
            return Ok(Some(failure));
        }
        failure.told = self.told_before_error();
        let recent = std::mem::take(&mut self.recent);
        let dealt_with = recent.iter().filter_map(|came| match &came.outcome {
            Err(fault) => Some((came.effect, crate::machine::dealt_with(fault))),
            Ok(_) => None,
        });
        failure.calls.extend(dealt_with);
        if recent.iter().any(|came| came.outcome.is_ok()) {
            self.drain(sink).await?;
            if self.save_results(recent, origin.at, sink).await? {
                failure.at = self.n;
            }
        }
        Ok(Some(failure))
    }

    /// Saves a checkpoint once more, with results that came in since. The run itself is written anew after that. Whether
    /// it could be read.
    async fn save_results(&mut self, recent: Vec<Recent>, at: u64, sink: &mut dyn Sink) -> Result<bool, StoreError> {
        let record = self.store.run(&self.id)?;
        let Ok(Some(mut before)) = super::look(&self.image, &*self.store, &record, Some(at)) else { return Ok(false) };
        for Recent { fiber, effect, outcome } in recent {
            if outcome.is_ok() {
                before.settle(fiber, effect, outcome);
            }
        }
        before.keep_time(self.host.now());
        let mut saver = self.new_saver(&record);
        std::mem::swap(&mut self.machine, &mut before);
        std::mem::swap(&mut self.saver, &mut saver);
        let (told, opened, ended) =
            (std::mem::take(&mut self.told), std::mem::take(&mut self.opened), std::mem::take(&mut self.ended));
        self.reset = true;
        let standing = Standing { status: RunStatus::Running, pinned: true, result: None, pins: Vec::new() };
        self.commit(standing, sink).await?;
        self.drain(sink).await?;
        std::mem::swap(&mut self.machine, &mut before);
        (self.told, self.opened, self.ended) = (told, opened, ended);
        self.saver = self.new_saver(&record);
        self.machine.save_anew();
        self.reset = true;
        Ok(true)
    }

    /// One that has saved nothing, and gives numbers to chunks that nobody has given.
    fn new_saver(&self, record: &RunRecord) -> Saver {
        let mut saver = Saver::new(record.code_hash);
        saver.skip_used(self.n);
        saver
    }

    /// What the program has told since the latest checkpoint, up to its error.
    fn told_before_error(&mut self) -> Vec<Json> {
        self.take_told();
        let failed = |event: &Event| {
            matches!(event, Event::Call { what: CallEvent::Failed | CallEvent::Retrying | CallEvent::Cancelled, .. })
        };
        let told: Vec<Json> =
            self.told.iter().filter(|event| is_own(event)).take_while(|event| !failed(event)).map(bare).collect();
        if told.len() > MOST_TOLD { Vec::new() } else { told }
    }

    /// Takes what the machine has told, but for what was told before the run failed and is computed again.
    pub(super) fn take_told(&mut self) {
        for event in self.machine.take_events() {
            if self.told_already.front().is_some_and(|told| *told == bare(&event)) {
                self.told_already.pop_front();
                continue;
            }
            self.told_already.clear();
            self.told.push(event);
        }
    }

    /// What came of a call is kept until a checkpoint has it.
    pub(super) fn keep_recent(&mut self, fiber: u32, effect: u64, outcome: &Outcome) {
        self.recent.push(Recent { fiber, effect, outcome: outcome.clone() });
    }
}

/// Whether the program tells it, and not whoever drives it.
fn is_own(event: &Event) -> bool {
    matches!(event, Event::Call { .. } | Event::Log { .. } | Event::Own { .. })
}

/// An event without its number and time.
fn bare(event: &Event) -> Json {
    event.to_json("", 0, "")
}
