//! Building a node from its parts, in order, and taking it down again. Wiring only.

mod api_threads;
mod backfill;
mod inbound;
mod joining;
mod opening;
mod outbound;
mod peering;
mod priority;
mod refused;
mod stores;
mod thread;

use crate::{
    api::{self, ApiContext},
    chain::{ChainError, ChainSetup},
    config::Config,
    edge::Edge,
    handle::{ChainHandle, ChainStatus, Command},
    join::JoinError,
    limits,
    metrics::Metrics,
    network::{self, MeshConfig, MeshError, MeshHandle, NodeId},
};
use api_threads::ApiThreads;
use backfill::Backfill;
pub use opening::load_genesis;
use opening::{NodeSecret, Opened};
use outbound::Outbound;
use peering::Peering;
use probata_genesis::{Genesis, GenesisError, KeyFileError};
use probata_types::Hash;
use std::{net, path::PathBuf, sync::Arc};
pub use stores::{Stores, open_storage, open_store, open_stores};
use thread::Clock;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

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
    /// The node cannot begin from a snapshot of its peers.
    #[error("joining from a snapshot: {0}")]
    Join(#[from] JoinError),
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
    let (secret, keypairs) = opening::load_keys(&config)?;
    let metrics = Arc::new(Metrics::new());
    let mut stop = std::pin::pin!(stop);
    let stores = opening::prepare_stores(&config).await?;
    let node = Node { config, genesis, secret, metrics };
    tokio::select! {
        begun = node.begin(&stores) => begun?,
        // What was fetched is there at the next start.
        () = &mut stop => return Ok(()),
    }
    let clock = Clock::start();
    let (storage, store) = stores;
    let (genesis, metrics) = (Arc::clone(&node.genesis), Arc::clone(&node.metrics));
    let setup = ChainSetup { genesis, keypairs, storage, store, metrics };
    let opened = opening::open_chain(&node.config, setup, clock).await?;
    let mut running = node.start(opened, clock).await?;
    let lost = tokio::select! {
        () = &mut stop => { tracing::info!("stopping"); None }
        lost = running.parts.lost() => lost,
    };
    running.end().await?;
    lost.map_or(Ok(()), |part| Err(RunError::Thread(part)))
}

/// A node before it runs.
struct Node {
    config: Config,
    genesis: Arc<Genesis>,
    secret: NodeSecret,
    metrics: Arc<Metrics>,
}

impl Node {
    /// Starts every part, in order.
    async fn start(self, opened: Opened, clock: Clock) -> Result<Running, RunError> {
        let Self { config, genesis, secret, metrics } = self;
        let reader = opened.0.reader();
        // What can fail comes before anything that must be stopped again.
        let (listener, api_threads) = listen_api(&config).await?;
        let peering = Peering::new(&config, NodeId::from_secret(*secret))?;
        let snapshots = opening::open_snapshots(&config, &genesis)?;
        let writer = opening::snapshot_writer(&config, &snapshots, &metrics)?;
        let mesh = network::start(MeshConfig {
            secret: *secret,
            listen: config.mesh.listen.clone(),
            peers: peering.peers(&opened.0.status().membership),
            chain: genesis.chain().0,
        })?;
        let (status_in, status) = watch::channel(opened.0.status());
        let (chain, queue) = ChainHandle::new(status);
        let (bodies, recent) = (Arc::clone(opened.0.bodies()), Arc::clone(opened.0.recent()));
        let edge = Arc::new(Edge::new(genesis.chain(), Arc::clone(&bodies)));
        let outbound = {
            let (mesh, chain, metrics) = (mesh.handle.clone(), chain.clone(), Arc::clone(&metrics));
            Outbound::new(peering, mesh, chain, metrics, writer)
        };
        let over = CancellationToken::new();
        let over_in = over.clone().drop_guard();
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("chain".into()).spawn(move || {
            let _over = over_in;
            thread::run(opened, queue, &runtime, clock, &outbound, &status_in)
        });
        let thread = thread.map_err(|_| RunError::Thread("chain"))?;
        let inbound = inbound::Inbound {
            genesis: Arc::clone(&genesis),
            edge: Arc::clone(&edge),
            bodies,
            recent: Arc::clone(&recent),
            chain: chain.clone(),
            reader: reader.clone(),
            snapshots,
            mesh: mesh.handle.clone(),
            metrics: Arc::clone(&metrics),
            refused: Arc::new(refused::Refused::new(Arc::clone(&metrics))),
        };
        let tasks = inbound.spawn(mesh.events);
        let behind = Backfill {
            reader: reader.clone(),
            chain: chain.clone(),
            mesh: mesh.handle.clone(),
            metrics: Arc::clone(&metrics),
        };
        let behind = AbortOnDropHandle::new(tokio::spawn(behind.run()));
        announce_start(&config, &genesis, &chain.status());
        let stop_api = CancellationToken::new();
        let (handle, mesh_task) = (mesh.handle, mesh.task);
        let context = ApiContext {
            genesis,
            reader,
            chain: chain.clone(),
            mesh: handle.clone(),
            metrics,
            edge,
            recent,
        };
        let serve = async move |stop: CancellationToken| match TcpListener::from_std(listener) {
            Ok(listener) => api::serve(listener, api::router(context), stop).await,
            Err(error) => tracing::error!(%error, "the API cannot listen"),
        };
        let server = api_threads.spawn(serve(stop_api.clone()));
        let parts =
            Parts { over, tasks, server, mesh: mesh_task, _behind: behind, _api: api_threads };
        Ok(Running { parts, thread, stop_api, chain, mesh: handle })
    }
}

/// A node that runs.
struct Running {
    parts: Parts,
    thread: std::thread::JoinHandle<Result<(), ChainError>>,
    stop_api: CancellationToken,
    chain: ChainHandle,
    mesh: MeshHandle,
}

impl Running {
    /// Takes it down: requests under way get their answers while the chain thread still runs.
    async fn end(mut self) -> Result<(), RunError> {
        self.stop_api.cancel();
        self.parts.end_api().await;
        self.chain.send(Command::Stop).await;
        self.parts.over.cancelled().await;
        self.mesh.stop();
        self.parts.end().await;
        Ok(self.thread.join().map_err(|_| RunError::Thread("chain"))??)
    }
}

/// What runs for as long as the node does.
struct Parts {
    /// Cancelled when the chain thread has ended; its result says why.
    over: CancellationToken,
    tasks: JoinSet<()>,
    server: JoinHandle<()>,
    mesh: JoinHandle<()>,
    /// Ends when nothing is left to be fetched.
    _behind: AbortOnDropHandle<()>,
    _api: ApiThreads,
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

/// Where the API listens, and what it will run on.
async fn listen_api(config: &Config) -> Result<(net::TcpListener, ApiThreads), RunError> {
    let address = config.api.listen;
    let listen = async { TcpListener::bind(address).await?.into_std() };
    let listener = listen.await.map_err(|source| RunError::Api { address, source })?;
    Ok((listener, ApiThreads::start().map_err(|_| RunError::Thread("API"))?))
}

/// Sends blocks and proposals past the signatures' check on a bounded number of threads.
pub(crate) type Checks = Arc<tokio::sync::Semaphore>;

/// As many checks at once as the machine should spend on them.
pub(crate) fn checks() -> Checks {
    Arc::new(tokio::sync::Semaphore::new(limits::CHECKS_AT_ONCE))
}
