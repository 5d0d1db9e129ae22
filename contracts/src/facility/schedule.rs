//! When how much is due: the schedule of a contract, checked and written out.

use crate::{
    case::{Judged, in_range, not_negative, require},
    limits,
};
use probata_types::{
    Date, Fen,
    body::{Instalment, LoanContract, RepayMethod, Schedule},
    catalogue::failure,
};

/// What a schedule adds up to.
pub(super) struct Totals {
    /// Instalments.
    pub(super) terms: u16,
    /// Interest; none if repaid on demand.
    pub(super) interest: Option<Fen>,
}

/// Hard rules: dates in order and within the term, sums not negative, principal as in the contract.
pub(super) fn check(contract: &LoanContract) -> Judged<Totals> {
    let within = |day: Date| contract.start <= day && day <= contract.end;
    match &contract.schedule {
        Schedule::OnDemand => {
            require(contract.repay_method == RepayMethod::OnDemand, failure::SCHEDULE)?;
            Ok(Totals { terms: 0, interest: None })
        }
        Schedule::Rows(rows) => {
            not_negative(rows.iter().flat_map(|row| [row.principal, row.interest]))?;
            let in_order = rows.is_sorted_by(|a, b| a.due < b.due);
            require(in_order && rows.iter().all(|row| within(row.due)), failure::SCHEDULE)?;
            let principal = in_range(Fen::sum(rows.iter().map(|row| row.principal)))?;
            require(principal == contract.principal, failure::SCHEDULE)?;
            let interest = in_range(Fen::sum(rows.iter().map(|row| row.interest)))?;
            let terms = u16::try_from(rows.len()).expect("a record holds 120 rows");
            Ok(Totals { terms, interest: Some(interest) })
        }
        Schedule::Outline { terms, first_due, every_months, principal, interest, .. } => {
            not_negative([*interest])?;
            let counted = (1..=limits::OUTLINE_TERMS).contains(terms)
                && (1..=limits::OUTLINE_MONTHS).contains(every_months);
            require(counted, failure::SCHEDULE)?;
            let last = due(*first_due, *every_months, *terms - 1);
            require(within(*first_due) && within(last), failure::SCHEDULE)?;
            require(*principal == contract.principal, failure::SCHEDULE)?;
            Ok(Totals { terms: *terms, interest: Some(*interest) })
        }
    }
}

/// The instalments, those of an outline by its method of repayment; `None` if repaid on demand.
/// The schedule has passed [`check`].
pub(super) fn instalments(contract: &LoanContract) -> Option<Vec<Instalment>> {
    match &contract.schedule {
        Schedule::OnDemand => None,
        Schedule::Rows(rows) => Some(rows.to_vec()),
        Schedule::Outline { terms, first_due, every_months, principal, interest, .. } => {
            let sums = (principal.get(), interest.get());
            let row = |at: u16| {
                let (principal, interest) = part(contract.repay_method, sums, at, *terms);
                Instalment { due: due(*first_due, *every_months, at), principal, interest }
            };
            Some((0..*terms).map(row).collect())
        }
    }
}

fn due(first: Date, every_months: u8, at: u16) -> Date {
    first.plus_months(i32::from(every_months) * i32::from(at))
}

/// Principal and interest of instalment `at` of `terms`, as the difference of what is due up to it
/// and up to the one before, so that rounding never loses a fen.
fn part(method: RepayMethod, sums: (i64, i64), at: u16, terms: u16) -> (Fen, Fen) {
    let up_to = |paid: u16| {
        let (n, k) = (i128::from(terms), i128::from(paid));
        let all = n == k;
        // Of the whole, in n·n-ths: principal, interest.
        let (principal, interest) = match method {
            RepayMethod::EqualPrincipal => (k * n, k * (2 * n - k + 1) * n / (n + 1)),
            RepayMethod::InterestFirst => (if all { n * n } else { 0 }, k * n),
            RepayMethod::Bullet | RepayMethod::OnDemand => {
                if all {
                    (n * n, n * n)
                } else {
                    (0, 0)
                }
            }
            RepayMethod::EqualInstalments => (k * n, k * n),
        };
        (i128::from(sums.0) * principal / (n * n), i128::from(sums.1) * interest / (n * n))
    };
    let (before, after) = (up_to(at), up_to(at + 1));
    let fen = |difference: i128| {
        let amount = i64::try_from(difference).ok().and_then(Fen::new);
        amount.expect("a part of a sum in range")
    };
    (fen(after.0 - before.0), fen(after.1 - before.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_parts_of_each_method_are_as_its_name_says() {
        let part = |method, at| {
            let (principal, interest) = part(method, (1_200, 600), at, 3);
            (principal.get(), interest.get())
        };
        let all = |method| [part(method, 0), part(method, 1), part(method, 2)];
        assert_eq!(all(RepayMethod::EqualInstalments), [(400, 200), (400, 200), (400, 200)]);
        assert_eq!(all(RepayMethod::EqualPrincipal), [(400, 266), (400, 200), (400, 134)]);
        assert_eq!(all(RepayMethod::InterestFirst), [(0, 200), (0, 200), (1_200, 200)]);
        assert_eq!(all(RepayMethod::Bullet), [(0, 0), (0, 0), (1_200, 600)]);
    }

    proptest! {
        #[test]
        fn no_fen_is_lost(
            principal in 0..1i64 << 52,
            interest in 0..1i64 << 52,
            terms in 1u16..480,
        ) {
            for method in [
                RepayMethod::EqualInstalments,
                RepayMethod::EqualPrincipal,
                RepayMethod::InterestFirst,
                RepayMethod::Bullet,
            ] {
                let parts = (0..terms).map(|at| part(method, (principal, interest), at, terms));
                let (mut p, mut i) = (0, 0);
                for (one, other) in parts {
                    prop_assert!(one >= Fen::ZERO && other >= Fen::ZERO);
                    p += one.get();
                    i += other.get();
                }
                prop_assert_eq!((p, i), (principal, interest));
            }
        }
    }
}
