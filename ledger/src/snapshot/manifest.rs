//! What a snapshot holds, and what proves it.

use super::{Base, Chunk, SnapshotError, body};
use crate::{
    derive::Chain,
    limits::{CHUNK_MAX_BYTES, MANIFEST_BYTES, SNAPSHOT_CHUNKS, SNAPSHOT_SETS},
    tree::{self, Assembled, Node},
};
use probata_types::{
    Domain, Hash, Header, Height, List, Seal, SealedBlock, Suite, ValidatorSet, codec,
    evidence::SetChange, limits::MERKLE_PATH, merkle, state::Changes,
};
use serde::{Deserialize, Serialize};

/// What a snapshot holds, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub(crate) version: u16,
    /// The block whose state it is.
    pub(crate) header: Header,
    pub(crate) seal: Seal,
    /// The changes of the validator set from genesis to the block, by ascending height.
    pub(crate) sets: List<SetChange, SNAPSHOT_SETS>,
    /// The complete subtrees of the history before the block, largest first.
    pub(crate) history: List<Hash, MERKLE_PATH>,
    /// The chunks of the state, from the lowest keys to the highest.
    pub(crate) chunks: List<ChunkHead, SNAPSHOT_CHUNKS>,
}

/// A chunk: a subtree of the state tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChunkHead {
    /// How deep it hangs, four levels each.
    pub(crate) nibbles: u8,
    /// Bytes of the chunk.
    pub(crate) bytes: u32,
    /// The subtree's node.
    pub(crate) node: Node,
}

impl Manifest {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// The height whose state it is.
    pub const fn height(&self) -> Height {
        self.header.height
    }

    /// The header of that height.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// How many chunks there are.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes of all chunks.
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum()
    }

    /// Names the state and how it is cut: the same on all nodes, whatever seals they hold.
    pub fn digest(&self) -> Hash {
        let chunks = codec::encode(&self.chunks);
        self.header.suite.hash(Domain::Snapshot, &[self.header.hash().as_bytes(), &chunks])
    }

    /// A manifest from its bytes, not yet checked.
    ///
    /// # Errors
    /// [`SnapshotError::Malformed`], [`SnapshotError::Version`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let manifest: Self =
            codec::decode(bytes, MANIFEST_BYTES).map_err(SnapshotError::Malformed)?;
        if manifest.version != Self::VERSION {
            return Err(SnapshotError::Version(manifest.version));
        }
        Ok(manifest)
    }

    /// Checks everything that can be checked before the first chunk: the way from the genesis to the header, its
    /// seal, the peaks, and that the nodes of the chunks come to the state root.
    ///
    /// # Errors
    /// [`SnapshotError`], the first thing wrong.
    pub fn check(
        &self,
        suite: Suite,
        chain: &Hash,
        initial: &Changes,
    ) -> Result<(), SnapshotError> {
        self.check_seal(suite, chain, initial)?;
        self.check_history()?;
        self.assemble().map(drop)
    }

    /// Checks that a block is the one of the header, to the last byte of its body.
    ///
    /// # Errors
    /// [`SnapshotError::Block`], saying what is wrong.
    pub fn check_block(&self, block: &SealedBlock) -> Result<(), SnapshotError> {
        if block.header != self.header {
            return Err(SnapshotError::Block("its header is not that of the manifest".to_owned()));
        }
        body::check(block).map_err(SnapshotError::Block)
    }

    /// What each chunk must come to, to check them one by one and in any order.
    ///
    /// # Errors
    /// [`SnapshotError::Tiling`], [`SnapshotError::StateRoot`]; none after [`Manifest::check`].
    pub fn chunk_checks(&self) -> Result<ChunkChecks, SnapshotError> {
        let (heads, starts) = (self.chunks.clone(), self.assemble()?.starts);
        Ok(ChunkChecks { suite: self.header.suite, heads, starts })
    }

    pub(super) fn check_seal(
        &self,
        suite: Suite,
        chain: &Hash,
        initial: &Changes,
    ) -> Result<(), SnapshotError> {
        Base::of(self).check(suite, chain, initial)
    }

    fn check_history(&self) -> Result<(), SnapshotError> {
        let (suite, size) = (self.header.suite, self.header.height.get());
        let (got, expected) = (peaks_root(suite, &self.history), self.header.history_root);
        let fits = self.history.len() == size.count_ones() as usize && got == expected;
        if fits { Ok(()) } else { Err(SnapshotError::History { got, expected }) }
    }

    /// The tree above the chunks.
    pub(super) fn assemble(&self) -> Result<Assembled, SnapshotError> {
        if self.chunks.iter().any(|chunk| chunk.bytes as usize > CHUNK_MAX_BYTES) {
            return Err(SnapshotError::Tiling);
        }
        let nodes: Vec<(u8, Node)> =
            self.chunks.iter().map(|chunk| (chunk.nibbles, chunk.node)).collect();
        let suite = self.header.suite;
        let assembled = tree::assemble(suite, &nodes).ok_or(SnapshotError::Tiling)?;
        let (got, expected) = (assembled.root.digest(suite), self.header.state_root);
        if got == expected {
            Ok(assembled)
        } else {
            Err(SnapshotError::StateRoot { got, expected })
        }
    }
}

/// What the chunks of a snapshot must come to.
#[derive(Debug, Clone)]
pub struct ChunkChecks {
    suite: Suite,
    heads: List<ChunkHead, SNAPSHOT_CHUNKS>,
    /// The lowest key of each.
    starts: Vec<Hash>,
}

impl ChunkChecks {
    /// How many chunks there are.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Checks a chunk against the manifest: all that can be wrong with it.
    ///
    /// # Errors
    /// [`SnapshotError::Chunk`], saying what is wrong.
    pub fn check(&self, index: usize, bytes: &[u8]) -> Result<(), SnapshotError> {
        let (Some(head), Some(start)) = (self.heads.get(index), self.starts.get(index)) else {
            return Err(SnapshotError::Chunk { index, what: "there is no such chunk".to_owned() });
        };
        Chunk::read(self.suite, (index, head, start), bytes).map(drop)
    }
}

/// The set that seals a header, walked from the genesis.
pub(super) fn walk(
    chain: &Hash,
    initial: &Changes,
    sets: &[SetChange],
    header: &Header,
) -> Result<ValidatorSet, SnapshotError> {
    let height = header.height;
    let wrong = |what: String| SnapshotError::Sets { height, what };
    if height == Height::ZERO {
        return Err(wrong("a snapshot is of a sealed block".to_owned()));
    }
    let first = probata_types::epoch::next(initial).map_err(|error| wrong(error.to_string()))?;
    let (mut from, mut current) = (first.first, first.set);
    for change in sets {
        let next = change.follow(chain, (from, &current)).map_err(wrong)?;
        if change.header.height >= height {
            return Err(wrong(format!("the change at height {} is later", change.header.height)));
        }
        (from, current) = (next, change.set.clone());
    }
    Ok(current)
}

/// The root over complete subtrees, largest first: the left one of two always holds the largest power of two.
fn peaks_root(suite: Suite, peaks: &[Hash]) -> Hash {
    let root = peaks.iter().rev().copied();
    let root = root.reduce(|right, left| merkle::node(suite, Domain::History, &left, &right));
    root.unwrap_or_else(|| merkle::root(suite, Domain::History, &[]))
}

/// The chain that a setup names.
pub(super) const fn chain(setup: &crate::Setup) -> Chain {
    Chain { suite: setup.suite, id: setup.chain }
}
