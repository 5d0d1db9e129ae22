//! The seal: a quorum of signatures of one view over a header hash.

use crate::{
    Domain, Hash, Height, List, Signature, Suite, ValidatorIndex, ValidatorSet, View,
    block::Header,
    key::{self, Signed},
    limits,
};
use serde::{Deserialize, Serialize};

/// What a validator's message signs: `hash(domain, chain ‖ height ‖ view ‖ content)`, numbers as eight
/// bytes big-endian.
pub fn vote_digest(
    suite: Suite,
    domain: Domain,
    chain: &Hash,
    (height, view): (Height, View),
    content: &Hash,
) -> Hash {
    let height = height.get().to_be_bytes();
    let view = view.get().to_be_bytes();
    suite.hash(domain, &[chain.as_bytes(), &height, &view, content.as_bytes()])
}

/// The digest that a Commit vote signs: [`vote_digest`] of a header hash under [`Domain::Commit`]. The
/// view is signed, so votes of two views never add up to one seal.
pub fn commit_digest(
    suite: Suite,
    chain: &Hash,
    height: Height,
    view: View,
    header: &Hash,
) -> Hash {
    vote_digest(suite, Domain::Commit, chain, (height, view), header)
}

/// One validator's Commit vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealVote {
    /// Who, by position in the set of the header.
    pub validator: ValidatorIndex,
    /// Over [`commit_digest`].
    pub signature: Signature,
}

/// A quorum of Commit votes of one view for one header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The view in which all voted.
    pub view: View,
    /// The votes, by ascending validator position.
    pub votes: List<SealVote, { limits::VALIDATORS }>,
}

/// Why a seal does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The set is not the one that the header names.
    #[error("the header names the validator set {expected}, the set given is {got}")]
    WrongSet {
        /// Named in the header.
        expected: Hash,
        /// Digest of the set given.
        got: Hash,
    },
    /// Too few votes.
    #[error("{got} votes are fewer than the quorum of {needed}")]
    TooFew {
        /// Votes found.
        got: usize,
        /// Votes needed.
        needed: usize,
    },
    /// Votes out of order, or one validator twice.
    #[error("the votes are not in ascending order of validators, each once")]
    Order,
    /// A vote by nobody in the set.
    #[error("validator {0} is not in the set")]
    Stranger(ValidatorIndex),
    /// A vote whose signature is not valid.
    #[error("the signature of validator {0} is not valid")]
    Signature(ValidatorIndex),
}

impl Seal {
    /// Checks that a quorum of `set` sealed `header` in this seal's view.
    ///
    /// # Errors
    /// [`SealError`], the first thing wrong.
    pub fn verify(&self, header: &Header, set: &ValidatorSet) -> Result<(), SealError> {
        let signed = self.signed(header, set)?;
        if key::verify_batch(&signed).is_ok() { Ok(()) } else { self.blame(&signed) }
    }

    /// Checks all of the seal but the signatures, and says what they must sign: whoever has many seals checks
    /// those of all together.
    ///
    /// # Errors
    /// [`SealError`], the first thing wrong.
    pub fn signed(&self, header: &Header, set: &ValidatorSet) -> Result<Vec<Signed>, SealError> {
        let suite = header.suite;
        let got = set.hash(suite);
        if header.validators != got {
            return Err(SealError::WrongSet { expected: header.validators, got });
        }
        if !self.votes.windows(2).all(|pair| pair[0].validator < pair[1].validator) {
            return Err(SealError::Order);
        }
        if self.votes.len() < set.quorum() {
            return Err(SealError::TooFew { got: self.votes.len(), needed: set.quorum() });
        }
        let digest = commit_digest(suite, &header.chain, header.height, self.view, &header.hash());
        let mut signed = Vec::with_capacity(self.votes.len());
        for vote in &self.votes {
            let validator = set.get(vote.validator).ok_or(SealError::Stranger(vote.validator))?;
            signed.push(Signed { key: validator.key, digest, signature: vote.signature });
        }
        Ok(signed)
    }

    /// Checks what [`Self::signed`] answered one by one.
    ///
    /// # Errors
    /// [`SealError::Signature`] with the first validator whose signature is not valid.
    pub fn blame(&self, signed: &[Signed]) -> Result<(), SealError> {
        let wrong = self
            .votes
            .iter()
            .zip(signed)
            .find(|(_, one)| key::verify(&one.key, &one.digest, &one.signature).is_err());
        wrong.map_or(Ok(()), |(vote, _)| Err(SealError::Signature(vote.validator)))
    }
}
