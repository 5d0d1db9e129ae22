//! The selective one: speaks to some only, and to others after a while.

use super::{Liar, Served, Voice};
use probata_consensus::Message;
use probata_types::SealedBlock;

/// Messages after which it turns to others.
const TURN: u64 = 60;

pub(super) struct Selective {
    voice: Voice,
    spoken_to: u64,
    left: u64,
}

impl Selective {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, spoken_to: 0, left: 0 }
    }

    fn speaks_to(&mut self, to: usize) -> bool {
        if self.left == 0 {
            self.left = TURN;
            self.spoken_to = self.voice.random.number();
        }
        self.left -= 1;
        (self.spoken_to >> to) & 1 == 1
    }
}

impl Liar for Selective {
    fn bend(&mut self, to: usize, message: &Message) -> Vec<Message> {
        if self.speaks_to(to) { vec![message.clone()] } else { Vec::new() }
    }

    fn serve(&mut self, asker: usize, blocks: Vec<SealedBlock>) -> Served {
        if self.speaks_to(asker) { Served::Blocks(blocks) } else { Served::Nothing }
    }
}
