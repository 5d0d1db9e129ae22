//! A false world: one clock, one queue of what is to happen, a network that delays, loses, repeats, changes
//! and cuts. Everything in it follows from one seed.

use crate::{
    fixtures::{CHAIN, SUITE, set},
    liar::{self, Lie},
    node::{Block, Effect, Node},
    recorder::Recorder,
    rng::Rng,
};
use probata_consensus::{Input, Message};
use probata_types::{Domain, Hash, Height, Submission, ValidatorIndex, ValidatorSet, Verified};
use std::collections::{BTreeMap, BTreeSet};

/// What the network does to messages. Chances are of a thousand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    pub(crate) delay: (u64, u64),
    pub(crate) loss: u64,
    pub(crate) repeat: u64,
    pub(crate) change: u64,
}

impl Network {
    pub(crate) const CALM: Self = Self { delay: (1, 20), loss: 0, repeat: 0, change: 0 };
}

#[derive(Debug)]
enum Event {
    Message { to: usize, message: Box<Verified<Message>> },
    Submission { to: usize, submission: Box<Submission> },
    Blocks { to: usize, blocks: Vec<Block> },
    Start(usize),
    Complain,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) rng: Rng,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    pub(crate) liars: BTreeMap<usize, Lie>,
    /// The validator whose clock is off.
    pub(crate) off: Option<usize>,
    /// Pairs of validators that do not hear each other.
    cut: BTreeSet<(usize, usize)>,
    set: ValidatorSet,
    queue: BTreeMap<(u64, u64), Event>,
    serial: u64,
    fetches: u64,
    recorder: Recorder,
    sealed: BTreeMap<Height, Hash>,
    checked: Vec<usize>,
    /// What passed the edge lately, by its bytes: what is sent to all is checked once.
    passed: BTreeMap<Hash, Verified<Message>>,
    /// Messages that were delivered, for people.
    pub(crate) delivered: u64,
}

impl World {
    pub(crate) fn new(n: usize, rotation: u64, seed: u64) -> Self {
        let node = |me: usize| Node::new(n, me, rotation, seed ^ (me as u64) << 32);
        let mut world = Self {
            now: 0,
            rng: Rng::new(seed),
            network: Network::CALM,
            nodes: (0..n).map(node).collect(),
            liars: BTreeMap::new(),
            off: None,
            cut: BTreeSet::new(),
            set: set(n),
            queue: BTreeMap::new(),
            serial: 0,
            fetches: 0,
            recorder: Recorder::default(),
            sealed: BTreeMap::new(),
            checked: vec![0; n],
            passed: BTreeMap::new(),
            delivered: 0,
        };
        for me in 0..n {
            world.start(me);
        }
        world.later(100, Event::Complain);
        world
    }

    fn n(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn correct(&self) -> Vec<usize> {
        (0..self.n()).filter(|node| !self.liars.contains_key(node)).collect()
    }

    pub(crate) fn start(&mut self, node: usize) {
        let effects = self.nodes[node].start(self.now);
        self.carry_out(node, effects);
    }

    pub(crate) fn start_later(&mut self, node: usize, delay: u64) {
        self.later(delay, Event::Start(node));
    }

    /// Repairs a machine, and starts it if it is down.
    pub(crate) fn come_back(&mut self, node: usize) {
        self.nodes[node].crash_after = None;
        if !self.nodes[node].is_up() {
            self.start(node);
        }
    }

    pub(crate) fn stop(&mut self, node: usize) {
        self.nodes[node].crash();
    }

    /// Two groups that do not hear each other.
    pub(crate) fn split(&mut self, group: &[usize]) {
        for one in 0..self.n() {
            for other in 0..self.n() {
                if group.contains(&one) != group.contains(&other) {
                    self.cut.insert((one, other));
                }
            }
        }
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
        self.network = Network::CALM;
    }

    /// A submission reaches every node, sooner or later.
    pub(crate) fn submit(&mut self, number: u64) {
        for to in 0..self.n() {
            self.submit_to(to, number);
        }
    }

    pub(crate) fn submit_to(&mut self, to: usize, number: u64) {
        let submission = Box::new(crate::fixtures::submission(number));
        let delay = self.rng.between(self.network.delay.0, self.network.delay.1 + 1);
        self.later(delay, Event::Submission { to, submission });
    }

    /// Lets `length` milliseconds pass.
    pub(crate) fn run(&mut self, length: u64) {
        self.run_until(self.now + length, |_| false);
    }

    /// Lets time pass until `done`, or until `end`. Says whether it was done.
    pub(crate) fn run_until(&mut self, end: u64, done: impl Fn(&Self) -> bool) -> bool {
        let mut ticks_here = 0;
        while !done(self) {
            let event = self.queue.keys().next().map(|(time, _)| *time);
            let deadline = self.next_deadline();
            let tick = deadline.filter(|(time, _)| event.is_none_or(|event| *time < event));
            let Some(time) = tick.map(|(time, _)| time).or(event).filter(|time| *time <= end)
            else {
                self.now = end;
                return done(self);
            };
            ticks_here = if time > self.now { 0 } else { ticks_here + 1 };
            assert!(ticks_here < 100_000, "time stands still at {}", self.now);
            self.now = self.now.max(time);
            match tick {
                Some((_, node)) => {
                    let effects = self.nodes[node].step(self.now, Input::Tick);
                    self.carry_out(node, effects);
                }
                None => self.next_event(),
            }
            self.check_agreement();
        }
        true
    }

    fn next_deadline(&self) -> Option<(u64, usize)> {
        self.nodes
            .iter()
            .filter_map(|node| {
                let deadline = node.replica.as_ref()?.deadline()?;
                Some((deadline.get().max(self.now), node.me))
            })
            .min()
    }

    fn next_event(&mut self) {
        let Some((_, event)) = self.queue.pop_first() else { return };
        match event {
            Event::Message { to, message } => {
                if !self.nodes[to].is_up() {
                    return;
                }
                self.delivered += 1;
                self.agree_if_liar(to, &message);
                let effects = self.nodes[to].step(self.now, Input::Message(*message));
                self.carry_out(to, effects);
            }
            Event::Submission { to, submission } => {
                let effects = self.nodes[to].admit(self.now, *submission);
                self.carry_out(to, effects);
            }
            Event::Blocks { to, blocks } => {
                let effects = self.nodes[to].take_blocks(self.now, blocks);
                self.carry_out(to, effects);
            }
            Event::Start(node) => {
                if !self.nodes[node].is_up() {
                    self.start(node);
                }
            }
            Event::Complain => {
                for node in 0..self.n() {
                    let effects = self.nodes[node].complain(self.now);
                    self.carry_out(node, effects);
                }
                self.later(100, Event::Complain);
            }
        }
    }

    fn agree_if_liar(&mut self, to: usize, message: &Message) {
        if self.liars.get(&to) == Some(&Lie::YesToAll)
            && let Some(answer) = liar::agree(to, message)
        {
            self.send(to, message.from.position(), &answer);
        }
    }

    fn carry_out(&mut self, from: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Broadcast(message) => {
                    for to in (0..self.n()).filter(|to| *to != from) {
                        self.say(from, to, &message);
                    }
                }
                Effect::Send(to, message) => self.say(from, to.position(), &message),
                Effect::Fetch { to, from: source } => self.fetch(from, to, source),
            }
        }
    }

    fn say(&mut self, from: usize, to: usize, message: &Message) {
        match self.liars.get(&from).copied() {
            None => {
                // A NewView is also handed on by others than its sender.
                if message.from.position() == from {
                    self.recorder.note(message);
                }
                self.send(from, to, message);
            }
            Some(lie) => {
                let place = crate::fixtures::index(to);
                let bent = liar::bend(lie, (self.n(), from), place, message, &mut self.rng);
                for message in bent {
                    self.send(from, to, &message);
                }
            }
        }
    }

    /// Over the wire: bytes, and the check of the edge.
    fn send(&mut self, from: usize, to: usize, message: &Message) {
        let (Network { loss, repeat, change, .. }, n) = (self.network, self.n());
        assert!(to < n && from < n, "validators only");
        if self.cut.contains(&(from, to)) || self.rng.chance(loss) {
            return;
        }
        let mut bytes = message.encode();
        if self.rng.chance(change) {
            let place = self.rng.place(bytes.len());
            bytes[place] ^= 1 << self.rng.place(8);
            let good = Message::decode(&bytes)
                .is_ok_and(|message| message.verify(SUITE, &CHAIN, &self.set).is_ok());
            assert!(!good, "a changed message passed: {message:?}");
            return;
        }
        let Some(verified) = self.pass_edge(&bytes) else {
            assert!(self.liars.contains_key(&from), "{from} sent what does not hold: {message:?}");
            return;
        };
        let copies = if self.rng.chance(repeat) { 2 } else { 1 };
        for _ in 0..copies {
            let message = Box::new(verified.clone());
            let (low, high) = self.network.delay;
            let delay = self.rng.between(low, high + 1);
            self.later(delay, Event::Message { to, message });
        }
    }

    fn pass_edge(&mut self, bytes: &[u8]) -> Option<Verified<Message>> {
        let key = SUITE.hash(Domain::Head, &[bytes]);
        if let Some(verified) = self.passed.get(&key) {
            return Some(verified.clone());
        }
        let message = Message::decode(bytes).expect("its own bytes");
        let verified = message.verify(SUITE, &CHAIN, &self.set).ok()?;
        if self.passed.len() == 256 {
            self.passed.clear();
        }
        self.passed.insert(key, verified.clone());
        Some(verified)
    }

    /// Asks the one named, and every other time somebody else, as a driver does.
    fn fetch(&mut self, node: usize, to: Height, named: ValidatorIndex) {
        self.fetches += 1;
        let turn = self.fetches % 2 == 1;
        let source = if turn { named.position() } else { self.rng.place(self.n()) };
        let reachable = !self.cut.contains(&(node, source)) && self.nodes[source].is_up();
        let mute = self.liars.get(&source) == Some(&Lie::Mute);
        if !reachable || mute || self.rng.chance(self.network.loss) {
            return;
        }
        let from = self.nodes[node].height();
        let wanted = |block: &&Block| block.header.height > from && block.header.height <= to;
        let blocks: Vec<Block> = self.nodes[source].blocks.iter().filter(wanted).cloned().collect();
        let delay = self.rng.between(self.network.delay.0, self.network.delay.1 + 1) * 2;
        self.later(delay, Event::Blocks { to: node, blocks });
    }

    fn later(&mut self, delay: u64, event: Event) {
        self.serial += 1;
        self.queue.insert((self.now + delay, self.serial), event);
    }

    /// No two correct validators ever hold different blocks at a height, and every seal holds.
    fn check_agreement(&mut self) {
        for node in self.correct() {
            let done = self.checked[node];
            for block in &self.nodes[node].blocks[done..] {
                let (height, hash) = (block.header.height, block.header.hash());
                let first = *self.sealed.entry(height).or_insert(hash);
                assert_eq!(first, hash, "two blocks at height {height}");
                block.seal.verify(&block.header, &self.set).expect("a seal that holds");
            }
            self.checked[node] = self.nodes[node].blocks.len();
            assert!(!self.nodes[node].diverged, "{node} computed something else");
        }
    }

    /// The height that every correct validator has reached.
    pub(crate) fn lowest(&self) -> Height {
        let heights = self.correct().into_iter().map(|node| self.nodes[node].height());
        heights.min().unwrap_or_default()
    }

    pub(crate) fn highest(&self) -> Height {
        let heights = self.correct().into_iter().map(|node| self.nodes[node].height());
        heights.max().unwrap_or_default()
    }
}
