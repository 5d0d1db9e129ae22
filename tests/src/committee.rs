//! Real chains in one thread: no socket, no disk, and time that moves only when nothing else is
//! left to do. The same submissions give the same blocks, to the byte.

mod case;
mod governance;

pub use case::{NotarisedRecord, notarise_case};
pub use governance::notarise_governance;

use crate::{
    consortium::{self, Purpose, SUITE},
    limits,
    trouble::{Trouble, ensure},
};
use probata_consensus::Message;
use probata_genesis::Genesis;
use probata_ledger::{LedgerReader, MemoryStorage, MemoryStore};
use probata_node::{
    chain::{Chain, ChainSetup, Effect},
    evidence::{self, Options},
    handle::Command,
    metrics::Metrics,
    network::NodeId,
};
use probata_types::{
    EvidenceFile, Height, Millis, Now, RecordId, Submission, Timestamp, Verified, limits as types,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The validators of a consortium, each with its chain.
pub struct Committee {
    genesis: Arc<Genesis>,
    chains: Vec<Chain>,
    nodes: BTreeMap<NodeId, usize>,
    now: Now,
    queue: VecDeque<(usize, Verified<Message>)>,
    sent: Vec<Message>,
}

impl Committee {
    /// A consortium of so many validators whose chain begins at `begin`.
    ///
    /// # Errors
    /// [`Trouble`] if a chain cannot be opened.
    pub fn new(validators: u16, begin: Timestamp) -> Result<Self, Trouble> {
        let genesis = Arc::new(consortium::genesis(validators, begin));
        let members = (0..validators).map(|number| {
            let node = consortium::pair(number, Purpose::Node).public();
            let setup = ChainSetup {
                genesis: Arc::clone(&genesis),
                keypairs: vec![consortium::pair(number, Purpose::Validator)],
                storage: Arc::new(MemoryStorage::default()),
                store: Arc::new(MemoryStore::default()),
                metrics: Arc::new(Metrics::new()),
            };
            Ok::<_, Trouble>((NodeId::from_bytes(node.0)?, setup))
        });
        let members = members.collect::<Result<Vec<_>, _>>()?;
        Self::of(genesis, members, begin.saturating_add(1))
    }

    /// Validators of any chain, by their identities on the mesh; a quorum is enough.
    ///
    /// # Errors
    /// [`Trouble`] if a chain cannot be opened.
    pub fn of(
        genesis: Arc<Genesis>,
        members: Vec<(NodeId, ChainSetup)>,
        wall: Timestamp,
    ) -> Result<Self, Trouble> {
        let now = Now { monotonic: Millis::ZERO, wall };
        let mut committee = Self {
            genesis,
            chains: Vec::new(),
            nodes: BTreeMap::new(),
            now,
            queue: VecDeque::new(),
            sent: Vec::new(),
        };
        let mut started = Vec::new();
        for (number, (node, setup)) in members.into_iter().enumerate() {
            let (chain, effects) = Chain::open(setup, now, &|_, _| ())?;
            committee.nodes.insert(node, number);
            committee.chains.push(chain);
            started.push(effects);
        }
        for (from, effects) in started.into_iter().enumerate() {
            committee.obey(from, effects)?;
        }
        Ok(committee)
    }

    /// Forgets the messages that were sent so far: a long history would fill the memory.
    pub fn forget_sent(&mut self) {
        self.sent.clear();
    }

    /// Ends all chains in order.
    ///
    /// # Errors
    /// [`Trouble`] if a disk fails.
    pub fn close(self) -> Result<(), Trouble> {
        Ok(self.chains.into_iter().try_for_each(Chain::close)?)
    }

    /// What all of them share.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The time on every validator's clock.
    pub const fn now(&self) -> Timestamp {
        self.now.wall
    }

    /// What the first validator has committed.
    pub fn reader(&self) -> LedgerReader {
        self.chains[0].reader()
    }

    /// Every message that was sent since the start, in order.
    pub fn sent(&self) -> &[Message] {
        &self.sent
    }

    /// Hands a submission to every validator and waits until all have sealed it.
    ///
    /// # Errors
    /// [`Trouble`] if it is not sealed within some views.
    pub fn seal(&mut self, submission: &Submission) -> Result<Height, Trouble> {
        let checked = submission.clone().verify(&self.genesis.chain())?;
        for to in 0..self.chains.len() {
            let submission = checked.clone();
            self.command(to, Command::Submit { submissions: vec![submission], answer: None })?;
        }
        let id = submission.id();
        for _ in 0..limits::COMMITTEE_STEPS {
            let places = self.chains.iter().map(|chain| chain.reader().submission(&id));
            let places = places.collect::<Result<Vec<_>, _>>()?;
            if let Some(Some(first)) = places.iter().find(|_| places.iter().all(Option::is_some)) {
                return Ok(first.height);
            }
            self.go_on()?;
        }
        Err(Trouble::new(format!("submission {id} was not sealed: it was refused, or lost")))
    }

    /// Goes on until every validator is at `height` or above; the heartbeat alone brings it there.
    ///
    /// # Errors
    /// [`Trouble`] if it does not come.
    pub fn reach(&mut self, height: Height) -> Result<(), Trouble> {
        for _ in 0..limits::COMMITTEE_STEPS {
            if self.chains.iter().all(|chain| chain.status().height >= height) {
                return Ok(());
            }
            self.go_on()?;
        }
        Err(Trouble::new(format!("height {height} was not reached")))
    }

    /// The evidence file of a sealed record.
    ///
    /// # Errors
    /// [`Trouble`] if there is none.
    pub fn evidence(&self, record: &RecordId, events: bool) -> Result<EvidenceFile, Trouble> {
        let options = Options { events, checkpoints: [None; 2], made_at: self.now.wall };
        let file = evidence::assemble(&self.reader(), &self.genesis, record, options)?;
        file.ok_or_else(|| Trouble::new(format!("record {record} is not sealed")))
    }

    /// Delivers one message; if none is under way, does what is due; if nothing is, lets time pass.
    fn go_on(&mut self) -> Result<(), Trouble> {
        if let Some((to, message)) = self.queue.pop_front() {
            let message = Box::new(message);
            return self.command(to, Command::Message { message, epoch: 0 });
        }
        let due = self.chains.iter().map(Chain::deadline).min().unwrap_or(Millis::MAX);
        let wait = due.since(self.now.monotonic);
        self.now.monotonic = self.now.monotonic.saturating_add(wait);
        self.now.wall = self.now.wall.saturating_add(wait);
        for at in 0..self.chains.len() {
            if self.chains[at].deadline() <= self.now.monotonic {
                let effects = self.chains[at].tick(self.now)?;
                self.obey(at, effects)?;
            }
        }
        Ok(())
    }

    fn command(&mut self, to: usize, command: Command) -> Result<(), Trouble> {
        let effects = self.chains[to].handle(self.now, command)?;
        self.obey(to, effects)
    }

    /// Carries messages; all else that a chain asks of the world is not needed where nothing is
    /// lost.
    fn obey(&mut self, from: usize, effects: Vec<Effect>) -> Result<(), Trouble> {
        for effect in effects {
            match effect {
                Effect::Broadcast(message) => {
                    let others = (0..self.chains.len()).filter(|to| *to != from);
                    let others: Vec<usize> = others.collect();
                    self.carry(message, &others)?;
                }
                Effect::Send(node, message) => {
                    let to = self.nodes.get(&node).copied();
                    self.carry(message, &to.into_iter().collect::<Vec<_>>())?;
                }
                Effect::Fault(fault) => {
                    return Err(Trouble::new(format!(
                        "an honest validator is at fault: {fault:?}"
                    )));
                }
                Effect::Forward(_)
                | Effect::Fetch { .. }
                | Effect::Sealed { .. }
                | Effect::Membership(_)
                | Effect::Frozen(_)
                | Effect::Announce(_) => {}
            }
        }
        Ok(())
    }

    fn carry(&mut self, message: Message, to: &[usize]) -> Result<(), Trouble> {
        let (chain, set) = (self.genesis.chain(), self.genesis.validator_set());
        let waiting = self.queue.len() + to.len();
        ensure(waiting <= limits::COMMITTEE_STEPS, || "messages pile up".to_owned())?;
        // All hear the same bytes: one check serves for all.
        let checked = message.clone().verify(SUITE, &chain, set)?;
        self.queue.extend(to.iter().map(|to| (*to, checked.clone())));
        self.sent.push(message);
        Ok(())
    }
}

const _: () = assert!(types::VALIDATORS * types::VALIDATORS < limits::COMMITTEE_STEPS);
