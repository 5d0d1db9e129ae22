//! The shapes of load that are measured.

use clap::ValueEnum;
use std::time::Duration;

/// How long the network is loaded before anything counts: caches fill, and loans get out of step.
const WARM_UP: Duration = Duration::from_secs(5);
/// A run that ends with its records, not with its time, ends with it all the same.
const A_DAY: u64 = 24 * 3_600;
/// Time between two restarts of a soak.
const RESTART_EVERY: Duration = Duration::from_secs(180);

/// A shape of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// One record in each submission: what a lender's system sends as it happens.
    Single,
    /// A hundred records in each: what a lender's system sends at the end of a batch.
    Hundred,
    /// A hundred records in each, 10,000 records a second, and the leader killed in the middle: the end of a quarter.
    QuarterEnd,
    /// One record in each, 200 a second for 45 minutes, and a node restarted every three minutes: whether anything grows.
    Soak,
    /// A hundred records in each, until ten million are there; then how the network answers, restarts and takes in
    /// a node.
    Grow,
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
    /// How long before anything counts.
    pub(super) warm_up: Duration,
    /// For how long, after the network is warm.
    pub(super) length: Duration,
    /// No more records than these are sent, if there are any.
    pub(super) most_records: Option<u64>,
    /// When the leader is killed, if it is.
    pub(super) leader_killed_at: Option<Duration>,
    /// How often a node is restarted, each in its turn, if any is.
    pub(super) restart_every: Option<Duration>,
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
            Self::Soak => (1, Pace::Open(200), 2_700),
            Self::Grow => (100, Pace::Closed(32), A_DAY),
        };
        Plan {
            records,
            pace,
            warm_up: WARM_UP,
            length: Duration::from_secs(seconds),
            most_records: None,
            leader_killed_at: None,
            restart_every: if matches!(self, Self::Soak) { Some(RESTART_EVERY) } else { None },
        }
    }
}
