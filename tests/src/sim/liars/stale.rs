//! The replayer: says again what anybody said long ago, to anybody, under the signature that it had.

use super::{Liar, Served, Voice};
use probata_consensus::Message;
use probata_types::{Height, SealedBlock};

/// Messages that it remembers.
const REMEMBERED: usize = 256;

pub(super) struct Stale {
    voice: Voice,
    heard: Vec<Message>,
}

impl Stale {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, heard: Vec::new() }
    }

    fn remember(&mut self, message: &Message) {
        if self.heard.len() < REMEMBERED {
            self.heard.push(message.clone());
        } else if self.voice.random.chance(200) {
            let place = self.voice.random.place(REMEMBERED);
            self.heard[place] = message.clone();
        }
    }
}

impl Liar for Stale {
    fn bend(&mut self, _to: usize, message: &Message) -> Vec<Message> {
        let mut said = vec![message.clone()];
        if self.voice.random.chance(300) && !self.heard.is_empty() {
            let place = self.voice.random.place(self.heard.len());
            said.push(self.heard[place].clone());
        }
        self.remember(message);
        said
    }

    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        self.remember(message);
        if !self.voice.random.chance(200) {
            return Vec::new();
        }
        let place = self.voice.random.place(self.heard.len());
        let old = self.heard[place].clone();
        self.voice.others(message.height()).map(|to| (to, old.clone())).collect()
    }

    /// Blocks that the asker has long had, or the first of those that it lacks.
    fn serve(&mut self, _asker: usize, mut blocks: Vec<SealedBlock>) -> Served {
        blocks.truncate(1 + self.voice.random.place(2));
        Served::Blocks(blocks)
    }

    fn announce(&mut self, height: Height) -> Option<Height> {
        let least = height.get().saturating_sub(5);
        Some(Height::new(self.voice.random.between(least, height.get())))
    }
}
