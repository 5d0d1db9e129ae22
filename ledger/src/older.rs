//! Older blocks, below all that a ledger holds: checked from the newest down, written to the log, entered into what is
//! derived.
//!
//! ```text
//!   first block that is here ──parent──► the next one down ──parent──► ... ──► block 1 ──parent──► chain id
//!        each: header of that hash, seal of the set of its height, body as its header says
//! ```
//!
//! The state needs nothing of them: what came of their records is in it, and their outcomes are in the blocks. They are gathered
//! to a segment, which is in the log as a whole or not at all, and entered in slices through the layers that live blocks
//! go through, with the last height that is missing: so what is derived says of itself how far down it reaches, and
//! what the log holds below that is entered when the ledger is opened.

use crate::{
    error::{FileError, LedgerError},
    index,
    ledger::{Shared, decode},
    limits::{OLDER_SEGMENT_BYTES, OLDER_SLICE_BYTES},
    log::{self, BlockLog, Place},
    reader,
    snapshot::body,
};
use probata_types::{
    Epoch, Hash, Height, SealedBlock, codec, epoch,
    limits::BLOCK_BYTES,
    state::{StateError, StateKey, StateRead, StateValue},
};
use std::{collections::VecDeque, sync::Arc};

/// Why an older block is not taken.
#[derive(Debug, thiserror::Error)]
pub enum OlderError {
    /// It is not the block that was sealed: whoever handed it over is broken or lies.
    #[error("block {height} does not hold: {what}")]
    Wrong {
        /// The height that was wanted.
        height: Height,
        /// What is wrong with it.
        what: String,
    },
    /// The ledger fails.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Older blocks on their way into the log: one segment of it, from its end.
pub struct Older {
    shared: Arc<Shared>,
    /// Newest first.
    blocks: VecDeque<Vec<u8>>,
    bytes: usize,
    /// The height wanted next; zero if there is none.
    next: Height,
    /// The hash that its header must have.
    hash: Hash,
    /// The set that seals it, unless it is older than that.
    epoch: Epoch,
}

impl Older {
    /// Those below all that are here; `None` if all are.
    pub(crate) fn of(shared: &Arc<Shared>) -> Result<Option<Self>, LedgerError> {
        let live = shared.read();
        let next = live.layers.missing;
        if next == Height::ZERO {
            return Ok(None);
        }
        let above = index::block(&live.layers, next.next())?;
        let above = above.ok_or_else(|| {
            let key = index::block_key(next.next());
            LedgerError::derived(crate::Tree::Blocks, &key, "the first block here is missing")
        })?;
        drop(live);
        let (shared, hash) = (Arc::clone(shared), above.header.parent);
        let epoch = epoch_at(&shared, next)?;
        Ok(Some(Self { shared, blocks: VecDeque::new(), bytes: 0, next, hash, epoch }))
    }

    /// The height that is wanted next; zero if none is.
    pub const fn next(&self) -> Height {
        self.next
    }

    /// Takes the block that is wanted next, if it holds to the last byte.
    ///
    /// # Errors
    /// [`OlderError::Wrong`], saying what is wrong with it; [`OlderError::Ledger`] if the disk fails.
    pub fn add(&mut self, block: &SealedBlock) -> Result<(), OlderError> {
        let height = self.next;
        let wrong = |what: String| OlderError::Wrong { height, what };
        let header = &block.header;
        if height == Height::ZERO {
            return Err(wrong("no older block is missing".to_owned()));
        }
        if header.height != height || header.hash() != self.hash {
            return Err(wrong(format!("its hash is {}, not {}", header.hash(), self.hash)));
        }
        if height < self.epoch.first {
            self.epoch = epoch_at(&self.shared, height)?;
        }
        block.seal.verify(header, &self.epoch.set).map_err(|error| wrong(error.to_string()))?;
        body::check(block).map_err(wrong)?;
        let bytes = codec::encode(block);
        self.bytes += bytes.len();
        self.blocks.push_back(bytes);
        self.next = height.previous().unwrap_or_default();
        self.hash = header.parent;
        Ok(())
    }

    /// Whether what was taken is to be written: it fills a segment, or is all there is.
    pub fn is_full(&self) -> bool {
        self.next == Height::ZERO || self.bytes >= OLDER_SEGMENT_BYTES
    }

    /// Writes what was taken as a segment of the log, durably; nothing if nothing was. Whoever does this is the only one.
    ///
    /// # Errors
    /// [`LedgerError`] if the disk fails; the log is as before then.
    pub fn write(self) -> Result<OlderSegment, LedgerError> {
        let first = self.next.next();
        if self.blocks.is_empty() {
            return Ok(OlderSegment { first, blocks: VecDeque::new() });
        }
        let mut ascending = Vec::from(self.blocks);
        ascending.reverse();
        let places = log::write_segment(&*self.shared.storage, first, &ascending)?;
        let blocks = ascending.into_iter().zip(places).rev().collect();
        Ok(OlderSegment { first, blocks })
    }
}

/// A segment of older blocks that is in the log, and not yet in what is derived.
pub struct OlderSegment {
    first: Height,
    /// Newest first.
    blocks: VecDeque<(Vec<u8>, Place)>,
}

impl OlderSegment {
    /// The next of its blocks to be entered, from the newest down; `None` when all were given.
    ///
    /// # Errors
    /// [`LedgerError`] if the log does not hold what was written.
    pub fn next_slice(&mut self) -> Result<Option<OlderSlice>, LedgerError> {
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        while bytes < OLDER_SLICE_BYTES {
            let Some((block, place)) = self.blocks.pop_front() else { break };
            bytes += block.len().max(SMALLEST);
            blocks.push((decode(place, &block)?, place));
        }
        Ok((!blocks.is_empty()).then_some(OlderSlice { segment: self.first, blocks }))
    }
}

/// Bytes that a block counts for at least, so that a slice has no more than some hundreds.
const SMALLEST: usize = 2 * 1_024;

/// Some older blocks, to be entered at once by [`crate::Ledger::enter_older`].
#[derive(Debug)]
pub struct OlderSlice {
    /// The segment that holds them.
    pub(crate) segment: Height,
    /// Newest first.
    pub(crate) blocks: Vec<(SealedBlock, Place)>,
}

/// What the log holds below what is derived: written before a crash, and not entered.
pub(crate) fn in_log(
    log: &BlockLog,
    missing: Height,
    mut parent: Hash,
) -> Result<Option<OlderSegment>, FileError> {
    let Some((first, found)) = log.segment_up_to(missing)? else { return Ok(None) };
    let mut blocks = VecDeque::new();
    for (place, bytes) in found.into_iter().rev() {
        let block: SealedBlock = match codec::decode(&bytes, BLOCK_BYTES) {
            Ok(block) => block,
            Err(error) => return Err(damaged(place, &error.to_string())),
        };
        if block.header.hash() != parent {
            return Err(damaged(place, "the block is not the parent of the one after it"));
        }
        parent = block.header.parent;
        blocks.push_back((bytes, place));
    }
    Ok(Some(OlderSegment { first, blocks }))
}

fn damaged(place: Place, what: &str) -> FileError {
    FileError::corrupt(&log::file_name(place.segment), place.offset, what)
}

fn epoch_at(shared: &Shared, height: Height) -> Result<Epoch, LedgerError> {
    // What is read here is in every state; if not, the store is damaged.
    epoch::at(&State(shared), height)
        .map_err(|error| LedgerError::derived(crate::Tree::Values, &[], error.0))
}

/// The state of the newest block: every epoch that ever was is in it.
struct State<'a>(&'a Shared);

impl StateRead for State<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        let live = self.0.read();
        Ok(reader::value(&live.layers, &key.hash(self.0.chain.suite))?)
    }
}
