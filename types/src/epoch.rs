//! Which validator set is in force from which height on.
//!
//! The heights of a chain are divided into *epochs*: each has one validator set, and begins at the
//! height after the one whose header names another next set. All epochs that ever were stay in the
//! state, by their numbers: "who sealed height 12,000" is answered with a proof.

use crate::{
    Height, InstitutionId, List, PublicKey, ValidatorSet, limits,
    record::FlowId,
    state::{Changes, StateError, StateKey, StateRead, StateValue},
};
use serde::{Deserialize, Serialize};

/// One validator set and the first height that it seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Its number; 0 for the set of genesis.
    pub number: u32,
    /// The first height that the set seals.
    pub first: Height,
    /// The set.
    pub set: ValidatorSet,
}

/// The validators as an object of the state: where the epochs stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validators {
    /// The number of the epoch whose set seals the next block.
    pub epoch: u32,
    /// The change that was approved and is not in force yet; at most one.
    pub scheduled: Option<Scheduled>,
}

/// An approved change of the validator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    /// The epoch that will begin.
    pub epoch: Epoch,
    /// The motion that was approved.
    pub motion: FlowId,
    /// Which node votes for each institution that gets a seat, or another key in its seat.
    pub nodes: List<VotingNode, { limits::SEATS_PER_MOTION }>,
}

/// The node that votes for an institution from an epoch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VotingNode {
    /// The institution.
    pub institution: InstitutionId,
    /// The node.
    pub node: PublicKey,
}

/// The objects of a chain that begins with a validator set: epoch 0, from height 1 on.
pub fn begin(set: ValidatorSet) -> Changes {
    let epoch = Epoch { number: 0, first: Height::new(1), set };
    let validators = Validators { epoch: 0, scheduled: None };
    Changes::from([
        (StateKey::Epoch(0), StateValue::Epoch(Box::new(epoch))),
        (StateKey::Validators, StateValue::Validators(Box::new(validators))),
    ])
}

/// The object that says where the epochs stand.
///
/// # Errors
/// [`StateError`] if it cannot be read or is not there; genesis sets it.
pub fn validators(state: &dyn StateRead) -> Result<Validators, StateError> {
    match state.get(&StateKey::Validators)? {
        Some(StateValue::Validators(validators)) => Ok(*validators),
        _ => Err(StateError("there are no validators; genesis sets them".to_owned())),
    }
}

/// The epoch of that number.
///
/// # Errors
/// [`StateError`] if it cannot be read or never began.
pub fn numbered(state: &dyn StateRead, number: u32) -> Result<Epoch, StateError> {
    match state.get(&StateKey::Epoch(number))? {
        Some(StateValue::Epoch(epoch)) => Ok(*epoch),
        _ => Err(StateError(format!("epoch {number} is not in the state"))),
    }
}

/// The epoch whose set seals the block after this state.
///
/// # Errors
/// [`StateError`] if it cannot be read.
pub fn next(state: &dyn StateRead) -> Result<Epoch, StateError> {
    numbered(state, validators(state)?.epoch)
}

/// The epoch that a height belongs to, of those that have begun; heights to come belong to the last.
/// Reads as many epochs as the logarithm of their number.
///
/// # Errors
/// [`StateError`] if one cannot be read.
pub fn at(state: &dyn StateRead, height: Height) -> Result<Epoch, StateError> {
    let (mut low, mut high) = (0, validators(state)?.epoch);
    while low < high {
        let middle = high - (high - low) / 2;
        if numbered(state, middle)?.first <= height {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    numbered(state, low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validator::Validator;
    use std::collections::BTreeMap;

    fn set() -> ValidatorSet {
        let codes = [
            "91100000100003962T",
            "91330100799655058B",
            "5493001KJTIIGC8Y1R12",
            "213800WAVVOPS85N2205",
        ];
        let validators = codes.iter().zip(1u8..).map(|(code, number)| Validator {
            institution: code.parse::<InstitutionId>().unwrap(),
            key: PublicKey([number; 32]),
        });
        ValidatorSet::new(List::new(validators.collect()).unwrap()).unwrap()
    }

    #[test]
    fn every_height_has_the_epoch_that_began_last() {
        for epochs in 1..9u32 {
            let mut state = BTreeMap::new();
            let newest = Validators { epoch: epochs - 1, scheduled: None };
            state.insert(StateKey::Validators, StateValue::Validators(Box::new(newest)));
            for number in 0..epochs {
                let first = Height::new(1 + u64::from(number) * 10);
                let epoch = Epoch { number, first, set: set() };
                state.insert(StateKey::Epoch(number), StateValue::Epoch(Box::new(epoch)));
            }
            for height in 1..100u64 {
                let expected = u32::try_from((height - 1) / 10).unwrap().min(epochs - 1);
                assert_eq!(at(&state, Height::new(height)).unwrap().number, expected);
            }
            assert_eq!(next(&state).unwrap().number, epochs - 1);
        }
    }
}
