//! The edge of all machines: every message goes over the wire and is verified, once for its bytes
//! however many schedules it stands in.

use crate::{
    fixtures::{CHAIN, SUITE, set},
    node::Block,
};
use probata_consensus::{Fault, FaultError, Message};
use probata_types::{Domain, Hash, ValidatorSet, Verified, codec, seal::SealError};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// Messages, seals and faults that are remembered to have been verified: some hundred megabytes.
const REMEMBERED: usize = 40_000;

#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) set: ValidatorSet,
    messages: BTreeMap<Hash, Rc<Verified<Message>>>,
    proofs: BTreeSet<Hash>,
}

impl Edge {
    pub(crate) fn new(n: usize) -> Self {
        Self { set: set(n), messages: BTreeMap::new(), proofs: BTreeSet::new() }
    }

    /// A message as its receivers see it.
    pub(crate) fn pass(&mut self, message: &Message) -> Rc<Verified<Message>> {
        let bytes = message.encode();
        let key = SUITE.hash(Domain::Head, &[&bytes]);
        if let Some(verified) = self.messages.get(&key) {
            return Rc::clone(verified);
        }
        let decoded = Message::decode(&bytes).expect("its own bytes");
        let verified = decoded.verify(SUITE, &CHAIN, &self.set).expect("twins sign what they send");
        if self.messages.len() == REMEMBERED {
            self.messages.clear();
        }
        let verified = Rc::new(verified);
        self.messages.insert(key, Rc::clone(&verified));
        verified
    }

    /// Whether a block's seal holds.
    pub(crate) fn judge_seal(&mut self, block: &Block) -> Result<(), SealError> {
        let bytes = codec::encode(&(&block.header, &block.seal));
        self.once(&bytes, |set| block.seal.verify(&block.header, set))
    }

    /// Whether a fault proves something.
    pub(crate) fn judge_fault(&mut self, fault: &Fault) -> Result<(), FaultError> {
        self.once(&codec::encode(fault), |set| fault.verify(set))
    }

    fn once<E>(
        &mut self,
        bytes: &[u8],
        verify: impl FnOnce(&ValidatorSet) -> Result<(), E>,
    ) -> Result<(), E> {
        let key = SUITE.hash(Domain::Head, &[bytes]);
        if self.proofs.contains(&key) {
            return Ok(());
        }
        verify(&self.set)?;
        if self.proofs.len() == REMEMBERED {
            self.proofs.clear();
        }
        self.proofs.insert(key);
        Ok(())
    }
}
