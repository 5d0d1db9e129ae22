//! Who takes part at a height: the validator set in force, the one to come, and every node of the
//! consortium. Read from the state, so that it is the same on all nodes and changes with it.

use crate::network::NodeId;
use probata_types::{
    Epoch, Hash, InstitutionId, Suite, ValidatorIndex, ValidatorSet,
    address::Address,
    directory::{Directory, voting_node},
    epoch,
    state::{Changes, StateError, StateKey, StateRead, StateValue},
};
use std::collections::BTreeMap;

/// Who takes part while the next block is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The set that seals the next block, and since when it has.
    pub epoch: Epoch,
    /// Its hash, as headers name it.
    pub hash: Hash,
    /// The set that is approved to follow.
    pub next: Option<Epoch>,
    directory: Directory,
    seats: BTreeMap<ValidatorIndex, NodeId>,
}

/// One node of the consortium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Whose.
    pub institution: InstitutionId,
    /// Its identity on the mesh.
    pub node: NodeId,
    /// Where it is reached.
    pub address: Address,
    /// Its place among the validators, if it votes.
    pub seat: Option<ValidatorIndex>,
    /// Whether it will vote in the epoch to come.
    pub to_be_seated: bool,
}

impl Membership {
    /// Reads it from a state.
    ///
    /// # Errors
    /// [`StateError`] if the state cannot be read, or lacks what genesis puts there.
    pub fn read(state: &dyn StateRead, suite: Suite) -> Result<Self, StateError> {
        let validators = epoch::validators(state)?;
        let epoch = epoch::numbered(state, validators.epoch)?;
        let directory = match state.get(&StateKey::Directory)? {
            Some(StateValue::Directory(directory)) => *directory,
            _ => return Err(StateError("there is no directory; genesis sets one".to_owned())),
        };
        let seat = |(index, validator): (ValidatorIndex, &probata_types::validator::Validator)| {
            let entry = voting_node(&directory, &validator.institution)?;
            Some((index, NodeId::from_bytes(entry.node.0).ok()?))
        };
        let seats = epoch.set.iter().filter_map(seat).collect();
        let hash = epoch.set.hash(suite);
        let next = validators.scheduled.map(|scheduled| scheduled.epoch);
        Ok(Self { epoch, hash, next, directory, seats })
    }

    /// Whether a block's changes touch it.
    pub fn is_changed_by(changes: &Changes) -> bool {
        changes.contains_key(&StateKey::Validators) || changes.contains_key(&StateKey::Directory)
    }

    /// The validator set in force.
    pub const fn set(&self) -> &ValidatorSet {
        &self.epoch.set
    }

    /// The node that votes in a place.
    pub fn node_of(&self, seat: ValidatorIndex) -> Option<NodeId> {
        self.seats.get(&seat).copied()
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = Member> {
        self.directory.iter().filter_map(|entry| {
            let node = NodeId::from_bytes(entry.node.0).ok()?;
            let seat = self.seats.iter().find(|(_, voting)| **voting == node);
            let seat = seat.map(|(index, _)| *index);
            let to_be_seated = entry.votes && self.next_has(&entry.institution);
            let (institution, address) = (entry.institution, entry.address);
            Some(Member { institution, node, address, seat, to_be_seated })
        })
    }

    fn next_has(&self, institution: &InstitutionId) -> bool {
        let next = self.next.as_ref();
        next.is_some_and(|next| next.set.iter().any(|(_, it)| it.institution == *institution))
    }
}
