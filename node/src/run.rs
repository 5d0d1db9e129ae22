//! Building a node from its parts, in order, and taking it down again. Wiring only.

mod inbound;
mod outbound;
mod peering;
mod refused;
mod thread;

use crate::{
    api::{self, ApiContext},
    chain::{Chain, ChainError, ChainSetup},
    config::{Config, Engine, SnapshotPlan},
    edge::Edge,
    handle::{ChainHandle, ChainStatus, Command},
    limits,
    metrics::Metrics,
    network::{self, MeshConfig, MeshError, NodeId},
    snapshots::{SnapshotWriter, Snapshots},
};
use outbound::Outbound;
use peering::Peering;
use probata_genesis::{Genesis, GenesisError, KeyFile, KeyFileError, KeyUse};
use probata_ledger::{BASE_FILE, DiskStorage, FjallStore, SledStore, Storage, Store};
use probata_types::{Hash, Keypair};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use thread::Clock;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Why a node cannot start or had to stop. Each says what to look at.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file of the configuration cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The genesis document is refused.
    #[error("the genesis document {path} is refused: {source}")]
    Genesis {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<GenesisError>,
    },
    /// Another chain than the configuration names.
    #[error(
        "the genesis document makes chain {got}, the configuration names {expected}: one is wrong"
    )]
    OtherChain {
        /// From the document.
        got: Hash,
        /// From `node.toml`.
        expected: Hash,
    },
    /// A key file is refused.
    #[error("the key file {path} is refused: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyFileError,
    },
    /// The data folder cannot be used.
    #[error("the data folder {path} cannot be used: {reason}")]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The chain cannot be opened, or failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The mesh cannot start.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// The API cannot listen.
    #[error("the API cannot listen on {address}: {source}")]
    Api {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A thread ended without saying why.
    #[error("the {0} thread ended unexpectedly")]
    Thread(&'static str),
}

/// Runs a node until `stop` resolves or the node must stop.
///
/// # Errors
/// [`RunError`].
pub async fn run(config: Config, stop: impl Future<Output = ()>) -> Result<(), RunError> {
    let genesis = Arc::new(load_genesis(&config)?);
    let (node_secret, keypairs) = load_keys(&config)?;
    let metrics = Arc::new(Metrics::new());
    let clock = Clock::start();
    let chain =
        open_chain(&config, Arc::clone(&genesis), keypairs, clock, Arc::clone(&metrics)).await?;
    let reader = chain.0.reader();

    // What can fail comes before anything that must be stopped again.
    let listener = listen_api(&config).await?;
    let peering = Peering::new(&config, NodeId::from_secret(*node_secret))?;
    let mesh = network::start(MeshConfig {
        secret: *node_secret,
        listen: config.mesh.listen.clone(),
        peers: peering.peers(&chain.0.status().membership),
        chain: genesis.chain().0,
    })?;
    let (status_in, status) = watch::channel(chain.0.status());
    let (handle, queue) = ChainHandle::new(status);
    let bodies = Arc::clone(chain.0.bodies());
    let edge = Arc::new(Edge::new(genesis.chain(), Arc::clone(&bodies)));
    let snapshots = open_snapshots(&config, &genesis)?;
    let writer = snapshot_writer(&config, &snapshots, &metrics)?;
    let outbound = {
        let (mesh, chain, metrics) = (mesh.handle.clone(), handle.clone(), Arc::clone(&metrics));
        Outbound::new(peering, mesh, chain, metrics, writer)
    };

    let over = CancellationToken::new();
    let runtime = tokio::runtime::Handle::current();
    let over_in = over.clone().drop_guard();
    let thread = std::thread::Builder::new()
        .name("chain".into())
        .spawn(move || {
            let _over = over_in;
            thread::run(chain, queue, &runtime, clock, &outbound, &status_in)
        })
        .map_err(|_| RunError::Thread("chain"))?;
    let inbound = inbound::Inbound {
        genesis: Arc::clone(&genesis),
        edge: Arc::clone(&edge),
        bodies,
        chain: handle.clone(),
        reader: reader.clone(),
        snapshots,
        mesh: mesh.handle.clone(),
        metrics: Arc::clone(&metrics),
        refused: Arc::new(refused::Refused::new(Arc::clone(&metrics))),
    };
    let tasks = inbound.spawn(mesh.events);
    let stop_api = CancellationToken::new();
    let context = ApiContext {
        genesis: Arc::clone(&genesis),
        reader,
        chain: handle.clone(),
        mesh: mesh.handle.clone(),
        metrics,
        edge,
    };
    let server = tokio::spawn(api::serve(listener, api::router(context), stop_api.clone()));
    announce_start(&config, &genesis, &handle.status());

    let mut parts = Parts { over, tasks, server, mesh: mesh.task };
    let lost = tokio::select! {
        () = stop => { tracing::info!("stopping"); None }
        lost = parts.lost() => lost,
    };
    // Requests under way get their answers while the chain thread still runs.
    stop_api.cancel();
    parts.end_api().await;
    handle.send(Command::Stop).await;
    parts.over.cancelled().await;
    mesh.handle.stop();
    parts.end().await;
    thread.join().map_err(|_| RunError::Thread("chain"))??;
    lost.map_or(Ok(()), |part| Err(RunError::Thread(part)))
}

/// What runs for as long as the node does.
struct Parts {
    /// Cancelled when the chain thread has ended; its result says why.
    over: CancellationToken,
    tasks: JoinSet<()>,
    server: JoinHandle<()>,
    mesh: JoinHandle<()>,
}

impl Parts {
    /// Resolves when one of them has ended, with its name if that needs saying.
    async fn lost(&mut self) -> Option<&'static str> {
        tokio::select! {
            biased;
            () = self.over.cancelled() => None,
            _ = self.tasks.join_next() => Some("inbound"),
            _ = &mut self.server => Some("API"),
            _ = &mut self.mesh => Some("mesh"),
        }
    }

    async fn end_api(&mut self) {
        // A task that was seen to end must not be waited for again.
        if !self.server.is_finished() && (&mut self.server).await.is_err() {
            tracing::error!("the API ended unexpectedly");
        }
    }

    async fn end(mut self) {
        self.tasks.abort_all();
        if !self.mesh.is_finished() {
            // It closes its connections within its own bound, or is dropped with the runtime.
            let _ = tokio::time::timeout(limits::MESH_WAIT, &mut self.mesh).await;
        }
    }
}

fn announce_start(config: &Config, genesis: &Genesis, status: &ChainStatus) {
    tracing::info!(
        chain = %genesis.chain(),
        name = %genesis.chain_name(),
        height = %status.height,
        validator = ?status.me,
        api = %config.api.listen,
        "the node is up"
    );
}

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

type NodeSecret = zeroize::Zeroizing<[u8; 32]>;

fn load_keys(config: &Config) -> Result<(NodeSecret, Vec<Keypair>), RunError> {
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

fn open_snapshots(config: &Config, genesis: &Genesis) -> Result<Arc<Snapshots>, RunError> {
    let opened = Snapshots::open(&config.data.join("snapshots"), genesis.chain());
    opened
        .map(Arc::new)
        .map_err(|error| RunError::Data { path: config.data.clone(), reason: error.to_string() })
}

/// The thread that writes snapshots, if the node makes any.
fn snapshot_writer(
    config: &Config,
    snapshots: &Arc<Snapshots>,
    metrics: &Arc<Metrics>,
) -> Result<Option<SnapshotWriter>, RunError> {
    let Some(SnapshotPlan { keep, .. }) = config.snapshots() else { return Ok(None) };
    let started = SnapshotWriter::start(Arc::clone(snapshots), keep, Arc::clone(metrics));
    started.map(Some).map_err(|_| RunError::Thread("snapshot"))
}

type Opened = (Chain, Vec<crate::chain::Effect>);

async fn open_chain(
    config: &Config,
    genesis: Arc<Genesis>,
    keypairs: Vec<Keypair>,
    clock: Clock,
    metrics: Arc<Metrics>,
) -> Result<Opened, RunError> {
    let config = config.clone();
    let open = move || {
        remove_other_engines(&config)?;
        let (storage, store) = open_stores(&config)?;
        let setup = ChainSetup { genesis, keypairs, storage, store, metrics };
        let progress = |height: u64, target: u64| {
            if height.is_multiple_of(limits::PROGRESS_BLOCKS) || height == target {
                tracing::info!(height, target, "re-applying blocks that the derived state lacks");
            }
        };
        let mut opened = Chain::open(setup, clock.now(), &progress)?;
        opened.0.write_behind();
        if let Some(SnapshotPlan { every, .. }) = config.snapshots() {
            opened.0.freeze_every(every);
        }
        Ok::<_, RunError>(opened)
    };
    tokio::task::spawn_blocking(open).await.map_err(|_| RunError::Thread("opening"))?
}

async fn listen_api(config: &Config) -> Result<TcpListener, RunError> {
    let address = config.api.listen;
    TcpListener::bind(address).await.map_err(|source| RunError::Api { address, source })
}

/// Sends blocks and proposals past the signatures' check on a bounded number of threads.
pub(crate) type Checks = Arc<tokio::sync::Semaphore>;

/// As many checks at once as the machine should spend on them.
pub(crate) fn checks() -> Checks {
    Arc::new(tokio::sync::Semaphore::new(limits::CHECKS_AT_ONCE))
}
