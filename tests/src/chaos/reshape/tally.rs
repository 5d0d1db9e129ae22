//! What a reshaped consortium came to, step by step.

use crate::{chaos::report::print_json, figures::millis};
use comfy_table::{Table, presets};
use serde::Serialize;
use std::{io::Write as _, time::Duration};

/// One thing that was done, and what the writers noticed of it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::chaos) struct Step {
    pub(super) what: String,
    /// The first height at which it is in force, if it is a change.
    pub(super) from: Option<u64>,
    pub(super) took_ms: u64,
    /// The longest time between two receipts meanwhile.
    pub(super) gap_ms: u64,
    /// The time without a receipt before the first one of the height at which it is in force, or later.
    pub(super) turn_ms: Option<u64>,
    /// Views that one of the validators left meanwhile.
    pub(super) views_left: u64,
    /// Whether a process was killed in it, which costs a view by itself.
    pub(super) killed: bool,
}

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub(in crate::chaos) struct Measured {
    pub(super) view_timeout_ms: u64,
    pub(super) retransmit_ms: u64,
    pub(super) seconds: u64,
    pub(super) height: u64,
    pub(super) acknowledged: usize,
    pub(super) epochs: u64,
    pub(super) submission_keys_rotated: u64,
    /// What became of the motion that would have stopped the chain.
    pub(super) refused: String,
    pub(super) longest_gap_ms: u64,
    /// The longest around a change, without those where a process was killed.
    pub(super) longest_gap_of_a_change_ms: u64,
    pub(super) turn_p50_ms: u64,
    pub(super) turn_max_ms: u64,
    pub(super) steps: Vec<Step>,
}

impl Measured {
    /// Sums the steps up.
    pub(super) fn close(mut self) -> Self {
        let longest = |killed: bool| {
            let steps = self.steps.iter().filter(|step| killed || !step.killed);
            steps.map(|step| step.gap_ms).max().unwrap_or_default()
        };
        let (all, changes) = (longest(true), longest(false));
        let mut turns: Vec<u64> = self.steps.iter().filter_map(|step| step.turn_ms).collect();
        turns.sort_unstable();
        self.longest_gap_ms = self.longest_gap_ms.max(all);
        self.longest_gap_of_a_change_ms = changes;
        self.turn_p50_ms = turns.get(turns.len() / 2).copied().unwrap_or_default();
        self.turn_max_ms = turns.last().copied().unwrap_or_default();
        self
    }

    /// Whether there was never a time without receipts as long as two base timeouts.
    pub(in crate::chaos) const fn holds(&self) -> bool {
        self.longest_gap_ms < 2 * self.view_timeout_ms
    }

    /// Prints it.
    pub(in crate::chaos) fn print(&self, json: bool) {
        if json {
            print_json(self);
            return;
        }
        let units = |ms: u64| {
            let hundredths = ms * 100 / self.view_timeout_ms.max(1);
            format!("{ms} ms = {}.{:02} T", hundredths / 100, hundredths % 100)
        };
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let head =
            ["step", "in force from", "took", "longest gap", "gap at its height", "views left"];
        table.set_header(head);
        for step in &self.steps {
            table.add_row([
                step.what.clone(),
                step.from.map_or_else(String::new, |from| from.to_string()),
                format!("{} ms", step.took_ms),
                units(step.gap_ms),
                step.turn_ms.map_or_else(String::new, units),
                step.views_left.to_string(),
            ]);
        }
        // A reader that has gone, as after `| head`, is no failure.
        let _ = writeln!(
            std::io::stdout(),
            "{table}\n\nthe motion that would have stopped the chain: {}\n\
             T = {} ms, retransmit {} ms; {} s, {} blocks, {} epochs, {} submission keys rotated, {} records \
             acknowledged and proved on every node\n\
             longest gap between receipts {}, around a change {}; at the first height of a change p50 {}, max {}\n\
             (node keys of the mesh are not rotated: a motion has no such change)",
            self.refused,
            self.view_timeout_ms,
            self.retransmit_ms,
            self.seconds,
            self.height,
            self.epochs,
            self.submission_keys_rotated,
            self.acknowledged,
            units(self.longest_gap_ms),
            units(self.longest_gap_of_a_change_ms),
            units(self.turn_p50_ms),
            units(self.turn_max_ms),
        );
    }
}

impl Step {
    pub(super) fn line(&self) -> String {
        let turn =
            self.turn_ms.map_or_else(String::new, |turn| format!(", {turn} ms at its height"));
        let Self { what, took_ms, gap_ms, views_left, .. } = self;
        format!("{what}: {took_ms} ms, longest gap {gap_ms} ms{turn}, {views_left} views left")
    }
}

/// The time without a receipt before the first one of a height or a later one.
pub(super) fn turn(moments: &[crate::load::Moment], height: u64) -> Option<Duration> {
    let at = moments.iter().position(|moment| moment.height.get() >= height)?;
    let before = at.checked_sub(1)?;
    Some(moments[at].at - moments[before].at)
}

/// The same in milliseconds.
pub(super) fn turn_ms(moments: &[crate::load::Moment], height: Option<u64>) -> Option<u64> {
    turn(moments, height?).map(millis)
}
