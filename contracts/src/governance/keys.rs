//! Keys that come and go: proofs that they are held, and an institution's keys for submissions.

use super::enact;
use crate::case::{Case, Judged, require};
use probata_types::{
    Height, InstitutionId,
    body::{KeyChange, ProvenKey},
    catalogue::failure,
    state::{InstitutionState, KeyState},
};

/// Whether the holder of the key says that it belongs to the institution.
pub(super) fn require_proof(
    case: &Case<'_, '_>,
    proven: &ProvenKey,
    institution: &InstitutionId,
) -> Judged {
    let proof = proven.check(case.block.suite, &case.block.chain, institution);
    require(proof.is_ok(), failure::KEY_PROOF)
}

/// The institution with its keys as the change leaves them.
pub(super) fn changed(
    case: &Case<'_, '_>,
    change: &KeyChange,
    from: Height,
) -> Judged<InstitutionState> {
    let mut state = enact::active(case, &change.institution, from)?;
    require(change.add.is_some() || change.revoke.is_some(), failure::VALUE)?;
    if let Some(revocation) = &change.revoke {
        let keys = state.keys.as_mut_slice();
        let old = keys.iter_mut().find(|it| it.key == revocation.key && it.revoked_at.is_none());
        let old = old.ok_or(failure::KEY_UNKNOWN)?;
        // A key that is not valid yet never will be.
        old.revoked_at = Some(from.saturating_add(revocation.overlap).max(old.valid_from));
    }
    if let Some(proven) = &change.add {
        require_proof(case, proven, &change.institution)?;
        let known = state.keys.iter().any(|it| it.key == proven.key);
        require(!known, failure::KEY_KNOWN)?;
        let key = KeyState { key: proven.key, valid_from: from, revoked_at: None };
        state.keys.push(key).map_err(|_| failure::KEY_KNOWN)?;
    }
    Ok(state)
}
