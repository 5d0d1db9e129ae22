//! Rules broken on purpose. A model that could not tell these from the protocol would prove nothing.

use super::{
    Bounds,
    properties::{AGREEMENT, NOBODY_FALLS, OPENED_ONCE},
};
use clap::ValueEnum;

/// One broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mutation {
    /// P1: two of four are a quorum, so that two quorums may share nobody who is correct.
    SmallQuorum,
    /// P2: the certificates in a NewView are not checked: the liar makes one up.
    TrustCertificates,
    /// P6: a validator votes for a second proposal in one view.
    SecondPrepare,
    /// P7, P20: a certificate is not on disk: a crash forgets it.
    ForgetCertificate,
    /// P8: a Commit is sent for what is accepted, prepared or not.
    CommitUnprepared,
    /// P10: the next height begins in the view of the seal, though the own one was higher.
    FallToSeal,
    /// P11: a validator that asked for a view goes on voting in the one below.
    VoteWhileLeaving,
    /// P11: a ViewChange does not show what is prepared.
    HideCertificate,
    /// P13, P14: a NewView need not demand what its certificates name.
    IgnoreCertificates,
    /// P13: the lowest certificate decides, not the highest.
    LowestCertificate,
    /// P14: a replica enters a view below the one that it asks for.
    EnterLower,
    /// P20 (i): after a restart a replica is in the first view again, unless it asked for a higher one.
    ForgetView,
    /// P20 (ii): after a restart a replica is in a view that it had entered and not voted in.
    StayEntered,
    /// P20 (ii): after a restart a leader opens the view again that it had opened.
    ReopenView,
    /// P20 (iii): after a restart a replica does not know that it asked for a view.
    ForgetWish,
    /// P20: what was promised of a height to come does not bind when it comes.
    ForgetLater,
}

impl Mutation {
    /// Bounds and seat of the liar within which the broken rule shows.
    pub const fn setting(self) -> (Bounds, Option<u8>) {
        let (heights, views, liar) = match self {
            Self::FallToSeal | Self::ForgetLater => (2, 2, None),
            Self::LowestCertificate | Self::EnterLower => (1, 3, None),
            Self::ReopenView => (1, 2, Some(0)),
            _ => (1, 2, None),
        };
        (Bounds { heights, views }, liar)
    }

    /// The property that is looked for.
    pub const fn violates(self) -> &'static str {
        match self {
            Self::FallToSeal
            | Self::EnterLower
            | Self::VoteWhileLeaving
            | Self::ForgetView
            | Self::ForgetWish => NOBODY_FALLS,
            Self::ReopenView => OPENED_ONCE,
            _ => AGREEMENT,
        }
    }
}
