//! The receipt: what a node answers to a batch of submissions, in as few bytes as a proof can have.
//!
//! A receipt proves what an evidence file proves of the moment of sealing (that a block holds the submission
//! with this signature, and what was decided about each of its records), to somebody who has the submission.
//! Of the time after it says nothing: that is for the evidence file, which anybody can ask for later.
//!
//! | what | how it is shown |
//! | --- | --- |
//! | the block is sealed | its header and seal, once for all submissions that it holds |
//! | it holds the submission | [`Receipt::submission_path`], to the header's `submissions_root` |
//! | so each record was decided | [`Receipt::outcomes`] with one path for all of them, to `outcomes_root` |

use crate::{
    Domain, Hash, Header, Height, List, Outcome, Seal, Submission, Text, limits,
    merkle::{Leaves, MerkleError, MerklePath, Place, RangePath},
    outcome,
};
use serde::{Deserialize, Serialize};

/// What is sent: submissions that are judged and answered each on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// In the order of the answers.
    pub submissions: List<Submission, { limits::BATCH_SUBMISSIONS }>,
}

/// The answer to a [`Batch`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// The height up to which the answer is complete.
    pub complete_to: Height,
    /// The blocks that the receipts are of, each once.
    pub blocks: List<SealedHeader, { limits::BATCH_SUBMISSIONS }>,
    /// What became of each submission, in order.
    pub fates: List<Fate, { limits::BATCH_SUBMISSIONS }>,
}

/// A header with the seal over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedHeader {
    /// The header.
    pub header: Header,
    /// Its seal.
    pub seal: Seal,
}

/// What became of a submission until the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It is sealed.
    Sealed {
        /// The block, by its place in [`BatchAnswer::blocks`].
        block: u32,
        /// The proof, and what was decided.
        receipt: Receipt,
    },
    /// It waits for a block.
    Pending,
    /// It was not taken: what `POST /v1/submissions` would answer to it.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Seconds after which to send it again, if that can help.
        retry_after: Option<u32>,
        /// The body of that answer, in JSON.
        problem: Text<{ limits::PROBLEM_BYTES }>,
    },
}

/// That a block holds a submission, and what was decided about its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The submission's place among the block's.
    pub submission: u32,
    /// From there to the header's `submissions_root`.
    pub submission_path: MerklePath,
    /// The place of its first record among the block's.
    pub first_record: u32,
    /// The decision on each record, in order.
    pub outcomes: List<Outcome, { limits::RECORDS_PER_SUBMISSION }>,
    /// From there to the header's `outcomes_root`.
    pub outcomes_path: RangePath,
}

/// Why a receipt does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Decisions for more or fewer records than there are.
    #[error("{got} decisions on {expected} records")]
    Decisions {
        /// Given.
        got: usize,
        /// Records of the submission.
        expected: usize,
    },
    /// The submission is not where it is said to be.
    #[error("the submission's path: {0}")]
    Submission(MerkleError),
    /// Something else was decided.
    #[error("the outcomes' path: {0}")]
    Outcomes(MerkleError),
}

impl Receipt {
    /// Checks the proof against a header whose seal holds.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn check(&self, sent: &Submission, header: &Header) -> Result<(), ReceiptError> {
        let (ids, suite) = (sent.record_ids(), header.suite);
        if self.outcomes.len() != ids.len() {
            let (got, expected) = (self.outcomes.len(), ids.len());
            return Err(ReceiptError::Decisions { got, expected });
        }
        let place = Place { index: self.submission.into(), size: header.submission_count.into() };
        self.submission_path
            .check(suite, Domain::Submissions, place, &sent.leaf(), &header.submissions_root)
            .map_err(ReceiptError::Submission)?;
        let digests = self.leaves(sent);
        let leaves = self.placed(&digests, header);
        self.outcomes_path
            .check(suite, Domain::Outcomes, leaves, &header.outcomes_root)
            .map_err(ReceiptError::Outcomes)
    }

    /// The path of the decision on one record alone, as an evidence file has it.
    ///
    /// # Errors
    /// [`ReceiptError`] if there is no such record.
    pub fn outcome_path(
        &self,
        sent: &Submission,
        header: &Header,
        record: u32,
    ) -> Result<MerklePath, ReceiptError> {
        let digests = self.leaves(sent);
        let (leaves, index) = (self.placed(&digests, header), u64::from(self.first_record));
        self.outcomes_path
            .path_of(header.suite, Domain::Outcomes, leaves, index + u64::from(record))
            .map_err(ReceiptError::Outcomes)
    }

    /// The digests of the decisions, which lie side by side in the tree over the block's outcomes.
    fn leaves(&self, sent: &Submission) -> Vec<Hash> {
        let (id, suite) = (sent.id(), sent.head.suite);
        let decided = sent.record_ids().iter().zip(&self.outcomes);
        let leaf = |(record, outcome)| outcome::leaf_digest(suite, record, &id, outcome);
        decided.map(leaf).collect()
    }

    fn placed<'a>(&self, digests: &'a [Hash], header: &Header) -> Leaves<'a> {
        Leaves { first: self.first_record.into(), size: header.record_count.into(), digests }
    }
}
