//! Randomness from the operating system: salts, identifiers, jitter.

use probata_types::{
    record::{FlowId, Salt},
    submission::IdempotencyKey,
};
use std::time::Duration;

/// The operating system gave no randomness; nothing secret can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no randomness: {0}")]
pub struct RandomError(String);

/// 32 fresh bytes for one commitment.
///
/// # Errors
/// [`RandomError`].
pub fn salt() -> Result<Salt, RandomError> {
    fill().map(Salt)
}

/// A fresh identifier for a flow.
///
/// # Errors
/// [`RandomError`].
pub fn flow() -> Result<FlowId, RandomError> {
    fill().map(FlowId)
}

/// A fresh idempotency key for a submission.
///
/// # Errors
/// [`RandomError`].
pub fn idempotency_key() -> Result<IdempotencyKey, RandomError> {
    fill().map(IdempotencyKey)
}

/// A fresh 32-byte secret.
///
/// # Errors
/// [`RandomError`].
pub fn secret() -> Result<[u8; 32], RandomError> {
    fill()
}

/// Between half of `pause` and all of it, so that many clients do not return at the same instant.
/// Without randomness, all of it.
pub(super) fn jitter(pause: Duration) -> Duration {
    let Ok([byte]) = fill::<1>() else { return pause };
    pause / 2 + pause * u32::from(byte) / 512
}

fn fill<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| RandomError(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_differ() {
        assert_ne!(salt().unwrap(), salt().unwrap());
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let pause = Duration::from_millis(1_000);
        for _ in 0..1_000 {
            let drawn = jitter(pause);
            assert!(drawn >= pause / 2 && drawn <= pause, "{drawn:?}");
        }
    }
}
