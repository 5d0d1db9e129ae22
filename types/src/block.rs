//! What validators order (the proposal) and what they sign (the header).

use crate::{
    Domain, Hash, Height, List, Suite, Timestamp, ValidatorIndex, limits,
    memo::{Memo, Memorable},
    merkle::{self, MerklePath},
    outcome::{Outcome, OutcomeLeaf},
    seal::Seal,
    submission::{Submission, SubmissionError, SubmissionId},
};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// What a leader puts forward for a height: submissions in an order, shared (see [`Memo`]). It holds no
/// results: each validator executes the prepared proposal itself. Its fields are those of [`ProposalParts`].
pub type Proposal = Memo<ProposalParts>;

/// What a proposal is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Proposal")]
pub struct ProposalParts {
    /// The algorithms.
    pub suite: Suite,
    /// The chain.
    pub chain: Hash,
    /// The height that it is for.
    pub height: Height,
    /// The hash of the header before; the chain id at height 1.
    pub parent: Hash,
    /// Block time; later than the parent's.
    pub time: Timestamp,
    /// Who made it, by position in the set in force. A later leader that proposes it again leaves this.
    pub proposer: ValidatorIndex,
    /// The submissions, in order. Empty in a heartbeat block.
    pub submissions: List<Submission, { limits::SUBMISSIONS_PER_PROPOSAL }>,
}

/// What names a proposal.
#[derive(Debug, Clone, Copy)]
pub struct ProposalDigests {
    submissions_root: Hash,
    digest: Hash,
}

impl Memorable for ProposalParts {
    type Memory = OnceLock<ProposalDigests>;
}

impl Proposal {
    /// The digest that Prepare votes name. It covers every byte, through the submissions' root.
    pub fn digest(&self) -> Hash {
        self.digests().digest
    }

    /// The Merkle root over the submissions, whose leaves are [`Submission::leaf`].
    pub fn submissions_root(&self) -> Hash {
        self.digests().submissions_root
    }

    fn digests(&self) -> ProposalDigests {
        *self.memory().get_or_init(|| {
            let root = merkle::root(self.suite, Domain::Submissions, &self.submission_leaves());
            let head = (self.chain, self.height, self.parent, self.time, self.proposer);
            let head = crate::codec::encode(&head);
            let digest = self.suite.hash(Domain::Proposal, &[root.as_bytes(), &head]);
            ProposalDigests { submissions_root: root, digest }
        })
    }

    /// The path from submission `index` to that root; `None` if there is no such submission.
    pub fn submission_path(&self, index: usize) -> Option<MerklePath> {
        merkle::path(self.suite, Domain::Submissions, &self.submission_leaves(), index)
    }

    fn submission_leaves(&self) -> Vec<Hash> {
        self.submissions.iter().map(Submission::leaf).collect()
    }

    /// Records in all submissions.
    pub fn record_count(&self) -> usize {
        self.submissions.iter().map(|submission| submission.records.len()).sum()
    }
}

/// The block header: says everything about a block, and is what the seal signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of this layout; 1.
    pub version: u16,
    /// The algorithms.
    pub suite: Suite,
    /// The chain: its genesis hash.
    pub chain: Hash,
    /// The height of the block.
    pub height: Height,
    /// Block time.
    pub time: Timestamp,
    /// The hash of the header before; the chain id at height 1.
    pub parent: Hash,
    /// Number of submissions: the size of their tree.
    pub submission_count: u32,
    /// Merkle root over the submissions.
    pub submissions_root: Hash,
    /// Number of records: the size of the outcome tree.
    pub record_count: u32,
    /// Merkle root over the outcomes, one leaf for each record.
    pub outcomes_root: Hash,
    /// Root of the sparse tree over the state after this block.
    pub state_root: Hash,
    /// Merkle root over the chain id (leaf 0) and the hashes of headers 1 to `height - 1`: `height` leaves.
    pub history_root: Hash,
    /// Digest of the set that seals this header.
    pub validators: Hash,
    /// Digest of the set that seals the next one.
    pub next_validators: Hash,
    /// Who made the proposal.
    pub proposer: ValidatorIndex,
}

impl Header {
    /// The version written here.
    pub const VERSION: u16 = 1;

    /// The block's hash.
    pub fn hash(&self) -> Hash {
        self.suite.hash_value(Domain::Header, self)
    }
}

/// The digest of the leaf of the history tree that stands for a header hash (or, at 0, the chain id).
pub fn history_leaf(suite: Suite, header: &Hash) -> Hash {
    merkle::leaf(suite, Domain::History, header.as_bytes())
}

/// A block as it is kept and handed to others: what was ordered, decided and sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedBlock {
    /// What is sealed.
    pub header: Header,
    /// By whom.
    pub seal: Seal,
    /// The submissions.
    pub proposal: Proposal,
    /// The decision on each record, in order.
    pub outcomes: List<Outcome, { limits::RECORDS_PER_PROPOSAL }>,
}

/// A block whose submissions are not what its header says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Other submissions, or those of another proposal.
    #[error("its submissions are not those that its header names: {0}")]
    Other(&'static str),
    /// A submission is not what its own head says.
    #[error("submission {0}: {1}")]
    Submission(SubmissionId, SubmissionError),
}

impl SealedBlock {
    /// Checks that the submissions are those that the header names, to the last byte. Their signatures are not looked
    /// at: whoever sealed the header has.
    ///
    /// # Errors
    /// [`BodyError`], the first thing wrong.
    pub fn check_submissions(&self) -> Result<(), BodyError> {
        if let Some(what) = self.contradictions().next() {
            return Err(BodyError::Other(what));
        }
        self.proposal.submissions.iter().try_for_each(|submission| {
            let checked = submission.check_content(&self.header.chain);
            checked.map_err(|error| BodyError::Submission(submission.id(), error))
        })
    }

    /// Everything in which the header and the proposal differ, in words.
    pub fn contradictions(&self) -> impl Iterator<Item = &'static str> {
        let Self { header, proposal, .. } = self;
        let submissions = proposal.submissions.len();
        let facts = [
            (proposal.suite == header.suite, "proposal and header have different suites"),
            (proposal.chain == header.chain, "proposal and header name different chains"),
            (proposal.height == header.height, "proposal and header have different heights"),
            (proposal.parent == header.parent, "proposal and header have different parents"),
            (proposal.time == header.time, "proposal and header have different times"),
            (proposal.proposer == header.proposer, "proposal and header name different proposers"),
            (
                submissions == header.submission_count as usize,
                "the header states another number of submissions",
            ),
            (
                proposal.submissions_root() == header.submissions_root,
                "the submissions are not those of the header",
            ),
            (
                proposal.record_count() == header.record_count as usize,
                "the header states another number of records",
            ),
        ];
        facts.into_iter().filter(|(same, _)| !same).map(|(_, what)| what)
    }

    /// What the block says was decided: for each record that has an outcome, in order.
    pub fn outcome_leaves(&self) -> Vec<OutcomeLeaf> {
        let records = self.proposal.submissions.iter().flat_map(|submission| {
            submission.record_ids().iter().map(|record| (*record, submission.id()))
        });
        let leaves = records.zip(&self.outcomes);
        leaves
            .map(|((record, submission), outcome)| OutcomeLeaf {
                record,
                submission,
                outcome: outcome.clone(),
            })
            .collect()
    }
}
