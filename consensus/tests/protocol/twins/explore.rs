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
    /// Schedules in which a fault was reported.
    pub(crate) with_faults: u64,
    /// The longest time to go on after healing, in milliseconds.
    pub(crate) slowest: u64,
    /// A digest of all deliveries of all schedules, in order.
    pub(crate) trace: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} schedules, {} rounds, {} messages delivered, {} heights sealed, faults reported in {} \
             schedules, went on after at most {} ms, events {:016x}",
            self.schedules,
            self.rounds,
            self.delivered,
            self.sealed,
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
    totals.with_faults += u64::from(arena.accused() > 0);
    totals.trace = (totals.trace ^ arena.trace).wrapping_mul(0x0000_0100_0000_01b3);
    Outcome { broken: arena.watch.broken, sent_commits }
}

/// How many of the schedules of a space are run. Those that only exchange the two machines of a twin
/// are never run twice.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    /// Each one that may go differently.
    All,
    /// Those with numbers so far apart.
    Every(u64),
}

/// Runs schedules of a space.
///
/// # Panics
/// If anything is broken in one.
pub(crate) fn explore(space: &Space, extent: Extent, edge: &mut Edge, totals: &mut Totals) {
    let mut number = 0;
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

/// In which rounds of this schedule Commits are sent, as far as the last one run began like it; in the
/// others they may be.
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
