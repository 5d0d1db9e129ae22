//! Deliberate mistakes, to show that the simulator would find them. This module exists only in builds with
//! `--cfg mutants` (see `tests/mutants`): nothing of it is in what ships.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The mistake that this process makes: its place in [`Mutation::ALL`], counted from 1; 0 for none.
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

macro_rules! mutations {
    ($($name:ident $rule:literal $text:literal;)*) => {
        /// A deliberate mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mutation {
            $(#[doc = $text] $name,)*
        }

        impl Mutation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The rule of `docs/PROTOCOL.md` that it breaks.
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule,)* }
            }

            /// What goes wrong.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

mutations! {
    QuorumTooSmall "P1" "one vote too few makes a quorum";
    CertificateIgnored "P13" "a NewView demands nothing, whatever its view changes show";
    CertificateNotShown "P11" "a view change does not show what is prepared";
    CertificateForgotten "P20" "a certificate does not survive a crash";
    PrepareForgotten "P20" "a Prepare vote does not survive a crash";
    WishForgotten "P20" "a wish to leave a view does not survive a crash";
    VoteBeforePromise "P20" "votes are sent before their promises are on disk";
    JournalNotSynced "P20" "the journal is written and not synced";
    LogNotSynced "P18" "the block log is written and not synced";
    TwoVotesInAView "P6" "a second proposal in one view gets a vote too";
    LockDropped "P11" "what is prepared is forgotten with its view";
    SealMixesViews "P9" "votes of different views add up to one seal";
    OldViewAccepted "P14" "messages of views that were left are taken as of this one";
    DuplicatesCount "P7" "the same vote counts each time it comes";
    CommitUnprepared "P8" "a Commit vote does not wait for a quorum of Prepares";
    AnybodyLeads "P5" "a proposal is taken from whoever sends it first";
    JoinAtF "P12" "f validators that want another view are joined";
    TimeoutConstant "P15" "timeouts do not grow";
    NeverRepeats "P16" "what was lost is not said again";
    CatchUpUnsealed "P18" "blocks are believed without their seals";
    SetChangeLate "P24" "the old set seals one height more";
    ViewsKept "P24" "views go on across a change of the set";
    OldPromisesBind "P24" "wishes of an earlier epoch bind in the next";
    ClockIgnored "P5" "any block time is taken";
}

impl Mutation {
    /// From here on this process makes this mistake.
    pub fn choose(self) {
        let at = Self::ALL.iter().position(|it| *it == self).expect("ALL has all");
        CHOSEN.store(at + 1, Ordering::Relaxed);
    }

    /// Whether this process makes this mistake.
    pub fn is_chosen(self) -> bool {
        let chosen = CHOSEN.load(Ordering::Relaxed);
        chosen > 0 && Self::ALL.get(chosen - 1) == Some(&self)
    }
}
