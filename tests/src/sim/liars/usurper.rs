//! The usurper: proposes when it is not its turn, before the one whose turn it is.

use super::{Liar, Voice};
use crate::consortium::SUITE;
use probata_consensus::{Message, MessageBody};
use probata_types::{Height, List, Proposal, ProposalParts};

pub(super) struct Usurper {
    voice: Voice,
    /// The height that it last proposed for.
    proposed: Height,
}

impl Usurper {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, proposed: Height::ZERO }
    }
}

impl Liar for Usurper {
    /// As soon as somebody commits to a block, it has what comes after it.
    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        let MessageBody::Commit { view, header } = &message.body else { return Vec::new() };
        let (height, view) = (header.height.next(), *view);
        if height <= self.proposed {
            return Vec::new();
        }
        self.proposed = height;
        let proposal = Proposal::from(ProposalParts {
            suite: SUITE,
            chain: self.voice.chain(),
            height,
            parent: header.hash(),
            time: header.time.next(),
            proposer: self.voice.seat(height).0,
            submissions: List::empty(),
        });
        let digest = proposal.digest();
        let vote = self.voice.sign(MessageBody::Prepare { height, view, digest });
        let lie = self.voice.sign(MessageBody::PrePrepare { height, view, proposal });
        self.voice.others(height).flat_map(|to| [(to, lie.clone()), (to, vote.clone())]).collect()
    }
}
