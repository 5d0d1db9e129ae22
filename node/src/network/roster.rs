//! Keep the list of peers: handles read it at any moment, and the mesh task follows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use libp2p::Multiaddr;

use super::address::{BadAddress, peer_addresses};
use super::peer::Peer;
use super::{NodeId, PeerConfig};
use crate::limits::mesh::MAX_PEERS;

/// Why a list of peers cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeersError {
    /// An address cannot be used.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// The list names too many peers.
    #[error("{count} peers where at most {MAX_PEERS} are allowed")]
    TooMany {
        /// Peers named.
        count: usize,
    },
    /// The list names a peer twice.
    #[error("peer {0} is named twice")]
    Duplicate(NodeId),
}

/// The peers at one moment, by their ids. A roster never changes: another takes its place, so
/// whoever reads one sees no list half in force.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    listed: BTreeMap<NodeId, Listed>,
}

/// A peer, and what the list says of it.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) peer: Arc<Peer>,
    pub(crate) validator: bool,
    pub(crate) addresses: Vec<Multiaddr>,
}

impl Roster {
    /// These peers, each of them new.
    ///
    /// # Errors
    /// [`PeersError`].
    pub(crate) fn new(configs: &[PeerConfig]) -> Result<Self, PeersError> {
        if configs.len() > MAX_PEERS {
            return Err(PeersError::TooMany { count: configs.len() });
        }
        let mut listed = BTreeMap::new();
        for config in configs {
            let peer = Listed {
                peer: Arc::new(Peer::new(config.node)),
                validator: config.validator,
                addresses: peer_addresses(config)?,
            };
            if listed.insert(config.node, peer).is_some() {
                return Err(PeersError::Duplicate(config.node));
            }
        }
        Ok(Self { listed })
    }

    /// Those who were peers before stay the same peer, with what waits for it and its counts.
    pub(crate) fn keep_peers_of(&mut self, before: &Self) {
        for (node, listed) in &mut self.listed {
            if let Some(known) = before.listed.get(node) {
                listed.peer = Arc::clone(&known.peer);
            }
        }
    }

    /// The peer with this id.
    pub(crate) fn peer(&self, node: NodeId) -> Option<&Arc<Peer>> {
        self.listed.get(&node).map(|listed| &listed.peer)
    }

    /// Whether this peer is listed: itself, not one that came back under its id.
    pub(crate) fn holds(&self, peer: &Arc<Peer>) -> bool {
        self.peer(peer.node).is_some_and(|listed| Arc::ptr_eq(listed, peer))
    }

    /// All that are listed, in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.listed.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(seed: u8, validator: bool) -> PeerConfig {
        PeerConfig { node: NodeId::from_secret([seed; 32]), addresses: Vec::new(), validator }
    }

    #[test]
    fn who_stays_is_the_same_peer_and_who_comes_back_is_not() {
        let first = Roster::new(&[config(1, true), config(2, true)]).unwrap();
        let mut second = Roster::new(&[config(2, false), config(3, true)]).unwrap();
        second.keep_peers_of(&first);
        let mut third = Roster::new(&[config(1, true), config(2, true)]).unwrap();
        third.keep_peers_of(&second);
        let [one, two] = [1, 2].map(|seed| first.peer(config(seed, true).node).unwrap());
        assert!(first.holds(one) && !second.holds(one) && !third.holds(one));
        assert!(first.holds(two) && second.holds(two) && third.holds(two));
        let validators = |roster: &Roster| roster.iter().filter(|listed| listed.validator).count();
        assert_eq!([&first, &second, &third].map(validators), [2, 1, 2]);
    }

    #[test]
    fn a_list_that_cannot_be_followed_is_refused() {
        let many = vec![config(1, true); MAX_PEERS + 1];
        assert_eq!(Roster::new(&many).unwrap_err(), PeersError::TooMany { count: MAX_PEERS + 1 });
        let twice = Roster::new(&[config(1, true), config(1, false)]).unwrap_err();
        assert_eq!(twice, PeersError::Duplicate(config(1, true).node));
        let nowhere = PeerConfig { addresses: vec!["nowhere".to_owned()], ..config(1, true) };
        let nowhere = Roster::new(&[nowhere]).unwrap_err();
        assert_eq!(nowhere, PeersError::Address(BadAddress::Form("nowhere".to_owned())));
    }
}
