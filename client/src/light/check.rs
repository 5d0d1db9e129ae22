//! The named predicates, and what each answered.

use super::verdict::{Level, Missing};
use serde::Serialize;
use std::fmt::Display;

/// One check of the examination, with its own line in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The predicate's name; stable.
    pub predicate: String,
    /// The level that needs it; none for documents, disclosures and second sources.
    pub level: Option<Level>,
    /// The requirement that it serves.
    pub rule: &'static str,
    /// Whether the verdict is indeterminate without it.
    pub required: bool,
    /// What it answered.
    pub status: Status,
    /// What was missing, where it was not present or not run.
    pub missing: Option<Missing>,
    /// What was compared with what.
    pub compared: String,
}

/// What a predicate answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// What it would judge was not there.
    NotPresent,
    /// It could not run, because something before it is missing or failed.
    NotRun,
}

impl Status {
    /// In Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Passed => "通过",
            Self::Failed => "未通过",
            Self::NotPresent => "未提供",
            Self::NotRun => "未执行",
        }
    }

    /// In English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotPresent => "not present",
            Self::NotRun => "not run",
        }
    }
}

/// A predicate that every examination lists, whether it could run or not.
pub(super) struct Predicate {
    pub(super) name: &'static str,
    pub(super) level: Level,
    pub(super) rule: &'static str,
}

macro_rules! predicates {
    ($($constant:ident = $name:literal, $level:ident, $rule:literal;)*) => {
        $(pub(super) const $constant: Predicate =
            Predicate { name: $name, level: Level::$level, rule: $rule };)*
        /// All, in the order of the report.
        pub(super) const PREDICATES: &[Predicate] = &[$($constant),*];
    };
}

predicates! {
    FILE_IS_WELL_FORMED = "file_is_well_formed", E1, "R03";
    SUBMISSION_SIGNATURE = "submission_signature", E1, "R01";
    RECORD_IN_SUBMISSION = "record_in_submission", E1, "R01";
    SUBMISSION_IN_BLOCK = "submission_in_block", E2, "R17";
    OUTCOME_IN_BLOCK = "outcome_in_block", E2, "R17";
    OUTCOME_IS_ACCEPTED = "outcome_is_accepted", E2, "R03";
    SEALED_BEFORE_EXPIRY = "sealed_before_expiry", E2, "R07";
    BLOCK_SEAL = "block_seal", E2, "R13";
    ANCHOR_SEAL = "anchor_seal", E3, "R13";
    HISTORY_PATH = "history_path", E3, "R17";
    CHAIN_IS_THE_GENESIS = "chain_is_the_genesis", E4, "R03";
    VALIDATORS_FOLLOW_FROM_GENESIS = "validators_follow_from_genesis", E4, "R13";
    FLOW_STATE = "flow_state", E5, "R17";
    INSTITUTION_STATE = "institution_state", E5, "R17";
    INSTITUTION_ACTIVE_AT_HEIGHT = "institution_active_at_height", E5, "R19";
    KEY_VALID_AT_HEIGHT = "key_valid_at_height", E5, "R21";
    EVENT_HISTORY_COMPLETE = "event_history_complete", E5, "R11";
}

/// Run where the caller keeps a checkpoint.
pub(super) const AGREES_WITH_CHECKPOINT: Predicate =
    Predicate { name: "agrees_with_checkpoint", level: Level::E4, rule: "R16" };

/// What a predicate answers, with what was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Passed(String),
    Failed(String),
    NotPresent(Missing, String),
    NotRun(Missing, String),
}

impl Answer {
    /// The answer of a check that names what it compared, and why it did not hold.
    pub(super) fn of<E: Display>(compared: String, result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Passed(compared),
            Err(error) => Self::Failed(format!("{compared}: {error}")),
        }
    }

    /// The answer of a plain comparison.
    pub(super) fn that(holds: bool, compared: String) -> Self {
        if holds { Self::Passed(compared) } else { Self::Failed(compared) }
    }

    fn parts(self) -> (Status, Option<Missing>, String) {
        match self {
            Self::Passed(compared) => (Status::Passed, None, compared),
            Self::Failed(compared) => (Status::Failed, None, compared),
            Self::NotPresent(missing, compared) => (Status::NotPresent, Some(missing), compared),
            Self::NotRun(missing, compared) => (Status::NotRun, Some(missing), compared),
        }
    }
}

impl Check {
    /// A check of the table. The verdict needs those up to E4; status and history are more than it
    /// needs.
    pub(super) fn of(predicate: &Predicate, answer: Answer) -> Self {
        let (status, missing, compared) = answer.parts();
        Self {
            predicate: predicate.name.to_owned(),
            level: Some(predicate.level),
            rule: predicate.rule,
            required: predicate.level <= Level::E4,
            status,
            missing,
            compared,
        }
    }

    /// A check on something that the caller or the holder chose to bring.
    pub(super) fn extra(predicate: String, rule: &'static str, answer: Answer) -> Self {
        let (status, missing, compared) = answer.parts();
        Self { predicate, level: None, rule, required: true, status, missing, compared }
    }
}
