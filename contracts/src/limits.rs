//! The bounds of judging, each with its unit and its reason.

use probata_types::Millis;

/// How far a submission may be dated after its block, and an event after its submission: clocks of
/// institutions and validators are kept by NTP, which is off by far less.
pub(crate) const CLOCK_TOLERANCE: Millis = Millis::new(5_000);
/// Instalments of a schedule that is only outlined: forty years by the month. Bounds the time that
/// recomputing the yearly cost may take.
pub(crate) const OUTLINE_TERMS: u16 = 480;
/// Months between the instalments of an outlined schedule.
pub(crate) const OUTLINE_MONTHS: u8 = 12;
/// Steps into which a day's discount factor is told between one half and one: a millionth of a yearly rate is some
/// ten thousand of them.
pub(crate) const APR_GRID: u64 = 1 << 42;
/// Data security levels of JR/T 0197-2020.
pub(crate) const SECURITY_LEVELS: std::ops::RangeInclusive<u8> = 1..=5;
/// Heights that a motion may look ahead, and that a revoked key may stay valid: eleven days of a block
/// each second. A scheduled validator set stands in the way of any other, and what was seen running
/// when it was approved is no news by then.
pub(crate) const HEIGHTS_AHEAD: u64 = 1_000_000;
/// The first two digits of GB/T 2260 codes in use.
pub(crate) const PROVINCES: std::ops::RangeInclusive<u8> = 11..=82;
