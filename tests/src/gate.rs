//! The edge of every node of a false world: bytes become checked messages and submissions. Whether they
//! hold follows from the bytes alone, so what was checked for one node is checked for all.

use crate::consortium::SUITE;
use probata_consensus::Message;
use probata_genesis::Genesis;
use probata_node::edge::{Edge, EdgeError};
use probata_types::{Hash, Height, Submission, ValidatorSet, Verified};
use std::{collections::BTreeMap, sync::Arc};

/// Messages remembered with what their check said: those of some heights of a large committee.
const REMEMBERED: usize = 2_048;

/// Bytes on their way, hashed once for all whom they reach.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) hash: [u8; 32],
}

impl Packet {
    pub(crate) fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { hash: blake3::hash(&bytes).into(), bytes }
    }

    /// The same with one bit changed, if there is a number to choose it by; whether it is.
    pub(crate) fn changed(&self, by: Option<u64>) -> (Self, bool) {
        let Some(number) = by.filter(|_| !self.bytes.is_empty()) else {
            return (self.clone(), false);
        };
        let mut bytes = self.bytes.to_vec();
        let bits = 8 * bytes.len() as u64;
        let bit = usize::try_from(number % bits).expect("within a length");
        bytes[bit / 8] ^= 1 << (bit % 8);
        (Self::new(bytes), true)
    }
}

/// Checks what arrives, as the ways in of a node do.
pub(crate) struct Gate {
    genesis: Arc<Genesis>,
    edge: Edge,
    known: BTreeMap<[u8; 32], Option<Verified<Message>>>,
}

impl Gate {
    pub(crate) fn new(genesis: Arc<Genesis>) -> Self {
        Self { edge: Edge::new(genesis.chain()), genesis, known: BTreeMap::new() }
    }

    pub(crate) fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// The validators that seal a height. Whatever is checked against a set asks here.
    pub(crate) fn set_at(&self, _height: Height) -> &ValidatorSet {
        self.genesis.validator_set()
    }

    /// A message whose signatures hold, and those of the submissions in its proposal; `None` for any
    /// other bytes.
    pub(crate) fn message(&mut self, packet: &Packet) -> Option<Verified<Message>> {
        if let Some(known) = self.known.get(&packet.hash) {
            return known.clone();
        }
        let checked = self.check(&packet.bytes);
        if self.known.len() == REMEMBERED {
            self.known.clear();
        }
        self.known.insert(packet.hash, checked.clone());
        checked
    }

    fn check(&self, bytes: &[u8]) -> Option<Verified<Message>> {
        let message = Message::decode(bytes).ok()?;
        let set = self.set_at(message.height());
        let message = message.verify(SUITE, &self.chain(), set).ok()?;
        let proposal = message.proposal().map_or(Ok(()), |it| self.edge.check_proposal(it));
        proposal.is_ok().then_some(message)
    }

    /// A submission that is well-formed and signed by its key.
    pub(crate) fn submission(
        &self,
        submission: Submission,
    ) -> Result<Verified<Submission>, EdgeError> {
        self.edge.check(submission)
    }

    fn chain(&self) -> Hash {
        self.genesis.chain()
    }
}
