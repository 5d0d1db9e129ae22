//! Who votes in which epoch, by the numbers of nodes: for the world, and for its liars.

use crate::consortium;
use probata_types::{Epoch, Height, InstitutionId, ValidatorIndex, ValidatorSet};
use std::cell::RefCell;

/// The validator sets of a world as far as they have come into force anywhere. A node and its institution
/// have the same number; its place in a set may be another one in each epoch.
pub(super) struct Roster {
    institutions: Vec<InstitutionId>,
    epochs: RefCell<Vec<Epoch>>,
}

impl Roster {
    /// Of so many nodes, with the set of genesis.
    pub(super) fn new(nodes: u16, first: Epoch) -> Self {
        let institutions = (0..nodes).map(consortium::institution).collect();
        Self { institutions, epochs: RefCell::new(vec![first]) }
    }

    /// An epoch begins, if it is not known yet; whether it was not.
    pub(super) fn begins(&self, epoch: &Epoch) -> bool {
        let mut epochs = self.epochs.borrow_mut();
        let is_next = epochs.last().is_some_and(|last| last.number + 1 == epoch.number);
        if is_next {
            epochs.push(epoch.clone());
        }
        is_next
    }

    /// Something of the epoch that a height belongs to, of those that have begun.
    pub(super) fn of<T>(&self, height: Height, what: impl FnOnce(&Epoch) -> T) -> T {
        let epochs = self.epochs.borrow();
        let begun = epochs.iter().rev().find(|epoch| epoch.first <= height);
        what(begun.unwrap_or(&epochs[0]))
    }

    /// The same of the epochs that began no later than a height, newest first: the first that there is.
    pub(super) fn newest<T>(
        &self,
        height: Height,
        what: impl FnMut(&Epoch) -> Option<T>,
    ) -> Option<T> {
        let epochs = self.epochs.borrow();
        epochs.iter().rev().filter(|epoch| epoch.first <= height).find_map(what)
    }

    /// The nodes that vote at a height, by their places.
    pub(super) fn voters(&self, height: Height) -> Vec<usize> {
        self.of(height, |epoch| self.nodes(&epoch.set))
    }

    /// The nodes of a set, by their places.
    pub(super) fn nodes(&self, set: &ValidatorSet) -> Vec<usize> {
        let node = |institution: &InstitutionId| {
            self.institutions.iter().position(|it| it == institution).expect("a node of this world")
        };
        set.iter().map(|(_, validator)| node(&validator.institution)).collect()
    }

    /// The node that has a place among the validators of a height.
    pub(super) fn node_of(&self, height: Height, seat: ValidatorIndex) -> Option<usize> {
        self.voters(height).get(seat.position()).copied()
    }
}
