//! The validators that seal blocks: who they are, how many must agree, who leads.

use crate::{Domain, Hash, Height, InstitutionId, List, PublicKey, Suite, View, limits};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// The position of a validator in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ValidatorIndex(pub u16);

impl ValidatorIndex {
    /// As a position in a slice.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ValidatorIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One validator: an institution's voting node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// The institution that runs it.
    pub institution: InstitutionId,
    /// The key that signs its votes.
    pub key: PublicKey,
}

/// Why validators do not make a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// Fewer than four cannot stand one liar.
    #[error("{0} validators are too few: four are needed to stand one that lies")]
    TooFew(usize),
    /// One key votes twice.
    #[error("the key {0} stands twice in the set")]
    DuplicateKey(PublicKey),
    /// One institution votes twice.
    #[error("the institution {0} stands twice in the set")]
    DuplicateInstitution(InstitutionId),
}

/// The validators of equal weight that seal a block, in a fixed order. At least four.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ValidatorSet(List<Validator, { limits::VALIDATORS }>);

impl ValidatorSet {
    /// Checks and wraps a set.
    ///
    /// # Errors
    /// [`ValidatorSetError`] if it is too small or somebody stands in it twice.
    pub fn new(
        validators: List<Validator, { limits::VALIDATORS }>,
    ) -> Result<Self, ValidatorSetError> {
        if validators.len() < 4 {
            return Err(ValidatorSetError::TooFew(validators.len()));
        }
        let (mut keys, mut institutions) = (BTreeSet::new(), BTreeSet::new());
        for validator in &validators {
            if !keys.insert(validator.key) {
                return Err(ValidatorSetError::DuplicateKey(validator.key));
            }
            if !institutions.insert(validator.institution) {
                return Err(ValidatorSetError::DuplicateInstitution(validator.institution));
            }
        }
        Ok(Self(validators))
    }

    /// n: how many there are.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// f: how many may lie or fail, `⌊(n−1)/3⌋`.
    pub fn faulty(&self) -> usize {
        faulty(self.size())
    }

    /// q: how many must agree, `⌈(n+f+1)/2⌉`. Any two quorums then share an honest validator.
    pub fn quorum(&self) -> usize {
        quorum(self.size()) - usize::from(crate::mutated!(QuorumTooSmall))
    }

    /// The validator at a position.
    pub fn get(&self, index: ValidatorIndex) -> Option<&Validator> {
        self.0.get(index.position())
    }

    /// The position of the validator that votes with `key`.
    pub fn position_of(&self, key: &PublicKey) -> Option<ValidatorIndex> {
        self.iter().find(|(_, validator)| validator.key == *key).map(|(index, _)| index)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ValidatorIndex, &Validator)> {
        (0u16..).map(ValidatorIndex).zip(self.0.iter())
    }

    /// Who leads `view` at `height`: the place `view + height / rotation`, round and round; with
    /// `rotation` 0 the leader changes only with the view.
    pub fn leader(&self, height: Height, view: View, rotation: u64) -> ValidatorIndex {
        let turn = height.get().checked_div(rotation).unwrap_or(0);
        let place = (view.get() + turn) % self.size() as u64;
        ValidatorIndex(u16::try_from(place).expect("below the size of the set"))
    }

    /// The digest that headers name the set by.
    pub fn hash(&self, suite: Suite) -> Hash {
        suite.hash_value(Domain::Validators, self)
    }
}

impl<'de> Deserialize<'de> for ValidatorSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(List::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// f for n validators: `⌊(n−1)/3⌋`.
pub const fn faulty(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// q for n validators: `⌈(n+f+1)/2⌉`. Equal to 2f+1 only where n = 3f+1; elsewhere 2f+1 would be unsafe.
pub const fn quorum(n: usize) -> usize {
    (n + faulty(n) + 1).div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_quorums_share_an_honest_validator_and_the_honest_ones_make_a_quorum() {
        for n in 4..=limits::VALIDATORS {
            let (f, q) = (faulty(n), quorum(n));
            assert!(2 * q > n + f, "n = {n}: two quorums share more than f");
            assert!(q <= n - f, "n = {n}: the honest ones alone suffice");
            assert!(2 * (q - 1) <= n + f, "n = {n}: one fewer would not do");
        }
        assert_eq!((quorum(4), quorum(5), quorum(6), quorum(7), quorum(87)), (3, 4, 4, 5, 58));
    }
}
