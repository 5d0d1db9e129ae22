//! Opening what a node is made from: genesis, keys, stores, chain, snapshots.

use super::{
    RunError,
    priority::give_way,
    stores::{self, Stores},
    thread::Clock,
};
use crate::{
    chain::{Chain, ChainSetup, Effect},
    config::{Config, SnapshotPlan},
    limits,
    metrics::Metrics,
    snapshots::{SnapshotWriter, Snapshots},
};
use probata_genesis::{Genesis, KeyFile, KeyUse};
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
        stores::check_other_engines(&config)?;
        stores::open_stores(&config)
    };
    tokio::task::spawn_blocking(open).await.map_err(|_| RunError::Thread("opening"))?
}

pub(super) async fn open_chain(
    config: &Config,
    setup: ChainSetup,
    clock: Clock,
) -> Result<Opened, RunError> {
    let (config, snapshots) = (config.clone(), config.snapshots());
    let open = move || {
        let progress = |height: u64, target: u64| {
            if height.is_multiple_of(limits::PROGRESS_BLOCKS) || height == target {
                tracing::info!(height, target, "re-applying blocks that the derived state lacks");
            }
        };
        let mut opened = Chain::open(setup, clock.now(), &progress)?;
        opened.0.write_behind(|| give_way(limits::STORE_NICE));
        if let Some(SnapshotPlan { every, .. }) = snapshots {
            opened.0.freeze_every(every);
        }
        stores::remove_other_engines(&config)?;
        Ok::<_, RunError>(opened)
    };
    tokio::task::spawn_blocking(open).await.map_err(|_| RunError::Thread("opening"))?
}
