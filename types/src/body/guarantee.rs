//! Guarantee 担保 (P09 signed, P17 claimed and paid, P18 released). It lives in the flow of the
//! facility that it secures.

use super::{Party, Signer, optional, under};
use crate::{
    Bp, Date, Fen, InstitutionId, List, Text,
    record::{Commitment, Phase, Subject},
};
use serde::{Deserialize, Serialize};

/// Something happened to a guarantee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guarantee {
    /// Its number in the facility, from 1.
    pub number: u16,
    /// What happened.
    pub action: GuaranteeAction,
}

/// What happened to a guarantee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GuaranteeAction {
    /// It was signed.
    Sign(Box<GuaranteeTerms>),
    /// The lender demanded payment.
    ClaimNotice(ClaimNotice),
    /// The guarantor accepted or refused.
    ClaimDecision(ClaimDecision),
    /// The guarantor paid (代偿), all or a part.
    ClaimPaid(ClaimPayment),
    /// Something came back from the debtor (追偿), all or a part.
    Recovery(Recovery),
    /// It ended.
    Release(ReleaseReason),
}

impl Guarantee {
    pub(super) const fn phases(&self) -> &'static [Phase] {
        match self.action {
            GuaranteeAction::Sign(_) => &[Phase::P09],
            GuaranteeAction::Release(_) => &[Phase::P18],
            _ => &[Phase::P17],
        }
    }

    pub(super) fn subjects(&self) -> Vec<Subject> {
        match &self.action {
            GuaranteeAction::Sign(terms) => {
                terms.guarantors.iter().map(|one| one.party.subject).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn commitments(&self) -> Vec<(String, Commitment)> {
        match &self.action {
            GuaranteeAction::Sign(terms) => under("action.sign", terms.commitments()).collect(),
            GuaranteeAction::ClaimPaid(payment) => {
                vec![("action.claim_paid.bank_txn".to_owned(), payment.bank_txn)]
            }
            GuaranteeAction::Recovery(recovery) => {
                vec![("action.recovery.bank_txn".to_owned(), recovery.bank_txn)]
            }
            _ => Vec::new(),
        }
    }
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuaranteeTerms {
    /// The kind.
    pub kind: GuaranteeKind,
    /// Commitment to the number of the guarantee contract.
    pub contract_no: Commitment,
    /// The day of signing.
    pub signed_on: Date,
    /// The most that is guaranteed, if limited.
    pub max_amount: Option<Fen>,
    /// What is guaranteed.
    pub scope: GuaranteeScope,
    /// Months from the day on which the debt is due, if agreed; else the rule pack's default.
    pub period_months: Option<u16>,
    /// Who guarantees; at least one.
    pub guarantors: List<Guarantor, 8>,
    /// Whether guarantors agreed on recourse among themselves.
    pub recourse_agreed: bool,
    /// Who bears which part of a loss; adds up to 10,000.
    pub risk_shares: List<RiskShare, 8>,
    /// The risk-sharing scheme, by its code in the rule pack, such as `ZJ-442`.
    pub scheme: Option<Text<16>>,
    /// All that the borrower has outstanding under the scheme, with this loan.
    pub exposure: Fen,
    /// The guarantee fee per year on the guaranteed sum.
    pub fee: Bp,
    /// Whether there is a counter-guarantee.
    pub counter_guarantee: bool,
    /// Who signed; at least one guarantor.
    pub signers: List<Signer, 8>,
}

impl GuaranteeTerms {
    fn commitments(&self) -> Vec<(String, Commitment)> {
        let mut fields = vec![("contract_no".to_owned(), self.contract_no)];
        for (at, guarantor) in self.guarantors.iter().enumerate() {
            let prefix = format!("guarantors.{at}");
            fields.extend(under(&format!("{prefix}.party"), guarantor.party.commitments()));
            let registration = optional("registration_no", guarantor.registration_no);
            fields.extend(under(&prefix, registration.into_iter().collect()));
        }
        for (at, signer) in self.signers.iter().enumerate() {
            fields.extend(under(&format!("signers.{at}"), signer.commitments()));
        }
        fields
    }
}

/// Kinds of guarantee (Civil Code, 386 and 681 ff.).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuaranteeKind {
    /// General suretyship (一般保证): only after enforcement against the debtor failed.
    General,
    /// Joint suretyship (连带责任保证).
    Joint,
    /// Mortgage (抵押).
    Mortgage,
    /// Pledge (质押).
    Pledge,
    /// Up to a maximum amount (最高额).
    MaximumAmount,
    /// Not said, or not clearly: counts as general (Civil Code, 686).
    Unclear,
}

/// What is guaranteed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuaranteeScope {
    /// Principal.
    pub principal: bool,
    /// Interest.
    pub interest: bool,
    /// Penalty and overdue interest.
    pub penalty: bool,
    /// Costs of enforcing the claim.
    pub costs: bool,
}

/// One who guarantees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guarantor {
    /// Who.
    pub party: Party,
    /// The share of the group, if guarantors answer by shares (按份); adds up to 10,000 in a group.
    pub share: Option<Bp>,
    /// The group of guarantors that it belongs to.
    pub group: u8,
    /// Commitment to the number of the registration, for mortgage and pledge.
    pub registration_no: Option<Commitment>,
}

/// Who bears which part of a loss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskShare {
    /// In which part.
    pub role: RiskRole,
    /// Which institution, if it is one.
    pub institution: Option<InstitutionId>,
    /// Its share.
    pub share: Bp,
}

/// The part of a bearer of risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskRole {
    /// The guarantor.
    Guarantor,
    /// The lender.
    Lender,
    /// The guarantor of guarantors.
    ReGuarantor,
    /// A government fund.
    GovernmentFund,
    /// The borrower itself; never pays or is paid a claim.
    BorrowerSelf,
}

/// The lender demands payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimNotice {
    /// The day of the demand.
    pub demanded_on: Date,
    /// The day on which a suit or arbitration against the debtor was filed, if it was.
    pub sued_on: Option<Date>,
    /// Whether enforcement against the debtor was tried and failed.
    pub enforcement_exhausted: bool,
    /// How much, of what.
    pub parts: ClaimParts,
}

/// The parts of a claim.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimParts {
    /// Principal.
    pub principal: Fen,
    /// Interest.
    pub interest: Fen,
    /// Penalty and overdue interest.
    pub penalty: Fen,
    /// Costs of enforcing the claim.
    pub costs: Fen,
}

impl ClaimParts {
    /// The sum, or `None` out of range.
    pub fn sum(&self) -> Option<Fen> {
        Fen::sum([self.principal, self.interest, self.penalty, self.costs])
    }
}

/// The guarantor accepts or refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimDecision {
    /// The loss accepted, at most the claim; zero refuses.
    pub accepted: Fen,
    /// The reason for what is not accepted.
    pub reason: Option<Text<128>>,
}

/// The guarantor pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimPayment {
    /// The loss that is settled by this payment: all or a part of what was accepted.
    pub loss: Fen,
    /// What of the loss falls on each of the terms' `risk_shares`, in their order: its share
    /// rounded down, what rounding leaves to the lender (or to the first, if the lender bears
    /// none).
    pub allocation: List<Fen, 8>,
    /// Who pays.
    pub payer: InstitutionId,
    /// Who is paid.
    pub payee: InstitutionId,
    /// The day.
    pub paid_on: Date,
    /// Commitment to the number of the bank transaction.
    pub bank_txn: Commitment,
}

/// Something comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// How much.
    pub amount: Fen,
    /// From whom.
    pub from: RecoverySource,
    /// Split in the same shares as the loss.
    pub allocation: List<Fen, 8>,
    /// The day.
    pub recovered_on: Date,
    /// Commitment to the number of the bank transaction.
    pub bank_txn: Commitment,
}

/// From whom a loss is recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoverySource {
    /// The borrower.
    Borrower,
    /// Another guarantor.
    CoGuarantor,
    /// Collateral.
    Collateral,
    /// A counter-guarantee.
    CounterGuarantee,
}

/// Why a guarantee ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The debt is settled.
    DebtSettled,
    /// The lender agreed.
    Consent,
    /// Its period lapsed without a demand.
    PeriodLapsed,
}
