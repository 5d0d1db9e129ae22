//! Doing what the replica asks, in the order in which it asks.

use super::{Chain, ChainError, Effect, Executed, report};
use crate::{evidence::ProvenBlock, limits, membership::Membership};
use probata_consensus::{Input, Output, Promise};
use probata_contracts::Execution;
use probata_types::{
    Header, Height, List, Millis, Now, Outcome, Proposal, Seal, SealedBlock, codec, mutated,
    outcome::outcomes_root, state::StateRead,
};
use std::{collections::VecDeque, sync::Arc, time::Instant};

impl Chain {
    /// Feeds the replica and obeys it until it asks for nothing more.
    pub(super) fn step(&mut self, now: Now, input: Input) -> Result<(), ChainError> {
        if self.halted.is_some() {
            return Ok(());
        }
        let before = self.ledger.head().height;
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.replica.step(now, input) {
                inputs.extend(self.obey(now, output)?);
            }
            self.sync_journal()?;
        }
        // Views that are left without a seal fill the journal too. What still binds may be large itself.
        if self.journal_bytes - self.journal_kept > limits::JOURNAL_BYTES {
            self.prune_journal()?;
        }
        if self.ledger.head().height > before { self.complain_of_censorship(now) } else { Ok(()) }
    }

    pub(super) fn obey(&mut self, now: Now, output: Output) -> Result<Option<Input>, ChainError> {
        match output {
            Output::Persist(promise) => self.persist(&promise)?,
            Output::Broadcast(message) => {
                self.sync_journal()?;
                self.effects.push(Effect::Broadcast(message));
            }
            Output::Send(to, message) => {
                self.sync_journal()?;
                if let Some(node) = self.membership.node_of(to) {
                    self.effects.push(Effect::Send(node, message));
                }
            }
            // Later, so that the votes that this step gave travel meanwhile.
            Output::Execute(proposal) => self.to_execute = Some(proposal),
            Output::Propose { height, parent, not_before, .. } => {
                let proposal = self.propose(now, height, parent, not_before)?;
                return Ok(Some(Input::Proposed(proposal)));
            }
            Output::Commit { header, seal, proposal } => {
                return self.commit(now, header, seal, proposal).map(Some);
            }
            Output::Fetch { to, from } => {
                if let Some(node) = self.membership.node_of(from) {
                    self.peers.heard(node, to);
                }
                self.fetch_now(now);
            }
            Output::Fault(fault) => self.fault(now, fault),
            Output::Diverged { height, mine, theirs } => self.diverged(height, &mine, &theirs),
            Output::Ignored(reason) => {
                self.metrics.ignored();
                tracing::trace!(?reason, "ignored an input");
            }
        }
        Ok(None)
    }

    fn persist(&mut self, promise: &Promise) -> Result<(), ChainError> {
        if let Promise::Entered { height, view } = promise {
            self.view_changes += 1;
            tracing::info!(%height, %view, "entered a new view");
        }
        let bytes = codec::encode(promise);
        self.journal_bytes += bytes.len();
        self.journal.append(&bytes)?;
        self.journal_dirty = true;
        Ok(())
    }

    pub(super) fn sync_journal(&mut self) -> Result<(), ChainError> {
        if self.journal_dirty && !mutated!(VoteBeforePromise) {
            self.journal.sync()?;
            self.metrics.journal_synced();
            self.journal_dirty = false;
        }
        Ok(())
    }

    /// Executes the accepted proposal, if there is one, and computes the header that this validator will vote for.
    pub(super) fn execute_accepted(&mut self, now: Now) -> Result<(), ChainError> {
        let Some(proposal) = self.to_execute.take() else { return Ok(()) };
        if proposal.height != self.ledger.head().height.next() {
            return Ok(());
        }
        let executed = self.execution_of(&proposal)?;
        let input = Input::Executed { digest: executed.digest, header: executed.header.clone() };
        self.executed = Some(executed);
        self.step(now, input)
    }

    pub(super) fn execution_of(&self, proposal: &Proposal) -> Result<Executed, ChainError> {
        let started = Instant::now();
        let Execution { outcomes, changes } = probata_contracts::execute(proposal, &self.ledger)?;
        let changes = Arc::new(changes);
        let count = |n: usize| u32::try_from(n).expect("bounded by the limits of a proposal");
        let header = Header {
            version: Header::VERSION,
            suite: proposal.suite,
            chain: proposal.chain,
            height: proposal.height,
            time: proposal.time,
            parent: proposal.parent,
            submission_count: count(proposal.submissions.len()),
            submissions_root: proposal.submissions_root(),
            record_count: count(outcomes.len()),
            outcomes_root: outcomes_root(proposal.suite, &outcomes),
            state_root: self.ledger.state_root_after(&changes)?,
            history_root: self.ledger.history_root(),
            validators: self.membership.hash,
            next_validators: self.next_validators(&changes)?,
            proposer: proposal.proposer,
        };
        self.metrics.executed(started.elapsed());
        Ok(Executed { digest: proposal.digest(), header, outcomes, changes })
    }

    fn commit(
        &mut self,
        now: Now,
        header: Header,
        seal: Seal,
        proposal: Proposal,
    ) -> Result<Input, ChainError> {
        let executed = match self.executed.take() {
            Some(executed) if executed.digest == proposal.digest() => executed,
            _ => self.execution_of(&proposal)?,
        };
        assert_eq!(executed.header, header, "the replica commits only the header computed here");
        self.append(
            now,
            SealedBlock { header, seal, proposal, outcomes: List::empty() },
            executed,
            true,
        )?;
        Ok(Input::Work(!self.mempool.is_empty()))
    }

    /// The commit point: block and seal to the log, synced; then what is derived; then whoever waits.
    pub(super) fn append(
        &mut self,
        now: Now,
        mut block: SealedBlock,
        executed: Executed,
        voted: bool,
    ) -> Result<(), ChainError> {
        let Executed { outcomes, changes, .. } = executed;
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(|leaf| leaf.outcome).collect();
        block.outcomes = List::new(outcomes).expect("one for each record, which are bounded");
        let started = Instant::now();
        self.ledger.commit(&block, &changes)?;
        self.metrics.committed(started.elapsed());
        let waited = self
            .mempool
            .oldest()
            .map(|(_, since)| Millis::new(now.monotonic.since(since.max(self.last_commit))));
        let waited = waited.filter(|_| !block.proposal.submissions.is_empty() && voted);
        let block = Arc::new(ProvenBlock::new(block));
        self.recent.push(block.proofs());
        self.take_from_mempool(&block);
        self.drop_revoked()?;
        self.last_commit = now.monotonic;
        let header = &block.block().header;
        self.compare_clock(now, header, voted);
        // A block that was handed over may be old: a node that catches up is not yet in time.
        self.sealed_at = if voted { now.wall } else { header.time.min(now.wall) };
        self.effects.push(Effect::Sealed { block, waited });
        self.effects.extend(self.ledger.take_frozen().map(Effect::Frozen));
        self.faults_on_chain += report::recorded(&changes);
        if Membership::is_changed_by(&changes) || mutated!(SetChangeLate) {
            self.membership_changed(now)?;
        }
        Ok(())
    }

    /// Rewrites the journal with only the promises that still bind.
    pub(super) fn prune_journal(&mut self) -> Result<(), ChainError> {
        let records: Vec<Vec<u8>> = self.replica.promises().iter().map(codec::encode).collect();
        self.journal_bytes = records.iter().map(Vec::len).sum();
        self.journal_kept = self.journal_bytes;
        self.journal.rewrite(records)?;
        self.journal_dirty = false;
        Ok(())
    }

    fn fault(&mut self, now: Now, fault: probata_consensus::Fault) {
        tracing::error!(?fault, "a validator contradicted itself, and the proof is kept");
        let fault = Arc::new(fault);
        if self.faults.len() == limits::FAULTS_KEPT {
            self.faults.remove(0);
        }
        self.faults.push(Arc::clone(&fault));
        self.intend_report(now, &fault);
        self.effects.push(Effect::Fault(fault));
    }

    fn diverged(
        &mut self,
        height: Height,
        mine: &Header,
        theirs: &[(probata_types::ValidatorIndex, Header)],
    ) {
        let mut reason = format!("validators computed different headers at height {height}; ");
        for (validator, header) in theirs {
            reason.push_str(&format!("validator {validator}: {}; ", differences(mine, header)));
        }
        reason.push_str("this node votes no more: keep its data and compare versions");
        tracing::debug!(%height, ?mine, ?theirs, "the headers that differ");
        self.halt(reason);
    }

    /// From here on this node only shows what it has, and says why.
    pub(super) fn halt(&mut self, reason: String) {
        tracing::error!("halted: {reason}");
        self.halted = Some(reason);
        (self.to_execute, self.early) = (None, None);
    }
}

/// The fields in which two headers differ, in words.
pub(super) fn differences(mine: &Header, theirs: &Header) -> String {
    let hashes = [
        ("parent", mine.parent, theirs.parent),
        ("submissions_root", mine.submissions_root, theirs.submissions_root),
        ("outcomes_root", mine.outcomes_root, theirs.outcomes_root),
        ("state_root", mine.state_root, theirs.state_root),
        ("history_root", mine.history_root, theirs.history_root),
        ("validators", mine.validators, theirs.validators),
        ("next_validators", mine.next_validators, theirs.next_validators),
    ];
    let different: Vec<String> = hashes
        .iter()
        .filter(|(_, mine, theirs)| mine != theirs)
        .map(|(name, mine, theirs)| format!("{name} {} not {}", theirs.short(), mine.short()))
        .collect();
    if different.is_empty() { "other fields".to_owned() } else { different.join(", ") }
}

/// The ledger is what contracts read.
const _: fn(&probata_ledger::Ledger) -> &dyn StateRead = |ledger| ledger;
