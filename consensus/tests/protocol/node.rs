//! A fake driver: it obeys a replica as a node does, on a disk that survives crashes and may lose what was
//! not synced.

use crate::{
    fixtures::{PRECISION, at, genesis, head_of, header_of, keypair, settings},
    rng::Rng,
};
use probata_consensus::{Fault, Head, Input, Message, Output, Promise, Reason, Replica};
use probata_types::{
    Header, Height, List, Now, Proposal, Seal, Submission, Timestamp, ValidatorIndex, View, codec,
};

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) seal: Seal,
    pub(crate) proposal: Proposal,
}

/// What a node wants of the world.
#[derive(Debug)]
pub(crate) enum Effect {
    Broadcast(Message),
    Send(ValidatorIndex, Message),
    Fetch { to: Height, from: ValidatorIndex },
}

/// One validator: its replica while it runs, and what stays when it does not.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) me: usize,
    n: usize,
    rotation: u64,
    pub(crate) replica: Option<Replica>,
    pub(crate) blocks: Vec<Block>,
    journal: Vec<Vec<u8>>,
    unsynced: Vec<Vec<u8>>,
    /// Submissions that wait, and since when.
    pub(crate) pending: Vec<(u64, Submission)>,
    /// How far this machine's wall clock is off, in milliseconds.
    pub(crate) clock_offset: i64,
    /// Whether it proposes nothing of what it holds.
    pub(crate) censors: bool,
    /// Whether it complains when it holds something for longer than this.
    pub(crate) inclusion_deadline: Option<u64>,
    /// Disk and network operations until this machine loses power.
    pub(crate) crash_after: Option<u64>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) diverged: bool,
    /// For tests of divergence: computes something else than the others.
    pub(crate) miscomputes: bool,
    rng: Rng,
}

impl Node {
    pub(crate) fn new(n: usize, me: usize, rotation: u64, seed: u64) -> Self {
        Self {
            me,
            n,
            rotation,
            replica: None,
            blocks: Vec::new(),
            journal: Vec::new(),
            unsynced: Vec::new(),
            pending: Vec::new(),
            clock_offset: 0,
            censors: false,
            inclusion_deadline: None,
            crash_after: None,
            faults: Vec::new(),
            diverged: false,
            miscomputes: false,
            rng: Rng::new(seed),
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.replica.is_some()
    }

    pub(crate) fn height(&self) -> Height {
        self.blocks.last().map_or(Height::ZERO, |block| block.header.height)
    }

    fn head(&self) -> Head {
        match self.blocks.last() {
            None => genesis(),
            Some(block) => head_of(&block.header, block.seal.view),
        }
    }

    /// The clocks of this machine.
    fn clocks(&self, now: u64) -> Now {
        let mut now = at(now);
        let wall = now.wall.get().checked_add_signed(self.clock_offset).expect("small offsets");
        now.wall = Timestamp::new(wall);
        now
    }

    /// Starts from the disk.
    pub(crate) fn start(&mut self, now: u64) -> Vec<Effect> {
        assert!(self.replica.is_none(), "it runs already");
        let promises: Vec<Promise> = self
            .journal
            .iter()
            .map(|bytes| Promise::decode(bytes).expect("what was written"))
            .collect();
        let mut settings = settings(self.n, Some(self.me));
        settings.rotation = self.rotation;
        let clocks = self.clocks(now);
        let made = Replica::new(settings, Some(keypair(self.me)), self.head(), promises, clocks);
        let (replica, outputs) = made.expect("a journal of its own");
        self.replica = Some(replica);
        let mut effects = Vec::new();
        let mut inputs = Vec::new();
        for output in outputs {
            self.obey(now, output, &mut inputs, &mut effects);
        }
        if let Some(Block { header, seal, .. }) = self.blocks.last().cloned() {
            inputs.push(Input::Sealed { header, seal });
        }
        inputs.push(Input::Work(!self.pending.is_empty()));
        for input in inputs {
            self.feed(now, input, &mut effects);
        }
        effects
    }

    /// Loses power: of what was not synced a part stays, the first first.
    pub(crate) fn crash(&mut self) {
        self.replica = None;
        self.crash_after = None;
        let kept = self.rng.place(self.unsynced.len() + 1);
        self.unsynced.truncate(kept);
        self.journal.append(&mut self.unsynced);
    }

    /// Loses some of the promises on its disk. No correct validator does.
    pub(crate) fn forget(&mut self, lost: impl Fn(&Promise) -> bool) {
        self.journal.retain(|bytes| !lost(&Promise::decode(bytes).expect("what was written")));
    }

    pub(crate) fn step(&mut self, now: u64, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.feed(now, input, &mut effects);
        effects
    }

    /// Takes up a submission that somebody handed over.
    pub(crate) fn admit(&mut self, now: u64, submission: Submission) -> Vec<Effect> {
        let known = self.pending.iter().any(|(_, it)| *it == submission);
        let sealed = self.blocks.iter().any(|it| it.proposal.submissions.contains(&submission));
        if !known && !sealed {
            self.pending.push((now, submission));
        }
        self.step(now, Input::Work(!self.pending.is_empty()))
    }

    /// Complains of what waited too long while others' submissions went in.
    pub(crate) fn complain(&mut self, now: u64) -> Vec<Effect> {
        let Some(deadline) = self.inclusion_deadline else { return Vec::new() };
        if self.pending.iter().any(|(since, _)| now - since > deadline) {
            for (since, _) in &mut self.pending {
                *since = now;
            }
            return self.step(now, Input::Censored);
        }
        Vec::new()
    }

    /// Commits blocks that a peer handed over.
    pub(crate) fn take_blocks(&mut self, now: u64, blocks: Vec<Block>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let set = settings(self.n, None).set;
        for block in blocks {
            let next = block.header.height == self.height().next();
            if !next || block.seal.verify(&block.header, &set).is_err() || !self.is_up() {
                continue;
            }
            if self.header(&block.proposal) != block.header {
                self.diverged = true;
                self.replica = None;
                break;
            }
            let (header, seal) = (block.header.clone(), block.seal.clone());
            self.append(block);
            self.feed(now, Input::Sealed { header, seal }, &mut effects);
            self.feed(now, Input::Work(!self.pending.is_empty()), &mut effects);
        }
        effects
    }

    fn header(&self, proposal: &Proposal) -> Header {
        let mut header = header_of(proposal, &settings(self.n, None).set);
        if self.miscomputes {
            header.state_root.0[0] ^= 1;
        }
        header
    }

    fn feed(&mut self, now: u64, input: Input, effects: &mut Vec<Effect>) {
        let clocks = self.clocks(now);
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let tick = matches!(input, Input::Tick);
            let Some(replica) = &mut self.replica else { return };
            let outputs = replica.step(clocks, input);
            assert!(
                !(tick && matches!(outputs[..], [Output::Ignored(Reason::NothingDue)])),
                "a tick at the deadline has something to do"
            );
            for output in outputs {
                let mut answers = Vec::new();
                self.obey(now, output, &mut answers, effects);
                inputs.extend(answers);
            }
            self.sync();
        }
    }

    /// Whether the machine still has power for one more operation.
    fn has_power(&mut self) -> bool {
        match &mut self.crash_after {
            Some(0) => self.crash(),
            Some(left) => *left -= 1,
            None => {}
        }
        self.is_up()
    }

    fn obey(
        &mut self,
        now: u64,
        output: Output,
        answers: &mut Vec<Input>,
        effects: &mut Vec<Effect>,
    ) {
        if !self.has_power() {
            return;
        }
        match output {
            Output::Persist(promise) => self.unsynced.push(codec::encode(&promise)),
            Output::Broadcast(message) => {
                self.sync();
                effects.push(Effect::Broadcast(message));
            }
            Output::Send(to, message) => {
                self.sync();
                effects.push(Effect::Send(to, message));
            }
            Output::Execute(proposal) => {
                let (digest, header) = (proposal.digest(), self.header(&proposal));
                answers.push(Input::Executed { digest, header });
            }
            Output::Commit { header, seal, proposal } => {
                self.sync();
                self.append(Block { header, seal, proposal });
                answers.push(Input::Work(!self.pending.is_empty()));
            }
            Output::Propose { height, parent, not_before, .. } => {
                let proposal = self.propose(now, height, not_before);
                assert_eq!(proposal.parent, parent, "the replica stands on the log's head");
                answers.push(Input::Proposed(proposal));
            }
            Output::Fetch { to, from } => effects.push(Effect::Fetch { to, from }),
            Output::Fault(fault) => self.faults.push(fault),
            Output::Diverged { .. } => self.diverged = true,
            Output::Ignored(_) => {}
        }
    }

    fn sync(&mut self) {
        self.journal.append(&mut self.unsynced);
    }

    fn append(&mut self, block: Block) {
        assert_eq!(block.header.height, self.height().next(), "heights come one by one");
        assert_eq!(block.header.parent, self.head().hash, "one chain");
        self.pending.retain(|(_, it)| !block.proposal.submissions.contains(it));
        self.blocks.push(block);
        // A journal is pruned now and then, here more often than in a node.
        if self.rng.chance(200)
            && let Some(replica) = &self.replica
        {
            self.unsynced.clear();
            self.journal = replica.promises().iter().map(codec::encode).collect();
        }
    }

    fn propose(&self, now: u64, height: Height, not_before: Timestamp) -> Proposal {
        let submissions = if self.censors { Vec::new() } else { self.pending.clone() };
        let head = self.head();
        assert_eq!(height, head.height.next(), "the replica stands on the log's head");
        let mut proposal = crate::fixtures::proposal(&head, self.me, now);
        proposal.time = self.clocks(now).wall.max(not_before);
        proposal.submissions =
            List::new(submissions.into_iter().map(|(_, it)| it).collect()).expect("few");
        proposal
    }

    pub(crate) fn view(&self) -> View {
        self.replica.as_ref().map_or(View::ZERO, |replica| replica.status().view)
    }

    /// A clock so far off that proposals by it, or judged by it, are refused.
    pub(crate) fn set_clock_far_off(&mut self) {
        self.clock_offset = i64::try_from(PRECISION).expect("small") * 20;
    }
}
