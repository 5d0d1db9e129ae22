//! Snapshots: the state at a sealed height, in chunks that anybody can check from the genesis document.
//!
//! ```text
//!   genesis ─► sets (each change sealed by the set before) ─► header of H, sealed
//!                                     history root ◄── peaks    │    │ state root
//!                                                               ▼    ▼
//!                      block H, body as the header says    nodes of all chunks, put together
//!                                                                    │ each by itself
//!                                                                    ▼
//!                                                     chunk: all objects of one subtree
//! ```
//!
//! **Nobody is trusted.** The manifest shows header and seal of `H`, every change of the validator set before it,
//! the peaks of the history, and for each chunk the node of the state tree that it must come to. A manifest that
//! does not lead from the genesis to its header, or a chunk that does not come to its node, is refused with what is
//! wrong with it. How the state is cut follows from the state alone, so all nodes cut it alike, and a chunk may
//! come from any of them.
//!
//! **Files.** A snapshot is a [`crate::Storage`] with the files `manifest`, `block` and `chunk-NUMBER`, a frame each (`frame.rs`). The
//! manifest is written last: without it there is no snapshot.

mod base;
pub(crate) mod body;
mod chunk;
mod cut;
mod fill;
mod manifest;
mod restore;
mod write;

pub use base::BASE_FILE;
pub(crate) use base::Base;
pub(crate) use chunk::Chunk;
pub(crate) use cut::cut;
#[cfg(test)]
pub(crate) use manifest::ChunkHead;
pub use manifest::{ChunkChecks, Manifest};
pub use restore::{Restore, holds_blocks, restore};
pub use write::{FrozenState, Written};

use crate::{
    error::{FileError, LedgerError},
    frame::FrameKind,
    limits::{CHUNK_MAX_BYTES, MANIFEST_BYTES},
    storage::Storage,
    store::StoreError,
};
use probata_types::{Hash, Height, SealedBlock, codec, limits::BLOCK_BYTES, seal::SealError};
use std::sync::Arc;

/// Why a snapshot is refused, or cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file is damaged, or the disk fails.
    #[error(transparent)]
    File(#[from] FileError),
    /// The ledger fails.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such file: nothing was written here, or not to the end.
    #[error(
        "there is no {0}: this is no snapshot, or one that was not written to its end; make it again"
    )]
    Missing(String),
    /// The folder to write to is not empty.
    #[error("there is a snapshot already: remove it, or write to another folder")]
    Exists,
    /// The manifest is not canonical bytes of one.
    #[error("the manifest cannot be read: {0}")]
    Malformed(codec::CodecError),
    /// The manifest is of another version.
    #[error("the manifest has version {0}, this software reads version {version}", version = Manifest::VERSION)]
    Version(u16),
    /// The snapshot is of another chain.
    #[error("the snapshot is of chain {found}, the genesis document makes chain {expected}")]
    OtherChain {
        /// Of the snapshot.
        found: Hash,
        /// Of the genesis document.
        expected: Hash,
    },
    /// The changes of the validator set do not lead from genesis to the header.
    #[error("the validator sets do not lead from the genesis to block {height}: {what}")]
    Sets {
        /// Of the snapshot.
        height: Height,
        /// What is wrong.
        what: String,
    },
    /// More changes of the validator set than a manifest has room for.
    #[error("the validator set changed more often than a snapshot shows")]
    TooManySets,
    /// More state than a manifest has room for.
    #[error("the state has more chunks than a snapshot shows")]
    TooLarge,
    /// The header is not sealed.
    #[error("the seal of block {height} does not hold: {error}")]
    Seal {
        /// Of the snapshot.
        height: Height,
        /// Why not.
        error: SealError,
    },
    /// Another header than the one that the operator was told.
    #[error("the snapshot is of block {got}, the block that was asked for is {expected}")]
    OtherBlock {
        /// Hash of the snapshot's header.
        got: Hash,
        /// Hash asked for.
        expected: Hash,
    },
    /// The peaks are not those of the header's history.
    #[error("the peaks of the history come to {got}, the header has {expected}")]
    History {
        /// What they come to.
        got: Hash,
        /// What is sealed.
        expected: Hash,
    },
    /// The chunks do not tile the state.
    #[error("the chunks do not part the state as they should")]
    Tiling,
    /// The chunks are those of another state.
    #[error("the chunks come to the state root {got}, the header has {expected}")]
    StateRoot {
        /// What they come to.
        got: Hash,
        /// What is sealed.
        expected: Hash,
    },
    /// A chunk does not hold what the manifest says.
    #[error("chunk {index} does not hold: {what}")]
    Chunk {
        /// Its number.
        index: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The block is not the one of the header.
    #[error("the block does not hold: {0}")]
    Block(String),
    /// The ledger that is to be filled holds blocks.
    #[error("the data folder holds a ledger already: a snapshot is restored to an empty one")]
    NotEmpty,
}

/// The frames of each file: one each, numbered by the chunk.
const MANIFEST_FRAMES: FrameKind = FrameKind { magic: *b"PSNM", max: MANIFEST_BYTES };
const CHUNK_FRAMES: FrameKind = FrameKind { magic: *b"PSNC", max: CHUNK_MAX_BYTES };
const BLOCK_FRAMES: FrameKind = FrameKind { magic: *b"PSNB", max: BLOCK_BYTES };
const MANIFEST: &str = "manifest";
const NEW_MANIFEST: &str = "manifest.new";
const BLOCK: &str = "block";
const CHUNK_PREFIX: &str = "chunk-";

fn chunk_file(index: usize) -> String {
    format!("{CHUNK_PREFIX}{index:06}")
}

/// The files of a snapshot: written whole, or on their way from peers.
#[derive(Clone)]
pub struct SnapshotFiles(Arc<dyn Storage>);

impl SnapshotFiles {
    /// The snapshot of a folder.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self(storage)
    }

    /// The manifest, not yet checked.
    ///
    /// # Errors
    /// [`SnapshotError`] if there is none, or it cannot be read.
    pub fn manifest(&self) -> Result<Manifest, SnapshotError> {
        Manifest::decode(&self.manifest_bytes()?)
    }

    /// The manifest as it is.
    ///
    /// # Errors
    /// As [`SnapshotFiles::manifest`].
    pub fn manifest_bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        self.read(&MANIFEST_FRAMES, MANIFEST, 0)
    }

    /// The block of the snapshot, not yet checked.
    ///
    /// # Errors
    /// [`SnapshotError`] if there is none, or it cannot be read.
    pub fn block(&self) -> Result<SealedBlock, SnapshotError> {
        let block = codec::decode(&self.block_bytes()?, BLOCK_BYTES);
        block.map_err(|error| SnapshotError::Block(error.to_string()))
    }

    /// The block as it is.
    ///
    /// # Errors
    /// As [`SnapshotFiles::block`].
    pub fn block_bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        self.read(&BLOCK_FRAMES, BLOCK, 0)
    }

    /// The bytes of a chunk, not yet checked.
    ///
    /// # Errors
    /// [`SnapshotError`] if it is not there, or damaged.
    pub fn chunk(&self, index: usize) -> Result<Vec<u8>, SnapshotError> {
        self.read(&CHUNK_FRAMES, &chunk_file(index), index as u64)
    }

    /// Whether a chunk is there whole. What it holds is checked when it is restored.
    ///
    /// # Errors
    /// [`SnapshotError`] if the disk fails.
    pub fn has_chunk(&self, index: usize) -> Result<bool, SnapshotError> {
        match self.chunk(index) {
            Ok(_) => Ok(true),
            Err(SnapshotError::Missing(_) | SnapshotError::File(FileError::Corrupt { .. })) => {
                Ok(false)
            }
            Err(other) => Err(other),
        }
    }

    /// Keeps a chunk, in place of what there was of it. A crash may leave a part, which is then told by its
    /// checksum.
    ///
    /// # Errors
    /// [`SnapshotError`] if the disk fails.
    pub fn put_chunk(&self, index: usize, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.put(&CHUNK_FRAMES, &chunk_file(index), index as u64, bytes)
    }

    /// Keeps the block.
    ///
    /// # Errors
    /// [`SnapshotError`] if the disk fails.
    pub fn put_block(&self, block: &SealedBlock) -> Result<(), SnapshotError> {
        self.put(&BLOCK_FRAMES, BLOCK, 0, &codec::encode(block))
    }

    /// Keeps the manifest, in place of what there was.
    ///
    /// # Errors
    /// [`SnapshotError`] if the disk fails.
    pub fn put_manifest(&self, manifest: &Manifest) -> Result<(), SnapshotError> {
        self.put(&MANIFEST_FRAMES, NEW_MANIFEST, 0, &codec::encode(manifest))?;
        let renamed = self.0.rename(NEW_MANIFEST, MANIFEST);
        renamed.map_err(|error| FileError::io("rename", NEW_MANIFEST, error))?;
        Ok(self.0.sync_folder().map_err(|e| FileError::io("sync the folder of", MANIFEST, e))?)
    }

    /// Removes whatever there is of a snapshot: the manifest first, so that what is left is none.
    ///
    /// # Errors
    /// [`SnapshotError`] if the disk fails.
    pub fn clear(&self) -> Result<(), SnapshotError> {
        let mut names = self.names()?;
        names.retain(|name| is_ours(name));
        names.sort_by_key(|name| name != MANIFEST);
        for name in names {
            self.0.remove(&name).map_err(|error| FileError::io("remove", &name, error))?;
            if name == MANIFEST {
                self.0
                    .sync_folder()
                    .map_err(|e| FileError::io("sync the folder of", MANIFEST, e))?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, FileError> {
        self.0.list().map_err(|error| FileError::io("list", "the snapshot", error))
    }

    fn read(&self, frames: &FrameKind, file: &str, number: u64) -> Result<Vec<u8>, SnapshotError> {
        match frames.read(&*self.0, file, 0, number) {
            Err(FileError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(SnapshotError::Missing(file.to_owned()))
            }
            other => Ok(other?),
        }
    }

    fn put(
        &self,
        frames: &FrameKind,
        file: &str,
        number: u64,
        bytes: &[u8],
    ) -> Result<(), SnapshotError> {
        match self.0.remove(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(FileError::io("remove", file, error).into());
            }
            _ => {}
        }
        if bytes.len() > frames.max {
            let (got, max) = (bytes.len(), frames.max);
            return Err(FileError::TooLong { file: file.to_owned(), got, max }.into());
        }
        let frame = frames.encode(number, bytes);
        self.0.append(file, &frame).map_err(|e| FileError::io("append to", file, e))?;
        Ok(self.0.sync(file).map_err(|e| FileError::io("sync", file, e))?)
    }
}

fn is_ours(name: &str) -> bool {
    [MANIFEST, NEW_MANIFEST, BLOCK].contains(&name) || name.starts_with(CHUNK_PREFIX)
}
