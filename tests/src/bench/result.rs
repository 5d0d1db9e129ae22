//! What a run comes to.

use super::{
    drive::Driven,
    profile::{Pace, Plan},
    timeline::Point,
    usage::NodeUsage,
};
use crate::figures::{per_second, thousandth};
use comfy_table::{Table, presets};
use serde::Serialize;

/// Everything that was measured, as one JSON object.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    /// The shape of load.
    pub(super) profile: String,
    /// Validators; there is one member node besides.
    pub(super) validators: usize,
    /// Records of each submission.
    pub(super) records_per_submission: usize,
    /// Submissions offered a second; none in a closed loop.
    pub(super) offered_per_second: Option<u64>,
    /// Submissions on their way at once; none in an open loop.
    pub(super) on_their_way: Option<usize>,
    /// Seconds that were measured.
    pub(super) seconds: u64,
    /// Submissions answered within them, for each second.
    pub(super) submissions_per_second: u64,
    /// Records of these.
    pub(super) records_per_second: u64,
    /// From when it was due to a verified answer, half of the submissions at most.
    pub(super) p50_ms: f64,
    /// Nine of ten.
    pub(super) p90_ms: f64,
    /// 99 of 100.
    pub(super) p99_ms: f64,
    /// 999 of 1,000.
    pub(super) p999_ms: f64,
    /// All.
    pub(super) longest_ms: f64,
    /// Submissions sent.
    pub(super) sent: u64,
    /// Submissions answered, in time or later.
    pub(super) acknowledged: u64,
    /// Submissions without a verified answer.
    pub(super) failed: u64,
    /// Why the last of these failed.
    pub(super) failure: Option<String>,
    /// Records that a rule rejected.
    pub(super) rejected: u64,
    /// Acknowledged records that were looked for at another node in the end, and how many were not there.
    pub(super) looked_for: usize,
    /// See above: none is ever missing.
    pub(super) lost: usize,
    /// How often a submission was due and not made yet.
    pub(super) supply_waited: u64,
    /// Megabytes resident of the largest node.
    pub(super) rss_mb_max: u64,
    /// Seconds of processor time of all nodes.
    pub(super) cpu_seconds: f64,
    /// The same of the load itself: sending, and verifying every answer.
    pub(super) load_cpu_seconds: f64,
    /// Microseconds of processor time of all nodes, for each record.
    pub(super) cpu_us_per_record: u64,
    /// Bytes of data on the disk of the largest node, for each record.
    pub(super) disk_bytes_per_record: u64,
    /// Bytes that all nodes sent on the mesh, for each record.
    pub(super) mesh_bytes_per_record: u64,
    /// What each node has used.
    pub(super) nodes: Vec<NodeUsage>,
    /// Second by second.
    pub(super) points: Vec<Point>,
}

/// What was seen besides the answers.
#[derive(Debug)]
pub(super) struct Besides {
    /// What each node has used.
    pub(super) nodes: Vec<NodeUsage>,
    /// Milliseconds of processor time of the load.
    pub(super) load_cpu_ms: u64,
    /// See [`Measured::supply_waited`].
    pub(super) supply_waited: u64,
    /// See [`Measured::lost`].
    pub(super) lost: usize,
}

impl Measured {
    /// Puts together what was measured.
    pub(super) fn of(
        profile: String,
        validators: usize,
        plan: &Plan,
        driven: &Driven,
        besides: Besides,
    ) -> Self {
        let Besides { nodes, load_cpu_ms, supply_waited, lost } = besides;
        let timeline = &driven.timeline;
        let (submissions, records) = timeline.within(plan.length);
        let all = timeline.records().max(1);
        let cpu_ms: u64 = nodes.iter().map(|node| node.cpu_ms).sum();
        let mesh: u64 = nodes.iter().map(|node| node.mesh_bytes).sum();
        let largest = |of: fn(&NodeUsage) -> u64| nodes.iter().map(of).max().unwrap_or_default();
        let (offered_per_second, on_their_way) = match plan.pace {
            Pace::Open(rate) => (Some(rate), None),
            Pace::Closed(most) => (None, Some(most)),
        };
        Self {
            profile,
            validators,
            records_per_submission: plan.records,
            offered_per_second,
            on_their_way,
            seconds: plan.length.as_secs(),
            submissions_per_second: per_second(submissions, plan.length),
            records_per_second: per_second(records, plan.length),
            p50_ms: timeline.latency_ms(500),
            p90_ms: timeline.latency_ms(900),
            p99_ms: timeline.latency_ms(990),
            p999_ms: timeline.latency_ms(999),
            longest_ms: timeline.longest_ms(),
            sent: driven.sent,
            acknowledged: timeline.submissions(),
            failed: driven.failed,
            failure: driven.failure.clone(),
            rejected: driven.rejected,
            looked_for: driven.some.len(),
            lost,
            supply_waited,
            rss_mb_max: largest(|node| node.rss_mb_max),
            cpu_seconds: thousandth(cpu_ms),
            load_cpu_seconds: thousandth(load_cpu_ms),
            cpu_us_per_record: cpu_ms * 1_000 / all,
            disk_bytes_per_record: largest(|node| node.data_bytes) / all,
            mesh_bytes_per_record: mesh / all,
            nodes,
            points: timeline.points(),
        }
    }

    /// Whether nothing was lost, rejected or left without an answer.
    pub(super) const fn holds(&self) -> bool {
        self.lost == 0 && self.rejected == 0 && self.failed == 0
    }

    /// A table for people.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let pace = match (self.offered_per_second, self.on_their_way) {
            (Some(rate), _) => format!("{rate} submissions a second offered"),
            (None, most) => format!("{} on their way at once", most.unwrap_or_default()),
        };
        let rows: [(&str, String); 10] = [
            (
                "load",
                format!("{}: {} records each, {pace}", self.profile, self.records_per_submission),
            ),
            (
                "answered",
                format!(
                    "{} submissions/s, {} records/s over {} s",
                    self.submissions_per_second, self.records_per_second, self.seconds
                ),
            ),
            (
                "latency to a verified answer",
                format!(
                    "p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, longest {:.1} ms",
                    self.p50_ms, self.p90_ms, self.p99_ms, self.p999_ms, self.longest_ms
                ),
            ),
            ("sent, acknowledged", format!("{}, {}", self.sent, self.acknowledged)),
            ("failed, rejected", format!("{}, {}", self.failed, self.rejected)),
            ("lost", format!("{} of {} looked for", self.lost, self.looked_for)),
            (
                "processor time",
                format!(
                    "{:.1} s of all nodes ({} µs a record), {:.1} s of the load",
                    self.cpu_seconds, self.cpu_us_per_record, self.load_cpu_seconds
                ),
            ),
            ("resident, largest node", format!("{} MB", self.rss_mb_max)),
            ("disk, largest node", format!("{} bytes a record", self.disk_bytes_per_record)),
            ("mesh, all nodes", format!("{} bytes a record", self.mesh_bytes_per_record)),
        ];
        for (what, value) in rows {
            table.add_row([what, value.as_str()]);
        }
        if let Some(why) = &self.failure {
            table.add_row(["last failure", why.as_str()]);
        }
        table
    }
}
