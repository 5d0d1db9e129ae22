//! A network that lets the votes which decide a height come to one node only, and then leaves that node
//! alone: the others know nothing of the seal, and must not contradict it.

use super::World;
use crate::sim::network::Shape;
use probata_consensus::{Message, MessageBody};
use probata_types::Millis;

/// How long Commit votes are withheld at most, if nothing is sealed meanwhile, in milliseconds.
const WITHHELD: u64 = 2_000;

/// The node that alone is to see the next height sealed.
pub(super) struct Witness {
    node: usize,
    /// How long it is then alone.
    alone: Millis,
    until: Millis,
}

impl World<'_> {
    pub(super) fn choose_witness(&mut self, node: usize, alone: Millis) {
        self.counts.one("heights for one witness");
        let until = self.now.saturating_add(WITHHELD);
        self.witness = Some(Witness { node, alone, until });
    }

    /// Whether what is said now does not arrive there.
    pub(super) fn is_withheld(&self, to: usize, message: &Message) -> bool {
        let is_commit = matches!(message.body, MessageBody::Commit { .. });
        let witness = self.witness.as_ref().filter(|it| is_commit && self.now < it.until);
        witness.is_some_and(|it| it.node != to)
    }

    /// A node has sealed a height, before it tells anybody.
    pub(super) fn witnessed(&mut self, at: usize) {
        let seen = |it: &mut Witness| it.node == at;
        if let Some(witness) = self.witness.take_if(seen).filter(|it| self.now < it.until) {
            self.links.cut(Shape::Split(1 << at), self.now, witness.alone);
            self.counts.one("heights that one saw sealed");
        }
    }
}
