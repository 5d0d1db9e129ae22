//! The yearly cost of a loan: the internal rate of return of what the borrower receives and pays,
//! in integers only, so that every machine finds the same.
//!
//! With a day's discount factor `v`, the cost is right where `Σ payment · v^days = received`. The
//! sum rises with `v`, so there is one least `v` of a grid at which it is more than what was received,
//! however it is found. Years are counted in two ways, and lenders use both: in actual days of a year of
//! 365, and in months of 30 days (Eurobond basis).

use crate::limits::APR_GRID;
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

/// What a year costs whoever receives an amount on a day and makes payments: the discount factor of a year, if
/// anything is received.
#[derive(Debug, Clone, Copy)]
pub(super) struct YearlyCost(Option<u64>);

impl YearlyCost {
    /// Of receiving `received` on a day and paying `payments`, by ascending date.
    pub(super) fn of(start: Date, received: Fen, payments: &[Payment], calendar: Calendar) -> Self {
        let received = match u64::try_from(received.get()) {
            Ok(received) if received > 0 => received,
            _ => return Self(None),
        };
        let flows: Vec<(u64, u64)> = payments
            .iter()
            .map(|payment| {
                let amount = u64::try_from(payment.amount.get()).unwrap_or(0);
                (calendar.days(start, payment.due), amount)
            })
            .collect();
        Self(Some(power(day_factor(received, &flows), calendar.year())))
    }

    /// As a rate. Zero if no more is paid than received; the largest one if the cost is beyond all bounds, as
    /// where fees leave nothing to receive.
    pub(super) fn rate(self, method: AprMethod) -> Rate {
        match (self.0, method) {
            (None, _) => Rate(u32::MAX),
            (Some(year), AprMethod::Compound) => cost(year, 1),
            (Some(year), AprMethod::Simple) => cost(twelfth_root(year), 12),
        }
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

/// The day's discount factor: above one half, the least of [`APR_GRID`] at which the payments are worth more than
/// what was received; one if there is none.
///
/// Where to look next is told by a straight line between the ends of a range (the Illinois method), and in every
/// third step by its middle, so that no series of payments takes long.
fn day_factor(received: u64, flows: &[(u64, u64)]) -> u64 {
    let target = i128::from(received) << 60;
    let factor = |at: u64| ONE / 2 + at * (ONE / 2 / APR_GRID);
    let excess = |at: u64| present_value(factor(at), flows) - target;
    if excess(APR_GRID) <= 0 {
        return ONE;
    }
    let mut range = usual_range(&excess);
    for step in 1.. {
        let width = range.high - range.low;
        if width == 1 {
            break;
        }
        let at = if step % 3 == 0 { range.low + width / 2 } else { range.guess() };
        range.narrow(at, excess(at));
    }
    factor(range.high)
}

/// A range of which the excess is none at the lower end and more at the upper one.
struct Range {
    low: u64,
    high: u64,
    /// The excess at the ends. That of an end which stays is halved each time, so that it does not stay for long.
    below: i128,
    above: i128,
}

/// Where the factor mostly is: at 1 - 2^-10 (a cost of some 40 % a year) or above.
fn usual_range(excess: &impl Fn(u64) -> i128) -> Range {
    let (mut high, mut above) = (APR_GRID, excess(APR_GRID));
    let mut gap = APR_GRID >> 9;
    while gap < APR_GRID {
        let low = APR_GRID - gap;
        match excess(low) {
            below if below <= 0 => return Range { low, high, below, above },
            more => (high, above) = (low, more),
        }
        gap *= 4;
    }
    Range { low: 0, high, below: excess(0).min(0), above }
}

impl Range {
    /// Where a straight line between the ends has no excess; within the range.
    fn guess(&self) -> u64 {
        let (part, whole) = (-self.below, self.above - self.below);
        // The width has at most 42 bits: with 80 more the product fits.
        let shift = (128 - whole.leading_zeros()).saturating_sub(80);
        let width = i128::from(self.high - self.low);
        let step = width * (part >> shift) / (whole >> shift).max(1);
        let at = self.low + u64::try_from(step).expect("no more than the width");
        at.clamp(self.low + 1, self.high - 1)
    }

    fn narrow(&mut self, at: u64, excess: i128) {
        if excess > 0 {
            (self.high, self.above) = (at, excess);
            self.below /= 2;
        } else {
            (self.low, self.below) = (at, excess);
            self.above = (self.above / 2).max(1);
        }
    }
}

/// `Σ amount · factor^days`, with 60 binary places. Amounts add up to less than 2^57: no overflow.
fn present_value(factor: u64, flows: &[(u64, u64)]) -> i128 {
    let (mut day, mut discount, mut sum) = (0, ONE, 0i128);
    // Most gaps between instalments are alike: keep the last power.
    let (mut last_gap, mut last_power) = (0, ONE);
    for &(due, amount) in flows {
        let gap = due.saturating_sub(day);
        if gap != last_gap {
            (last_gap, last_power) = (gap, power(factor, gap));
        }
        discount = product(discount, last_power);
        day = day.max(due);
        sum += i128::from(amount) * i128::from(discount);
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
        let cost = YearlyCost::of(start, fen(100_000_000), &payments, Calendar::Months);
        close(cost.rate(AprMethod::Simple), 120_000);
        // 1.01^12 - 1.
        close(cost.rate(AprMethod::Compound), 126_825);
    }

    #[test]
    fn a_year_at_ten_percent_costs_ten_percent_by_actual_days() {
        let start = Date::from_civil(2025, 3, 1).unwrap();
        let due = Date(start.0 + 365);
        let payment = [Payment { due, amount: fen(110_000) }];
        let cost = YearlyCost::of(start, fen(100_000), &payment, Calendar::Actual);
        close(cost.rate(AprMethod::Compound), 100_000);
        // Thirty years.
        let due = Date(start.0 + 365 * 30);
        let payment = [Payment { due, amount: fen(1_744_940) }];
        let cost = YearlyCost::of(start, fen(100_000), &payment, Calendar::Actual);
        close(cost.rate(AprMethod::Compound), 100_000);
    }

    #[test]
    fn a_fee_in_advance_raises_the_cost() {
        let start = Date::from_civil(2025, 1, 1).unwrap();
        let payments = monthly(start, &[8_884_879; 12]);
        let cost = |received| {
            let cost = YearlyCost::of(start, fen(received), &payments, Calendar::Months);
            cost.rate(AprMethod::Simple)
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
            YearlyCost::of(Date(0), fen(received), &payment(amount), Calendar::Actual).rate(method)
        };
        assert_eq!(cost(0, 100, AprMethod::Simple), Rate(u32::MAX));
        assert_eq!(cost(-5, 100, AprMethod::Simple), Rate(u32::MAX));
        assert_eq!(cost(100, 100, AprMethod::Compound), Rate(0));
        assert_eq!(cost(100, 50, AprMethod::Compound), Rate(0));
        assert_eq!(cost(1, 9_000_000_000_000_000, AprMethod::Compound), Rate(u32::MAX));
        assert_eq!(cost(1, 9_000_000_000_000_000, AprMethod::Simple), Rate(u32::MAX));
    }

    /// As the factor is defined, by halving alone.
    fn by_halving(received: u64, flows: &[(u64, u64)]) -> u64 {
        let more = |factor| present_value(factor, flows) > i128::from(received) << 60;
        let (mut low, mut high) = (ONE / 2, ONE);
        if !more(high) {
            return ONE;
        }
        while high - low > ONE / 2 / APR_GRID {
            let middle = low.midpoint(high);
            if more(middle) { high = middle } else { low = middle }
        }
        high
    }

    proptest! {
        #[test]
        fn the_factor_is_the_one_that_halving_finds(
            received in 1u64..1 << 53,
            flows in proptest::collection::vec((0u64..20_000, 0u64..1 << 46), 1..60),
            share in 1u64..3_000,
        ) {
            let mut flows = flows;
            flows.sort_unstable();
            prop_assert_eq!(day_factor(received, &flows), by_halving(received, &flows));
            // A loan as loans are: a little more is paid than was received.
            let paid: u64 = flows.iter().map(|(_, amount)| amount).sum();
            let received = (paid / 1_000 * (3_000 - share) / 3).max(1);
            prop_assert_eq!(day_factor(received, &flows), by_halving(received, &flows));
        }

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
                        YearlyCost::of(Date(start), fen(received), p, calendar).rate(method)
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
