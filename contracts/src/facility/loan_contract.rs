//! Loan contract: opens a facility.
//!
//! ```text
//! (no flow) ──loan contract──▶ SIGNED
//! ```
//! Hard: the lender submits; there are borrowers; every signer is a party and both sides have
//! signed; the last day is after the first; the principal is positive and the schedule adds up to
//! it; what is cited exists. Soft: `RATE_CAP`, `OVERDUE_RATE`, `APR_MISMATCH`, `NO_DISCLOSURE`,
//! `NO_CLAUSE_PROMPT`, `WEAK_SIGN`, `SIGN_BEFORE_ID`, `MODEL_UNFILED`. (`HIDDEN_FEE` is found when
//! the fee is taken.)

use super::{
    schedule, signing,
    yearly_cost::{Calendar, Payment, YearlyCost},
};
use crate::case::{Case, Judged, in_range, not_negative, require};
use probata_types::{
    Fen, List, Rate,
    body::{AprMethod, LoanContract},
    catalogue::{failure, finding},
    institution::Role,
    object::{Debtor, Facility, FacilityStatus, Object},
    record::DocumentRole,
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &LoanContract,
    flow: Option<Object>,
) -> Judged<Object> {
    case.require_role(Role::lends)?;
    require(body.lender == case.submitter(), failure::LENDER)?;
    require(flow.is_none(), failure::FLOW_OPENED)?;
    check_parties(body)?;
    require(body.end > body.start, failure::TERM)?;
    require(body.principal > Fen::ZERO, failure::PRINCIPAL)?;
    not_negative(body.fees.iter().map(|fee| fee.amount).chain([body.penalty]))?;
    let totals = schedule::check(body)?;
    check_references(case, body)?;
    signing::judge(case, &body.signers, body.borrowers.iter())?;
    note_cost(case, body)?;
    case.note(!case.has_document(DocumentRole::Disclosure), finding::NO_DISCLOSURE);
    case.note(!case.has_document(DocumentRole::ClausePrompt), finding::NO_CLAUSE_PROMPT);
    Ok(Object::Facility(Box::new(signed(case, body, &totals)?)))
}

fn check_parties(body: &LoanContract) -> Judged {
    require(!body.borrowers.is_empty(), failure::VALUE)?;
    for (at, party) in body.borrowers.iter().enumerate() {
        let twice = body.borrowers[..at].iter().any(|other| other.subject == party.subject);
        require(!twice, failure::VALUE)?;
    }
    signing::require_side(&body.signers, true)?;
    signing::require_side(&body.signers, false)
}

/// H6, and `MODEL_UNFILED`.
fn check_references(case: &mut Case<'_, '_>, body: &LoanContract) -> Judged {
    if let Some(consent) = &body.consent {
        require(case.consent(consent)?.is_some(), failure::REFERENCE)?;
    }
    if let Some(cited) = &body.decision_model {
        let model = case.model(&cited.model)?;
        let version = model.version(&cited.version).ok_or(failure::REFERENCE)?;
        case.note(!version.filed, finding::MODEL_UNFILED);
    }
    Ok(())
}

/// `APR_MISMATCH`, `RATE_CAP` and `OVERDUE_RATE`. Where the two ways of counting days differ, the
/// one that speaks for the lender counts.
fn note_cost(case: &mut Case<'_, '_>, body: &LoanContract) -> Judged {
    let tolerance = case.pack.apr_tolerance.0;
    let costs = yearly_costs(body)?;
    let shown = costs.iter().map(|cost| cost.rate(body.apr_method));
    let shown = shown.map(|rate| rate.0.abs_diff(body.apr_disclosed.0)).min();
    case.note(shown.is_some_and(|difference| difference > tolerance), finding::APR_MISMATCH);

    let overdue = body.overdue_rate.over(body.rate.nominal);
    if let Some(cap) = case.pack.rate_cap(body.lender_class, body.signed_on) {
        let recomputed = costs.iter().map(|cost| cost.rate(AprMethod::Simple)).min();
        let recomputed = recomputed.map_or(0, |rate| rate.0.saturating_sub(tolerance));
        let highest = Rate(recomputed).max(body.rate.nominal).max(overdue);
        case.note(highest > cap, finding::RATE_CAP);
    }
    let allowed = u64::from(body.rate.nominal.0) * u64::from(case.pack.overdue_multiple_percent);
    case.note(u64::from(overdue.0) * 100 > allowed, finding::OVERDUE_RATE);
    Ok(())
}

/// What a year costs the borrower, by either way of counting days; nothing if the loan is repaid on demand, where
/// nothing can be recomputed.
fn yearly_costs(body: &LoanContract) -> Judged<Vec<YearlyCost>> {
    let (advance, later): (Vec<_>, Vec<_>) =
        body.fees.iter().partition(|fee| fee.due <= body.start);
    let advance = in_range(Fen::sum(advance.iter().map(|fee| fee.amount)))?;
    let received = in_range(body.principal.minus(advance))?;
    let Some(rows) = schedule::instalments(body) else { return Ok(Vec::new()) };
    let mut payments = Vec::with_capacity(rows.len() + later.len());
    for row in rows {
        let amount = in_range(row.principal.plus(row.interest))?;
        payments.push(Payment { due: row.due, amount });
    }
    payments.extend(later.iter().map(|fee| Payment { due: fee.due, amount: fee.amount }));
    payments.sort_by_key(|payment| payment.due);
    let calendars = [Calendar::Actual, Calendar::Months].into_iter();
    let of = |calendar| YearlyCost::of(body.start, received, &payments, calendar);
    Ok(calendars.map(of).collect())
}

fn signed(case: &Case<'_, '_>, body: &LoanContract, totals: &schedule::Totals) -> Judged<Facility> {
    let debtors = body.borrowers.iter().map(|party| Debtor::new(party.subject, None)).collect();
    Ok(Facility {
        status: FacilityStatus::Signed,
        contract: case.id,
        lender: body.lender,
        lender_class: body.lender_class,
        currency: body.currency,
        signed_on: body.signed_on,
        start: body.start,
        end: body.end,
        revolving: body.revolving,
        principal: body.principal,
        rate: body.rate.nominal,
        overdue_rate: body.overdue_rate.over(body.rate.nominal),
        day_count: body.rate.day_count,
        interest_scheduled: totals.interest,
        terms: totals.terms,
        fees_agreed: in_range(Fen::sum(body.fees.iter().map(|fee| fee.amount)))?,
        fees_paid: Fen::ZERO,
        penalty: body.penalty,
        own_allocation_order: body.own_allocation_order,
        service_address_agreed: body.service_address_agreed,
        disbursed: Fen::ZERO,
        received: Fen::ZERO,
        repaid: Fen::ZERO,
        interest_paid: Fen::ZERO,
        interest_from: None,
        drawdowns: 0,
        pending: List::empty(),
        last_index: 0,
        last_paid_at: None,
        overdue: None,
        last_demand: None,
        collections: 0,
        guarantees: List::empty(),
        debtors: List::new(debtors)
            .expect("a contract has fewer borrowers than a facility debtors"),
    })
}

#[cfg(test)]
mod tests;
