//! Consistency proofs (RFC 9162, 2.1.4): that a tree only grew, that nothing in it was changed.

use super::{MerkleError, node, root};
use crate::{Domain, Hash, List, Suite, limits};
use serde::{Deserialize, Serialize};

/// A tree as it is signed somewhere: how many leaves, and the root over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Leaves of the tree.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// The nodes that lead from the root of a tree to the root of the same tree after it grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsistencyPath(pub List<Hash, { limits::MERKLE_PATH }>);

/// The proof that the first `first` of the leaves are a tree that all of them have grown from (RFC
/// 9162, 2.1.4.1), or `None` if there are not so many. Empty if `first` is zero or all.
pub fn consistency(
    suite: Suite,
    domain: Domain,
    leaves: &[Hash],
    first: usize,
) -> Option<ConsistencyPath> {
    if first > leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut first, mut leaves, mut whole) = (first, leaves, true);
    // SUBPROOF of the RFC, from the top down; its nodes are listed from the bottom up.
    while first > 0 && first < leaves.len() {
        let split = 1 << (leaves.len() - 1).ilog2();
        let (left, right) = leaves.split_at(split);
        if first <= split {
            path.push(root(suite, domain, right));
            leaves = left;
        } else {
            path.push(root(suite, domain, left));
            (first, leaves, whole) = (first - split, right, false);
        }
    }
    if !whole {
        path.push(root(suite, domain, leaves));
    }
    path.reverse();
    Some(ConsistencyPath(List::new(path).expect("64 levels hold any tree")))
}

impl ConsistencyPath {
    /// Checks that the tree `second` has grown from the tree `first` (RFC 9162, 2.1.4.2). Every tree has
    /// grown from itself and from the empty one, by the empty path.
    ///
    /// # Errors
    /// [`MerkleError`] if this path does not show it.
    pub fn check(
        &self,
        suite: Suite,
        domain: Domain,
        first: TreeHead,
        second: TreeHead,
    ) -> Result<(), MerkleError> {
        if first.size > second.size {
            return Err(MerkleError::Outside { index: first.size, size: second.size });
        }
        if first.size == 0 || first.size == second.size {
            self.check_length(0)?;
            let expected = if first.size == 0 { root(suite, domain, &[]) } else { second.root };
            return same(first.root, expected);
        }
        let expected = length(first.size, second.size);
        self.check_length(expected)?;
        // The RFC puts the first root before the path if it is itself a node of the second tree.
        let own = first.size.is_power_of_two().then_some(&first.root);
        let mut nodes = own.into_iter().chain(self.0.iter());
        let start = nodes.next().ok_or(MerkleError::Length { got: 0, expected })?;
        let (mut at, mut last) = (first.size - 1, second.size - 1);
        let shift = at.trailing_ones();
        (at, last) = (at >> shift, last >> shift);
        let (mut from, mut to) = (*start, *start);
        for sibling in nodes {
            if at & 1 == 1 || at == last {
                from = node(suite, domain, sibling, &from);
                to = node(suite, domain, sibling, &to);
                while at & 1 == 0 && at != 0 {
                    (at, last) = (at >> 1, last >> 1);
                }
            } else {
                to = node(suite, domain, &to, sibling);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        same(from, first.root)?;
        same(to, second.root)
    }

    fn check_length(&self, expected: usize) -> Result<(), MerkleError> {
        let got = self.0.len();
        if got == expected { Ok(()) } else { Err(MerkleError::Length { got, expected }) }
    }
}

fn same(got: Hash, expected: Hash) -> Result<(), MerkleError> {
    if got == expected { Ok(()) } else { Err(MerkleError::Root { got, expected }) }
}

/// Hashes in the proof between two sizes, `0 < first < second`.
fn length(first: u64, second: u64) -> usize {
    let (mut first, mut size, mut whole, mut length) = (first, second, true, 0);
    while first < size {
        let split = 1 << (size - 1).ilog2();
        if first <= split {
            size = split;
        } else {
            (first, size, whole) = (first - split, size - split, false);
        }
        length += 1;
    }
    length + usize::from(!whole)
}
