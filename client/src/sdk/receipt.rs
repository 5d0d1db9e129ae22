//! The receipt: that a submission is sealed and what was decided, proved, and good for evidence files.

use super::{clock, sets::Changes};
use probata_types::{
    EvidenceFile, Height, Index, List, Outcome, RecordId, Submission, SubmissionId,
    evidence::{Format, ShownPlace, ShownSubmission},
    receipt::{self, SealedHeader},
};
use std::sync::Arc;

/// What became of a submission, proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    sent: Submission,
    block: Arc<SealedHeader>,
    proof: receipt::Receipt,
    sets: Arc<Changes>,
}

impl Receipt {
    /// Of a proof that was checked.
    pub(super) const fn new(
        sent: Submission,
        block: Arc<SealedHeader>,
        proof: receipt::Receipt,
        sets: Arc<Changes>,
    ) -> Self {
        Self { sent, block, proof, sets }
    }

    /// The submission.
    pub fn submission(&self) -> SubmissionId {
        self.sent.id()
    }

    /// The block that holds it.
    pub fn height(&self) -> Height {
        self.block.header.height
    }

    /// The records and what was decided about each, in the order in which they were sent.
    pub fn decisions(&self) -> impl ExactSizeIterator<Item = (RecordId, &Outcome)> {
        self.sent.record_ids().iter().copied().zip(&self.proof.outcomes)
    }

    /// Whether every record was accepted.
    pub fn is_accepted(&self) -> bool {
        self.proof.outcomes.iter().all(Outcome::is_accepted)
    }

    /// The evidence file of a record, by its place in the submission, without asking anybody: that it was
    /// signed, recorded and decided, under a seal that genesis leads to. How it stands later is for a file
    /// that [`Client::evidence`](super::Client::evidence) fetches. `None` if there is no such record.
    pub fn evidence(&self, at: usize) -> Option<EvidenceFile> {
        let Self { sent, block, proof, sets } = self;
        let (header, head) = (&block.header, &sent.head);
        let number = u32::try_from(at).ok()?;
        let index = |place: u32| Index::new(place.into());
        let outcome_path = proof.outcome_path(sent, header, number).ok()?;
        let first_changes = sets.iter().take_while(|it| it.header.height <= header.height);
        Some(EvidenceFile {
            format: Format::Evidence,
            version: EvidenceFile::VERSION,
            suite: head.suite,
            chain: head.chain,
            made_at: clock::now(),
            submission: ShownSubmission {
                head: head.clone(),
                signature: sent.signature,
                place: ShownPlace {
                    index: index(proof.submission),
                    path: proof.submission_path.clone(),
                },
            },
            record: sent.records.get(at)?.clone(),
            record_place: ShownPlace { index: index(number), path: sent.record_path(at)? },
            outcome: proof.outcomes.get(at)?.clone(),
            outcome_place: ShownPlace {
                index: index(proof.first_record.checked_add(number)?),
                path: outcome_path,
            },
            header: header.clone(),
            seal: block.seal.clone(),
            anchor: None,
            state: None,
            events: None,
            sets: List::new(first_changes.cloned().collect()).ok()?,
            links: List::empty(),
            disclosures: List::empty(),
        })
    }
}
