//! A result as a table for people.

use super::{grow::Grown, result::Measured, slopes::Slope};
use comfy_table::{Table, presets};

impl Measured {
    /// A table for people.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for (what, value) in self.load().into_iter().chain(self.cost()).chain(self.troubles()) {
            table.add_row([what, value.as_str()]);
        }
        if let Some(grown) = &self.grown {
            for (what, value) in grown.rows() {
                table.add_row([what, value.as_str()]);
            }
        }
        if let Some(why) = &self.failure {
            table.add_row(["last failure", why.as_str()]);
        }
        table
    }

    fn load(&self) -> Vec<(&'static str, String)> {
        let pace = match (self.offered_per_second, self.on_their_way) {
            (Some(rate), _) => format!("{rate} submissions a second offered"),
            (None, most) => format!("{} on their way at once", most.unwrap_or_default()),
        };
        let Self { profile, records_per_submission, seconds, .. } = self;
        vec![
            ("load", format!("{profile}: {records_per_submission} records each, {pace}")),
            (
                "answered",
                format!(
                    "{} submissions/s, {} records/s over {seconds} s",
                    self.submissions_per_second, self.records_per_second
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
        ]
    }

    fn cost(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                "processor time",
                format!(
                    "{:.1} s of all nodes ({} µs a record), {:.1} s of the load",
                    self.cpu_seconds, self.cpu_us_per_record, self.load_cpu_seconds
                ),
            ),
            ("resident, largest node", format!("{} MB", self.rss_mb_max)),
            (
                "disk",
                format!(
                    "{} bytes a record at the largest node, {} written by all",
                    self.disk_bytes_per_record, self.written_bytes_per_record
                ),
            ),
            (
                "mesh, all nodes",
                format!(
                    "{} bytes a record, {} frames a thousand records",
                    self.mesh_bytes_per_record, self.mesh_frames_per_thousand
                ),
            ),
            (
                "syncs of files, all nodes",
                format!("{} a thousand records", self.syncs_per_thousand),
            ),
            ("longest queue of a node", format!("{} submissions", self.longest_queue)),
        ]
    }

    fn troubles(&self) -> Vec<(&'static str, String)> {
        let mut rows = Vec::new();
        if let Some(killed) = &self.killed {
            let p99 = self.killed_p99_ms.unwrap_or_default();
            let what = format!(
                "{}, the leader, after {} s, away for {} ms; p99 of the minute around it {p99:.1} ms",
                killed.name, killed.second, killed.away_ms
            );
            rows.push(("killed", what));
        }
        if self.restarts > 0 {
            rows.push(("restarts", self.restarts.to_string()));
            let slope = |slope: &Option<Slope>| {
                slope.map_or("too short a run".to_owned(), |it| {
                    format!("{:.1} to {:.1}: {:.2} times", it.first, it.last, it.ratio)
                })
            };
            let slopes = &self.slopes;
            let all = [
                ("MB resident, first third to last", slope(&slopes.rss_mb)),
                ("file handles, first third to last", slope(&slopes.handles)),
                ("p50 in ms, first third to last", slope(&slopes.p50_ms)),
                ("p99 in ms, first third to last", slope(&slopes.p99_ms)),
            ];
            rows.extend(all);
        }
        for step in &self.steps {
            let what = format!(
                "{} records: {} records/s since the last, {} MB, {} bytes of disk a record",
                step.records, step.records_per_second, step.rss_mb, step.disk_bytes_per_record
            );
            rows.push(("step", what));
        }
        rows
    }
}

impl Grown {
    fn rows(&self) -> Vec<(&'static str, String)> {
        let (asked, joined) = (&self.asked, &self.joined);
        vec![
            (
                "first tenth, last tenth",
                format!(
                    "{}, {} records/s",
                    self.first_records_per_second, self.last_records_per_second
                ),
            ),
            (
                "a record by its id",
                format!(
                    "p50 {:.1} ms, p99 {:.1} ms, of {} asked for under {} submissions/s",
                    asked.point_p50_ms, asked.point_p99_ms, asked.asked, self.load_per_second
                ),
            ),
            (
                "its evidence, verified",
                format!("p50 {:.1} ms, p99 {:.1} ms", asked.evidence_p50_ms, asked.evidence_p99_ms),
            ),
            (
                "restart until it answers",
                format!("{} ms, {} ms after a kill", self.restart_ms, self.restart_after_kill_ms),
            ),
            (
                "a snapshot",
                format!(
                    "of height {}: {} MB in {} ms, state root {}",
                    joined.snapshot_height,
                    joined.snapshot_bytes / 1_000_000,
                    joined.snapshot_ms,
                    joined.snapshot_state_root
                ),
            ),
            (
                "a member node that joins from it",
                format!("serves after {} ms", joined.join_serves_ms),
            ),
        ]
    }
}
