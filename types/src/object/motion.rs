//! A motion and its ballots as an object of the state.

use crate::{
    Height, List, Timestamp, ValidatorSet, body::Change, limits, outcome::Code, record::RecordId,
};
use serde::{Deserialize, Serialize};

/// A motion: what it would change, who voted how, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Motion {
    /// What it changes.
    pub change: Change,
    /// From which height on; the next one if the approval comes later.
    pub from: Height,
    /// Ballots after this time do not count.
    pub closes_at: Timestamp,
    /// The epoch whose validators' institutions vote on it. It lapses with that epoch.
    pub epoch: u32,
    /// The ballots, by the voters' places in the validator set: for, against, or none yet.
    pub ballots: List<Option<bool>, { limits::VALIDATORS }>,
    /// For a change of the validator set: how many voters see each validator of the new set running.
    pub seen: List<u16, { limits::VALIDATORS }>,
    /// What became of it.
    pub status: MotionStatus,
}

impl Motion {
    /// How many voted so.
    pub fn count(&self, approve: bool) -> usize {
        self.ballots.iter().filter(|ballot| **ballot == Some(approve)).count()
    }

    /// How many members of the new set are seen running by so many voters that one of them is honest.
    pub fn live(&self, electorate: &ValidatorSet) -> usize {
        let more_than = electorate.faulty();
        self.seen.iter().filter(|seen| usize::from(**seen) > more_than).count()
    }
}

/// What became of a motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MotionStatus {
    /// Ballots are being cast.
    Open,
    /// A quorum approved it: in force from this height on.
    Approved {
        /// The first height.
        from: Height,
        /// The ballot that made the quorum.
        by: RecordId,
    },
    /// It can not come into force any more.
    Refused {
        /// Why.
        code: Code,
    },
}

impl MotionStatus {
    /// The label of reports, in Chinese and in English.
    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("表决中", "open"),
            Self::Approved { .. } => ("已通过", "approved"),
            Self::Refused { .. } => ("未通过", "refused"),
        }
    }
}
