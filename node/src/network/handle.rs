//! Use the mesh from any thread or task.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::peer::Peer;
use super::request::{RequestStream, ask};
use super::roster::{PeersError, Roster};
use super::stats::Counter;
use super::{Lane, MeshStats, NodeId, PeerConfig, RequestError};
use crate::limits::mesh::{MAX_REQUEST, MAX_RESPONSE};

/// Why a frame was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// This is not a peer, or no longer.
    #[error("node {0} is not a peer of this node")]
    UnknownPeer(NodeId),
    /// The frame is longer than its lane allows.
    #[error("a frame of {length} bytes where at most {limit} are allowed")]
    TooLarge {
        /// Bytes of the frame.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The peer is not connected; nothing is kept for its return.
    #[error("the peer is not connected")]
    NotConnected,
}

/// What the mesh task and the handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) node: NodeId,
    /// The peers in force. Readers hold its lock to clone one `Arc`; the mesh task is woken by it
    /// and takes the last, so no list is lost and none waits in a queue.
    pub(crate) roster: watch::Sender<Arc<Roster>>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) listening: Mutex<Vec<String>>,
    pub(crate) refused: Counter,
    pub(crate) stop: CancellationToken,
}

/// What a handle asks of the mesh task.
#[derive(Debug)]
pub(crate) enum Command {
    /// Open a stream for a request.
    Open(OpenRequest),
    /// Disconnect a peer that broke the framing; it is counted already.
    Punish(NodeId),
}

/// A stream for a request, wanted.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    pub(crate) to: NodeId,
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) reply: oneshot::Sender<Result<RequestStream, RequestError>>,
}

/// The mesh, to use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MeshHandle {
    shared: Arc<Shared>,
    _stop_with_the_last: Arc<StopOnDrop>,
}

#[derive(Debug)]
struct StopOnDrop(CancellationToken);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl MeshHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let stop = Arc::new(StopOnDrop(shared.stop.clone()));
        Self { shared, _stop_with_the_last: stop }
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.shared.node
    }

    /// Replaces the list of peers; the last list given is the one in force. From the return on, all
    /// handles know these peers and no others. The mesh task then lets in and dials who is new, and
    /// ends connections, tasks, requests and counts of who is no longer listed; the frames of those
    /// that were read before may still be taken. Who stays keeps its connection and what waits for
    /// it; other addresses are used when it is dialled next. This node itself is skipped.
    ///
    /// Never waits: the work is that of reading the list.
    ///
    /// # Errors
    /// [`PeersError`]; the list before stays in force.
    pub fn set_peers(&self, mut peers: Vec<PeerConfig>) -> Result<(), PeersError> {
        peers.retain(|peer| peer.node != self.shared.node);
        let mut next = Roster::new(&peers)?;
        self.shared.roster.send_modify(|roster| {
            next.keep_peers_of(roster);
            *roster = Arc::new(next);
        });
        Ok(())
    }

    /// Queues a frame for a peer. Never waits; a full queue drops its oldest frame and counts it.
    /// `Ok` promises no delivery: the connection may be lost before the frame is sent.
    ///
    /// # Errors
    /// [`SendError`]; the frame is not kept.
    pub fn send(&self, to: NodeId, lane: Lane, bytes: Arc<[u8]>) -> Result<(), SendError> {
        check_length(lane, &bytes)?;
        let roster = self.roster();
        let peer = roster.peer(to).ok_or(SendError::UnknownPeer(to))?;
        peer.push(lane, bytes).map_err(|_| SendError::NotConnected)
    }

    /// Queues a frame for every connected peer, or every connected validator; says for how many.
    /// The bytes are shared, not copied. Never waits.
    ///
    /// # Errors
    /// [`SendError::TooLarge`]; the frame is kept for nobody.
    pub fn broadcast(
        &self,
        lane: Lane,
        bytes: &Arc<[u8]>,
        only_validators: bool,
    ) -> Result<usize, SendError> {
        check_length(lane, bytes)?;
        let roster = self.roster();
        let chosen = roster.iter().filter(|listed| listed.validator || !only_validators);
        Ok(chosen.filter(|it| it.peer.push(lane, Arc::clone(bytes)).is_ok()).count())
    }

    /// Asks a peer, and waits at most `deadline` for its response. Dropping the future gives up.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn request(
        &self,
        to: NodeId,
        bytes: Vec<u8>,
        deadline: Duration,
    ) -> Result<Vec<u8>, RequestError> {
        self.request_up_to(to, bytes, MAX_RESPONSE, deadline).await
    }

    /// As [`MeshHandle::request`], for a response of at most `limit` bytes: whoever answers with more broke the
    /// framing.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn request_up_to(
        &self,
        to: NodeId,
        bytes: Vec<u8>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Vec<u8>, RequestError> {
        let most = limit.min(MAX_RESPONSE);
        let (length, limit) = (bytes.len(), MAX_REQUEST);
        if length > limit {
            return Err(RequestError::TooLarge { length, limit });
        }
        let unknown = RequestError::UnknownPeer(to);
        let Some(peer) = self.roster().peer(to).cloned() else { return Err(unknown) };
        let result = tokio::select! {
            // First: its connections break too when it is removed, which is not the reason.
            biased;
            () = peer.removed.cancelled() => Err(unknown),
            asked = timeout(deadline, self.open_and_ask(&peer, &bytes, most)) => {
                asked.unwrap_or(Err(RequestError::Deadline(deadline)))
            }
        };
        if let Err(error @ RequestError::OversizeResponse { .. }) = &result {
            tracing::warn!(peer = %to, %error, "peer broke the framing of a response");
            peer.violations.add(1);
            // Full only when the mesh task is stopping, or busy with the commands of many others;
            // then this peer is spared the disconnection, not the count.
            let _ = self.shared.commands.try_send(Command::Punish(to));
        }
        result
    }

    /// The peers that are connected now, in the order of their ids.
    #[must_use]
    pub fn connected(&self) -> Vec<NodeId> {
        let roster = self.roster();
        let peers = roster.iter().map(|listed| &listed.peer);
        peers.filter(|peer| peer.is_connected()).map(|peer| peer.node).collect()
    }

    /// The addresses that this node listens on, with the ports that it got.
    #[must_use]
    pub fn listening(&self) -> Vec<String> {
        self.shared.listening.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The mesh in numbers.
    #[must_use]
    pub fn stats(&self) -> MeshStats {
        let now = Instant::now();
        MeshStats {
            refused_connections: self.shared.refused.get(),
            peers: self.roster().iter().map(|it| it.peer.stats(it.validator, now)).collect(),
        }
    }

    /// Stops the mesh: closes the connections and ends its task, within `STOP_TIME`. What still
    /// waits to be sent is lost.
    pub fn stop(&self) {
        self.shared.stop.cancel();
    }

    /// The peers in force now.
    pub(crate) fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.shared.roster.borrow())
    }

    async fn open_and_ask(
        &self,
        peer: &Arc<Peer>,
        bytes: &[u8],
        most: usize,
    ) -> Result<Vec<u8>, RequestError> {
        if self.shared.commands.is_closed() {
            return Err(RequestError::Stopped);
        }
        if !peer.is_connected() {
            return Err(RequestError::NotConnected);
        }
        let slots = Arc::clone(&peer.to_peer);
        let permit = slots.try_acquire_owned().map_err(|_| RequestError::Busy)?;
        let (reply, opened) = oneshot::channel();
        let open = OpenRequest { to: peer.node, permit, reply };
        self.shared.commands.try_send(Command::Open(open)).map_err(|error| match error {
            TrySendError::Full(_) => RequestError::Busy,
            TrySendError::Closed(_) => RequestError::Stopped,
        })?;
        let open = opened.await.map_err(|_| RequestError::Stopped)??;
        peer.requests_sent.add(1);
        ask(open, bytes, most).await
    }
}

fn check_length(lane: Lane, bytes: &[u8]) -> Result<(), SendError> {
    let (length, limit) = (bytes.len(), lane.max_frame());
    if length > limit { Err(SendError::TooLarge { length, limit }) } else { Ok(()) }
}
