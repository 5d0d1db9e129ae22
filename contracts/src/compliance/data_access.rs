//! Data access: adds to the log of one system.
//!
//! ```text
//! (no flow) ──first access──▶ LOG ──access──▶ LOG …    (denied ones are logged like allowed ones)
//! ```
//! Hard: one institution, one system to a log; what is cited as a model is one. Soft: `NO_CONSENT`,
//! `AFTER_REVOKE`, `EXPORT_LARGE`, `OFF_HOURS`, `QUERY_NO_APPLICATION`.
//!
//! Whether a consent held is decided by the order of the chain, not by the stated time of the
//! access: a stated time can be chosen, the order cannot. A consent that is not there, or does not
//! cover the access, is a finding and not a failure: the access has happened, and its record must
//! not be lost.

use crate::{
    case::{Case, Judged, require},
    limits,
};
use probata_types::{
    body::{
        AccessActor, AccessBasis, AccessOperation, AccessOutcome, AccessTarget, ConsentKind,
        ConsentValidity, DataAccess, LegalBasis,
    },
    catalogue::{failure, finding},
    institution::Role,
    object::{AccessLog, Consent, ConsentStatus, FacilityStatus, Object},
    outcome::Code,
    record::FlowId,
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &DataAccess,
    flow: Option<Object>,
) -> Judged<Object> {
    case.require_role(|role| role.lends() || matches!(role, Role::DataProvider | Role::Platform))?;
    case.require_owner()?;
    let mut log = open(body, flow)?;
    case.require_past(body.at)?;
    let provinces = [body.from_province, body.to_province];
    let known = |code: &u8| limits::PROVINCES.contains(code);
    require(provinces.iter().flatten().all(known), failure::VALUE)?;
    if let AccessActor::Model(model) = &body.actor {
        case.model(model)?;
    }
    let allowed = body.outcome != AccessOutcome::Denied;
    if allowed && let Some(finding) = judge_basis(case, body)? {
        case.note(true, finding);
        log.without_consent = log.without_consent.saturating_add(1);
    }
    note_conduct(case, body, allowed);
    count(&mut log, body);
    Ok(Object::AccessLog(log))
}

fn open(body: &DataAccess, flow: Option<Object>) -> Judged<Box<AccessLog>> {
    match flow {
        Some(Object::AccessLog(log)) => {
            require(log.system == body.system, failure::SYSTEM_CHANGED)?;
            Ok(log)
        }
        Some(_) => Err(failure::FLOW_KIND.into()),
        None => Ok(Box::new(AccessLog {
            system: body.system.clone(),
            allowed: 0,
            masked: 0,
            denied: 0,
            without_consent: 0,
            rows: 0,
            last_at: body.at,
        })),
    }
}

/// What is wrong with the basis of an access that was allowed, if anything. Counts the use of a
/// consent.
fn judge_basis(case: &mut Case<'_, '_>, body: &DataAccess) -> Judged<Option<Code>> {
    let id = match body.basis {
        AccessBasis::Consent(id) => id,
        // A credit query always needs consent (Regulation on the Credit Reporting Industry, 18).
        AccessBasis::Law(basis) => {
            let wanting =
                basis == LegalBasis::Consent || body.operation == AccessOperation::CreditQuery;
            return Ok(wanting.then_some(finding::NO_CONSENT));
        }
        AccessBasis::None => return Ok(Some(finding::NO_CONSENT)),
    };
    let Some(consent) = case.consent(&id)? else {
        return Ok(Some(finding::NO_CONSENT));
    };
    if consent.status == ConsentStatus::Revoked {
        return Ok(Some(finding::AFTER_REVOKE));
    }
    let live =
        consent.status_at(case.block.time) == ConsentStatus::Active && loan_lives(case, &consent)?;
    if !live || !covers(&consent, body) {
        return Ok(Some(finding::NO_CONSENT));
    }
    use_consent(case, &id)?;
    Ok(None)
}

/// Whether the loan that a consent is bound to still lives; one that does not exist yet is being
/// applied for.
fn loan_lives(case: &Case<'_, '_>, consent: &Consent) -> Judged<bool> {
    let ConsentValidity::LoanLife(loan) = consent.validity else {
        return Ok(true);
    };
    let flow = case.state.flow(&loan)?;
    Ok(match flow.map(|flow| flow.object) {
        Some(Object::Facility(facility)) => facility.status != FacilityStatus::Settled,
        Some(_) => false,
        None => true,
    })
}

/// Whether a consent covers subject, recipient, purpose, class of data and kind of query.
fn covers(consent: &Consent, body: &DataAccess) -> bool {
    let subject = match &body.target {
        AccessTarget::Subject(subject) => *subject == consent.subject,
        AccessTarget::Query(_) => false,
    };
    let recipient =
        body.recipient == consent.controller || consent.recipients.contains(&body.recipient);
    let kind =
        body.operation != AccessOperation::CreditQuery || consent.kind == ConsentKind::CreditQuery;
    subject
        && recipient
        && kind
        && consent.purposes.contains(&body.purpose)
        && consent.data_classes.contains(&body.data_class)
}

fn use_consent(case: &mut Case<'_, '_>, id: &FlowId) -> Judged {
    case.change_consent(id, |consent| {
        consent.uses = consent.uses.saturating_add(1);
        if consent.validity == ConsentValidity::OneTime {
            consent.status = ConsentStatus::Exhausted;
        }
    })
}

fn note_conduct(case: &mut Case<'_, '_>, body: &DataAccess, allowed: bool) {
    let taken = matches!(body.operation, AccessOperation::Export | AccessOperation::Print);
    let large = allowed && taken && body.rows > case.pack.export_rows;
    case.note(large, finding::EXPORT_LARGE);
    let at_work = case.pack.work_hours.holds(case.local_minute(body.at));
    let human = matches!(body.actor, AccessActor::Human(_));
    case.note(human && !at_work, finding::OFF_HOURS);
    let credit_query = body.operation == AccessOperation::CreditQuery;
    case.note(credit_query && body.application.is_none(), finding::QUERY_NO_APPLICATION);
}

fn count(log: &mut AccessLog, body: &DataAccess) {
    let counter = match body.outcome {
        AccessOutcome::Allowed => &mut log.allowed,
        AccessOutcome::Masked => &mut log.masked,
        AccessOutcome::Denied => &mut log.denied,
    };
    *counter = counter.saturating_add(1);
    log.rows = log.rows.saturating_add(u64::from(body.rows));
    log.last_at = log.last_at.max(body.at);
}

#[cfg(test)]
mod tests;
