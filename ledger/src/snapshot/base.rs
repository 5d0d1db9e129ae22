//! The base: what a ledger that began from a snapshot knows of the blocks below it.
//!
//! It lies beside the block log until every block down to the first is there. While it does, the state cannot be
//! derived from the log alone.

use super::{Manifest, SnapshotError, manifest::walk};
use crate::{
    error::FileError,
    frame::FrameKind,
    limits::{MANIFEST_BYTES, SNAPSHOT_SETS},
    storage::Storage,
};
use probata_types::{
    Hash, Header, Height, List, Seal, Suite, codec, evidence::SetChange, state::Changes,
};
use serde::{Deserialize, Serialize};

const FRAMES: FrameKind = FrameKind { magic: *b"PBAS", max: MANIFEST_BYTES };
/// The file of the log folder that a restored ledger has: it cannot be derived again from its log.
pub const BASE_FILE: &str = "base";
const NEW_FILE: &str = "base.new";

/// The block whose snapshot was restored, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Base {
    pub(crate) header: Header,
    pub(crate) seal: Seal,
    /// The changes of the validator set before it, which evidence of later blocks shows.
    pub(crate) sets: List<SetChange, SNAPSHOT_SETS>,
}

impl Base {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let Manifest { header, seal, sets, .. } = manifest.clone();
        Self { header, seal, sets }
    }

    pub(crate) const fn height(&self) -> Height {
        self.header.height
    }

    /// Header and seal of a block that changed the validator set, or of the base itself.
    pub(crate) fn sealed(&self, height: Height) -> Option<(Header, Seal)> {
        if height == self.height() {
            return Some((self.header.clone(), self.seal.clone()));
        }
        let change = self.sets.iter().find(|change| change.header.height == height)?;
        Some((change.header.clone(), change.seal.clone()))
    }

    /// Checks the way from the genesis to the header, and its seal.
    ///
    /// # Errors
    /// [`SnapshotError`], the first thing wrong.
    pub(crate) fn check(
        &self,
        suite: Suite,
        chain: &Hash,
        initial: &Changes,
    ) -> Result<(), SnapshotError> {
        let Self { header, seal, sets } = self;
        if header.chain != *chain || header.suite != suite {
            return Err(SnapshotError::OtherChain { found: header.chain, expected: *chain });
        }
        let set = walk(chain, initial, sets, header)?;
        let sealed = seal.verify(header, &set);
        sealed.map_err(|error| SnapshotError::Seal { height: header.height, error })
    }

    /// The base of a storage, if it has one.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] if it is damaged.
    pub(crate) fn load(storage: &dyn Storage) -> Result<Option<Self>, FileError> {
        let names = storage.list().map_err(|error| FileError::io("list", BASE_FILE, error))?;
        if !names.iter().any(|name| name == BASE_FILE) {
            return Ok(None);
        }
        let bytes = FRAMES.read(storage, BASE_FILE, 0, 0)?;
        let base = codec::decode(&bytes, MANIFEST_BYTES);
        base.map(Some).map_err(|error| FileError::corrupt(BASE_FILE, 0, error.to_string()))
    }

    /// Removes it, durably: every block is there, and nothing rests on it any more.
    pub(crate) fn remove(storage: &dyn Storage) -> Result<(), FileError> {
        let names = storage.list().map_err(|error| FileError::io("list", BASE_FILE, error))?;
        if !names.iter().any(|name| name == BASE_FILE) {
            return Ok(());
        }
        storage.remove(BASE_FILE).map_err(|e| FileError::io("remove", BASE_FILE, e))?;
        storage.sync_folder().map_err(|e| FileError::io("sync the folder of", BASE_FILE, e))
    }

    /// Writes it, durably.
    pub(crate) fn save(&self, storage: &dyn Storage) -> Result<(), SnapshotError> {
        let names = storage.list().map_err(|error| FileError::io("list", BASE_FILE, error))?;
        if names.iter().any(|name| name == NEW_FILE) {
            storage.remove(NEW_FILE).map_err(|e| FileError::io("remove", NEW_FILE, e))?;
        }
        let frame = FRAMES.encode(0, &codec::encode(self));
        storage.append(NEW_FILE, &frame).map_err(|e| FileError::io("append to", NEW_FILE, e))?;
        storage.sync(NEW_FILE).map_err(|e| FileError::io("sync", NEW_FILE, e))?;
        storage.rename(NEW_FILE, BASE_FILE).map_err(|e| FileError::io("rename", NEW_FILE, e))?;
        Ok(storage.sync_folder().map_err(|e| FileError::io("sync the folder of", BASE_FILE, e))?)
    }
}
