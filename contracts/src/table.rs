//! The dispatch table: which file judges which type. A new type is one new file and one new line.

use crate::{
    case::{Case, Judged, require},
    compliance::{consent_grant, consent_revoke, data_access, model_training},
    envelope::{self, Standing},
    facility::{collection, disbursement, guarantee, loan_contract, repayment},
    governance::{ballot, fault, motion},
};
use probata_types::{body::Body, catalogue::failure, object::Object, outcome::Code};
use std::collections::BTreeSet;

/// Judges a record: the rules of the envelope, those of its type, and what the flow becomes.
/// Changes are left with the overlay for the caller to keep or forget.
pub(crate) fn judge(mut case: Case<'_, '_>) -> Judged<BTreeSet<Code>> {
    // A validator's key is good for one thing.
    let submits = case.institution.key_is_valid(&case.head.key, case.block.height);
    let reports = matches!(case.record.body, Body::Fault(_));
    require(submits || reports, failure::KEY_PURPOSE)?;
    let (standing, object) = envelope::check(&case)?.map(|flow| Standing::split(*flow)).unzip();
    let object = judge_body(&mut case, object)?;
    envelope::finish(&mut case, standing, object)?;
    Ok(case.findings)
}

/// Judges what the record says on the object of its flow, and gives the object after it.
fn judge_body(case: &mut Case<'_, '_>, flow: Option<Object>) -> Judged<Object> {
    match &case.record.body {
        Body::LoanContract(body) => loan_contract::judge(case, body, flow),
        Body::Guarantee(body) => guarantee::judge(case, body, flow),
        Body::Disbursement(body) => disbursement::judge(case, body, flow),
        Body::Repayment(body) => repayment::judge(case, body, flow),
        Body::Collection(body) => collection::judge(case, body, flow),
        Body::ConsentGrant(body) => consent_grant::judge(case, body, flow),
        Body::ConsentRevoke(body) => consent_revoke::judge(case, body, flow),
        Body::DataAccess(body) => data_access::judge(case, body, flow),
        Body::ModelTraining(body) => model_training::judge(case, body, flow),
        Body::Motion(body) => motion::judge(case, body, flow),
        Body::Ballot(body) => ballot::judge(case, body, flow),
        Body::Fault(body) => fault::judge(case, body, flow),
    }
}
