//! What nodes ask of the world, and what travels between them.

use super::{Happening, Held, World, diverged, governance::Peers};
use crate::{
    gate::Packet,
    machine,
    sim::{liars::Served, network::Shape, report::Verdict},
};
use probata_consensus::{Fault, Message, MessageBody};
use probata_node::{
    chain::Effect,
    handle::Command,
    limits::FETCH_DEADLINE_MS,
    wire::{self, Bulk},
};
use probata_types::{Height, List, Millis, SealedBlock};
use std::sync::Arc;

/// How soon somebody learns that a peer is not there, in milliseconds.
const UNREACHABLE: u64 = 20;

/// What travels.
pub(super) enum Load {
    /// A consensus message; whether the network changed it.
    Consensus(Packet, bool),
    Bulk(Packet, bool),
    Ask {
        fetch: u64,
        first: Height,
    },
    Answer {
        fetch: u64,
        bytes: Arc<[u8]>,
    },
}

impl World<'_> {
    pub(super) fn obey(&mut self, at: usize, effects: Vec<Effect>) -> Held {
        effects.into_iter().try_for_each(|effect| self.obey_one(at, effect))
    }

    fn obey_one(&mut self, at: usize, effect: Effect) -> Held {
        match effect {
            Effect::Broadcast(message) => {
                let voters = self.nodes[at].peers.voters.clone();
                self.say(at, &voters, &message)
            }
            Effect::Send(to, message) => match self.places.get(&to).copied() {
                Some(to) => self.say(at, &[to], &message),
                None => diverged(format!("node {at} writes to a stranger")),
            },
            Effect::Forward(submissions) => {
                let voters = self.nodes[at].peers.voters.clone();
                // Each by itself, so that a changed bit is in one of them and not in its neighbour.
                for submission in submissions {
                    let frame = Bulk::Submissions(List::new(vec![submission]).expect("one"));
                    self.hand_on(at, &voters, &frame);
                }
                Ok(())
            }
            Effect::Announce(height) => {
                let Peers { voters, members } = &self.nodes[at].peers;
                let mut others = [voters.as_slice(), members].concat();
                others.sort_unstable();
                self.announce(at, &others, height);
                Ok(())
            }
            Effect::Sealed { block, .. } => self.sealed(at, block.block()),
            Effect::Fetch { from, first } => match self.places.get(&from).copied() {
                Some(asked) => {
                    self.fetch(at, asked, first);
                    Ok(())
                }
                None => diverged(format!("node {at} asks a stranger")),
            },
            Effect::Fault(fault) => self.fault(at, &fault),
            Effect::Membership(membership) => self.membership(at, &membership),
            Effect::Frozen(_) => Ok(()),
        }
    }

    /// A node says something; a liar says something else.
    fn say(&mut self, from: usize, to: &[usize], message: &Message) -> Held {
        if let Some(mut liar) = self.nodes[from].liar.take() {
            for to in to {
                for bent in liar.bend(*to, message) {
                    self.send_lie(from, *to, &bent, bent != *message);
                }
            }
            self.nodes[from].liar = Some(liar);
            return Ok(());
        }
        let epoch = self.gate.epoch_at(message.height());
        let (seat, first) = (self.nodes[from].machine.seat(&epoch.set), epoch.first);
        self.watch.heard(from, seat, first, message)?;
        if seat == Some(message.from) {
            let node = &mut self.nodes[from];
            // When an epoch ends its promises may be off the disk before what they are for is sent.
            let chain = node.machine.chain.as_ref();
            if chain.is_some_and(|it| it.membership().epoch.first <= message.height()) {
                node.promises.check(&node.machine.disk, first, message)?;
            }
            self.tell_of_views(from, message);
        }
        let packet = Packet::new(message.encode());
        for to in to {
            if self.is_withheld(*to, message) {
                continue;
            }
            self.send(from, *to, |changed| {
                let (packet, changed) = packet.changed(changed);
                Load::Consensus(packet, changed)
            });
        }
        Ok(())
    }

    fn send_lie(&mut self, from: usize, to: usize, message: &Message, bent: bool) {
        if bent {
            self.counts.one("lies told");
        }
        if self.is_withheld(to, message) {
            return;
        }
        let packet = Packet::new(message.encode());
        self.send(from, to, |_| Load::Consensus(packet.clone(), false));
    }

    fn tell_of_views(&mut self, at: usize, message: &Message) {
        let (height, view, told) = (message.height(), message.view(), &mut self.nodes[at].told);
        let words = match &message.body {
            MessageBody::ViewChange { prepared, .. } if view > told.asked => {
                told.asked = view;
                self.counts.one("view changes asked for");
                let what =
                    prepared.as_ref().map(|it| format!("what it prepared in view {}", it.view));
                let shows = what.unwrap_or_else(|| "nothing prepared".to_owned());
                format!("node {at} asks for view {view} at height {height}, with {shows}")
            }
            MessageBody::NewView { proposal, .. } if view > told.opened => {
                told.opened = view;
                self.counts.one("views opened");
                let with = if proposal.is_some() { "with an old proposal" } else { "freely" };
                format!("node {at} opens view {view} at height {height}, {with}")
            }
            _ => return,
        };
        self.trace.say(self.now, format_args!("{words}"));
    }

    /// A block is sealed at a node.
    fn sealed(&mut self, at: usize, block: &SealedBlock) -> Held {
        let (header, seal) = (&block.header, &block.seal);
        let count = block.proposal.submissions.len();
        self.witnessed(at);
        if self.is_correct(at) {
            let first = self.history.hash(header.height).is_none();
            self.history.sealed(at, block, self.gate.set_at(header.height))?;
            if first {
                self.counts.one("heights sealed");
                self.check_time(header.time)?;
                self.look_at_motions(at)?;
            }
            self.trace.say(
                self.now,
                format_args!(
                    "node {at} seals height {} in view {} ({count} submissions, {})",
                    header.height,
                    seal.view,
                    header.hash().short()
                ),
            );
        }
        let members = self.nodes[at].peers.members.clone();
        self.announce(at, &members, header.height);
        Ok(())
    }

    fn announce(&mut self, from: usize, to: &[usize], height: Height) {
        let height = match &mut self.nodes[from].liar {
            Some(liar) => liar.announce(height),
            None => Some(height),
        };
        if let Some(height) = height {
            self.hand_on(from, to, &Bulk::Head(height));
        }
    }

    fn hand_on(&mut self, from: usize, to: &[usize], frame: &Bulk) {
        let packet = Packet::new(frame.encode());
        let may_change = matches!(frame, Bulk::Submissions(_));
        for to in to {
            self.send(from, *to, |changed| {
                let (packet, changed) = packet.changed(changed.filter(|_| may_change));
                Load::Bulk(packet, changed)
            });
        }
    }

    /// A correct node has proved a contradiction: only liars contradict themselves.
    fn fault(&mut self, at: usize, fault: &Fault) -> Held {
        let (culprit, height, view) = (fault.validator, fault.height, fault.view);
        if !self.is_correct(at) {
            return Ok(());
        }
        if let Err(error) = fault.verify(self.gate.set_at(height)) {
            return diverged(format!("node {at} reports a fault that proves nothing: {error}"));
        }
        let node = self.roster.node_of(height, culprit);
        if node.is_none_or(|node| self.is_correct(node)) {
            return diverged(format!(
                "correct validator {culprit} is proved at fault by node {at}"
            ));
        }
        if self.faults.insert((culprit.0, height, view)) {
            self.counts.one("faults proved");
        }
        self.trace.say(
            self.now,
            format_args!("node {at} proves that validator {culprit} said two things: {:?} of height {height} in view {view}", fault.kind),
        );
        Ok(())
    }

    fn fetch(&mut self, asker: usize, asked: usize, first: Height) {
        self.counts.one("fetches");
        self.serial += 1;
        let fetch = self.serial;
        self.nodes[asker].fetches.insert(fetch, asked);
        let cut = self.links.are_cut(self.now, asker, asked);
        let unreachable = !self.is_up(asked) || (cut && self.random.chance(500));
        let wait = if unreachable { UNREACHABLE } else { FETCH_DEADLINE_MS };
        self.later(wait, Happening::GiveUp { asker, fetch });
        self.send(asker, asked, |_| Load::Ask { fetch, first });
    }

    pub(super) fn give_up(&mut self, asker: usize, fetch: u64) -> Held {
        let Some(asked) = self.nodes[asker].fetches.remove(&fetch) else { return Ok(()) };
        let from = self.nodes[asked].machine.id;
        self.call(asker, |chain, now| chain.handle(now, Command::FetchFailed { from }))
    }

    /// Puts something on its way.
    fn send(&mut self, from: usize, to: usize, load: impl Fn(Option<u64>) -> Load) {
        let arrivals = self.links.send(self.now, from, to);
        if arrivals.is_empty() {
            self.counts.one("messages lost or cut off");
        }
        for arrival in arrivals {
            self.at(arrival.at, Happening::Arrive { from, to, load: load(arrival.changed) });
        }
    }

    pub(super) fn cut(&mut self, shape: Shape, length: Millis) -> Held {
        self.counts.one("cuts");
        let shape = if shape == Shape::Leader { self.leader_alone() } else { shape };
        self.links.cut(shape, self.now, length);
        Ok(())
    }

    /// The leader, as those see it who are farthest.
    fn leader_alone(&self) -> Shape {
        let chains = self.nodes.iter().filter_map(|node| node.machine.chain.as_ref());
        let farthest = chains.map(|it| it.status()).max_by_key(|it| (it.height, it.view));
        let leader = farthest.and_then(|status| status.membership.node_of(status.leader));
        let leader = leader.and_then(|node| self.places.get(&node).copied());
        Shape::Split(1 << leader.unwrap_or_default())
    }

    pub(super) fn arrive(&mut self, from: usize, to: usize, load: Load) -> Held {
        let node = &self.nodes[to];
        if node.frozen_until > self.now {
            self.at(node.frozen_until, Happening::Arrive { from, to, load });
            return Ok(());
        }
        if node.machine.chain.is_none() {
            return Ok(());
        }
        self.counts.one("messages delivered");
        match load {
            Load::Consensus(packet, changed) => self.hear(from, to, &packet, changed),
            Load::Bulk(packet, changed) => self.take(from, to, &packet, changed),
            Load::Ask { fetch, first } => self.serve(from, to, fetch, first),
            Load::Answer { fetch, bytes } => self.answered(from, to, fetch, &bytes),
        }
    }

    fn hear(&mut self, from: usize, to: usize, packet: &Packet, changed: bool) -> Held {
        let Some(chain) = &self.nodes[to].machine.chain else { return Ok(()) };
        let epoch = chain.membership().epoch.clone();
        let message = self.gate.message(packet, &epoch);
        self.trace.note(self.now, (from, to), &packet.hash, || {
            message.as_ref().map_or_else(|| "what does not hold".to_owned(), |it| words(it))
        });
        let Some(message) = message else {
            if self.is_correct(from) && !changed && self.gate.message_of_its_epoch(packet).is_none()
            {
                return diverged(format!("node {from} sends what does not hold"));
            }
            self.counts.one("messages refused at the edge");
            return Ok(());
        };
        if changed {
            return diverged(format!("a message of node {from} passes though a bit is changed"));
        }
        if let Some(mut liar) = self.nodes[to].liar.take() {
            for (other, lie) in liar.hear(&message) {
                self.send_lie(to, other, &lie, true);
            }
            self.nodes[to].liar = Some(liar);
        }
        let command = Command::Message { message: Box::new(message), epoch: epoch.number };
        self.call(to, |chain, now| chain.handle(now, command))
    }

    fn take(&mut self, from: usize, to: usize, packet: &Packet, changed: bool) -> Held {
        self.trace
            .note(self.now, (from, to), &packet.hash, || "a frame of the bulk lane".to_owned());
        let command = match Bulk::decode(&packet.bytes) {
            Ok(Bulk::Head(height)) => {
                Command::PeerHead { from: self.nodes[from].machine.id, height }
            }
            Ok(Bulk::Submissions(submissions)) => {
                let mut taken = Vec::new();
                for submission in submissions.into_vec() {
                    match self.gate.submission(submission) {
                        Ok(_) if changed => {
                            return diverged("a submission passes though a bit is changed");
                        }
                        Ok(submission) => {
                            let liar = self.nodes[to].liar.as_mut();
                            if liar.is_none_or(|liar| liar.takes(&submission)) {
                                taken.push(submission);
                            }
                        }
                        Err(_) => {}
                    }
                }
                if taken.is_empty() {
                    return Ok(());
                }
                Command::Submit { submissions: taken, answer: None }
            }
            Err(_) => return Ok(()),
        };
        self.call(to, |chain, now| chain.handle(now, command))
    }

    /// A node is asked for blocks.
    fn serve(&mut self, asker: usize, asked: usize, fetch: u64, first: Height) -> Held {
        self.trace.note(self.now, (asker, asked), &fetch.to_be_bytes(), || {
            format!("asks for blocks from height {first}")
        });
        let node = &mut self.nodes[asked];
        let Some(chain) = &node.machine.chain else { return Ok(()) };
        let blocks = machine::blocks_from(&chain.reader(), first);
        let blocks = blocks.map_err(|error| {
            Verdict::Diverged(format!("node {asked} cannot read its blocks: {error}"))
        })?;
        let joined = wire::join_blocks(&blocks);
        let bytes = match &mut node.liar {
            None => joined,
            Some(liar) => {
                let honest = wire::split_blocks(&joined).map_err(|error| {
                    Verdict::Diverged(format!("node {asked} has malformed blocks: {error}"))
                })?;
                match liar.serve(asker, honest) {
                    Served::Nothing => return Ok(()),
                    Served::Bytes(bytes) => bytes,
                    Served::Blocks(blocks) => {
                        let blocks: Vec<Vec<u8>> =
                            blocks.iter().map(probata_types::codec::encode).collect();
                        wire::join_blocks(&blocks)
                    }
                }
            }
        };
        let bytes: Arc<[u8]> = bytes.into();
        self.send(asked, asker, |_| Load::Answer { fetch, bytes: Arc::clone(&bytes) });
        Ok(())
    }

    fn answered(&mut self, from: usize, to: usize, fetch: u64, bytes: &[u8]) -> Held {
        self.trace.note(self.now, (from, to), bytes, || "blocks".to_owned());
        if self.nodes[to].fetches.remove(&fetch).is_none() {
            return Ok(());
        }
        let from = self.nodes[from].machine.id;
        let command = match wire::split_blocks(bytes) {
            Ok(blocks) => Command::Blocks { from, blocks },
            Err(_) => Command::FetchFailed { from },
        };
        self.call(to, |chain, now| chain.handle(now, command))
    }
}

/// A message in words.
fn words(message: &Message) -> String {
    let name = message.body.name();
    format!("{name}({}, {}) of validator {}", message.height(), message.view(), message.from)
}
