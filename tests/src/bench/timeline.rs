//! What was answered when, and after how long.

use crate::figures::thousandth;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

/// Latencies are kept in microseconds, up to ten minutes, to three digits.
const MOST_MICROS: u64 = 600_000_000;
const DIGITS: u8 = 3;
/// Newest seconds of which every latency is kept: answers are noted a little after they came. Each takes some
/// 300 KB, and a run may last for hours.
const OPEN_SECONDS: usize = 20;

/// Answers, all together and by the second in which they came.
#[derive(Debug)]
pub(super) struct Timeline {
    begin: Instant,
    all: Histogram<u64>,
    /// Of what was due in it.
    window: Option<(Range<Duration>, Histogram<u64>)>,
    /// Since it was last looked at.
    interval: Histogram<u64>,
    /// Seconds in which nothing is noted any more, and those after them.
    closed: Vec<Point>,
    open: VecDeque<Second>,
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
    /// Nothing was answered yet. What was due before `begin` does not count; what is due within `window` after it is
    /// looked at by itself, too.
    pub(super) fn new(begin: Instant, window: Option<Range<Duration>>) -> Self {
        Self {
            begin,
            all: histogram(),
            window: window.map(|window| (window, histogram())),
            interval: histogram(),
            closed: Vec::new(),
            open: VecDeque::new(),
            submissions: 0,
            records: 0,
        }
    }

    /// A submission that was due then was answered. Says whether it counts.
    pub(super) fn note(&mut self, due: Instant, at: Instant, records: u64) -> bool {
        if due < self.begin {
            return false;
        }
        let micros = micros(at - due);
        let second = self.second(at - self.begin);
        second.submissions += 1;
        second.records += records;
        second.latencies.record(micros).expect(WITHIN);
        self.submissions += 1;
        self.records += records;
        self.all.record(micros).expect(WITHIN);
        self.interval.record(micros).expect(WITHIN);
        let due = due - self.begin;
        if let Some((_, window)) = self.window.as_mut().filter(|(window, _)| window.contains(&due))
        {
            window.record(micros).expect(WITHIN);
        }
        true
    }

    /// The second of a moment; of one that is closed, the oldest that is not.
    fn second(&mut self, after: Duration) -> &mut Second {
        let wanted = usize::try_from(after.as_secs()).unwrap_or(usize::MAX);
        while self.closed.len() + self.open.len() <= wanted {
            self.open.push_back(Second { submissions: 0, records: 0, latencies: histogram() });
            if self.open.len() > OPEN_SECONDS
                && let Some(oldest) = self.open.pop_front()
            {
                self.closed.push(oldest.point(self.closed.len()));
            }
        }
        let place = wanted.saturating_sub(self.closed.len());
        &mut self.open[place]
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
        let counted = self.points().into_iter().take(seconds);
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

    /// The latency of 99 of 100 of what was due in the window, in milliseconds; none without a window.
    pub(super) fn window_p99_ms(&self) -> Option<f64> {
        self.window.as_ref().map(|(_, latencies)| quantile_ms(latencies, 990))
    }

    /// The latencies of half at most, and of 99 of 100, since this was last asked, in milliseconds; none if nothing
    /// was answered.
    pub(super) fn take_interval(&mut self) -> Option<(f64, f64)> {
        let some = !self.interval.is_empty();
        let both = [500, 990].map(|of_thousand| quantile_ms(&self.interval, of_thousand));
        self.interval.reset();
        some.then_some((both[0], both[1]))
    }

    /// The newest second that is over, if it is not long over.
    pub(super) fn newest(&self) -> Option<Point> {
        let place = self.open.len().checked_sub(2)?;
        Some(self.open[place].point(self.closed.len() + place))
    }

    /// Every second.
    pub(super) fn points(&self) -> Vec<Point> {
        let open = self.open.iter().zip(self.closed.len()..).map(|(it, second)| it.point(second));
        self.closed.iter().cloned().chain(open).collect()
    }
}

impl Second {
    fn point(&self, second: usize) -> Point {
        Point {
            second,
            submissions: self.submissions,
            records: self.records,
            p50_ms: quantile_ms(&self.latencies, 500),
            p99_ms: quantile_ms(&self.latencies, 990),
        }
    }
}

const WITHIN: &str = "it is within the bounds";

/// A length of time, as it is recorded.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).clamp(1, MOST_MICROS)
}

/// Of lengths of time.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MOST_MICROS, DIGITS).expect("the bounds are such as it takes")
}

/// What so many of a thousand do not exceed, in milliseconds.
#[expect(clippy::float_arithmetic, reason = "figures for people: nothing is decided by them")]
pub(super) fn quantile_ms(latencies: &Histogram<u64>, of_thousand: u32) -> f64 {
    thousandth(latencies.value_at_quantile(f64::from(of_thousand) / 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_a_submission_was_due_and_the_warm_up_not_at_all() {
        let begin = Instant::now();
        let mut timeline = Timeline::new(begin, None);
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
        assert!(timeline.window_p99_ms().is_none());
    }

    #[test]
    fn a_long_run_keeps_every_second_but_not_every_latency() {
        let begin = Instant::now();
        let mut timeline = Timeline::new(begin, None);
        let at = |second| begin + Duration::from_secs(second);
        for second in 0..100 {
            timeline.note(at(second), at(second), 1);
        }
        assert_eq!(timeline.open.len(), OPEN_SECONDS);
        timeline.note(at(1), at(2), 5);
        let points = timeline.points();
        assert_eq!(points.len(), 100);
        assert!(points.iter().zip(0..).all(|(point, second)| point.second == second));
        assert_eq!(points.iter().map(|point| point.records).sum::<u64>(), 105);
    }

    #[test]
    fn a_window_and_an_interval_are_looked_at_by_themselves() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let window = Duration::from_millis(100)..Duration::from_millis(200);
        let mut timeline = Timeline::new(begin, Some(window));
        timeline.note(at(0), at(10), 1);
        timeline.note(at(150), at(190), 1);
        timeline.note(at(200), at(1_000), 1);
        assert!((39.0..41.0).contains(&timeline.window_p99_ms().unwrap()));
        let (p50, p99) = timeline.take_interval().unwrap();
        assert!((39.0..41.0).contains(&p50) && (798.0..802.0).contains(&p99), "{p50} {p99}");
        assert_eq!(timeline.take_interval(), None);
    }
}
