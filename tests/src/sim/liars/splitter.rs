//! The splitter: keeps two camps apart and agrees with each. It shows each camp another proposal where it
//! leads, hands nothing of one camp to the other, and votes for whatever either camp votes for.

use super::{Liar, Voice, other_proposal};
use probata_consensus::{Message, MessageBody};
use probata_types::{Hash, Height, View};
use std::collections::BTreeSet;

/// Votes remembered, so that none is given again for each that is heard.
const REMEMBERED: usize = 512;

pub(super) struct Splitter {
    voice: Voice,
    agreed: BTreeSet<(Height, View, bool, u8, Hash)>,
}

impl Splitter {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, agreed: BTreeSet::new() }
    }

    /// Its vote for what a camp votes for, told to that camp.
    fn agree(
        &mut self,
        camp: bool,
        kind: u8,
        content: Hash,
        body: MessageBody,
    ) -> Vec<(usize, Message)> {
        let message = self.voice.sign(body);
        let place = (message.height(), message.view(), camp, kind, content);
        if self.agreed.len() == REMEMBERED {
            self.agreed.pop_first();
        }
        if !self.agreed.insert(place) {
            return Vec::new();
        }
        let camp = self.voice.others(message.height()).filter(|to| self.voice.in_camp(*to) == camp);
        camp.map(|to| (to, message.clone())).collect()
    }
}

impl Liar for Splitter {
    fn bend(&mut self, to: usize, message: &Message) -> Vec<Message> {
        let camp = self.voice.in_camp(to);
        match &message.body {
            MessageBody::PrePrepare { height, view, proposal } if self.voice.is_own(message) => {
                let proposal = if camp { other_proposal(proposal) } else { proposal.clone() };
                let (height, view, digest) = (*height, *view, proposal.digest());
                let prepare = self.voice.sign(MessageBody::Prepare { height, view, digest });
                vec![self.voice.sign(MessageBody::PrePrepare { height, view, proposal }), prepare]
            }
            // Its chain votes as one; it votes as two.
            MessageBody::Prepare { .. } | MessageBody::Commit { .. } => Vec::new(),
            _ => vec![message.clone()],
        }
    }

    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        let Some(sender) = self.voice.sender(message) else { return Vec::new() };
        let camp = self.voice.in_camp(sender);
        let body = message.body.clone();
        match &message.body {
            MessageBody::Prepare { digest, .. } => self.agree(camp, 1, *digest, body),
            MessageBody::Commit { header, .. } => self.agree(camp, 2, header.hash(), body),
            MessageBody::PrePrepare { height, view, proposal } => {
                let (height, view, digest) = (*height, *view, proposal.digest());
                let body = MessageBody::Prepare { height, view, digest };
                // A leader that splits as well has shown this one what its own camp was shown.
                let own_camp = self.voice.in_camp(self.voice.node);
                self.agree(own_camp, 1, digest, body)
            }
            _ => Vec::new(),
        }
    }
}
