//! What a run comes to.

use super::{
    drive::Driven,
    grow::Grown,
    keeper::{Killed, Sample, Step},
    profile::{Pace, Plan},
    slopes::Slope,
    timeline::Point,
    usage::NodeUsage,
};
use crate::figures::{per_second, thousandth};
use serde::Serialize;
use std::time::Duration;

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
    /// Frames that all nodes sent on the mesh, for a thousand records.
    pub(super) mesh_frames_per_thousand: u64,
    /// Syncs of files of all nodes, for a thousand records.
    pub(super) syncs_per_thousand: u64,
    /// Bytes that all nodes handed to their disks, for each record.
    pub(super) written_bytes_per_record: u64,
    /// Submissions that waited at one node, at most.
    pub(super) longest_queue: u64,
    /// The leader that was killed, if one was.
    pub(super) killed: Option<Killed>,
    /// Latency of 99 of 100 of what was due from half a minute before to half a minute after it, in milliseconds.
    pub(super) killed_p99_ms: Option<f64>,
    /// How often a node was restarted.
    pub(super) restarts: u64,
    /// Whether anything grew.
    pub(super) slopes: Slopes,
    /// How it went record by record, in a run of so many.
    pub(super) steps: Vec<Step>,
    /// What the network could do when it had grown.
    pub(super) grown: Option<Grown>,
    /// What each node has used.
    pub(super) nodes: Vec<NodeUsage>,
    /// Second by second.
    pub(super) points: Vec<Point>,
    /// Every few seconds.
    pub(super) samples: Vec<Sample>,
}

/// The first third of a run against the last; none of a run of fewer than three samples.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Slopes {
    /// Megabytes resident of a node.
    pub(super) rss_mb: Option<Slope>,
    /// Open file handles of a node.
    pub(super) handles: Option<Slope>,
    /// Latency of half of the submissions at most, in milliseconds.
    pub(super) p50_ms: Option<Slope>,
    /// Of 99 of 100.
    pub(super) p99_ms: Option<Slope>,
}

impl Slopes {
    fn of(samples: &[Sample]) -> Self {
        let slope = |of: fn(&Sample) -> f64| Slope::of(&samples.iter().map(of).collect::<Vec<_>>());
        Self {
            rss_mb: slope(Sample::mean_rss_mb),
            handles: slope(Sample::mean_handles),
            p50_ms: slope(|sample| sample.p50_ms),
            p99_ms: slope(|sample| sample.p99_ms),
        }
    }
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
    /// See [`Measured::samples`].
    pub(super) samples: Vec<Sample>,
    /// See [`Measured::steps`].
    pub(super) steps: Vec<Step>,
    /// See [`Measured::killed`].
    pub(super) killed: Option<Killed>,
    /// See [`Measured::restarts`].
    pub(super) restarts: u64,
    /// See [`Measured::grown`].
    pub(super) grown: Option<Grown>,
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
        let Besides { nodes, samples, .. } = besides;
        let timeline = &driven.timeline;
        // A run of so many records ends before its time.
        let length = match plan.most_records {
            Some(_) => Duration::from_secs(timeline.points().len() as u64).min(plan.length),
            None => plan.length,
        };
        let (submissions, records) = timeline.within(length);
        let all = timeline.records().max(1);
        let sum = |of: fn(&NodeUsage) -> u64| nodes.iter().map(of).sum::<u64>();
        let cpu_ms = sum(|node| node.cpu_ms);
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
            seconds: length.as_secs(),
            submissions_per_second: per_second(submissions, length),
            records_per_second: per_second(records, length),
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
            lost: besides.lost,
            supply_waited: besides.supply_waited,
            rss_mb_max: largest(|node| node.rss_mb_max),
            cpu_seconds: thousandth(cpu_ms),
            load_cpu_seconds: thousandth(besides.load_cpu_ms),
            cpu_us_per_record: cpu_ms * 1_000 / all,
            disk_bytes_per_record: largest(|node| node.data_bytes) / all,
            mesh_bytes_per_record: sum(|node| node.mesh_bytes) / all,
            mesh_frames_per_thousand: sum(|node| node.mesh_frames) * 1_000 / all,
            syncs_per_thousand: sum(|node| node.syncs) * 1_000 / all,
            written_bytes_per_record: sum(|node| node.written_bytes) / all,
            longest_queue: samples.iter().map(|it| it.pending).max().unwrap_or_default(),
            killed: besides.killed,
            killed_p99_ms: timeline.window_p99_ms(),
            restarts: besides.restarts,
            slopes: Slopes::of(&samples),
            steps: besides.steps,
            grown: besides.grown,
            nodes,
            points: timeline.points(),
            samples,
        }
    }

    /// Whether nothing was lost, rejected or left without an answer.
    pub(super) const fn holds(&self) -> bool {
        self.lost == 0 && self.rejected == 0 && self.failed == 0
    }
}
