//! Opening what a node is made from: genesis, keys, stores, chain, snapshots.

use super::{RunError, thread::Clock};
use crate::{
    chain::{Chain, ChainSetup, Effect},
    config::{Config, Engine, SnapshotPlan},
    limits,
    metrics::Metrics,
    snapshots::{SnapshotWriter, Snapshots},
};
use probata_genesis::{Genesis, KeyFile, KeyUse};
use probata_ledger::{BASE_FILE, DiskStorage, FjallStore, SledStore, Storage, Store};
use probata_types::Keypair;
use std::{path::Path, sync::Arc};

/// Reads and checks the genesis document of a configuration.
///
/// # Errors
/// [`RunError`].
pub fn load_genesis(config: &Config) -> Result<Genesis, RunError> {
    let path = &config.genesis;
    let genesis = Genesis::parse(&read(path)?)
        .map_err(|source| RunError::Genesis { path: path.clone(), source: Box::new(source) })?;
    match config.chain {
        Some(expected) if expected != genesis.chain() => {
            Err(RunError::OtherChain { got: genesis.chain(), expected })
        }
        _ => Ok(genesis),
    }
}

pub(super) type NodeSecret = zeroize::Zeroizing<[u8; 32]>;

pub(super) fn load_keys(config: &Config) -> Result<(NodeSecret, Vec<Keypair>), RunError> {
    let key = |path: &Path, wanted: KeyUse| -> Result<Keypair, RunError> {
        KeyFile::parse_for(wanted, &read(path)?)
            .map_err(|source| RunError::Key { path: path.to_owned(), source })
    };
    let node = key(&config.keys.node, KeyUse::Node)?.secret();
    let validator = [&config.keys.validator, &config.keys.next_validator];
    let validator = validator.into_iter().flatten();
    let keypairs = validator.map(|path| key(path, KeyUse::Validator));
    Ok((node, keypairs.collect::<Result<_, _>>()?))
}

fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    std::fs::read(path).map_err(|source| RunError::Read { path: path.to_owned(), source })
}

/// The two stores of a data folder: files for the log and journal, an engine for what is derived.
pub type Stores = (Arc<dyn Storage>, Arc<dyn Store>);

/// Opens the two stores of a data folder.
///
/// # Errors
/// [`RunError::Data`], also when another process holds the folder.
pub fn open_stores(config: &Config) -> Result<Stores, RunError> {
    let data = |error: &dyn std::fmt::Display| RunError::Data {
        path: config.data.clone(),
        reason: error.to_string(),
    };
    std::fs::create_dir_all(&config.data).map_err(|error| data(&error))?;
    let storage = DiskStorage::open(&config.data.join("log")).map_err(|error| data(&error))?;
    let cache = config.store.cache_mb * 1_024 * 1_024;
    let engine = config.store.engine;
    let folder = config.data.join("derived").join(folder_of(engine));
    let store: Arc<dyn Store> = match engine {
        Engine::Fjall => Arc::new(FjallStore::open(&folder, cache).map_err(|error| data(&error))?),
        Engine::Sled => Arc::new(SledStore::open(&folder, cache).map_err(|error| data(&error))?),
    };
    Ok((Arc::new(storage), store))
}

/// The folder of an engine within that of what is derived.
const fn folder_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Fjall => "fjall",
        Engine::Sled => "sled",
    }
}

/// Removes what another engine has left: if it were used again later it would be behind the log, and look like
/// a store that is not.
fn remove_other_engines(config: &Config) -> Result<(), RunError> {
    for other in [Engine::Fjall, Engine::Sled] {
        let folder = config.data.join("derived").join(folder_of(other));
        if other == config.store.engine || !folder.exists() {
            continue;
        }
        // A ledger that began from a snapshot cannot be derived again: what is there may be all there is.
        if config.data.join("log").join(BASE_FILE).exists() {
            let reason = "the ledger began from a snapshot, and its state cannot be derived again: set store.engine \
                          to the engine that it was restored with";
            return Err(RunError::Data { path: folder, reason: reason.to_owned() });
        }
        tracing::info!(?folder, "removing what another engine has derived");
        std::fs::remove_dir_all(&folder)
            .map_err(|error| RunError::Data { path: folder, reason: error.to_string() })?;
    }
    Ok(())
}

pub(super) fn open_snapshots(
    config: &Config,
    genesis: &Genesis,
) -> Result<Arc<Snapshots>, RunError> {
    let opened = Snapshots::open(&config.data.join("snapshots"), genesis.chain());
    opened
        .map(Arc::new)
        .map_err(|error| RunError::Data { path: config.data.clone(), reason: error.to_string() })
}

/// The thread that writes snapshots, if the node makes any.
pub(super) fn snapshot_writer(
    config: &Config,
    snapshots: &Arc<Snapshots>,
    metrics: &Arc<Metrics>,
) -> Result<Option<SnapshotWriter>, RunError> {
    let Some(SnapshotPlan { keep, .. }) = config.snapshots() else { return Ok(None) };
    let started = SnapshotWriter::start(Arc::clone(snapshots), keep, Arc::clone(metrics));
    started.map(Some).map_err(|_| RunError::Thread("snapshot"))
}

/// A chain, and what it asks at once.
pub(super) type Opened = (Chain, Vec<Effect>);

pub(super) async fn prepare_stores(config: &Config) -> Result<Stores, RunError> {
    let config = config.clone();
    let open = move || {
        remove_other_engines(&config)?;
        open_stores(&config)
    };
    tokio::task::spawn_blocking(open).await.map_err(|_| RunError::Thread("opening"))?
}

pub(super) async fn open_chain(
    config: &Config,
    setup: ChainSetup,
    clock: Clock,
) -> Result<Opened, RunError> {
    let snapshots = config.snapshots();
    let open = move || {
        let progress = |height: u64, target: u64| {
            if height.is_multiple_of(limits::PROGRESS_BLOCKS) || height == target {
                tracing::info!(height, target, "re-applying blocks that the derived state lacks");
            }
        };
        let mut opened = Chain::open(setup, clock.now(), &progress)?;
        opened.0.write_behind();
        if let Some(SnapshotPlan { every, .. }) = snapshots {
            opened.0.freeze_every(every);
        }
        Ok::<_, RunError>(opened)
    };
    tokio::task::spawn_blocking(open).await.map_err(|_| RunError::Thread("opening"))?
}
