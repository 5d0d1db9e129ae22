//! The objects that records build: facilities, consents, access logs, models.

use crate::{Domain, Hash, Height, InstitutionId, List, Suite, limits, record::RecordId};
use serde::{Deserialize, Serialize};

/// A flow as it stands: what its accepted records have built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowState {
    /// The institution that opened it.
    pub owner: InstitutionId,
    /// The height of its first record.
    pub opened_at: Height,
    /// Number of accepted records.
    pub count: u64,
    /// The hash chain over them: see [`next_head`].
    pub head: Hash,
    /// Each submitter's last record.
    pub submitters: List<SubmitterState, { limits::SUBMITTERS_PER_FLOW }>,
    /// What the records have built.
    pub object: Object,
}

/// Where a submitter stands in a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmitterState {
    /// The submitter.
    pub institution: InstitutionId,
    /// The number of its last accepted record.
    pub seq: u64,
    /// That record.
    pub last: RecordId,
}

/// The head of a flow's hash chain after one more accepted record: `hash(Flow, head ‖ record id)`,
/// starting from [`Hash::ZERO`]. Whoever shows records that lead to the head shows all of them.
pub fn next_head(suite: Suite, head: &Hash, record: &RecordId) -> Hash {
    suite.hash(Domain::Flow, &[head.as_bytes(), record.as_bytes()])
}

/// What the records of a flow have built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Object {}
