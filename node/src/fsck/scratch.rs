//! The store that a check fills: a folder that is there while the check runs.

use crate::config::Config;
use probata_ledger::{FjallStore, Store, StoreError};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// What the name of every such folder begins with.
const PREFIX: &str = "fsck-";

/// A store in a folder of its own.
pub(super) struct Scratch {
    store: Arc<FjallStore>,
    folder: TempDir,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScratchError {
    #[error("the scratch folder {0} cannot be used: {1}; --scratch names another place")]
    Folder(PathBuf, io::Error),
    #[error("the scratch folder {0} cannot be used: {1}")]
    Store(PathBuf, StoreError),
}

impl Scratch {
    /// Makes one in `place`, or in the data folder, which this process holds; from there it removes what a check that was
    /// killed has left.
    pub(super) fn open(config: &Config, place: Option<&Path>) -> Result<Self, ScratchError> {
        if place.is_none() {
            remove_left(&config.data)?;
        }
        let place = place.unwrap_or(&config.data);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(place);
        let folder = folder.map_err(|error| ScratchError::Folder(place.to_owned(), error))?;
        let store = FjallStore::open(folder.path(), config.store.cache_mb * 1_024 * 1_024);
        let store = store.map_err(|error| ScratchError::Store(folder.path().to_owned(), error))?;
        Ok(Self { store: Arc::new(store), folder })
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::<FjallStore>::clone(&self.store)
    }

    /// Removes all of it. Without this it is tried as well, and nobody learns that it failed.
    pub(super) fn remove(self) -> Result<(), ScratchError> {
        let Self { store, folder } = self;
        // Its threads write files until it is closed.
        drop(store);
        let path = folder.path().to_owned();
        folder.close().map_err(|error| ScratchError::Folder(path, error))
    }
}

fn remove_left(data: &Path) -> Result<(), ScratchError> {
    let failed = |error| ScratchError::Folder(data.to_owned(), error);
    for entry in fs::read_dir(data).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_dir_all(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}
