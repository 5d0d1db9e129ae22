//! What a motion would do to the state: checked when it is made, and again when it is done, since others
//! may have been done in between.

use super::{keys, seats};
use crate::case::{Case, Judged, require};
use probata_types::{
    Height, InstitutionId, List,
    body::{Admission, Change},
    catalogue::failure,
    directory::{Directory, NodeEntry},
    object::Motion,
    record::FlowId,
    state::{InstitutionState, KeyPurpose, KeyState, StateKey, StateValue},
};

/// Whether a change is possible now. Answers with the size of the validator set that it makes, 0 for
/// one that makes none.
pub(super) fn check(case: &Case<'_, '_>, change: &Change, from: Height) -> Judged<usize> {
    let from = from.max(case.block.height.next());
    match change {
        Change::Validators(change) => Ok(seats::changed(case, change, from)?.size()),
        Change::Admit(admission) => admitted(case, admission, from).map(|_| 0),
        Change::Suspend(institution) => suspended(case, institution, from).map(|_| 0),
        Change::Keys(change) => keys::changed(case, change, from).map(|_| 0),
    }
}

/// Does what a motion that has passed asks for. Everything is found out before anything is written.
pub(super) fn enact(case: &mut Case<'_, '_>, motion: &Motion, from: Height, id: FlowId) -> Judged {
    match &motion.change {
        Change::Validators(change) => seats::schedule(case, change, motion, (from, id)),
        Change::Admit(admission) => {
            let (state, directory) = admitted(case, admission, from)?;
            for proven in &admission.keys {
                keys::hold(case, proven.key, admission.institution, KeyPurpose::Submission);
            }
            for node in &admission.nodes {
                keys::hold(case, node.node.key, admission.institution, KeyPurpose::Node);
            }
            put_institution(case, admission.institution, state);
            let profile = StateValue::Profile(Box::new(admission.profile.clone()));
            case.state.put(StateKey::Profile(admission.institution), profile);
            case.state.put(StateKey::Directory, StateValue::Directory(Box::new(directory)));
            Ok(())
        }
        Change::Suspend(institution) => {
            let state = suspended(case, institution, from)?;
            put_institution(case, *institution, state);
            Ok(())
        }
        Change::Keys(change) => {
            let state = keys::changed(case, change, from)?;
            if let Some(proven) = &change.add {
                keys::hold(case, proven.key, change.institution, KeyPurpose::Submission);
            }
            put_institution(case, change.institution, state);
            Ok(())
        }
    }
}

fn put_institution(case: &mut Case<'_, '_>, id: InstitutionId, state: InstitutionState) {
    case.state.put(StateKey::Institution(id), StateValue::Institution(state));
}

pub(super) fn directory(case: &Case<'_, '_>) -> Judged<Directory> {
    match case.state.get(&StateKey::Directory)? {
        Some(StateValue::Directory(directory)) => Ok(*directory),
        _ => Err(crate::overlay::wrong_kind("directory").into()),
    }
}

/// The institution, if it is a member and not suspended before a height.
pub(super) fn active(
    case: &Case<'_, '_>,
    id: &InstitutionId,
    height: Height,
) -> Judged<InstitutionState> {
    let state = case.state.institution(id)?;
    state.filter(|it| it.is_active(height)).ok_or_else(|| failure::INSTITUTION_INACTIVE.into())
}

fn admitted(
    case: &Case<'_, '_>,
    admission: &Admission,
    from: Height,
) -> Judged<(InstitutionState, Directory)> {
    let Admission { institution, profile, roles, keys, nodes } = admission;
    require(case.state.institution(institution)?.is_none(), failure::INSTITUTION_KNOWN)?;
    let named = [&*profile.zh, &*profile.en, &*profile.group];
    let blank = named.iter().any(|text| text.is_empty() || text.trim() != *text);
    let once = (1..roles.len()).all(|at| !roles[..at].contains(&roles[at]));
    require(!blank && !roles.is_empty() && once && !keys.is_empty(), failure::VALUE)?;
    let mut all: Vec<_> = keys.iter().chain(nodes.iter().map(|node| &node.node)).collect();
    for proven in &all {
        keys::require_proof(case, proven, institution)?;
        keys::require_new(case, &proven.key)?;
    }
    all.sort_by_key(|proven| proven.key);
    require(all.windows(2).all(|pair| pair[0].key != pair[1].key), failure::KEY_KNOWN)?;
    let key = |key| KeyState { key, valid_from: from, revoked_at: None };
    let keys = keys.iter().map(|proven| key(proven.key)).collect();
    let state = InstitutionState {
        roles: roles.clone(),
        admitted_at: from,
        suspended_at: None,
        keys: List::new(keys).expect("SUBMISSION_KEYS is at most KEYS_PER_INSTITUTION"),
    };
    let mut entries = directory(case)?.to_vec();
    for node in nodes {
        let (node, address) = (node.node.key, node.address);
        require(entries.iter().all(|it| it.address != address), failure::DIRECTORY)?;
        entries.push(NodeEntry { institution: *institution, node, address, votes: false });
    }
    // Stable: an institution's nodes stay in the order in which they came.
    entries.sort_by_key(|entry| entry.institution);
    let directory = List::new(entries).map_err(|_| failure::DIRECTORY)?;
    Ok((state, directory))
}

fn suspended(
    case: &Case<'_, '_>,
    institution: &InstitutionId,
    from: Height,
) -> Judged<InstitutionState> {
    let mut state = active(case, institution, from)?;
    require(!seats::is_seated(case, institution)?, failure::INSTITUTION_SEATED)?;
    state.suspended_at = Some(from);
    Ok(state)
}
