//! Who the peers are: sessions follow the list, and who breaks the rules is cut.

use std::collections::btree_map::Entry;

use super::{Arc, Driver, Instant, Lane, NodeId, Session};

impl Driver {
    /// Makes the sessions those of the list in force. Whoever was off the list starts anew, however
    /// short that was; whoever stayed keeps its session.
    pub(super) fn follow_roster(&mut self) {
        let roster = Arc::clone(&self.roster.borrow_and_update());
        let gone = self.sessions.values().filter(|session| !roster.holds(&session.peer));
        let gone: Vec<NodeId> = gone.map(|session| session.peer.node).collect();
        for node in gone {
            self.forget(node);
        }
        let now = Instant::now();
        for listed in roster.iter() {
            match self.sessions.entry(listed.peer.node) {
                Entry::Occupied(mut known) => {
                    known.get_mut().set_addresses(&listed.addresses, now);
                }
                Entry::Vacant(free) => {
                    let peer = Arc::clone(&listed.peer);
                    let session = free.insert(Session::new(peer, listed.addresses.clone(), now));
                    self.swarm.behaviour_mut().allowed.allow_peer(session.peer_id);
                }
            }
        }
    }

    /// Ends all that there is with a peer that is no longer listed.
    fn forget(&mut self, node: NodeId) {
        let Some(session) = self.sessions.get(&node) else { return };
        tracing::info!(peer = %node, "no longer a peer");
        let peer_id = session.peer_id;
        // Before its connections close: who waits for its response learns the reason.
        session.peer.removed.cancel();
        self.cut(node);
        self.sessions.remove(&node);
        // Ends a dial that is under way; a peer that is not connected needs no disconnection.
        let _ = self.swarm.disconnect_peer_id(peer_id);
    }

    /// Disconnects a peer that broke the framing, and refuses it for a while.
    pub(super) fn punish(&mut self, node: NodeId) {
        let Some(session) = self.sessions.get_mut(&node) else { return };
        session.refuse(Instant::now());
        self.cut(node);
    }

    /// Disconnects a peer, and lets it in no more.
    fn cut(&mut self, node: NodeId) {
        let Some(session) = self.sessions.get_mut(&node) else { return };
        let (peer_id, links) = (session.peer_id, session.links());
        for lane in Lane::ALL {
            // Whoever held the seat is stopped; nobody sits down.
            let _ = session.inbound_seat(lane);
        }
        self.swarm.behaviour_mut().allowed.disallow_peer(peer_id);
        for connection in links {
            self.on_closed(peer_id, connection);
        }
    }
}
