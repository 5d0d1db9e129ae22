//! Keys that come and go: who holds which, proofs of that, and an institution's keys for submissions.

use super::enact;
use crate::{
    case::{Case, Judged, require},
    limits,
};
use probata_types::{
    Height, InstitutionId, PublicKey,
    body::{KeyChange, ProvenKey, Revocation},
    catalogue::failure,
    state::{InstitutionState, KeyHolder, KeyPurpose, KeyState, StateError, StateKey, StateValue},
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

/// Who holds a key, if it was ever named.
pub(super) fn holder(
    case: &Case<'_, '_>,
    key: &PublicKey,
) -> Result<Option<KeyHolder>, StateError> {
    match case.state.get(&StateKey::Key(*key))? {
        Some(StateValue::Key(holder)) => Ok(Some(holder)),
        Some(_) => Err(crate::overlay::wrong_kind("key")),
        None => Ok(None),
    }
}

/// Nobody ever used the key, for whatever: who can use it in one place could claim it in the other.
pub(super) fn require_new(case: &Case<'_, '_>, key: &PublicKey) -> Judged {
    require(holder(case, key)?.is_none(), failure::KEY_KNOWN)
}

/// Notes who holds a key.
pub(super) fn hold(
    case: &mut Case<'_, '_>,
    key: PublicKey,
    institution: InstitutionId,
    purpose: KeyPurpose,
) {
    let holder = KeyHolder { institution, purpose };
    case.state.put(StateKey::Key(key), StateValue::Key(holder));
}

/// The institution with its keys as the change leaves them.
pub(super) fn changed(
    case: &Case<'_, '_>,
    change: &KeyChange,
    from: Height,
) -> Judged<InstitutionState> {
    let mut state = enact::active(case, &change.institution, from)?;
    require(change.add.is_some() || change.revoke.is_some(), failure::VALUE)?;
    if let Some(proven) = &change.add {
        require_proof(case, proven, &change.institution)?;
        require_new(case, &proven.key)?;
        let key = KeyState { key: proven.key, valid_from: from, revoked_at: None };
        state.keys.push(key).map_err(|_| failure::KEY_KNOWN)?;
    }
    if let Some(revocation) = &change.revoke {
        revoke(&mut state, revocation, from)?;
    }
    Ok(state)
}

/// Revokes a key, or brings its revocation forward. Another one is good from then on: without any, an
/// institution could neither speak nor vote, and a validator's institution may not be suspended.
fn revoke(state: &mut InstitutionState, revocation: &Revocation, from: Height) -> Judged {
    require(revocation.overlap <= limits::HEIGHTS_AHEAD, failure::VALUE)?;
    let keys = state.keys.as_mut_slice();
    let old = keys.iter_mut().find(|it| it.key == revocation.key);
    let old = old.ok_or(failure::KEY_UNKNOWN)?;
    // A key that is not valid yet never will be.
    let height = from.saturating_add(revocation.overlap).max(old.valid_from);
    require(old.revoked_at.is_none_or(|earlier| height < earlier), failure::KEY_UNKNOWN)?;
    old.revoked_at = Some(height);
    let stays = |key: &KeyState| key.revoked_at.is_none() && key.valid_from <= height;
    require(state.keys.iter().any(stays), failure::LAST_KEY)
}

#[cfg(test)]
mod tests;
