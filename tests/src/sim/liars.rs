//! Validators that do not keep to the protocol, each in a file of its own. Each runs a real chain under its
//! own key, and bends what that says and hears; it cannot make the signature of anybody else.

mod bad_new_view;
mod censor;
mod equivocator;
mod forger;
mod mute;
mod poisoner;
mod restless;
mod selective;
mod splitter;
mod stale;
mod time_bender;
mod usurper;

use super::roster::Roster;
use crate::{consortium::SUITE, seed::Seeded};
use probata_consensus::{Message, MessageBody};
use probata_genesis::Genesis;
use probata_types::{
    Hash, Height, Keypair, List, Proposal, SealedBlock, Signature, Submission, ValidatorIndex,
    ValidatorSet,
};
use std::{fmt, rc::Rc, sync::Arc};

/// How a validator lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// Says one thing to one camp and another to the other.
    Equivocator,
    /// Says nothing, or nothing while it leads.
    Mute,
    /// Speaks to some only.
    Selective,
    /// Speaks in the names of others, with certificates, seals and submissions of its own making.
    Forger,
    /// Says again what anybody said long ago.
    Stale,
    /// Keeps two camps apart and votes in both.
    Splitter,
    /// Leaves out what one institution submits.
    Censor,
    /// Proposes times at the edge of what others accept, and beyond.
    TimeBender,
    /// Opens views with too few view changes, or another proposal than the one demanded.
    BadNewView,
    /// Hands over wrong blocks to those that catch up.
    Poisoner,
    /// Asks for views that nobody needs.
    Restless,
    /// Proposes when it is not its turn.
    Usurper,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Equivocator,
        Self::Mute,
        Self::Selective,
        Self::Forger,
        Self::Stale,
        Self::Splitter,
        Self::Censor,
        Self::TimeBender,
        Self::BadNewView,
        Self::Poisoner,
        Self::Restless,
        Self::Usurper,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equivocator => "equivocator",
            Self::Mute => "mute",
            Self::Selective => "selective",
            Self::Forger => "forger",
            Self::Stale => "stale replayer",
            Self::Splitter => "splitter",
            Self::Censor => "censor",
            Self::TimeBender => "time-bender",
            Self::BadNewView => "bad opener",
            Self::Poisoner => "poisoner",
            Self::Restless => "restless",
            Self::Usurper => "usurper",
        }
    }

    /// A liar of this kind.
    pub(super) fn liar(self, voice: Voice) -> Box<dyn Liar> {
        match self {
            Self::Equivocator => Box::new(equivocator::Equivocator::new(voice)),
            Self::Mute => Box::new(mute::Mute::new(voice)),
            Self::Selective => Box::new(selective::Selective::new(voice)),
            Self::Forger => Box::new(forger::Forger::new(voice)),
            Self::Stale => Box::new(stale::Stale::new(voice)),
            Self::Splitter => Box::new(splitter::Splitter::new(voice)),
            Self::Censor => Box::new(censor::Censor::new(voice)),
            Self::TimeBender => Box::new(time_bender::TimeBender::new(voice)),
            Self::BadNewView => Box::new(bad_new_view::BadNewView::new(voice)),
            Self::Poisoner => Box::new(poisoner::Poisoner::new(voice)),
            Self::Restless => Box::new(restless::Restless::new(voice)),
            Self::Usurper => Box::new(usurper::Usurper::new(voice)),
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

/// What every liar has: a node, keys, chance. It lies with the place and the key that it has at a height.
pub(super) struct Voice {
    pub(super) node: usize,
    pub(super) genesis: Arc<Genesis>,
    pub(super) random: Seeded,
    /// Some of the nodes, as bits: the same camp for all liars of a world.
    pub(super) camp: u32,
    pub(super) keys: Vec<Keypair>,
    pub(super) roster: Rc<Roster>,
}

/// Another proposal that would do as well.
fn other_proposal(proposal: &Proposal) -> Proposal {
    let mut other = proposal.clone();
    let mut submissions = other.submissions.to_vec();
    if submissions.pop().is_none() {
        other.time = other.time.saturating_add(1);
    }
    other.submissions = List::new(submissions).expect("fewer than before");
    other
}

impl Voice {
    /// The set that seals a height.
    pub(super) fn set(&self, height: Height) -> ValidatorSet {
        self.roster.of(height, |epoch| epoch.set.clone())
    }

    pub(super) fn quorum(&self, height: Height) -> u16 {
        let quorum = self.roster.of(height, |epoch| epoch.set.quorum());
        u16::try_from(quorum).expect("a few validators")
    }

    pub(super) fn chain(&self) -> Hash {
        self.genesis.chain()
    }

    /// Its place at a height and the key that goes with it. One that has lost its seat speaks as if it had
    /// not, and one that never had any as if it were the first.
    fn seat(&self, height: Height) -> (ValidatorIndex, &Keypair) {
        let seat = self.roster.newest(height, |epoch| {
            let seats = self.keys.iter().enumerate();
            let mut seats = seats.map(|(at, key)| (epoch.set.position_of(&key.public()), at));
            seats.find_map(|(seat, at)| Some((seat?, at)))
        });
        let (seat, at) = seat.unwrap_or((ValidatorIndex(0), 0));
        (seat, &self.keys[at])
    }

    /// Whether its own chain says this, and not somebody else whose words it hands on.
    pub(super) fn is_own(&self, message: &Message) -> bool {
        self.seat(message.height()).0 == message.from
    }

    /// The others that vote at a height.
    pub(super) fn others(&self, height: Height) -> impl Iterator<Item = usize> + use<> {
        let me = self.node;
        self.roster.voters(height).into_iter().filter(move |it| *it != me)
    }

    /// A message of its own.
    pub(super) fn sign(&self, body: MessageBody) -> Message {
        let unsigned = Signature([0; 64]);
        let mut message = Message { from: ValidatorIndex(0), signature: unsigned, body };
        let (from, key) = self.seat(message.height());
        message.signature = key.sign(&message.body.digest(SUITE, &self.chain()));
        Message { from, ..message }
    }

    pub(super) fn sign_digest(&self, height: Height, digest: &Hash) -> Signature {
        self.seat(height).1.sign(digest)
    }

    /// Whether a node is of the camp that is told something else.
    pub(super) const fn in_camp(&self, node: usize) -> bool {
        (self.camp >> node) & 1 == 1
    }

    /// The other that a message is from. None for its own words that come back: it would answer itself, and
    /// hear that, for ever.
    pub(super) fn sender(&self, message: &Message) -> Option<usize> {
        let sender = self.roster.node_of(message.height(), message.from);
        sender.filter(|node| *node != self.node)
    }

    /// Whether it leads a height in a view.
    pub(super) fn leads(&self, message: &Message) -> bool {
        let (height, view) = (message.height(), message.view());
        let rotation = self.genesis.parameters().rotation;
        let leader = self.roster.of(height, |epoch| epoch.set.leader(height, view, rotation));
        self.seat(height).0 == leader
    }
}
