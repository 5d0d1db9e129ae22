//! The sealed headers that were checked lately: thousands of receipts are of one block.

use super::sets::{Doubt, ProvenSets};
use probata_types::{Hash, receipt::SealedHeader};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// Headers remembered: those of the blocks that answers under way are of.
const REMEMBERED: usize = 64;

/// Headers whose seals hold, by their hashes, newest last.
#[derive(Debug, Default)]
pub(super) struct KnownSeals(Mutex<VecDeque<(Hash, Arc<SealedHeader>)>>);

impl KnownSeals {
    /// Checks that a header is sealed by the validators that genesis leads to. Gives it with a seal that was
    /// checked: of a header that is known, whatever seal is shown now.
    pub(super) fn check(
        &self,
        sealed: &SealedHeader,
        sets: &ProvenSets,
    ) -> Result<Arc<SealedHeader>, Doubt> {
        let hash = sealed.header.hash();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sealed)) = known.iter().rev().find(|(known, _)| *known == hash) {
            return Ok(Arc::clone(sealed));
        }
        drop(known);
        let set = sets.known(sealed.header.height, &sealed.header.validators)?;
        let checked = sealed.seal.verify(&sealed.header, set);
        checked.map_err(|error| Doubt::Lie(error.to_string()))?;
        let sealed = Arc::new(sealed.clone());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.push_back((hash, Arc::clone(&sealed)));
        if known.len() > REMEMBERED {
            known.pop_front();
        }
        Ok(sealed)
    }
}
