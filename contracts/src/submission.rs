//! What holds for a whole submission: who sends it, with which key, and when.

use crate::limits;
use probata_types::{
    Height, Submission, SubmissionHead, Timestamp,
    catalogue::{self, failure},
    epoch,
    outcome::Code,
    state::{InstitutionState, StateError, StateKey, StateRead, StateValue},
};
use std::fmt;

/// Why every record of a submission is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// The failure; its texts are in [`probata_types::catalogue`].
    pub code: Code,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = catalogue::entry(self.code).expect("rejections carry codes of the catalogue");
        write!(f, "{}: {}", entry.name, entry.en)
    }
}

impl std::error::Error for Rejection {}

/// Whether a submission would be judged at all in a block of this height and time. A cheap check
/// for the edge of a node; [`crate::execute`] makes the same one with the block's own height and
/// time.
///
/// # Errors
/// [`StateError`] if the state cannot be read.
pub fn admit(
    submission: &Submission,
    state: &dyn StateRead,
    height: Height,
    time: Timestamp,
) -> Result<Result<(), Rejection>, StateError> {
    let head = &submission.head;
    let institution = match state.get(&StateKey::Institution(head.institution))? {
        Some(StateValue::Institution(institution)) => Some(institution),
        Some(_) => return Err(crate::overlay::wrong_kind("institution")),
        None => None,
    };
    check(head, institution.as_ref(), state, (height, time))
}

/// H1 and the submission's part of H5.
pub(crate) fn check(
    head: &SubmissionHead,
    institution: Option<&InstitutionState>,
    state: &dyn StateRead,
    (height, time): (Height, Timestamp),
) -> Result<Result<(), Rejection>, StateError> {
    let reject = |code| Ok(Err(Rejection { code }));
    let Some(institution) = institution else {
        return reject(failure::UNKNOWN_INSTITUTION);
    };
    if !institution.is_active(height) {
        return reject(failure::INSTITUTION_INACTIVE);
    }
    if !institution.key_is_valid(&head.key, height) && !is_validator(head, state)? {
        return reject(failure::KEY_NOT_VALID);
    }
    if time > head.expires_at {
        return reject(failure::EXPIRED);
    }
    if head.submitted_at > time.after(limits::CLOCK_TOLERANCE) {
        return reject(failure::SUBMITTED_IN_FUTURE);
    }
    Ok(Ok(()))
}

/// Whether the key is the one that votes for the institution: with it, a node reports faults.
fn is_validator(head: &SubmissionHead, state: &dyn StateRead) -> Result<bool, StateError> {
    let set = epoch::next(state)?.set;
    let seat = set.position_of(&head.key).and_then(|index| set.get(index));
    Ok(seat.is_some_and(|seat| seat.institution == head.institution))
}
