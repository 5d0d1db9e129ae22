//! The objects that records build: facilities, consents, access logs, models. Each is bounded,
//! below [`crate::limits::OBJECT_BYTES`].

mod access_log;
mod consent;
mod facility;
mod guarantee;
mod model;

pub use access_log::AccessLog;
pub use consent::{Consent, ConsentStatus};
pub use facility::{Debtor, Facility, FacilityStatus, Overdue, PendingDrawdown};
pub use guarantee::{GuaranteeState, GuaranteeStatus};
pub use model::{Model, ModelVersion, VersionStatus};

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

/// What the records of a flow have built. The first record of a flow decides which it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Object {
    /// A loan with its whole life.
    Facility(Box<Facility>),
    /// A consent.
    Consent(Box<Consent>),
    /// The log of accesses in one system.
    AccessLog(Box<AccessLog>),
    /// A model with its versions.
    Model(Box<Model>),
}

impl Object {
    /// What it is, for reports: in Chinese and in English.
    pub const fn label(&self) -> (&'static str, &'static str) {
        match self {
            Self::Facility(_) => ("贷款", "Facility"),
            Self::Consent(_) => ("授权", "Consent"),
            Self::AccessLog(_) => ("访问日志", "Access log"),
            Self::Model(_) => ("模型", "Model"),
        }
    }

    /// How it stands, for reports: in Chinese and in English.
    pub fn status(&self) -> (&'static str, &'static str) {
        match self {
            Self::Facility(facility) => facility.status.label(),
            Self::Consent(consent) => consent.status.label(),
            Self::AccessLog(_) => ("在用", "in use"),
            Self::Model(model) => match &model.deployed {
                Some(_) => ("已上线", "deployed"),
                None => ("未上线", "not deployed"),
            },
        }
    }
}

#[cfg(test)]
mod tests;
