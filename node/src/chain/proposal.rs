//! Proposals: what this node puts forward, what it takes from others, and what a sealed one leaves behind.

use super::{Chain, ChainError};
use crate::{evidence::ProvenBlock, limits, mempool::BlockLimits};
use probata_consensus::{Input, Message, MessageBody};
use probata_contracts::Screening;
use probata_types::{
    Epoch, Hash, Height, List, Now, Proposal, ProposalParts, Submission, SubmissionId, Timestamp,
    Verified, View, limits::SUBMISSIONS_PER_PROPOSAL,
};
use std::{collections::BTreeSet, sync::Arc};

impl Chain {
    /// Feeds the replica a message. A fresh proposal is first judged by what only the ledger knows; one that a
    /// view change carries was judged by a quorum, whose certificate the message had to show.
    /// A message that was checked against the set of an epoch: in another one it says nothing, since a
    /// place among the validators may be another's there (P24).
    pub(super) fn checked_message(
        &mut self,
        now: Now,
        message: Verified<Message>,
        epoch: u32,
    ) -> Result<(), ChainError> {
        let Epoch { number, first, .. } = &self.membership.epoch;
        if epoch != *number || message.height() < *first {
            self.metrics.ignored();
            return Ok(());
        }
        self.message(now, message)
    }

    fn message(&mut self, now: Now, message: Verified<Message>) -> Result<(), ChainError> {
        if let MessageBody::PrePrepare { height, view, proposal } = &message.body {
            let next = self.ledger.head().height.next();
            if *height > next {
                self.keep_early(*height, *view, message);
                return Ok(());
            }
            if *height == next
                && let Err(reason) = self.check_proposal(proposal)?
            {
                self.refuse_proposal(now, &message, &reason);
                return Ok(());
            }
            if *height == next {
                self.note_time(now, proposal);
            }
        }
        self.step(now, Input::Message(message))
    }

    /// Keeps a proposal of the next leader until its height comes, because a submission may be sealed in
    /// between. Of several the one of the lowest view that is still to come stays, and of two of one view
    /// the first; further ahead nothing is kept, since its sender repeats it.
    fn keep_early(&mut self, height: Height, view: View, message: Verified<Message>) {
        let next = self.ledger.head().height.next();
        let leader = self.membership.set().leader(height, view, self.genesis.parameters().rotation);
        let fits = height == next.next()
            && message.from == leader
            && view >= self.replica.status().view
            && self.me.is_some()
            && self.halted.is_none();
        let place = (height, view);
        let nearer = self
            .early
            .as_ref()
            .is_none_or(|old| old.height() <= next || place < (old.height(), old.view()));
        if fits && nearer {
            self.early = Some(message);
        } else {
            self.metrics.ignored();
        }
    }

    pub(super) fn early_is_due(&self) -> bool {
        let next = self.ledger.head().height.next();
        self.early.as_ref().is_some_and(|message| message.height() <= next)
    }

    /// Feeds the replica the proposal that came before its height did.
    pub(super) fn take_early(&mut self, now: Now) -> Result<(), ChainError> {
        if !self.early_is_due() {
            return Ok(());
        }
        match self.early.take() {
            Some(message) => self.message(now, message),
            None => Ok(()),
        }
    }

    /// Whether a fresh proposal for the next height keeps the limits of genesis, and holds nothing twice,
    /// nothing that is sealed, and nothing that the contracts refuse as a whole. The signatures of its submissions were checked at the edge.
    fn check_proposal(&self, proposal: &Proposal) -> Result<Result<(), String>, ChainError> {
        let submissions = proposal.submissions.iter().map(Submission::size).sum::<usize>();
        let (records, bytes) = (proposal.record_count(), limits::PROPOSAL_HEAD_BYTES + submissions);
        if records > self.max_records() || bytes > self.max_bytes() {
            return Ok(Err(format!("it holds {records} records in {bytes} bytes")));
        }
        if !proposal.submissions.is_empty() && !self.remembers(proposal.time)? {
            return Ok(Err(
                "blocks that could hold its submissions are still to come here".to_owned()
            ));
        }
        let mut keys = BTreeSet::new();
        let reader = self.ledger.reader();
        let mut screening = Screening::new(&self.ledger, proposal.height, proposal.time);
        for submission in &proposal.submissions {
            let (id, head) = (submission.id(), &submission.head);
            if !keys.insert((head.institution, head.idempotency_key)) {
                return Ok(Err(format!("submission {id} stands in it twice, or its key does")));
            }
            // What waits here was looked up when it was admitted; sealing another one under its key ends the wait.
            if !self.mempool.contains(&id)
                && reader.by_idempotency(&head.institution, &head.idempotency_key)?.is_some()
            {
                return Ok(Err(format!("submission {id}, or another under its key, is sealed")));
            }
            // Sealed, even as rejected, it would use up the key of an institution that never signed it.
            if let Err(rejection) = screening.of(submission)? {
                return Ok(Err(format!("submission {id} would not be judged: {rejection}")));
            }
        }
        Ok(Ok(()))
    }

    /// A leader can send as many as it likes: the log gets a line now and then.
    fn refuse_proposal(&mut self, now: Now, message: &Message, reason: &str) {
        if now.monotonic >= self.next_complaint {
            let pause = limits::COMPLAINT_INTERVAL.as_millis();
            self.next_complaint =
                now.monotonic.saturating_add(u64::try_from(pause).unwrap_or(u64::MAX));
            tracing::warn!(from = %message.from, reason, "refused a proposal");
        } else {
            tracing::debug!(from = %message.from, reason, "refused a proposal");
        }
    }

    /// What waits, as a proposal for the next height; empty if nothing does. What the contracts refuse as a
    /// whole by now, other validators would refuse the proposal for: it waits no longer.
    pub(super) fn propose(
        &mut self,
        now: Now,
        height: Height,
        parent: Hash,
        not_before: Timestamp,
    ) -> Result<Proposal, ChainError> {
        let time = now.wall.max(not_before);
        let limits = BlockLimits {
            submissions: SUBMISSIONS_PER_PROPOSAL,
            records: self.max_records(),
            bytes: self.max_bytes().saturating_sub(limits::PROPOSAL_HEAD_BYTES),
        };
        let mut submissions = Vec::new();
        let mut screening = Screening::new(&self.ledger, height, time);
        for submission in self.mempool.next_block(limits, time) {
            match screening.of(&submission)? {
                Ok(()) => submissions.push(submission),
                Err(_) => {
                    let head = &submission.head;
                    self.mempool.remove_key(head.institution, head.idempotency_key);
                }
            }
        }
        let proposal = Proposal::from(ProposalParts {
            suite: self.genesis.suite(),
            chain: self.genesis.chain(),
            height,
            parent,
            time,
            proposer: self.me.expect("only a validator is asked to propose"),
            submissions: List::new(submissions).expect("the choice keeps the limit"),
        });
        assert!(proposal.record_count() <= self.max_records(), "the choice keeps the limit");
        Ok(proposal)
    }

    /// Takes what a block sealed out of the mempool, and what can no longer be sealed: another submission
    /// under the same key. Notes whether the block was so full that it had to leave others out.
    pub(super) fn take_from_mempool(&mut self, block: &Arc<ProvenBlock>) {
        let proposal = &block.block().proposal;
        let ids: Vec<SubmissionId> = proposal.submissions.iter().map(Submission::id).collect();
        let bytes = self.mempool.remove_sealed(&ids, block);
        for submission in &proposal.submissions {
            let head = &submission.head;
            self.mempool.remove_key(head.institution, head.idempotency_key);
        }
        self.last_block_full = proposal.record_count() >= self.max_records() / 2
            || proposal.submissions.len() >= SUBMISSIONS_PER_PROPOSAL / 2
            || bytes >= self.max_bytes() / 2;
    }

    /// Takes out of the mempool what is signed with keys that are not good at the next height. Nobody will
    /// propose it, so it would be work that is never done: timers would run for it, and censorship be
    /// suspected.
    pub(super) fn drop_revoked(&mut self) -> Result<(), ChainError> {
        let height = self.ledger.head().height.next();
        let mut revoked = Vec::new();
        for head in self.mempool.signers() {
            if probata_contracts::may_sign(head, &self.ledger, height)?.is_err() {
                revoked.push((head.institution, head.key));
            }
        }
        for (institution, key) in revoked {
            self.mempool.remove_signer(institution, key);
        }
        Ok(())
    }

    /// The most records that genesis allows in a proposal.
    fn max_records(&self) -> usize {
        let records = self.genesis.parameters().max_proposal_records;
        usize::try_from(records).unwrap_or(usize::MAX)
    }

    /// The most bytes that genesis allows in a proposal.
    fn max_bytes(&self) -> usize {
        let bytes = self.genesis.parameters().max_proposal_bytes;
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }
}

const _: () = {
    let largest = limits::SUBMISSION_CANONICAL_BYTES + limits::PROPOSAL_HEAD_BYTES;
    assert!(largest <= probata_genesis::limits::PROPOSAL_BYTES_MIN, "every submission fits");
};
