//! The closed form and the simulation, side by side.

use super::{
    model::{Model, model},
    setting::{Load, Setting},
    supply::Supply,
    world::{Seen, World},
};
use crate::trouble::Trouble;
use serde::Serialize;

/// Blocks that are sealed before anything is counted, and blocks that are counted.
const BLOCKS: [(u64, u64); 2] = [(10, 40), (5, 10)];

/// One setting, computed and played.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Row {
    /// What was looked at.
    pub setting: Setting,
    /// On paper.
    pub model: Model,
    /// In virtual time.
    pub seen: Seen,
}

/// Computes a setting and plays it.
///
/// # Errors
/// [`Trouble`] if the validators cannot do what they are offered.
pub fn compare(setting: Setting) -> Result<Row, Trouble> {
    let supply = Supply::new(setting.records_per_submission)?;
    let [steady, full] = BLOCKS;
    let (warm_up, blocks) = if setting.load == Load::Full { full } else { steady };
    let model = model(&setting, supply.mean_bytes());
    let seen = World::play(setting, warm_up, blocks)?;
    Ok(Row { setting, model, seen })
}

impl Row {
    /// By how many per cent the simulation differs from the model in what they both say, furthest first.
    pub fn differences(&self) -> Vec<(&'static str, f64)> {
        let (model, seen) = (&self.model, &self.seen);
        let pairs = [
            ("records a block", model.records, seen.records),
            ("messages", model.messages, seen.messages),
            ("bytes", model.bytes, seen.bytes),
            ("checks of votes", model.vote_checks, seen.vote_checks),
            ("checks of submissions", model.submission_checks, seen.submission_checks),
            ("bytes of the seal", model.seal_bytes, seen.seal_bytes),
            ("records a second", model.records_per_second, seen.records_per_second),
            ("finality", model.finality_ms, seen.finality_ms),
        ];
        // At the ceiling finality depends on how much is on its way, which is not the chain's to say.
        let told = if self.setting.load == Load::Full { 7 } else { 8 };
        let mut all: Vec<_> = pairs
            .into_iter()
            .take(told)
            .map(|(what, paper, world)| (what, per_cent(paper, world)))
            .collect();
        all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
        all
    }
}

/// How much more the second is than the first.
#[expect(clippy::float_arithmetic, reason = "a figure for people: nothing is decided by it")]
pub(super) fn per_cent(model: f64, seen: f64) -> f64 {
    (seen - model) / model * 100.0
}
