//! The chain: where consensus, contracts and ledger meet. A plain synchronous struct: a command or a
//! tick goes in, effects come out. `run` puts it on a thread of its own; tests call it directly.
//!
//! ```text
//!  Command ──► Chain ──► Replica::step ──► outputs, obeyed in order:
//!                                            Persist  ─► journal (synced before anything is sent)
//!                                            Execute  ─► contracts::execute ─► header ─► back to the replica
//!                                            Commit   ─► ledger.commit (append, fdatasync) = committed
//!                                            Propose  ─► mempool.next_block ─► back to the replica
//!                                            Send …   ─► Effect
//! ```

mod censorship;
mod clock;
mod epoch;
mod obey;
mod proposal;
mod recovery;
mod report;
mod submit;
mod sync;

pub(crate) use recovery::reapply;
pub use recovery::{ChainError, ChainSetup};

use crate::{
    bodies::Bodies,
    evidence::{ProvenBlock, RecentBlocks},
    handle::{ChainStatus, Command},
    limits,
    membership::Membership,
    mempool::Mempool,
    metrics::Metrics,
    network::NodeId,
};
use probata_consensus::{Fault, Input, Message, Replica};
use probata_genesis::Genesis;
use probata_ledger::{FrozenState, Journal, Ledger, LedgerReader};
use probata_types::{
    Hash, Header, Height, Keypair, Millis, Now, Proposal, Submission, SubmissionId, Timestamp,
    ValidatorIndex, Verified, outcome::OutcomeLeaf, state::Changes,
};
use std::{collections::BTreeSet, num::NonZeroU64, sync::Arc};
use sync::Peers;

/// What the chain asks of the world. Obeyed in order; losing one costs time, never safety.
#[derive(Debug)]
pub enum Effect {
    /// Send a consensus message to every validator.
    Broadcast(Message),
    /// Send a consensus message to one node.
    Send(NodeId, Message),
    /// Hand submissions to every validator.
    Forward(Vec<Submission>),
    /// Ask a peer for blocks, and answer with [`Command::Blocks`] or [`Command::FetchFailed`].
    Fetch {
        /// Whom.
        from: NodeId,
        /// The first height wanted.
        first: Height,
    },
    /// A block was committed: tell the member nodes, the metrics and the log.
    Sealed {
        /// The block.
        block: Arc<ProvenBlock>,
        /// How long its oldest submission waited here since it could have been sealed; `None` for a block
        /// that was fetched or is empty.
        waited: Option<Millis>,
    },
    /// Tell all peers how high this node is.
    Announce(Height),
    /// A validator's provable misdeed.
    Fault(Arc<Fault>),
    /// Who takes part has changed, or the chain was opened.
    Membership(Arc<Membership>),
    /// The state of a height that a snapshot is due of.
    Frozen(FrozenState),
}

/// One node's chain. See the module's page.
pub struct Chain {
    genesis: Arc<Genesis>,
    /// Who takes part in deciding the next block.
    membership: Arc<Membership>,
    /// The keys that this node may vote with: one at a time has a seat, if any.
    keypairs: Vec<Keypair>,
    me: Option<ValidatorIndex>,
    replica: Replica,
    ledger: Ledger,
    journal: Journal,
    /// Bytes of promises in the journal, and how many of them were left when it was last rewritten.
    journal_bytes: usize,
    journal_kept: usize,
    journal_dirty: bool,
    metrics: Arc<Metrics>,
    mempool: Mempool<Arc<ProvenBlock>>,
    recent: Arc<RecentBlocks>,
    /// Those that were offered here, while they wait.
    own: BTreeSet<SubmissionId>,
    /// Those of them that nobody else has yet.
    to_hand_on: Vec<Submission>,
    /// A proposal for the height after the one being decided: what it may hold is known then.
    early: Option<Verified<Message>>,
    to_execute: Option<Proposal>,
    executed: Option<Executed>,
    peers: Peers,
    last_commit: Millis,
    last_block_full: bool,
    leading: censorship::Leading,
    next_housekeeping: Millis,
    next_resend: Millis,
    next_complaint: Millis,
    clock: clock::OwnClock,
    sealed_at: Timestamp,
    view_changes: u64,
    faults: Vec<Arc<Fault>>,
    /// Faults that are to be recorded.
    reports: Vec<report::Report>,
    /// How many the chain has recorded.
    faults_on_chain: u64,
    halted: Option<String>,
    effects: Vec<Effect>,
}

/// A proposal's execution, kept until its header is sealed or another proposal takes its place.
struct Executed {
    digest: Hash,
    header: Header,
    outcomes: Vec<OutcomeLeaf>,
    changes: Arc<Changes>,
}

impl Chain {
    /// Does what a command asks.
    ///
    /// # Errors
    /// [`ChainError`] when a disk fails or contradicts itself: the node must stop.
    pub fn handle(&mut self, now: Now, command: Command) -> Result<Vec<Effect>, ChainError> {
        match command {
            Command::Submit { submissions, answer } => self.submit(now, submissions, answer)?,
            Command::Message { message, epoch } => self.checked_message(now, *message, epoch)?,
            Command::Blocks { from, blocks } => self.blocks(now, from, blocks)?,
            Command::FetchFailed { from } => {
                self.peers.failed(&from, now.monotonic);
                self.fetch_if_behind(now);
            }
            Command::PeerHead { from, height } => self.peer_head(now, from, height),
            Command::Older { slice, done } => {
                self.enter_older(slice)?;
                // Whoever fetched them may be gone, as the node stops.
                let _ = done.send(());
            }
            Command::Stop => {}
        }
        Ok(std::mem::take(&mut self.effects))
    }

    /// Does what is due. Call it at [`Chain::deadline`].
    ///
    /// # Errors
    /// As [`Chain::handle`].
    pub fn tick(&mut self, now: Now) -> Result<Vec<Effect>, ChainError> {
        self.take_early(now)?;
        self.execute_accepted(now)?;
        if self.replica.deadline().is_some_and(|deadline| deadline <= now.monotonic) {
            self.step(now, Input::Tick)?;
        }
        if self.next_housekeeping <= now.monotonic {
            let pause = Millis::new(limits::HOUSEKEEPING_INTERVAL_MS);
            self.next_housekeeping = now.monotonic.saturating_add(pause.get());
            self.housekeeping(now)?;
        }
        Ok(std::mem::take(&mut self.effects))
    }

    /// When [`Chain::tick`] is next due, on the monotonic clock.
    pub fn deadline(&self) -> Millis {
        if self.halted.is_some() {
            return self.next_housekeeping;
        }
        if self.to_execute.is_some() || self.early_is_due() {
            return Millis::ZERO;
        }
        let replica = self.replica.deadline().unwrap_or(Millis::MAX);
        replica.min(self.next_housekeeping)
    }

    /// Read access to what is committed.
    pub fn reader(&self) -> LedgerReader {
        self.ledger.reader()
    }

    /// The newest blocks, for other threads to look at.
    pub fn recent(&self) -> &Arc<RecentBlocks> {
        &self.recent
    }

    /// The submissions that wait here, for other threads to look at.
    pub fn bodies(&self) -> &Arc<Bodies> {
        self.mempool.bodies()
    }

    /// What is derived goes to the store by a thread of its own from here on; on each such thread `begin` is called first.
    pub fn write_behind(&mut self, begin: fn()) {
        self.ledger.write_behind(begin);
    }

    /// From now on the state of each height that `blocks` divides is given as [`Effect::Frozen`], if the store can
    /// hold it still.
    pub fn freeze_every(&mut self, blocks: NonZeroU64) {
        self.ledger.freeze_every(blocks);
    }

    /// Flushes what is derived, so that the next start is quick. Nothing is lost without it.
    ///
    /// # Errors
    /// [`ChainError`] if the disk fails.
    pub fn close(self) -> Result<(), ChainError> {
        Ok(self.ledger.close()?)
    }

    /// Who takes part in deciding the next block.
    pub fn membership(&self) -> &Arc<Membership> {
        &self.membership
    }

    /// What the chain says of itself.
    pub fn status(&self) -> ChainStatus {
        let head = self.ledger.head();
        let status = self.replica.status();
        ChainStatus {
            height: head.height,
            history_from: self.ledger.reader().history_from(),
            header: head.sealed.as_ref().map(|(header, _)| header.clone()),
            view: status.view,
            leader: status.leader,
            me: self.me,
            changing_view: status.changing_view,
            view_changes: self.view_changes,
            pending_submissions: self.mempool.len(),
            pending_records: self.mempool.records(),
            highest_seen: self.peers.highest().max(head.height),
            sealed_at: self.sealed_at,
            clock_off_ms: self.clock_off_ms(),
            halted: self.halted.clone(),
            faults: self.faults.clone(),
            faults_on_chain: self.faults_on_chain,
            membership: Arc::clone(&self.membership),
            peers: self.peers.heads(),
        }
    }

    /// What has no event of its own to hang on: expiry, resending, censorship, announcing, catching up.
    fn housekeeping(&mut self, now: Now) -> Result<(), ChainError> {
        self.mempool.expire(now.wall);
        self.report_faults(now)?;
        self.resend(now);
        self.fetch_if_behind(now);
        self.complain_of_censorship(now)?;
        let work = !self.mempool.is_empty();
        self.step(now, Input::Work(work))
    }

    /// Says again what frames may have lost: how high this node is, and own submissions while they wait.
    fn resend(&mut self, now: Now) {
        if now.monotonic < self.next_resend {
            return;
        }
        self.next_resend = now.monotonic.saturating_add(limits::RESEND_INTERVAL_MS);
        self.effects.push(Effect::Announce(self.ledger.head().height));
        self.own.retain(|id| self.mempool.contains(id));
        let mut bytes = 0;
        let own = self.own.iter().filter_map(|id| self.mempool.get(id));
        let some = own.take(limits::RESENT_SUBMISSIONS).take_while(|submission| {
            bytes += submission.size();
            bytes <= limits::RESENT_BYTES
        });
        let some: Vec<Submission> = some.cloned().collect();
        if !some.is_empty() {
            self.effects.push(Effect::Forward(some));
        }
    }
}

#[cfg(test)]
mod tests;
