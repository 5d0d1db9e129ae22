//! Carry bytes between the nodes that the chain names, and nobody else.
//!
//! The mesh is full: every node holds one connection to every other (TCP, noise, yamux), made by
//! whichever side reaches the other first. It knows nothing of what it carries.
//!
//! ```text
//!            handles (any thread)              mesh task                  receivers (the node)
//!  send ───> outbox of (peer, lane) ─> writer ══ stream ══> reader ─> inbox ─> consensus | bulk
//!  request ─────────── stream, one per request ═══════════> answer ──────────> requests
//!                                      dials, limits, backoff ───────────────> peers
//! ```
//!
//! **Lanes.** Consensus and bulk frames have their own streams, queues, budgets and receivers; a
//! lane that stalls holds up nothing but itself. Order holds within a lane to one peer.
//!
//! **Loss.** A frame is delivered whole, once, or not at all. It is lost when its queue is full
//! (the oldest gives way), when its peer is not connected, or when the stream breaks under it.
//! Nothing is sent again: what must arrive is repeated by the protocol above.
//!
//! **Back-pressure.** What a peer sent and the node has not taken is bounded for each peer and
//! lane; beyond it that peer is not read. The receivers have room for all peers at their bounds, so
//! no peer waits for another.
//!
//! **Peers.** Who they are is a list that may be replaced while the mesh runs
//! ([`MeshHandle::set_peers`]). Handles read the list in force; the mesh task follows it:
//!
//! ```text
//!  set_peers ──> list in force ──> send, broadcast, request, connected, stats: at once
//!                      └─────────> mesh task: ends sessions of who left, opens those of who came
//! ```
//!
//! Only the last list counts. Who was on every list since the one before keeps its connection, its
//! queues and its counts. Who leaves is cut in the middle of whatever was under way, and starts
//! from nothing if it is listed again.
//!
//! **Hostile peers.** A stranger is refused after the noise handshake. A peer that breaks the
//! framing is counted, disconnected, and refused for a while.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use libp2p::Multiaddr;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::limits::mesh::{
    COMMANDS, INBOX_FRAMES, MAX_LISTEN, MAX_PEERS, PEER_EVENTS, REQUESTS_FROM_PEER,
};

mod address;
mod backoff;
mod behaviour;
mod channel;
mod driver;
mod frame;
mod handle;
mod lane;
mod node_id;
mod notices;
mod outbox;
mod peer;
mod request;
mod roster;
mod session;
mod stats;
mod streams;

pub use address::BadAddress;
pub use channel::Lane;
pub use handle::{MeshHandle, SendError};
pub use node_id::{NodeId, NotAKey};
pub use request::RequestError;
pub use roster::PeersError;
pub use stats::{LaneStats, MeshStats, PeerStats};

use driver::{Driver, Sinks};
use handle::Shared;
use roster::Roster;
use stats::Counter;

/// What a mesh is made from.
pub struct MeshConfig {
    /// Ed25519 secret of this node's libp2p identity.
    pub secret: [u8; 32],
    /// Addresses to listen on, such as `/ip4/0.0.0.0/tcp/9000`; port 0 takes a free one.
    pub listen: Vec<String>,
    /// All nodes that may connect, without this one. [`MeshHandle::set_peers`] replaces them.
    pub peers: Vec<PeerConfig>,
    /// Chain id: nodes of two chains never exchange a frame.
    pub chain: [u8; 32],
}

/// A node that may connect.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Its identity.
    pub node: NodeId,
    /// Where to dial it, such as `/ip4/10.0.0.7/tcp/9000`. With none it is not dialled: it must
    /// dial us.
    pub addresses: Vec<String>,
    /// Whether it votes.
    pub validator: bool,
}

/// Why a mesh cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// An address to listen on cannot be used.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// The list of peers cannot be followed.
    #[error(transparent)]
    Peers(#[from] PeersError),
    /// The configuration names too many addresses to listen on.
    #[error("{count} addresses to listen on where at most {MAX_LISTEN} are allowed")]
    TooManyListen {
        /// Addresses named.
        count: usize,
    },
    /// The configuration names this node as its own peer.
    #[error("this node, {0}, is named as its own peer")]
    OwnPeer(NodeId),
    /// An address cannot be listened on: in use, not ours, or not permitted.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// The encryption layer cannot be set up.
    #[error("cannot set up the encryption layer: {0}")]
    Noise(#[from] libp2p::noise::Error),
    /// [`start`] was called outside a tokio runtime.
    #[error("the mesh must be started within a tokio runtime")]
    NoRuntime,
}

/// A running mesh.
pub struct Mesh {
    /// Sends, asks, counts, stops. The mesh stops when the last clone of it is dropped.
    pub handle: MeshHandle,
    /// What arrives.
    pub events: MeshEvents,
    /// Ends when the mesh has stopped.
    pub task: JoinHandle<()>,
}

/// What arrives, each kind in its own bounded queue so that none waits for another.
///
/// A node that drops a receiver of frames refuses that lane: its peers try again at their slowest.
pub struct MeshEvents {
    /// Who came and went. Events that are not taken are merged: the last one of a peer stays true.
    /// They are not ordered with frames: the first frame of a peer may come before its `Connected`,
    /// and its last ones after its `Disconnected`.
    pub peers: mpsc::Receiver<PeerEvent>,
    /// Frames of the consensus lane of all peers.
    pub consensus: mpsc::Receiver<Frame>,
    /// Frames of the bulk lane of all peers.
    pub bulk: mpsc::Receiver<Frame>,
    /// Requests of all peers.
    pub requests: mpsc::Receiver<Request>,
}

/// A peer came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerEvent {
    /// The peer is connected; what was sent to it before may be lost.
    Connected(NodeId),
    /// The peer is gone; as long as it is listed it is dialled until it is back.
    Disconnected(NodeId),
}

/// A frame from a peer. Until it is dropped it counts against what that peer may have waiting, so a
/// task that keeps the bytes for long takes them out.
#[derive(Debug)]
pub struct Frame {
    /// Who sent it. The connection proves it.
    pub from: NodeId,
    /// The lane that it came by.
    pub lane: Lane,
    /// What was sent: any bytes at all, up to [`Lane::max_frame`].
    pub bytes: Vec<u8>,
    _shares: lane::Shares,
}

/// A request from a peer.
#[derive(Debug)]
pub struct Request {
    /// Who asks. The connection proves it.
    pub from: NodeId,
    /// What is asked: any bytes at all, up to `MAX_REQUEST`.
    pub bytes: Vec<u8>,
    /// Where the response goes, of at most `MAX_RESPONSE` bytes. Dropping it refuses the request.
    pub reply: oneshot::Sender<Vec<u8>>,
}

/// Whether a list of peers can be kept to.
///
/// # Errors
/// [`PeersError`], the first thing wrong.
pub fn check_peers(peers: &[PeerConfig]) -> Result<(), PeersError> {
    Roster::new(peers).map(drop)
}

/// Starts the mesh on the current tokio runtime: listens, and dials all peers until they are there.
///
/// # Errors
/// [`MeshError`] when the configuration contradicts itself, or an address cannot be listened on.
pub fn start(config: MeshConfig) -> Result<Mesh, MeshError> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(MeshError::NoRuntime);
    }
    let own = NodeId::from_secret(config.secret);
    if config.peers.iter().any(|peer| peer.node == own) {
        return Err(MeshError::OwnPeer(own));
    }
    let roster = Roster::new(&config.peers)?;
    let listen = listen_addresses(&config.listen)?;
    let mut swarm = behaviour::build_swarm(node_id::keypair(config.secret), &config.chain)?;
    for address in listen {
        let text = address.to_string();
        if let Err(error) = swarm.listen_on(address) {
            return Err(MeshError::Listen { address: text, reason: error.to_string() });
        }
    }
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let stop = CancellationToken::new();
    let shared = Arc::new(Shared {
        node: own,
        roster: watch::Sender::new(Arc::new(roster)),
        commands,
        listening: Mutex::new(Vec::new()),
        refused: Counter::default(),
        stop: stop.clone(),
    });
    let (sinks, events) = queues();
    let driver = Driver::new(swarm, &shared, inbox, sinks);
    let task = tokio::spawn(driver.run(stop));
    Ok(Mesh { handle: MeshHandle::new(shared), events, task })
}

/// Queues with room for what all peers together may have waiting, however many are listed later:
/// their tasks wait here only for what removed peers left behind. Room that is not used costs
/// nothing.
fn queues() -> (Sinks, MeshEvents) {
    let (peer_sink, peer_events) = mpsc::channel(PEER_EVENTS);
    let (consensus_sink, consensus) = mpsc::channel(MAX_PEERS * INBOX_FRAMES);
    let (bulk_sink, bulk) = mpsc::channel(MAX_PEERS * INBOX_FRAMES);
    let (request_sink, requests) = mpsc::channel(MAX_PEERS * REQUESTS_FROM_PEER);
    let frames = channel::PerLane { consensus: consensus_sink, bulk: bulk_sink };
    let sinks = Sinks { peers: peer_sink, frames, requests: request_sink };
    (sinks, MeshEvents { peers: peer_events, consensus, bulk, requests })
}

fn listen_addresses(texts: &[String]) -> Result<BTreeSet<Multiaddr>, MeshError> {
    if texts.len() > MAX_LISTEN {
        return Err(MeshError::TooManyListen { count: texts.len() });
    }
    let parsed: Result<_, BadAddress> = texts.iter().map(|text| address::parse(text)).collect();
    Ok(parsed?)
}

#[cfg(test)]
mod tests;
