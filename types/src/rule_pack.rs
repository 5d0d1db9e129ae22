//! The dated numbers of the law that rules apply: caps, hours, frequencies, reference rates.

use crate::{Bp, Date, Fen, List, Millis, Rate, Text, body::LenderClass};
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
    /// A submitter's clock that differs from block time by more than this is noted.
    pub clock_skew: Millis,
    /// Caps on the yearly cost of a loan, by class of lender and first day of signing, ascending.
    pub rate_caps: List<RateCap, 64>,
    /// How far the shown yearly cost may be from the recomputed one.
    pub apr_tolerance: Rate,
    /// The most that an overdue rate may be of the agreed one, in hundredths: 150 is one and a half
    /// times.
    pub overdue_multiple_percent: u16,
    /// Months of a guarantee's period where none is agreed (Civil Code, 692).
    pub guarantee_months: u16,
    /// Risk-sharing schemes, by code, ascending.
    pub guarantee_schemes: List<GuaranteeScheme, 16>,
    /// Years after which a claim may no longer be enforced (Civil Code, 188).
    pub limitation_years: u16,
    /// Conduct of collection.
    pub collection: CollectionRules,
    /// A notice shown for less than this was not read.
    pub consent_dwell: Millis,
    /// Exporting or printing more rows than this is noted.
    pub export_rows: u32,
    /// When staff works, in local time.
    pub work_hours: DayHours,
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

/// The cap on the yearly cost of loans signed from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateCap {
    /// Of which lenders.
    pub class: LenderClass,
    /// First day of signing.
    pub from: Date,
    /// The cap.
    pub cap: Cap,
}

/// A cap on a rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cap {
    /// This rate.
    Fixed(Rate),
    /// So many hundredths of the one-year loan prime rate on the day of signing: 400 is four times.
    LprPercent(u16),
}

/// A scheme by which a loss is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuaranteeScheme {
    /// Its code.
    pub code: Text<16>,
    /// The most that one borrower may have outstanding under it.
    pub max_exposure: Fen,
    /// The shares, largest first.
    pub shares: List<Bp, 8>,
}

/// Numbers of lawful collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionRules {
    /// When a debtor may be contacted, in local time.
    pub hours: DayHours,
    /// Contacts of one debtor in a day.
    pub per_day: u16,
    /// Contacts of one debtor in seven days.
    pub per_week: u16,
    /// A complaint is closed within this.
    pub complaint: Millis,
}

/// Hours of a day, in minutes after local midnight: from `from` to before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayHours {
    /// First minute.
    pub from: u16,
    /// First minute after.
    pub to: u16,
}

impl DayHours {
    /// Whether a minute of the day lies within.
    pub const fn holds(self, minute: u16) -> bool {
        self.from <= minute && minute < self.to
    }
}

/// A rule pack that contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RulePackError {
    /// A time zone that does not exist.
    #[error("utc_offset_minutes must be between -720 and 840")]
    Offset,
    /// A list that is not in ascending order, or names something twice.
    #[error("{0} must be in ascending order, nothing twice")]
    Order(&'static str),
    /// Hours that are none.
    #[error("{0} must go from an earlier to a later minute of one day (at most 1440)")]
    Hours(&'static str),
    /// Shares that are not a whole.
    #[error("the shares of each guarantee scheme must add up to 10000, the largest first")]
    Shares,
}

impl RulePack {
    /// Checks what the pack says against itself. Whoever puts one into force calls this first.
    ///
    /// # Errors
    /// [`RulePackError`], the first thing wrong.
    pub fn check(&self) -> Result<(), RulePackError> {
        if !(-720..=840).contains(&self.utc_offset_minutes) {
            return Err(RulePackError::Offset);
        }
        if !self.lpr_one_year.is_sorted_by(|a, b| a.from < b.from) {
            return Err(RulePackError::Order("lpr_one_year"));
        }
        if !self.rate_caps.is_sorted_by(|a, b| (a.class, a.from) < (b.class, b.from)) {
            return Err(RulePackError::Order("rate_caps"));
        }
        if !self.guarantee_schemes.is_sorted_by(|a, b| a.code < b.code) {
            return Err(RulePackError::Order("guarantee_schemes"));
        }
        for (name, hours) in
            [("collection.hours", self.collection.hours), ("work_hours", self.work_hours)]
        {
            if hours.from >= hours.to || hours.to > 1_440 {
                return Err(RulePackError::Hours(name));
            }
        }
        for scheme in &self.guarantee_schemes {
            let sum: u32 = scheme.shares.iter().map(|share| u32::from(share.get())).sum();
            let sorted = scheme.shares.is_sorted_by(|a, b| a >= b);
            if sum != u32::from(Bp::WHOLE.get()) || !sorted {
                return Err(RulePackError::Shares);
            }
        }
        Ok(())
    }

    /// The one-year loan prime rate on a day; `None` before the series begins.
    pub fn lpr_on(&self, day: Date) -> Option<Rate> {
        self.lpr_one_year.iter().rev().find(|point| point.from <= day).map(|point| point.rate)
    }

    /// The cap on the yearly cost of a loan that a lender of `class` signed on a day; `None` where
    /// there is none.
    pub fn rate_cap(&self, class: LenderClass, signed_on: Date) -> Option<Rate> {
        let in_force = |cap: &&RateCap| cap.class == class && cap.from <= signed_on;
        match self.rate_caps.iter().rev().find(in_force)?.cap {
            Cap::Fixed(rate) => Some(rate),
            Cap::LprPercent(percent) => {
                let rate = u64::from(self.lpr_on(signed_on)?.0) * u64::from(percent) / 100;
                Some(Rate(u32::try_from(rate).unwrap_or(u32::MAX)))
            }
        }
    }

    /// The scheme of a code.
    pub fn scheme(&self, code: &str) -> Option<&GuaranteeScheme> {
        self.guarantee_schemes.iter().find(|scheme| &*scheme.code == code)
    }
}

#[cfg(test)]
mod tests;
