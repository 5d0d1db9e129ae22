//! Consent grant: opens a consent.
//!
//! ```text
//! (no flow) ──grant──▶ GRANTED ──its time begins──▶ ACTIVE ──one access──▶ EXHAUSTED
//!                                                     ├──its time ends──▶ EXPIRED
//!                                                     ├──revoke──▶ REVOKED
//!                                                     └──a grant that replaces it──▶ SUPERSEDED
//! ```
//! Other purposes, means or kinds of data need a new grant (Personal Information Protection Law, 14
//! and 23). Hard: the controller submits; a separate consent has exactly one recipient and one
//! notice of its own; its time ends after it begins; what it replaces is the same person's, under
//! the same controller. Soft: `BUNDLED`, `PRECHECKED`, `DWELL_SHORT`, `OPEN_ENDED`,
//! `BASIS_MISMATCH`, `NO_SUBJECT_PROOF`.

use crate::case::{Case, Judged, require};
use probata_types::{
    body::{ConsentGrant, ConsentKind, ConsentValidity, LegalBasis},
    catalogue::{failure, finding},
    object::{Consent, ConsentStatus, Object},
    record::{Document, DocumentRole},
    state::{StateKey, StateValue},
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &ConsentGrant,
    flow: Option<Object>,
) -> Judged<Object> {
    require(body.controller == case.submitter(), failure::CONTROLLER)?;
    require(flow.is_none(), failure::FLOW_OPENED)?;
    require(!body.purposes.is_empty() && !body.data_classes.is_empty(), failure::VALUE)?;
    match body.validity {
        ConsentValidity::Until(end) => require(end > body.valid_from, failure::CONSENT_TERM)?,
        ConsentValidity::LoanLife(loan) => drop(case.facility(&loan)?),
        ConsentValidity::OneTime | ConsentValidity::Open => {}
    }
    if body.kind.is_separate() {
        require(body.recipients.len() == 1, failure::SEPARATE_RECIPIENT)?;
        require(notices(case).count() == 1, failure::SEPARATE_NOTICE)?;
    }
    supersede(case, body)?;
    note_form(case, body)?;
    Ok(Object::Consent(Box::new(Consent {
        status: ConsentStatus::Active,
        grant: case.id,
        subject: body.subject,
        controller: body.controller,
        recipients: body.recipients.clone(),
        basis: body.basis,
        kind: body.kind,
        purposes: body.purposes.clone(),
        data_classes: body.data_classes.clone(),
        valid_from: body.valid_from,
        validity: body.validity,
        uses: 0,
        revoked_at: None,
        superseded_by: None,
    })))
}

fn notices<'c>(case: &'c Case<'_, '_>) -> impl Iterator<Item = &'c Document> {
    case.record.documents.iter().filter(|document| document.role == DocumentRole::ConsentNotice)
}

fn supersede(case: &mut Case<'_, '_>, body: &ConsentGrant) -> Judged {
    let Some(replaced) = &body.replaces else {
        return Ok(());
    };
    let old = case.consent(replaced)?.ok_or(failure::REFERENCE)?;
    let same = old.subject == body.subject && old.controller == body.controller;
    require(same, failure::REFERENCE)?;
    let by = case.record.flow;
    case.change_consent(replaced, |old| {
        // What was withdrawn stays withdrawn.
        if old.status != ConsentStatus::Revoked {
            old.status = ConsentStatus::Superseded;
        }
        old.superseded_by = Some(by);
    })
}

fn note_form(case: &mut Case<'_, '_>, body: &ConsentGrant) -> Judged {
    let bundled = is_bundled(case)?;
    case.note(bundled, finding::BUNDLED);
    case.note(!body.display.default_unchecked, finding::PRECHECKED);
    case.note(body.display.dwell < case.pack.consent_dwell, finding::DWELL_SHORT);
    case.note(body.validity == ConsentValidity::Open, finding::OPEN_ENDED);
    // All kinds but the general one exist because the law asks for consent itself.
    let mismatch = body.kind != ConsentKind::General && body.basis != LegalBasis::Consent;
    case.note(mismatch, finding::BASIS_MISMATCH);
    case.note(body.will.proof.is_none(), finding::NO_SUBJECT_PROOF);
    Ok(())
}

/// Whether a notice is also the contract or the general terms: of this record, or of a loan seen
/// before.
fn is_bundled(case: &Case<'_, '_>) -> Judged<bool> {
    for notice in notices(case) {
        let other = |document: &&Document| {
            matches!(document.role, DocumentRole::Terms | DocumentRole::Contract)
        };
        let mut others = case.record.documents.iter().filter(other);
        if others.any(|document| document.sha256 == notice.sha256) {
            return Ok(true);
        }
        let seen = case.state.get(&StateKey::Document(notice.sha256))?;
        if let Some(StateValue::Document(seen)) = seen {
            let first = case.state.flow(&seen.flow)?;
            if first.is_some_and(|flow| matches!(flow.object, Object::Facility(_))) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
