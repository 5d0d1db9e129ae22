//! The normal case: a proposal, two rounds of votes, a seal.

use crate::{
    Fault, Head, MessageBody, Output, Promise, Reason, Replica, SignedContent, VoteKind,
    message::PreparedCertificate,
    replica::{Accepted, Round},
    tally::Counted,
};
use probata_types::{
    Hash, Header, List, Now, Proposal, Seal, Signature, ValidatorIndex, limits, mutated,
};

impl Replica {
    pub(crate) fn on_work(&mut self, now: Now, work: bool) {
        if work && !self.work {
            self.timers.work_known(now.monotonic);
        }
        self.work = work;
        self.propose_if_due(now);
    }

    /// P4: a leader asks for a proposal when one is due, once in a view of a height.
    pub(crate) fn propose_if_due(&mut self, now: Now) {
        if self.propose_due().is_some_and(|due| due <= now.monotonic) {
            self.round.asked = true;
            self.outputs.push(Output::Propose {
                height: self.height(),
                view: self.view,
                parent: self.head.hash,
                not_before: self.head.time.next(),
            });
        }
    }

    /// P4: the leader sends the proposal that it asked for.
    pub(crate) fn on_proposed(&mut self, now: Now, proposal: Proposal) -> Result<(), Reason> {
        let mine = self.leader() == self.me() && self.leaving.is_none();
        let open = self.round.asked && self.round.accepted.is_none();
        if !mine || !open || self.round.proposed.is_some() || proposal.height != self.height() {
            return Err(Reason::NotAsked);
        }
        self.check_proposal(now, self.me(), &proposal)?;
        let (height, view, digest) = (self.height(), self.view, proposal.digest());
        self.round.proposed = Some(digest);
        self.persist(Promise::Proposed { height, view, digest });
        let body = MessageBody::PrePrepare { height, view, proposal: proposal.clone() };
        let message = self.signed(body);
        let signature = message.signature;
        self.say(now, message);
        self.accept(now, Accepted { digest, proposal, signature: Some(signature) })
    }

    /// P5: the first proposal of the leader that holds is accepted.
    pub(crate) fn on_pre_prepare(
        &mut self,
        now: Now,
        from: ValidatorIndex,
        proposal: Proposal,
        signature: Signature,
    ) -> Result<(), Reason> {
        if from != self.leader() && !mutated!(AnybodyLeads) {
            return Err(Reason::NotTheLeader);
        }
        let digest = proposal.digest();
        if let Some(first) = &self.round.accepted {
            if first.digest == digest {
                return Err(Reason::Duplicate);
            }
            if mutated!(TwoVotesInAView) && self.leaving.is_none() {
                self.round = Round::default();
                return self.accept(now, Accepted { digest, proposal, signature: Some(signature) });
            }
            let Some(other) = first.signature else { return Err(Reason::NotTheFirst) };
            let first = SignedContent { content: first.digest, signature: other };
            let second = SignedContent { content: digest, signature };
            return self.fault(now, VoteKind::PrePrepare, from, first, second);
        }
        if self.leaving.is_some() {
            return Err(Reason::LeavingView);
        }
        self.check_proposal(now, from, &proposal)?;
        self.accept(now, Accepted { digest, proposal, signature: Some(signature) })
    }

    /// P5: what a fresh proposal must be. One that a NewView carries is not held against the clock, nor
    /// against its first proposer.
    fn check_proposal(
        &self,
        now: Now,
        from: ValidatorIndex,
        proposal: &Proposal,
    ) -> Result<(), Reason> {
        if proposal.parent != self.head.hash {
            return Err(Reason::WrongParent);
        }
        let allowed =
            self.settings.precision.saturating_add(self.settings.message_delay.get()).get();
        let early = proposal.time.since(now.wall);
        let late = now.wall.since(proposal.time);
        // A vote given before a restart was given in time: the clock is not asked again.
        let voted = self.round.prepare == Some(proposal.digest());
        let in_time = voted || early.max(late) <= allowed || mutated!(ClockIgnored);
        if proposal.time <= self.head.time || !in_time {
            return Err(Reason::WrongTime);
        }
        if proposal.proposer != from || proposal.record_count() > limits::RECORDS_PER_PROPOSAL {
            return Err(Reason::BadProposal);
        }
        Ok(())
    }

    /// P6: a Prepare vote for the accepted proposal, unless another vote was given here before.
    pub(crate) fn accept(&mut self, now: Now, accepted: Accepted) -> Result<(), Reason> {
        let (height, view, digest) = (self.height(), self.view, accepted.digest);
        assert!(self.leaving.is_none(), "no vote in a view that is being left");
        assert!(self.round.accepted.is_none(), "one proposal a view");
        self.timers.active(now.monotonic);
        let proposal = accepted.proposal.clone();
        self.round.accepted = Some(accepted);
        if self.executed.as_ref().is_none_or(|(done, _)| *done != digest) {
            self.outputs.push(Output::Execute(proposal));
        }
        match self.round.prepare {
            Some(before) if before != digest => return Err(Reason::NotTheFirst),
            Some(_) => {}
            None => self.persist(Promise::Prepare { height, view, digest }),
        }
        self.round.prepare = Some(digest);
        let message = self.signed(MessageBody::Prepare { height, view, digest });
        self.round.tally.prepare(self.me(), digest, message.signature);
        self.say(now, message);
        self.prepared_if_quorum(now)?;
        self.decide_if_sealed(now)
    }

    pub(crate) fn on_prepare(
        &mut self,
        now: Now,
        from: ValidatorIndex,
        digest: Hash,
        signature: Signature,
    ) -> Result<(), Reason> {
        match self.round.tally.prepare(from, digest, signature) {
            Counted::New => {}
            Counted::Again => return Err(Reason::Duplicate),
            Counted::Contradicts(first) => {
                let second = SignedContent { content: digest, signature };
                return self.fault(now, VoteKind::Prepare, from, first, second);
            }
        }
        self.active_if_voted(now);
        self.prepared_if_quorum(now)
    }

    /// P7: a quorum of Prepare votes for the proposal that this replica itself voted for is its prepared
    /// certificate, on disk before the Commit vote.
    fn prepared_if_quorum(&mut self, now: Now) -> Result<(), Reason> {
        let (Some(accepted), None) = (&self.round.accepted, self.leaving) else { return Ok(()) };
        let known = self.prepared.as_ref().is_some_and(|(it, _)| it.view == self.view);
        if known || self.round.prepare != Some(accepted.digest) {
            return Ok(());
        }
        let quorum = if mutated!(CommitUnprepared) { 1 } else { self.quorum() };
        let Some(votes) = self.round.tally.prepare_quorum(&accepted.digest, quorum) else {
            return Ok(());
        };
        let votes = List::new(votes).expect("at most one vote for each validator");
        let certificate = PreparedCertificate { view: self.view, digest: accepted.digest, votes };
        let proposal = accepted.proposal.clone();
        self.prepared = Some((certificate.clone(), proposal.clone()));
        self.persist(Promise::Prepared { height: self.height(), certificate, proposal });
        self.commit_if_ready(now)
    }

    pub(crate) fn on_executed(
        &mut self,
        now: Now,
        digest: Hash,
        header: Header,
    ) -> Result<(), Reason> {
        if header.height != self.height() {
            return Err(Reason::Old);
        }
        assert_eq!(header.parent, self.head.hash, "the driver executes on the head");
        self.executed = Some((digest, header));
        self.commit_if_ready(now)?;
        self.decide_if_sealed(now)
    }

    /// P8: a Commit vote for the header that this replica computed of what is prepared in this view.
    fn commit_if_ready(&mut self, now: Now) -> Result<(), Reason> {
        let (Some((certificate, _)), Some((digest, header))) = (&self.prepared, &self.executed)
        else {
            return Ok(());
        };
        let here = certificate.view == self.view && certificate.digest == *digest;
        if !here || self.leaving.is_some() || self.round.commit.is_some() {
            return Ok(());
        }
        let (view, header) = (self.view, header.clone());
        self.round.commit = Some(header.clone());
        self.persist(Promise::Commit { view, header: header.clone() });
        let message = self.signed(MessageBody::Commit { view, header: header.clone() });
        self.round.tally.commit(self.me(), header, message.signature);
        self.say(now, message);
        self.decide_if_sealed(now)
    }

    /// Commit votes count even while this replica leaves the view: a seal is a seal (P9).
    pub(crate) fn on_commit(
        &mut self,
        now: Now,
        from: ValidatorIndex,
        header: Header,
        signature: Signature,
    ) -> Result<(), Reason> {
        let content = header.hash();
        match self.round.tally.commit(from, header, signature) {
            Counted::New => {}
            Counted::Again => return Err(Reason::Duplicate),
            Counted::Contradicts(first) => {
                let second = SignedContent { content, signature };
                return self.fault(now, VoteKind::Commit, from, first, second);
            }
        }
        self.active_if_voted(now);
        self.decide_if_sealed(now)
    }

    /// P9: a quorum of Commit votes of this view for one header, which this replica computed too, decides.
    pub(crate) fn decide_if_sealed(&mut self, now: Now) -> Result<(), Reason> {
        let Some((sealed, votes)) = self.round.tally.commit_quorum(self.quorum()) else {
            if self.round.tally.is_divided(self.settings.set.size(), self.quorum()) {
                self.diverge();
            }
            return Ok(());
        };
        let (sealed, hash) = (sealed.clone(), sealed.hash());
        let accepted = self.round.accepted.as_ref();
        match (&self.executed, accepted) {
            (Some((digest, mine)), Some(accepted)) if *digest == accepted.digest => {
                if mine.hash() != hash && is_of_same_proposal(mine, &sealed) {
                    self.diverge();
                    return Ok(());
                }
                if mine.hash() != hash {
                    // P18: the leader showed this replica another proposal than the quorum.
                    self.fetch_from_committer(now, &sealed, &hash);
                    return Ok(());
                }
                let votes = List::new(votes).expect("at most one vote for each validator");
                let seal = Seal { view: self.view, votes };
                let proposal = accepted.proposal.clone();
                let (header, kept) = (sealed.clone(), seal.clone());
                self.outputs.push(Output::Commit { header, seal, proposal });
                self.advance(now, sealed, kept);
            }
            // Being executed.
            (None, Some(_)) => {}
            // P18: others decided what this replica lacks.
            _ => self.fetch_from_committer(now, &sealed, &hash),
        }
        Ok(())
    }

    fn fetch_from_committer(&mut self, now: Now, sealed: &Header, hash: &Hash) {
        self.round.lacks_block = true;
        if let Some(from) = self.round.tally.committer_of(hash, self.me()) {
            self.fetch(now, sealed.height, from);
        }
    }

    /// P10: the next height begins. A view that a quorum sealed in is one that this replica may be in.
    pub(crate) fn advance(&mut self, now: Now, header: Header, seal: Seal) {
        assert_eq!(header.height, self.height(), "heights are decided one by one");
        self.head =
            Head { height: header.height, hash: header.hash(), time: header.time, view: seal.view };
        self.view = self.view.max(self.floor).max(seal.view);
        self.leaving = None;
        self.over = header.next_validators != header.validators;
        self.last_seal = Some((header, seal));
        self.round = Round::default();
        self.prepared = None;
        self.executed = None;
        self.new_view = None;
        self.view_changes.next_height(self.height());
        // The driver says anew whether anything waits, now that this block is done with.
        self.work = false;
        self.timers.sealed(now.monotonic);
        if self.over {
            // P24: what comes is the next set's, and for a replica of it.
            return;
        }
        if self.settings.me.is_some() && !self.halted {
            self.take_up_promises(now);
            self.heed_wishes(now);
            self.resume_prepared(now);
            self.replay_kept(now);
            self.propose_if_due(now);
        }
    }

    /// P15: votes of more than f validators show that this height has something to decide. Fewer may be
    /// made up, and must not cost an idle chain its view.
    fn active_if_voted(&mut self, now: Now) {
        if self.round.tally.voters() > self.settings.set.faulty() {
            self.timers.active(now.monotonic);
        }
    }

    /// P21: a contradiction is reported once; a leader that contradicts itself is left.
    fn fault(
        &mut self,
        now: Now,
        kind: VoteKind,
        validator: ValidatorIndex,
        first: SignedContent,
        second: SignedContent,
    ) -> Result<(), Reason> {
        let (height, view) = (self.height(), self.view);
        if !self.ahead.report_once((height, view, kind, validator)) {
            return Err(Reason::NotTheFirst);
        }
        let key = self.settings.set.get(validator).expect("the message was verified").key;
        let (suite, chain) = (self.settings.suite, self.settings.chain);
        self.outputs.push(Output::Fault(Fault {
            suite,
            chain,
            height,
            view,
            kind,
            validator,
            key,
            first,
            second,
        }));
        if kind == VoteKind::PrePrepare && self.leaving.is_none() {
            self.ask_for_view(now, view.next());
        }
        Ok(())
    }

    /// P22: what this replica computed cannot be sealed. It says who computed what, and votes no more.
    fn diverge(&mut self) {
        let Some((_, mine)) = self.executed.clone() else { return };
        let theirs = self.round.tally.commits_unlike(&mine.hash());
        self.halted = true;
        self.outputs.push(Output::Diverged { height: self.height(), mine, theirs });
    }
}

/// Whether two headers were computed from one proposal.
fn is_of_same_proposal(one: &Header, other: &Header) -> bool {
    (one.parent, one.submissions_root, one.time, one.proposer)
        == (other.parent, other.submissions_root, other.time, other.proposer)
}
