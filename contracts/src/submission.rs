//! What holds for a whole submission: who sends it, with which key, and when.

use crate::limits;
use probata_types::{
    Height, InstitutionId, PublicKey, Submission, SubmissionHead, Timestamp,
    catalogue::{self, failure},
    epoch,
    outcome::Code,
    state::{InstitutionState, StateError, StateKey, StateRead, StateValue},
};
use std::{collections::BTreeMap, fmt};

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

/// Whether submissions would be judged at all in a block of one height and time. A cheap check for a node;
/// [`crate::execute`] makes the same one with the block's own height and time. What the state says of a signer
/// is read once, however many submissions it has signed.
pub struct Screening<'a> {
    state: &'a dyn StateRead,
    height: Height,
    time: Timestamp,
    signers: BTreeMap<(InstitutionId, PublicKey), Result<(), Rejection>>,
}

impl<'a> Screening<'a> {
    /// To a block of this height and time.
    pub const fn new(state: &'a dyn StateRead, height: Height, time: Timestamp) -> Self {
        Self { state, height, time, signers: BTreeMap::new() }
    }

    /// Whether a submission would be judged.
    ///
    /// # Errors
    /// [`StateError`] if the state cannot be read.
    pub fn of(&mut self, submission: &Submission) -> Result<Result<(), Rejection>, StateError> {
        let head = &submission.head;
        let signer = (head.institution, head.key);
        let may_sign = match self.signers.get(&signer) {
            Some(known) => *known,
            None => {
                let judged = may_sign(head, self.state, self.height)?;
                self.signers.insert(signer, judged);
                judged
            }
        };
        Ok(may_sign.and_then(|()| check_times(head, self.time)))
    }
}

/// Whether a submission's key may sign for its institution at a height, whatever else is to be said of it
/// (H1): for a node, which holds what is not sealed yet.
///
/// # Errors
/// [`StateError`] if the state cannot be read.
pub fn may_sign(
    head: &SubmissionHead,
    state: &dyn StateRead,
    height: Height,
) -> Result<Result<(), Rejection>, StateError> {
    check_signer(head, institution(head, state)?.as_ref(), state, height)
}

fn institution(
    head: &SubmissionHead,
    state: &dyn StateRead,
) -> Result<Option<InstitutionState>, StateError> {
    match state.get(&StateKey::Institution(head.institution))? {
        Some(StateValue::Institution(institution)) => Ok(Some(institution)),
        Some(_) => Err(crate::overlay::wrong_kind("institution")),
        None => Ok(None),
    }
}

/// H1 and the submission's part of H5.
pub(crate) fn check(
    head: &SubmissionHead,
    institution: Option<&InstitutionState>,
    state: &dyn StateRead,
    (height, time): (Height, Timestamp),
) -> Result<Result<(), Rejection>, StateError> {
    let signer = check_signer(head, institution, state, height)?;
    Ok(signer.and_then(|()| check_times(head, time)))
}

fn check_times(head: &SubmissionHead, time: Timestamp) -> Result<(), Rejection> {
    if time > head.expires_at {
        return Err(Rejection { code: failure::EXPIRED });
    }
    if head.submitted_at > time.after(limits::CLOCK_TOLERANCE) {
        return Err(Rejection { code: failure::SUBMITTED_IN_FUTURE });
    }
    Ok(())
}

fn check_signer(
    head: &SubmissionHead,
    institution: Option<&InstitutionState>,
    state: &dyn StateRead,
    height: Height,
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
    Ok(Ok(()))
}

/// Whether the key is the one that votes for the institution: with it, a node reports faults.
fn is_validator(head: &SubmissionHead, state: &dyn StateRead) -> Result<bool, StateError> {
    let set = epoch::next(state)?.set;
    let seat = set.position_of(&head.key).and_then(|index| set.get(index));
    Ok(seat.is_some_and(|seat| seat.institution == head.institution))
}
