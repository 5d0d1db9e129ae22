//! Catching up: blocks from peers, each believed only for its seal.

use super::{Chain, ChainError, Effect, obey::differences, report};
use crate::{limits, network::NodeId};
use probata_consensus::Input;
use probata_ledger::OlderSlice;
use probata_types::{Height, Millis, Now, SealedBlock, mutated};
use std::collections::BTreeMap;

/// How high each peer says it is, whom we are asking now, and who failed us. At most one entry for each node of
/// genesis.
#[derive(Debug, Default)]
pub(super) struct Peers {
    heads: BTreeMap<NodeId, Height>,
    asking: Option<Asked>,
    resting: BTreeMap<NodeId, Rest>,
    turn: usize,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    node: NodeId,
    since: Millis,
    first: Height,
}

/// A peer that could not hand over what it claimed to have is not asked for a while, twice as long each time.
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Millis,
    length: Millis,
}

impl Peers {
    pub(super) fn heard(&mut self, from: NodeId, height: Height) {
        self.heads.insert(from, height);
    }

    /// How high each peer says it is.
    pub(super) fn heads(&self) -> BTreeMap<NodeId, Height> {
        self.heads.clone()
    }

    pub(super) fn highest(&self) -> Height {
        self.heads.values().copied().max().unwrap_or_default()
    }

    /// The peer failed us: forget what it claimed until it claims it again, and let it rest.
    pub(super) fn failed(&mut self, from: &NodeId, now: Millis) {
        self.heads.remove(from);
        self.answered(from);
        let before = self.resting.get(from).map_or(0, |rest| rest.length.get());
        let length = (2 * before).clamp(limits::FETCH_REST_MS, limits::FETCH_REST_MAX_MS);
        let rest = Rest { until: now.saturating_add(length), length: Millis::new(length) };
        self.resting.insert(*from, rest);
    }

    /// From which height on this peer was asked, if it is the one that is being asked; it no longer is.
    fn answered(&mut self, from: &NodeId) -> Option<Height> {
        let asked = self.asking.take_if(|asked| asked.node == *from)?;
        Some(asked.first)
    }

    /// The peer handed over what holds: its failures are forgotten.
    fn served(&mut self, from: &NodeId) {
        self.resting.remove(from);
    }

    /// A peer that is higher than `height`, in turn; `None` if there is none, all of them rest, or one is
    /// being asked. One that takes long is not waited for while there is another.
    fn choose(&mut self, height: Height, now: Millis) -> Option<NodeId> {
        let slow = match self.asking {
            Some(asked) if now.since(asked.since) < limits::FETCH_PATIENCE_MS => return None,
            Some(asked) if now.since(asked.since) < 2 * limits::FETCH_DEADLINE_MS => {
                Some(asked.node)
            }
            _ => None,
        };
        let rests = |node: &NodeId| self.resting.get(node).is_some_and(|rest| now < rest.until);
        let fit = self
            .heads
            .iter()
            .filter(|(node, head)| **head > height && Some(**node) != slow && !rests(node));
        let fit: Vec<NodeId> = fit.map(|(node, _)| *node).collect();
        if fit.is_empty() {
            return None;
        }
        self.turn = self.turn.wrapping_add(1);
        let node = fit[self.turn % fit.len()];
        self.asking = Some(Asked { node, since: now, first: height.next() });
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
        if self.halted.is_some() {
            return;
        }
        let height = self.ledger.head().height;
        if let Some(from) = self.peers.choose(height, now.monotonic) {
            self.effects.push(Effect::Fetch { from, first: height.next() });
        }
    }

    /// Enters older blocks, which were checked and are in the log. With the last of them all faults are known.
    pub(super) fn enter_older(&mut self, slice: OlderSlice) -> Result<(), ChainError> {
        self.ledger.enter_older(slice)?;
        let reader = self.ledger.reader();
        if reader.history_from() == Height::new(1) {
            self.faults_on_chain = report::count(&reader)?;
        }
        Ok(())
    }

    /// Commits blocks that a peer handed over, one by one, as far as they hold.
    pub(super) fn blocks(
        &mut self,
        now: Now,
        from: NodeId,
        blocks: Vec<SealedBlock>,
    ) -> Result<(), ChainError> {
        let asked_from = self.peers.answered(&from);
        let last = blocks.last().map_or(Height::ZERO, |block| block.header.height);
        for block in blocks {
            let next = self.ledger.head().height.next();
            if block.header.height < next {
                continue;
            }
            if self.halted.is_some() {
                return Ok(());
            }
            if let Err(reason) = self.block(now, next, block)? {
                tracing::warn!(%from, %reason, "a peer handed over a block that does not hold");
                self.peers.failed(&from, now.monotonic);
                self.fetch_now(now);
                return Ok(());
            }
            self.peers.served(&from);
        }
        // Nothing of what was asked for: without a rest it would be asked the same again at once.
        if asked_from.is_some_and(|first| last < first) {
            self.peers.failed(&from, now.monotonic);
        }
        self.fetch_now(now);
        Ok(())
    }

    fn block(
        &mut self,
        now: Now,
        next: Height,
        block: SealedBlock,
    ) -> Result<Result<(), String>, ChainError> {
        if let Err(reason) = self.check_block(next, &block) {
            return Ok(Err(reason));
        }
        let executed = self.execution_of(&block.proposal)?;
        if executed.header != block.header {
            self.halt(format!(
                "a quorum sealed another header at height {next} than this node computes: {}; it \
                 follows no further: keep its data and compare versions",
                differences(&executed.header, &block.header)
            ));
            return Ok(Ok(()));
        }
        let (header, seal) = (block.header.clone(), block.seal.clone());
        self.append(now, block, executed, false)?;
        self.step(now, Input::Sealed { header, seal })?;
        self.step(now, Input::Work(!self.mempool.is_empty()))?;
        Ok(Ok(()))
    }

    /// Whether a block is the next one, sealed, and has the body that its header names, to the last byte: a
    /// peer that swapped records must not make this node believe that it computes otherwise than the others.
    fn check_block(&self, next: Height, block: &SealedBlock) -> Result<(), String> {
        let SealedBlock { header, seal, .. } = block;
        if header.height != next {
            return Err(format!("its height is {}, not {next}", header.height));
        }
        if header.chain != self.genesis.chain() || header.suite != self.genesis.suite() {
            return Err("it is of another chain".to_owned());
        }
        let sealed = seal.verify(header, self.membership.set());
        sealed.or_else(
            |error| if mutated!(CatchUpUnsealed) { Ok(()) } else { Err(error.to_string()) },
        )?;
        block.check_submissions().map_err(|error| error.to_string())
    }
}
