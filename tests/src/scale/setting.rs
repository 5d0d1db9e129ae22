//! How many validators, how far apart, under which load.

use super::costs::Costs;
use probata_genesis::Parameters;
use probata_types::limits::SUBMISSIONS_PER_PROPOSAL;
use serde::Serialize;

/// One case that is computed and simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Number of validators.
    pub validators: usize,
    /// Milliseconds from one to another and back.
    pub round_trip_ms: u64,
    /// Records of each submission.
    pub records_per_submission: usize,
    /// What they have to do.
    pub load: Load,
    /// What their machines need for it.
    #[serde(skip)]
    pub costs: Costs,
}

/// What validators have to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// So many records a second, whatever becomes of them, evenly at all validators.
    Offered(u64),
    /// Always more than a block holds: the ceiling.
    Full,
}

impl Setting {
    /// Nanoseconds from one validator to another.
    pub(super) const fn one_way(&self) -> u64 {
        self.round_trip_ms * 1_000_000 / 2
    }

    /// The most submissions in a proposal, if each is of so many bytes.
    pub(super) fn most_submissions(&self, bytes: u64) -> usize {
        let limit = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let parameters = self.parameters();
        let of_bytes = limit(parameters.max_proposal_bytes / bytes);
        let of_records = limit(parameters.max_proposal_records) / self.records_per_submission;
        of_bytes.min(of_records).min(SUBMISSIONS_PER_PROPOSAL)
    }

    /// What genesis says: as recommended.
    pub(super) const fn parameters(&self) -> Parameters {
        Parameters::recommended()
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} validators {} ms apart and back, ", self.validators, self.round_trip_ms)?;
        match self.load {
            Load::Offered(records) => write!(f, "{records} records/s"),
            Load::Full => f.write_str("full blocks"),
        }
    }
}
