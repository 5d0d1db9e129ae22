//! What the chain decided about a record.

use crate::{
    Domain, Hash, List, Suite, codec, limits, merkle, record::RecordId, submission::SubmissionId,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A stable number for why a record was rejected or what was found about it. Its texts are in
/// [`crate::catalogue`]; a number is never given a second meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the chain decided about a record. Both kinds are sealed; only an accepted one changes the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It keeps every hard rule. Findings tell which soft rules it breaks.
    Accepted {
        /// Codes of what was found, ascending, none twice.
        findings: List<Code, { limits::FINDINGS_PER_RECORD }>,
    },
    /// It breaks a hard rule.
    Rejected {
        /// Which.
        code: Code,
    },
}

impl Outcome {
    /// Whether the record was accepted.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }
}

/// One leaf of a block's outcome tree: a record, the submission it came in, and what was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeLeaf {
    /// The record.
    pub record: RecordId,
    /// The submission that held it.
    pub submission: SubmissionId,
    /// The decision.
    pub outcome: Outcome,
}

impl OutcomeLeaf {
    /// The digest of this leaf in the outcome tree.
    pub fn digest(&self, suite: Suite) -> Hash {
        leaf_digest(suite, &self.record, &self.submission, &self.outcome)
    }
}

/// The digest of the leaf of these three in the outcome tree: over the canonical bytes of an [`OutcomeLeaf`].
pub fn leaf_digest(
    suite: Suite,
    record: &RecordId,
    submission: &SubmissionId,
    outcome: &Outcome,
) -> Hash {
    codec::with_bytes(&(record, submission, outcome), |bytes| {
        merkle::leaf(suite, Domain::Outcomes, bytes)
    })
}

/// The root of a block's outcome tree.
pub fn outcomes_root(suite: Suite, leaves: &[OutcomeLeaf]) -> Hash {
    let digests: Vec<Hash> = leaves.iter().map(|leaf| leaf.digest(suite)).collect();
    merkle::root(suite, Domain::Outcomes, &digests)
}
