//! Which nodes this one keeps connections to.

use crate::{
    config::{Config, Moved},
    membership::{Member, Membership},
    network::{self, MeshError, NodeId, PeerConfig},
};

/// What of the configuration decides about peers.
pub(super) struct Peering {
    own: NodeId,
    moved: Vec<Moved>,
}

impl Peering {
    /// # Errors
    /// [`MeshError`] if a peer is said to have moved to what is no address: it would be found out only
    /// when a motion admits that peer.
    pub(super) fn new(config: &Config, own: NodeId) -> Result<Self, MeshError> {
        let moved = config.mesh.moved.clone();
        let peer = |moved: &Moved| {
            let node = NodeId::from_bytes(moved.node.0).ok()?;
            Some(PeerConfig { node, addresses: vec![moved.address.clone()], validator: false })
        };
        let peers: Vec<PeerConfig> = moved.iter().filter_map(peer).collect();
        network::check_peers(&peers).map_err(MeshError::Peers)?;
        Ok(Self { own, moved })
    }

    /// A validator talks to all nodes, a member node to the validators. Those of the epoch to come count
    /// as validators here, so that they are connected when it begins.
    pub(super) fn peers(&self, membership: &Membership) -> Vec<PeerConfig> {
        let nodes: Vec<Member> = membership.nodes().collect();
        let votes = |node: &Member| node.seat.is_some() || node.to_be_seated;
        let own = nodes.iter().find(|node| node.node == self.own);
        if own.is_none() {
            tracing::warn!(
                node = %self.own,
                "the node key is not in the directory of the chain: other nodes refuse this one until a \
                 motion admits it; check keys.node if it should be there"
            );
        }
        let all = own.is_some_and(votes);
        let peers = nodes.iter().filter(|node| node.node != self.own && (all || votes(node)));
        peers.map(|node| self.peer(node)).collect()
    }

    fn peer(&self, member: &Member) -> PeerConfig {
        let moved = self.moved.iter().find(|moved| moved.node.0 == *member.node.as_bytes());
        let address =
            moved.map_or_else(|| member.address.to_string(), |moved| moved.address.clone());
        PeerConfig { node: member.node, addresses: vec![address], validator: member.seat.is_some() }
    }
}
