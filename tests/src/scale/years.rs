//! Ten years and more of the load that the association expects, at one node.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people: nothing is decided by them"
)]

use super::{
    costs::Costs,
    model::{HEADER, Model, PROPOSAL_HEAD, model, seal_bytes},
    setting::{Load, Setting},
};
use serde::Serialize;

/// Records of the first year: 120 million of credit evidence, 43 million of access and operation logs.
pub(super) const RECORDS: f64 = 163e6;
/// Bytes of them, without submissions, outcomes and indexes.
pub(super) const PAYLOAD: f64 = 63e9;
/// Seconds of the year in which they come: 250 days of eight hours.
const WORKING: f64 = 250.0 * 8.0 * 3_600.0;
/// Validators, and milliseconds between them and back, of the chain that is looked at.
pub(super) const CHAIN: (usize, u64) = (7, 10);
/// Bytes of a frame's head in the log, and of the history tree and the index, for each block.
const BLOCK: f64 = 24.0 + 82.0 + 32.0;
/// Bytes of a sorted file of the store.
const SORTED_FILE: f64 = 64.0 * 1_024.0 * 1_024.0;
/// Bytes of the segment that is read at a start, and blocks that are executed again.
const SEGMENT: f64 = 64.0 * 1_024.0 * 1_024.0;
const AGAIN: f64 = 256.0;

/// How the load grows: its name, and in how many per cent a year.
pub(super) const GROWTHS: [(&str, f64); 3] =
    [("flat", 0.0), ("11.1 % a year", 11.1), ("30 % a year", 30.0)];

/// One node at the end of a year.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Year {
    /// From 1.
    pub(super) year: u32,
    /// How many times the first year's load.
    pub(super) grown: f64,
    /// Records of this year.
    pub(super) records: f64,
    /// Records of all years.
    pub(super) all_records: f64,
    /// Blocks of all years.
    pub(super) all_blocks: f64,
    /// Bytes on disk.
    pub(super) disk: f64,
    /// Bytes resident.
    pub(super) resident: f64,
    /// Bytes of the store's filters.
    pub(super) filters: f64,
    /// Seconds to start after a kill.
    pub(super) restart: f64,
    /// Seconds to execute everything again.
    pub(super) replay: f64,
    /// Seconds to fetch the state.
    pub(super) snapshot: f64,
    /// Seconds to fetch the log behind it.
    pub(super) back_fill: f64,
}

/// The years of one growth, with blocks no closer than so many seconds.
pub(super) fn years(
    costs: &Costs,
    submission: u64,
    growth: f64,
    apart: f64,
    count: u32,
) -> Vec<Year> {
    let (mut records, mut blocks) = (0.0, 0.0);
    let block_bytes = stored_block(CHAIN.0);
    let of_year = |year: u32| {
        let grown = (1.0 + growth / 100.0).powi(i32::try_from(year - 1).unwrap_or(i32::MAX));
        let new = RECORDS * grown;
        let new_blocks = blocks_of(costs, submission, CHAIN.0, new, apart);
        records += new;
        blocks += new_blocks;
        let disk = records * costs.disk_record as f64 + blocks * block_bytes;
        let files = records * (costs.disk_record - costs.log_record) as f64 / SORTED_FILE;
        let log = records * costs.log_record as f64 + blocks * block_bytes / 2.0;
        let of_block = costs.execute(0) + costs.commit(0);
        let of_record = costs.execute_record + costs.commit_record + costs.screen;
        let again = AGAIN * (of_block as f64 + new / new_blocks * of_record as f64) / 1e9;
        let link = costs.link as f64 / 8.0;
        Year {
            year,
            grown,
            records: new,
            all_records: records,
            all_blocks: blocks,
            disk,
            resident: costs.resident as f64 + files * costs.resident_file as f64,
            filters: records * costs.filter_bits as f64 / 8.0,
            restart: SEGMENT / costs.scan as f64 + files * costs.open_file as f64 / 1e9 + again,
            replay: (records * of_record as f64 + blocks * of_block as f64) / 1e9,
            snapshot: records * costs.state_record as f64 / link,
            back_fill: log / link,
        }
    };
    (1..=count).map(of_year).collect()
}

/// Blocks of a year of so many records.
pub(super) fn blocks_of(
    costs: &Costs,
    submission: u64,
    validators: usize,
    records: f64,
    apart: f64,
) -> f64 {
    let said = at(costs, submission, validators, records / WORKING);
    let cycle = said.records / said.records_per_second;
    (WORKING / cycle.max(apart)).min(records)
}

/// The closed form for so many records a second, each in a submission of its own.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not below zero"
)]
fn at(costs: &Costs, submission: u64, validators: usize, rate: f64) -> Model {
    let load = Load::Offered((rate as u64).max(1));
    model(&setting(costs, validators, load), submission)
}

/// The chain that is looked at, with other numbers of validators.
pub(super) const fn setting(costs: &Costs, validators: usize, load: Load) -> Setting {
    Setting { validators, round_trip_ms: CHAIN.1, records_per_submission: 1, load, costs: *costs }
}

/// Bytes on disk of a block without records: header and seal stand in the log and in the index.
pub(super) fn stored_block(validators: usize) -> f64 {
    2.0 * (HEADER + seal_bytes(validators)) + PROPOSAL_HEAD + BLOCK
}
