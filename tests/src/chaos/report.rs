//! What a run came to, for people and for machines.

use super::plan::{Harm, Means, Phase};
use crate::figures::millis;
use comfy_table::{Table, presets};
use serde::Serialize;
use std::{io::Write as _, time::Duration};

/// What was done in a run, and what was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tally {
    pub(super) means: Means,
    pub(super) seed: u64,
    pub(super) seconds: u64,
    pub(super) phases: u64,
    pub(super) phases_beyond_f: u64,
    pub(super) kills: u64,
    pub(super) stops: u64,
    pub(super) pauses: u64,
    pub(super) partitions: u64,
    pub(super) one_way_partitions: u64,
    pub(super) full_disks: u64,
    pub(super) stopped_on_full_disk: u64,
    pub(super) clock_offsets: u64,
    pub(super) bad_links: u64,
    pub(super) restarts: u64,
    pub(super) longest_stall_ms: u64,
    pub(super) longest_stall_in: String,
    /// The longest that one writer waited for its receipt: a node that is silent costs it an attempt.
    pub(super) longest_wait_ms: u64,
    pub(super) longest_recovery_ms: u64,
    pub(super) height: u64,
    pub(super) acknowledged: usize,
    pub(super) lost: u64,
    pub(super) forks: u64,
}

impl Tally {
    pub(super) fn new(means: Means, seed: u64) -> Self {
        Self {
            means,
            seed,
            seconds: 0,
            phases: 0,
            phases_beyond_f: 0,
            kills: 0,
            stops: 0,
            pauses: 0,
            partitions: 0,
            one_way_partitions: 0,
            full_disks: 0,
            stopped_on_full_disk: 0,
            clock_offsets: 0,
            bad_links: 0,
            restarts: 0,
            longest_stall_ms: 0,
            longest_stall_in: String::new(),
            longest_wait_ms: 0,
            longest_recovery_ms: 0,
            height: 0,
            acknowledged: 0,
            lost: 0,
            forks: 0,
        }
    }

    pub(super) fn strike(&mut self, harm: Harm) {
        match harm {
            Harm::Kill => self.kills += 1,
            Harm::Stop => self.stops += 1,
            Harm::Pause => self.pauses += 1,
            Harm::Isolate(..) if harm.is_one_way() => self.one_way_partitions += 1,
            Harm::Isolate(..) => self.partitions += 1,
            Harm::Fill => self.full_disks += 1,
            Harm::Clock(_) => self.clock_offsets += 1,
        }
    }

    /// A phase is over; with a healthy quorum its longest gap was so long.
    pub(super) fn phase(&mut self, phase: &Phase, gap: Duration, what: &str) {
        self.phases += 1;
        self.phases_beyond_f += u64::from(phase.beyond);
        self.partitions += u64::from(phase.split.is_some());
        self.bad_links += u64::from(phase.weather.is_some());
        if millis(gap) > self.longest_stall_ms {
            self.longest_stall_ms = millis(gap);
            what.clone_into(&mut self.longest_stall_in);
        }
    }

    /// After more than f were impaired and healed, the first receipt came so much later.
    pub(super) fn recovery(&mut self, time: Duration) {
        self.longest_recovery_ms = self.longest_recovery_ms.max(millis(time));
    }

    pub(super) fn print(&self, json: bool) {
        if json {
            print_json(self);
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let number = |value: u64| value.to_string();
        let rows = [
            ("validators", self.means.validators.to_string()),
            ("seed", number(self.seed)),
            ("seconds under fire", number(self.seconds)),
            ("phases, of them beyond f", format!("{}, {}", self.phases, self.phases_beyond_f)),
            ("kills (SIGKILL)", number(self.kills)),
            ("stops (SIGTERM)", number(self.stops)),
            ("pauses (SIGSTOP)", number(self.pauses)),
            (
                "partitions, and of one direction",
                format!("{}, {}", self.partitions, self.one_way_partitions),
            ),
            (
                "full disks, nodes that stopped of it",
                format!("{}, {}", self.full_disks, self.stopped_on_full_disk),
            ),
            ("clock offsets", number(self.clock_offsets)),
            ("phases with bad links", number(self.bad_links)),
            ("restarts", number(self.restarts)),
            (
                "longest stall with a healthy quorum",
                format!("{} ms ({})", self.longest_stall_ms, self.longest_stall_in),
            ),
            ("longest wait of a single writer", format!("{} ms", self.longest_wait_ms)),
            (
                "longest recovery after more than f",
                format!("{} ms from healing to the next receipt", self.longest_recovery_ms),
            ),
            ("blocks", number(self.height)),
            ("acknowledged", self.acknowledged.to_string()),
            ("lost", number(self.lost)),
            ("forks", number(self.forks)),
            ("fsck", format!("clean at all {} nodes", self.means.validators + 1)),
        ];
        for (what, value) in rows {
            table.add_row([what, value.as_str()]);
        }
        // A reader that has gone, as after `| head`, is no failure.
        let _ = writeln!(std::io::stdout(), "{table}");
    }
}

/// Prints a result as one line of JSON.
pub(super) fn print_json(result: &impl Serialize) {
    let text = serde_json::to_string(result).expect("numbers and texts");
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line of progress. It goes to standard error: the result alone is the output.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
