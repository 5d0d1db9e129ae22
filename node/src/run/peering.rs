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
        let peers: Vec<PeerConfig> = moved.iter().filter_map(configured).collect();
        network::check_peers(&peers).map_err(MeshError::Peers)?;
        Ok(Self { own, moved })
    }

    /// As [`Peering::peers`], with those whom the configuration names for a node that has no chain yet.
    pub(super) fn peers_to_join_by(
        &self,
        membership: &Membership,
        named: &[Moved],
    ) -> Vec<PeerConfig> {
        let named: Vec<PeerConfig> = named.iter().filter_map(configured).collect();
        let mut peers = self.peers(membership);
        peers.retain(|peer| !named.iter().any(|named| named.node == peer.node));
        peers.extend(named.into_iter().filter(|peer| peer.node != self.own));
        peers
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

/// A peer that the configuration names, if its key is one.
fn configured(peer: &Moved) -> Option<PeerConfig> {
    let node = NodeId::from_bytes(peer.node.0).ok()?;
    Some(PeerConfig { node, addresses: vec![peer.address.clone()], validator: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{SUITE, genesis, pair};

    #[test]
    fn who_joins_asks_the_validators_of_genesis_and_those_who_are_named() {
        let genesis = genesis();
        let membership = Membership::read(&genesis.initial_state(), SUITE).unwrap();
        let id = |number, what| NodeId::from_bytes(pair(number, what).public().0).unwrap();
        let peering = Peering { own: id(5, 5), moved: Vec::new() };
        let named = |number, what, address: &str| Moved {
            node: pair(number, what).public(),
            address: address.to_owned(),
        };
        let (there, own) = (named(2, 4, "/ip4/10.9.9.2/tcp/1"), named(5, 5, "/ip4/10.9.9.5/tcp/1"));
        let new = named(9, 4, "/ip4/10.9.9.9/tcp/1");
        let peers = peering.peers_to_join_by(&membership, &[there, own, new]);
        let mut asked: Vec<NodeId> = peers.iter().map(|peer| peer.node).collect();
        let mut expected: Vec<NodeId> = [1, 2, 3, 4, 9].map(|number| id(number, 4)).to_vec();
        asked.sort();
        expected.sort();
        assert_eq!(asked, expected);
        let second = peers.iter().find(|peer| peer.node == id(2, 4)).unwrap();
        assert_eq!(second.addresses, ["/ip4/10.9.9.2/tcp/1"], "where the operator says");
        network::check_peers(&peers).unwrap();
    }
}
