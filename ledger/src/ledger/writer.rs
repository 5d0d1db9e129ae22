//! Who brings layers into the store: whoever commits, or a thread behind it.

use super::Shared;
use crate::{checkpoint, error::LedgerError, layers::Layer};
use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

/// Writes one layer at a time.
#[derive(Debug, Default)]
pub(super) struct Writer {
    behind: bool,
    /// The thread that writes.
    busy: Option<JoinHandle<Result<(), LedgerError>>>,
}

impl Writer {
    /// Writes on a thread from here on.
    pub(super) fn go_behind(&mut self) {
        self.behind = true;
    }

    /// Sets the fresh layer aside and writes it, or begins to.
    pub(super) fn take(&mut self, shared: &Arc<Shared>) -> Result<(), LedgerError> {
        assert!(self.busy.is_none(), "one layer is written at a time");
        let layer = shared.write().layers.set_aside();
        if !self.behind {
            return write(shared, layer);
        }
        let shared = Arc::clone(shared);
        let thread = thread::Builder::new().name("store".into());
        let busy = thread.spawn(move || write(&shared, layer)).map_err(LedgerError::Thread)?;
        self.busy = Some(busy);
        Ok(())
    }

    /// Waits until nothing is being written.
    pub(super) fn wait(&mut self) -> Result<(), LedgerError> {
        match self.busy.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }

    /// Learns how the writing ended, if it has.
    pub(super) fn check(&mut self) -> Result<(), LedgerError> {
        match &self.busy {
            Some(busy) if busy.is_finished() => self.wait(),
            _ => Ok(()),
        }
    }
}

impl Drop for Writer {
    /// Whoever opens the same files next must find nobody writing.
    fn drop(&mut self) {
        if let Some(Ok(Err(error))) = self.busy.take().map(JoinHandle::join) {
            tracing::error!(%error, "the store was not written");
        }
    }
}

fn write(shared: &Shared, layer: Arc<Layer>) -> Result<(), LedgerError> {
    let store = Arc::clone(&shared.read().layers.store);
    checkpoint::take(&*shared.storage, &*store, &layer, &shared.metrics)?;
    let mut live = shared.write();
    live.layers.keep_pages(&layer);
    let drained = live.layers.draining.take();
    drop(live);
    drop((drained, layer));
    Ok(())
}
