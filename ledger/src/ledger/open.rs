//! Opening a ledger: what is trusted of the disk, and what is derived again.

use super::{Ledger, Live, Setup, Shared, decode, writer::Writer};
use crate::{
    checkpoint,
    derive::{Chain, Head, Marker, Tip},
    error::{FileError, LedgerError, OpenError},
    history, index,
    layers::{InBytes, Layer, Layers},
    limits::{CHECKPOINT_BLOCKS, CHECKPOINT_BYTES},
    log::{self, BlockLog},
    metrics::Metrics,
    older,
    snapshot::Base,
    storage::Storage,
    store::{Store, StoreError, Tree},
    tree,
};
use probata_types::{Height, SealedBlock};
use std::sync::{Arc, Mutex, RwLock};

pub(super) fn open(setup: Setup) -> Result<Ledger, OpenError> {
    let Setup { storage, store, suite, chain: id, initial } = setup;
    let chain = Chain { suite, id };
    let metrics = Arc::new(Metrics::default());
    let base = Base::load(&*storage)?.map(Arc::new);
    let begins = base.as_ref().map_or(Height::new(1), |base| base.height());
    let log = BlockLog::open(Arc::clone(&storage), begins, Arc::clone(&metrics))?;
    check_chain(&log, &chain)?;
    if let Some(base) = base.as_ref().filter(|base| log.height() < base.height()) {
        return Err(OpenError::RestoreUnfinished(base.height()));
    }
    let mut layers = Layers::new(Arc::clone(&store));
    let whole = finish_checkpoint(&*storage, &*store)?;
    let restored = if whole { restore(&*storage, &layers, &chain, log.height())? } else { None };
    // Without a base all blocks are here, and a store that lacks some is of another ledger.
    let restored = restored.filter(|(_, missing)| base.is_some() || *missing == Height::ZERO);
    let tip = match restored {
        Some((tip, missing)) => {
            layers.missing = missing;
            if missing == Height::ZERO {
                Base::remove(&*storage)?;
            }
            Entering { chain: &chain, log: &log, storage: &*storage, metrics: &metrics, tip: &tip }
                .enter(&mut layers)?;
            tip
        }
        // Nothing is wiped: a person may know better, for one that another engine holds it.
        None if log.first() > Height::new(1) => return Err(OpenError::StateLost(log.first())),
        None => {
            // While the first blocks are out of reach, what is there may be all that can be had.
            log.next(None)?;
            tracing::info!(blocks = log.height().get(), "deriving everything from the log");
            Base::remove(&*storage)?;
            // In this order: a crash between finds the file again.
            store.wipe()?;
            checkpoint::discard(&*storage)?;
            // Pages that were read before are of what is gone.
            layers = Layers::new(Arc::clone(&store));
            let (new, tip) = chain.begin(&layers, &initial)?;
            layers.absorb(new);
            tip
        }
    };
    let base = base.filter(|_| layers.missing > Height::ZERO);
    let live = RwLock::new(Live { layers, tip });
    let shared = Arc::new(Shared { chain, storage, metrics, base, live });
    Ok(Ledger {
        shared,
        log,
        writer: Writer::default(),
        fresh_blocks: 0,
        preview: Mutex::new(None),
        checkpoint_blocks: CHECKPOINT_BLOCKS,
        snapshot_blocks: None,
        frozen: None,
        stopped: false,
    })
}

/// Enters what the log holds below what is derived.
struct Entering<'a> {
    chain: &'a Chain,
    log: &'a BlockLog,
    storage: &'a dyn Storage,
    metrics: &'a Metrics,
    tip: &'a Tip,
}

impl Entering<'_> {
    fn enter(&self, layers: &mut Layers) -> Result<(), OpenError> {
        let first = self.log.first();
        if layers.missing.next() < first {
            let what = "older segments that were entered are gone";
            return Err(FileError::corrupt(&log::file_name(first), 0, what).into());
        }
        while first <= layers.missing {
            let above = index::block(layers, layers.missing.next())?;
            let above = above.ok_or_else(lacks_block)?.header.parent;
            let Some(mut segment) = older::in_log(self.log, layers.missing, above)? else { break };
            tracing::info!(below = %layers.missing.next(), "entering older blocks of the log");
            while let Some(slice) = segment.next_slice()? {
                let new = self.chain.derive_older(layers, self.tip, &slice.blocks)?;
                layers.absorb(new);
                layers.missing = Height::new(layers.missing.get() - slice.blocks.len() as u64);
                self.metrics.entered(slice.blocks.len() as u64);
            }
            if layers.fresh.bytes() >= CHECKPOINT_BYTES {
                let layer = layers.set_aside();
                checkpoint::take(self.storage, &*layers.store, &layer, self.metrics)?;
                layers.draining = None;
            }
        }
        Ok(())
    }
}

fn lacks_block() -> LedgerError {
    LedgerError::derived(Tree::Blocks, &[], "a block is missing")
}

/// Refuses a log of another chain.
fn check_chain(log: &BlockLog, chain: &Chain) -> Result<(), OpenError> {
    let Some((place, bytes)) = log.newest()? else { return Ok(()) };
    let found = decode(place, &bytes)?.header.chain;
    if found == chain.id {
        Ok(())
    } else {
        Err(OpenError::OtherChain { found, expected: chain.id })
    }
}

/// Brings an interrupted checkpoint to its end; `false` if its file is damaged, so that the store
/// holds an unknown part of it, or if the store lacks what was there before it. Nothing is removed then.
fn finish_checkpoint(storage: &dyn Storage, store: &dyn Store) -> Result<bool, OpenError> {
    checkpoint::discard_new(storage)?;
    let layer: Layer = match checkpoint::load(storage) {
        Ok(None) => return Ok(true),
        Ok(Some(layer)) if checkpoint::has_base(store)? => layer,
        Ok(Some(_)) => {
            tracing::warn!("the derived state below the checkpoint is lost");
            return Ok(false);
        }
        Err(FileError::Corrupt { file, offset, what }) => {
            tracing::warn!(file, offset, what, "the checkpoint is damaged");
            return Ok(false);
        }
        Err(other) => return Err(other.into()),
    };
    checkpoint::end(storage, store, &InBytes::of(&layer))?;
    Ok(true)
}

/// Where the store stands, and the last height that it lacks; `None` if it is empty or not to be trusted.
fn restore(
    storage: &dyn Storage,
    layers: &Layers,
    chain: &Chain,
    log_height: Height,
) -> Result<Option<(Tip, Height)>, OpenError> {
    match stands_at(storage, layers, chain, log_height) {
        Err(OpenError::Ledger(
            error @ (LedgerError::Derived { .. }
            | LedgerError::Store(StoreError::Damaged(_))
            | LedgerError::Mismatch { .. }
            | LedgerError::File(FileError::Corrupt { .. })),
        )) => {
            tracing::warn!(%error, "the derived state is not used: it does not fit the log");
            Ok(None)
        }
        other => other,
    }
}

/// As [`restore`], with an error for one that is not to be trusted.
fn stands_at(
    storage: &dyn Storage,
    layers: &Layers,
    chain: &Chain,
    log_height: Height,
) -> Result<Option<(Tip, Height)>, OpenError> {
    let Some(bytes) = layers.get(Tree::Meta, Marker::KEY)? else { return Ok(None) };
    let marker = match index::parse::<Marker>(Tree::Meta, Marker::KEY, &bytes) {
        Ok(marker) if marker.format == Marker::FORMAT => marker,
        _ => return Ok(None),
    };
    if marker.chain != chain.id {
        return Err(OpenError::OtherChain { found: marker.chain, expected: chain.id });
    }
    if marker.height > log_height {
        return Err(OpenError::LogLost { log: log_height, derived: marker.height });
    }
    if marker.height == Height::ZERO {
        // Deriving it again from genesis costs nothing, and is surer than comparing.
        return Ok(None);
    }
    Ok(Some((check_marker(storage, layers, chain, &marker)?, marker.missing)))
}

/// Compares the store with the block of the log that it says it stands at.
fn check_marker(
    storage: &dyn Storage,
    layers: &Layers,
    chain: &Chain,
    marker: &Marker,
) -> Result<Tip, LedgerError> {
    tree::crown::grow(chain.suite, layers, marker.root)?;
    let get = |key: &[u8]| Ok(layers.get(Tree::History, key)?);
    let height = marker.height;
    let history_root = history::root(chain.suite, &get, height.get() + 1)?;
    let entry = index::block(layers, height)?.ok_or_else(lacks_block)?;
    let SealedBlock { header, seal, .. } =
        decode(entry.place, &log::read(storage, height, entry.place)?)?;
    let before = history::root(chain.suite, &get, height.get())?;
    let values = [
        ("hash", header.hash(), marker.hash),
        ("state root", header.state_root, marker.root.digest(chain.suite)),
        ("history root", header.history_root, before),
    ];
    for (what, sealed, computed) in values {
        if sealed != computed {
            return Err(LedgerError::Mismatch { height, what, sealed, computed });
        }
    }
    let head = Head { height, hash: marker.hash, sealed: Some((header, seal)) };
    Ok(Tip { head: head.into(), root: marker.root, history_root })
}
