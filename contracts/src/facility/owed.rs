//! How much is owed at most on a day, by the chain's own reckoning.

use probata_types::{Date, Fen, object::Facility};

/// The most that may be demanded of a borrower on a day: all principal outstanding, interest run up
/// and not paid, overdue interest, agreed fees not paid, and liquidated damages once overdue. An
/// upper bound: interest is reckoned on all that was ever paid out, and never above that of the
/// schedule.
pub(super) fn most_owed(facility: &Facility, on: Date) -> Fen {
    let interest = interest_to(facility, on) - i128::from(facility.interest_paid.get());
    let fees = facility.fees_agreed.get().saturating_sub(facility.fees_paid.get());
    let remaining = i128::from(facility.remaining().get());
    let late_from = facility.overdue.as_ref().map_or(facility.end, |late| late.since);
    let late_days = days(late_from, on);
    let late = if late_days > 0 {
        let per_year = remaining * i128::from(facility.overdue_rate.0);
        accrued(per_year, late_days, facility) + i128::from(facility.penalty.get())
    } else {
        0
    };
    let sum = remaining + interest.max(0) + i128::from(fees.max(0)) + late;
    let largest = i128::from(probata_types::limits::MAX_SAFE_INTEGER);
    let sum = i64::try_from(sum.min(largest)).expect("at most 2^53");
    Fen::new(sum).expect("between nothing and 2^53")
}

/// Interest from the first day to a day.
fn interest_to(facility: &Facility, on: Date) -> i128 {
    let Some(from) = facility.interest_from else {
        return 0;
    };
    // Interest kept back in advance is not lent (Civil Code, 670).
    let base = i128::from(facility.received.get());
    let run = accrued(base * i128::from(facility.rate.0), days(from, on), facility);
    facility.interest_scheduled.map_or(run, |scheduled| run.min(i128::from(scheduled.get())))
}

/// A sum of millionths a year, over days, rounded up to a fen.
fn accrued(millionths_per_year: i128, days: i128, facility: &Facility) -> i128 {
    let divisor = 1_000_000 * i128::from(facility.day_count.days());
    (millionths_per_year * days + divisor - 1) / divisor
}

fn days(from: Date, to: Date) -> i128 {
    (i128::from(to.0) - i128::from(from.0)).max(0)
}
