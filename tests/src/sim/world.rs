//! A false world: real chains, one clock, one queue of what is to happen. Everything in it follows from its
//! plan.

mod build;
mod carry;
mod check;
mod clients;
mod governance;
mod heal;
mod nodes;
mod witness;

use super::{
    clients::Clients,
    clock::Clock,
    liars::Liar,
    network::Links,
    plan::{Left, Plan, Trouble},
    promises::Promises,
    report::{Counts, Report, Verdict},
    roster::Roster,
    trace::Trace,
};
use crate::{gate::Gate, history::History, machine::Machine, seed::Seeded, trouble, watch::Watch};
use carry::Load;
use probata_node::network::NodeId;
use probata_types::{Height, Millis, SubmissionId, View};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};
use witness::Witness;

/// Things that may happen at one moment of a world; more go round in circles.
const AT_ONE_MOMENT: u32 = 100_000;
/// Things that may wait to happen; more pile up.
const WAITING: usize = 500_000;

/// What holds, or how the world ends.
type Held<T = ()> = Result<T, Verdict>;

/// Runs the world of a plan to its end.
pub fn run(plan: &Plan, trace: &mut Trace) -> Report {
    let (verdict, passed, counts) = match World::new(plan, trace) {
        Ok(mut world) => {
            let verdict = world.live().err().unwrap_or(Verdict::Pass);
            let passed = world.now;
            world.trace.say(passed, format_args!("{verdict}"));
            (verdict, passed, world.counts)
        }
        Err(error) => (Verdict::Diverged(error.to_string()), Millis::ZERO, Counts::default()),
    };
    let (hash, events) = (trace.hash(), trace.events());
    Report { seed: plan.seed, verdict, hash, events, passed: passed.get(), counts }
}

struct World<'w> {
    plan: &'w Plan,
    now: Millis,
    nodes: Vec<Node>,
    places: BTreeMap<NodeId, usize>,
    gate: Gate,
    roster: Rc<Roster>,
    moved: Vec<governance::Moved>,
    history: History,
    watch: Watch,
    links: Links,
    witness: Option<Witness>,
    clients: Clients,
    queue: BTreeMap<(Millis, u64), Happening>,
    serial: u64,
    random: Seeded,
    trace: &'w mut Trace,
    counts: Counts,
    /// Contradictions that correct nodes have proved, each counted once.
    faults: BTreeSet<(u16, Height, View)>,
}

/// A node, and what the world knows of it.
struct Node {
    machine: Machine,
    clock: Clock,
    liar: Option<Box<dyn Liar>>,
    promises: Promises,
    peers: governance::Peers,
    /// When it next has something to do by itself.
    due: Millis,
    frozen_until: Millis,
    /// Whom it asked for blocks, by the number of the question.
    fetches: BTreeMap<u64, usize>,
    /// What becomes of it when its disk fails.
    when_broken: Option<(Left, Millis)>,
    told: Told,
}

/// The epoch that a node is in, and the highest views of it that it asked for and opened, as far as the
/// story goes.
#[derive(Default)]
struct Told {
    epoch: u32,
    asked: View,
    opened: View,
}

/// What is to happen.
enum Happening {
    Arrive {
        from: usize,
        to: usize,
        load: Load,
    },
    GiveUp {
        asker: usize,
        fetch: u64,
    },
    Trouble(usize),
    Start(usize),
    Retry(SubmissionId),
    /// An institution looks at a motion, named by its place among those made.
    Vote {
        motion: usize,
        voter: usize,
    },
}

impl Happening {
    const fn ends_with_the_bad_time(&self) -> bool {
        matches!(self, Self::Start(_) | Self::Trouble(_) | Self::Vote { .. })
    }
}

fn diverged<T>(words: impl Into<String>) -> Held<T> {
    Err(Verdict::Diverged(words.into()))
}

/// What never may be, was.
impl From<trouble::Trouble> for Verdict {
    fn from(trouble: trouble::Trouble) -> Self {
        Self::Diverged(trouble.to_string())
    }
}

impl World<'_> {
    /// The bad time, healing, and what must come after it.
    fn live(&mut self) -> Held {
        for lie in self.plan.liars.values() {
            self.counts.liar(*lie);
        }
        for (place, planned) in self.plan.troubles.iter().enumerate() {
            self.at(planned.at, Happening::Trouble(place));
        }
        for node in 0..self.nodes.len() {
            self.start(node)?;
        }
        self.pass(self.plan.length, |_| false)?;
        self.heal()?;
        self.progress()?;
        self.audit()
    }

    /// Nodes that keep to the protocol.
    fn correct(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|node| self.is_correct(*node))
    }

    fn is_correct(&self, node: usize) -> bool {
        !self.plan.liars.contains_key(&node)
    }

    fn is_up(&self, node: usize) -> bool {
        self.nodes[node].machine.chain.is_some()
    }

    /// Lets time pass until `done`, or until `end`; whether it was done.
    fn pass(&mut self, end: Millis, done: impl Fn(&Self) -> bool) -> Held<bool> {
        let mut at_once = 0;
        while !done(self) {
            let due = self.next_due();
            let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
            let next = due.map(|(at, _)| at).into_iter().chain(queued).min();
            let Some(next) = next.filter(|next| *next < end) else {
                self.now = end;
                return Ok(done(self));
            };
            at_once = if next > self.now { 0 } else { at_once + 1 };
            if at_once > AT_ONE_MOMENT || self.queue.len() > WAITING {
                return Err(Verdict::NoProgress("things go round in circles".to_owned()));
            }
            self.now = self.now.max(next);
            match due.filter(|(at, _)| queued.is_none_or(|queued| *at < queued)) {
                Some((_, node)) => self.tick(node)?,
                None => self.next_happening()?,
            }
        }
        Ok(true)
    }

    /// The node that next has something to do by itself.
    fn next_due(&self) -> Option<(Millis, usize)> {
        let due = |node: &Node| node.due.max(node.frozen_until).max(self.now);
        let up = self.nodes.iter().enumerate().filter(|(_, it)| it.machine.chain.is_some());
        up.map(|(at, node)| (due(node), at)).min()
    }

    fn next_happening(&mut self) -> Held {
        let Some((_, happening)) = self.queue.pop_first() else { return Ok(()) };
        match happening {
            Happening::Arrive { from, to, load } => self.arrive(from, to, load),
            Happening::GiveUp { asker, fetch } => self.give_up(asker, fetch),
            Happening::Trouble(place) => self.happens(place),
            Happening::Start(node) if !self.is_up(node) => self.start(node),
            Happening::Start(_) => Ok(()),
            Happening::Retry(id) => self.retry(id),
            Happening::Vote { motion, voter } => self.vote(motion, voter),
        }
    }

    fn happens(&mut self, place: usize) -> Held {
        let planned = &self.plan.troubles[place];
        self.tell_trouble(planned.number, &planned.trouble);
        match planned.trouble {
            Trouble::Submit { client, to, count } => self.submit(client, to, count),
            Trouble::Crash { node, left, down } => self.crash(node, left, down),
            Trouble::Break { node, planned, left, down } => {
                self.nodes[node].when_broken = Some((left, down));
                self.nodes[node].machine.disk.break_later(planned);
                Ok(())
            }
            Trouble::Stop { node, down } => self.stop(node, down),
            Trouble::Freeze { node, length } => {
                self.counts.one("freezes");
                self.nodes[node].frozen_until = self.now.saturating_add(length.get());
                Ok(())
            }
            Trouble::Cut { shape, length } => self.cut(shape, length),
            Trouble::Witness { node, alone } => {
                self.choose_witness(node, alone);
                Ok(())
            }
            Trouble::Jump { node, ahead } => {
                self.counts.one("clock jumps");
                self.nodes[node].clock.set(self.now, ahead);
                Ok(())
            }
            Trouble::Motion(motion) => self.moves(planned.number, motion),
        }
    }

    fn at(&mut self, time: Millis, happening: Happening) {
        self.serial += 1;
        self.queue.insert((time, self.serial), happening);
    }

    fn later(&mut self, wait: u64, happening: Happening) {
        self.at(self.now.saturating_add(wait), happening);
    }
}
