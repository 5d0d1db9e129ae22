//! The one history of a chain, seen from outside: what correct nodes sealed.

use crate::trouble::{Trouble, ensure};
use probata_types::{Hash, Height, SealedBlock, SubmissionId, ValidatorSet};
use std::collections::{BTreeMap, BTreeSet};

/// What correct nodes sealed since the beginning, and how far each is.
#[derive(Debug, Default)]
pub(crate) struct History {
    sealed: BTreeMap<Height, Sealed>,
    heights: BTreeMap<usize, Height>,
}

#[derive(Debug)]
struct Sealed {
    hash: Hash,
    /// The set that its header names for the next height.
    next: Hash,
    submissions: BTreeSet<SubmissionId>,
}

impl History {
    /// Takes note of a block that a correct node has sealed.
    ///
    /// # Errors
    /// [`Trouble`] if another one was sealed at its height, its seal does not hold, it is not the node's
    /// next one, or its submissions are not those of its header.
    pub(crate) fn sealed(
        &mut self,
        at: usize,
        block: &SealedBlock,
        set: &ValidatorSet,
    ) -> Result<(), Trouble> {
        let (height, hash) = (block.header.height, block.header.hash());
        if let Err(error) = block.seal.verify(&block.header, set) {
            return Err(Trouble::new(format!("the seal of height {height} at node {at}: {error}")));
        }
        // P1, not by the arithmetic that is being tried.
        let (votes, size) = (block.seal.votes.len(), set.size());
        ensure(2 * votes > size + (size - 1) / 3, || {
            format!("{votes} of {size} validators sealed height {height} at node {at}")
        })?;
        let sealed = self.sealed.entry(height).or_insert_with(|| Sealed {
            hash,
            next: block.header.next_validators,
            submissions: block.proposal.submissions.iter().map(|it| it.id()).collect(),
        });
        let same = sealed.hash == hash;
        ensure(same, || format!("two headers are sealed at height {height}"))?;
        let named = height.previous().and_then(|before| self.sealed.get(&before));
        let follows = named.is_none_or(|before| before.next == block.header.validators);
        ensure(follows, || {
            format!("height {height} is sealed by another set than the header before it names")
        })?;
        let root = block.proposal.submissions_root();
        ensure(root == block.header.submissions_root, || {
            format!("node {at} has other submissions at height {height} than its header names")
        })?;
        let before = self.heights.insert(at, height).unwrap_or_default();
        // What it had sealed before a crash it has afterwards, and goes on from there.
        ensure(height == before.next(), || format!("node {at} sealed {height} after {before}"))
    }

    /// How far a node was when it last sealed something.
    pub(crate) fn height_of(&self, at: usize) -> Height {
        self.heights.get(&at).copied().unwrap_or_default()
    }

    /// The header's hash at a height; `None` if no correct node has sealed it.
    pub(crate) fn hash(&self, height: Height) -> Option<Hash> {
        self.sealed.get(&height).map(|sealed| sealed.hash)
    }

    /// Whether the block of a height holds a submission.
    pub(crate) fn holds(&self, height: Height, submission: &SubmissionId) -> bool {
        self.sealed.get(&height).is_some_and(|sealed| sealed.submissions.contains(submission))
    }
}
