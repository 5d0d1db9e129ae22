//! The restless one: asks for views that nobody needs, and speaks of heights that nobody has reached.

use super::{Liar, Voice};
use probata_consensus::{Message, MessageBody};
use probata_types::Hash;

pub(super) struct Restless {
    voice: Voice,
}

impl Restless {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice }
    }
}

impl Liar for Restless {
    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        if !self.voice.random.chance(60) {
            return Vec::new();
        }
        let random = &mut self.voice.random;
        let height = message.height().saturating_add(random.between(0, 3));
        let view = message.view().saturating_add(random.between(1, 9));
        let digest = Hash(random.bytes());
        let body = if random.chance(600) {
            MessageBody::ViewChange { height, view, prepared: None, proposal: None }
        } else {
            MessageBody::Prepare { height, view, digest }
        };
        let lie = self.voice.sign(body);
        self.voice.others(height).map(|to| (to, lie.clone())).collect()
    }
}
