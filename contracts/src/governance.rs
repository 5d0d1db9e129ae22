//! How the consortium changes: motions, ballots, faults of validators. A richer policy has one place to
//! go: [`electorate`] says who may vote and what passes.

pub(crate) mod ballot;
mod electorate;
mod enact;
pub(crate) mod fault;
mod keys;
pub(crate) mod motion;
mod seats;

use probata_types::{
    Height,
    epoch::{self, Validators, VotingNode},
    state::{Changes, StateError, StateKey, StateRead, StateValue},
};

/// The end of a block: a scheduled epoch that begins with the next height begins now, so that the header
/// of this block names its set.
pub(crate) fn end_of_block(
    height: Height,
    state: &dyn StateRead,
    changes: &mut Changes,
) -> Result<(), StateError> {
    let validators = match changes.get(&StateKey::Validators) {
        Some(StateValue::Validators(validators)) => (**validators).clone(),
        _ => epoch::validators(state)?,
    };
    let Some(scheduled) = validators.scheduled else { return Ok(()) };
    if scheduled.epoch.first != height.next() {
        return Ok(());
    }
    let mut directory = match changes.remove(&StateKey::Directory) {
        Some(changed) => Some(changed),
        None => state.get(&StateKey::Directory)?,
    };
    if let Some(StateValue::Directory(directory)) = &mut directory {
        for VotingNode { institution, node } in &scheduled.nodes {
            let own = directory.as_mut_slice().iter_mut();
            own.filter(|it| it.institution == *institution)
                .for_each(|it| it.votes = it.node == *node);
        }
    }
    changes.extend(directory.map(|directory| (StateKey::Directory, directory)));
    let number = scheduled.epoch.number;
    let begun = Validators { epoch: number, scheduled: None };
    changes.insert(StateKey::Epoch(number), StateValue::Epoch(Box::new(scheduled.epoch)));
    changes.insert(StateKey::Validators, StateValue::Validators(Box::new(begun)));
    Ok(())
}

#[cfg(test)]
mod tests;
