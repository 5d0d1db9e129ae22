//! Changes of the consortium that are moved in a world, and the validator sets that may come of them.

mod seats;

use crate::seed::Seeded;
use probata_types::{Millis, validator};
use seats::Seats;
use std::{collections::BTreeSet, fmt};

/// The most motions of a world.
const MOTIONS: u64 = 4;
/// The part of the bad time in which changes are moved, in thousandths: the rest is left for voting.
const MOVED_IN: (u64, u64) = (30, 800);
/// The fewest validators.
const FEWEST: usize = 4;

/// A change that somebody moves. Nodes and the institutions that they belong to have the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A node that is running as a member gets a seat.
    Join(usize),
    /// A validator gives its seat up.
    Leave(usize),
    /// One gets a seat, and another one gives its own up.
    Swap {
        /// The one that gets a seat.
        joins: usize,
        /// The one that loses it.
        leaves: usize,
    },
    /// A validator votes with another key, which its node has already.
    Rekey {
        /// The validator.
        node: usize,
        /// The number of its new key.
        generation: u8,
    },
    /// An institution submits with another key.
    Rotate {
        /// The institution.
        client: u16,
        /// Heights in which the old key and the new one are both good.
        overlap: u64,
    },
}

/// A motion, and how institutions will vote on it. Sets of institutions are bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Motion {
    /// What it would change.
    pub step: Step,
    /// The institution that moves it.
    pub mover: u16,
    /// The node that it is handed to.
    pub to: usize,
    /// Heights from the highest one to the one from which it is to be in force.
    pub ahead: u64,
    /// Who never votes on it.
    pub silent: u32,
    /// Who votes against it.
    pub against: u32,
}

/// The motions of a world, before the troubles among which they come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Agenda {
    /// Nodes that may get a seat, numbered after the member node.
    pub(super) candidates: u16,
    pub(super) motions: Vec<(Millis, Motion)>,
}

impl Agenda {
    /// In half of the worlds one to four changes, each possible if those before it come into force.
    pub(super) fn drawn(random: &mut Seeded, validators: u16, length: Millis) -> Self {
        let mut agenda = Self::default();
        if random.chance(500) {
            return agenda;
        }
        let count = random.between(1, MOTIONS);
        let moment = |random: &mut Seeded| {
            Millis::new(length.get() * random.between(MOVED_IN.0, MOVED_IN.1) / 1_000)
        };
        let mut times: Vec<Millis> = (0..count).map(|_| moment(random)).collect();
        times.sort_unstable();
        let mut seats = Seats::new(validators);
        for at in times {
            let step = seats.step(random);
            // The institutions of the nodes that there will be.
            let everybody = usize::from(validators + 1 + seats.candidates);
            let motion = Motion {
                step,
                mover: u16::try_from(random.place(everybody)).expect("a few nodes"),
                to: random.place(everybody),
                ahead: random.pick(&[1, 2, 4, 8]),
                silent: some(random, everybody, 150),
                against: some(random, everybody, 100),
            };
            agenda.motions.push((at, motion));
        }
        agenda.candidates = seats.candidates;
        agenda
    }

    /// The validator sets that may come into force, if each motion is approved or not, and in any order.
    pub(super) fn sets(&self, validators: u16) -> Vec<BTreeSet<usize>> {
        let first: BTreeSet<usize> = (0..usize::from(validators)).collect();
        let moved = self.motions.iter().flat_map(|(_, motion)| motion.step.seats());
        let moved: BTreeSet<usize> = moved.collect();
        let stay: BTreeSet<usize> = first.difference(&moved).copied().collect();
        let moved: Vec<usize> = moved.into_iter().collect();
        let set = |chosen: usize| {
            let seated = (0..moved.len()).filter(|place| (chosen >> place) & 1 == 1);
            stay.iter().copied().chain(seated.map(|place| moved[place])).collect()
        };
        let sets = (0..1 << moved.len()).map(set);
        sets.filter(|set: &BTreeSet<usize>| set.len() >= FEWEST).collect()
    }
}

impl Step {
    /// Those who have a seat or have none, by whether it comes into force.
    fn seats(self) -> Vec<usize> {
        match self {
            Self::Join(node) | Self::Leave(node) => vec![node],
            Self::Swap { joins, leaves } => vec![joins, leaves],
            // A key in the place of another; or a seat, for one that was to lose it before.
            Self::Rekey { .. } | Self::Rotate { .. } => Vec::new(),
        }
    }
}

/// Whether no more of a set are faulty than may be.
pub(super) fn is_sound(set: &BTreeSet<usize>, faulty: &BTreeSet<usize>) -> bool {
    set.intersection(faulty).count() <= validator::faulty(set.len())
}

/// Most often nobody; else each in so many cases of a thousand.
fn some(random: &mut Seeded, everybody: usize, of_thousand: u64) -> u32 {
    let nobody = random.chance(700);
    let is_one = |random: &mut Seeded| !nobody && random.chance(of_thousand);
    (0..everybody).filter(|_| is_one(random)).fold(0, |some, one| some | (1 << one))
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(node) => write!(f, "node {node} joins the validators"),
            Self::Leave(node) => write!(f, "node {node} leaves the validators"),
            Self::Swap { joins, leaves } => {
                write!(f, "node {joins} takes the place of node {leaves} among the validators")
            }
            Self::Rekey { node, generation } => {
                write!(f, "node {node} votes with its key {generation}")
            }
            Self::Rotate { client, overlap } => write!(
                f,
                "institution {client} submits with another key, and for {overlap} heights with both"
            ),
        }
    }
}

impl fmt::Display for Motion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, mover, to, ahead, .. } = self;
        write!(f, "institution {mover} moves at node {to}, for {ahead} heights on: {step}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Agenda {
        Agenda::drawn(&mut Seeded::new(seed), 5, Millis::new(10_000))
    }

    #[test]
    fn half_of_the_worlds_have_motions_and_each_kind_comes() {
        let agendas: Vec<Agenda> = (0..1_000).map(drawn).collect();
        let with = agendas.iter().filter(|agenda| !agenda.motions.is_empty()).count();
        assert!((400..600).contains(&with), "{with}");
        let steps: Vec<Step> =
            agendas.iter().flat_map(|it| &it.motions).map(|(_, motion)| motion.step).collect();
        let kinds: [fn(&Step) -> bool; 5] = [
            |step| matches!(step, Step::Join(_)),
            |step| matches!(step, Step::Leave(_)),
            |step| matches!(step, Step::Swap { .. }),
            |step| matches!(step, Step::Rekey { .. }),
            |step| matches!(step, Step::Rotate { .. }),
        ];
        for (number, kind) in kinds.iter().enumerate() {
            assert!(steps.iter().filter(|it| kind(it)).count() > 50, "kind {number} is too rare");
        }
    }

    #[test]
    fn all_sets_that_may_come_are_looked_at() {
        let motion = |step| {
            let motion = Motion { step, mover: 0, to: 0, ahead: 1, silent: 0, against: 0 };
            (Millis::ZERO, motion)
        };
        let steps =
            [Step::Join(6), Step::Leave(0), Step::Leave(1), Step::Rekey { node: 2, generation: 1 }];
        let agenda = Agenda { candidates: 1, motions: steps.map(motion).to_vec() };
        let sets = agenda.sets(5);
        // Without 0 and 1 three are left, too few, unless 6 has joined.
        assert_eq!(sets.len(), 7, "{sets:?}");
        assert!(sets.contains(&BTreeSet::from([2, 3, 4, 6])));
        assert_eq!(Agenda::default().sets(5), [BTreeSet::from([0, 1, 2, 3, 4])]);
        let faulty = BTreeSet::from([2, 6]);
        assert!(!sets.iter().all(|set| is_sound(set, &faulty)));
        assert!(sets.iter().all(|set| is_sound(set, &BTreeSet::from([6]))));
    }
}
