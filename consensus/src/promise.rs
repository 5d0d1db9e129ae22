//! What must survive a crash: a vote is on disk before it is on the wire.

use crate::{
    MessageBody, Replica, RestoreError, VoteKind, limits,
    message::PreparedCertificate,
    replica::{Accepted, Round},
};
use probata_types::{Hash, Header, Height, Now, Proposal, View, codec, mutated};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One promise of a validator, as its journal holds it. After a crash the replica can only repeat these,
/// never contradict them (P20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a few are alive at a time")]
pub enum Promise {
    /// "I proposed this, and nothing else in this view."
    Proposed {
        /// The height.
        height: Height,
        /// The view.
        view: View,
        /// The proposal's digest.
        digest: Hash,
    },
    /// "I voted Prepare for this, and for nothing else in this view."
    Prepare {
        /// The height.
        height: Height,
        /// The view.
        view: View,
        /// The proposal's digest.
        digest: Hash,
    },
    /// "This is prepared; every view change that I send will say so."
    Prepared {
        /// The height.
        height: Height,
        /// The quorum of Prepare votes.
        certificate: PreparedCertificate,
        /// What they voted for.
        proposal: Proposal,
    },
    /// "I voted Commit for this header, and for nothing else in this view."
    Commit {
        /// The view.
        view: View,
        /// The header, with its height.
        header: Header,
    },
    /// "I asked for this view, and vote in no lower one of this height."
    ViewChange {
        /// The height.
        height: Height,
        /// The view asked for.
        view: View,
    },
    /// "I am in this view and vote in no lower one."
    Entered {
        /// The height at the time.
        height: Height,
        /// The view.
        view: View,
    },
}

impl Promise {
    /// The height that it is about.
    pub const fn height(&self) -> Height {
        match self {
            Self::Commit { header, .. } => header.height,
            Self::Proposed { height, .. }
            | Self::Prepare { height, .. }
            | Self::Prepared { height, .. }
            | Self::ViewChange { height, .. }
            | Self::Entered { height, .. } => *height,
        }
    }

    /// The view below which the validator votes no more; of a view change, the one asked for.
    pub const fn view(&self) -> View {
        match self {
            Self::Prepared { certificate, .. } => certificate.view,
            Self::Proposed { view, .. }
            | Self::Prepare { view, .. }
            | Self::Commit { view, .. }
            | Self::ViewChange { view, .. }
            | Self::Entered { view, .. } => *view,
        }
    }

    /// A promise from the bytes of a journal record.
    ///
    /// # Errors
    /// [`codec::CodecError`] for anything but the canonical bytes of a promise.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode(bytes, limits::MESSAGE_BYTES)
    }
}

impl Replica {
    /// P20: takes up the promises of the journal.
    pub(crate) fn restore(
        &mut self,
        mut promises: Vec<Promise>,
        now: Now,
    ) -> Result<(), RestoreError> {
        check_promises(&promises)?;
        // P24: what was promised as one of an earlier set does not bind in this one.
        promises
            .retain(|promise| promise.height() >= self.settings.first || mutated!(OldPromisesBind));
        let height = self.height();
        for promise in promises.iter().filter(|promise| promise.height() < height) {
            // P10: a wish ends with its height.
            if !matches!(promise, Promise::ViewChange { .. }) {
                self.view = self.view.max(promise.view());
            }
        }
        promises.retain(|promise| promise.height() >= height);
        self.future = promises;
        self.take_up_promises(now);
        self.resume_prepared(now);
        Ok(())
    }

    /// P20: what was promised of the height that begins now binds from its first moment. A view in which this
    /// replica voted here it is in, and in no higher one without its NewView. One that it entered without a vote it asks for again: the NewView that
    /// was lost with the memory may demand a proposal.
    pub(crate) fn take_up_promises(&mut self, now: Now) {
        let height = self.height();
        let (here, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.future).into_iter().partition(|it| it.height() == height);
        self.future = later;
        let begun = self.view;
        let (mut voted, mut entered, mut promised) = (None, View::ZERO, View::ZERO);
        for promise in &here {
            let view = promise.view();
            match promise {
                Promise::ViewChange { .. } if mutated!(WishForgotten) => {}
                Promise::ViewChange { .. } => promised = promised.max(view),
                Promise::Entered { .. } => entered = entered.max(view),
                _ => voted = voted.max(Some(view)),
            }
        }
        self.view = voted.unwrap_or(begun);
        self.floor = begun.max(self.view).max(entered);
        self.bind(here);
        let Some(me) = self.settings.me else { return };
        let mut asked = promised;
        if entered > self.view {
            // Whoever led it opened it with other view changes than it would now: it may not do so twice.
            let led = self.leader_of(height, entered) == me;
            asked = asked.max(if led { entered.next() } else { entered });
        }
        if begun > self.view {
            // It voted here before its log lost the block below, and comes back in a higher view than then.
            asked = asked.max(begun);
        }
        if asked > self.view {
            if asked > promised {
                self.persist(Promise::ViewChange { height, view: asked });
            }
            self.leaving = Some(asked);
            self.timers.left_view();
            self.say_view_change(now, asked);
        }
        if self.round.proposed.is_some() || self.round.prepare.is_some() {
            self.timers.active(now.monotonic);
        }
    }

    /// P20: no second vote in this view, and the highest certificate of this height is shown.
    fn bind(&mut self, promises: Vec<Promise>) {
        for promise in promises {
            let in_this_view = promise.view() == self.view;
            match promise {
                Promise::Prepared { .. } if mutated!(CertificateForgotten) => {}
                Promise::Prepared { certificate, proposal, .. } => {
                    let known = self.prepared.as_ref().map(|(it, _)| it.view);
                    if known.is_none_or(|view| view < certificate.view) {
                        self.prepared = Some((certificate, proposal));
                    }
                }
                Promise::Proposed { digest, .. } if in_this_view => {
                    self.round.proposed = Some(digest)
                }
                Promise::Prepare { .. } if mutated!(PrepareForgotten) => {}
                Promise::Prepare { digest, .. } if in_this_view => {
                    self.round.prepare = Some(digest)
                }
                Promise::Commit { header, .. } if in_this_view => self.round.commit = Some(header),
                _ => {}
            }
        }
    }

    /// P20: a replica that had prepared in this view before the crash goes on from there: it repeats what it
    /// said and executes again.
    pub(crate) fn resume_prepared(&mut self, now: Now) {
        let Some((certificate, proposal)) = self.prepared.clone() else { return };
        let here = certificate.view == self.view && proposal.parent == self.head.hash;
        if !here || self.leaving.is_some() {
            return;
        }
        let (height, view, digest) = (self.height(), self.view, certificate.digest);
        for vote in &certificate.votes {
            self.round.tally.prepare(vote.validator, digest, vote.signature);
        }
        let mut signature = None;
        if self.round.proposed == Some(digest) {
            let proposal = proposal.clone();
            let message = self.signed(MessageBody::PrePrepare { height, view, proposal });
            signature = Some(message.signature);
            self.say(now, message);
        }
        if let Some(header) = self.round.commit.clone() {
            let message = self.signed(MessageBody::Commit { view, header: header.clone() });
            self.round.tally.commit(self.me(), header, message.signature);
            self.say(now, message);
        }
        let taken_up = self.accept(now, Accepted { digest, proposal, signature });
        assert!(taken_up.is_ok(), "the certificate is for the vote that was given");
    }

    /// The promises that still bind: what a journal must hold, and nothing else.
    pub fn promises(&self) -> Vec<Promise> {
        if self.over && !mutated!(OldPromisesBind) {
            // P24: a wish to leave a view ends with the epoch.
            return self.future.clone();
        }
        let (height, view) = (self.height(), self.view);
        // A view that was opened at an earlier height, or by a seal, is not asked for again after a crash.
        let entered_at = if self.new_view.is_some() { height } else { self.head.height };
        let mut promises = vec![Promise::Entered { height: entered_at, view }];
        if self.floor > view {
            promises.push(Promise::Entered { height, view: self.floor });
        }
        promises.extend(self.leaving.map(|view| Promise::ViewChange { height, view }));
        let Round { proposed, prepare, commit, .. } = &self.round;
        promises.extend(proposed.map(|digest| Promise::Proposed { height, view, digest }));
        promises.extend(prepare.map(|digest| Promise::Prepare { height, view, digest }));
        if let Some((certificate, proposal)) = self.prepared.clone() {
            promises.push(Promise::Prepared { height, certificate, proposal });
        }
        promises.extend(commit.clone().map(|header| Promise::Commit { view, header }));
        promises.extend(self.future.iter().cloned());
        promises
    }
}

/// P20: in one view of one height a validator gives one vote of each kind, and what it has prepared is what
/// it voted for. A journal that says otherwise was not written by one correct validator.
fn check_promises(promises: &[Promise]) -> Result<(), RestoreError> {
    let mut votes = BTreeMap::new();
    for promise in promises {
        let (height, view) = (promise.height(), promise.view());
        let (phase, content, holds) = match promise {
            Promise::Proposed { digest, .. } => (VoteKind::PrePrepare, *digest, true),
            Promise::Prepare { digest, .. } => (VoteKind::Prepare, *digest, true),
            Promise::Prepared { certificate, proposal, .. } => {
                let holds = proposal.digest() == certificate.digest && proposal.height == height;
                (VoteKind::Prepare, certificate.digest, holds)
            }
            Promise::Commit { header, .. } => (VoteKind::Commit, header.hash(), true),
            Promise::ViewChange { .. } | Promise::Entered { .. } => continue,
        };
        let first = *votes.entry((height, view, phase)).or_insert(content);
        if first != content || !holds {
            return Err(RestoreError::Contradiction { height, view });
        }
    }
    Ok(())
}
