//! What the swarm reports, and what the mesh task makes of it.

use libp2p::swarm::SwarmEvent;
use libp2p::{identify, ping};

use super::super::behaviour::BehaviourEvent;
use super::{
    Asked, Change, ConnectionId, Driver, Instant, NodeId, PeerEvent, PeerId, PoisonError,
    RequestError,
};

impl Driver {
    pub(super) fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                tracing::debug!(%peer_id, %connection_id, ?endpoint, "connection opened");
                self.on_connected(peer_id, connection_id);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                tracing::debug!(%peer_id, %connection_id, ?cause, "connection closed");
                self.on_closed(peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer_id), error, .. } => {
                tracing::debug!(%peer_id, %error, "dial failed");
                let node = NodeId::from_peer_id(&peer_id);
                if let Some(session) = node.and_then(|node| self.sessions.get_mut(&node)) {
                    session.dial_later(Instant::now());
                }
            }
            SwarmEvent::IncomingConnectionError { peer_id, send_back_addr, error, .. } => {
                self.shared.refused.add(1);
                tracing::debug!(?peer_id, from = %send_back_addr, %error, "connection refused");
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                self.with_listening(|listening| listening.push(address.to_string()));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                let gone = address.to_string();
                self.with_listening(|listening| listening.retain(|address| *address != gone));
            }
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::error!(?addresses, ?reason, "no longer listening");
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "could not accept a connection");
            }
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Streams(event) => self.on_stream_event(event),
            BehaviourEvent::Ping(ping::Event { peer, connection, result }) => match result {
                Ok(round_trip) => {
                    let node = NodeId::from_peer_id(&peer);
                    if let Some(session) = node.and_then(|node| self.sessions.get_mut(&node)) {
                        session.peer.measured(round_trip);
                        session.on_heard(connection, Instant::now());
                    }
                }
                Err(error) => {
                    tracing::debug!(%peer, %connection, %error, "ping failed, connection given up");
                    // Closing waits until the network takes what was written, which may be never;
                    // the peer is dialled meanwhile.
                    self.swarm.close_connection(connection);
                    self.on_closed(peer, connection);
                }
            },
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                tracing::debug!(
                    %peer_id,
                    agent = info.agent_version,
                    protocol = info.protocol_version,
                    "peer introduced itself"
                );
            }
            BehaviourEvent::Identify(_) => {}
            BehaviourEvent::Allowed(never) | BehaviourEvent::Limits(never) => match never {},
        }
    }

    fn on_connected(&mut self, peer_id: PeerId, connection: ConnectionId) {
        let Some(node) = NodeId::from_peer_id(&peer_id) else { return };
        let Some(session) = self.sessions.get_mut(&node) else { return };
        let now = Instant::now();
        if session.on_connected(connection, now) == Change::Presence {
            tracing::info!(peer = %node, "peer connected");
            session.peer.connected(now);
            self.notices.push(PeerEvent::Connected(node));
        }
    }

    /// A connection closed, or was given up; the second of both changes nothing.
    pub(super) fn on_closed(&mut self, peer_id: PeerId, connection: ConnectionId) {
        for (_, (_, asked)) in self.asked.extract_if(.., |_, (on, _)| *on == connection) {
            if let Asked::Request(open) = asked {
                // The asker may have given up; then nobody needs the answer.
                let _ = open.reply.send(Err(RequestError::NotConnected));
            }
        }
        let Some(node) = NodeId::from_peer_id(&peer_id) else { return };
        let Some(session) = self.sessions.get_mut(&node) else { return };
        if session.on_closed(connection, Instant::now()) == Change::Presence {
            tracing::info!(peer = %node, "peer disconnected");
            session.peer.disconnected();
            self.notices.push(PeerEvent::Disconnected(node));
        }
    }

    fn with_listening(&self, act: impl FnOnce(&mut Vec<String>)) {
        act(&mut self.shared.listening.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
