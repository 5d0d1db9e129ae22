//! The machines of one schedule and the network between them. Nothing in it is left to chance.

use crate::{
    fixtures::{HEARTBEAT, VIEW_TIMEOUT_CAP, index, submission},
    node::{Block, Effect, Node},
    twins::{
        edge::Edge,
        explore::mix,
        flaw::Flaw,
        partition::Letter,
        schedule::{Between, Family},
        watch::Watch,
    },
};
use probata_consensus::{Input, Message, MessageBody, Replica, Status};
use probata_types::{Hash, Height, ValidatorIndex, Verified};
use std::{collections::BTreeMap, rc::Rc};

/// Milliseconds in which a round's network is up before the timers run out: a view change, a
/// batching delay and three phases, and not the first repetition of what was said in it.
const TALK: u64 = 200;
/// Milliseconds after which a round ends even if some machine neither sealed nor asked for a view.
const ROUND: u64 = 2 * VIEW_TIMEOUT_CAP;
/// Milliseconds that a message takes: what two twins say at once arrives at some from the one
/// first, at others from the other.
const NEAR: u64 = 5;
const FAR: u64 = 10;
/// The longest view timeouts that the correct ones may need to seal two more blocks after healing:
/// each of f twins leads badly, the others may have to come to the view of the foremost, and one
/// leader may wait for a heartbeat.
pub(crate) const fn patience(n: usize) -> u64 {
    (n as u64 - 1) / 3 + 3
}

#[derive(Debug)]
enum Event {
    Message { to: usize, message: Rc<Verified<Message>> },
    Blocks { to: usize, blocks: Vec<Block> },
}

#[derive(Debug)]
pub(crate) struct Arena<'a> {
    family: &'a Family,
    edge: &'a mut Edge,
    flaw: Flaw,
    now: u64,
    nodes: Vec<Node>,
    letter: Letter,
    /// Nobody hears anybody.
    silent: bool,
    /// Wishes for another view that were said into the silence, the last one of each machine.
    held: BTreeMap<usize, Message>,
    queue: BTreeMap<(u64, u64), Event>,
    serial: u64,
    fetches: u64,
    /// Whether each machine asked for a view in this round.
    asked: Vec<bool>,
    /// Whether Commits were sent in each round while the network was up.
    pub(crate) sent_commits: Vec<bool>,
    pub(crate) watch: Watch,
    pub(crate) delivered: u64,
    /// A digest of all that was delivered, in order.
    pub(crate) trace: u64,
}

impl<'a> Arena<'a> {
    pub(crate) fn new(family: &'a Family, edge: &'a mut Edge, flaw: Flaw) -> Self {
        let cast = &family.cast;
        let node = |machine: usize| {
            Node::new(cast.n(), cast.validator(machine), family.rotation, machine as u64)
        };
        let mut arena = Self {
            family,
            edge,
            flaw,
            now: 0,
            nodes: (0..cast.size()).map(node).collect(),
            letter: Letter::together(cast),
            silent: true,
            held: BTreeMap::new(),
            queue: BTreeMap::new(),
            serial: 0,
            fetches: 0,
            asked: vec![false; cast.size()],
            sent_commits: Vec::new(),
            watch: Watch::new(cast),
            delivered: 0,
            trace: 0xcbf2_9ce4_8422_2325,
        };
        arena.start_all();
        arena
    }

    fn machines(&self) -> std::ops::Range<usize> {
        0..self.nodes.len()
    }

    fn start_all(&mut self) {
        for machine in self.machines() {
            let effects = self.nodes[machine].start(self.now);
            self.carry_out(machine, effects);
        }
    }

    /// One round: its network for a while, then what its family does until the timers have run out.
    pub(crate) fn round(&mut self, number: u64, letter: &Letter) {
        let began: Vec<Height> = self.nodes.iter().map(Node::height).collect();
        self.letter = letter.clone();
        self.silent = false;
        self.asked.fill(false);
        self.sent_commits.push(false);
        for machine in self.machines() {
            let group = letter.group(machine) as u64;
            self.hand_over(machine, 10 * number + group);
            if self.family.cast.copy(machine) == 1 {
                // Something that nobody else has: what the twins propose differs.
                self.hand_over(machine, 1_000 + 10 * number + machine as u64);
            }
        }
        self.let_arrive();
        let end = self.now + ROUND;
        self.run_until(self.now + TALK, |_| false);
        self.silent = self.family.between != Between::Talk;
        if self.family.between == Between::EarlyCut {
            self.cut_power();
        }
        self.run_until(end, |arena| {
            let settled = |machine: usize| {
                let node = &arena.nodes[machine];
                let leaves = node.replica.as_ref().is_some_and(|it| it.status().changing_view);
                node.height() > began[machine] || arena.asked[machine] || leaves
            };
            arena.queue.is_empty() && arena.machines().all(settled)
        });
        if self.family.between == Between::LateCut {
            self.cut_power();
        }
        self.watch.check(&self.family.cast, &self.nodes, self.edge);
    }

    /// Everything is together again and holds every submission. Says how long it took the correct
    /// ones to seal two blocks more than anybody had.
    pub(crate) fn heal(&mut self) -> u64 {
        let cast = &self.family.cast;
        let correct = cast.correct();
        let (began, goal) = (self.now, self.highest().next().next());
        self.letter = Letter::together(cast);
        self.silent = false;
        let mut waiting = Vec::new();
        for node in &self.nodes {
            for (_, it) in &node.pending {
                if !waiting.contains(it) {
                    waiting.push(it.clone());
                }
            }
        }
        for machine in self.machines() {
            for it in &waiting {
                let effects = self.nodes[machine].admit(self.now, it.clone());
                self.carry_out(machine, effects);
            }
        }
        self.let_arrive();
        let end = began + patience(cast.n()) * VIEW_TIMEOUT_CAP + HEARTBEAT;
        let there = |arena: &Self| correct.iter().all(|it| arena.nodes[*it].height() >= goal);
        if !self.run_until(end, there) {
            self.watch.stood_still(&self.family.cast, &self.nodes);
        }
        self.watch.check(&self.family.cast, &self.nodes, self.edge);
        self.now - began
    }

    /// Validators of which a correct machine reported a fault.
    pub(crate) fn accused(&self) -> usize {
        self.watch.accused(&self.family.cast, &self.nodes)
    }

    fn highest(&self) -> Height {
        self.nodes.iter().map(Node::height).max().unwrap_or_default()
    }

    fn hand_over(&mut self, machine: usize, number: u64) {
        let effects = self.nodes[machine].admit(self.now, submission(number));
        self.carry_out(machine, effects);
    }

    /// What was said into the silence arrives.
    fn let_arrive(&mut self) {
        for (from, message) in std::mem::take(&mut self.held) {
            self.transmit(from, None, &message);
        }
    }

    /// All machines lose what is in memory, and what is on the way.
    fn cut_power(&mut self) {
        self.queue.clear();
        for machine in self.machines() {
            self.nodes[machine].crash();
            self.watch.lost_power(machine);
            if let Flaw::Forgets(lost) = self.flaw
                && !self.family.cast.is_twin(machine)
            {
                self.nodes[machine].forget(|promise| lost.has(promise));
            }
        }
        self.start_all();
    }

    /// Lets time pass until `done`, or until `end`. Says whether it was done.
    fn run_until(&mut self, end: u64, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) {
            let event = self.queue.keys().next().map(|(time, _)| *time);
            let tick = self.next_deadline().filter(|(time, _)| event.is_none_or(|it| *time < it));
            let time = tick.map(|(time, _)| time).or(event);
            let Some(time) = time.filter(|time| *time <= end) else {
                self.now = end;
                return done(self);
            };
            self.now = self.now.max(time);
            match (tick, self.queue.pop_first()) {
                (Some((_, machine)), event) => {
                    self.queue.extend(event);
                    let effects = self.nodes[machine].step(self.now, Input::Tick);
                    self.carry_out(machine, effects);
                }
                (None, Some((_, Event::Message { to, message }))) => self.deliver(to, &message),
                (None, Some((_, Event::Blocks { to, blocks }))) => self.hand_blocks(to, blocks),
                (None, None) => unreachable!("there is an event if there is no tick"),
            }
        }
        true
    }

    fn next_deadline(&self) -> Option<(u64, usize)> {
        let due = |machine: usize| {
            let deadline = self.nodes[machine].replica.as_ref()?.deadline()?;
            Some((deadline.get().max(self.now), machine))
        };
        self.machines().filter_map(due).min()
    }

    fn deliver(&mut self, to: usize, message: &Rc<Verified<Message>>) {
        self.note_delivery(to, message);
        let cast = &self.family.cast;
        let watched = !cast.is_twin(to) && cast.twins().contains(&message.from.position());
        let before = self.nodes[to].replica.as_ref().map(Replica::status);
        let effects = self.nodes[to].step(self.now, Input::Message((**message).clone()));
        if let Flaw::SaysNothing = self.flaw {
            self.nodes[to].faults.clear();
        }
        if let (true, Some(before)) = (watched, before) {
            self.note_heard(to, &before, message, &effects);
        }
        self.carry_out(to, effects);
    }

    /// Blocks from another machine. If they are not of the chain that this one has, two blocks were
    /// sealed.
    fn hand_blocks(&mut self, to: usize, blocks: Vec<Block>) {
        let mine = self.nodes[to].blocks.last().map(|block| &block.header);
        let next = blocks
            .iter()
            .find(|block| Some(block.header.height) == mine.map(|it| it.height.next()));
        if let (Some(mine), Some(next)) = (mine, next)
            && next.header.parent != mine.hash()
        {
            self.watch.forked(mine.height);
            return;
        }
        let effects = self.nodes[to].take_blocks(self.now, blocks);
        self.carry_out(to, effects);
    }

    fn note_delivery(&mut self, to: usize, message: &Message) {
        self.delivered += 1;
        let signature = message.signature.0.first_chunk().copied().map_or(0, u64::from_be_bytes);
        for part in [self.now, to as u64, signature] {
            self.trace = mix(self.trace, part);
        }
    }

    fn note_heard(&mut self, to: usize, before: &Status, message: &Message, effects: &[Effect]) {
        let voted = effects.iter().find_map(|effect| match effect {
            Effect::Broadcast(said) => prepare_vote(said),
            _ => None,
        });
        self.watch.heard((to, &self.nodes[to]), before, message, voted);
    }

    fn carry_out(&mut self, from: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Broadcast(message) => self.say(from, None, message),
                Effect::Send(to, message) => self.say(from, Some(to), message),
                Effect::Fetch { to, from: named } => self.fetch(from, to, named),
            }
        }
    }

    fn say(&mut self, from: usize, to: Option<ValidatorIndex>, message: Message) {
        let cast = &self.family.cast;
        let own = message.from.position() == cast.validator(from);
        let bent = own && !cast.is_twin(from);
        let message = if bent { self.flaw.bend(message) } else { message };
        if own {
            self.watch.said(from, &message);
        }
        if let MessageBody::ViewChange { .. } = message.body {
            self.asked[from] = true;
            if self.silent {
                self.held.insert(from, message);
                return;
            }
        }
        if !self.silent {
            self.transmit(from, to, &message);
        }
    }

    fn transmit(&mut self, from: usize, to: Option<ValidatorIndex>, message: &Message) {
        if self.flaw.loses(message) {
            return;
        }
        let passed = self.edge.pass(message);
        let is_commit = matches!(message.body, MessageBody::Commit { .. });
        if let (true, Some(sent)) = (is_commit, self.sent_commits.last_mut()) {
            *sent = true;
        }
        let cast = &self.family.cast;
        let sender = cast.validator(from);
        for machine in self.machines() {
            let place = cast.validator(machine);
            let meant = place != sender && to.is_none_or(|to| to == index(place));
            if meant && self.letter.lets(from, machine, is_commit) {
                let near = (cast.copy(from) + place).is_multiple_of(2);
                let message = Rc::clone(&passed);
                let delay = if near { NEAR } else { FAR };
                self.later(delay, Event::Message { to: machine, message });
            }
        }
    }

    /// Asks the one named, and every other time somebody else, as a driver does.
    fn fetch(&mut self, machine: usize, to: Height, named: ValidatorIndex) {
        self.fetches += 1;
        let mine = self.nodes[machine].height();
        let has_more = |other: &usize| {
            let near = !self.silent && self.letter.lets(*other, machine, false);
            near && self.nodes[*other].height() > mine
        };
        let asked = self.family.cast.machines_of(named.position()).into_iter().find(has_more);
        let other = if self.fetches.is_multiple_of(2) {
            self.machines().rev().find(has_more)
        } else {
            None
        };
        let Some(source) = other.or(asked) else { return };
        let wanted = |block: &&Block| block.header.height > mine && block.header.height <= to;
        let blocks: Vec<Block> = self.nodes[source].blocks.iter().filter(wanted).cloned().collect();
        self.later(2 * FAR, Event::Blocks { to: machine, blocks });
    }

    fn later(&mut self, delay: u64, event: Event) {
        self.serial += 1;
        self.queue.insert((self.now + delay, self.serial), event);
    }
}

fn prepare_vote(message: &Message) -> Option<Hash> {
    match message.body {
        MessageBody::Prepare { digest, .. } => Some(digest),
        _ => None,
    }
}
