//! Whom to ask: peers that are connected, were never caught with what does not hold, and do not rest.

use crate::{
    metrics::Metrics,
    network::{MeshHandle, NodeId, RequestError},
    wire::{self, Ask},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::Arc,
    time::{Duration, Instant},
};

/// The peers of a mesh, as they have proved themselves. At most one entry for each node that there is.
pub(crate) struct Peers {
    mesh: MeshHandle,
    metrics: Arc<Metrics>,
    refused: BTreeSet<NodeId>,
    resting: BTreeMap<NodeId, Instant>,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// What was asked for.
    Given(Vec<u8>),
    /// The peer does not have it.
    NotHere,
    /// The peer is away, busy or slow.
    Failed(RequestError),
    /// The response is none: only a broken or hostile node answers so.
    Broken(String),
}

impl Peers {
    pub(crate) const fn new(mesh: MeshHandle, metrics: Arc<Metrics>) -> Self {
        Self { mesh, metrics, refused: BTreeSet::new(), resting: BTreeMap::new() }
    }

    /// Those who are connected and were not refused.
    pub(crate) fn trusted(&self) -> Vec<NodeId> {
        let mut peers = self.mesh.connected();
        peers.retain(|peer| !self.refused.contains(peer));
        peers
    }

    /// Those of them who may be asked now.
    pub(crate) fn ready(&mut self) -> Vec<NodeId> {
        let now = Instant::now();
        self.resting.retain(|_, until| *until > now);
        let mut peers = self.trusted();
        peers.retain(|peer| !self.resting.contains_key(peer));
        peers
    }

    /// Lets a peer be for a while.
    pub(crate) fn rest(&mut self, peer: NodeId, time: Duration) {
        self.resting.insert(peer, Instant::now() + time);
    }

    /// Names a peer that handed over what does not hold. It is not asked again.
    pub(crate) fn refuse(&mut self, peer: NodeId, what: &str, error: &dyn Display) {
        tracing::warn!(%peer, what, %error, "a peer handed over what does not hold; it is not asked again");
        self.metrics.refused_peer(&peer);
        self.refused.insert(peer);
    }

    /// The way to ask, for tasks.
    pub(crate) fn mesh(&self) -> MeshHandle {
        self.mesh.clone()
    }
}

/// Asks a peer for what is answered as [`wire::given`], of at most so many bytes.
pub(crate) async fn ask(
    mesh: &MeshHandle,
    peer: NodeId,
    ask: &Ask,
    (most, deadline): (usize, Duration),
) -> Answer {
    let most = most + super::GIVEN_HEAD;
    match mesh.request_up_to(peer, ask.encode(), most, deadline).await {
        Err(error @ RequestError::OversizeResponse { .. }) => Answer::Broken(error.to_string()),
        Err(error) => Answer::Failed(error),
        Ok(response) => match wire::take_given(response) {
            Ok(Some(bytes)) => Answer::Given(bytes),
            Ok(None) => Answer::NotHere,
            Err(error) => Answer::Broken(error.to_string()),
        },
    }
}
