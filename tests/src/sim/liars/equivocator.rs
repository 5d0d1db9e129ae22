//! The equivocator: says one thing to one camp and another to the other. It leads with two proposals, and
//! signs two votes of a kind wherever it votes.

use super::{Liar, Voice, other_proposal};
use probata_consensus::{Message, MessageBody};
use probata_types::{Hash, Height, View};

pub(super) struct Equivocator {
    voice: Voice,
    /// What it last proposed to the second camp, where it led.
    other: Option<(Height, View, Hash)>,
}

impl Equivocator {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, other: None }
    }
}

impl Liar for Equivocator {
    fn bend(&mut self, to: usize, message: &Message) -> Vec<Message> {
        if !self.voice.is_own(message) || !self.voice.in_camp(to) {
            return vec![message.clone()];
        }
        let body = match message.body.clone() {
            MessageBody::PrePrepare { height, view, proposal } => {
                let proposal = other_proposal(&proposal);
                self.other = Some((height, view, proposal.digest()));
                MessageBody::PrePrepare { height, view, proposal }
            }
            MessageBody::Prepare { height, view, mut digest } => {
                match self.other {
                    Some((at, of, other)) if (at, of) == (height, view) => digest = other,
                    _ => digest.0[0] ^= 1,
                }
                MessageBody::Prepare { height, view, digest }
            }
            MessageBody::Commit { view, mut header } => {
                header.state_root.0[0] ^= 1;
                MessageBody::Commit { view, header }
            }
            body => body,
        };
        // Both at times, so that the contradiction is seen in one place.
        let both = self.voice.random.chance(150);
        let first = both.then(|| message.clone());
        first.into_iter().chain([self.voice.sign(body)]).collect()
    }
}
