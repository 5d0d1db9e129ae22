//! The yearly cost of a loan: the internal rate of return of what the borrower receives and pays,
//! in integers only, so that every machine finds the same.
//!
//! With a day's discount factor `v`, the cost is right where `Σ payment · v^days = received`. The
//! sum rises with `v`, so `v` is found by halving a range. Years are counted in two ways, and
//! lenders use both: in actual days of a year of 365, and in months of 30 days (Eurobond basis).

use crate::limits::APR_STEPS;
use probata_types::{Date, Fen, Rate, body::AprMethod};

/// A payment of the borrower.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payment {
    /// When.
    pub(super) due: Date,
    /// How much; not negative.
    pub(super) amount: Fen,
}

/// How days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    /// As they are, 365 to a year.
    Actual,
    /// Months of 30 days, 360 to a year.
    Months,
}

/// One in fixed point with 60 binary places.
const ONE: u64 = 1 << 60;

/// The yearly cost of receiving `received` on a day and paying `payments`, by ascending date. Zero
/// if no more is paid than received; the largest rate if the cost is beyond all bounds, as where
/// fees leave nothing to receive.
pub(super) fn yearly_cost(
    start: Date,
    received: Fen,
    payments: &[Payment],
    calendar: Calendar,
    method: AprMethod,
) -> Rate {
    let received = match u64::try_from(received.get()) {
        Ok(received) if received > 0 => received,
        _ => return Rate(u32::MAX),
    };
    let flows: Vec<(u64, u64)> = payments
        .iter()
        .map(|payment| {
            let amount = u64::try_from(payment.amount.get()).unwrap_or(0);
            (calendar.days(start, payment.due), amount)
        })
        .collect();
    let day = day_factor(received, &flows);
    let year = power(day, calendar.year());
    match method {
        AprMethod::Compound => cost(year, 1),
        AprMethod::Simple => cost(twelfth_root(year), 12),
    }
}

impl Calendar {
    fn days(self, from: Date, to: Date) -> u64 {
        let days = match self {
            Self::Actual => i64::from(to.0) - i64::from(from.0),
            Self::Months => {
                let ((y1, m1, d1), (y2, m2, d2)) = (from.civil(), to.civil());
                let months = (y2 - y1) * 12 + i64::from(m2) - i64::from(m1);
                months * 30 + i64::from(d2.min(30)) - i64::from(d1.min(30))
            }
        };
        u64::try_from(days).unwrap_or(0)
    }

    const fn year(self) -> u64 {
        match self {
            Self::Actual => 365,
            Self::Months => 360,
        }
    }
}

/// The day's discount factor between one half and one.
fn day_factor(received: u64, flows: &[(u64, u64)]) -> u64 {
    let target = u128::from(received) << 60;
    let (mut low, mut high) = (ONE / 2, ONE);
    if present_value(high, flows) <= target {
        return ONE;
    }
    for _ in 0..APR_STEPS {
        let middle = low.midpoint(high);
        if present_value(middle, flows) > target {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// `Σ amount · factor^days`, with 60 binary places. Amounts add up to less than 2^57: no overflow.
fn present_value(factor: u64, flows: &[(u64, u64)]) -> u128 {
    let (mut day, mut discount, mut sum) = (0, ONE, 0u128);
    // Most gaps between instalments are alike: keep the last power.
    let (mut last_gap, mut last_power) = (0, ONE);
    for &(due, amount) in flows {
        let gap = due.saturating_sub(day);
        if gap != last_gap {
            (last_gap, last_power) = (gap, power(factor, gap));
        }
        discount = product(discount, last_power);
        day = day.max(due);
        sum += u128::from(amount) * u128::from(discount);
    }
    sum
}

fn product(a: u64, b: u64) -> u64 {
    u64::try_from((u128::from(a) * u128::from(b)) >> 60).expect("factors are at most one")
}

fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut result = ONE;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = product(result, base);
        }
        base = product(base, base);
        exponent >>= 1;
    }
    result
}

fn twelfth_root(value: u64) -> u64 {
    let (mut low, mut high) = (0u64, ONE);
    for _ in 0..60 {
        let middle = low.midpoint(high);
        if power(middle, 12) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// `times · (1 / factor - 1)` in millionths, to the nearest.
fn cost(factor: u64, times: u64) -> Rate {
    if factor == 0 {
        return Rate(u32::MAX);
    }
    let scale = u128::from(times) * 1_000_000;
    let factor = u128::from(factor);
    let growth = (scale * u128::from(ONE) + factor / 2) / factor;
    Rate(u32::try_from(growth - scale.min(growth)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fen(amount: i64) -> Fen {
        Fen::new(amount).unwrap()
    }

    fn monthly(start: Date, amounts: &[i64]) -> Vec<Payment> {
        let due = |at: usize| start.plus_months(i32::try_from(at).unwrap() + 1);
        amounts
            .iter()
            .enumerate()
            .map(|(at, a)| Payment { due: due(at), amount: fen(*a) })
            .collect()
    }

    fn close(got: Rate, expected: u32) {
        let got = got.0;
        assert!(got.abs_diff(expected) <= 2, "{got} is not {expected}");
    }

    #[test]
    fn an_annuity_at_one_percent_a_month_costs_twelve_percent() {
        let start = Date::from_civil(2025, 1, 15).unwrap();
        // 1,000,000.00 over 12 months at 1 % a month: 88,848.79 a month, by the annuity formula.
        let payments = monthly(start, &[8_884_879; 12]);
        let cost =
            |method| yearly_cost(start, fen(100_000_000), &payments, Calendar::Months, method);
        close(cost(AprMethod::Simple), 120_000);
        // 1.01^12 - 1.
        close(cost(AprMethod::Compound), 126_825);
    }

    #[test]
    fn a_year_at_ten_percent_costs_ten_percent_by_actual_days() {
        let start = Date::from_civil(2025, 3, 1).unwrap();
        let due = Date(start.0 + 365);
        let payment = [Payment { due, amount: fen(110_000) }];
        close(
            yearly_cost(start, fen(100_000), &payment, Calendar::Actual, AprMethod::Compound),
            100_000,
        );
        // Thirty years.
        let due = Date(start.0 + 365 * 30);
        let payment = [Payment { due, amount: fen(1_744_940) }];
        close(
            yearly_cost(start, fen(100_000), &payment, Calendar::Actual, AprMethod::Compound),
            100_000,
        );
    }

    #[test]
    fn a_fee_in_advance_raises_the_cost() {
        let start = Date::from_civil(2025, 1, 1).unwrap();
        let payments = monthly(start, &[8_884_879; 12]);
        let cost = |received| {
            yearly_cost(start, fen(received), &payments, Calendar::Months, AprMethod::Simple)
        };
        // 2 % kept back: the month's rate solves 98 = 8.884879 · (1 - (1+i)^-12) / i, i = 1.32121
        // %.
        close(cost(98_000_000), 158_545);
        assert!(cost(98_000_000) > cost(100_000_000));
    }

    #[test]
    fn the_ends_are_defined() {
        let payment = |amount| [Payment { due: Date(1), amount: fen(amount) }];
        let cost = |received, amount, method| {
            yearly_cost(Date(0), fen(received), &payment(amount), Calendar::Actual, method)
        };
        assert_eq!(cost(0, 100, AprMethod::Simple), Rate(u32::MAX));
        assert_eq!(cost(-5, 100, AprMethod::Simple), Rate(u32::MAX));
        assert_eq!(cost(100, 100, AprMethod::Compound), Rate(0));
        assert_eq!(cost(100, 50, AprMethod::Compound), Rate(0));
        assert_eq!(cost(1, 9_000_000_000_000_000, AprMethod::Compound), Rate(u32::MAX));
        assert_eq!(cost(1, 9_000_000_000_000_000, AprMethod::Simple), Rate(u32::MAX));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_more_paid_costs_more(
            received in 1i64..1 << 53,
            amounts in proptest::collection::vec((any::<i32>(), 0i64..1 << 46), 1..120),
            start in any::<i32>(),
        ) {
            let mut payments: Vec<Payment> =
                amounts.iter().map(|(d, a)| Payment { due: Date(*d), amount: fen(*a) }).collect();
            payments.sort_by_key(|payment| payment.due);
            for calendar in [Calendar::Actual, Calendar::Months] {
                for method in [AprMethod::Compound, AprMethod::Simple] {
                    let cost = |p: &[Payment]| {
                        yearly_cost(Date(start), fen(received), p, calendar, method)
                    };
                    let before = cost(&payments);
                    let mut more = payments.clone();
                    more[0].amount = fen(more[0].amount.get() + 1_000_000);
                    prop_assert!(cost(&more) >= before);
                }
            }
        }
    }
}
