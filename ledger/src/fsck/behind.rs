//! Layers of what is derived again go to the scratch store by a thread behind the check.

use crate::{
    error::LedgerError,
    layers::{InBytes, Layers},
    store::StoreError,
};
use std::{
    sync::Arc,
    thread::{Builder, Scope, ScopedJoinHandle},
};

/// Writes one layer at a time.
pub(super) struct Behind<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    busy: Option<ScopedJoinHandle<'scope, Result<(), StoreError>>>,
}

impl<'scope, 'env> Behind<'scope, 'env> {
    pub(super) const fn new(scope: &'scope Scope<'scope, 'env>) -> Self {
        Self { scope, busy: None }
    }

    /// Begins to write the fresh layer, after the one before it is in the store.
    pub(super) fn put(&mut self, layers: &mut Layers) -> Result<(), LedgerError> {
        self.wait(layers)?;
        if layers.fresh.len() == 0 {
            return Ok(());
        }
        let (layer, store) = (layers.set_aside(), Arc::clone(&layers.store));
        let write = move || InBytes::of(&layer).put(&*store);
        let thread = Builder::new().name("fsck-store".into());
        let busy = thread.spawn_scoped(self.scope, write).map_err(LedgerError::Thread)?;
        self.busy = Some(busy);
        Ok(())
    }

    /// Waits until all but the fresh layer is in the store.
    pub(super) fn wait(&mut self, layers: &mut Layers) -> Result<(), LedgerError> {
        match self.busy.take().map(ScopedJoinHandle::join) {
            None => {}
            Some(Ok(written)) => written?,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
        if let Some(layer) = layers.draining.take() {
            layers.keep_pages(&layer);
        }
        Ok(())
    }
}
