//! A Merkle tree kept level by level, for many paths of one tree at the cost of one.

use probata_types::{
    Domain, Hash, List, Suite,
    merkle::{self, MerklePath},
};

/// All levels of a tree of [`merkle`], leaves first.
#[derive(Debug)]
pub(super) struct Paths(Vec<Vec<Hash>>);

impl Paths {
    /// The tree over `leaves`.
    pub(super) fn new(suite: Suite, domain: Domain, leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let level = below
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => merkle::node(suite, domain, left, right),
                    odd => odd[0],
                })
                .collect();
            levels.push(level);
        }
        Self(levels)
    }

    /// The path of leaf `index`, or `None` if there is no such leaf.
    pub(super) fn path(&self, index: usize) -> Option<MerklePath> {
        self.0[0].get(index)?;
        let siblings = self.0.iter().enumerate().filter_map(|(depth, level)| {
            let at = index >> depth;
            level.get(at ^ 1).copied()
        });
        let siblings = siblings.collect();
        Some(MerklePath(List::new(siblings).expect("64 levels hold any tree")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_are_those_of_the_shared_tree() {
        let (suite, domain) = (Suite::Blake3Ed25519, Domain::Outcomes);
        for size in 0..70usize {
            let leaves: Vec<Hash> =
                (0..size).map(|at| merkle::leaf(suite, domain, &at.to_be_bytes())).collect();
            let paths = Paths::new(suite, domain, leaves.clone());
            for index in 0..size + 2 {
                assert_eq!(paths.path(index), merkle::path(suite, domain, &leaves, index));
            }
        }
    }
}
