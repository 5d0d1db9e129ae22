//! Repayment: pays back.
//!
//! ```text
//! repayment   SUCCESS ──▶ REVERSED          facility   EFFECTIVE ──success──▶ PERFORMING
//!             FAIL                                     PERFORMING ──fail──▶ OVERDUE
//!                                                      OVERDUE ──made good──▶ PERFORMING
//!                                                      any of them ──all repaid──▶ SETTLED
//! ```
//! A facility is settled by the payment that leaves no principal and no instalment (a revolving one
//! never is). Hard: the parts add up to the amount; the stated remaining principal is the
//! recomputed one, and not negative; the bank transaction is new (of a failed attempt it is not
//! recorded); a reversal takes back one that succeeded, once, with the same parts. Soft:
//! `ALLOC_ORDER`, `BACKDATED`, `MISSING_INDEX`, `HIDDEN_FEE`.

use super::{open, require_lender};
use crate::case::{Case, Judged, in_range, not_negative, positive, require};
use probata_types::{
    Fen,
    body::{Repayment, RepaymentResult},
    catalogue::{failure, finding},
    object::{Facility, FacilityStatus, Object, Overdue},
    state::TransactionKind,
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &Repayment,
    flow: Option<Object>,
) -> Judged<Object> {
    let mut facility = open(flow)?;
    require_lender(case, &facility)?;
    check_values(case, body)?;
    match body.result {
        RepaymentResult::Success => succeed(case, &mut facility, body)?,
        RepaymentResult::Fail => fail(case, &mut facility, body)?,
        RepaymentResult::Reversed => reverse(case, &mut facility, body)?,
    }
    require(body.remaining_principal == facility.remaining(), failure::REMAINING)?;
    Ok(Object::Facility(facility))
}

fn check_values(case: &Case<'_, '_>, body: &Repayment) -> Judged {
    require(body.index > 0, failure::VALUE)?;
    positive(body.amount)?;
    not_negative(body.allocation.parts())?;
    not_negative([body.unpaid_cost, body.unpaid_interest])?;
    case.require_past(body.paid_at)?;
    require(body.allocation.sum() == Some(body.amount), failure::ALLOCATION)
}

fn require_repayable(facility: &Facility) -> Judged {
    let repayable = matches!(
        facility.status,
        FacilityStatus::Effective | FacilityStatus::Performing | FacilityStatus::Overdue
    );
    require(repayable, failure::FACILITY_STATE)
}

fn succeed(case: &mut Case<'_, '_>, facility: &mut Facility, body: &Repayment) -> Judged {
    require_repayable(facility)?;
    let paid = &body.allocation;
    require(paid.principal <= facility.remaining(), failure::REMAINING)?;
    let kind = TransactionKind::Repayment(*paid);
    case.record_transaction(body.bank_txn, body.amount, kind)?;
    note_order(case, facility, body);
    note_dates(case, facility, body);

    facility.repaid = in_range(facility.repaid.plus(paid.principal))?;
    facility.interest_paid = in_range(facility.interest_paid.plus(paid.interest))?;
    facility.fees_paid = in_range(facility.fees_paid.plus(paid.fee))?;
    let hidden = paid.fee > Fen::ZERO && facility.fees_paid > facility.fees_agreed;
    case.note(hidden, finding::HIDDEN_FEE);
    facility.last_index = facility.last_index.max(body.index);
    facility.last_paid_at = facility.last_paid_at.max(Some(body.paid_at));

    let nothing_due = body.unpaid_cost == Fen::ZERO && body.unpaid_interest == Fen::ZERO;
    if nothing_due && facility.overdue.as_ref().is_some_and(|late| late.index <= body.index) {
        facility.overdue = None;
    }
    let done = facility.remaining() == Fen::ZERO && body.remaining_terms == 0 && nothing_due;
    facility.status = if done && !facility.revolving && facility.pending.is_empty() {
        FacilityStatus::Settled
    } else if facility.overdue.is_some() {
        FacilityStatus::Overdue
    } else {
        FacilityStatus::Performing
    };
    Ok(())
}

/// An instalment that was tried on or after its day and not paid is missed.
fn fail(case: &mut Case<'_, '_>, facility: &mut Facility, body: &Repayment) -> Judged {
    require_repayable(facility)?;
    note_dates(case, facility, body);
    if body.due_date <= case.local_day(body.paid_at) {
        let missed = Overdue { index: body.index, since: body.due_date };
        let earlier = facility.overdue.take().filter(|known| known.since <= missed.since);
        facility.overdue = Some(earlier.unwrap_or(missed));
        facility.status = FacilityStatus::Overdue;
    }
    Ok(())
}

fn reverse(case: &mut Case<'_, '_>, facility: &mut Facility, body: &Repayment) -> Judged {
    let kind = case.reverse_transaction(body.bank_txn, body.amount)?;
    require(kind == TransactionKind::Repayment(body.allocation), failure::REVERSAL)?;
    let back = &body.allocation;
    if facility.revolving {
        // What was drawn again since cannot be paid back twice.
        let outstanding = in_range(facility.remaining().plus(back.principal))?;
        require(outstanding <= facility.principal, failure::REVERSAL)?;
    }
    facility.repaid = in_range(facility.repaid.minus(back.principal))?;
    facility.interest_paid = in_range(facility.interest_paid.minus(back.interest))?;
    facility.fees_paid = in_range(facility.fees_paid.minus(back.fee))?;
    if facility.status == FacilityStatus::Settled {
        facility.status = FacilityStatus::Performing;
    }
    Ok(())
}

/// `ALLOC_ORDER` (Civil Code, 561): costs, then interest, then principal, unless agreed otherwise.
fn note_order(case: &mut Case<'_, '_>, facility: &Facility, body: &Repayment) {
    let paid = &body.allocation;
    let interest = [paid.interest, paid.penalty, paid.compound].iter().any(|p| *p > Fen::ZERO);
    let principal = paid.principal > Fen::ZERO;
    let skipped_cost = body.unpaid_cost > Fen::ZERO && (interest || principal);
    let skipped_interest = body.unpaid_interest > Fen::ZERO && principal;
    let broken = skipped_cost || skipped_interest;
    case.note(broken && !facility.own_allocation_order, finding::ALLOC_ORDER);
}

/// `MISSING_INDEX` and `BACKDATED`.
fn note_dates(case: &mut Case<'_, '_>, facility: &Facility, body: &Repayment) {
    let missing = body.index > facility.last_index.saturating_add(1);
    case.note(missing, finding::MISSING_INDEX);
    let before_last = facility.last_paid_at.is_some_and(|last| body.paid_at < last);
    let day = case.local_day(body.paid_at);
    let before_loan = facility.interest_from.is_some_and(|from| day < from);
    case.note(before_last || before_loan, finding::BACKDATED);
}

#[cfg(test)]
mod tests;
