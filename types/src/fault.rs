//! A validator's provable misdeed: two different signed votes of one kind for one height and view.

mod file;

pub use file::{FaultFile, FaultFileError, FaultFormat};

use crate::{
    Domain, Hash, Height, PublicKey, Signature, Suite, ValidatorIndex, ValidatorSet, View, key,
    seal::vote_digest,
};
use serde::{Deserialize, Serialize};

/// The kinds of message of which a correct validator sends at most one in a view of a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteKind {
    /// A leader's proposal.
    PrePrepare,
    /// A vote for a proposal.
    Prepare,
    /// A vote for a header.
    Commit,
}

impl VoteKind {
    /// The domain under which such messages are signed.
    pub const fn domain(self) -> Domain {
        match self {
            Self::PrePrepare => Domain::PrePrepare,
            Self::Prepare => Domain::Prepare,
            Self::Commit => Domain::Commit,
        }
    }
}

/// What a validator signed: the digest of a proposal or header, and the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedContent {
    /// The digest of the proposal or header.
    pub content: Hash,
    /// Over it, with chain, height and view.
    pub signature: Signature,
}

/// Proof that a validator contradicted itself. Whoever has the validator set can check it (P21).
/// Its canonical bytes are under 400.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The algorithms.
    pub suite: Suite,
    /// The chain.
    pub chain: Hash,
    /// The height.
    pub height: Height,
    /// The view.
    pub view: View,
    /// The kind of vote.
    pub kind: VoteKind,
    /// Who, by position in the set.
    pub validator: ValidatorIndex,
    /// Who, by key.
    pub key: PublicKey,
    /// The first message.
    pub first: SignedContent,
    /// The other one.
    pub second: SignedContent,
}

/// Why a claimed fault proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Both messages say the same.
    #[error("both messages say the same")]
    Same,
    /// The key is not that of the validator.
    #[error("the key is not that of the named validator")]
    Stranger,
    /// A signature is not valid.
    #[error("a signature is not valid: somebody else made this up")]
    Signature,
}

impl Fault {
    /// Checks that the validator of `set` really signed both messages.
    ///
    /// # Errors
    /// [`FaultError`] if this proves nothing.
    pub fn verify(&self, set: &ValidatorSet) -> Result<(), FaultError> {
        if set.get(self.validator).is_none_or(|validator| validator.key != self.key) {
            return Err(FaultError::Stranger);
        }
        self.check_signatures()
    }

    /// Checks that the holder of the key signed both messages, and that they differ; whether it was a
    /// validator's is another question.
    ///
    /// # Errors
    /// [`FaultError`] if this proves nothing.
    pub fn check_signatures(&self) -> Result<(), FaultError> {
        if self.first.content == self.second.content {
            return Err(FaultError::Same);
        }
        for signed in [&self.first, &self.second] {
            let place = (self.height, self.view);
            let digest =
                vote_digest(self.suite, self.kind.domain(), &self.chain, place, &signed.content);
            key::verify(&self.key, &digest, &signed.signature)
                .map_err(|_| FaultError::Signature)?;
        }
        Ok(())
    }
}
