//! What was answered when, and after how long.

use crate::figures::thousandth;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Latencies are kept in microseconds, up to ten minutes, to three digits.
const MOST_MICROS: u64 = 600_000_000;
const DIGITS: u8 = 3;

/// Answers, all together and by the second in which they came.
#[derive(Debug)]
pub(super) struct Timeline {
    begin: Instant,
    all: Histogram<u64>,
    seconds: Vec<Second>,
    submissions: u64,
    records: u64,
}

#[derive(Debug)]
struct Second {
    submissions: u64,
    records: u64,
    latencies: Histogram<u64>,
}

/// One second, for a table or a plot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Point {
    /// Seconds since the beginning.
    pub(super) second: usize,
    /// Submissions answered in it.
    pub(super) submissions: u64,
    /// Their records.
    pub(super) records: u64,
    /// Latency of half of them at most, in milliseconds.
    pub(super) p50_ms: f64,
    /// Latency of 99 of 100, in milliseconds.
    pub(super) p99_ms: f64,
}

impl Timeline {
    /// Nothing was answered yet. What was due before `begin` does not count.
    pub(super) fn new(begin: Instant) -> Self {
        Self { begin, all: empty(), seconds: Vec::new(), submissions: 0, records: 0 }
    }

    /// A submission that was due then was answered. Says whether it counts.
    pub(super) fn note(&mut self, due: Instant, at: Instant, records: u64) -> bool {
        if due < self.begin {
            return false;
        }
        let micros =
            u64::try_from((at - due).as_micros()).unwrap_or(u64::MAX).clamp(1, MOST_MICROS);
        let place = usize::try_from((at - self.begin).as_secs()).unwrap_or(usize::MAX);
        while self.seconds.len() <= place {
            self.seconds.push(Second { submissions: 0, records: 0, latencies: empty() });
        }
        let second = &mut self.seconds[place];
        second.submissions += 1;
        second.records += records;
        self.submissions += 1;
        self.records += records;
        for latencies in [&mut self.all, &mut second.latencies] {
            latencies.record(micros).expect("it is within the bounds");
        }
        true
    }

    /// Submissions answered.
    pub(super) const fn submissions(&self) -> u64 {
        self.submissions
    }

    /// Their records.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// Submissions and records answered within so long of the beginning.
    pub(super) fn within(&self, length: Duration) -> (u64, u64) {
        let seconds = usize::try_from(length.as_secs()).unwrap_or(usize::MAX);
        let counted = self.seconds.iter().take(seconds);
        counted.fold((0, 0), |sum, it| (sum.0 + it.submissions, sum.1 + it.records))
    }

    /// The latency that so many of a thousand do not exceed, in milliseconds.
    pub(super) fn latency_ms(&self, of_thousand: u32) -> f64 {
        quantile_ms(&self.all, of_thousand)
    }

    /// The longest latency, in milliseconds.
    pub(super) fn longest_ms(&self) -> f64 {
        thousandth(self.all.max())
    }

    /// Every second.
    pub(super) fn points(&self) -> Vec<Point> {
        let point = |(second, it): (usize, &Second)| Point {
            second,
            submissions: it.submissions,
            records: it.records,
            p50_ms: quantile_ms(&it.latencies, 500),
            p99_ms: quantile_ms(&it.latencies, 990),
        };
        self.seconds.iter().enumerate().map(point).collect()
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MOST_MICROS, DIGITS).expect("the bounds are such as it takes")
}

#[expect(clippy::float_arithmetic, reason = "figures for people: nothing is decided by them")]
fn quantile_ms(latencies: &Histogram<u64>, of_thousand: u32) -> f64 {
    thousandth(latencies.value_at_quantile(f64::from(of_thousand) / 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_a_submission_was_due_and_the_warm_up_not_at_all() {
        let begin = Instant::now();
        let mut timeline = Timeline::new(begin);
        let at = |ms| begin + Duration::from_millis(ms);
        timeline.note(at(0), at(10), 1);
        timeline.note(at(100), at(1_400), 3);
        if let Some(before) = begin.checked_sub(Duration::from_millis(1)) {
            assert!(!timeline.note(before, at(1), 7));
        }
        assert_eq!((timeline.submissions(), timeline.records()), (2, 4));
        assert_eq!(timeline.within(Duration::from_secs(1)), (1, 1));
        let points = timeline.points();
        assert_eq!((points[0].records, points[1].records), (1, 3));
        assert!((9.9..10.1).contains(&timeline.latency_ms(500)));
        assert!((1_298.0..1_302.0).contains(&timeline.longest_ms()));
    }
}
