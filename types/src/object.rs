//! The objects that records build: facilities, consents, access logs, models, motions. Each is bounded,
//! below [`crate::limits::OBJECT_BYTES`].

mod access_log;
mod consent;
mod facility;
mod guarantee;
mod model;
mod motion;

pub use access_log::AccessLog;
pub use consent::{Consent, ConsentStatus};
pub use facility::{Debtor, Facility, FacilityStatus, Overdue, PendingDrawdown};
pub use guarantee::{GuaranteeState, GuaranteeStatus};
pub use model::{Model, ModelVersion, VersionStatus};
pub use motion::{Motion, MotionStatus};

use crate::{
    Domain, Hash, Height, InstitutionId, List, Suite, body::Ballot, fault::Fault, limits,
    record::RecordId,
};
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
    /// A motion to change the consortium.
    Motion(Box<Motion>),
    /// An institution's vote on a motion.
    Ballot(Box<Ballot>),
    /// A validator's misdeed, with its proof.
    Fault(Box<Fault>),
}

impl Object {
    /// What it is, for reports: in Chinese and in English.
    pub const fn label(&self) -> (&'static str, &'static str) {
        match self {
            Self::Facility(_) => ("贷款", "Facility"),
            Self::Consent(_) => ("授权", "Consent"),
            Self::AccessLog(_) => ("访问日志", "Access log"),
            Self::Model(_) => ("模型", "Model"),
            Self::Motion(_) => ("议案", "Motion"),
            Self::Ballot(_) => ("表决", "Ballot"),
            Self::Fault(_) => ("验证节点过错", "Fault"),
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
            Self::Motion(motion) => motion.status.label(),
            Self::Ballot(ballot) if ballot.approve => ("赞成", "for"),
            Self::Ballot(_) => ("反对", "against"),
            Self::Fault(_) => ("已证实", "proven"),
        }
    }
}

#[cfg(test)]
mod tests;
