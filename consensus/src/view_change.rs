//! Leaving a view, and proving the new one.

use crate::{
    Message, MessageBody, Output, Promise, Reason, Replica, limits,
    message::{PreparedCertificate, ViewChangeVote, highest_certificate},
    replica::Accepted,
};
use probata_types::{Hash, Height, List, Now, Proposal, Signature, ValidatorIndex, View, mutated};
use std::collections::BTreeMap;

/// The newest view change of each validator, and the bodies of the proposals that they certify.
#[derive(Debug, Default)]
pub(crate) struct ViewChanges {
    wishes: BTreeMap<ValidatorIndex, Wish>,
    /// Of this height; the last ones shown, oldest first.
    bodies: Vec<(Hash, Proposal)>,
}

#[derive(Debug)]
struct Wish {
    height: Height,
    view: View,
    signature: Signature,
    prepared: Option<PreparedCertificate>,
}

impl ViewChanges {
    /// Keeps a view change if it is of a later height than the one before, or asks for more.
    fn keep(&mut self, from: ValidatorIndex, wish: Wish) -> bool {
        let newer = self
            .wishes
            .get(&from)
            .is_none_or(|old| (wish.height, wish.view) > (old.height, old.view));
        if newer {
            self.wishes.insert(from, wish);
        }
        newer
    }

    /// The last ones shown stay: view changes are repeated, so that each body is here when its certificate
    /// is looked at, and nobody can keep one away by showing others.
    fn keep_body(&mut self, digest: Hash, proposal: Proposal) {
        if self.bodies.iter().any(|(known, _)| *known == digest) {
            return;
        }
        if self.bodies.len() == limits::BODIES_KEPT {
            self.bodies.remove(0);
        }
        self.bodies.push((digest, proposal));
    }

    fn body(&self, digest: &Hash) -> Option<&Proposal> {
        self.bodies.iter().find(|(known, _)| known == digest).map(|(_, body)| body)
    }

    /// The views that are asked for at this height.
    fn at(&self, height: Height) -> impl Iterator<Item = View> {
        self.wishes.values().filter(move |wish| wish.height == height).map(|wish| wish.view)
    }

    /// How many validators want this view of this height, or a higher one.
    fn count_from(&self, height: Height, view: View) -> usize {
        self.at(height).filter(|asked| *asked >= view).count()
    }

    /// The view of this height that f+1 validators want, or a higher one each: at least one honest among
    /// them.
    fn wanted_by(&self, more_than: usize, height: Height, above: View) -> Option<View> {
        let mut views: Vec<View> = self.at(height).filter(|view| *view > above).collect();
        views.sort_by_key(|view| std::cmp::Reverse(*view));
        views.get(more_than).copied()
    }

    /// The view changes for exactly this height and view.
    fn votes_for(&self, height: Height, view: View) -> Vec<ViewChangeVote> {
        let fits = self.wishes.iter().filter(|(_, it)| it.height == height && it.view == view);
        fits.map(|(validator, wish)| ViewChangeVote {
            validator: *validator,
            signature: wish.signature,
            prepared: wish.prepared.clone(),
        })
        .collect()
    }

    /// Bodies and wishes belong to a height.
    pub(crate) fn next_height(&mut self, height: Height) {
        self.bodies.clear();
        self.wishes.retain(|_, wish| wish.height >= height);
    }
}

impl Replica {
    /// P11: the leader sealed others' submissions and left one out for too long.
    pub(crate) fn on_censored(&mut self, now: Now) -> Result<(), Reason> {
        if self.leaving.is_some() {
            return Err(Reason::LeavingView);
        }
        if self.leader() == self.me() {
            return Err(Reason::NotAsked);
        }
        self.ask_for_view(now, self.view.next());
        Ok(())
    }

    /// P11: from here on this replica votes in no view of this height below `target`.
    pub(crate) fn ask_for_view(&mut self, now: Now, target: View) {
        assert!(target > self.view, "a view change goes up");
        assert!(self.leaving.is_none_or(|old| target > old), "a view change goes up");
        self.leaving = Some(target);
        self.timers.left_view();
        self.persist(Promise::ViewChange { height: self.height(), view: target });
        self.say_view_change(now, target);
        self.open_view_if_quorum(now);
    }

    /// Says, for the height that this replica is at, what it asks for and what is prepared here.
    pub(crate) fn say_view_change(&mut self, now: Now, target: View) {
        let (prepared, proposal) = match &self.prepared {
            Some((certificate, proposal)) if !mutated!(CertificateNotShown) => {
                (Some(certificate.clone()), Some(proposal.clone()))
            }
            _ => (None, None),
        };
        let shown = prepared.clone();
        let height = self.height();
        let body = MessageBody::ViewChange { height, view: target, prepared, proposal };
        let message = self.signed(body);
        let wish = Wish { height, view: target, signature: message.signature, prepared: shown };
        self.view_changes.keep(self.me(), wish);
        self.note_gathering(now);
        // Of the messages of the view that is being left only the wish to leave is repeated.
        self.round.sent.clear();
        self.say(now, message);
    }

    pub(crate) fn on_view_change(&mut self, now: Now, message: Message) -> Result<(), Reason> {
        let Message { from, signature, body } = message;
        let MessageBody::ViewChange { height, view, prepared, proposal } = body else {
            unreachable!("the caller looked")
        };
        let here = height == self.height();
        if here && view <= self.view {
            self.show_new_view(now, from);
            return Err(Reason::Old);
        }
        let body = prepared.as_ref().map(|it| it.digest).zip(proposal);
        if let (true, Some((digest, proposal))) = (here, body) {
            self.view_changes.keep_body(digest, proposal);
        }
        let newer = self.view_changes.keep(from, Wish { height, view, signature, prepared });
        if here {
            self.heed_wishes(now);
        } else {
            self.note_claim(now, from, height);
        }
        if newer { Ok(()) } else { Err(Reason::Duplicate) }
    }

    /// What follows from who asks for which view of this height.
    pub(crate) fn heed_wishes(&mut self, now: Now) {
        self.join_if_wanted(now);
        self.note_gathering(now);
        self.open_view_if_quorum(now);
    }

    /// P12: f+1 validators want higher views, so at least one honest one does: join them.
    fn join_if_wanted(&mut self, now: Now) {
        let asked = self.leaving.unwrap_or(self.view);
        let faulty = self.settings.set.faulty() - usize::from(mutated!(JoinAtF));
        if let Some(target) = self.view_changes.wanted_by(faulty, self.height(), asked) {
            self.ask_for_view(now, target);
        }
    }

    /// P15: from when a quorum asks for this view or a higher one, its NewView is waited for.
    fn note_gathering(&mut self, now: Now) {
        let Some(target) = self.leaving else { return };
        if self.view_changes.count_from(self.height(), target) >= self.quorum() {
            self.timers.gathered(now.monotonic);
        }
    }

    /// P13: the leader of the view asked for opens it with a quorum of view changes, and with the proposal
    /// of the highest certificate among them; without one it may propose freely.
    fn open_view_if_quorum(&mut self, now: Now) {
        let Some(view) = self.leaving else { return };
        let height = self.height();
        if self.leader_of(height, view) != self.me() {
            return;
        }
        let Some((votes, proposal)) = self.choose(self.view_changes.votes_for(height, view)) else {
            return;
        };
        let view_changes = List::new(votes).expect("at most one for each validator");
        let body = MessageBody::NewView { height, view, view_changes, proposal: proposal.clone() };
        let message = self.signed(body);
        self.enter_view(now, view, message.clone());
        self.say(now, message);
        let taken_up = self.take_up(now, proposal);
        assert!(taken_up.is_ok(), "in a view that was just entered no vote stands against it");
    }

    /// P13: a quorum of these view changes and the proposal that it demands, if there is such a quorum. A
    /// certificate without its body is left out with its view change: correct validators show both, and
    /// are a quorum without it.
    fn choose(
        &self,
        mut votes: Vec<ViewChangeVote>,
    ) -> Option<(Vec<ViewChangeVote>, Option<Proposal>)> {
        while votes.len() >= self.quorum() {
            let Some(highest) = highest_certificate(&votes) else { return Some((votes, None)) };
            let digest = highest.digest;
            if let Some(body) = self.body_of(&digest) {
                return Some((votes, Some(body.clone())));
            }
            votes.retain(|vote| vote.prepared.as_ref().is_none_or(|it| it.digest != digest));
        }
        None
    }

    fn body_of(&self, digest: &Hash) -> Option<&Proposal> {
        let accepted = self.round.accepted.as_ref().map(|it| (&it.digest, &it.proposal));
        let prepared = self.prepared.as_ref().map(|(it, proposal)| (&it.digest, proposal));
        let own = accepted.into_iter().chain(prepared).find(|(known, _)| *known == digest);
        own.map(|(_, body)| body).or_else(|| self.view_changes.body(digest))
    }

    /// P14: a NewView was verified when it arrived: its quorum, its certificates and its choice. What is
    /// left to ask is whether it is from the leader of a view that this replica may still enter.
    pub(crate) fn on_new_view(&mut self, now: Now, message: Message) -> Result<(), Reason> {
        let (from, view) = (message.from, message.view());
        let again = view == self.view && self.lacks_new_view();
        let old = view < self.view && !mutated!(OldViewAccepted);
        if old || (view == self.view && !again) {
            return Err(Reason::Old);
        }
        if self.leaving.is_some_and(|target| view < target) {
            return Err(Reason::LeavingView);
        }
        if from != self.leader_of(self.height(), view) {
            return Err(Reason::NotTheLeader);
        }
        let MessageBody::NewView { proposal, .. } = &message.body else {
            unreachable!("the caller looked")
        };
        let proposal = proposal.clone();
        if proposal.as_ref().is_some_and(|it| it.parent != self.head.hash) {
            return Err(Reason::WrongParent);
        }
        if again {
            self.new_view = Some(message);
        } else {
            self.enter_view(now, view, message);
        }
        let taken_up = self.take_up(now, proposal);
        self.replay_kept(now);
        taken_up
    }

    /// P14, P20: this replica is in its view by a seal, or by a vote before a restart, and has accepted
    /// nothing here yet: what the view was opened with still serves. A vote given before stands (P6).
    const fn lacks_new_view(&self) -> bool {
        self.new_view.is_none() && self.round.accepted.is_none() && self.leaving.is_none()
    }

    fn enter_view(&mut self, now: Now, view: View, new_view: Message) {
        assert!(view > self.view || mutated!(OldViewAccepted), "views never fall");
        self.persist(Promise::Entered { height: self.height(), view });
        self.view = view;
        self.floor = view;
        self.leaving = None;
        let before = std::mem::take(&mut self.round);
        if mutated!(SealMixesViews) {
            self.round.tally = before.tally;
        }
        if mutated!(LockDropped) {
            self.prepared = None;
        }
        self.new_view = Some(new_view);
        self.timers.entered_view(now.monotonic, self.work);
    }

    /// P14: the proposal of the highest certificate is voted for again, in the new view.
    fn take_up(&mut self, now: Now, proposal: Option<Proposal>) -> Result<(), Reason> {
        let Some(proposal) = proposal else {
            self.propose_if_due(now);
            return Ok(());
        };
        let digest = proposal.digest();
        self.accept(now, Accepted { digest, proposal, signature: None })
    }

    /// P16: a validator that asks for a view that others are in missed its NewView.
    fn show_new_view(&mut self, now: Now, to: ValidatorIndex) {
        let Some(message) = self.new_view.clone() else { return };
        if self.may_help(now, to) {
            self.outputs.push(Output::Send(to, message));
        }
    }
}
