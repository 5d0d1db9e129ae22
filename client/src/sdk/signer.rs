//! Who holds the key that signs submissions: a key file, or a device that never lets it out.

use probata_types::{Hash, Keypair, PublicKey, Signature};

/// A signature could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signer made no signature: {0}")]
pub struct SignerError(pub String);

/// Signs digests under one public key of the institution. A hardware security module implements
/// this over its own session; [`Keypair`] does it in memory.
pub trait Signer: Send + Sync {
    /// The key under which it signs.
    fn public(&self) -> PublicKey;

    /// A signature over the digest.
    ///
    /// # Errors
    /// [`SignerError`] if the device does not sign.
    fn sign(&self, digest: &Hash) -> Result<Signature, SignerError>;
}

impl Signer for Keypair {
    fn public(&self) -> PublicKey {
        Keypair::public(self)
    }

    fn sign(&self, digest: &Hash) -> Result<Signature, SignerError> {
        Ok(Keypair::sign(self, digest))
    }
}
