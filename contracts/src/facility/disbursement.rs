//! Disbursement: pays out.
//!
//! ```text
//! drawdown   INSTRUCTED ──▶ PAID ──▶ REVERSED        facility   SIGNED ──first paid──▶ EFFECTIVE
//!                 └───────▶ FAILED
//! ```
//! A drawdown may also be reported as paid or failed at once. Hard: the loan is signed, effective
//! or performing; what is paid stays within the limit (of a revolving loan: what is outstanding);
//! the bank transaction is new; a reversal takes back one that was paid, once. Soft: `ART670`,
//! `HIDDEN_FEE`, `ACCT_NOT_BORROWER`, `BEFORE_SIGN`.

use super::{open, require_lender};
use crate::case::{Case, Judged, in_range, not_negative, positive, require};
use probata_types::{
    Fen,
    body::{DeductionKind, Disbursement, DisbursementChannel, DisbursementStatus},
    catalogue::{failure, finding},
    object::{Facility, FacilityStatus, GuaranteeStatus, Object, PendingDrawdown},
    state::TransactionKind,
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &Disbursement,
    flow: Option<Object>,
) -> Judged<Object> {
    let mut facility = open(flow)?;
    require_lender(case, &facility)?;
    positive(body.amount)?;
    not_negative(body.deductions.iter().map(|deduction| deduction.amount))?;
    let deducted = in_range(Fen::sum(body.deductions.iter().map(|one| one.amount)))?;
    require(deducted <= body.amount, failure::VALUE)?;
    match body.status {
        DisbursementStatus::Instructed => instruct(&mut facility, body)?,
        DisbursementStatus::Paid => pay(case, &mut facility, body, deducted)?,
        DisbursementStatus::Failed => take_number(&mut facility, body)?,
        DisbursementStatus::Reversed => reverse(case, &mut facility, body)?,
    }
    let own = body.payee_is_borrower || body.channel == DisbursementChannel::Entrusted;
    case.note(!own, finding::ACCT_NOT_BORROWER);
    case.note(body.value_date < facility.signed_on, finding::BEFORE_SIGN);
    case.note(deducted > Fen::ZERO, finding::ART670);
    Ok(Object::Facility(facility))
}

fn require_drawable(facility: &Facility) -> Judged {
    let drawable = matches!(
        facility.status,
        FacilityStatus::Signed | FacilityStatus::Effective | FacilityStatus::Performing
    );
    require(drawable, failure::FACILITY_STATE)
}

/// A drawdown is ordered: it takes the next number.
fn instruct(facility: &mut Facility, body: &Disbursement) -> Judged {
    require_drawable(facility)?;
    require(is_next(facility, body.drawdown_no), failure::DRAWDOWN)?;
    let pending = PendingDrawdown { number: body.drawdown_no, amount: body.amount };
    facility.pending.push(pending).map_err(|_| failure::DRAWDOWN)?;
    facility.drawdowns = body.drawdown_no;
    Ok(())
}

fn is_next(facility: &Facility, number: u32) -> bool {
    facility.drawdowns.checked_add(1) == Some(number)
}

/// A drawdown is over, one way or the other: it was ordered with this sum, or takes the next
/// number.
fn take_number(facility: &mut Facility, body: &Disbursement) -> Judged {
    let mut pending = std::mem::take(&mut facility.pending).into_vec();
    let at = pending.iter().position(|one| one.number == body.drawdown_no);
    match at {
        Some(at) => {
            require(pending[at].amount == body.amount, failure::DRAWDOWN)?;
            pending.remove(at);
        }
        None => {
            require(is_next(facility, body.drawdown_no), failure::DRAWDOWN)?;
            facility.drawdowns = body.drawdown_no;
        }
    }
    facility.pending = probata_types::List::new(pending).expect("no longer than it was");
    Ok(())
}

fn pay(
    case: &mut Case<'_, '_>,
    facility: &mut Facility,
    body: &Disbursement,
    deducted: Fen,
) -> Judged {
    require_drawable(facility)?;
    take_number(facility, body)?;
    let drawn = if facility.revolving { facility.remaining() } else { facility.disbursed };
    require(in_range(drawn.plus(body.amount))? <= facility.principal, failure::LIMIT)?;

    let fees = body.deductions.iter().filter(|one| one.kind == DeductionKind::Fee);
    let fees = in_range(Fen::sum(fees.map(|one| one.amount)))?;
    let received = in_range(body.amount.minus(deducted))?;
    let kind = TransactionKind::Disbursement { received, fees };
    case.record_transaction(body.bank_txn, body.amount, kind)?;

    facility.disbursed = in_range(facility.disbursed.plus(body.amount))?;
    facility.received = in_range(facility.received.plus(received))?;
    facility.fees_paid = in_range(facility.fees_paid.plus(fees))?;
    let hidden = fees > Fen::ZERO && facility.fees_paid > facility.fees_agreed;
    case.note(hidden, finding::HIDDEN_FEE);
    let from = facility.interest_from.map_or(body.value_date, |from| from.min(body.value_date));
    facility.interest_from = Some(from);
    if facility.status == FacilityStatus::Signed {
        facility.status = FacilityStatus::Effective;
        for guarantee in facility.guarantees.as_mut_slice() {
            if guarantee.status == GuaranteeStatus::Signed {
                guarantee.status = GuaranteeStatus::InForce;
            }
        }
    }
    Ok(())
}

fn reverse(case: &mut Case<'_, '_>, facility: &mut Facility, body: &Disbursement) -> Judged {
    require(body.drawdown_no <= facility.drawdowns, failure::DRAWDOWN)?;
    require(facility.status != FacilityStatus::Settled, failure::FACILITY_STATE)?;
    // What was repaid since cannot be un-lent.
    require(body.amount <= facility.remaining(), failure::REVERSAL)?;
    let kind = case.reverse_transaction(body.bank_txn, body.amount)?;
    let TransactionKind::Disbursement { received, fees } = kind else {
        return Err(failure::REVERSAL.into());
    };
    facility.disbursed = in_range(facility.disbursed.minus(body.amount))?;
    facility.received = in_range(facility.received.minus(received))?;
    facility.fees_paid = in_range(facility.fees_paid.minus(fees))?;
    if facility.disbursed == Fen::ZERO {
        facility.status = FacilityStatus::Signed;
        facility.interest_from = None;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
