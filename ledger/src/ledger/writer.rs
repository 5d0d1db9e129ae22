//! Who brings layers into the store: whoever commits, or a thread behind it.

use super::Shared;
use crate::{checkpoint, error::LedgerError, layers::Layer, store::StoreView};
use probata_types::Height;
use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

/// The store as it stood at a height.
type Frozen = (Height, Box<dyn StoreView>);
/// What came of writing a layer.
type Written = Result<Option<Frozen>, LedgerError>;

/// Writes one layer at a time.
#[derive(Default)]
pub(super) struct Writer {
    /// What a thread that writes does first; none while whoever commits writes.
    behind: Option<fn()>,
    /// The thread that writes.
    busy: Option<JoinHandle<Written>>,
    /// What was frozen last.
    frozen: Option<Frozen>,
}

impl Writer {
    /// Writes on a thread from here on.
    pub(super) fn go_behind(&mut self, begin: fn()) {
        self.behind = Some(begin);
    }

    /// Sets the fresh layer aside and writes it, or begins to. With a height, which is that of the layer, the store
    /// is frozen when it stands there and holds nothing above.
    pub(super) fn take(
        &mut self,
        shared: &Arc<Shared>,
        freeze: Option<Height>,
    ) -> Result<(), LedgerError> {
        assert!(self.busy.is_none(), "one layer is written at a time");
        let layer = shared.write().layers.set_aside();
        let Some(begin) = self.behind else {
            let frozen = write(shared, layer, freeze)?;
            self.frozen = frozen.or(self.frozen.take());
            return Ok(());
        };
        let shared = Arc::clone(shared);
        let write = move || {
            begin();
            write(&shared, layer, freeze)
        };
        let thread = thread::Builder::new().name("store".into());
        let busy = thread.spawn(write).map_err(LedgerError::Thread)?;
        self.busy = Some(busy);
        Ok(())
    }

    /// Waits until nothing is being written.
    pub(super) fn wait(&mut self) -> Result<(), LedgerError> {
        match self.busy.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(written)) => {
                self.frozen = written?.or(self.frozen.take());
                Ok(())
            }
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }

    /// What was frozen last, once.
    pub(super) fn take_frozen(&mut self) -> Option<Frozen> {
        self.frozen.take()
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

fn write(shared: &Shared, layer: Arc<Layer>, freeze: Option<Height>) -> Written {
    let store = Arc::clone(&shared.read().layers.store);
    checkpoint::take(&*shared.storage, &*store, &layer, &shared.metrics)?;
    let frozen = freeze.and_then(|height| Some((height, store.freeze()?)));
    let mut live = shared.write();
    live.layers.keep_pages(&layer);
    let drained = live.layers.draining.take();
    drop(live);
    drop((drained, layer));
    Ok(frozen)
}
