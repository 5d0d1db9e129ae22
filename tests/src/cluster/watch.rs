//! What must hold at every moment, seen from outside.

use crate::trouble::{Trouble, ensure};
use probata_consensus::{Message, MessageBody};
use probata_genesis::Genesis;
use probata_types::{Hash, Header, Height, SealedBlock, ValidatorIndex, View};
use std::collections::BTreeMap;

/// What validators have said and nodes have sealed since the beginning, crashes included.
#[derive(Debug, Default)]
pub(super) struct Watch {
    votes: BTreeMap<(ValidatorIndex, Height, View, Kind), Hash>,
    commits: BTreeMap<ValidatorIndex, Header>,
    sealed: BTreeMap<Height, Hash>,
    heights: BTreeMap<usize, Height>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    PrePrepare,
    Prepare,
    Commit,
}

impl Watch {
    /// No honest validator votes twice in a view of a height, not even after a crash.
    pub(super) fn heard(&mut self, message: &Message) -> Result<(), Trouble> {
        let (kind, content) = match &message.body {
            MessageBody::PrePrepare { proposal, .. } => (Kind::PrePrepare, proposal.digest()),
            MessageBody::Prepare { digest, .. } => (Kind::Prepare, *digest),
            MessageBody::Commit { header, .. } => {
                self.commits.insert(message.from, header.clone());
                (Kind::Commit, header.hash())
            }
            _ => return Ok(()),
        };
        let place = (message.from, message.height(), message.view(), kind);
        let first = *self.votes.entry(place).or_insert(content);
        ensure(first == content, || format!("a validator contradicted itself: {place:?}"))
    }

    pub(super) fn voted(&self, validator: ValidatorIndex, height: Height) -> bool {
        let votes = self.votes.keys();
        votes
            .into_iter()
            .any(|(from, at, _, kind)| (*from, *at, *kind) == (validator, height, Kind::Prepare))
    }

    pub(super) fn committed(&self, validator: ValidatorIndex) -> Option<&Header> {
        self.commits.get(&validator)
    }

    /// All nodes seal the same header at a height, by a seal that holds, each height after the one before.
    pub(super) fn sealed(
        &mut self,
        at: usize,
        block: &SealedBlock,
        genesis: &Genesis,
    ) -> Result<(), Trouble> {
        let (height, hash) = (block.header.height, block.header.hash());
        block.seal.verify(&block.header, genesis.validator_set())?;
        let first = *self.sealed.entry(height).or_insert(hash);
        ensure(first == hash, || format!("two headers are sealed at height {height}"))?;
        let before = self.heights.insert(at, height).unwrap_or_default();
        // What it had sealed before a crash it has afterwards, and goes on from there.
        ensure(height == before.next(), || format!("node {at} sealed {height} after {before}"))
    }
}
