//! The forger: speaks in the names of others, with certificates, seals and submissions that nobody made.

use super::{Liar, Voice, other_proposal};
use crate::consortium::{self, Purpose, SUITE};
use probata_consensus::{Message, MessageBody, PreparedCertificate, ViewChangeVote, vote_digest};
use probata_types::{
    Domain, Hash, Header, Height, List, Proposal, Seal, Signature, Submission, SubmissionParts,
    ValidatorIndex, View,
    seal::{SealVote, commit_digest},
    submission::records_root,
};

pub(super) struct Forger {
    voice: Voice,
    /// The newest header that it heard a vote for.
    header: Option<(View, Header)>,
    /// The newest proposal that it heard of.
    proposal: Option<Proposal>,
}

impl Forger {
    pub(super) const fn new(voice: Voice) -> Self {
        Self { voice, header: None, proposal: None }
    }

    /// Its own signature, under the names of as many as a quorum has.
    fn votes(
        &self,
        height: Height,
        signature: Signature,
    ) -> List<SealVote, { probata_types::limits::VALIDATORS }> {
        let votes = (0..self.voice.quorum(height))
            .map(|it| SealVote { validator: ValidatorIndex(it), signature });
        List::new(votes.collect()).expect("a quorum")
    }

    fn certificate(&self, height: Height, view: View, digest: Hash) -> PreparedCertificate {
        let place = (height, view);
        let digest_of_vote =
            vote_digest(SUITE, Domain::Prepare, &self.voice.chain(), place, &digest);
        let signature = self.voice.sign_digest(height, &digest_of_vote);
        PreparedCertificate { view, digest, votes: self.votes(height, signature) }
    }

    /// A view change with a certificate that nobody voted for, most often for a proposal that somebody could
    /// take up; or a NewView with view changes that nobody asked with.
    fn forged_view(&mut self, height: Height, view: View) -> MessageBody {
        let next = view.next();
        let proposal = self.proposal.as_ref().filter(|it| it.height == height).map(other_proposal);
        let digest = match &proposal {
            Some(proposal) => proposal.digest(),
            None => Hash(self.voice.random.bytes()),
        };
        if self.voice.random.chance(700) {
            let prepared = Some(self.certificate(height, view, digest));
            return MessageBody::ViewChange { height, view: next, prepared, proposal };
        }
        let signature = self.voice.sign_digest(height, &digest);
        let votes = (0..self.voice.quorum(height)).map(|it| ViewChangeVote {
            validator: ValidatorIndex(it),
            signature,
            prepared: None,
        });
        let view_changes = List::new(votes.collect()).expect("a quorum");
        MessageBody::NewView { height, view: next, view_changes, proposal: None }
    }

    /// "I have sealed this", with a seal of its own making.
    fn forged_head(&self) -> Option<MessageBody> {
        let (view, mut header) = self.header.clone()?;
        header.state_root.0[0] ^= 1;
        let digest = commit_digest(SUITE, &header.chain, header.height, view, &header.hash());
        let height = header.height;
        let votes = self.votes(height, self.voice.sign_digest(height, &digest));
        Some(MessageBody::Head { header, seal: Seal { view, votes } })
    }

    /// A proposal in which the first submission is said to be of an institution that never signed it: by the
    /// liar's own key, or by nobody's.
    fn forged_proposal(&mut self, proposal: &Proposal) -> Option<Proposal> {
        let mut proposal = proposal.clone();
        let first = proposal.submissions.as_mut_slice().first_mut()?;
        let own = self.voice.random.chance(500);
        *first = forged_submission(first, own.then_some(self.voice.node));
        Some(proposal)
    }
}

/// The same records and key of idempotency, signed by another key than that of its institution.
fn forged_submission(honest: &Submission, by: Option<usize>) -> Submission {
    let SubmissionParts { mut head, mut signature, records } = (**honest).clone();
    head.expires_at = head.expires_at.saturating_add(1);
    head.records_root = records_root(SUITE, honest.record_ids());
    if let Some(liar) = by {
        // Its own institution's key would do only for its own institution.
        let number = u16::try_from(liar).expect("a few nodes");
        let pair = consortium::pair(number, Purpose::Node);
        head.key = pair.public();
        signature = pair.sign(&Hash(head.id().0));
    }
    Submission::new(head, signature, records)
}

impl Liar for Forger {
    fn bend(&mut self, _to: usize, message: &Message) -> Vec<Message> {
        if self.voice.is_own(message)
            && let MessageBody::PrePrepare { height, view, proposal } = &message.body
            && let Some(proposal) = self.forged_proposal(proposal)
        {
            let (height, view) = (*height, *view);
            let lie = self.voice.sign(MessageBody::PrePrepare { height, view, proposal });
            // With the genuine one behind it at times: whoever accepted the forgery finds the fault.
            let genuine = self.voice.random.chance(500).then(|| message.clone());
            return [lie].into_iter().chain(genuine).collect();
        }
        vec![message.clone()]
    }

    fn hear(&mut self, message: &Message) -> Vec<(usize, Message)> {
        if let MessageBody::Commit { view, header } = &message.body {
            self.header = Some((*view, header.clone()));
        }
        if let Some(proposal) = message.proposal() {
            self.proposal = Some(proposal.clone());
        }
        if !self.voice.random.chance(120) {
            return Vec::new();
        }
        let (height, view) = (message.height(), message.view());
        let victim = self.voice.random.place(self.voice.set(height).size());
        let victim = ValidatorIndex(u16::try_from(victim).expect("a few validators"));
        let lie = match self.voice.random.place(4) {
            // What somebody said, in the name of somebody else.
            0 => Message { from: victim, ..message.clone() },
            // A vote in the name of somebody else, signed by the liar.
            1 => {
                let digest = Hash(self.voice.random.bytes());
                let vote = self.voice.sign(MessageBody::Prepare { height, view, digest });
                Message { from: victim, ..vote }
            }
            2 => {
                let body = self.forged_view(height, view);
                self.voice.sign(body)
            }
            _ => match self.forged_head() {
                Some(body) => self.voice.sign(body),
                None => return Vec::new(),
            },
        };
        self.voice.others(height).map(|to| (to, lie.clone())).collect()
    }
}
