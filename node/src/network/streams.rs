//! Open and accept the streams of the mesh on the connections of the swarm.
//!
//! A stream is asked for on one named connection, and the answer names the request. So the mesh
//! decides which of two connections to a peer is used, nothing dials behind its back, and nothing
//! is left over from a connection that closed.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream};

use super::channel::{Channel, Offers};

mod handler;

use handler::{Handler, Open};

/// Names one stream that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// Something happened to a stream.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// A peer opened a stream.
    Inbound {
        /// Who opened it.
        peer: PeerId,
        /// The connection that it is on.
        connection: ConnectionId,
        /// What it is for.
        channel: Channel,
        /// The stream.
        stream: Stream,
    },
    /// A stream that was asked for is open, or could not be opened.
    Outbound {
        /// Which.
        ticket: Ticket,
        /// The stream.
        result: Result<Stream, OpenError>,
    },
}

/// Why a stream could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    /// The peer does not speak this protocol: another chain, or another version.
    #[error("the peer does not speak this protocol")]
    Unsupported,
    /// The connection failed, or the peer did not answer.
    #[error("the stream could not be opened: {0}")]
    Failed(String),
}

/// The behaviour. Its handlers do the work.
pub(crate) struct Streams {
    offers: Offers,
    next_ticket: u64,
    /// At most one `Open` for each call of `open` since the last poll, and one `StreamEvent`.
    queue: VecDeque<ToSwarm<StreamEvent, Open>>,
}

impl Streams {
    /// Streams under the protocol names of one chain.
    pub(crate) fn new(offers: Offers) -> Self {
        Self { offers, next_ticket: 0, queue: VecDeque::new() }
    }

    /// Asks for a stream. The answer is an `Outbound` event with the same ticket, or the closing of
    /// the connection. The swarm must be polled afterwards.
    pub(crate) fn open(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        channel: Channel,
    ) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.queue.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: Open { channel, ticket },
        });
        ticket
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.offers.clone()))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.offers.clone()))
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        let event = match event {
            handler::Event::Inbound { channel, stream } => {
                StreamEvent::Inbound { peer, connection, channel, stream }
            }
            handler::Event::Outbound { ticket, result } => StreamEvent::Outbound { ticket, result },
        };
        self.queue.push_back(ToSwarm::GenerateEvent(event));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // The queue only fills through calls that the swarm, or the task that polls it, makes.
        match self.queue.pop_front() {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }
}
