//! Real chains in one false world: a clock that moves only when nothing is left to do, links that can be
//! cut, disks that forget what was not synced. Everything that travels does so as bytes.
//!
//! The cluster watches all the time: a validator that contradicts what it once said, or a node whose
//! blocks are not everybody's, fails whatever test is running.

mod answers;
mod carry;
mod links;
mod writer;

pub use answers::{Answers, Serve};
pub use writer::Client;

use crate::{
    consortium::{self, Purpose},
    disk::ForgetfulDisk,
    gate::Gate,
    history::History,
    limits,
    machine::Machine,
    store::ForgetfulStore,
    trouble::{Trouble, ensure},
    watch::Watch,
};
use carry::Carried;
use probata_consensus::{Fault, Message, MessageBody};
use probata_genesis::{Genesis, Parameters};
use probata_ledger::LedgerReader;
use probata_node::{
    chain::{Chain, ChainError, Effect},
    handle::{Admission, ChainStatus, Command},
    network::NodeId,
};
use probata_types::{Header, Height, Keypair, Millis, Now, Submission, ValidatorIndex};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use tokio::sync::oneshot;

/// Nodes of one consortium: its validators by their numbers, and after them one member node.
pub struct Cluster {
    gate: Gate,
    nodes: Vec<Machine>,
    places: BTreeMap<NodeId, usize>,
    now: Now,
    members: usize,
    queue: VecDeque<Carried>,
    links: links::Links,
    /// How far wall clocks are off, in milliseconds.
    clocks: BTreeMap<usize, i64>,
    /// Answers under way that never come; the one who asked gives up at its time.
    given_up: Vec<(Millis, usize, NodeId)>,
    cuts: BTreeSet<(usize, usize)>,
    answers: BTreeMap<usize, Answers>,
    watch: Watch,
    history: History,
    /// Whether heights that nodes announce are lost.
    pub announcements_are_lost: bool,
    /// Who asked whom for blocks, in order.
    pub fetches: Vec<(usize, usize)>,
    /// Faults that a node proved, and which.
    pub faults: Vec<(usize, Arc<Fault>)>,
}

impl Cluster {
    /// A consortium of so many validators and a member node, all started.
    ///
    /// # Errors
    /// [`Trouble`] if a chain cannot be opened.
    pub fn new(validators: u16) -> Result<Self, Trouble> {
        let genesis = consortium::genesis_with_member(validators, consortium::BEGIN);
        let machines = (0..=validators).map(|number| Machine::new(number, number < validators));
        Self::of(genesis, machines.collect::<Result<_, _>>()?, 1)
    }

    /// The same with any number of member nodes, each of which has a key for a seat to come.
    ///
    /// # Errors
    /// [`Trouble`] if a chain cannot be opened.
    pub fn with_candidates(validators: u16, candidates: u16) -> Result<Self, Trouble> {
        let parameters = Parameters { heartbeat: Millis::new(10_000), ..Parameters::recommended() };
        let genesis = consortium::genesis_of(validators, candidates, parameters);
        let machines = (0..validators + candidates).map(|number| Machine::new(number, true));
        Self::of(genesis, machines.collect::<Result<_, _>>()?, usize::from(candidates))
    }

    fn of(genesis: Genesis, nodes: Vec<Machine>, members: usize) -> Result<Self, Trouble> {
        let genesis = Arc::new(genesis);
        let places = nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
        let mut cluster = Self {
            gate: Gate::new(genesis),
            places,
            now: Now { monotonic: Millis::ZERO, wall: consortium::BEGIN.saturating_add(1) },
            members,
            queue: VecDeque::new(),
            links: links::Links::default(),
            clocks: BTreeMap::new(),
            given_up: Vec::new(),
            cuts: BTreeSet::new(),
            answers: BTreeMap::new(),
            watch: Watch::default(),
            history: History::default(),
            announcements_are_lost: false,
            fetches: Vec::new(),
            faults: Vec::new(),
            nodes,
        };
        (0..cluster.nodes.len()).try_for_each(|at| cluster.start(at))?;
        Ok(cluster)
    }

    /// What all of them share.
    pub fn genesis(&self) -> &Genesis {
        self.gate.genesis()
    }

    /// The time on every node's clocks.
    pub const fn now(&self) -> Now {
        self.now
    }

    /// How many validators genesis has; also the place of the first member node.
    pub fn validators(&self) -> usize {
        self.nodes.len() - self.members
    }

    /// Gives a stopped node one key more, for a seat to come.
    pub fn add_key(&mut self, at: usize, key: Keypair) {
        self.nodes[at].keys.push(key);
    }

    /// What a node says of itself.
    ///
    /// # Panics
    /// If it is stopped.
    pub fn status(&self, at: usize) -> ChainStatus {
        self.chain(at).status()
    }

    /// What a node has committed.
    ///
    /// # Panics
    /// If it is stopped.
    pub fn reader(&self, at: usize) -> LedgerReader {
        self.chain(at).reader()
    }

    /// The identity of a node on the mesh.
    pub fn id(&self, at: usize) -> NodeId {
        self.nodes[at].id
    }

    /// A node's disk.
    pub fn disk(&self, at: usize) -> &ForgetfulDisk {
        &self.nodes[at].disk
    }

    /// Gives a node a command.
    ///
    /// # Errors
    /// [`Trouble`] if the node must stop of it, or one of its effects shows a contradiction.
    pub fn command(&mut self, at: usize, command: Command) -> Result<(), Trouble> {
        let Some(chain) = &mut self.nodes[at].chain else { return Ok(()) };
        let now = links::now_at(&self.clocks, at, self.now);
        let effects = chain.handle(now, command)?;
        self.obey(at, effects)
    }

    /// Offers a submission to a node, as its API does.
    ///
    /// # Errors
    /// [`Trouble`] as [`Cluster::command`], or if the node says nothing.
    pub fn submit(&mut self, at: usize, submission: &Submission) -> Result<Admission, Trouble> {
        let submissions = vec![self.gate.submission(submission.clone())?];
        let (answer, mut admissions) = oneshot::channel();
        self.command(at, Command::Submit { submissions, answer: Some(answer) })?;
        admissions.try_recv()?.pop().ok_or_else(|| Trouble::new("one answer too few"))
    }

    /// Starts a node from what its disk holds.
    ///
    /// # Errors
    /// [`Trouble`] as [`Cluster::try_start`].
    pub fn start(&mut self, at: usize) -> Result<(), Trouble> {
        Ok(self.try_start(at)??)
    }

    /// The same, where the chain may refuse.
    ///
    /// # Errors
    /// [`Trouble`] if what it says at once contradicts what it said before.
    pub fn try_start(&mut self, at: usize) -> Result<Result<(), ChainError>, Trouble> {
        let genesis = Arc::clone(self.gate.genesis());
        let now = links::now_at(&self.clocks, at, self.now);
        let effects = match self.nodes[at].open(&genesis, now) {
            Ok(effects) => effects,
            Err(error) => return Ok(Err(error)),
        };
        self.obey(at, effects)?;
        Ok(Ok(()))
    }

    /// Takes the power from a node.
    pub fn crash(&mut self, at: usize) {
        self.nodes[at].chain = None;
        self.nodes[at].disk.crash();
        let id = self.nodes[at].id;
        self.given_up.retain(|(_, asker, _)| *asker != at);
        self.queue.retain(|carried| !carried.comes_from_or_goes_to(at, id));
        self.links.retain(|carried| !carried.comes_from_or_goes_to(at, id));
    }

    /// Stops a node in an orderly way.
    ///
    /// # Errors
    /// [`Trouble`] if its disk fails.
    pub fn stop(&mut self, at: usize) -> Result<(), Trouble> {
        if let Some(chain) = self.nodes[at].chain.take() {
            chain.close()?;
        }
        self.crash(at);
        Ok(())
    }

    /// A crash, and a start.
    ///
    /// # Errors
    /// [`Trouble`] as [`Cluster::start`].
    pub fn restart(&mut self, at: usize) -> Result<(), Trouble> {
        self.crash(at);
        self.start(at)
    }

    /// Empties what a stopped node derived from its log.
    pub fn wipe_store(&mut self, at: usize) {
        self.nodes[at].store = Arc::new(ForgetfulStore::default());
    }

    /// Gives a stopped node another validator key, or none.
    pub fn set_key(&mut self, at: usize, key: Option<Keypair>) {
        self.nodes[at].keys = key.into_iter().collect();
    }

    /// From here on nothing comes from the one to the other.
    pub fn cut(&mut self, from: usize, to: usize) {
        self.cuts.insert((from, to));
    }

    /// Everything comes through again.
    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    /// How a node answers those who ask it for blocks, from here on.
    pub fn set_answers(&mut self, at: usize, answers: Answers) {
        self.answers.insert(at, answers);
    }

    /// A message as the validator in that place would sign it: for liars. What liars say is not held
    /// against them.
    pub fn sign(&self, validator: u16, body: MessageBody) -> Message {
        let digest = body.digest(consortium::SUITE, &self.genesis().chain());
        let signature = consortium::pair(validator, Purpose::Validator).sign(&digest);
        Message { from: ValidatorIndex(validator), signature, body }
    }

    /// Delivers everything that is under way, and what comes of it, without letting time pass.
    ///
    /// # Errors
    /// [`Trouble`] if it never ends, or a node must stop.
    pub fn deliver_all(&mut self) -> Result<(), Trouble> {
        for _ in 0..limits::COMMITTEE_STEPS {
            if self.deliver_one()? {
                continue;
            }
            if self.due() > self.now.monotonic {
                return Ok(());
            }
            self.tick_due()?;
        }
        Err(Trouble::new("messages went to and fro without end"))
    }

    /// Delivers one message; if none is under way, lets time pass until something is due, and does it.
    ///
    /// # Errors
    /// [`Trouble`] if a node must stop.
    pub fn go_on(&mut self) -> Result<(), Trouble> {
        if !self.deliver_one()? {
            self.advance_to(self.due());
            self.tick_due()?;
        }
        Ok(())
    }

    /// Whether a validator voted Prepare at a height.
    pub fn voted(&self, validator: u16, height: Height) -> bool {
        self.watch.voted(ValidatorIndex(validator), height)
    }

    /// The header of a validator's newest Commit vote.
    pub fn committed(&self, validator: u16) -> Option<&Header> {
        self.watch.committed(ValidatorIndex(validator))
    }

    /// Lets so much time pass, with everything that it brings.
    ///
    /// # Errors
    /// [`Trouble`] as [`Cluster::deliver_all`].
    pub fn pass(&mut self, time: Millis) -> Result<(), Trouble> {
        let until = self.now.monotonic.saturating_add(time.get());
        self.deliver_all()?;
        while self.due() <= until {
            self.advance_to(self.due());
            self.tick_due()?;
            self.deliver_all()?;
        }
        self.advance_to(until);
        Ok(())
    }

    /// Goes on until something holds.
    ///
    /// # Errors
    /// [`Trouble`], naming it, if that takes longer than `time`.
    pub fn until(
        &mut self,
        what: &str,
        time: Millis,
        holds: impl Fn(&Self) -> bool,
    ) -> Result<(), Trouble> {
        let until = self.now.monotonic.saturating_add(time.get());
        loop {
            if holds(self) {
                return Ok(());
            }
            let in_time = self.now.monotonic <= until;
            ensure(in_time, || format!("not within {time} ms: {what}; {}", self.describe()))?;
            self.go_on()?;
        }
    }

    /// Goes on until every running node is at a height or above.
    ///
    /// # Errors
    /// [`Trouble`] as [`Cluster::until`].
    pub fn reach(&mut self, height: Height, time: Millis) -> Result<(), Trouble> {
        let what = format!("height {height} at all nodes");
        self.until(&what, time, |it| it.running().all(|at| it.status(at).height >= height))
    }

    /// The nodes that run.
    pub fn running(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.chain.is_some()).map(|(at, _)| at)
    }

    fn chain(&self, at: usize) -> &Chain {
        self.nodes[at].chain.as_ref().expect("the test asks a node that runs")
    }

    fn due(&self) -> Millis {
        let chains = self.nodes.iter().filter_map(|node| node.chain.as_ref());
        let given_up = self.given_up.iter().map(|(at, ..)| *at);
        let arriving = self.links.due();
        chains.map(Chain::deadline).chain(given_up).chain(arriving).min().unwrap_or(Millis::MAX)
    }

    fn advance_to(&mut self, time: Millis) {
        let wait = time.since(self.now.monotonic);
        self.now.monotonic = self.now.monotonic.saturating_add(wait);
        self.now.wall = self.now.wall.saturating_add(wait);
    }

    fn tick_due(&mut self) -> Result<(), Trouble> {
        let now = self.now;
        self.queue.extend(self.links.arrived(now.monotonic));
        let over = self.given_up.extract_if(.., |(at, ..)| *at <= now.monotonic);
        for (_, asker, from) in over.collect::<Vec<_>>() {
            self.command(asker, Command::FetchFailed { from })?;
        }
        for at in 0..self.nodes.len() {
            let Some(chain) = &mut self.nodes[at].chain else { continue };
            if chain.deadline() <= now.monotonic {
                let effects = chain.tick(links::now_at(&self.clocks, at, now))?;
                self.obey(at, effects)?;
            }
        }
        Ok(())
    }

    fn obey(&mut self, from: usize, effects: Vec<Effect>) -> Result<(), Trouble> {
        effects.into_iter().try_for_each(|effect| self.obey_one(from, effect))
    }

    fn describe(&self) -> String {
        let nodes = self.running().map(|at| {
            let status = self.status(at);
            format!("node {at}: height {}, view {}", status.height, status.view)
        });
        nodes.collect::<Vec<_>>().join("; ")
    }
}
