//! The numbers that every node of a chain shares, and how they must fit each other.

use crate::limits;
use probata_types::{Millis, limits as types};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive};

use Relation::{AtLeast, LessThan, MoreThan};

/// Parameters that do not fit. Values are in the unit of their field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// A value out of its range.
    #[error("parameters.{field} is {value} and must be between {min} and {max}: {why}")]
    Range {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// Smallest value allowed.
        min: u64,
        /// Largest value allowed.
        max: u64,
        /// What a value out of range would do.
        why: &'static str,
    },
    /// A value that does not fit another.
    #[error(
        "parameters.{field} is {value} and must be {relation} parameters.{other}, which is \
         {other_value}: {why}"
    )]
    Relation {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What it must be to the other.
        relation: Relation,
        /// The other field.
        other: &'static str,
        /// Its value.
        other_value: u64,
        /// What such values would do.
        why: &'static str,
    },
}

/// What all nodes of a chain share. All times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Heights after which leadership passes to the next validator, though nothing is wrong.
    /// Rotation spreads the load and lets no leader choose the order for ever; each turn costs
    /// nothing. 0: a leader stays until it fails.
    pub rotation: u64,
    /// How long validators wait for a height with work to be sealed before they leave the view. Too
    /// short, and a slow disk or link changes leaders all the time; too long, and that is how long
    /// a dead leader stalls the chain.
    pub view_timeout: Millis,
    /// The view timeout doubles after each view that failed, up to this. It bounds how long the
    /// chain needs to go on after a long cut of the network.
    pub view_timeout_cap: Millis,
    /// How often a validator repeats its last messages while a height is open. Messages may be
    /// lost, and only repetition makes up for it. Several repetitions must fit in a view.
    pub retransmit: Millis,
    /// How long a chain without work stays silent before it seals an empty block, which shows that
    /// it lives and gives old records a fresh seal. Each such block is kept for ever, so not too
    /// often.
    pub heartbeat: Millis,
    /// How long a leader with work waits for more before it proposes, if the block before held several
    /// submissions; a lone one is proposed at once. 0 gives the smallest delay; more gives fuller
    /// blocks and fewer syncs of the disk.
    pub batch_delay: Millis,
    /// How far the clocks of two honest validators may differ. With `message_delay` it bounds the
    /// distance between a block's time and the clocks of those who voted for it, so it is part of
    /// what a court reads.
    pub precision: Millis,
    /// How long a proposal may travel. A validator accepts a block time that is at most `precision`
    /// and `message_delay` together away from its own clock.
    pub message_delay: Millis,
    /// How long a submission may wait while the leader seals others before validators hold the
    /// leader for a censor and leave its view.
    pub inclusion_deadline: Millis,
    /// How long after it was made a submission may at most ask to be valid. A submission that
    /// expires will never be sealed, so whoever sent it knows where it stands; and replays need not
    /// be remembered for ever.
    pub max_submission_lifetime: Millis,
    /// Bytes of one proposal. Larger ones carry more records a second, and take longer to reach
    /// everybody.
    pub max_proposal_bytes: u64,
    /// Records of one proposal. It bounds the time to execute one, which every validator must do
    /// within the view timeout.
    pub max_proposal_records: u64,
    /// Submissions of one institution that a node holds while they wait to be sealed. An
    /// institution that floods the chain fills its own share and nobody else's.
    pub pending_per_institution: u64,
}

impl Parameters {
    /// What suits a consortium across data centres; `networks/consortium.toml` has the same.
    pub const fn recommended() -> Self {
        Self {
            rotation: 64,
            view_timeout: Millis::new(1_000),
            view_timeout_cap: Millis::new(60_000),
            retransmit: Millis::new(250),
            heartbeat: Millis::new(600_000),
            batch_delay: Millis::new(5),
            precision: Millis::new(500),
            message_delay: Millis::new(2_000),
            inclusion_deadline: Millis::new(5_000),
            max_submission_lifetime: Millis::new(24 * 60 * 60 * 1_000),
            max_proposal_bytes: 4 * 1_024 * 1_024,
            max_proposal_records: 16_384,
            pending_per_institution: 1_024,
        }
    }

    /// Checks each value and how they fit each other.
    ///
    /// # Errors
    /// [`ParameterError`] for the first value that does not fit.
    pub fn check(&self) -> Result<(), ParameterError> {
        self.check_times()?;
        self.check_amounts()?;
        self.check_relations()
    }

    fn check_times(&self) -> Result<(), ParameterError> {
        let timeout = limits::VIEW_TIMEOUT_MIN..=limits::VIEW_TIMEOUT_CAP_MAX;
        let wait = 1..=limits::VIEW_TIMEOUT_CAP_MAX;
        let clock = 1..=limits::CLOCK_MAX;
        let lifetime = 1..=limits::SUBMISSION_LIFETIME_MAX;
        let short =
            "a shorter view ends before an honest leader is done, a longer one stops the chain";
        let life = "submissions must have time, and replays are remembered that long";
        within(&timeout, "view_timeout", self.view_timeout.get(), short)?;
        within(&timeout, "view_timeout_cap", self.view_timeout_cap.get(), short)?;
        within(&wait, "retransmit", self.retransmit.get(), "0 would send without pause")?;
        within(
            &(1..=limits::HEARTBEAT_MAX),
            "heartbeat",
            self.heartbeat.get(),
            "0 would seal without pause, and long silence cannot be told from failure",
        )?;
        within(&clock, "precision", self.precision.get(), "no two clocks are quite equal")?;
        within(&clock, "message_delay", self.message_delay.get(), "every message takes some time")?;
        within(&lifetime, "inclusion_deadline", self.inclusion_deadline.get(), life)?;
        within(&lifetime, "max_submission_lifetime", self.max_submission_lifetime.get(), life)
    }

    fn check_amounts(&self) -> Result<(), ParameterError> {
        let rotation = 0..=limits::ROTATION_MAX;
        let bytes = limits::PROPOSAL_BYTES_MIN as u64..=types::PROPOSAL_BYTES as u64;
        let records = types::RECORDS_PER_SUBMISSION as u64..=types::RECORDS_PER_PROPOSAL as u64;
        let pending = 1..=limits::PENDING_MAX;
        let fit =
            "the largest submission must fit, and a block in memory and in a frame of the mesh";
        let share = "each institution must be heard, and none fill the memory";
        within(&rotation, "rotation", self.rotation, "a longer turn is 0, no rotation")?;
        within(&bytes, "max_proposal_bytes", self.max_proposal_bytes, fit)?;
        within(&records, "max_proposal_records", self.max_proposal_records, fit)?;
        within(&pending, "pending_per_institution", self.pending_per_institution, share)
    }

    fn check_relations(&self) -> Result<(), ParameterError> {
        let view_timeout = ("view_timeout", self.view_timeout);
        let cap = ("view_timeout_cap", self.view_timeout_cap);
        let retransmit = ("retransmit", self.retransmit);
        let batch_delay = ("batch_delay", self.batch_delay);
        let heartbeat = ("heartbeat", self.heartbeat);
        let message_delay = ("message_delay", self.message_delay);
        let deadline = ("inclusion_deadline", self.inclusion_deadline);
        let lifetime = ("max_submission_lifetime", self.max_submission_lifetime);
        let repeat = "a lost message would end the view before it is repeated";
        fits(cap, AtLeast, view_timeout, "timeouts start there and double")?;
        fits(cap, AtLeast, message_delay, "no view would last until its messages arrive")?;
        fits(retransmit, LessThan, view_timeout, repeat)?;
        fits(batch_delay, LessThan, view_timeout, "a waiting leader would be deposed")?;
        fits(heartbeat, MoreThan, batch_delay, "an idle chain would be busier than a busy one")?;
        fits(deadline, MoreThan, view_timeout, "an honest leader would pass for a censor")?;
        fits(lifetime, MoreThan, deadline, "a censor could let every submission expire")
    }
}

/// How a value must stand to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Below it.
    LessThan,
    /// Above it.
    MoreThan,
    /// Not below it.
    AtLeast,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LessThan => "less than",
            MoreThan => "more than",
            AtLeast => "at least",
        })
    }
}

fn within(
    range: &RangeInclusive<u64>,
    field: &'static str,
    value: u64,
    why: &'static str,
) -> Result<(), ParameterError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(ParameterError::Range { field, value, min: *range.start(), max: *range.end(), why })
}

type Field = (&'static str, Millis);

fn fits(
    (field, value): Field,
    relation: Relation,
    (other, other_value): Field,
    why: &'static str,
) -> Result<(), ParameterError> {
    let holds = match relation {
        LessThan => value < other_value,
        MoreThan => value > other_value,
        AtLeast => value >= other_value,
    };
    if holds {
        return Ok(());
    }
    let (value, other_value) = (value.get(), other_value.get());
    Err(ParameterError::Relation { field, value, relation, other, other_value, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recommended_parameters_fit() {
        assert_eq!(Parameters::recommended().check(), Ok(()));
    }

    /// Sets one field of the recommended parameters by its JSON name.
    fn with(field: &str, value: u64) -> Parameters {
        let mut json = serde_json::to_value(Parameters::recommended()).unwrap();
        assert!(json.get(field).is_some(), "{field}");
        json[field] = value.into();
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let max = types::MAX_SAFE_INTEGER;
        let cases = [
            ("rotation", max),
            ("view_timeout", 0),
            ("view_timeout", max),
            ("view_timeout_cap", max),
            ("retransmit", 0),
            ("heartbeat", 0),
            ("heartbeat", max),
            ("precision", 0),
            ("precision", max),
            ("message_delay", 0),
            ("message_delay", max),
            ("inclusion_deadline", 0),
            ("inclusion_deadline", max),
            ("max_submission_lifetime", 0),
            ("max_submission_lifetime", max),
            ("max_proposal_bytes", types::SUBMISSION_BYTES as u64),
            ("max_proposal_bytes", types::PROPOSAL_BYTES as u64 + 1),
            ("max_proposal_records", types::RECORDS_PER_SUBMISSION as u64 - 1),
            ("max_proposal_records", types::RECORDS_PER_PROPOSAL as u64 + 1),
            ("pending_per_institution", 0),
            ("pending_per_institution", max),
        ];
        for (name, bad) in cases {
            match with(name, bad).check() {
                Err(ParameterError::Range { field, value, .. }) => {
                    assert_eq!((field, value), (name, bad));
                }
                other => panic!("{name} = {bad}: {other:?}"),
            }
        }
    }

    #[test]
    fn values_that_do_not_fit_each_other_are_named() {
        let cases = [
            ("view_timeout_cap", 999, "view_timeout", 1_000),
            ("view_timeout_cap", 1_999, "message_delay", 2_000),
            ("retransmit", 1_000, "view_timeout", 1_000),
            ("batch_delay", 1_000, "view_timeout", 1_000),
            ("heartbeat", 5, "batch_delay", 5),
            ("inclusion_deadline", 1_000, "view_timeout", 1_000),
            ("max_submission_lifetime", 5_000, "inclusion_deadline", 5_000),
        ];
        for (name, bad, other_name, its_value) in cases {
            match with(name, bad).check() {
                Err(ParameterError::Relation { field, value, other, other_value, .. }) => {
                    assert_eq!(
                        (field, value, other, other_value),
                        (name, bad, other_name, its_value)
                    );
                }
                other => panic!("{name} = {bad}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let mut json = serde_json::to_value(Parameters::recommended()).unwrap();
        json["gas"] = 1.into();
        assert!(serde_json::from_value::<Parameters>(json).is_err());
    }
}
