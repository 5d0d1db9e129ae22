//! Four nodes in one thread, each with a real disk, that speak in the bytes that real ones send. Time moves only when
//! nothing else is left to do.

use crate::{
    consortium::{self, BEGIN, Purpose, SUITE},
    limits,
    trouble::{Trouble, ensure},
};
use probata_genesis::Genesis;
use probata_ledger::{DiskStorage, FjallStore};
use probata_node::{
    chain::{Chain, ChainSetup, Effect},
    edge::Edge,
    handle::Command,
    limits::BATCH_CANONICAL_BYTES,
    metrics::Metrics,
    network::NodeId,
    wire::{Consensus, Leaves},
};
use probata_types::{
    List, Millis, Now, Submission, SubmissionId, Timestamp, Verified, codec, receipt::Batch,
};
use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::Arc,
};

/// Validators; each costs the same.
pub(super) const COUNT: u16 = 4;
/// Bytes of memory for the store's cache: what a node takes by itself.
const CACHE: u64 = 64 * 1_024 * 1_024;

/// Submissions that were checked at an edge.
pub(super) type Checked = Vec<Verified<Submission>>;

/// The nodes of a consortium, and what is under way between them.
pub(super) struct Nodes {
    genesis: Arc<Genesis>,
    nodes: Vec<Node>,
    places: BTreeMap<NodeId, usize>,
    now: Now,
    queue: VecDeque<(usize, Arc<[u8]>)>,
}

struct Node {
    chain: Chain,
    edge: Edge,
}

impl Nodes {
    /// Opens them in folders of their own, at a time.
    ///
    /// # Errors
    /// [`Trouble`] if one cannot be opened.
    pub(super) fn open(folder: &Path, wall: Timestamp) -> Result<Self, Trouble> {
        let genesis = Arc::new(consortium::genesis(COUNT, BEGIN));
        let now = Now { monotonic: Millis::ZERO, wall };
        let (nodes, places, queue) = (Vec::new(), BTreeMap::new(), VecDeque::new());
        let mut all = Self { genesis, nodes, places, now, queue };
        let mut started = Vec::new();
        for number in 0..COUNT {
            let data = folder.join(consortium::name(number));
            std::fs::create_dir_all(&data)?;
            let setup = ChainSetup {
                genesis: Arc::clone(&all.genesis),
                keypairs: vec![consortium::pair(number, Purpose::Validator)],
                storage: Arc::new(DiskStorage::open(&data.join("log"))?),
                store: Arc::new(FjallStore::open(&data.join("derived"), CACHE)?),
                metrics: Arc::new(Metrics::new()),
            };
            let (chain, effects) = Chain::open(setup, now, &|_, _| ())?;
            let edge = Edge::new(all.genesis.chain(), Arc::clone(chain.bodies()));
            let id = consortium::pair(number, Purpose::Node).public();
            all.places.insert(NodeId::from_bytes(id.0)?, all.nodes.len());
            all.nodes.push(Node { chain, edge });
            started.push(effects);
        }
        for (from, effects) in started.into_iter().enumerate() {
            all.obey(from, effects)?;
        }
        Ok(all)
    }

    /// What all of them share.
    pub(super) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The time on every clock.
    pub(super) const fn now(&self) -> Timestamp {
        self.now.wall
    }

    /// Ends all in order.
    ///
    /// # Errors
    /// [`Trouble`] if a disk fails.
    pub(super) fn close(self) -> Result<(), Trouble> {
        Ok(self.nodes.into_iter().try_for_each(|node| node.chain.close())?)
    }

    /// Checks the bytes of a batch at the edge of every node: at that which was asked, and at those which it hands
    /// them on to. `check` is what each does.
    ///
    /// # Errors
    /// [`Trouble`] if one is refused.
    pub(super) fn check(
        &self,
        bytes: &[u8],
        check: fn(&Edge, &[u8]) -> Result<Checked, Trouble>,
    ) -> Result<Vec<Checked>, Trouble> {
        self.nodes.iter().map(|node| check(&node.edge, bytes)).collect()
    }

    /// Offers each node its checked submissions and goes on until every one has committed them all.
    ///
    /// # Errors
    /// [`Trouble`] if that takes more than some views.
    pub(super) fn seal(&mut self, checked: Vec<Checked>) -> Result<(), Trouble> {
        let last = checked.iter().flatten().last().map(|one| one.id());
        for (to, submissions) in checked.into_iter().enumerate() {
            self.command(to, Command::Submit { submissions, answer: None })?;
        }
        for _ in 0..limits::COMMITTEE_STEPS {
            // Whoever has committed a submission no longer waits for it.
            if self.nodes.iter().all(|node| node.chain.status().pending_submissions == 0) {
                return self.have(last);
            }
            self.go_on()?;
        }
        Err(Trouble::new("a batch was not sealed"))
    }

    /// An error unless every node has committed the last of a batch: one that was refused waits nowhere either.
    fn have(&self, last: Option<SubmissionId>) -> Result<(), Trouble> {
        for node in &self.nodes {
            let place = last.map(|id| node.chain.reader().submission(&id)).transpose()?;
            ensure(place.flatten().is_some(), || "a submission was refused".to_owned())?;
        }
        Ok(())
    }

    /// Delivers one frame; if none is under way, does what is due; if nothing is, lets time pass.
    fn go_on(&mut self) -> Result<(), Trouble> {
        if let Some((to, bytes)) = self.queue.pop_front() {
            return self.deliver(to, &bytes);
        }
        let due = self.nodes.iter().map(|node| node.chain.deadline()).min().unwrap_or(Millis::MAX);
        let wait = due.since(self.now.monotonic);
        self.now.monotonic = self.now.monotonic.saturating_add(wait);
        self.now.wall = self.now.wall.saturating_add(wait);
        for at in 0..self.nodes.len() {
            let chain = &mut self.nodes[at].chain;
            if chain.deadline() <= self.now.monotonic {
                let effects = chain.tick(self.now)?;
                self.obey(at, effects)?;
            }
        }
        Ok(())
    }

    /// Checks a frame as a node does that hears it, and hands it to the chain.
    fn deliver(&mut self, to: usize, bytes: &[u8]) -> Result<(), Trouble> {
        let node = &self.nodes[to];
        let (message, leaves) = match Consensus::decode(bytes)? {
            Consensus::Whole(message) => (message, Leaves::empty()),
            Consensus::Named { message, leaves } => (message, leaves),
        };
        let found: Option<Vec<_>> = node.chain.bodies().find(&leaves).into_iter().collect();
        let message = match found {
            Some(found) if !found.is_empty() => Consensus::fill(message, List::new(found)?),
            Some(_) => message,
            None => return Err(Trouble::new("a proposal names what was not handed on")),
        };
        let set = self.genesis.validator_set();
        let message = message.verify(SUITE, &self.genesis.chain(), set)?;
        message.proposal().map_or(Ok(()), |proposal| node.edge.check_proposal(proposal))?;
        self.command(to, Command::Message { message: Box::new(message), epoch: 0 })
    }

    fn command(&mut self, to: usize, command: Command) -> Result<(), Trouble> {
        let effects = self.nodes[to].chain.handle(self.now, command)?;
        self.obey(to, effects)
    }

    /// Carries messages; all else that a chain asks of the world is not needed where nothing is lost.
    fn obey(&mut self, from: usize, effects: Vec<Effect>) -> Result<(), Trouble> {
        for effect in effects {
            let (message, to): (_, Vec<usize>) = match effect {
                Effect::Broadcast(message) => {
                    (message, (0..self.nodes.len()).filter(|to| *to != from).collect())
                }
                Effect::Send(node, message) => {
                    (message, self.places.get(&node).copied().into_iter().collect())
                }
                _ => continue,
            };
            let bytes: Arc<[u8]> = Consensus::of(&message).encode().into();
            self.queue.extend(to.into_iter().map(|to| (to, Arc::clone(&bytes))));
        }
        let waiting = self.queue.len();
        ensure(waiting <= limits::COMMITTEE_STEPS, || "messages pile up".to_owned())
    }
}

/// Bytes to checked submissions, as a node does for a batch and for what another one hands on.
///
/// # Errors
/// [`Trouble`] if one is refused.
pub(super) fn check(edge: &Edge, bytes: &[u8]) -> Result<Checked, Trouble> {
    let batch: Batch = codec::decode(bytes, BATCH_CANONICAL_BYTES)?;
    let checked = edge.check_each(batch.submissions.into_vec());
    Ok(checked.into_iter().collect::<Result<_, _>>()?)
}
