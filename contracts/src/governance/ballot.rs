//! Ballot: a validator's institution votes on a motion, once. The ballot that makes a quorum puts the
//! change into force, or finds that it can not be any more.
//!
//! Hard: it opens its flow; the motion is open, and of the epoch in force; the submitter is one of its
//! electors and has not voted; the validators that it says it sees are of the new set, each once.

use super::{
    electorate::{self, Tally},
    enact,
};
use crate::case::{Case, Judged, Stop, require};
use probata_types::{
    Epoch, body,
    catalogue::failure,
    object::{Motion, MotionStatus, Object},
    state::{StateKey, StateValue},
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &body::Ballot,
    flow: Option<Object>,
) -> Judged<Object> {
    require(flow.is_none(), failure::FLOW_OPENED)?;
    let mut matter = case.state.flow(&body.motion)?.ok_or(failure::REFERENCE)?;
    let Object::Motion(motion) = &mut matter.object else {
        return Err(failure::REFERENCE.into());
    };
    let epoch = electorate::now(case.state)?;
    let open = motion.status == MotionStatus::Open
        && motion.epoch == epoch.number
        && case.block.time <= motion.closes_at;
    require(open, failure::MOTION_CLOSED)?;
    cast(case, body, motion, &epoch)?;
    motion.status = decide(case, body, motion, &epoch)?;
    case.state.put(StateKey::Flow(body.motion), StateValue::Flow(matter));
    Ok(Object::Ballot(Box::new(body.clone())))
}

fn cast(case: &Case<'_, '_>, body: &body::Ballot, motion: &mut Motion, epoch: &Epoch) -> Judged {
    let place = electorate::place(&epoch.set, &case.submitter())?;
    let ballot = motion.ballots.as_mut_slice().get_mut(place).ok_or(failure::NOT_ELECTOR)?;
    require(ballot.is_none(), failure::BALLOT_TWICE)?;
    *ballot = Some(body.approve);
    require(body.seen.is_sorted_by(|a, b| a < b), failure::VALUE)?;
    for index in &body.seen {
        let seen = motion.seen.as_mut_slice().get_mut(index.position()).ok_or(failure::VALUE)?;
        *seen += 1;
    }
    Ok(())
}

fn decide(
    case: &mut Case<'_, '_>,
    body: &body::Ballot,
    motion: &Motion,
    epoch: &Epoch,
) -> Judged<MotionStatus> {
    match electorate::tally(&epoch.set, motion) {
        Tally::Open => Ok(MotionStatus::Open),
        Tally::Defeated => Ok(MotionStatus::Refused { code: failure::VOTED_DOWN }),
        Tally::Passed => {
            let from = motion.from.max(case.block.height.next());
            match enact::enact(case, motion, from, body.motion) {
                Ok(()) => Ok(MotionStatus::Approved { from, by: case.id }),
                Err(Stop::Rejected(code)) => Ok(MotionStatus::Refused { code }),
                Err(Stop::State(error)) => Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
