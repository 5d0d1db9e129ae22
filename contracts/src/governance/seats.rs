//! Seats among the validators: what set a change makes, and whether it may.

use super::{electorate, enact, keys};
use crate::case::{Case, Judged, Stop, require};
use probata_types::{
    Epoch, Height, InstitutionId, List, ValidatorSet,
    body::{Seat, SeatChange, SeatChangeError},
    catalogue::failure,
    directory::Directory,
    epoch::{self, Scheduled, Validators, VotingNode},
    object::Motion,
    record::FlowId,
    state::{KeyHolder, KeyPurpose, StateKey, StateValue},
    validator::ValidatorSetError,
};
use std::collections::BTreeMap;

/// The validator set that a change makes of the one in force.
pub(super) fn changed(
    case: &Case<'_, '_>,
    change: &SeatChange,
    from: Height,
) -> Judged<ValidatorSet> {
    require(epoch::validators(case.state)?.scheduled.is_none(), failure::SET_CHANGE_PENDING)?;
    let current = electorate::now(case.state)?.set;
    let directory = enact::directory(case)?;
    for seat in &change.seats {
        require_seat(case, seat, &directory, from)?;
    }
    let set = change.apply(&current).map_err(|error| match error {
        SeatChangeError::Set(ValidatorSetError::TooFew(_)) => failure::SET_TOO_SMALL,
        _ => failure::SET_INVALID,
    })?;
    require_groups(case, &set)?;
    Ok(set)
}

/// A seat needs an institution that is a member by then and stays one, since who has a seat must be able
/// to vote on motions; a key that its holder proved and that serves nothing and nobody else, though it
/// may have voted for the same institution before; and one of the institution's own nodes.
fn require_seat(case: &Case<'_, '_>, seat: &Seat, directory: &Directory, from: Height) -> Judged {
    let state = enact::active(case, &seat.institution, from)?;
    require(state.suspended_at.is_none(), failure::INSTITUTION_INACTIVE)?;
    keys::require_proof(case, &seat.key, &seat.institution)?;
    let voter = KeyHolder { institution: seat.institution, purpose: KeyPurpose::Vote };
    let holder = keys::holder(case, &seat.key.key)?;
    require(holder.is_none_or(|holder| holder == voter), failure::KEY_KNOWN)?;
    let own = directory
        .iter()
        .any(|entry| entry.institution == seat.institution && entry.node == seat.node);
    require(own, failure::SET_INVALID)
}

/// R14: no group of affiliated institutions may have more seats than validators may lie.
fn require_groups(case: &Case<'_, '_>, set: &ValidatorSet) -> Judged {
    let mut seats = BTreeMap::new();
    for (_, validator) in set.iter() {
        let Some(StateValue::Profile(profile)) =
            case.state.get(&StateKey::Profile(validator.institution))?
        else {
            return Err(Stop::State(crate::overlay::wrong_kind("profile")));
        };
        *seats.entry(profile.group).or_insert(0usize) += 1;
    }
    require(seats.values().all(|seats| *seats <= set.faulty()), failure::GROUP_SEATS)
}

/// Puts a change that has passed on the schedule.
pub(super) fn schedule(
    case: &mut Case<'_, '_>,
    change: &SeatChange,
    motion: &Motion,
    (from, id): (Height, FlowId),
) -> Judged {
    let set = changed(case, change, from)?;
    let current = electorate::now(case.state)?;
    electorate::require_live(&current.set, &set, motion)?;
    for seat in &change.seats {
        keys::hold(case, seat.key.key, seat.institution, KeyPurpose::Vote);
    }
    let epoch = Epoch { number: current.number + 1, first: from, set };
    let nodes = change
        .seats
        .iter()
        .map(|seat| VotingNode { institution: seat.institution, node: seat.node });
    let nodes = List::new(nodes.collect()).expect("one for each seat of the motion");
    let scheduled = Some(Scheduled { epoch, motion: id, nodes });
    let validators = Validators { epoch: current.number, scheduled };
    case.state.put(StateKey::Validators, StateValue::Validators(Box::new(validators)));
    Ok(())
}

/// Whether an institution has a seat, or will have one.
pub(super) fn is_seated(case: &Case<'_, '_>, institution: &InstitutionId) -> Judged<bool> {
    let scheduled = epoch::validators(case.state)?.scheduled.map(|it| it.epoch.set);
    let current = electorate::now(case.state)?.set;
    let mut sets = [Some(current), scheduled].into_iter().flatten();
    Ok(sets.any(|set| set.iter().any(|(_, it)| it.institution == *institution)))
}

#[cfg(test)]
mod tests;
