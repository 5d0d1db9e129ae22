//! Numbers with their unit in the type. None converts from a bare integer silently.
//!
//! All are at most 2^53 - 1 in magnitude, so that a JSON reader of any language keeps them exact.

use crate::limits::MAX_SAFE_INTEGER;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A number outside the range that its type allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("number out of range: {what} must be between {min} and {max}")]
pub struct RangeError {
    /// The type's name.
    pub what: &'static str,
    /// Smallest value allowed.
    pub min: i64,
    /// Largest value allowed.
    pub max: i64,
}

macro_rules! counter {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);
            /// The largest value: 2^53 - 1.
            pub const MAX: Self = Self(MAX_SAFE_INTEGER);

            /// Wraps a number.
            ///
            /// # Panics
            /// If it is above 2^53 - 1; numbers from outside come through `serde`, which refuses.
            pub const fn new(value: u64) -> Self {
                assert!(value <= MAX_SAFE_INTEGER, "number above 2^53 - 1");
                Self(value)
            }

            /// The bare number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The next one.
            pub const fn next(self) -> Self {
                Self::new(self.0 + 1)
            }

            /// The one before, or `None` at zero.
            pub const fn previous(self) -> Option<Self> {
                match self.0 {
                    0 => None,
                    value => Some(Self(value - 1)),
                }
            }

            /// Adds, staying at [`Self::MAX`] on overflow.
            pub const fn saturating_add(self, more: u64) -> Self {
                let sum = self.0.saturating_add(more);
                Self(if sum > MAX_SAFE_INTEGER { MAX_SAFE_INTEGER } else { sum })
            }

            /// The distance down to `earlier`, zero if it is not earlier.
            pub const fn since(self, earlier: Self) -> u64 {
                self.0.saturating_sub(earlier.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = u64::deserialize(deserializer)?;
                if value > MAX_SAFE_INTEGER {
                    return Err(serde::de::Error::custom(RangeError {
                        what: stringify!($name),
                        min: 0,
                        max: MAX_SAFE_INTEGER.cast_signed(),
                    }));
                }
                Ok(Self(value))
            }
        }
    };
}

counter! {
    /// The position of a block in the chain; the first sealed block has height 1, genesis stands at
    /// 0.
    Height
}
counter! {
    /// A round of leadership. Global: it does not fall back at a new height.
    View
}
counter! {
    /// A position in a list or tree, from 0.
    Index
}
counter! {
    /// A length of time in milliseconds.
    Millis
}
counter! {
    /// A point in time: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp
}

impl Timestamp {
    /// This point and a length of time after it.
    pub const fn after(self, length: Millis) -> Self {
        self.saturating_add(length.0)
    }

    /// The calendar day of this point in a zone `offset_minutes` east of UTC.
    pub fn date(self, offset_minutes: i32) -> Date {
        let millis = self.0.cast_signed() + i64::from(offset_minutes) * 60_000;
        Date(i32::try_from(millis.div_euclid(86_400_000)).expect("2^53 ms is below 2^31 days"))
    }
}

/// The two clocks of a machine: timers run on the monotonic one, block times come from the wall.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since some start; never falls.
    pub monotonic: Millis,
    /// Wall-clock time; may jump.
    pub wall: Timestamp,
}

/// Money in 1/100 of the record's currency unit (fen for CNY). Between -(2^53 - 1) and 2^53 - 1.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount, if it is in range.
    pub const fn new(value: i64) -> Option<Self> {
        if value.unsigned_abs() > MAX_SAFE_INTEGER { None } else { Some(Self(value)) }
    }

    /// The bare number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` out of range.
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Self::new(sum),
            None => None,
        }
    }

    /// The difference, or `None` out of range.
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Self::new(difference),
            None => None,
        }
    }

    /// The sum of many, or `None` out of range.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let value = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", value / 100, value % 100)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let max = MAX_SAFE_INTEGER.cast_signed();
        Self::new(i64::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom(RangeError { what: "Fen", min: -max, max }))
    }
}

/// A yearly rate in millionths: 1 = 0.0001 %.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Rate(pub u32);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}%", self.0 / 10_000, self.0 % 10_000)
    }
}

/// A share in basis points: 0 to 10,000.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bp(u16);

impl Bp {
    /// The whole.
    pub const WHOLE: Self = Self(10_000);

    /// A share, if it is at most the whole.
    pub const fn new(value: u16) -> Option<Self> {
        if value > 10_000 { None } else { Some(Self(value)) }
    }

    /// The bare number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Bp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u16::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom(RangeError { what: "Bp", min: 0, max: 10_000 }))
    }
}

/// A calendar day: days since 1970-01-01.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Date(pub i32);

impl Date {
    /// Year, month and day in the proleptic Gregorian calendar.
    /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    pub fn civil(self) -> (i64, u8, u8) {
        let shifted = i64::from(self.0) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |n: i64| u8::try_from(n).expect("months and days are below 32");
        (year, small(month), small(day))
    }

    /// The day of a year, month and day in the proleptic Gregorian calendar; `None` if there is no
    /// such day. Source: H. Hinnant, as above, `days_from_civil`.
    pub fn from_civil(year: i64, month: u8, day: u8) -> Option<Self> {
        if !(-400_000..=400_000).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        let (month, day) = (i64::from(month), i64::from(day));
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self(i32::try_from(era * 146_097 + day_of_era - 719_468).ok()?);
        let (y, m, d) = date.civil();
        ((y, i64::from(m), i64::from(d)) == (year, month, day)).then_some(date)
    }

    /// The same day of the month `months` later (or earlier), or that month's last day if it is
    /// shorter. Stays at this day where the calendar of the type ends.
    pub fn plus_months(self, months: i32) -> Self {
        let (year, month, day) = self.civil();
        let total = year * 12 + i64::from(month) - 1 + i64::from(months);
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        let month = u8::try_from(month).expect("1 to 12");
        (1..=day).rev().find_map(|day| Self::from_civil(year, month, day)).unwrap_or(self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_go_both_ways() {
        for day in (-800_000..800_000).step_by(13) {
            let (year, month, of_month) = Date(day).civil();
            assert_eq!(Date::from_civil(year, month, of_month), Some(Date(day)));
        }
        assert_eq!(Date::from_civil(1970, 1, 1), Some(Date(0)));
        assert_eq!(Date::from_civil(2025, 2, 29), None);
        assert_eq!(Date::from_civil(2025, 13, 1), None);
        assert_eq!(Date::from_civil(i64::MAX, 1, 1), None);
    }

    #[test]
    fn months_end_where_they_end() {
        let day = |y, m, d| Date::from_civil(y, m, d).unwrap();
        assert_eq!(day(2024, 1, 31).plus_months(1), day(2024, 2, 29));
        assert_eq!(day(2025, 1, 31).plus_months(1), day(2025, 2, 28));
        assert_eq!(day(2025, 11, 15).plus_months(14), day(2027, 1, 15));
        assert_eq!(day(2025, 3, 31).plus_months(-1), day(2025, 2, 28));
        assert_eq!(Date(i32::MAX).plus_months(i32::MAX), Date(i32::MAX));
    }
}
