//! What a record says: one file for each type.
//!
//! One derive serves JSON and canonical bytes: enums are tagged by their snake_case name (JSON) or
//! their position (bytes), an absent option is `null`, and nothing is skipped or flattened. What is
//! secret is a [`Commitment`]; what the rules need is in the clear.

mod collection;
mod consent;
mod currency;
mod data_access;
mod disbursement;
mod governance;
mod guarantee;
mod loan_contract;
mod model_training;
mod party;
mod record_type;
mod repayment;
mod seats;

pub use collection::{
    Collection, CollectionAgent, CollectionChannel, CollectionOutcome, Complaint, ContactRole,
    Reached,
};
pub use consent::{
    ConsentDisplay, ConsentGrant, ConsentKind, ConsentRevoke, ConsentValidity, Grantor, LegalBasis,
    RevokedBy, WillMethod, WillProof,
};
pub use currency::{Currency, CurrencyError};
pub use data_access::{
    AccessActor, AccessBasis, AccessOperation, AccessOutcome, AccessTarget, DataAccess,
};
pub use disbursement::{
    Deduction, DeductionKind, Disbursement, DisbursementChannel, DisbursementStatus,
};
pub use governance::{
    Admission, AdmittedNode, Ballot, Change, KeyChange, Motion, Profile, ProvenKey, Revocation,
    Seat, SeatChange,
};
pub use guarantee::{
    ClaimDecision, ClaimNotice, ClaimParts, ClaimPayment, Guarantee, GuaranteeAction,
    GuaranteeKind, GuaranteeScope, GuaranteeTerms, Guarantor, Recovery, RecoverySource,
    ReleaseReason, RiskRole, RiskShare,
};
pub use loan_contract::{
    AprMethod, DayCount, Fee, FeeKind, FeePayee, Instalment, InterestRate, Jurisdiction,
    LenderClass, LoanContract, LprTenor, ModelVersionRef, OverdueRate, RateKind, RepayMethod,
    Schedule,
};
pub use model_training::{
    Cosignature, Dataset, Deployment, DeploymentResult, Metric, ModelStep, ModelTraining, ModelUse,
    TrainingMode, TrainingProcess, TrainingRun,
};
pub use party::{Certificate, Party, PartyKind, PartyRole, SignMethod, Signatory, Signer};
pub use record_type::RecordType;
pub use repayment::{Allocation, Repayment, RepaymentResult, RepaymentSource};
pub use seats::SeatChangeError;

use crate::{
    fault::Fault,
    record::{Commitment, Phase, Subject},
};
use serde::{Deserialize, Serialize};

/// What a record says. Positions are part of the bytes: a new type is added at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Body {
    /// A loan contract was signed.
    LoanContract(Box<LoanContract>),
    /// A guarantee was signed, claimed, paid, recovered or released.
    Guarantee(Box<Guarantee>),
    /// Money of the loan was paid out.
    Disbursement(Box<Disbursement>),
    /// Money came back, or failed to.
    Repayment(Box<Repayment>),
    /// The debtor was asked to pay.
    Collection(Box<Collection>),
    /// A person consented to the use of her data.
    ConsentGrant(Box<ConsentGrant>),
    /// She withdrew it.
    ConsentRevoke(Box<ConsentRevoke>),
    /// Data about a person was accessed, or the access was denied.
    DataAccess(Box<DataAccess>),
    /// A model was trained, reviewed, deployed or retired.
    ModelTraining(Box<ModelTraining>),
    /// A motion to change the consortium.
    Motion(Box<Motion>),
    /// A vote on a motion.
    Ballot(Box<Ballot>),
    /// A validator contradicted itself.
    Fault(Box<Fault>),
}

impl Body {
    /// The type, with its stable number and labels.
    pub const fn record_type(&self) -> RecordType {
        match self {
            Self::LoanContract(_) => RecordType::LoanContract,
            Self::Guarantee(_) => RecordType::Guarantee,
            Self::Disbursement(_) => RecordType::Disbursement,
            Self::Repayment(_) => RecordType::Repayment,
            Self::Collection(_) => RecordType::Collection,
            Self::ConsentGrant(_) => RecordType::ConsentGrant,
            Self::ConsentRevoke(_) => RecordType::ConsentRevoke,
            Self::DataAccess(_) => RecordType::DataAccess,
            Self::ModelTraining(_) => RecordType::ModelTraining,
            Self::Motion(_) => RecordType::Motion,
            Self::Ballot(_) => RecordType::Ballot,
            Self::Fault(_) => RecordType::Fault,
        }
    }

    /// The handles of all persons and businesses mentioned, ascending, none twice.
    pub fn subjects(&self) -> Vec<Subject> {
        let mut subjects = match self {
            Self::LoanContract(body) => body.subjects(),
            Self::Guarantee(body) => body.subjects(),
            Self::Disbursement(_) | Self::Repayment(_) | Self::ModelTraining(_) => Vec::new(),
            Self::Motion(_) | Self::Ballot(_) | Self::Fault(_) => Vec::new(),
            Self::Collection(body) => vec![body.debtor],
            Self::ConsentGrant(body) => vec![body.subject],
            Self::ConsentRevoke(body) => vec![body.subject],
            Self::DataAccess(body) => body.subjects(),
        };
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// Every commitment with the field name that it binds (see [`Commitment::new`]): the path of
    /// the field in the body, list positions as numbers, such as `borrowers.0.name`.
    pub fn commitments(&self) -> Vec<(String, Commitment)> {
        match self {
            Self::LoanContract(body) => body.commitments(),
            Self::Guarantee(body) => body.commitments(),
            Self::Disbursement(body) => body.commitments(),
            Self::Repayment(body) => body.commitments(),
            Self::Collection(body) => body.commitments(),
            Self::ConsentGrant(body) => body.commitments(),
            Self::ConsentRevoke(_) | Self::Motion(_) | Self::Ballot(_) | Self::Fault(_) => {
                Vec::new()
            }
            Self::DataAccess(body) => body.commitments(),
            Self::ModelTraining(body) => body.commitments(),
        }
    }

    /// The phases in which such a record may stand.
    pub const fn phases(&self) -> &'static [Phase] {
        match self {
            Self::LoanContract(_) => &[Phase::P08],
            Self::Guarantee(body) => body.phases(),
            Self::Disbursement(_) => &[Phase::P11],
            Self::Repayment(_) => &[Phase::P12],
            Self::Collection(_) => &[Phase::P15],
            Self::ConsentGrant(_) | Self::ConsentRevoke(_) => &[Phase::P02],
            Self::DataAccess(_) => &[Phase::P03],
            Self::ModelTraining(_) => &[Phase::P04],
            Self::Motion(_) | Self::Ballot(_) | Self::Fault(_) => &[Phase::P00],
        }
    }
}

/// Puts `prefix` and a dot before each field name.
fn under(
    prefix: &str,
    fields: Vec<(String, Commitment)>,
) -> impl Iterator<Item = (String, Commitment)> {
    fields.into_iter().map(move |(field, value)| (format!("{prefix}.{field}"), value))
}

/// The commitment of an optional field, if it is there.
fn optional(field: &str, value: Option<Commitment>) -> Option<(String, Commitment)> {
    value.map(|value| (field.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, codec};

    fn revocation() -> Body {
        Body::ConsentRevoke(Box::new(ConsentRevoke {
            subject: Subject([0xab; 32]),
            at: Timestamp::new(1_750_000_000_000),
            by: RevokedBy::Agent,
            channel: crate::Text::new("柜台").unwrap(),
        }))
    }

    #[test]
    fn one_derive_serves_json_and_bytes() {
        let body = revocation();
        let subject = "ab".repeat(32);
        let json = format!(
            r#"{{"consent_revoke":{{"subject":"{subject}","at":1750000000000,"by":"agent","channel":"柜台"}}}}"#
        );
        assert_eq!(serde_json::to_string(&body).unwrap(), json);
        assert_eq!(serde_json::from_str::<Body>(&json).unwrap(), body);
        // Variant 6; the handle; the time; variant 1; six bytes of UTF-8 and their number.
        let bytes =
            format!("00000006{subject}000001977420dc0000000001{}e69f9ce58fb0", "0000000000000006");
        assert_eq!(hex::encode(codec::encode(&body)), bytes);
        assert_eq!(codec::decode::<Body>(&hex::decode(bytes).unwrap(), 4_096).unwrap(), body);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let json = serde_json::to_string(&revocation()).unwrap();
        for wrong in [
            json.replace("\"by\"", "\"note\":1,\"by\""),
            json.replace("consent_revoke", "consent_recall"),
            json.replace("agent", "Agent"),
            json.replace("\"at\":1750000000000,", ""),
            json.replace("1750000000000", "9007199254740992"),
        ] {
            assert_ne!(wrong, json);
            assert!(serde_json::from_str::<Body>(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_phases_of_a_guarantee_are_those_of_its_action() {
        let phases = |action| Body::Guarantee(Box::new(Guarantee { number: 1, action })).phases();
        assert_eq!(phases(GuaranteeAction::Release(ReleaseReason::Consent)), [Phase::P18]);
        let decision = ClaimDecision { accepted: crate::Fen::ZERO, reason: None };
        assert_eq!(phases(GuaranteeAction::ClaimDecision(decision)), [Phase::P17]);
    }
}
