//! What is explored: for each size of the set the spaces of schedules, and how much of each.

use crate::twins::{
    edge::Edge,
    explore::{Extent, Totals, explore},
    partition::{Cast, Letter, all_partitions, letters, neighbourly_partitions, sharp_letters},
    schedule::{Between, Family, Space},
};

/// The letters of which schedules are made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Alphabet {
    /// Every partition into two groups, or into three with a quorum in one, with each way of
    /// Commits.
    Complete,
    /// Two groups, the correct validators of each side neighbours in the order of leading, with
    /// each way of Commits. For four validators every partition into two groups is such a one.
    Neighbours,
    /// The letters that make one machine seal alone, and everything together.
    Sharp,
}

impl Alphabet {
    pub(crate) fn letters(self, cast: &Cast) -> Vec<Letter> {
        match self {
            Self::Complete => letters(cast, all_partitions(cast)),
            Self::Neighbours => letters(cast, neighbourly_partitions(cast)),
            Self::Sharp => sharp_letters(cast),
        }
    }
}

/// The leader changes with the view only, or with each height too.
const ROTATIONS: [u64; 2] = [0, 1];

/// Spaces that differ in their conditions only, and how much of each is run: here, and in full.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) twins: &'static [&'static [usize]],
    pub(crate) alphabet: Alphabet,
    pub(crate) rounds: usize,
    pub(crate) quick: Extent,
    pub(crate) full: Extent,
}

impl Plan {
    /// The space of one condition.
    pub(crate) fn space(
        &self,
        n: usize,
        twins: &[usize],
        rotation: u64,
        between: Between,
    ) -> Space {
        let cast = Cast::new(n, twins);
        let letters = self.alphabet.letters(&cast);
        Space { family: Family { cast, rotation, between }, letters, rounds: self.rounds }
    }

    fn spaces(&self, n: usize) -> Vec<Space> {
        let mut spaces = Vec::new();
        for twins in self.twins {
            for rotation in ROTATIONS {
                let conditions = Between::ALL.iter();
                spaces.extend(conditions.map(|between| self.space(n, twins, rotation, *between)));
            }
        }
        spaces
    }
}

/// Carries plans out and says what each came to.
pub(crate) fn carry_out(n: usize, plans: &[Plan], full: bool) -> Totals {
    let mut edge = Edge::new(n);
    let mut all = Totals::default();
    for plan in plans {
        let extent = if full { plan.full } else { plan.quick };
        let spaces = plan.spaces(n);
        let (letters, count) = (spaces[0].letters.len(), spaces[0].count());
        let mut totals = Totals::default();
        for (turn, space) in (0..).zip(&spaces) {
            explore(space, extent, (turn, spaces.len() as u64), &mut edge, &mut totals);
        }
        println!(
            "n = {n}: {} rounds of {letters} letters ({:?}: {} partitions), {count} schedules under \
             each of {} conditions, {extent:?}: {totals}",
            plan.rounds,
            plan.alphabet,
            spaces[0].partitions(),
            spaces.len()
        );
        all.add(&totals);
    }
    println!("n = {n} in all: {all}");
    all
}
