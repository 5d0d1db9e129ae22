//! The poisoner: hands over wrong blocks to those that catch up, and leads them astray about heights.

use super::{Liar, Served, Voice};
use probata_consensus::{Message, MessageBody};
use probata_types::{Height, List, SealedBlock};

pub(super) struct Poisoner {
    voice: Voice,
    /// A header and its seal that it has seen.
    seen: Option<MessageBody>,
}

impl Poisoner {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, seen: None }
    }

    /// A block that differs somewhere from the one that was sealed.
    fn poison(&mut self, block: &mut SealedBlock) {
        match self.voice.random.place(8) {
            0 => block.proposal.submissions = List::empty(),
            1 => block.header.state_root.0[0] ^= 1,
            2 => {
                let mut votes = block.seal.votes.clone().into_vec();
                votes.pop();
                block.seal.votes = List::new(votes).expect("fewer than before");
            }
            3 => block.seal.view = block.seal.view.next(),
            4 => block.outcomes = List::empty(),
            5 => block.header.height = block.header.height.next(),
            6 => {
                for submission in block.proposal.submissions.as_mut_slice() {
                    submission.records.as_mut_slice()[0].level ^= 1;
                }
            }
            _ => {
                let own = self.voice.seat(block.header.height).0;
                for vote in block.seal.votes.as_mut_slice() {
                    if vote.validator != own {
                        vote.signature.0[0] ^= 1;
                    }
                }
            }
        }
    }
}

impl Liar for Poisoner {
    /// It shows those behind a seal that does not hold.
    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        if let MessageBody::Head { .. } = &message.body {
            self.seen = Some(message.body.clone());
        }
        let Some(MessageBody::Head { mut header, mut seal }) = self.seen.clone() else {
            return Vec::new();
        };
        if !self.voice.random.chance(50) {
            return Vec::new();
        }
        let height = header.height;
        if self.voice.random.chance(500) {
            header.height = header.height.saturating_add(1_000);
        } else {
            seal.view = seal.view.next();
        }
        let lie = self.voice.sign(MessageBody::Head { header, seal });
        self.voice.others(height).map(|to| (to, lie.clone())).collect()
    }

    fn serve(&mut self, _asker: usize, mut blocks: Vec<SealedBlock>) -> Served {
        match self.voice.random.place(8) {
            0 => return Served::Nothing,
            1 => return Served::Bytes(self.voice.random.bytes::<40>().to_vec()),
            2 => blocks.clear(),
            3 => blocks.reverse(),
            // Too many: more than one answer may hold.
            4 => {
                if let Some(first) = blocks.first().cloned() {
                    blocks.resize(probata_node::limits::FETCH_BLOCKS + 1, first);
                }
            }
            _ => {
                let from = self.voice.random.place(blocks.len().max(1));
                for block in blocks.iter_mut().skip(from) {
                    self.poison(block);
                }
            }
        }
        Served::Blocks(blocks)
    }

    fn announce(&mut self, height: Height) -> Option<Height> {
        let far = self.voice.random.chance(500);
        Some(if far { height.saturating_add(self.voice.random.between(1, 1_000)) } else { height })
    }
}
