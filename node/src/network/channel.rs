//! Name what a stream carries.

use std::sync::Arc;

use libp2p::StreamProtocol;

use crate::limits::mesh::{
    INBOX_BULK_BYTES, INBOX_CONSENSUS_BYTES, MAX_BULK_FRAME, MAX_CONSENSUS_FRAME,
    OUTBOX_BULK_BYTES, OUTBOX_CONSENSUS_BYTES,
};

/// One of the two ways for frames between two nodes. They share a connection and nothing else:
/// each has its own stream, queue, budget and receiver, so neither waits for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Messages of consensus.
    Consensus,
    /// All else: submissions, sealed blocks for those who follow.
    Bulk,
}

impl Lane {
    /// Both lanes.
    pub const ALL: [Self; 2] = [Self::Consensus, Self::Bulk];

    /// Longest frame, in bytes.
    #[must_use]
    pub const fn max_frame(self) -> usize {
        match self {
            Self::Consensus => MAX_CONSENSUS_FRAME,
            Self::Bulk => MAX_BULK_FRAME,
        }
    }

    /// Bytes that may wait to be sent to one peer.
    pub(crate) const fn outbox_bytes(self) -> usize {
        match self {
            Self::Consensus => OUTBOX_CONSENSUS_BYTES,
            Self::Bulk => OUTBOX_BULK_BYTES,
        }
    }

    /// Bytes of one peer that may wait to be taken.
    pub(crate) const fn inbox_bytes(self) -> usize {
        match self {
            Self::Consensus => INBOX_CONSENSUS_BYTES,
            Self::Bulk => INBOX_BULK_BYTES,
        }
    }
}

/// One value for each lane.
#[derive(Debug, Clone)]
pub(crate) struct PerLane<T> {
    pub(crate) consensus: T,
    pub(crate) bulk: T,
}

impl<T> PerLane<T> {
    /// What `make` makes for each lane.
    pub(crate) fn new(make: impl Fn(Lane) -> T) -> Self {
        Self { consensus: make(Lane::Consensus), bulk: make(Lane::Bulk) }
    }

    /// The value of a lane.
    pub(crate) fn get(&self, lane: Lane) -> &T {
        match lane {
            Lane::Consensus => &self.consensus,
            Lane::Bulk => &self.bulk,
        }
    }

    /// The value of a lane, to change.
    pub(crate) fn get_mut(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::Consensus => &mut self.consensus,
            Lane::Bulk => &mut self.bulk,
        }
    }
}

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// A long-lived one-way stream of frames, from the side that opened it.
    Lane(Lane),
    /// One request from the side that opened it, and one response.
    Request,
}

/// A channel under its protocol name, as it is offered to a peer.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) channel: Channel,
    name: StreamProtocol,
}

impl AsRef<str> for Offer {
    fn as_ref(&self) -> &str {
        self.name.as_ref()
    }
}

/// The protocol names of one chain. They hold the first eight bytes of the chain id, so that
/// nodes of two chains agree on no stream.
#[derive(Debug, Clone)]
pub(crate) struct Offers(Arc<[Offer; 3]>);

impl Offers {
    /// The names of the chain with this id.
    pub(crate) fn new(chain: &[u8; 32]) -> Self {
        let prefix = hex::encode(&chain[..8]);
        let offer = |channel, word: &str| Offer {
            channel,
            name: StreamProtocol::try_from_owned(format!("/probata/{prefix}/{word}/1"))
                .expect("the name begins with a slash"),
        };
        Self(Arc::new([
            offer(Channel::Lane(Lane::Consensus), "consensus"),
            offer(Channel::Lane(Lane::Bulk), "bulk"),
            offer(Channel::Request, "request"),
        ]))
    }

    /// Every channel: what a peer may open here.
    pub(crate) fn all(&self) -> Vec<Offer> {
        self.0.to_vec()
    }

    /// One channel: what is asked of a peer.
    pub(crate) fn one(&self, channel: Channel) -> Vec<Offer> {
        self.0.iter().filter(|offer| offer.channel == channel).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_the_chain_and_the_version() {
        let offers = Offers::new(&[0xab; 32]);
        let names: Vec<_> = offers.all().iter().map(|o| o.as_ref().to_owned()).collect();
        assert_eq!(
            names,
            [
                "/probata/abababababababab/consensus/1",
                "/probata/abababababababab/bulk/1",
                "/probata/abababababababab/request/1",
            ]
        );
        assert_eq!(offers.one(Channel::Request).len(), 1);
    }
}
