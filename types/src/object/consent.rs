//! A consent.

use crate::{
    Height, InstitutionId, List, Text, Timestamp,
    body::{ConsentKind, ConsentValidity, LegalBasis},
    record::{FlowId, RecordId, Subject},
};
use serde::{Deserialize, Serialize};

/// A consent as it stands. That its time has run out shows from [`Self::validity`], not from its
/// status, which changes with records only: see [`Self::status_at`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Where it stands in its life, as of its last record.
    pub status: ConsentStatus,
    /// The record by which it was granted.
    pub grant: RecordId,
    /// Whose data.
    pub subject: Subject,
    /// Who decides on purposes and means.
    pub controller: InstitutionId,
    /// Who else receives the data.
    pub recipients: List<InstitutionId, 8>,
    /// The legal basis.
    pub basis: LegalBasis,
    /// The kind.
    pub kind: ConsentKind,
    /// The purposes.
    pub purposes: List<Text<32>, 8>,
    /// The classes of data.
    pub data_classes: List<Text<32>, 8>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// How long it holds.
    pub validity: ConsentValidity,
    /// Accesses that rested on it.
    pub uses: u64,
    /// The block that revoked it, if one did.
    pub revoked_at: Option<Height>,
    /// The consent that replaced it, if one did.
    pub superseded_by: Option<FlowId>,
}

impl Consent {
    /// Where it stands at a time: [`ConsentStatus::Expired`] once its time has run out. A consent
    /// for the life of a loan also ends with the loan, which only the loan's flow shows.
    pub fn status_at(&self, time: Timestamp) -> ConsentStatus {
        match (self.status, self.validity) {
            (ConsentStatus::Active, ConsentValidity::Until(end)) if end <= time => {
                ConsentStatus::Expired
            }
            (ConsentStatus::Active, _) if time < self.valid_from => ConsentStatus::Granted,
            (status, _) => status,
        }
    }
}

/// Where a consent stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// Granted, but its time has not begun.
    Granted,
    /// Holds.
    Active,
    /// It was for one access, which has been.
    Exhausted,
    /// Its time has run out.
    Expired,
    /// Withdrawn.
    Revoked,
    /// Replaced by another.
    Superseded,
}

impl ConsentStatus {
    /// The label of reports, in Chinese and in English.
    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Granted => ("未到生效时间", "granted, not yet valid"),
            Self::Active => ("有效", "active"),
            Self::Exhausted => ("已用尽", "exhausted"),
            Self::Expired => ("已过期", "expired"),
            Self::Revoked => ("已撤回", "revoked"),
            Self::Superseded => ("已被取代", "superseded"),
        }
    }
}
