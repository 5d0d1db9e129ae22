//! Fault: a validator contradicted itself, and here is the proof. Whoever finds out records it; what
//! follows is for people to decide, by a motion.
//!
//! Hard: it opens its flow; it is of this chain, and of a height that has come: who is a validator at a
//! later one is not known yet; a validator of that height signed both votes; it is not recorded yet.

use crate::case::{Case, Judged, require};
use probata_types::{
    catalogue::failure,
    epoch,
    fault::Fault,
    object::Object,
    state::{FaultPlace, Sighting, StateKey, StateValue},
};

pub(crate) fn judge(
    case: &mut Case<'_, '_>,
    fault: &Fault,
    flow: Option<Object>,
) -> Judged<Object> {
    require(flow.is_none(), failure::FLOW_OPENED)?;
    let here = (fault.suite, fault.chain) == (case.block.suite, case.block.chain);
    require(here && fault.height <= case.block.height, failure::FAULT_PROOF)?;
    let key = StateKey::Fault(FaultPlace::of(fault));
    require(case.state.get(&key)?.is_none(), failure::FAULT_KNOWN)?;
    let set = epoch::at(case.state, fault.height)?.set;
    require(fault.verify(&set).is_ok(), failure::FAULT_PROOF)?;
    let sighting = Sighting { height: case.block.height, flow: case.record.flow, record: case.id };
    case.state.put(key, StateValue::Fault(sighting));
    Ok(Object::Fault(Box::new(fault.clone())))
}

#[cfg(test)]
mod tests;
