//! The line that a person sees while something is measured; on a terminal only.

use super::profile::Plan;
use crate::figures::thousandth;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// What is shown.
#[derive(Debug)]
pub(super) struct Seen {
    /// Since the beginning.
    pub(super) at: Duration,
    /// Records answered.
    pub(super) records: u64,
    /// Of these, in the last second.
    pub(super) records_per_second: u64,
    /// Latency of half of them at most, in milliseconds.
    pub(super) p50_ms: f64,
    /// Of 99 of 100.
    pub(super) p99_ms: f64,
    /// Megabytes resident of the largest node.
    pub(super) rss_mb: u64,
    /// Milliseconds of processor time of all nodes in the last second.
    pub(super) cpu_ms: u64,
    /// Submissions without an answer yet.
    pub(super) on_the_way: usize,
    /// Submissions that will have none.
    pub(super) failed: u64,
}

/// The line.
#[derive(Debug)]
pub(super) struct Live {
    bar: ProgressBar,
    /// Whether the bar counts records, and not seconds.
    of_records: bool,
}

impl Live {
    /// Of a run.
    pub(super) fn of(plan: &Plan) -> Self {
        let (length, unit) = match plan.most_records {
            Some(records) => (records, "records"),
            None => (plan.length.as_secs(), "s"),
        };
        let style =
            ProgressStyle::with_template(&format!("{{bar:20}} {{pos}}/{{len}} {unit}  {{msg}}"));
        let bar = ProgressBar::new(length);
        bar.set_style(style.expect("the template is a fixed one"));
        Self { bar, of_records: plan.most_records.is_some() }
    }

    /// Shows how it is.
    pub(super) fn show(&self, seen: &Seen) {
        self.bar.set_position(if self.of_records { seen.records } else { seen.at.as_secs() });
        self.bar.set_message(seen.line());
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Seen {
    fn line(&self) -> String {
        format!(
            "{} records/s, p50 {:.1} ms, p99 {:.1} ms, {} MB, {:.1} cores, {} on the way, {} lost",
            self.records_per_second,
            self.p50_ms,
            self.p99_ms,
            self.rss_mb,
            thousandth(self.cpu_ms),
            self.on_the_way,
            self.failed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_it_is() {
        let seen = Seen {
            at: Duration::from_secs(3),
            records: 9_000,
            records_per_second: 2_048,
            p50_ms: 12.34,
            p99_ms: 50.0,
            rss_mb: 121,
            cpu_ms: 1_650,
            on_the_way: 256,
            failed: 0,
        };
        let line =
            "2048 records/s, p50 12.3 ms, p99 50.0 ms, 121 MB, 1.6 cores, 256 on the way, 0 lost";
        assert_eq!(seen.line(), line);
    }
}
