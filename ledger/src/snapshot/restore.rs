//! Restoring a snapshot: an empty ledger becomes one that stands at the snapshot's height.
//!
//! In order: everything but the chunks is checked; the base is written; the store is emptied, filled (see `fill.rs`) and flushed; last
//! comes the block, which begins the log. A base without a log is a restore that was cut short: it is begun again,
//! and nobody opens it as a ledger.

use super::{Base, Manifest, SnapshotError, SnapshotFiles, fill::Filling, manifest};
use crate::{
    checkpoint,
    derive::StateUpdate,
    history,
    layers::{Draft, InBytes, Layers},
    ledger::Setup,
    log,
    storage::Storage,
    tree::{self, Node, Update},
};
use probata_types::{Hash, Height, SealedBlock, codec};
use std::sync::Arc;

/// What is restored, and to where.
pub struct Restore<'a> {
    /// The ledger to be filled: a storage without blocks. A journal in it stays as it is.
    pub setup: &'a Setup,
    /// The snapshot.
    pub from: &'a SnapshotFiles,
    /// The hash of the block that the operator was told by another way, if any.
    pub expected: Option<Hash>,
    /// Is told how many chunks of how many are in.
    pub progress: &'a dyn Fn(usize, usize),
}

/// Restores a snapshot.
///
/// # Errors
/// [`SnapshotError`]: what is wrong with the snapshot, or with where it is to go.
pub fn restore(restore: &Restore<'_>) -> Result<Manifest, SnapshotError> {
    let Restore { setup, from, .. } = restore;
    check_empty(setup)?;
    let manifest = from.manifest()?;
    manifest.check(setup.suite, &setup.chain, &setup.initial)?;
    let got = manifest.header.hash();
    if let Some(expected) = restore.expected.filter(|expected| *expected != got) {
        return Err(SnapshotError::OtherBlock { got, expected });
    }
    let block = from.block()?;
    manifest.check_block(&block)?;

    Base::of(&manifest).save(&*setup.storage)?;
    setup.store.wipe()?;
    let root = fill(restore, &manifest)?;
    end(setup, &manifest, &block, root)?;
    setup.store.flush()?;
    log::write_segment(&*setup.storage, manifest.height(), &[codec::encode(&block)])?;
    Ok(manifest)
}

/// Whether a storage holds blocks: a snapshot is restored to one that holds none.
///
/// # Errors
/// [`SnapshotError`] if the disk fails, or its files are none of a ledger.
pub fn holds_blocks(storage: &dyn Storage) -> Result<bool, SnapshotError> {
    Ok(!log::segments(storage, Height::MAX)?.is_empty())
}

/// Refuses a storage that holds blocks; removes what else an older ledger may have left.
fn check_empty(setup: &Setup) -> Result<(), SnapshotError> {
    if holds_blocks(&*setup.storage)? {
        return Err(SnapshotError::NotEmpty);
    }
    checkpoint::discard(&*setup.storage)?;
    Ok(())
}

/// Fills the store with the objects and pages of all chunks; gives the root of the state.
fn fill(restore: &Restore<'_>, manifest: &Manifest) -> Result<Node, SnapshotError> {
    let Restore { setup, from, progress, .. } = restore;
    let starts = manifest.assemble()?.starts;
    let (suite, store) = (setup.suite, &*setup.store);
    let nodes = Filling { suite, manifest, starts: &starts, from, store }.run(progress)?;
    let above = tree::assemble(setup.suite, &nodes).ok_or(SnapshotError::Tiling)?;
    let (got, expected) = (above.root.digest(setup.suite), manifest.header.state_root);
    if got != expected {
        return Err(SnapshotError::StateRoot { got, expected });
    }
    tree::put_pages(&*setup.store, &above.pages)?;
    Ok(above.root)
}

/// Puts the history and all that follows from the block, through the function that live blocks go through.
fn end(
    setup: &Setup,
    manifest: &Manifest,
    block: &SealedBlock,
    root: Node,
) -> Result<(), SnapshotError> {
    let height = manifest.height();
    let mut layers = Layers::new(Arc::clone(&setup.store));
    layers.missing = height.previous().unwrap_or_default();
    let mut draft = Draft::new(&layers);
    history::put_peaks(&mut draft, height.get(), &manifest.history);
    let peaks = draft.into_new();
    layers.absorb(peaks);
    let chain = manifest::chain(setup);
    // Where the block will be, as the first of its segment.
    let place = log::place_of_first(height, &codec::encode(block))?;
    let update = StateUpdate::none(Update::none(root));
    let (new, _) = chain.derive(&layers, block, place, update)?;
    layers.absorb(new);
    Ok(InBytes::of(&layers.fresh).put(&*setup.store)?)
}
