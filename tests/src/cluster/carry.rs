//! What is under way between nodes, and how it arrives.

use super::{Answers, Cluster, Serve};
use crate::{
    gate::Packet,
    limits, machine,
    trouble::{Trouble, ensure},
};
use probata_consensus::Message;
use probata_node::{
    chain::Effect,
    handle::Command,
    limits::FETCH_DEADLINE_MS,
    network::NodeId,
    wire::{self, Bulk},
};
use probata_types::{Height, SealedBlock};

/// One thing on its way to a node.
pub(super) struct Carried {
    from: NodeId,
    to: usize,
    load: Load,
}

enum Load {
    Consensus(Packet),
    Bulk(Packet),
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
        let load = Load::Consensus(Packet::new(message.encode()));
        self.queue.push_back(Carried { from, to, load });
    }

    pub(super) fn obey_one(&mut self, from: usize, effect: Effect) -> Result<(), Trouble> {
        match effect {
            Effect::Broadcast(message) => {
                self.watch(from, &message)?;
                let others = self.voters_but(from);
                self.carry(from, others, Load::Consensus, &message.encode())
            }
            Effect::Send(to, message) => {
                self.watch(from, &message)?;
                let to = self.places.get(&to).copied();
                self.carry(from, to, Load::Consensus, &message.encode())
            }
            Effect::Forward(submissions) => {
                let frames = wire::handed_on(submissions);
                let others = self.voters_but(from);
                frames.iter().try_for_each(|frame| {
                    self.carry(from, others.clone(), Load::Bulk, &frame.encode())
                })
            }
            Effect::Announce(_) if self.announcements_are_lost => Ok(()),
            Effect::Announce(height) => {
                let others: Vec<usize> = (0..self.nodes.len()).filter(|to| *to != from).collect();
                self.carry(from, others, Load::Bulk, &Bulk::Head(height).encode())
            }
            Effect::Sealed { block, .. } => {
                let set = self.gate.set_at(block.height());
                self.history.sealed(from, block.block(), set)?;
                let voters = self.voters_but(from);
                let members =
                    (0..self.nodes.len()).filter(|to| *to != from && !voters.contains(to));
                let members: Vec<usize> = members.collect();
                let frame = Bulk::Head(block.height()).encode();
                self.carry(from, members, Load::Bulk, &frame)
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
            Effect::Membership(membership) => self.gate.learn(&membership).map(drop),
            Effect::Frozen(_) => Ok(()),
            Effect::Fault(fault) => {
                self.faults.push((from, fault));
                Ok(())
            }
        }
    }

    fn watch(&mut self, from: usize, message: &Message) -> Result<(), Trouble> {
        let epoch = self.gate.epoch_at(message.height());
        self.watch.heard(from, self.nodes[from].seat(&epoch.set), epoch.first, message)
    }

    /// The nodes that vote, as this one sees it, without itself.
    fn voters_but(&self, from: usize) -> Vec<usize> {
        let Some(chain) = &self.nodes[from].chain else { return Vec::new() };
        let voters = chain.membership().nodes().filter(|member| member.seat.is_some());
        let places = voters.filter_map(|member| self.places.get(&member.node).copied());
        places.filter(|to| *to != from).collect()
    }

    fn carry(
        &mut self,
        from: usize,
        to: impl IntoIterator<Item = usize>,
        load: impl Fn(Packet) -> Load,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        let packet = Packet::new(bytes);
        for to in to {
            if !self.cuts.contains(&(from, to)) && self.nodes[to].chain.is_some() {
                self.send(from, to, load(packet.clone()));
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
            Load::Consensus(packet) => self.arrive(to, &packet)?,
            Load::Bulk(packet) => match Bulk::decode(&packet.bytes)? {
                Bulk::Head(height) => self.command(to, Command::PeerHead { from, height })?,
                Bulk::Submissions(submissions) => {
                    let mut taken = submissions.into_vec();
                    taken.retain(|it| !self.links.censors(to, &it.head.institution));
                    let checked = taken.into_iter().map(|it| self.gate.submission(it));
                    let submissions = checked.collect::<Result<_, _>>()?;
                    self.command(to, Command::Submit { submissions, answer: None })?;
                }
            },
            Load::Ask { first } => self.serve(from, to, first)?,
            Load::Blocks(blocks) => self.command(to, Command::Blocks { from, blocks })?,
        }
        Ok(true)
    }

    /// The way of a node's edge: what does not hold is dropped.
    fn arrive(&mut self, to: usize, packet: &Packet) -> Result<(), Trouble> {
        let Some(chain) = &self.nodes[to].chain else { return Ok(()) };
        let epoch = chain.membership().epoch.clone();
        let Some(message) = self.gate.message(packet, &epoch) else { return Ok(()) };
        let (message, epoch) = (Box::new(message), epoch.number);
        self.command(to, Command::Message { message, epoch })
    }

    fn serve(&mut self, asker: NodeId, asked: usize, first: Height) -> Result<(), Trouble> {
        let asker = *self.places.get(&asker).ok_or_else(|| Trouble::new("a stranger asks"))?;
        let from = self.id(asked);
        let blocks = machine::blocks_from(&self.reader(asked), first)?;
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
