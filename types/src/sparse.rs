//! Proofs of the sparse Merkle tree over the state: that a key holds a value, or holds nothing.
//!
//! Keys are 256-bit digests, read from the most significant bit down. A subtree without keys is
//! [`empty`], one with exactly one key is that key's leaf `pair(hash(State, 0x00), key, value hash)`
//! wherever it stands, any other is `pair(hash(State, 0x01), left, right)`. The root so depends on the
//! set of keys and values alone, not on the order in which they came.
//!
//! What parts leaves from nodes, and both from everything else, is the key of the keyed hash and not a tag before the
//! content: so each takes the hash one block instead of two, and most of the time of a large block goes here.
//! (The shape of the Jellyfish Merkle Tree, Z. Gao, Y. Hu, Q. Wu, 2021, in binary.)

use crate::{Domain, Hash, List, Suite, limits};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// The digest of a subtree without keys: `hash(State, "")`.
pub fn empty(suite: Suite) -> Hash {
    keys(suite).empty
}

/// The digest of a subtree with exactly one key.
pub fn leaf(suite: Suite, key: &Hash, value_hash: &Hash) -> Hash {
    suite.pair(&keys(suite).leaf, key, value_hash)
}

/// The digest of a subtree with more keys.
pub fn node(suite: Suite, left: &Hash, right: &Hash) -> Hash {
    suite.pair(&keys(suite).node, left, right)
}

/// The keys under which leaves and nodes are hashed, and the digest of nothing.
struct Keys {
    empty: Hash,
    leaf: Hash,
    node: Hash,
}

fn keys(suite: Suite) -> &'static Keys {
    static OF_BLAKE3: OnceLock<Keys> = OnceLock::new();
    let Suite::Blake3Ed25519 = suite;
    OF_BLAKE3.get_or_init(|| Keys {
        empty: suite.hash(Domain::State, &[]),
        leaf: suite.hash(Domain::State, &[&[0]]),
        node: suite.hash(Domain::State, &[&[1]]),
    })
}

/// Bit `depth` of a key, from the most significant: `true` leads right.
pub fn bit(key: &Hash, depth: usize) -> bool {
    key.0[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// What stands at the end of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SparseEnd {
    /// The key itself.
    Present,
    /// Nothing: the key is absent.
    Empty,
    /// The only key of the subtree where the asked one would be: the asked one is absent.
    Other {
        /// That key.
        key: Hash,
        /// The digest of its value.
        value_hash: Hash,
    },
}

/// A path in the sparse tree: what stands at its end, and the siblings from there up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparsePath {
    /// What stands at the end.
    pub end: SparseEnd,
    /// The siblings, lowest first; as many as the end is deep.
    pub siblings: List<Hash, { limits::SPARSE_PATH }>,
}

/// A state proof that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SparseError {
    /// The path shows the opposite of what is claimed.
    #[error("the path shows that the key is {shown}, the claim is that it is {claimed}")]
    Opposite {
        /// What the path shows.
        shown: &'static str,
        /// What was claimed.
        claimed: &'static str,
    },
    /// The neighbour that should show absence does not stand in the way of the key.
    #[error("the neighbour {0} does not stand where the key would be")]
    Neighbour(Hash),
    /// Another root came out.
    #[error("the path leads to {got}, not to the root {expected}")]
    Root {
        /// What came out.
        got: Hash,
        /// What is signed.
        expected: Hash,
    },
}

impl SparsePath {
    /// Checks that under `root` the key holds a value with the digest `value_hash`.
    ///
    /// # Errors
    /// [`SparseError`] if the path does not show it.
    pub fn check_present(
        &self,
        suite: Suite,
        key: &Hash,
        value_hash: &Hash,
        root: &Hash,
    ) -> Result<(), SparseError> {
        if self.end != SparseEnd::Present {
            return Err(SparseError::Opposite { shown: "absent", claimed: "present" });
        }
        self.check_root(suite, key, leaf(suite, key, value_hash), root)
    }

    /// Checks that under `root` the key holds nothing.
    ///
    /// # Errors
    /// [`SparseError`] if the path does not show it.
    pub fn check_absent(&self, suite: Suite, key: &Hash, root: &Hash) -> Result<(), SparseError> {
        let end = match &self.end {
            SparseEnd::Present => {
                return Err(SparseError::Opposite { shown: "present", claimed: "absent" });
            }
            SparseEnd::Empty => empty(suite),
            SparseEnd::Other { key: other, value_hash } => {
                let shares_path = (0..self.siblings.len()).all(|d| bit(other, d) == bit(key, d));
                if other == key || !shares_path {
                    return Err(SparseError::Neighbour(*other));
                }
                leaf(suite, other, value_hash)
            }
        };
        self.check_root(suite, key, end, root)
    }

    fn check_root(
        &self,
        suite: Suite,
        key: &Hash,
        end: Hash,
        root: &Hash,
    ) -> Result<(), SparseError> {
        let depth = self.siblings.len();
        let got = self.siblings.iter().enumerate().fold(end, |below, (up, sibling)| {
            if bit(key, depth - 1 - up) {
                node(suite, sibling, &below)
            } else {
                node(suite, &below, sibling)
            }
        });
        if got == *root { Ok(()) } else { Err(SparseError::Root { got, expected: *root }) }
    }
}

#[cfg(test)]
mod tests;
