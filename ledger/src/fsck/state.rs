//! The state put together again from its objects, where it cannot be derived from the log.

use super::{FsckError, check_stop};
use crate::{
    error::LedgerError,
    layers::Layers,
    limits::CHUNK_BYTES,
    snapshot::{Chunk, SnapshotError, cut},
    store::{Entry, Store, StoreError, StoreView, Tree},
    tree::{self, Node},
};
use probata_types::Suite;
use std::{slice, sync::atomic::AtomicBool};

/// Copies all objects of the state to another store, with the pages that follow from them; gives the root. One chunk is
/// in memory at a time, as when a snapshot is written.
pub(super) fn copy(
    suite: Suite,
    old: &Layers,
    scratch: &dyn Store,
    stop: &AtomicBool,
) -> Result<Node, FsckError> {
    let mut nodes = Vec::new();
    let copied = cut(suite, &Merged(old), CHUNK_BYTES, &mut |head, chunk, _| {
        check_stop(stop).map_err(|_| LedgerError::Stopped)?;
        Chunk::put_all(slice::from_ref(chunk), scratch)?;
        nodes.push((head.nibbles, head.node));
        Ok(())
    });
    // Whatever else it says then.
    check_stop(stop)?;
    copied.map_err(into_ledger_error)?;
    let above = tree::assemble(suite, &nodes)
        .ok_or_else(|| LedgerError::derived(Tree::Values, &[], "its objects make no tree"))?;
    tree::put_pages(scratch, &above.pages)?;
    Ok(above.root)
}

fn into_ledger_error(error: SnapshotError) -> LedgerError {
    match error {
        SnapshotError::Ledger(error) => error,
        SnapshotError::Store(error) => error.into(),
        SnapshotError::File(error) => error.into(),
        other => LedgerError::derived(Tree::Values, &[], other.to_string()),
    }
}

/// The layers as one view. Nobody writes to them.
struct Merged<'a>(&'a Layers);

impl StoreView for Merged<'_> {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(tree, key)
    }

    fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.0.scan(tree, from, to, limit)
    }
}
