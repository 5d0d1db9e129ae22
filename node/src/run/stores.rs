//! The two stores of a data folder.

use super::{RunError, priority::giving_way};
use crate::{
    archive,
    config::{Config, Engine},
    limits,
};
use probata_ledger::{
    ArchivedStorage, BASE_FILE, DiskStorage, FjallStore, SledStore, Storage, Store,
};
use std::{path::PathBuf, sync::Arc};

/// The two stores of a data folder: files for the log and journal, an engine for what is derived.
pub type Stores = (Arc<dyn Storage>, Arc<dyn Store>);

/// Opens the two stores of a data folder.
///
/// # Errors
/// [`RunError::Data`], also when another process holds the folder.
pub fn open_stores(config: &Config) -> Result<Stores, RunError> {
    Ok((open_storage(config)?, open_store(config)?))
}

/// Opens what is derived in a data folder, which must be held by [`open_storage`].
///
/// # Errors
/// As [`open_stores`].
pub fn open_store(config: &Config) -> Result<Arc<dyn Store>, RunError> {
    let data = |error: &dyn std::fmt::Display| data_error(config, error);
    let cache = config.store.cache_mb * 1_024 * 1_024;
    let engine = config.store.engine;
    let folder = config.data.join("derived").join(folder_of(engine));
    let store: Arc<dyn Store> = match engine {
        // Its own threads give way as the one does that starts them.
        Engine::Fjall => Arc::new(
            giving_way(limits::STORE_NICE, || FjallStore::open(&folder, cache))
                .map_err(|error| data(&error))?,
        ),
        Engine::Sled => Arc::new(SledStore::open(&folder, cache).map_err(|error| data(&error))?),
    };
    Ok(store)
}

/// Opens the log folder of a data folder, with the archive behind it.
///
/// # Errors
/// As [`open_stores`].
pub fn open_storage(config: &Config) -> Result<Arc<ArchivedStorage>, RunError> {
    let data = |error: &dyn std::fmt::Display| data_error(config, error);
    std::fs::create_dir_all(&config.data).map_err(|error| data(&error))?;
    let disk = DiskStorage::open(&config.data.join("log")).map_err(|error| data(&error))?;
    let archive = archive::open(config.archive.as_ref()).map_err(|error| data(&error))?;
    let storage = ArchivedStorage::open(Arc::new(disk), archive);
    storage.map(Arc::new).map_err(|error| data(&error))
}

fn data_error(config: &Config, error: &dyn std::fmt::Display) -> RunError {
    RunError::Data { path: config.data.clone(), reason: error.to_string() }
}

/// The folder of an engine within that of what is derived.
const fn folder_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Fjall => "fjall",
        Engine::Sled => "sled",
    }
}

/// The folders of what other engines have left.
fn other_engines(config: &Config) -> impl Iterator<Item = PathBuf> {
    let derived = config.data.join("derived");
    let engine = config.store.engine;
    let others = [Engine::Fjall, Engine::Sled].into_iter().filter(move |other| *other != engine);
    others.map(move |other| derived.join(folder_of(other))).filter(|folder| folder.exists())
}

/// Refuses another engine for a ledger that began from a snapshot, and so cannot be derived again: what the other one
/// has may be all there is.
pub(super) fn check_other_engines(config: &Config) -> Result<(), RunError> {
    match other_engines(config).next() {
        Some(path) if config.data.join("log").join(BASE_FILE).exists() => {
            let reason = "the ledger began from a snapshot, and its state cannot be derived again: set store.engine \
                          to the engine that it was restored with";
            Err(RunError::Data { path, reason: reason.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Removes what another engine has left, once this one holds everything: if it were used again later it would be behind
/// the log, and look like a store that is not.
pub(super) fn remove_other_engines(config: &Config) -> Result<(), RunError> {
    for folder in other_engines(config) {
        tracing::info!(?folder, "removing what another engine has derived");
        std::fs::remove_dir_all(&folder)
            .map_err(|error| RunError::Data { path: folder, reason: error.to_string() })?;
    }
    Ok(())
}
