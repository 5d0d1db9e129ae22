//! A guarantee, as part of the facility that it secures.

use crate::{
    Date, Fen, InstitutionId, List,
    body::{GuaranteeKind, GuaranteeScope, RiskShare},
    record::RecordId,
};
use serde::{Deserialize, Serialize};

/// A guarantee as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuaranteeState {
    /// Its number in the facility.
    pub number: u16,
    /// Where it stands in its life.
    pub status: GuaranteeStatus,
    /// The record by which it was signed.
    pub record: RecordId,
    /// The kind, as it counts: an unclear one is general.
    pub kind: GuaranteeKind,
    /// The most that is guaranteed, if limited.
    pub max_amount: Option<Fen>,
    /// What is guaranteed.
    pub scope: GuaranteeScope,
    /// The last day of its period.
    pub expires: Date,
    /// The institutions among the guarantors.
    pub guarantors: List<InstitutionId, 8>,
    /// How many guarantors signed it.
    pub guarantor_count: u8,
    /// Whether they agreed on recourse among themselves.
    pub recourse_agreed: bool,
    /// Who bears which part of a loss.
    pub risk_shares: List<RiskShare, 8>,
    /// The loss claimed, if a claim is open.
    pub claimed: Fen,
    /// Sum of the losses accepted.
    pub accepted: Fen,
    /// Sum of the losses settled by payment.
    pub settled: Fen,
    /// Sum of what guarantors, re-guarantors and funds paid on them.
    pub paid: Fen,
    /// Sum recovered.
    pub recovered: Fen,
}

/// Where a guarantee stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuaranteeStatus {
    /// Signed; the loan is not paid out yet.
    Signed,
    /// Secures the loan.
    InForce,
    /// Payment was demanded.
    ClaimNoticed,
    /// The guarantor accepted, in whole or in part.
    ClaimAccepted,
    /// The guarantor refused.
    ClaimRefused,
    /// The guarantor paid, in whole or in part.
    ClaimPaid,
    /// What was paid is being recovered.
    Recourse,
    /// All that was paid came back.
    Closed,
    /// Released.
    Released,
    /// Its period lapsed without a demand.
    Expired,
}

impl GuaranteeStatus {
    /// The label of reports, in Chinese and in English.
    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Signed => ("已签署", "signed"),
            Self::InForce => ("有效", "in force"),
            Self::ClaimNoticed => ("已通知代偿", "claim noticed"),
            Self::ClaimAccepted => ("已同意代偿", "claim accepted"),
            Self::ClaimRefused => ("已拒绝代偿", "claim refused"),
            Self::ClaimPaid => ("已代偿", "claim paid"),
            Self::Recourse => ("追偿中", "in recourse"),
            Self::Closed => ("已结束", "closed"),
            Self::Released => ("已解除", "released"),
            Self::Expired => ("保证期间届满", "expired"),
        }
    }
}
