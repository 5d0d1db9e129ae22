//! The shapes of load that are measured.

use clap::ValueEnum;
use std::time::Duration;

/// A shape of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// One record in each submission: what a lender's system sends as it happens.
    Single,
    /// A hundred records in each: what a lender's system sends at the end of a batch.
    Hundred,
    /// A hundred records in each, 10,000 records a second, and the leader killed in the middle: the end of a quarter.
    QuarterEnd,
}

/// How submissions are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// So many submissions a second, whatever becomes of them: an open loop. Latency counts from when a submission
    /// was due, not from when it could be sent, so that a stall is not left out (coordinated omission).
    Open(u64),
    /// So many on their way at once, each followed by the next: a closed loop, for the ceiling.
    Closed(usize),
}

/// What is done to a network while it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Records of each submission.
    pub(super) records: usize,
    /// How they are sent.
    pub(super) pace: Pace,
    /// For how long, after the network is warm.
    pub(super) length: Duration,
    /// Whether the leader is killed in the middle.
    pub(super) leader_killed: bool,
}

impl Profile {
    /// Its name.
    pub(super) fn name(self) -> String {
        self.to_possible_value().expect("no profile is skipped").get_name().to_owned()
    }

    /// What it does by itself.
    pub(super) const fn plan(self) -> Plan {
        let (records, pace, seconds) = match self {
            Self::Single => (1, Pace::Closed(256), 60),
            Self::Hundred => (100, Pace::Closed(32), 60),
            Self::QuarterEnd => (100, Pace::Open(100), 600),
        };
        let length = Duration::from_secs(seconds);
        Plan { records, pace, length, leader_killed: matches!(self, Self::QuarterEnd) }
    }
}
