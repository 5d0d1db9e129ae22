//! The dated numbers of the law that soft rules apply: caps, hours, frequencies, reference rates.

use crate::{Date, List, Millis, Rate};
use serde::{Deserialize, Serialize};

/// A rule pack, published by the regulator. Old records keep the pack of their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// Its number, ascending.
    pub version: u32,
    /// The first day on which it applies.
    pub effective_from: Date,
    /// Minutes that local time is east of UTC (480 in China).
    pub utc_offset_minutes: i32,
    /// The one-year loan prime rate, by first day, ascending.
    pub lpr_one_year: List<LprPoint, 1_024>,
    /// A record that happened longer ago than this when sealed is late.
    pub late_after: Millis,
}

/// The loan prime rate from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LprPoint {
    /// First day.
    pub from: Date,
    /// The rate.
    pub rate: Rate,
}
