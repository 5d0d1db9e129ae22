//! Merkle trees of the RFC 9162 shape (section 2.1), with the chain's hash and a domain for each tree.
//!
//! A leaf is `hash(domain, 0x00 ‖ data)`, a node `hash(domain, 0x01 ‖ left ‖ right)`, the empty tree
//! `hash(domain, "")`. The left subtree of n leaves holds the largest power of two below n. A verifier takes the tree's
//! size from a signed header, never from the proof, and a path has exactly one length for its place.

mod consistency;
mod range;
mod tree;

pub use consistency::{ConsistencyPath, TreeHead, consistency};
pub use range::{Leaves, RangePath};
pub use tree::Tree;

use crate::{Domain, Hash, List, Suite, limits};
use serde::{Deserialize, Serialize};

/// The siblings from a leaf up to the root, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MerklePath(pub List<Hash, { limits::MERKLE_PATH }>);

/// A proof that does not lead to its root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The place is outside the tree.
    #[error("index {index} is outside a tree of {size} leaves")]
    Outside {
        /// Place claimed.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// Too few or too many siblings for the place.
    #[error("the path has {got} hashes, its place needs {expected}")]
    Length {
        /// Hashes given.
        got: usize,
        /// Hashes needed.
        expected: usize,
    },
    /// Another root came out.
    #[error("the path leads to {got}, not to the root {expected}")]
    Root {
        /// What came out.
        got: Hash,
        /// What is signed.
        expected: Hash,
    },
}

/// The digest of a leaf.
pub fn leaf(suite: Suite, domain: Domain, data: &[u8]) -> Hash {
    suite.hash(domain, &[&[0], data])
}

/// The digest of a node.
pub fn node(suite: Suite, domain: Domain, left: &Hash, right: &Hash) -> Hash {
    suite.hash(domain, &[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root over leaf digests.
pub fn root(suite: Suite, domain: Domain, leaves: &[Hash]) -> Hash {
    if leaves.is_empty() {
        return suite.hash(domain, &[]);
    }
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = tree::above(suite, domain, &level);
    }
    level[0]
}

/// The path of leaf `index`, or `None` if there is no such leaf.
pub fn path(suite: Suite, domain: Domain, leaves: &[Hash], index: usize) -> Option<MerklePath> {
    Tree::new(suite, domain, leaves.to_vec()).path(index)
}

/// For each level from the leaf up: whether the place has a sibling there, and on which side.
fn sides(index: u64, size: u64) -> Vec<Side> {
    let (mut at, mut last) = (index, size - 1);
    let mut sides = Vec::new();
    while last > 0 {
        if at & 1 == 1 {
            sides.push(Side::Left);
        } else if at < last {
            sides.push(Side::Right);
        }
        at >>= 1;
        last >>= 1;
    }
    sides
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl MerklePath {
    /// The root that this path leads to from a leaf digest at `index` of a tree with `size` leaves.
    ///
    /// # Errors
    /// [`MerkleError`] if the place is outside the tree or the path has the wrong length for it.
    pub fn root_from(
        &self,
        suite: Suite,
        domain: Domain,
        place: Place,
        leaf: &Hash,
    ) -> Result<Hash, MerkleError> {
        let steps = self.steps(suite, domain, place, leaf)?;
        Ok(steps.last().copied().unwrap_or(*leaf))
    }

    /// The digests from the leaf's parent up to the root, for whoever redoes them by hand.
    ///
    /// # Errors
    /// As [`Self::root_from`].
    pub fn steps(
        &self,
        suite: Suite,
        domain: Domain,
        place: Place,
        leaf: &Hash,
    ) -> Result<Vec<Hash>, MerkleError> {
        let Place { index, size } = place;
        if index >= size {
            return Err(MerkleError::Outside { index, size });
        }
        let sides = sides(index, size);
        if sides.len() != self.0.len() {
            return Err(MerkleError::Length { got: self.0.len(), expected: sides.len() });
        }
        let climb = |below: &mut Hash, (sibling, side): (&Hash, Side)| {
            *below = match side {
                Side::Left => node(suite, domain, sibling, below),
                Side::Right => node(suite, domain, below, sibling),
            };
            Some(*below)
        };
        Ok(self.0.iter().zip(sides).scan(*leaf, climb).collect())
    }

    /// Checks that this path leads from the leaf digest to `root`.
    ///
    /// # Errors
    /// [`MerkleError`] if it does not.
    pub fn check(
        &self,
        suite: Suite,
        domain: Domain,
        place: Place,
        leaf: &Hash,
        root: &Hash,
    ) -> Result<(), MerkleError> {
        let got = self.root_from(suite, domain, place, leaf)?;
        if got == *root { Ok(()) } else { Err(MerkleError::Root { got, expected: *root }) }
    }
}

/// A place in a tree of a known size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The leaf, from 0.
    pub index: u64,
    /// Leaves of the tree.
    pub size: u64,
}

#[cfg(test)]
mod tests;
