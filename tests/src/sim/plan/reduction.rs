//! What is taken out of a world, to see whether it still fails without.

use super::{Plan, Trouble};
use crate::sim::{
    clock::Clock,
    network::{Latency, Weather},
};
use probata_types::Millis;
use std::{collections::BTreeSet, fmt};

/// Kinds of misfortune that can be taken out of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Family {
    /// Messages are lost.
    Loss,
    /// Messages arrive twice.
    Repeats,
    /// Messages arrive with a changed bit.
    Changes,
    /// Messages overtake each other.
    Reordering,
    /// Messages take other times than 5 ms.
    Latency,
    /// Nodes are cut off from each other.
    Cuts,
    /// Nodes lose power.
    Crashes,
    /// Disks fail.
    Disks,
    /// Nodes are stopped in an orderly way.
    Stops,
    /// Nodes do nothing for a while.
    Freezes,
    /// Clocks differ, drift and jump.
    Clocks,
    /// Validators lie.
    Liars,
    /// The consortium changes.
    Governance,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Loss,
        Self::Repeats,
        Self::Changes,
        Self::Reordering,
        Self::Latency,
        Self::Cuts,
        Self::Crashes,
        Self::Disks,
        Self::Stops,
        Self::Freezes,
        Self::Clocks,
        Self::Liars,
        Self::Governance,
    ];
}

/// What is taken out of the world that a seed draws.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Reduction {
    /// Draw a committee of so many validators.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(4..=29))]
    pub nodes: Option<u16>,
    /// Take out whole kinds of misfortune.
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    pub without: Vec<Family>,
    /// Let these liars tell the truth.
    #[arg(long, value_name = "NODE,…", value_delimiter = ',')]
    pub honest: Vec<usize>,
    /// Keep these troubles only, by the numbers that the trace shows in brackets.
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',')]
    pub only: Vec<usize>,
    /// End the bad time, with all that goes wrong in it, after so many milliseconds.
    #[arg(long, value_name = "MS")]
    pub length: Option<u64>,
}

impl Reduction {
    pub(super) fn apply(&self, plan: &mut Plan) {
        for family in &self.without {
            take_out(*family, plan);
        }
        plan.liars.retain(|node, _| !self.honest.contains(node));
        let only: BTreeSet<usize> = self.only.iter().copied().collect();
        plan.troubles.retain(|planned| only.is_empty() || only.contains(&planned.number));
        if let Some(length) = self.length {
            plan.length = plan.length.min(Millis::new(length));
            plan.troubles.retain(|planned| planned.at < plan.length);
        }
    }
}

fn take_out(family: Family, plan: &mut Plan) {
    let Weather { latency, loss, repeat, change, ordered } = &mut plan.weather;
    match family {
        Family::Loss => *loss = 0,
        Family::Repeats => *repeat = 0,
        Family::Changes => *change = 0,
        Family::Reordering => *ordered = true,
        Family::Latency => *latency = Latency::Constant(5),
        Family::Liars => plan.liars.clear(),
        Family::Clocks => {
            plan.clocks.fill(Clock::RIGHT);
            plan.off.clear();
        }
        _ => {}
    }
    plan.troubles.retain(|planned| family_of(&planned.trouble) != Some(family));
}

/// The kind of a trouble; `None` for work.
const fn family_of(trouble: &Trouble) -> Option<Family> {
    match trouble {
        Trouble::Submit { .. } => None,
        Trouble::Crash { .. } => Some(Family::Crashes),
        Trouble::Break { .. } => Some(Family::Disks),
        Trouble::Stop { .. } => Some(Family::Stops),
        Trouble::Freeze { .. } => Some(Family::Freezes),
        Trouble::Cut { .. } | Trouble::Witness { .. } => Some(Family::Cuts),
        Trouble::Jump { .. } => Some(Family::Clocks),
        Trouble::Motion(_) => Some(Family::Governance),
    }
}

/// As the options of the command.
impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: ToString>(
            f: &mut fmt::Formatter<'_>,
            option: &str,
            items: impl Iterator<Item = T>,
        ) -> fmt::Result {
            let items: Vec<String> = items.map(|item| item.to_string()).collect();
            if items.is_empty() { Ok(()) } else { write!(f, " --{option} {}", items.join(",")) }
        }
        let name = |family: &Family| format!("{family:?}").to_lowercase();
        list(f, "nodes", self.nodes.iter())?;
        list(f, "without", self.without.iter().map(name))?;
        list(f, "honest", self.honest.iter())?;
        list(f, "only", self.only.iter())?;
        list(f, "length", self.length.iter())
    }
}
