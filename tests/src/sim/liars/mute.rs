//! The mute: says nothing, or nothing while it leads.

use super::{Liar, Served, Voice};
use probata_consensus::Message;
use probata_types::SealedBlock;

pub(super) struct Mute {
    voice: Voice,
    only_while_leading: bool,
}

impl Mute {
    pub(super) fn new(mut voice: Voice) -> Self {
        Self { only_while_leading: voice.random.chance(400), voice }
    }
}

impl Liar for Mute {
    fn bend(&mut self, _to: usize, message: &Message) -> Vec<Message> {
        if self.only_while_leading && !self.voice.leads(message) {
            vec![message.clone()]
        } else {
            Vec::new()
        }
    }

    fn serve(&mut self, _asker: usize, blocks: Vec<SealedBlock>) -> Served {
        if self.only_while_leading { Served::Blocks(blocks) } else { Served::Nothing }
    }
}
