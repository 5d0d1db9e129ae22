//! Is a checkpoint what it claims to be? Asked once, when it is to be kept; from then on it is trusted like the genesis.

use super::sets::{Sets, Way};
use probata_genesis::Genesis;
use probata_types::{Checkpoint, seal::SealError};

/// Why a checkpoint is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFailure {
    /// It is of another chain than the genesis.
    #[error("the checkpoint is of another chain than the genesis")]
    Chain,
    /// The changes of the validator set do not lead from the genesis to its height.
    #[error("{0}")]
    Sets(String),
    /// Its seal does not hold.
    #[error("its seal: {0}")]
    Seal(#[from] SealError),
}

/// Checks that the validators that the genesis leads to have sealed a checkpoint.
///
/// # Errors
/// [`CheckpointFailure`], the first thing wrong.
pub fn verify_checkpoint(
    checkpoint: &Checkpoint,
    genesis: &Genesis,
) -> Result<(), CheckpointFailure> {
    if checkpoint.chain != genesis.chain() || checkpoint.suite != genesis.suite() {
        return Err(CheckpointFailure::Chain);
    }
    let mut shown = vec![(&checkpoint.header, &checkpoint.seal)];
    shown.extend(checkpoint.sets.iter().map(|change| (&change.header, &change.seal)));
    let way =
        Way { chain: checkpoint.chain, sets: &checkpoint.sets, end: checkpoint.header.height };
    let sets = Sets::walk(&way, Some(genesis), &shown);
    if let Some(why) = sets.broken() {
        return Err(CheckpointFailure::Sets(why.to_owned()));
    }
    let (_, sealed) = sets
        .sealed(shown[0])
        .map_err(|_| CheckpointFailure::Sets("no set seals its height".to_owned()))?;
    Ok(sealed?)
}
