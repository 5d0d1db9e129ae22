//! Consent revoke: withdraws a consent, from its block on, never back in time.
//!
//! ```text
//! any status ──revoke──▶ REVOKED (a second one changes nothing)
//! ```
//! Hard: the flow is a consent, of this person; only the controller speaks as the controller. An
//! agent of the person is always heard, whatever the controller says, so any member may submit for
//! her.

use crate::case::{Case, Judged, require};
use probata_types::{
    body::{ConsentRevoke, RevokedBy},
    catalogue::failure,
    object::{ConsentStatus, Object},
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &ConsentRevoke,
    flow: Option<Object>,
) -> Judged<Object> {
    let mut consent = match flow {
        Some(Object::Consent(consent)) => consent,
        Some(_) => return Err(failure::FLOW_KIND.into()),
        None => return Err(failure::FLOW_NOT_OPEN.into()),
    };
    require(consent.subject == body.subject, failure::CONSENT_SUBJECT)?;
    let controller = case.submitter() == consent.controller;
    require(body.by != RevokedBy::Controller || controller, failure::NOT_PARTY)?;
    case.require_past(body.at)?;
    consent.status = ConsentStatus::Revoked;
    consent.revoked_at.get_or_insert(case.block.height);
    Ok(Object::Consent(consent))
}

#[cfg(test)]
mod tests;
