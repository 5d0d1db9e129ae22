//! Negotiate the streams of one connection.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use libp2p::Stream;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
};

use super::super::channel::{Channel, Offer, Offers};
use super::{OpenError, Ticket};
use crate::limits::mesh::{NEGOTIATE_TIME, PENDING_STREAMS};

/// Open a stream for this channel.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) channel: Channel,
    pub(crate) ticket: Ticket,
}

/// What became of a stream of this connection.
#[derive(Debug)]
pub(crate) enum Event {
    Inbound { channel: Channel, stream: Stream },
    Outbound { ticket: Ticket, result: Result<Stream, OpenError> },
}

/// One connection's side of [`super::Streams`].
pub(crate) struct Handler {
    offers: Offers,
    /// At most the lanes and the requests that the mesh has under way to this peer.
    opens: VecDeque<Open>,
    /// At most `PENDING_STREAMS` inbound, and one for each open.
    events: VecDeque<Event>,
}

impl Handler {
    pub(super) fn new(offers: Offers) -> Self {
        Self { offers, opens: VecDeque::new(), events: VecDeque::new() }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Event;
    type InboundProtocol = Negotiation;
    type OutboundProtocol = Negotiation;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Ticket;

    fn listen_protocol(&self) -> SubstreamProtocol<Negotiation> {
        SubstreamProtocol::new(Negotiation(self.offers.all()), ()).with_timeout(NEGOTIATE_TIME)
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Negotiation, Ticket, Event>> {
        // Both queues only fill through calls after which the connection polls its handler again.
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        if let Some(Open { channel, ticket }) = self.opens.pop_front() {
            let negotiation = Negotiation(self.offers.one(channel));
            let protocol = SubstreamProtocol::new(negotiation, ticket).with_timeout(NEGOTIATE_TIME);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, open: Open) {
        self.opens.push_back(open);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Negotiation, Negotiation, (), Ticket>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (channel, stream),
                ..
            }) if self.events.len() < PENDING_STREAMS => {
                self.events.push_back(Event::Inbound { channel, stream });
            }
            // A peer that opens streams faster than the mesh takes them loses the newest.
            ConnectionEvent::FullyNegotiatedInbound(_) => {}
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (_, stream),
                info: ticket,
            }) => self.events.push_back(Event::Outbound { ticket, result: Ok(stream) }),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: ticket, error }) => {
                let result = Err(open_error(error));
                self.events.push_back(Event::Outbound { ticket, result });
            }
            _ => {}
        }
    }
}

fn open_error(error: StreamUpgradeError<Infallible>) -> OpenError {
    match error {
        StreamUpgradeError::NegotiationFailed => OpenError::Unsupported,
        StreamUpgradeError::Timeout => OpenError::Failed("no answer in time".to_owned()),
        StreamUpgradeError::Io(error) => OpenError::Failed(error.to_string()),
        StreamUpgradeError::Apply(never) => match never {},
    }
}

/// Agrees on one of the offered channels and leaves the stream as it is.
#[derive(Debug)]
pub(crate) struct Negotiation(Vec<Offer>);

impl UpgradeInfo for Negotiation {
    type Info = Offer;
    type InfoIter = std::vec::IntoIter<Offer>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Negotiation {
    type Output = (Channel, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, offer: Offer) -> Self::Future {
        ready(Ok((offer.channel, stream)))
    }
}

impl OutboundUpgrade<Stream> for Negotiation {
    type Output = (Channel, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, offer: Offer) -> Self::Future {
        ready(Ok((offer.channel, stream)))
    }
}
