//! Motion: opens the voting on a change of the consortium.
//!
//! ```text
//!         ┌── a quorum approves ──▶ APPROVED (in force from its height on)
//! OPEN ───┤
//!         └── no quorum can approve any more, or what it asks for is impossible by then ──▶ REFUSED
//! ```
//! Any member may move; validators' institutions vote, by ballots. A motion lapses when its time is
//! over, or when the validator set that was to vote on it is no longer in force.
//! Hard: it opens its flow; it closes in the future; its height is not too far ahead; what it asks for
//! is possible now.

use super::{electorate, enact};
use crate::{
    case::{Case, Judged, require},
    limits,
};
use probata_types::{
    List, body,
    catalogue::failure,
    object::{Motion, MotionStatus, Object},
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    body: &body::Motion,
    flow: Option<Object>,
) -> Judged<Object> {
    require(flow.is_none(), failure::FLOW_OPENED)?;
    require(body.closes_at > case.block.time, failure::VALUE)?;
    let latest = case.block.height.saturating_add(limits::HEIGHTS_AHEAD);
    require(body.from <= latest, failure::VALUE)?;
    let epoch = electorate::now(case.state)?;
    let places = enact::check(case, &body.change, body.from)?;
    let none = |count: usize| vec![0u16; count];
    Ok(Object::Motion(Box::new(Motion {
        change: body.change.clone(),
        from: body.from,
        closes_at: body.closes_at,
        epoch: epoch.number,
        ballots: List::new(vec![None; epoch.set.size()]).expect("one for each validator"),
        seen: List::new(none(places)).expect("one for each validator of the new set"),
        status: MotionStatus::Open,
    })))
}

#[cfg(test)]
mod tests;
