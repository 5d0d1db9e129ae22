//! A sealed block with the trees over what it holds, built once for all who want proofs of it.

use super::AssembleError;
use probata_types::{
    Domain, Hash, Height, List, Outcome, RecordId, SealedBlock, Submission, SubmissionId,
    limits::RECORDS_PER_SUBMISSION,
    merkle::Tree,
    outcome::leaf_digest,
    receipt::{Receipt, SealedHeader},
};
use std::{
    collections::HashMap,
    iter,
    ops::Range,
    sync::{Arc, OnceLock},
};

/// A sealed block and the proofs of what it holds.
#[derive(Debug)]
pub struct ProvenBlock {
    block: SealedBlock,
    proofs: Arc<BlockProofs>,
}

/// The proofs of what a block holds, without the records themselves. The trees are built when the first proof is asked
/// for.
#[derive(Debug)]
pub struct BlockProofs {
    sealed: SealedHeader,
    submissions: Vec<Place>,
    /// Of all submissions, in order.
    records: Vec<RecordId>,
    /// One for each record.
    outcomes: Vec<Outcome>,
    trees: OnceLock<Trees>,
}

/// A submission of a block.
#[derive(Debug)]
struct Place {
    id: SubmissionId,
    leaf: Hash,
    /// Its first record, and the first behind its last.
    records: Range<usize>,
}

#[derive(Debug)]
struct Trees {
    submissions: Tree,
    outcomes: Tree,
    /// The place of each submission.
    places: HashMap<SubmissionId, usize>,
}

impl ProvenBlock {
    /// The block, which is sealed.
    pub fn new(block: SealedBlock) -> Self {
        let proofs = Arc::new(BlockProofs::of(&block));
        Self { block, proofs }
    }

    /// The block.
    pub const fn block(&self) -> &SealedBlock {
        &self.block
    }

    /// Its height.
    pub const fn height(&self) -> Height {
        self.block.header.height
    }

    /// The proofs of what it holds.
    pub const fn proofs(&self) -> &Arc<BlockProofs> {
        &self.proofs
    }
}

impl BlockProofs {
    /// Of a sealed block.
    pub fn of(block: &SealedBlock) -> Self {
        let (mut submissions, mut records) = (Vec::new(), Vec::new());
        for submission in &block.proposal.submissions {
            let first = records.len();
            records.extend_from_slice(submission.record_ids());
            let (id, leaf) = (submission.id(), submission.leaf());
            submissions.push(Place { id, leaf, records: first..records.len() });
        }
        let sealed = SealedHeader { header: block.header.clone(), seal: block.seal.clone() };
        let outcomes = block.outcomes.iter().cloned().collect();
        Self { sealed, submissions, records, outcomes, trees: OnceLock::new() }
    }

    /// The height of the block.
    pub const fn height(&self) -> Height {
        self.sealed.header.height
    }

    /// The submissions that it holds.
    pub(super) fn submissions(&self) -> impl Iterator<Item = SubmissionId> + '_ {
        self.submissions.iter().map(|place| place.id)
    }

    /// Whether this is the submission at a place: its head, its signature and its records.
    pub(super) fn is_at(&self, at: usize, submission: &Submission) -> bool {
        let Some(Place { leaf, records, .. }) = self.submissions.get(at) else { return false };
        let records = self.records.get(records.clone());
        *leaf == submission.leaf() && records == Some(submission.record_ids())
    }

    /// Header and seal.
    pub const fn sealed_header(&self) -> &SealedHeader {
        &self.sealed
    }

    /// About as many bytes as it takes in memory, with its trees.
    pub(super) const fn memory(&self) -> usize {
        let of_submission =
            size_of::<Place>() + 2 * size_of::<(SubmissionId, usize)>() + 2 * Hash::LEN;
        let of_record = size_of::<RecordId>() + size_of::<Outcome>() + 2 * Hash::LEN;
        size_of::<Self>() + self.submissions.len() * of_submission + self.records.len() * of_record
    }

    /// The proof of a submission that the block holds, and of what was decided about its records.
    ///
    /// # Errors
    /// [`AssembleError::Contradiction`] if the block does not hold it.
    pub fn receipt(&self, id: &SubmissionId) -> Result<Receipt, AssembleError> {
        let trees = self.trees.get_or_init(|| Trees::of(self));
        let proof = || {
            let at = *trees.places.get(id)?;
            let records = self.submissions.get(at)?.records.clone();
            let decided = self.outcomes.get(records.clone())?;
            let outcomes: List<_, RECORDS_PER_SUBMISSION> = List::new(decided.to_vec()).ok()?;
            Some(Receipt {
                submission: u32::try_from(at).ok()?,
                submission_path: trees.submissions.path(at)?,
                first_record: u32::try_from(records.start).ok()?,
                outcomes,
                outcomes_path: trees.outcomes.range_path(records)?,
            })
        };
        proof().ok_or(super::NO_SUCH_SUBMISSION)
    }
}

impl Trees {
    fn of(block: &BlockProofs) -> Self {
        let suite = block.sealed.header.suite;
        let (mut places, mut outcomes) = (HashMap::new(), Vec::with_capacity(block.records.len()));
        let mut decided = iter::zip(&block.records, &block.outcomes);
        for (at, Place { id, records, .. }) in block.submissions.iter().enumerate() {
            places.insert(*id, at);
            let decided = decided.by_ref().take(records.len());
            outcomes
                .extend(decided.map(|(record, outcome)| leaf_digest(suite, record, id, outcome)));
        }
        let leaves = block.submissions.iter().map(|place| place.leaf).collect();
        Self {
            submissions: Tree::new(suite, Domain::Submissions, leaves),
            outcomes: Tree::new(suite, Domain::Outcomes, outcomes),
            places,
        }
    }
}
