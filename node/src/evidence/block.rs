//! A sealed block with the trees over what it holds, built once for all who want proofs of it.

use super::AssembleError;
use probata_types::{
    Domain, Hash, Height, List, SealedBlock, Submission, SubmissionId,
    limits::RECORDS_PER_SUBMISSION,
    merkle::Tree,
    outcome::leaf_digest,
    receipt::{Receipt, SealedHeader},
};
use std::{collections::HashMap, sync::OnceLock};

/// A sealed block and the proofs of what it holds. The trees are built when the first proof is asked for.
#[derive(Debug)]
pub struct ProvenBlock {
    block: SealedBlock,
    trees: OnceLock<Trees>,
}

#[derive(Debug)]
struct Trees {
    submissions: Tree,
    outcomes: Tree,
    /// For each submission its place, and that of its first record.
    places: HashMap<SubmissionId, (usize, usize)>,
}

impl ProvenBlock {
    /// The block, which is sealed.
    pub const fn new(block: SealedBlock) -> Self {
        Self { block, trees: OnceLock::new() }
    }

    /// The block.
    pub const fn block(&self) -> &SealedBlock {
        &self.block
    }

    /// Its height.
    pub const fn height(&self) -> Height {
        self.block.header.height
    }

    /// Header and seal.
    pub fn sealed_header(&self) -> SealedHeader {
        SealedHeader { header: self.block.header.clone(), seal: self.block.seal.clone() }
    }

    /// The proof of a submission that the block holds, and of what was decided about its records.
    ///
    /// # Errors
    /// [`AssembleError::Contradiction`] if the block does not hold it.
    pub fn receipt(&self, id: &SubmissionId) -> Result<Receipt, AssembleError> {
        let proof = || {
            let (at, first) = *self.trees().places.get(id)?;
            let count = self.block.proposal.submissions.get(at)?.records.len();
            let decided = self.block.outcomes.get(first..first + count)?;
            let outcomes: List<_, RECORDS_PER_SUBMISSION> = List::new(decided.to_vec()).ok()?;
            Some(Receipt {
                submission: u32::try_from(at).ok()?,
                submission_path: self.trees().submissions.path(at)?,
                first_record: u32::try_from(first).ok()?,
                outcomes,
                outcomes_path: self.trees().outcomes.range_path(first..first + count)?,
            })
        };
        proof().ok_or(super::NO_SUCH_SUBMISSION)
    }

    fn trees(&self) -> &Trees {
        self.trees.get_or_init(|| Trees::of(&self.block))
    }
}

impl Trees {
    fn of(block: &SealedBlock) -> Self {
        let (suite, submissions) = (block.header.suite, &block.proposal.submissions);
        let leaves = submissions.iter().map(Submission::leaf).collect();
        let (mut places, mut outcomes) = (HashMap::with_capacity(submissions.len()), Vec::new());
        let mut decided = block.outcomes.iter();
        for (at, submission) in submissions.iter().enumerate() {
            let id = submission.id();
            places.insert(id, (at, outcomes.len()));
            let records = submission.record_ids().iter().zip(&mut decided);
            let leaf = |(record, outcome)| leaf_digest(suite, record, &id, outcome);
            let leaves: Vec<Hash> = records.map(leaf).collect();
            outcomes.extend(leaves);
        }
        Self {
            submissions: Tree::new(suite, Domain::Submissions, leaves),
            outcomes: Tree::new(suite, Domain::Outcomes, outcomes),
            places,
        }
    }
}
