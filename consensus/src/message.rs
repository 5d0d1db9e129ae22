//! What validators say to each other, and the check that each message must pass before a replica sees it.

use crate::limits;
use probata_types::{
    Domain, Hash, Header, Height, Keypair, List, Proposal, Seal, Signature, Suite, ValidatorIndex,
    ValidatorSet, Verified, View, codec,
    key::{self, Signed},
    limits::VALIDATORS,
    mutated,
    seal::{SealError, SealVote, vote_digest},
};
use serde::{Deserialize, Serialize};

/// A message of a validator, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub from: ValidatorIndex,
    /// Over [`MessageBody::digest`].
    pub signature: Signature,
    /// What is said.
    pub body: MessageBody,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageBody {
    /// The leader puts a proposal forward.
    PrePrepare {
        /// The height.
        height: Height,
        /// The view.
        view: View,
        /// The proposal.
        proposal: Proposal,
    },
    /// A vote that a proposal is the one of its height and view.
    Prepare {
        /// The height.
        height: Height,
        /// The view.
        view: View,
        /// The proposal's digest.
        digest: Hash,
    },
    /// A vote for the header that the voter computed. Its signature is part of the seal.
    Commit {
        /// The view.
        view: View,
        /// The header, with its height. What is signed is its hash.
        header: Header,
    },
    /// A wish to go on in a higher view.
    ViewChange {
        /// The height that the sender is at.
        height: Height,
        /// The view asked for.
        view: View,
        /// The highest prepared certificate of the sender at this height.
        prepared: Option<PreparedCertificate>,
        /// The proposal that it certifies. Not signed: the certificate names its digest.
        proposal: Option<Proposal>,
    },
    /// The leader of a new view opens it.
    NewView {
        /// The height.
        height: Height,
        /// The view.
        view: View,
        /// A quorum of view changes for this height and view, by ascending validator.
        view_changes: List<ViewChangeVote, VALIDATORS>,
        /// The proposal of the highest certificate among them; `None` if there is none.
        proposal: Option<Proposal>,
    },
    /// "I have sealed this": sent to a validator that is behind.
    Head {
        /// The header.
        header: Header,
        /// Its seal.
        seal: Seal,
    },
}

/// A quorum of Prepare votes of one view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedCertificate {
    /// The view of the votes.
    pub view: View,
    /// The proposal's digest.
    pub digest: Hash,
    /// The votes, by ascending validator.
    pub votes: List<SealVote, VALIDATORS>,
}

/// One validator's view change inside a NewView, which states height and view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewChangeVote {
    /// Who.
    pub validator: ValidatorIndex,
    /// Over the view change.
    pub signature: Signature,
    /// Its certificate.
    pub prepared: Option<PreparedCertificate>,
}

/// Why a message was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The sender is not in the validator set.
    #[error("validator {0} is not in the set")]
    Stranger(ValidatorIndex),
    /// A signature is not valid.
    #[error("a signature in the message is not valid")]
    Signature,
    /// The height or view cannot be.
    #[error("the message speaks of a height or view that cannot be")]
    Place,
    /// The proposal is of another chain or height than the message.
    #[error("the proposal is not for the chain and height of the message")]
    Proposal,
    /// The header is of another chain, or is not sealed by this set.
    #[error("the header is not for this chain and validator set")]
    Header,
    /// A certificate is not a quorum of votes by ascending validators, or not of a lower view.
    #[error("a certificate is not a quorum of one lower view")]
    Certificate,
    /// The view changes are not a quorum by ascending validators.
    #[error("the view changes are not a quorum")]
    NewView,
    /// The proposal is not that of the highest certificate.
    #[error("the proposal is not the one that the highest certificate demands")]
    Choice,
    /// The seal does not hold.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What a view change signs about its certificate.
fn certificate_digest(suite: Suite, prepared: Option<&PreparedCertificate>) -> Hash {
    suite.hash_value(Domain::ViewChange, &prepared)
}

impl Message {
    /// Makes and signs a message.
    pub(crate) fn sign(
        suite: Suite,
        chain: &Hash,
        from: ValidatorIndex,
        keypair: &Keypair,
        body: MessageBody,
    ) -> Self {
        let signature = keypair.sign(&body.digest(suite, chain));
        Self { from, signature, body }
    }

    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// A message from its bytes. Nothing in it is checked yet.
    ///
    /// # Errors
    /// [`codec::CodecError`] for anything but the canonical bytes of a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::CodecError> {
        codec::decode(bytes, limits::MESSAGE_BYTES)
    }

    /// The height that it speaks of.
    pub const fn height(&self) -> Height {
        match &self.body {
            MessageBody::Commit { header, .. } | MessageBody::Head { header, .. } => header.height,
            MessageBody::PrePrepare { height, .. }
            | MessageBody::Prepare { height, .. }
            | MessageBody::ViewChange { height, .. }
            | MessageBody::NewView { height, .. } => *height,
        }
    }

    /// The view that it speaks of.
    pub const fn view(&self) -> View {
        match &self.body {
            MessageBody::Head { seal, .. } => seal.view,
            MessageBody::PrePrepare { view, .. }
            | MessageBody::Prepare { view, .. }
            | MessageBody::Commit { view, .. }
            | MessageBody::ViewChange { view, .. }
            | MessageBody::NewView { view, .. } => *view,
        }
    }

    /// The proposal that it carries. Its submissions' signatures are not checked by [`Message::verify`].
    pub const fn proposal(&self) -> Option<&Proposal> {
        match &self.body {
            MessageBody::PrePrepare { proposal, .. } => Some(proposal),
            MessageBody::ViewChange { proposal, .. } | MessageBody::NewView { proposal, .. } => {
                proposal.as_ref()
            }
            _ => None,
        }
    }

    /// Checks everything about the message that needs only the validator set: its signature, the
    /// signatures and certificates in it, and that its parts belong together (P2).
    ///
    /// # Errors
    /// [`MessageError`], the first thing wrong.
    pub fn verify(
        self,
        suite: Suite,
        chain: &Hash,
        set: &ValidatorSet,
    ) -> Result<Verified<Self>, MessageError> {
        let validator = set.get(self.from).ok_or(MessageError::Stranger(self.from))?;
        if self.height() == Height::ZERO {
            return Err(MessageError::Place);
        }
        let digest = self.body.digest(suite, chain);
        key::verify(&validator.key, &digest, &self.signature)
            .map_err(|_| MessageError::Signature)?;
        let check = Check { suite, chain, set };
        if let Some(proposal) = self.proposal() {
            check.proposal(proposal, self.height())?;
        }
        match &self.body {
            MessageBody::PrePrepare { .. } | MessageBody::Prepare { .. } => {}
            MessageBody::Commit { header, .. } => check.header(header)?,
            MessageBody::ViewChange { height, view, prepared, proposal } => {
                check.view_change(*height, *view, prepared.as_ref(), proposal.as_ref())?;
            }
            MessageBody::NewView { height, view, view_changes, proposal } => {
                check.new_view(*height, *view, view_changes, proposal.as_ref())?;
            }
            MessageBody::Head { header, seal } => {
                check.header(header)?;
                seal.verify(header, set)?;
            }
        }
        Ok(Verified::assume(self))
    }
}

impl MessageBody {
    /// Its name in `docs/PROTOCOL.md`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PrePrepare { .. } => "PrePrepare",
            Self::Prepare { .. } => "Prepare",
            Self::Commit { .. } => "Commit",
            Self::ViewChange { .. } => "ViewChange",
            Self::NewView { .. } => "NewView",
            Self::Head { .. } => "Head",
        }
    }

    /// The digest that the message's signature covers.
    pub fn digest(&self, suite: Suite, chain: &Hash) -> Hash {
        match self {
            Self::PrePrepare { height, view, proposal } => {
                let place = (*height, *view);
                vote_digest(suite, Domain::PrePrepare, chain, place, &proposal.digest())
            }
            Self::Prepare { height, view, digest } => {
                vote_digest(suite, Domain::Prepare, chain, (*height, *view), digest)
            }
            Self::Commit { view, header } => {
                vote_digest(suite, Domain::Commit, chain, (header.height, *view), &header.hash())
            }
            Self::ViewChange { height, view, prepared, .. } => {
                let content = certificate_digest(suite, prepared.as_ref());
                vote_digest(suite, Domain::ViewChange, chain, (*height, *view), &content)
            }
            Self::NewView { height, view, view_changes, proposal } => {
                let digest = proposal.as_ref().map(Proposal::digest);
                let content = suite.hash_value(Domain::NewView, &(view_changes, digest));
                vote_digest(suite, Domain::NewView, chain, (*height, *view), &content)
            }
            Self::Head { header, seal } => {
                vote_digest(suite, Domain::Head, chain, (header.height, seal.view), &header.hash())
            }
        }
    }
}

/// The certificate with the highest view among view changes; the proposal it names must be taken up (P13).
pub(crate) fn highest_certificate<'a>(
    view_changes: impl IntoIterator<Item = &'a ViewChangeVote>,
) -> Option<&'a PreparedCertificate> {
    let shown = view_changes.into_iter().filter_map(|vote| vote.prepared.as_ref());
    shown.filter(|_| !mutated!(CertificateIgnored)).max_by_key(|it| it.view)
}

struct Check<'a> {
    suite: Suite,
    chain: &'a Hash,
    set: &'a ValidatorSet,
}

impl Check<'_> {
    fn proposal(&self, proposal: &Proposal, height: Height) -> Result<(), MessageError> {
        let fits = proposal.suite == self.suite
            && proposal.chain == *self.chain
            && proposal.height == height
            && self.set.get(proposal.proposer).is_some();
        if fits { Ok(()) } else { Err(MessageError::Proposal) }
    }

    fn header(&self, header: &Header) -> Result<(), MessageError> {
        let fits = header.version == Header::VERSION
            && header.suite == self.suite
            && header.chain == *self.chain
            && header.validators == self.set.hash(self.suite);
        if fits { Ok(()) } else { Err(MessageError::Header) }
    }

    fn view_change(
        &self,
        height: Height,
        view: View,
        prepared: Option<&PreparedCertificate>,
        proposal: Option<&Proposal>,
    ) -> Result<(), MessageError> {
        if view == View::ZERO {
            return Err(MessageError::Place);
        }
        if let Some(prepared) = prepared {
            self.certificate(height, view, prepared)?;
        }
        match proposal {
            Some(proposal) if prepared.map(|it| it.digest) != Some(proposal.digest()) => {
                Err(MessageError::Choice)
            }
            _ => Ok(()),
        }
    }

    fn certificate(
        &self,
        height: Height,
        below: View,
        certificate: &PreparedCertificate,
    ) -> Result<(), MessageError> {
        let votes = &certificate.votes;
        let ascending = votes.windows(2).all(|pair| pair[0].validator < pair[1].validator);
        if certificate.view >= below || !ascending || votes.len() < self.set.quorum() {
            return Err(MessageError::Certificate);
        }
        let place = (height, certificate.view);
        let digest =
            vote_digest(self.suite, Domain::Prepare, self.chain, place, &certificate.digest);
        let signatures = votes.iter().map(|vote| (vote.validator, digest, vote.signature));
        self.signatures(signatures)
    }

    fn new_view(
        &self,
        height: Height,
        view: View,
        view_changes: &[ViewChangeVote],
        proposal: Option<&Proposal>,
    ) -> Result<(), MessageError> {
        let ascending = view_changes.windows(2).all(|pair| pair[0].validator < pair[1].validator);
        if view == View::ZERO || !ascending || view_changes.len() < self.set.quorum() {
            return Err(MessageError::NewView);
        }
        // A certificate below the highest decides nothing, so it need not hold; its sender signed it anyway.
        let highest = highest_certificate(view_changes);
        if let Some(highest) = highest {
            self.certificate(height, view, highest)?;
        }
        self.signatures(view_changes.iter().map(|vote| {
            let content = certificate_digest(self.suite, vote.prepared.as_ref());
            let digest =
                vote_digest(self.suite, Domain::ViewChange, self.chain, (height, view), &content);
            (vote.validator, digest, vote.signature)
        }))?;
        let demanded = highest.map(|it| it.digest);
        if demanded == proposal.map(Proposal::digest) { Ok(()) } else { Err(MessageError::Choice) }
    }

    fn signatures(
        &self,
        signed: impl Iterator<Item = (ValidatorIndex, Hash, Signature)>,
    ) -> Result<(), MessageError> {
        let batch = signed
            .map(|(validator, digest, signature)| {
                let validator = self.set.get(validator).ok_or(MessageError::Stranger(validator))?;
                Ok(Signed { key: validator.key, digest, signature })
            })
            .collect::<Result<Vec<_>, MessageError>>()?;
        key::verify_batch(&batch).map_err(|_| MessageError::Signature)
    }
}
