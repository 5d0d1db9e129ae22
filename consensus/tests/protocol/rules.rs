//! Each rule of docs/PROTOCOL.md by itself: one replica, messages made by hand, and what it does about them.
//! The name of a test begins with its rule.

mod catch_up;
mod epochs;
mod faults;
mod messages;
mod normal;
mod restore;
mod timers;
mod view_change;

use crate::fixtures::{
    at, commit, genesis, head_of, header_of, keypair, pre_prepare, prepare, proposal, say, set,
    settings, view,
};
use probata_consensus::{
    Head, Input, Message, MessageBody, Output, Promise, Replica, RestoreError, Settings,
};
use probata_types::{Proposal, ValidatorIndex};

/// One replica of four (or more), moved by hand.
#[derive(Debug)]
struct Bench {
    n: usize,
    me: usize,
    replica: Replica,
    /// What it persisted so far.
    journal: Vec<Promise>,
}

impl Bench {
    /// Validator `me` of four at the first height.
    fn new(me: usize) -> Self {
        Self::with(settings(4, Some(me)), genesis(), Vec::new()).0
    }

    /// A replica from settings, head and journal, and what it says first.
    fn with(settings: Settings, head: Head, journal: Vec<Promise>) -> (Self, Vec<Output>) {
        Self::open(settings, head, journal).expect("key, settings and journal of one validator")
    }

    fn open(
        settings: Settings,
        head: Head,
        journal: Vec<Promise>,
    ) -> Result<(Self, Vec<Output>), RestoreError> {
        let n = settings.set.size();
        let me = settings.me.map_or(n, ValidatorIndex::position);
        let pair = settings.me.map(|me| keypair(me.position()));
        let (replica, outputs) = Replica::new(settings, pair, head, journal.clone(), at(0))?;
        let mut bench = Self { n, me, replica, journal };
        bench.note(&outputs);
        Ok((bench, outputs))
    }

    fn note(&mut self, outputs: &[Output]) {
        for output in outputs {
            if let Output::Persist(promise) = output {
                self.journal.push(promise.clone());
            }
        }
    }

    fn feed(&mut self, now: u64, input: Input) -> Vec<Output> {
        let outputs = self.replica.step(at(now), input);
        self.note(&outputs);
        outputs
    }

    /// What it does when `from` says this to it.
    fn hear(&mut self, now: u64, from: usize, body: MessageBody) -> Vec<String> {
        brief(&self.feed(now, Input::Message(say(self.n, from, body))))
    }

    /// What it does with a message made before.
    fn get(&mut self, now: u64, message: Message) -> Vec<String> {
        self.hear(now, message.from.position(), message.body)
    }

    /// What it does when the driver has executed.
    fn execute(&mut self, now: u64, proposal: &Proposal) -> Vec<String> {
        let (digest, header) = (proposal.digest(), header_of(proposal, &set(self.n)));
        brief(&self.feed(now, Input::Executed { digest, header }))
    }

    /// Lets the clock run to the next deadline.
    fn tick(&mut self) -> (u64, Vec<String>) {
        let due = self.replica.deadline().expect("a validator always waits for something").get();
        (due, brief(&self.feed(due, Input::Tick)))
    }

    /// Goes through the whole normal case of the next height in `in_view`, led by another.
    fn seal(&mut self, now: u64, leader: usize, in_view: u64, head: &Head) -> Head {
        let proposal = proposal(head, leader, now);
        let header = header_of(&proposal, &set(self.n));
        self.hear(now, leader, pre_prepare(&proposal, in_view));
        self.execute(now, &proposal);
        let me = self.me;
        for from in (0..self.n).filter(|from| *from != me) {
            self.hear(now, from, prepare(&proposal, in_view));
            self.hear(now, from, commit(&header, in_view));
        }
        assert_eq!(self.replica.status().height, header.height.next(), "it is sealed");
        head_of(&header, view(in_view))
    }
}

/// What an output says, in a few words: `say Prepare 1/0` is a broadcast at height 1 in view 0.
fn brief(outputs: &[Output]) -> Vec<String> {
    outputs.iter().map(one).collect()
}

fn one(output: &Output) -> String {
    match output {
        Output::Persist(promise) => {
            let kind = match promise {
                Promise::Proposed { .. } => "Proposed",
                Promise::Prepare { .. } => "Prepare",
                Promise::Prepared { .. } => "Prepared",
                Promise::Commit { .. } => "Commit",
                Promise::ViewChange { .. } => "ViewChange",
                Promise::Entered { .. } => "Entered",
            };
            format!("persist {kind} {}/{}", promise.height(), promise.view())
        }
        Output::Broadcast(message) => format!("say {}", spoken(message)),
        Output::Send(to, message) => format!("send {to} {}", spoken(message)),
        Output::Execute(proposal) => format!("execute {}", proposal.height),
        Output::Commit { header, seal, .. } => format!("commit {}/{}", header.height, seal.view),
        Output::Propose { height, view, .. } => format!("propose {height}/{view}"),
        Output::Fetch { to, from } => format!("fetch {to} from {from}"),
        Output::Fault(fault) => format!("fault {:?} of {}", fault.kind, fault.validator),
        Output::Diverged { height, theirs, .. } => {
            format!("diverged at {height} from {}", theirs.len())
        }
        Output::Ignored(reason) => format!("ignored {reason:?}"),
    }
}

fn spoken(message: &Message) -> String {
    format!("{} {}/{}", message.body.name(), message.height(), message.view())
}
