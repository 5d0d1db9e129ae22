//! Paths of neighbouring leaves: for a hundred records of one submission little more than for one.

use super::{MerkleError, MerklePath, tree};
use crate::{Domain, Hash, List, Suite, limits};
use serde::{Deserialize, Serialize};

/// The siblings from neighbouring leaves up to the root, lowest level first, of each level the left one before
/// the right one. Of a single leaf it is its [`MerklePath`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RangePath(pub List<Hash, { 2 * limits::MERKLE_PATH }>);

/// Neighbouring leaves of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaves<'a> {
    /// The place of the first one.
    pub first: u64,
    /// Leaves of the tree.
    pub size: u64,
    /// Their digests.
    pub digests: &'a [Hash],
}

impl RangePath {
    /// Checks that this path leads from neighbouring leaves to the `root` of their tree.
    ///
    /// # Errors
    /// [`MerkleError`] if it does not, or if there are no leaves, or some outside the tree.
    pub fn check(
        &self,
        suite: Suite,
        domain: Domain,
        leaves: Leaves<'_>,
        root: &Hash,
    ) -> Result<(), MerkleError> {
        let levels = self.levels(suite, domain, leaves)?;
        let got = levels.last().map_or(Hash::ZERO, |(_, level)| level[0]);
        if got == *root { Ok(()) } else { Err(MerkleError::Root { got, expected: *root }) }
    }

    /// The path of one of the leaves alone, by its place in the tree.
    ///
    /// # Errors
    /// [`MerkleError`] if it is none of them, or this path has not the length for their place.
    pub fn path_of(
        &self,
        suite: Suite,
        domain: Domain,
        leaves: Leaves<'_>,
        index: u64,
    ) -> Result<MerklePath, MerkleError> {
        let levels = self.levels(suite, domain, leaves)?;
        let inside =
            index.checked_sub(leaves.first).is_some_and(|at| at < leaves.digests.len() as u64);
        if !inside {
            return Err(MerkleError::Outside { index, size: leaves.size });
        }
        let mut at = index;
        let mut siblings = Vec::new();
        for (first, level) in &levels {
            let sibling = (at ^ 1).checked_sub(*first).and_then(|at| usize::try_from(at).ok());
            siblings.extend(sibling.and_then(|at| level.get(at)).copied());
            at /= 2;
        }
        Ok(MerklePath(List::new(siblings).expect("64 levels hold any tree")))
    }

    /// What is known of each level up to the root, with the place of its first node.
    fn levels(
        &self,
        suite: Suite,
        domain: Domain,
        leaves: Leaves<'_>,
    ) -> Result<Vec<(u64, Vec<Hash>)>, MerkleError> {
        let Leaves { first, size, digests } = leaves;
        let outside = MerkleError::Outside { index: first, size };
        let count = u64::try_from(digests.len()).map_err(|_| outside.clone())?;
        let end =
            first.checked_add(count).filter(|end| count > 0 && *end <= size).ok_or(outside)?;
        let (mut left, mut right, mut last) = (first, end - 1, size - 1);
        let (mut siblings, mut needed) = (self.0.iter().copied(), 0);
        let mut levels = Vec::new();
        let mut level = digests.to_vec();
        while last > 0 {
            if left % 2 == 1 {
                // A sibling that is missing is noticed below, by their number.
                level.insert(0, siblings.next().unwrap_or(Hash::ZERO));
                needed += 1;
            }
            if right % 2 == 0 && right < last {
                level.push(siblings.next().unwrap_or(Hash::ZERO));
                needed += 1;
            }
            let above = tree::above(suite, domain, &level);
            levels.push((left & !1, level));
            level = above;
            (left, right, last) = (left / 2, right / 2, last / 2);
        }
        levels.push((0, level));
        if needed == self.0.len() {
            Ok(levels)
        } else {
            Err(MerkleError::Length { got: self.0.len(), expected: needed })
        }
    }
}
