//! Runs schedules and adds up what was tried.

use crate::twins::{
    arena::Arena,
    edge::Edge,
    flaw::Flaw,
    partition::Letter,
    schedule::{Family, Space},
    watch::Broken,
};
use std::{collections::BTreeMap, fmt};

/// What a run of schedules came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) schedules: u64,
    pub(crate) rounds: u64,
    pub(crate) delivered: u64,
    /// Heights that were sealed.
    pub(crate) sealed: u64,
    /// Views that were opened with a proposal that had to be taken up.
    pub(crate) demanded: u64,
    /// Schedules in which a fault was reported.
    pub(crate) with_faults: u64,
    /// The longest time to go on after healing, in milliseconds.
    pub(crate) slowest: u64,
    /// A digest of all deliveries of all schedules, in order.
    pub(crate) trace: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.rounds += other.rounds;
        self.delivered += other.delivered;
        self.sealed += other.sealed;
        self.demanded += other.demanded;
        self.with_faults += other.with_faults;
        self.slowest = self.slowest.max(other.slowest);
        self.trace = mix(self.trace, other.trace);
    }
}

/// The next state of a digest of numbers (G. Fowler, L. C. Noll, K.-P. Vo; turned, so that high
/// bits count).
pub(crate) const fn mix(state: u64, number: u64) -> u64 {
    (state ^ number).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} schedules, {} rounds, {} messages delivered, {} heights sealed, {} views opened \
             with a demand, faults reported in {} schedules, went on after at most {} ms, events {:016x}",
            self.schedules,
            self.rounds,
            self.delivered,
            self.sealed,
            self.demanded,
            self.with_faults,
            self.slowest,
            self.trace
        )
    }
}

/// What one schedule came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) broken: BTreeMap<Broken, String>,
    /// Whether Commits were sent in each round.
    pub(crate) sent_commits: Vec<bool>,
}

/// Runs one schedule to its end and heals; stops when two blocks stand at one height.
pub(crate) fn run(
    family: &Family,
    schedule: &[&Letter],
    flaw: Flaw,
    edge: &mut Edge,
    totals: &mut Totals,
) -> Outcome {
    let mut arena = Arena::new(family, edge, flaw);
    totals.schedules += 1;
    for (round, letter) in (1..).zip(schedule) {
        totals.rounds += 1;
        arena.round(round, letter);
        if arena.watch.broken.contains_key(&Broken::Agreement) {
            return Outcome { broken: arena.watch.broken, sent_commits: arena.sent_commits };
        }
    }
    let sent_commits = arena.sent_commits.clone();
    totals.slowest = totals.slowest.max(arena.heal());
    totals.delivered += arena.delivered;
    totals.sealed += arena.watch.sealed_heights() as u64;
    totals.demanded += arena.watch.demanded();
    totals.with_faults += u64::from(arena.accused() > 0);
    totals.trace = mix(totals.trace, arena.trace);
    Outcome { broken: arena.watch.broken, sent_commits }
}

/// How many of the schedules of a space are run. Those that only exchange the two machines of a
/// twin are never run twice.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    /// Each one that may go differently.
    All,
    /// Those with numbers so far apart. No divisor of it is the number of letters, so that every
    /// letter comes in every round.
    Every(u64),
}

/// Runs schedules of the `turn`th of so many spaces. Of the numbers each takes others.
///
/// # Panics
/// If anything is broken in one.
pub(crate) fn explore(
    space: &Space,
    extent: Extent,
    (turn, turns): (u64, u64),
    edge: &mut Edge,
    totals: &mut Totals,
) {
    let mut number = match extent {
        Extent::All => 0,
        Extent::Every(step) => step * turn / turns,
    };
    let mut last: (Vec<&Letter>, Vec<bool>) = (Vec::new(), Vec::new());
    while number < space.count() {
        let schedule = space.schedule(number);
        if space.is_canonical(&schedule) {
            let outcome = run(&space.family, &schedule, Flaw::None, edge, totals);
            let broken = outcome.broken;
            assert!(broken.is_empty(), "{}: {broken:#?}", space.describe(number));
            last = (schedule.clone(), outcome.sent_commits);
        }
        number = match extent {
            Extent::All => space.next(number, &known(&last, &schedule)),
            Extent::Every(step) => number + step,
        };
    }
}

/// In which rounds of this schedule Commits are sent, as far as the last one run began like it; in
/// the others they may be.
fn known((last, sent): &(Vec<&Letter>, Vec<bool>), schedule: &[&Letter]) -> Vec<bool> {
    let alike = last.iter().zip(schedule).take_while(|(one, other)| one == other).count();
    let mut known = vec![true; schedule.len()];
    known[..alike].copy_from_slice(&sent[..alike]);
    known
}

/// The first of every `step`th schedules in which a flaw breaks this.
pub(crate) fn find(
    space: &Space,
    step: u64,
    (flaw, expected): (Flaw, Broken),
    edge: &mut Edge,
) -> Option<u64> {
    let numbers = (0..).map(|it| it * step).take_while(|number| *number < space.count());
    let mut canonical = numbers.filter(|number| space.is_canonical(&space.schedule(*number)));
    canonical.find(|number| {
        let schedule = space.schedule(*number);
        let outcome = run(&space.family, &schedule, flaw, edge, &mut Totals::default());
        outcome.broken.contains_key(&expected)
    })
}
