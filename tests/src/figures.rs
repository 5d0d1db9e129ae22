//! Times and counts as figures for people.

use std::time::Duration;

/// A length of time in whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A count for each second of a length of time.
pub(crate) fn per_second(count: u64, time: Duration) -> u64 {
    count.saturating_mul(1_000) / millis(time).max(1)
}

/// The thousandth part: microseconds in milliseconds, milliseconds in seconds.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a figure for people: nothing is decided by it"
)]
pub(crate) fn thousandth(number: u64) -> f64 {
    number as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_whole_length() {
        assert_eq!(per_second(90, Duration::from_secs(60)), 1);
        assert_eq!(per_second(5, Duration::ZERO), 5_000);
        assert!((thousandth(1_500) - 1.5).abs() < f64::EPSILON);
    }
}
