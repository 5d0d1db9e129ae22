//! Validators that do not keep to the protocol, each in a file of its own. Each runs a real chain under its
//! own key, and bends what that says and hears; it cannot make the signature of anybody else.

mod mute;

use crate::{
    consortium::{self, Purpose, SUITE},
    seed::Seeded,
};
use probata_consensus::{Message, MessageBody};
use probata_genesis::Genesis;
use probata_types::{Hash, Height, Keypair, SealedBlock, Submission, ValidatorIndex, ValidatorSet};
use std::{fmt, sync::Arc};

/// How a validator lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// Says nothing, or nothing while it leads.
    Mute,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Mute];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mute => "mute",
        }
    }

    /// A liar of this kind.
    pub(super) fn liar(self, voice: Voice) -> Box<dyn Liar> {
        match self {
            Self::Mute => Box::new(mute::Mute::new(voice)),
        }
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a liar answers to one that asks for blocks.
pub(super) enum Served {
    /// These blocks.
    Blocks(Vec<SealedBlock>),
    /// These bytes, which may be anything.
    Bytes(Vec<u8>),
    /// Nothing, ever.
    Nothing,
}

/// What a liar does otherwise than a correct validator. Each does as a correct one where it does not say.
pub(super) trait Liar {
    /// What it sends to `to` where a correct validator would send `message`.
    fn bend(&mut self, to: usize, message: &Message) -> Vec<Message> {
        let _ = to;
        vec![message.clone()]
    }

    /// What it says, and to whom, because it heard `message`.
    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        let _ = message;
        Vec::new()
    }

    /// Whether it takes up a submission.
    fn takes(&mut self, submission: &Submission) -> bool {
        let _ = submission;
        true
    }

    /// What it hands over to `asker` where a correct node would hand over `blocks`.
    fn serve(&mut self, asker: usize, blocks: Vec<SealedBlock>) -> Served {
        let _ = asker;
        Served::Blocks(blocks)
    }

    /// How high it says it is; `None` to say nothing.
    fn announce(&mut self, height: Height) -> Option<Height> {
        Some(height)
    }
}

/// What every liar has: a place, a key, chance.
pub(super) struct Voice {
    pub(super) me: ValidatorIndex,
    pub(super) genesis: Arc<Genesis>,
    pub(super) random: Seeded,
    key: Keypair,
}

impl Voice {
    pub(super) fn new(me: usize, genesis: &Arc<Genesis>, random: Seeded) -> Self {
        let number = u16::try_from(me).expect("a few validators");
        Self {
            me: ValidatorIndex(number),
            genesis: Arc::clone(genesis),
            random,
            key: consortium::pair(number, Purpose::Validator),
        }
    }

    pub(super) fn set(&self) -> &ValidatorSet {
        self.genesis.validator_set()
    }

    pub(super) fn chain(&self) -> Hash {
        self.genesis.chain()
    }

    /// The other validators.
    pub(super) fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let me = self.me.position();
        (0..self.set().size()).filter(move |it| *it != me)
    }

    /// A message of its own.
    pub(super) fn sign(&self, body: MessageBody) -> Message {
        let signature = self.key.sign(&body.digest(SUITE, &self.chain()));
        Message { from: self.me, signature, body }
    }

    /// Whether it leads a height in a view.
    pub(super) fn leads(&self, message: &Message) -> bool {
        let rotation = self.genesis.parameters().rotation;
        self.set().leader(message.height(), message.view(), rotation) == self.me
    }
}
