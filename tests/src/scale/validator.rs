//! One validator: a production replica, obeyed as a node's chain thread does, at what that costs.

use super::{
    pool::Pool,
    setting::Setting,
    supply::{CHAIN, Supply},
};
use crate::consortium::{self, BEGIN, Purpose, SUITE};
use probata_consensus::{Head, Input, Message, MessageBody, Output, Replica, Settings};
use probata_types::{
    Domain, Hash, Header, Height, List, Millis, Now, Proposal, ProposalParts, Submission,
    Timestamp, ValidatorIndex, ValidatorSet, Verified, View,
};
use std::collections::{BTreeSet, VecDeque};

/// Nanoseconds in a millisecond: clocks of replicas show whole ones.
const MILLISECOND: u64 = 1_000_000;

/// What waits for the chain thread.
#[derive(Debug)]
pub(super) enum Command {
    /// A message that was checked.
    Message(Box<Verified<Message>>),
    /// Submissions that were checked; from clients of this node, or handed on by another.
    Submissions { submissions: Vec<Submission>, own: bool },
}

/// What the chain thread asks of the world.
#[derive(Debug)]
pub(super) enum Effect {
    Broadcast(Message),
    Send(usize, Message),
    HandOn(Vec<Submission>),
    Sealed { header: Header, proposal: Proposal, seal_bytes: u64 },
    Fetch,
}

/// What the chain thread did in one go.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// How long it took, in nanoseconds.
    pub(super) length: u64,
    pub(super) effects: Vec<Effect>,
}

/// See the module's page.
#[derive(Debug)]
pub(super) struct Validator {
    place: usize,
    setting: Setting,
    set_hash: Hash,
    most: (usize, u64),
    replica: Replica,
    pool: Pool,
    /// Numbers of the submissions that were sealed: what is handed on late is not taken again.
    sealed: BTreeSet<usize>,
    urgent: VecDeque<Verified<Message>>,
    commands: VecDeque<(Vec<Submission>, bool)>,
    to_execute: Option<Proposal>,
    unsynced: bool,
    busy_until: u64,
}

impl Validator {
    pub(super) fn new(setting: Setting, set: &ValidatorSet, place: usize, bytes: u64) -> Self {
        let me = ValidatorIndex(u16::try_from(place).expect("a set is small"));
        let number = me.0;
        let settings = settings(&setting, set, me);
        let keypair = consortium::pair(number, Purpose::Validator);
        let head = Head { height: Height::ZERO, hash: CHAIN, time: BEGIN, view: View::ZERO };
        let made = Replica::new(settings, Some(keypair), head, Vec::new(), clocks(0));
        let (replica, outputs) = made.expect("the key is of its place");
        assert!(outputs.is_empty(), "a new chain has nothing to say");
        let most = (setting.most_submissions(bytes), setting.parameters().max_proposal_bytes);
        Self {
            place,
            setting,
            set_hash: set.hash(SUITE),
            most,
            replica,
            pool: Pool::default(),
            sealed: BTreeSet::new(),
            urgent: VecDeque::new(),
            commands: VecDeque::new(),
            to_execute: None,
            unsynced: false,
            busy_until: 0,
        }
    }

    /// Puts a command into its queue.
    pub(super) fn take(&mut self, command: Command) {
        match command {
            Command::Message(message) => self.urgent.push_back(*message),
            Command::Submissions { submissions, own } => {
                self.commands.push_back((submissions, own))
            }
        }
    }

    /// Whether a submission waits here.
    pub(super) fn holds(&self, submission: &Submission) -> bool {
        self.pool.holds(submission) || self.sealed.contains(&Supply::number(submission))
    }

    /// The view that it is in.
    pub(super) fn view(&self) -> View {
        self.replica.status().view
    }

    /// When there is something to do though nothing comes.
    pub(super) fn deadline(&self) -> Option<u64> {
        let due = self.replica.deadline()?.get() * MILLISECOND;
        Some(due.max(self.busy_until))
    }

    /// Does the next thing, if the thread is free and there is one: messages first, then what is to be
    /// executed, then what is due, then submissions.
    pub(super) fn work(&mut self, now: u64) -> Option<Job> {
        if self.busy_until > now {
            return None;
        }
        let costs = self.setting.costs;
        let mut job = Job::default();
        if let Some(message) = self.urgent.pop_front() {
            job.length += costs.step + self.cost_to_judge(&message);
            self.step(now, Input::Message(message), &mut job);
        } else if let Some(proposal) = self.to_execute.take() {
            job.length += costs.execute(proposal.record_count() as u64);
            let (digest, header) = (proposal.digest(), self.header(&proposal));
            self.step(now, Input::Executed { digest, header }, &mut job);
        } else if self.deadline().is_some_and(|due| due <= now) {
            self.step(now, Input::Tick, &mut job);
        } else {
            let (submissions, own) = self.commands.pop_front()?;
            self.admit(now, submissions, own, &mut job);
        }
        self.busy_until = now + job.length;
        Some(job)
    }

    /// A proposal's submissions are judged before the replica sees it.
    fn cost_to_judge(&self, message: &Message) -> u64 {
        let MessageBody::PrePrepare { proposal, .. } = &message.body else { return 0 };
        proposal.submissions.len() as u64 * self.setting.costs.screen
    }

    fn admit(&mut self, now: u64, submissions: Vec<Submission>, own: bool, job: &mut Job) {
        let (count, records) = count(&submissions);
        job.length += self.setting.costs.admit(count, records);
        for submission in &submissions {
            if !self.holds(submission) {
                self.pool.admit(submission.clone());
            }
        }
        if own {
            job.effects.push(Effect::HandOn(submissions));
        }
        self.step(now, Input::Work(!self.pool.is_empty()), job);
    }

    fn step(&mut self, now: u64, input: Input, job: &mut Job) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.replica.step(clocks(now), input) {
                inputs.extend(self.obey(now, output, job));
            }
            self.sync(job);
        }
    }

    fn obey(&mut self, now: u64, output: Output, job: &mut Job) -> Option<Input> {
        match output {
            Output::Persist(_) => self.unsynced = true,
            Output::Broadcast(message) => {
                self.sync(job);
                job.effects.push(Effect::Broadcast(message));
            }
            Output::Send(to, message) => {
                self.sync(job);
                job.effects.push(Effect::Send(to.position(), message));
            }
            Output::Execute(proposal) => self.to_execute = Some(proposal),
            Output::Propose { height, parent, not_before, .. } => {
                let submissions = self.pool.next_block(self.most.0, self.most.1);
                job.length += submissions.len() as u64 * self.setting.costs.screen;
                let proposal = Proposal::from(ProposalParts {
                    suite: SUITE,
                    chain: CHAIN,
                    height,
                    parent,
                    time: clocks(now).wall.max(not_before),
                    proposer: ValidatorIndex(u16::try_from(self.place).expect("a set is small")),
                    submissions: List::new(submissions).expect("as many as fit"),
                });
                return Some(Input::Proposed(proposal));
            }
            Output::Commit { header, seal, proposal } => {
                self.sync(job);
                job.length += self.setting.costs.commit(proposal.record_count() as u64);
                self.pool.remove(&proposal.submissions);
                self.sealed.extend(proposal.submissions.iter().map(Supply::number));
                let seal_bytes = probata_types::codec::encode(&seal).len() as u64;
                job.effects.push(Effect::Sealed { header, proposal, seal_bytes });
                return Some(Input::Work(!self.pool.is_empty()));
            }
            Output::Fetch { .. } => job.effects.push(Effect::Fetch),
            Output::Fault(fault) => unreachable!("all are honest: {fault:?}"),
            Output::Diverged { .. } => unreachable!("all compute the same"),
            Output::Ignored(_) => {}
        }
        None
    }

    fn sync(&mut self, job: &mut Job) {
        if std::mem::take(&mut self.unsynced) {
            job.length += self.setting.costs.sync;
        }
    }

    /// What every validator computes of a proposal, in the place of what the contracts and the ledger would.
    fn header(&self, proposal: &Proposal) -> Header {
        let count = |number: usize| u32::try_from(number).expect("bounded in a proposal");
        let digest = proposal.digest();
        Header {
            version: Header::VERSION,
            suite: SUITE,
            chain: CHAIN,
            height: proposal.height,
            time: proposal.time,
            parent: proposal.parent,
            submission_count: count(proposal.submissions.len()),
            submissions_root: proposal.submissions_root(),
            record_count: count(proposal.record_count()),
            outcomes_root: SUITE.hash(Domain::Outcomes, &[digest.as_bytes()]),
            state_root: SUITE.hash(Domain::State, &[digest.as_bytes()]),
            history_root: SUITE.hash(Domain::History, &[digest.as_bytes()]),
            validators: self.set_hash,
            next_validators: self.set_hash,
            proposer: proposal.proposer,
        }
    }
}

/// Submissions, and the records in them.
pub(super) fn count(submissions: &[Submission]) -> (u64, u64) {
    let records = submissions.iter().map(|it| it.records.len() as u64).sum();
    (submissions.len() as u64, records)
}

fn settings(setting: &Setting, set: &ValidatorSet, me: ValidatorIndex) -> Settings {
    let parameters = setting.parameters();
    Settings {
        suite: SUITE,
        chain: CHAIN,
        set: set.clone(),
        first: Height::new(1),
        me: Some(me),
        rotation: parameters.rotation,
        view_timeout: parameters.view_timeout,
        view_timeout_cap: parameters.view_timeout_cap,
        retransmit: parameters.retransmit,
        heartbeat: parameters.heartbeat,
        batch_delay: parameters.batch_delay,
        precision: parameters.precision,
        message_delay: parameters.message_delay,
    }
}

/// What the clocks of every validator show: they are right here.
fn clocks(now: u64) -> Now {
    let monotonic = Millis::new(now / MILLISECOND);
    Now { monotonic, wall: Timestamp::new(BEGIN.get() + 1 + monotonic.get()) }
}
