//! Collection: asks for payment. Proof of demand, and of lawful conduct.
//!
//! ```text
//! LOGGED (the facility keeps its status; an effective demand starts the limitation period anew)
//! ```
//! Hard: the end is not before the beginning, and neither in the future; a call by a machine names
//! its model; who is to pay is a borrower or guarantor. Soft: `COLL_HOURS`, `COLL_FREQ`,
//! `COLL_THIRD_PARTY`, `NO_RECORDING`, `OVER_DEMAND`, `NO_MANDATE`, `COMPLAINT_LATE`. A demand is
//! effective if the debtor was reached, or if a letter went to the address agreed for service.

use super::{open, owed::most_owed, require_lender};
use crate::case::{Case, Judged, not_negative, require};
use probata_types::{
    Fen, Timestamp,
    body::{
        Collection, CollectionAgent, CollectionChannel, CollectionOutcome, Complaint, ContactRole,
        Reached,
    },
    catalogue::{failure, finding},
    object::{Facility, Object},
    record::DocumentRole,
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &Collection,
    flow: Option<Object>,
) -> Judged<Object> {
    let mut facility = open(flow)?;
    require_lender(case, &facility)?;
    check(case, body)?;
    let at = facility.debtors.iter().position(|debtor| debtor.subject == body.debtor);
    let at = at.ok_or(failure::DEBTOR)?;

    let day = case.local_day(body.start);
    if counts(body.channel) {
        let (on_day, in_week) = facility.debtors.as_mut_slice()[at].count_contact(day);
        let rules = &case.pack.collection;
        let often = on_day > rules.per_day || in_week > rules.per_week;
        case.note(often, finding::COLL_FREQ);
    }
    note_conduct(case, body);
    case.note(body.demand_amount > most_owed(&facility, body.as_of), finding::OVER_DEMAND);
    if let Some(complaint) = &body.complaint {
        note_complaint(case, complaint);
    }
    let borrower = facility.debtors[at].guarantee.is_none();
    if borrower && is_effective(&facility, body) {
        facility.last_demand = facility.last_demand.max(Some(day));
    }
    facility.collections = facility.collections.saturating_add(1);
    Ok(Object::Facility(facility))
}

fn check(case: &Case<'_, '_>, body: &Collection) -> Judged {
    require(body.end >= body.start, failure::INTERVAL)?;
    case.require_past(body.end)?;
    not_negative([body.demand_amount])?;
    if let CollectionOutcome::Promise { amount, .. } = body.outcome {
        not_negative([amount])?;
    }
    match &body.agent {
        CollectionAgent::Model(model) => {
            case.model(model)?;
            Ok(())
        }
        _ => require(body.channel != CollectionChannel::AiCall, failure::MODEL_REQUIRED),
    }
}

/// Whether a contact counts for the frequency: letters and notices through a court do not.
const fn counts(channel: CollectionChannel) -> bool {
    !is_letter(channel)
}

const fn is_letter(channel: CollectionChannel) -> bool {
    matches!(
        channel,
        CollectionChannel::Letter
            | CollectionChannel::LawyerLetter
            | CollectionChannel::CourtNotice
    )
}

fn note_conduct(case: &mut Case<'_, '_>, body: &Collection) {
    let disturbs = !is_letter(body.channel) && body.channel != CollectionChannel::Email;
    let allowed = case.pack.collection.hours;
    let outside = |time: Timestamp| !allowed.holds(case.local_minute(time));
    let at_night = disturbs
        && (outside(body.start)
            || outside(body.end)
            || case.local_day(body.start) != case.local_day(body.end));
    case.note(at_night, finding::COLL_HOURS);

    case.note(body.contact_role == ContactRole::ThirdParty, finding::COLL_THIRD_PARTY);
    let call = matches!(body.channel, CollectionChannel::Phone | CollectionChannel::AiCall);
    let spoken = call && body.reached != Reached::No;
    case.note(spoken && !case.has_document(DocumentRole::Recording), finding::NO_RECORDING);
    let outside_agency = matches!(body.agent, CollectionAgent::Outsourced(_));
    case.note(outside_agency && body.mandate_no.is_none(), finding::NO_MANDATE);
}

fn note_complaint(case: &mut Case<'_, '_>, complaint: &Complaint) {
    let closed = complaint.closed_at.unwrap_or(case.record.occurred_at);
    let open_for = closed.since(complaint.opened_at);
    case.note(open_for > case.pack.collection.complaint.get(), finding::COMPLAINT_LATE);
}

fn is_effective(facility: &Facility, body: &Collection) -> bool {
    let reached = matches!(body.reached, Reached::Yes | Reached::Read)
        && body.contact_role == ContactRole::Debtor;
    let served =
        is_letter(body.channel) && body.to_agreed_address && facility.service_address_agreed;
    body.demand_amount > Fen::ZERO && (reached || served)
}

#[cfg(test)]
mod tests;
