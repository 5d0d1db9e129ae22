//! Who votes on motions, and what passes: the institutions of the validators in force when the motion was
//! made, one vote each, and a quorum of them. A richer policy goes here.

use crate::{
    case::{Judged, require},
    overlay::Overlay,
};
use probata_types::{
    Epoch, InstitutionId, ValidatorSet, catalogue::failure, epoch, object::Motion,
    state::StateError,
};

/// How the ballots on a motion stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tally {
    /// It may still go either way.
    Open,
    /// A quorum approves.
    Passed,
    /// No quorum can approve any more.
    Defeated,
}

/// The epoch whose validators' institutions vote on motions made now.
pub(crate) fn now(state: &Overlay<'_>) -> Result<Epoch, StateError> {
    epoch::next(state)
}

/// The place of an institution in the electorate.
pub(crate) fn place(set: &ValidatorSet, institution: &InstitutionId) -> Judged<usize> {
    let seat = set.iter().find(|(_, validator)| validator.institution == *institution);
    let Some((index, _)) = seat else { return Err(failure::NOT_ELECTOR.into()) };
    Ok(index.position())
}

/// Counts.
pub(crate) fn tally(set: &ValidatorSet, motion: &Motion) -> Tally {
    let (approve, refuse) = (motion.count(true), motion.count(false));
    if approve >= set.quorum() {
        Tally::Passed
    } else if set.size() - refuse < set.quorum() {
        Tally::Defeated
    } else {
        Tally::Open
    }
}

/// Whether so many validators of a new set are seen running that it can go on without a pause: a
/// quorum, each seen by more of the old set than may lie.
pub(crate) fn require_live(old: &ValidatorSet, new: &ValidatorSet, motion: &Motion) -> Judged {
    require(motion.live(old) >= new.quorum(), failure::LIVE_QUORUM)
}
