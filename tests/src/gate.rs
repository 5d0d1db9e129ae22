//! The edge of every node of a false world: bytes become checked messages and submissions. Whether they
//! hold follows from the bytes alone, so what was checked for one node is checked for all.

use crate::{
    consortium::SUITE,
    trouble::{Trouble, ensure},
};
use probata_consensus::Message;
use probata_genesis::Genesis;
use probata_node::{
    bodies::Bodies,
    edge::{Edge, EdgeError},
    membership::Membership,
};
use probata_types::{Epoch, Hash, Height, Submission, ValidatorSet, Verified};
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
    /// Submissions that were checked: of many nodes each checks the same ones.
    bodies: Arc<Bodies>,
    /// The epochs of the one history, as far as anybody has come.
    epochs: Vec<Epoch>,
    known: BTreeMap<([u8; 32], u32), Option<Verified<Message>>>,
}

impl Gate {
    pub(crate) fn new(genesis: Arc<Genesis>) -> Self {
        let first =
            Epoch { number: 0, first: Height::new(1), set: genesis.validator_set().clone() };
        let bodies = Arc::new(Bodies::default());
        let edge = Edge::new(genesis.chain(), Arc::clone(&bodies));
        Self { edge, bodies, genesis, epochs: vec![first], known: BTreeMap::new() }
    }

    pub(crate) fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// A correct node says which epoch it is in: it is everybody's. Answers whether it is a new one.
    pub(crate) fn learn(&mut self, membership: &Membership) -> Result<bool, Trouble> {
        let epoch = &membership.epoch;
        let at = usize::try_from(epoch.number)?;
        let new = at == self.epochs.len();
        if new {
            self.epochs.push(epoch.clone());
        }
        let same = self.epochs.get(at) == Some(epoch);
        ensure(same, || format!("two nodes have different epochs {}", epoch.number))?;
        Ok(new)
    }

    /// The epoch that a height belongs to, of those that have begun anywhere.
    pub(crate) fn epoch_at(&self, height: Height) -> &Epoch {
        let begun = self.epochs.iter().rev().find(|epoch| epoch.first <= height);
        begun.unwrap_or(&self.epochs[0])
    }

    /// The validators that seal a height. Whatever is checked against a set asks here.
    pub(crate) fn set_at(&self, height: Height) -> &ValidatorSet {
        &self.epoch_at(height).set
    }

    /// A message whose signatures hold for whoever is in that epoch, and those of the submissions in its
    /// proposal; `None` for any other bytes.
    pub(crate) fn message(&mut self, packet: &Packet, epoch: &Epoch) -> Option<Verified<Message>> {
        let key = (packet.hash, epoch.number);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let checked = self.check(&packet.bytes, &epoch.set);
        if self.known.len() == REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, checked.clone());
        checked
    }

    /// The same, for whoever is in the epoch that the message is of.
    pub(crate) fn message_of_its_epoch(&mut self, packet: &Packet) -> Option<Verified<Message>> {
        let height = Message::decode(&packet.bytes).ok()?.height();
        let epoch = self.epoch_at(height).clone();
        self.message(packet, &epoch)
    }

    fn check(&self, bytes: &[u8], set: &ValidatorSet) -> Option<Verified<Message>> {
        let message = Message::decode(bytes).ok()?;
        let message = message.verify(SUITE, &self.chain(), set).ok()?;
        let proposal = message.proposal().map_or(Ok(()), |it| self.edge.check_proposal(it));
        proposal.is_ok().then_some(message)
    }

    /// A submission that is well-formed and signed by its key.
    pub(crate) fn submission(
        &self,
        submission: Submission,
    ) -> Result<Verified<Submission>, EdgeError> {
        let checked = self.edge.check(submission)?;
        self.bodies.add([(*checked).clone()]);
        Ok(checked)
    }

    fn chain(&self) -> Hash {
        self.genesis.chain()
    }
}
