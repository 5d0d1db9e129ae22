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
    pub(crate) fn message(&mut self, bytes: &[u8]) -> Option<Verified<Message>> {
        let key = blake3::hash(bytes).into();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let checked = self.check(bytes);
        if self.known.len() == REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, checked.clone());
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
