//! Catching up: blocks from peers, each believed only for its seal.

use super::{Chain, ChainError, Effect, obey::differences};
use crate::{limits, network::NodeId};
use probata_consensus::Input;
use probata_types::{Height, Millis, Now, SealedBlock};
use std::collections::BTreeMap;

/// How high each peer says it is, and whom we are asking now. At most one entry for each node of genesis.
#[derive(Debug, Default)]
pub(super) struct Peers {
    heads: BTreeMap<NodeId, Height>,
    asking: Option<(NodeId, Millis)>,
    turn: usize,
}

impl Peers {
    pub(super) fn heard(&mut self, from: NodeId, height: Height) {
        self.heads.insert(from, height);
    }

    pub(super) fn highest(&self) -> Height {
        self.heads.values().copied().max().unwrap_or_default()
    }

    /// The peer failed us: forget what it claimed until it claims it again, and ask another.
    pub(super) fn fetch_failed(&mut self, from: &NodeId) {
        self.heads.remove(from);
        self.answered(from);
    }

    fn answered(&mut self, from: &NodeId) {
        if self.asking.is_some_and(|(asked, _)| asked == *from) {
            self.asking = None;
        }
    }

    /// A peer that is higher than `height`, in turn; `None` if there is none or one is being asked.
    fn choose(&mut self, height: Height, now: Millis) -> Option<NodeId> {
        let patience = limits::FETCH_DEADLINE_MS * 2;
        if self.asking.is_some_and(|(_, since)| now.since(since) < patience) {
            return None;
        }
        let higher: Vec<NodeId> =
            self.heads.iter().filter(|(_, head)| **head > height).map(|(node, _)| *node).collect();
        if higher.is_empty() {
            return None;
        }
        self.turn = self.turn.wrapping_add(1);
        let node = higher[self.turn % higher.len()];
        self.asking = Some((node, now));
        Some(node)
    }
}

impl Chain {
    pub(super) fn peer_head(&mut self, now: Now, from: NodeId, height: Height) {
        self.peers.heard(from, height);
        self.fetch_if_behind(now);
    }

    /// A member node asks as soon as somebody is higher. A validator gets blocks by voting, and asks only
    /// when that has brought nothing for a while, or when the replica says that it is behind.
    pub(super) fn fetch_if_behind(&mut self, now: Now) {
        let patience = self.genesis.parameters().retransmit.get();
        if self.me.is_none() || now.monotonic.since(self.last_commit) > patience {
            self.fetch_now(now);
        }
    }

    pub(super) fn fetch_now(&mut self, now: Now) {
        let height = self.ledger.head().height;
        if let Some(from) = self.peers.choose(height, now.monotonic) {
            self.effects.push(Effect::Fetch { from, first: height.next() });
        }
    }

    /// Commits blocks that a peer handed over, one by one, as far as they hold.
    pub(super) fn blocks(
        &mut self,
        now: Now,
        from: NodeId,
        blocks: Vec<SealedBlock>,
    ) -> Result<(), ChainError> {
        let none = blocks.is_empty();
        for block in blocks {
            let next = self.ledger.head().height.next();
            if block.header.height < next {
                continue;
            }
            if let Err(reason) = self.block(now, next, block)? {
                tracing::warn!(%from, %reason, "a peer handed over a block that does not hold");
                self.peers.fetch_failed(&from);
                self.fetch_now(now);
                return Ok(());
            }
        }
        if none {
            self.peers.fetch_failed(&from);
        }
        self.peers.answered(&from);
        if self.peers.highest() > self.ledger.head().height {
            self.fetch_now(now);
        }
        Ok(())
    }

    fn block(
        &mut self,
        now: Now,
        next: Height,
        block: SealedBlock,
    ) -> Result<Result<(), String>, ChainError> {
        if block.header.height != next {
            return Ok(Err(format!("its height is {}, not {next}", block.header.height)));
        }
        if block.header.chain != self.genesis.chain() || block.header.suite != self.genesis.suite()
        {
            return Ok(Err("it is of another chain".to_owned()));
        }
        if let Err(error) = block.seal.verify(&block.header, &self.set) {
            return Ok(Err(error.to_string()));
        }
        // The seal is good: what follows can fail only if the body was swapped, or if we are wrong.
        let proposal = &block.proposal;
        let same = proposal.submissions_root() == block.header.submissions_root
            && proposal.submissions.len() == block.header.submission_count as usize
            && (proposal.chain, proposal.height) == (block.header.chain, block.header.height)
            && (proposal.parent, proposal.time) == (block.header.parent, block.header.time)
            && (proposal.proposer, proposal.suite) == (block.header.proposer, block.header.suite);
        if !same {
            return Ok(Err("its submissions are not those that its header names".to_owned()));
        }
        let executed = self.execution_of(proposal)?;
        if executed.header != block.header {
            let reason = format!(
                "a quorum sealed another header at height {next} than this node computes: {}",
                differences(&executed.header, &block.header)
            );
            self.halted = Some(reason.clone());
            return Err(ChainError::Diverged(reason));
        }
        let (header, seal) = (block.header.clone(), block.seal.clone());
        self.append(now, block, executed, false)?;
        self.step(now, Input::Sealed { header, seal })?;
        self.step(now, Input::Work(!self.mempool.is_empty()))?;
        Ok(Ok(()))
    }
}
