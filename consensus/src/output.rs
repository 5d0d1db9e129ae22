//! All that a replica can ask for. The driver obeys in order and never argues.

use crate::{Fault, Message, Promise};
use probata_types::{Hash, Header, Height, Proposal, Seal, Timestamp, ValidatorIndex, View};

/// One thing that the driver must do.
#[derive(Debug, Clone)]
pub enum Output {
    /// Put on disk, and sync before anything that follows is sent.
    Persist(Promise),
    /// Send to every other validator.
    Broadcast(Message),
    /// Send to one validator.
    Send(ValidatorIndex, Message),
    /// Execute, and answer with [`crate::Input::Executed`].
    Execute(Proposal),
    /// Append block and seal to the log: the height is decided. The replica is already at the next one; if
    /// that is another set's, this replica is over, and the driver makes a new one (P24).
    Commit {
        /// What a quorum signed, and this replica computed.
        header: Header,
        /// The quorum.
        seal: Seal,
        /// What was ordered.
        proposal: Proposal,
    },
    /// Make a proposal of what waits, empty if nothing does, and answer with [`crate::Input::Proposed`].
    Propose {
        /// For this height.
        height: Height,
        /// In this view.
        view: View,
        /// On this parent.
        parent: Hash,
        /// With a block time not before this.
        not_before: Timestamp,
    },
    /// Get the blocks up to `to` from peers, starting with `from`.
    Fetch {
        /// The height to reach.
        to: Height,
        /// Who has it.
        from: ValidatorIndex,
    },
    /// A validator contradicted itself.
    Fault(Fault),
    /// Validators computed different headers from one proposal. This replica votes no more.
    Diverged {
        /// The height.
        height: Height,
        /// What this replica computed.
        mine: Header,
        /// What others say that they computed.
        theirs: Vec<(ValidatorIndex, Header)>,
    },
    /// The input changed nothing.
    Ignored(Reason),
}

/// Why an input changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// This replica does not vote.
    Follower,
    /// The next height is another validator set's.
    EpochOver,
    /// This replica computed what others did not, and waits for people.
    Halted,
    /// For a height that is sealed, or a view that was left.
    Old,
    /// Too far ahead to be kept.
    TooFarAhead,
    /// Kept for when its height or view comes.
    KeptForLater,
    /// Seen before.
    Duplicate,
    /// The first vote of its sender counts, and this is not it.
    NotTheFirst,
    /// Its sender does not lead that view.
    NotTheLeader,
    /// A proposal on another parent.
    WrongParent,
    /// A proposal whose time is not after its parent's, or too far from this clock.
    WrongTime,
    /// A proposal beyond the limits, or with a proposer who did not send it.
    BadProposal,
    /// Nothing asked for it.
    NotAsked,
    /// The view is being left.
    LeavingView,
    /// Nothing was due.
    NothingDue,
}
