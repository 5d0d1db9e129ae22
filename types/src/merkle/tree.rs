//! A tree kept level by level: many paths of one tree at the cost of one.

use super::{MerklePath, RangePath, node};
use crate::{Domain, Hash, List, Suite};
use std::ops::Range;

/// All levels of a tree, leaves first.
#[derive(Debug, Clone)]
pub struct Tree(Vec<Vec<Hash>>);

impl Tree {
    /// The tree over leaf digests.
    pub fn new(suite: Suite, domain: Domain, leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            levels.push(above(suite, domain, below));
        }
        Self(levels)
    }

    /// The path of leaf `index`, or `None` if there is no such leaf.
    pub fn path(&self, index: usize) -> Option<MerklePath> {
        self.0[0].get(index)?;
        let siblings = self.0.iter().enumerate().filter_map(|(depth, level)| {
            let at = index >> depth;
            level.get(at ^ 1).copied()
        });
        let siblings = siblings.collect();
        Some(MerklePath(List::new(siblings).expect("64 levels hold any tree")))
    }

    /// The path of neighbouring leaves, or `None` if there are none or not all of them are there.
    pub fn range_path(&self, leaves: Range<usize>) -> Option<RangePath> {
        self.0[0].get(leaves.clone()).filter(|some| !some.is_empty())?;
        let (mut first, mut last) = (leaves.start, leaves.end - 1);
        let mut siblings = Vec::new();
        for level in &self.0 {
            let left = (first % 2 == 1).then(|| level[first - 1]);
            let right = if last % 2 == 0 { level.get(last + 1).copied() } else { None };
            siblings.extend(left.into_iter().chain(right));
            (first, last) = (first / 2, last / 2);
        }
        Some(RangePath(List::new(siblings).expect("64 levels hold any tree")))
    }
}

/// The level above one. Pairing, and carrying an odd last one up, gives exactly the RFC's shape.
pub(super) fn above(suite: Suite, domain: Domain, level: &[Hash]) -> Vec<Hash> {
    let pairs = level.chunks(2).map(|pair| match pair {
        [left, right] => node(suite, domain, left, right),
        odd => odd[0],
    });
    pairs.collect()
}
