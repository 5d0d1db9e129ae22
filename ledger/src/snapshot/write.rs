//! Writing a snapshot, from a view of the store that stands still.

use super::{Base, Manifest, SnapshotError, SnapshotFiles, cut::cut, manifest::ChunkHead};
use crate::{
    derive::Chain,
    error::LedgerError,
    history,
    index::{self, BlockEntry},
    ledger::decode,
    limits::CHUNK_BYTES,
    log,
    storage::Storage,
    store::{StoreView, Tree},
};
use probata_types::{
    Epoch, Hash, Header, Height, List, Seal, codec,
    epoch::Validators,
    evidence::SetChange,
    state::{StateKey, StateValue},
};
use std::sync::Arc;

/// The state at a height, and what proves it, for as long as it takes to write a snapshot. The ledger goes on meanwhile.
pub struct FrozenState {
    pub(crate) chain: Chain,
    pub(crate) height: Height,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) base: Option<Arc<Base>>,
    pub(crate) view: Box<dyn StoreView>,
}

impl std::fmt::Debug for FrozenState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrozenState").field("height", &self.height).finish_non_exhaustive()
    }
}

/// A snapshot that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The height.
    pub height: Height,
    /// The hash of its header.
    pub hash: Hash,
    /// The root of its state.
    pub state_root: Hash,
    /// Chunks.
    pub chunks: usize,
    /// Bytes of all chunks.
    pub bytes: u64,
}

impl FrozenState {
    /// The height of the state.
    pub const fn height(&self) -> Height {
        self.height
    }

    /// Writes the snapshot to a storage of its own. `progress` is told how much of the key space is done, in 65,536th.
    ///
    /// # Errors
    /// [`SnapshotError`] if there is one already, or a disk fails.
    pub fn write(
        &self,
        to: &SnapshotFiles,
        progress: &dyn Fn(u32),
    ) -> Result<Written, SnapshotError> {
        self.write_in_chunks(to, CHUNK_BYTES, progress)
    }

    pub(crate) fn write_in_chunks(
        &self,
        to: &SnapshotFiles,
        most: usize,
        progress: &dyn Fn(u32),
    ) -> Result<Written, SnapshotError> {
        match to.manifest_bytes() {
            Err(SnapshotError::Missing(_)) => to.clear()?,
            Err(other) => return Err(other),
            Ok(_) => return Err(SnapshotError::Exists),
        }
        let entry = self.entry(self.height)?;
        let block = decode(entry.place, &log::read(&*self.storage, self.height, entry.place)?)?;
        to.put_block(&block)?;
        let (mut chunks, mut done) = (Vec::new(), 0u64);
        cut(self.chain.suite, &*self.view, most, &mut |chunk: ChunkHead, _, bytes| {
            to.put_chunk(chunks.len(), bytes)?;
            chunks.push(chunk);
            done += (1 << 16) >> (4 * u32::from(chunk.nibbles)).min(16);
            progress(u32::try_from(done.min(1 << 16)).expect("it is bounded"));
            Ok(())
        })?;
        let manifest = Manifest {
            version: Manifest::VERSION,
            header: entry.header,
            seal: entry.seal,
            sets: self.sets()?,
            history: self.peaks()?,
            chunks: List::new(chunks).map_err(|_| SnapshotError::TooLarge)?,
        };
        // What is written must be what a stranger takes.
        manifest.assemble()?;
        to.put_manifest(&manifest)?;
        Ok(Written {
            height: self.height,
            hash: manifest.header.hash(),
            state_root: manifest.header.state_root,
            chunks: manifest.chunks(),
            bytes: manifest.bytes(),
        })
    }

    /// The changes of the validator set up to the height, first to last.
    fn sets(&self) -> Result<List<SetChange, { crate::limits::SNAPSHOT_SETS }>, SnapshotError> {
        let Some(StateValue::Validators(validators)) = self.value(&StateKey::Validators)? else {
            return Err(self.lacks("the validators"));
        };
        let Validators { epoch: last, .. } = *validators;
        let mut sets = List::empty();
        for number in 1..=last {
            let Some(StateValue::Epoch(epoch)) = self.value(&StateKey::Epoch(number))? else {
                return Err(self.lacks("an epoch"));
            };
            let Epoch { first, set, .. } = *epoch;
            let before = first.previous().unwrap_or_default();
            // The set that the block itself names as the next is for those who come after.
            if before >= self.height {
                break;
            }
            let (header, seal) = self.sealed(before)?;
            let change = SetChange { header, seal, set };
            sets.push(change).map_err(|_| SnapshotError::TooManySets)?;
        }
        Ok(sets)
    }

    fn sealed(&self, height: Height) -> Result<(Header, Seal), SnapshotError> {
        let known = self.base.as_ref().and_then(|base| base.sealed(height));
        match known {
            Some(sealed) => Ok(sealed),
            None => self.entry(height).map(|entry| (entry.header, entry.seal)),
        }
    }

    fn entry(&self, height: Height) -> Result<BlockEntry, SnapshotError> {
        let key = index::block_key(height);
        let bytes = self.view.get(Tree::Blocks, &key)?;
        let bytes = bytes
            .ok_or_else(|| LedgerError::derived(Tree::Blocks, &key, "the block is missing"))?;
        Ok(index::parse(Tree::Blocks, &key, &bytes)?)
    }

    fn value(&self, key: &StateKey) -> Result<Option<StateValue>, SnapshotError> {
        let key = key.hash(self.chain.suite);
        let bytes = self.view.get(Tree::Values, key.as_bytes())?;
        let value = bytes.map(|bytes| codec::decode(&bytes, crate::limits::CHECKPOINT_FRAME_BYTES));
        let value = value.transpose().map_err(|error| {
            LedgerError::derived(Tree::Values, key.as_bytes(), error.to_string())
        })?;
        Ok(value)
    }

    fn peaks(&self) -> Result<List<Hash, { probata_types::limits::MERKLE_PATH }>, SnapshotError> {
        let get = |key: &[u8]| Ok(self.view.get(Tree::History, key)?);
        let peaks = history::peaks(&get, self.height.get())?;
        Ok(List::new(peaks).expect("64 levels hold any tree"))
    }

    fn lacks(&self, what: &str) -> SnapshotError {
        LedgerError::derived(Tree::Values, &[], format!("the state lacks {what}")).into()
    }
}
