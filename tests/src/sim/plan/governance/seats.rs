//! Changes drawn one after the other, each possible if those before it come into force.

use super::{FEWEST, Step};
use crate::seed::Seeded;
use std::collections::BTreeSet;

/// Nodes beyond the validators and the member that may get a seat.
const CANDIDATES: u16 = 2;

/// Who has a seat if everything that was moved so far is approved.
pub(super) struct Seats {
    seated: BTreeSet<usize>,
    /// Nodes with a key for voting and no seat.
    free: BTreeSet<usize>,
    pub(super) candidates: u16,
    first_candidate: u16,
    generation: u8,
    rotated: BTreeSet<u16>,
}

impl Seats {
    pub(super) fn new(validators: u16) -> Self {
        Self {
            seated: (0..usize::from(validators)).collect(),
            free: BTreeSet::new(),
            candidates: 0,
            first_candidate: validators + 1,
            generation: 0,
            rotated: BTreeSet::new(),
        }
    }

    pub(super) fn step(&mut self, random: &mut Seeded) -> Step {
        let may_join = self.candidates < CANDIDATES || !self.free.is_empty();
        match random.place(10) {
            0..=2 if may_join => Step::Join(self.join(random)),
            0..=4 if self.seated.len() > FEWEST => Step::Leave(self.leave(random)),
            3..=5 if may_join => {
                let joins = self.join(random);
                let leaves = self.leave(random);
                // Nobody takes its own place.
                if joins == leaves { self.rotate(random) } else { Step::Swap { joins, leaves } }
            }
            6..=8 => {
                self.generation += 1;
                Step::Rekey { node: self.one_seated(random), generation: self.generation }
            }
            _ => self.rotate(random),
        }
    }

    /// A new node, or one that had a seat before.
    fn join(&mut self, random: &mut Seeded) -> usize {
        let free: Vec<usize> = self.free.iter().copied().collect();
        let may_be_new = self.candidates < CANDIDATES;
        let node = if free.is_empty() || (may_be_new && random.chance(500)) {
            assert!(may_be_new, "somebody may join");
            self.candidates += 1;
            usize::from(self.first_candidate + self.candidates - 1)
        } else {
            random.pick(&free)
        };
        self.free.remove(&node);
        self.seated.insert(node);
        node
    }

    fn leave(&mut self, random: &mut Seeded) -> usize {
        let node = self.one_seated(random);
        self.seated.remove(&node);
        self.free.insert(node);
        node
    }

    fn one_seated(&self, random: &mut Seeded) -> usize {
        let seated: Vec<usize> = self.seated.iter().copied().collect();
        random.pick(&seated)
    }

    /// Each institution does it once.
    fn rotate(&mut self, random: &mut Seeded) -> Step {
        let all = (0..self.first_candidate).filter(|client| !self.rotated.contains(client));
        let all: Vec<u16> = all.collect();
        let client = random.pick(&all);
        self.rotated.insert(client);
        Step::Rotate { client, overlap: random.pick(&[0, 1, 2, 5]) }
    }
}
