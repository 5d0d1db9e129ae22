//! The one writer: opening, committing, applying.

mod open;
mod writer;

use crate::{
    derive::{Chain, Head, StateUpdate, Tip},
    error::{FileError, LedgerError, OpenError},
    layers::Layers,
    limits::CHECKPOINT_BYTES,
    log::{BlockLog, Place},
    metrics::{Counters, Metrics},
    older::OlderSlice,
    reader::LedgerReader,
    snapshot::{Base, FrozenState},
    storage::Storage,
    store::{Still, Store, StoreView},
};
use probata_types::{
    Hash, Height, SealedBlock, Suite, codec,
    limits::BLOCK_BYTES,
    state::{Changes, StateError, StateKey, StateRead, StateValue},
};
use std::{
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use writer::Writer;

/// What a ledger is made from.
pub struct Setup {
    /// Holds the block log.
    pub storage: Arc<dyn Storage>,
    /// Holds what is derived from it.
    pub store: Arc<dyn Store>,
    /// The algorithms of the chain.
    pub suite: Suite,
    /// The chain.
    pub chain: Hash,
    /// The state before block 1, from genesis.
    pub initial: Changes,
}

/// What writer and readers share.
pub(crate) struct Shared {
    pub(crate) chain: Chain,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) metrics: Arc<Metrics>,
    /// What is known of the blocks that are not in the log, if it does not begin with the first.
    pub(crate) base: Option<Arc<Base>>,
    /// Readers hold it for one answer, the writer for the moment in which a block becomes visible.
    live: RwLock<Live>,
}

/// What changes with each block, all at once.
pub(crate) struct Live {
    pub(crate) layers: Layers,
    pub(crate) tip: Tip,
}

impl Shared {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Live> {
        // A writer only swaps finished values in while it holds the lock: there is no half state.
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ledger, for its one writer.
pub struct Ledger {
    shared: Arc<Shared>,
    log: BlockLog,
    /// Brings layers into the store.
    writer: Writer,
    /// Blocks whose entries are in the fresh layer.
    fresh_blocks: u64,
    /// The last preview, to be used again when its block is committed.
    preview: Mutex<Option<(Arc<Changes>, StateUpdate)>>,
    /// Blocks after which a checkpoint is taken.
    checkpoint_blocks: u64,
    /// Blocks between two snapshots, if any are to be made.
    snapshot_blocks: Option<NonZeroU64>,
    /// The state of a height that such a snapshot is due of.
    frozen: Option<FrozenState>,
    stopped: bool,
}

impl Ledger {
    /// Opens a ledger: cuts a torn tail of the log, and finishes an interrupted checkpoint. If the
    /// derived state is missing, damaged or does not fit the log, it is emptied, to be derived again.
    /// Then [`Ledger::unapplied`] gives the blocks to be executed again.
    ///
    /// # Errors
    /// [`OpenError`]: the disk fails, the log is damaged or has lost blocks, or is another chain's.
    pub fn open(setup: Setup) -> Result<Self, OpenError> {
        open::open(setup)
    }

    /// The next block of the log that is not in the derived state: execute it and call
    /// [`Ledger::apply`], until this gives `None`.
    ///
    /// # Errors
    /// [`LedgerError`] if the log cannot be read.
    pub fn unapplied(&self) -> Result<Option<SealedBlock>, LedgerError> {
        let Some((place, bytes)) = self.next_in_log()? else { return Ok(None) };
        Ok(Some(decode(place, &bytes)?))
    }

    /// Applies the block that [`Ledger::unapplied`] gave, with the changes of its execution.
    ///
    /// # Errors
    /// [`LedgerError::Mismatch`] if the execution does not give the sealed state root: this software
    /// judges otherwise than the validators did. [`LedgerError`] if the disk fails.
    pub fn apply(&mut self, block: &SealedBlock, changes: &Changes) -> Result<(), LedgerError> {
        self.check_running()?;
        let in_log = self.next_in_log()?.filter(|(_, bytes)| codec::encode(block) == *bytes);
        let Some((place, _)) = in_log else {
            return Err(LedgerError::NotInLog(block.header.height));
        };
        let update = self.checked_update(block, changes, None)?;
        self.install(block, place, update)
    }

    /// Commits a block with the changes of its execution: appends it to the log and syncs; when that is
    /// done the block is committed, whatever happens after. Then applies it.
    ///
    /// # Errors
    /// [`LedgerError::Mismatch`] and [`LedgerError::WrongHeight`] before anything is written. After any
    /// other error the ledger is stopped: open it again to learn whether the block is committed.
    pub fn commit(
        &mut self,
        block: &SealedBlock,
        changes: &Arc<Changes>,
    ) -> Result<(), LedgerError> {
        self.check_running()?;
        let applied = self.shared.read().tip.head.height;
        if self.log.height() != applied {
            return Err(LedgerError::Behind { log: self.log.height(), applied });
        }
        let preview = self.preview.lock().unwrap_or_else(PoisonError::into_inner).take();
        let same =
            |previewed: &Arc<Changes>| Arc::ptr_eq(previewed, changes) || previewed == changes;
        let preview = preview.filter(|(previewed, _)| same(previewed)).map(|(_, update)| update);
        let update = self.checked_update(block, changes, preview)?;
        self.stopped = true;
        let place = self.log.append(block.header.height, &codec::encode(block))?;
        self.install(block, place, update)
    }

    /// Enters older blocks, which are in the log, into what is derived: from now on they are here. They are as durable
    /// as what follows from live blocks; what a crash takes is entered again when the ledger is opened.
    ///
    /// # Errors
    /// [`LedgerError::WrongHeight`] if they do not end where those that are here begin; [`LedgerError`] if the disk
    /// fails, and the ledger is stopped then.
    pub fn enter_older(&mut self, slice: OlderSlice) -> Result<(), LedgerError> {
        self.check_running()?;
        let expected = self.shared.read().layers.missing;
        let got = slice.blocks.first().map_or(Height::ZERO, |(block, _)| block.header.height);
        if got != expected || expected == Height::ZERO {
            return Err(LedgerError::WrongHeight { expected, got });
        }
        self.stopped = true;
        self.log.begins_with(slice.segment);
        let count = slice.blocks.len() as u64;
        let new = {
            let live = self.shared.read();
            self.shared.chain.derive_older(&live.layers, &live.tip, &slice.blocks)?
        };
        let fresh_bytes = {
            let mut live = self.shared.write();
            live.layers.absorb(new);
            live.layers.missing = Height::new(expected.get() - count);
            live.layers.fresh.bytes()
        };
        self.shared.metrics.entered(count);
        self.move_on(fresh_bytes, None)
    }

    /// The newest block that is applied.
    pub fn head(&self) -> Arc<Head> {
        Arc::clone(&self.shared.read().tip.head)
    }

    /// The newest block of the log; above the head while blocks are to be applied again.
    pub fn log_height(&self) -> Height {
        self.log.height()
    }

    /// The state root after `changes`, as the next header carries it. Nothing is written; the work is
    /// kept for the commit of the same changes.
    ///
    /// # Errors
    /// [`LedgerError`] if the derived state cannot be read.
    pub fn state_root_after(&self, changes: &Arc<Changes>) -> Result<Hash, LedgerError> {
        let live = self.shared.read();
        let update = self.shared.chain.update(&live.layers, live.tip.root, changes)?;
        let root = update.root(self.shared.chain.suite);
        *self.preview.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(changes), update));
        Ok(root)
    }

    /// The root over the chain id and all header hashes up to the head, as the next header carries it.
    pub fn history_root(&self) -> Hash {
        self.shared.read().tip.history_root
    }

    /// A handle for reading, to be cloned and sent.
    pub fn reader(&self) -> LedgerReader {
        LedgerReader::new(Arc::clone(&self.shared))
    }

    /// Counters since the ledger was opened.
    pub fn counters(&self) -> Counters {
        self.shared.metrics.counters()
    }

    /// Brings everything derived into the store, so that the next opening has nothing to apply again.
    /// Without it nothing is lost.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails.
    pub fn close(mut self) -> Result<(), LedgerError> {
        self.store_all()?;
        if self.shared.read().layers.missing == Height::ZERO {
            Base::remove(&*self.shared.storage)?;
        }
        Ok(())
    }

    /// The state of the newest block, to make a snapshot of. Everything is in the store then, and the ledger closed.
    ///
    /// # Errors
    /// [`LedgerError::NotCovered`] before the first block; [`LedgerError`] if the disk fails.
    pub fn freeze(mut self) -> Result<FrozenState, LedgerError> {
        self.store_all()?;
        let height = self.head().height;
        if height == Height::ZERO {
            return Err(LedgerError::NotCovered { height, head: height });
        }
        let store = Arc::clone(&self.shared.read().layers.store);
        Ok(self.frozen_at(height, Box::new(Still(store))))
    }

    /// From now on the state of each height that `blocks` divides is to be frozen for a snapshot, if the store
    /// can do that.
    pub fn freeze_every(&mut self, blocks: NonZeroU64) {
        self.snapshot_blocks = Some(blocks);
    }

    /// The state that was frozen last, once.
    pub fn take_frozen(&mut self) -> Option<FrozenState> {
        self.frozen.take()
    }

    fn store_all(&mut self) -> Result<(), LedgerError> {
        self.check_running()?;
        self.writer.wait()?;
        if self.shared.read().layers.fresh.len() > 0 {
            self.writer.take(&self.shared, None)?;
            self.writer.wait()?;
        }
        Ok(())
    }

    /// Layers go to the store by a thread of their own from here on, behind the blocks. Without this all is
    /// written in order by whoever commits, as a disk that is only simulated needs it. On each such thread `begin` is
    /// called first.
    pub fn write_behind(&mut self, begin: fn()) {
        self.writer.go_behind(begin);
    }

    fn frozen_at(&self, height: Height, view: Box<dyn StoreView>) -> FrozenState {
        let Shared { chain, storage, base, .. } = &*self.shared;
        let (storage, base) = (Arc::clone(storage), base.clone());
        FrozenState { chain: *chain, height, storage, base, view }
    }

    fn is_snapshot(&self, height: Height) -> bool {
        self.snapshot_blocks.is_some_and(|blocks| height.get() % blocks == 0)
    }

    /// Takes checkpoints earlier, so that a test need not write hundreds of blocks.
    #[cfg(test)]
    pub(crate) fn set_checkpoint_blocks(&mut self, blocks: u64) {
        self.checkpoint_blocks = blocks;
    }

    /// Begins new segments earlier, so that a test need not write 64 MiB.
    #[cfg(test)]
    pub(crate) fn set_segment_bytes(&mut self, bytes: u64) {
        self.log.set_segment_bytes(bytes);
    }

    /// Leaves the fresh layer on its way to the store, where it does not stay long otherwise.
    #[cfg(test)]
    pub(crate) fn set_fresh_aside(&mut self) {
        self.shared.write().layers.set_aside();
        self.checkpoint_blocks = u64::MAX;
    }

    fn check_running(&self) -> Result<(), LedgerError> {
        if self.stopped { Err(LedgerError::Stopped) } else { Ok(()) }
    }

    /// The block after the head, if the log has it.
    fn next_in_log(&self) -> Result<Option<(Place, Vec<u8>)>, LedgerError> {
        let height = self.shared.read().tip.head.height;
        if height == Height::ZERO {
            return Ok(self.log.next(None)?);
        }
        let entry = crate::index::block(&self.shared.read().layers, height)?;
        let entry = entry.expect("the head was entered into the index with its block");
        Ok(self.log.next(Some((height, entry.place)))?)
    }

    /// The update of the changes, from their preview if it is of the state that is there, with the block
    /// checked against it.
    fn checked_update(
        &self,
        block: &SealedBlock,
        changes: &Changes,
        preview: Option<StateUpdate>,
    ) -> Result<StateUpdate, LedgerError> {
        let live = self.shared.read();
        let chain = &self.shared.chain;
        let update = match preview {
            Some(update) if update.tree.before == live.tip.root => update,
            _ => chain.update(&live.layers, live.tip.root, changes)?,
        };
        chain.check(&live.tip, block, &update)?;
        Ok(update)
    }

    /// Makes a block that is in the log visible, and moves older entries on to the store.
    fn install(
        &mut self,
        block: &SealedBlock,
        place: Place,
        update: StateUpdate,
    ) -> Result<(), LedgerError> {
        self.stopped = true;
        let (new, tip) = {
            let live = self.shared.read();
            self.shared.chain.derive(&live.layers, block, place, update)?
        };
        let fresh_bytes = {
            let mut live = self.shared.write();
            live.layers.absorb(new);
            live.tip = tip;
            live.layers.fresh.bytes()
        };
        self.fresh_blocks += 1;
        self.shared.metrics.applied();
        let freeze = Some(block.header.height).filter(|height| self.is_snapshot(*height));
        self.move_on(fresh_bytes, freeze)
    }

    /// Moves entries on to the store, if there are enough of them or the height is to be frozen.
    fn move_on(&mut self, fresh_bytes: usize, freeze: Option<Height>) -> Result<(), LedgerError> {
        let full = fresh_bytes >= CHECKPOINT_BYTES
            || self.fresh_blocks >= self.checkpoint_blocks
            || freeze.is_some();
        if full {
            // What is not in the store yet is bounded: one layer that fills and one that is written.
            self.writer.wait()?;
            self.fresh_blocks = 0;
            self.writer.take(&self.shared, freeze)?;
        }
        self.writer.check()?;
        if let Some((height, view)) = self.writer.take_frozen() {
            self.frozen = Some(self.frozen_at(height, view));
        }
        self.stopped = false;
        Ok(())
    }
}

impl StateRead for Ledger {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        let (live, suite) = (self.shared.read(), self.shared.chain.suite);
        let key = key.hash(suite);
        Ok(crate::reader::value_under(suite, &live.layers, live.tip.root, &key)?)
    }
}

/// The block of the bytes at a place of the log.
pub(crate) fn decode(place: Place, bytes: &[u8]) -> Result<SealedBlock, FileError> {
    codec::decode(bytes, BLOCK_BYTES).map_err(|error| no_block(place, &error))
}

/// As [`decode`], for a reader: whether the bytes are canonical is not looked at, which takes nearly as long again. They
/// were when they were written, and the sum of their frame holds.
pub(crate) fn decode_own(place: Place, bytes: &[u8]) -> Result<SealedBlock, FileError> {
    codec::decode_own(bytes, BLOCK_BYTES).map_err(|error| no_block(place, &error))
}

fn no_block(place: Place, error: &codec::CodecError) -> FileError {
    let what = format!("the frame does not hold a block: {error}");
    FileError::corrupt(&crate::log::file_name(place.segment), place.offset, what)
}
