//! What came of a world.

use super::liars::Lie;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// Whether the chain held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that must not be was, and the chain went on when it could.
    Pass,
    /// Something happened that must never happen.
    Diverged(String),
    /// After everything was healed the chain did not go on in time.
    NoProgress(String),
    /// A chain panicked.
    Panicked(String),
}

impl Verdict {
    /// Whether it is [`Verdict::Pass`].
    pub const fn is_pass(&self) -> bool {
        matches!(self, Self::Pass)
    }

    /// Its kind and place among all kinds.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Diverged(_) => "Diverged",
            Self::NoProgress(_) => "NoProgress",
            Self::Panicked(_) => "Panicked",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("Pass"),
            Self::Diverged(why) | Self::NoProgress(why) | Self::Panicked(why) => {
                write!(f, "{}: {why}", self.name())
            }
        }
    }
}

/// What happened in worlds, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    counted: BTreeMap<&'static str, u64>,
    liars: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Counts one more.
    pub(super) fn one(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    pub(super) fn add(&mut self, what: &'static str, more: u64) {
        *self.counted.entry(what).or_default() += more;
    }

    pub(super) fn liar(&mut self, lie: Lie) {
        *self.liars.entry(lie.name()).or_default() += 1;
    }

    /// How often something happened.
    pub fn of(&self, what: &str) -> u64 {
        self.counted.get(what).copied().unwrap_or_default()
    }

    /// How many liars of a kind there were.
    pub fn liars_of(&self, lie: Lie) -> u64 {
        self.liars.get(lie.name()).copied().unwrap_or_default()
    }

    /// Adds what happened in another world.
    pub fn take_in(&mut self, other: &Self) {
        for (what, count) in &other.counted {
            *self.counted.entry(what).or_default() += count;
        }
        for (what, count) in &other.liars {
            *self.liars.entry(what).or_default() += count;
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counted {
            writeln!(f, "  {count:>9}  {what}")?;
        }
        let liars: Vec<String> =
            self.liars.iter().map(|(lie, count)| format!("{count} {lie}")).collect();
        if liars.is_empty() { Ok(()) } else { writeln!(f, "  liars: {}", liars.join(", ")) }
    }
}

/// What came of one seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Whether the chain held.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The hash of everything that happened.
    pub hash: String,
    /// How many things happened.
    pub events: u64,
    /// Milliseconds that passed in the world.
    pub passed: u64,
    /// What happened, counted.
    pub counts: Counts,
}
