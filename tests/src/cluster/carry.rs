//! What is under way between nodes, and how it arrives.

use super::{Answers, Cluster, Serve};
use crate::{
    consortium::SUITE,
    limits,
    trouble::{Trouble, ensure},
};
use probata_consensus::Message;
use probata_node::{
    chain::Effect,
    handle::Command,
    limits::{FETCH_BLOCKS, FETCH_DEADLINE_MS},
    network::NodeId,
    wire::{self, Bulk},
};
use probata_types::{Height, SealedBlock};
use std::sync::Arc;

/// One thing on its way to a node.
pub(super) struct Carried {
    from: NodeId,
    to: usize,
    load: Load,
}

enum Load {
    Consensus(Arc<[u8]>),
    Bulk(Arc<[u8]>),
    Ask { first: Height },
    Blocks(Vec<SealedBlock>),
}

impl Carried {
    pub(super) fn comes_from_or_goes_to(&self, at: usize, id: NodeId) -> bool {
        self.to == at || self.from == id
    }
}

impl Cluster {
    /// Puts a message on its way, past all cuts, from whoever signed it: for liars.
    pub fn inject(&mut self, to: usize, message: &Message) {
        let from = self.id(usize::from(message.from.0));
        let load = Load::Consensus(message.encode().into());
        self.queue.push_back(Carried { from, to, load });
    }

    pub(super) fn obey_one(&mut self, from: usize, effect: Effect) -> Result<(), Trouble> {
        match effect {
            Effect::Broadcast(message) => {
                self.watch.heard(&message)?;
                let others = (0..self.validators()).filter(|to| *to != from);
                let others: Vec<usize> = others.collect();
                self.carry(from, others, Load::Consensus, &message.encode())
            }
            Effect::Send(to, message) => {
                self.watch.heard(&message)?;
                let to = self.places.get(&to).copied();
                self.carry(from, to, Load::Consensus, &message.encode())
            }
            Effect::Forward(submission) => {
                let frame = Bulk::Submission(Box::new((*submission).clone())).encode();
                let others: Vec<usize> = (0..self.validators()).filter(|to| *to != from).collect();
                self.carry(from, others, Load::Bulk, &frame)
            }
            Effect::Announce(_) if self.announcements_are_lost => Ok(()),
            Effect::Announce(height) => {
                let others: Vec<usize> = (0..self.nodes.len()).filter(|to| *to != from).collect();
                self.carry(from, others, Load::Bulk, &Bulk::Head(height).encode())
            }
            Effect::Sealed { block, .. } => {
                self.watch.sealed(from, &block, &self.genesis)?;
                let member = self.validators();
                let to = (from != member).then_some(member);
                let frame = Bulk::Head(block.header.height).encode();
                self.carry(from, to, Load::Bulk, &frame)
            }
            Effect::Fetch { from: asked, first } => {
                let to = *self.places.get(&asked).ok_or_else(|| Trouble::new("a stranger"))?;
                self.fetches.push((from, to));
                let reachable = self.nodes[to].chain.is_some()
                    && !self.cuts.contains(&(from, to))
                    && !self.cuts.contains(&(to, from));
                if !reachable {
                    return self.command(from, Command::FetchFailed { from: asked });
                }
                self.send(from, to, Load::Ask { first });
                Ok(())
            }
            Effect::Fault(fault) => {
                self.faults.push((from, fault));
                Ok(())
            }
        }
    }

    fn carry(
        &mut self,
        from: usize,
        to: impl IntoIterator<Item = usize>,
        load: impl Fn(Arc<[u8]>) -> Load,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        let bytes: Arc<[u8]> = bytes.into();
        for to in to {
            if !self.cuts.contains(&(from, to)) && self.nodes[to].chain.is_some() {
                self.send(from, to, load(Arc::clone(&bytes)));
            }
        }
        ensure(self.queue.len() <= limits::COMMITTEE_STEPS, || "messages pile up".to_owned())
    }

    /// Puts something on its way; it arrives when the link lets it.
    fn send(&mut self, from: usize, to: usize, load: Load) {
        let carried = Carried { from: self.id(from), to, load };
        if let Some(carried) = self.links.take((from, to), self.now.monotonic, carried) {
            self.queue.push_back(carried);
        }
    }

    /// Delivers what was sent first; `false` if nothing is under way.
    pub(super) fn deliver_one(&mut self) -> Result<bool, Trouble> {
        let Some(Carried { from, to, load }) = self.queue.pop_front() else { return Ok(false) };
        match load {
            Load::Consensus(bytes) => self.arrive(to, &bytes)?,
            Load::Bulk(bytes) => match Bulk::decode(&bytes)? {
                Bulk::Head(height) => self.command(to, Command::PeerHead { from, height })?,
                Bulk::Submission(it) if self.links.censors(to, &it.head.institution) => {}
                Bulk::Submission(submission) => {
                    let submission = self.edge.check(*submission)?;
                    self.command(to, Command::Submit { submission, answer: None })?;
                }
            },
            Load::Ask { first } => self.serve(from, to, first)?,
            Load::Blocks(blocks) => self.command(to, Command::Blocks { from, blocks })?,
        }
        Ok(true)
    }

    /// The way of a node's edge: what does not hold is dropped.
    fn arrive(&mut self, to: usize, bytes: &[u8]) -> Result<(), Trouble> {
        let message = Message::decode(bytes)?;
        let set = self.genesis.validator_set();
        let Ok(message) = message.verify(SUITE, &self.genesis.chain(), set) else { return Ok(()) };
        if message.proposal().is_some_and(|it| self.edge.check_proposal(it).is_err()) {
            return Ok(());
        }
        self.command(to, Command::Message(Box::new(message)))
    }

    fn serve(&mut self, asker: NodeId, asked: usize, first: Height) -> Result<(), Trouble> {
        let asker = *self.places.get(&asker).ok_or_else(|| Trouble::new("a stranger asks"))?;
        let from = self.id(asked);
        let reader = self.reader(asked);
        let mut blocks = Vec::new();
        let mut height = first;
        while let Some(block) = reader.block_bytes(height)?.filter(|_| blocks.len() < FETCH_BLOCKS)
        {
            blocks.push(block);
            height = height.next();
        }
        let blocks = wire::split_blocks(&wire::join_blocks(&blocks))?;
        match self
            .answers
            .get(&asked)
            .map_or(Serve::Blocks(blocks.clone()), |Answers(it)| it(blocks))
        {
            Serve::Blocks(blocks) => {
                self.send(asked, asker, Load::Blocks(blocks));
                Ok(())
            }
            Serve::Nothing => {
                let until = self.now.monotonic.saturating_add(FETCH_DEADLINE_MS);
                self.given_up.push((until, asker, from));
                Ok(())
            }
        }
    }
}
