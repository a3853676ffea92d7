//! A run is cancelled: here, or by the wish of another process that its owner finds in the store.
//!
//! That it is being cancelled is part of the machine, so whoever goes on after a crash goes on with the cleanup. Nothing
//! of the cleanup leaves before a checkpoint says so.

use std::sync::Arc;

use super::{Report, Run, Sink, aside};
use crate::{
    event::Event,
    store::{RunStatus, StoreError},
};

impl Run {
    /// Cancels the run: calls under way are ended, requests withdrawn, and its `finally` blocks run. One that is being
    /// cancelled already is left to its cleanup.
    pub fn cancel(&mut self) {
        if self.machine.is_cancelling() {
            return;
        }
        self.tell(Event::Cancelling);
        self.machine.cancel();
        self.withdraw();
        self.unsaved = true;
    }

    /// Whether it is cancelled, and its cleanup is under way.
    pub fn is_cancelling(&self) -> bool {
        self.machine.is_cancelling()
    }

    /// Ends the run as cancelled, without its `finally` blocks.
    ///
    /// # Errors
    /// When the store refuses that.
    pub async fn end_now(mut self, sink: &mut dyn Sink) -> Result<Report, StoreError> {
        self.again.clear();
        let report = self.finish(None, sink).await;
        let (store, id, epoch) = (Arc::clone(&self.store), Arc::clone(&self.id), self.epoch);
        let released = aside(move || store.release(&id, epoch)).await;
        let report = report?;
        released?;
        Ok(report)
    }

    /// Where the run stands while it has not ended.
    pub(super) fn status(&self, pauses: bool) -> RunStatus {
        match pauses {
            _ if self.machine.is_cancelling() => RunStatus::Cancelling,
            true => RunStatus::Paused,
            false => RunStatus::Running,
        }
    }

    /// Cancels the run if somebody asked for it before this process took it.
    pub(super) fn take_up_wish(&mut self) -> Result<(), StoreError> {
        if !self.machine.is_cancelling() && self.store.wants_cancelled(&self.id)? {
            self.cancel();
        }
        Ok(())
    }

    /// Cancels the run if another process asks for it.
    pub(super) async fn take_wish(&mut self) -> Result<(), StoreError> {
        if self.machine.is_cancelling() {
            return Ok(());
        }
        let (store, id) = (Arc::clone(&self.store), Arc::clone(&self.id));
        if aside(move || store.wants_cancelled(&id)).await? {
            self.cancel();
        }
        Ok(())
    }
}
