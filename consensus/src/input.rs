//! All that can happen to a replica.

use crate::Message;
use probata_types::{
    Hash, Header, Height, Keypair, Millis, Proposal, Seal, Suite, Timestamp, ValidatorIndex,
    ValidatorSet, Verified, View,
};

/// What a replica needs to know about its chain and itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The algorithms.
    pub suite: Suite,
    /// The chain id.
    pub chain: Hash,
    /// Who votes.
    pub set: ValidatorSet,
    /// The first height that this set seals (P24).
    pub first: Height,
    /// This replica's place among them; `None` for one that only follows.
    pub me: Option<ValidatorIndex>,
    /// Heights after which leadership passes on; 0 for never.
    pub rotation: u64,
    /// How long a height with work may take before the view is left.
    pub view_timeout: Millis,
    /// What the view timeout doubles up to.
    pub view_timeout_cap: Millis,
    /// How often own messages are repeated while a height is open.
    pub retransmit: Millis,
    /// How long an idle chain waits before it seals an empty block.
    pub heartbeat: Millis,
    /// How long a leader with work waits for more.
    pub batch_delay: Millis,
    /// How far two correct clocks may differ.
    pub precision: Millis,
    /// How long a proposal may travel.
    pub message_delay: Millis,
}

/// The last sealed block, as consensus needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its height; 0 before the first block.
    pub height: Height,
    /// Its header's hash; the chain id at height 0.
    pub hash: Hash,
    /// Its time; the creation time of the genesis document at height 0.
    pub time: Timestamp,
    /// The view in which it was sealed; 0 if the set before sealed it (P24).
    pub view: View,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time has passed: see [`crate::Replica::deadline`].
    Tick,
    /// A message of a validator. The submissions in its proposal, if it has one, are known to be good.
    Message(Verified<Message>),
    /// Whether submissions wait to be sealed.
    Work(bool),
    /// The answer to [`crate::Output::Propose`].
    Proposed(Proposal),
    /// The answer to [`crate::Output::Execute`].
    Executed {
        /// The proposal's digest.
        digest: Hash,
        /// What was computed.
        header: Header,
    },
    /// A block that peers handed over was checked and committed by the driver. After a restart the driver
    /// also hands over the block of the [`Head`] that it made the replica of: it is shown to laggards.
    Sealed {
        /// Its header.
        header: Header,
        /// Its seal.
        seal: Seal,
    },
    /// A submission waited past the inclusion deadline while the leader sealed others. To be said again at each
    /// height at which that is so: a wish ends with its height (P10).
    Censored,
}

/// Why a replica cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The settings name a place in the set, but there is no key, or another's.
    #[error("the validator key does not belong to place {0} of the validator set")]
    Key(ValidatorIndex),
    /// There is a key but no place for it.
    #[error("a replica without a place in the validator set must not have a validator key")]
    KeyWithoutPlace,
    /// The journal holds two different promises where there can be one: it is not one validator's, or the
    /// disk changed it.
    #[error("the journal contradicts itself at height {height} in view {view}")]
    Contradiction {
        /// The height.
        height: Height,
        /// The view.
        view: View,
    },
}

pub(crate) fn check_key(
    settings: &Settings,
    keypair: Option<&Keypair>,
) -> Result<(), RestoreError> {
    match (settings.me, keypair) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(RestoreError::KeyWithoutPlace),
        (Some(me), pair) => {
            let expected = settings.set.get(me).map(|validator| validator.key);
            let matches = expected.is_some() && expected == pair.map(Keypair::public);
            if matches { Ok(()) } else { Err(RestoreError::Key(me)) }
        }
    }
}
