//! What the record is, in a few lines. It shows what the file says: it holds as far as the checks
//! do.

use super::findings::Finding;
use probata_genesis::Genesis;
use probata_types::{
    EvidenceFile, FlowId, Hash, Height, InstitutionId, Outcome, RecordId, SubmissionHead,
    Timestamp, record::Phase, submission::SubmissionId,
};
use serde::Serialize;

/// What the record is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The record.
    pub record: RecordId,
    /// The submission that held it.
    pub submission: SubmissionId,
    /// The chain, as the file names it.
    pub chain: Hash,
    /// Its type.
    pub record_type: Named,
    /// The stable number of the type.
    pub type_number: u16,
    /// Its phase in the life of a loan.
    pub phase: Phase,
    /// The matter that it belongs to.
    pub flow: FlowId,
    /// Its number among the submitter's records in the flow.
    pub seq: u64,
    /// Who submitted it.
    pub submitter: Submitter,
    /// The block.
    pub height: Height,
    /// The block's hash.
    pub block: Hash,
    /// The three times.
    pub times: Times,
    /// What the chain decided.
    pub outcome: Decision,
    /// How far the proof of its history reaches.
    pub anchor: AnchorPoint,
    /// How the flow stood at the anchor; none if the file does not show it.
    pub status: Option<Named>,
}

/// Something with a label in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// In Chinese, which prevails.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// The institution that submitted the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Submitter {
    /// Its code.
    pub institution: InstitutionId,
    /// Its name, from the genesis; none without a genesis, or if it was admitted later.
    pub name: Option<Named>,
}

/// When it happened, was sent, and was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Times {
    /// When the submitter says that it happened. A claim.
    pub occurred_at: Timestamp,
    /// The submitter's clock when it signed. A claim.
    pub submitted_at: Timestamp,
    /// The time of the block: the consensus clock.
    pub block_time: Timestamp,
    /// From the claimed event to the block, in milliseconds; negative if the claim is later.
    pub lag_ms: i64,
}

/// What the chain decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it was accepted.
    pub accepted: bool,
    /// Why not, if it was not.
    pub rejection: Option<Finding>,
}

/// The header that the proof of history and status reaches to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnchorPoint {
    /// Its height.
    pub height: Height,
    /// Its time: what the file shows is known as of then.
    pub time: Timestamp,
    /// Its hash.
    pub block: Hash,
}

impl Summary {
    pub(super) fn of(file: &EvidenceFile, genesis: Option<&Genesis>) -> Self {
        let (record, header, anchor) = (&file.record, &file.header, file.anchor_header());
        let head = &file.submission.head;
        let record_type = record.body.record_type();
        Self {
            record: file.record_id(),
            submission: head.id(),
            chain: file.chain,
            record_type: Named { zh: record_type.zh().to_owned(), en: record_type.en().to_owned() },
            type_number: record_type.number(),
            phase: record.phase,
            flow: record.flow,
            seq: record.seq,
            submitter: submitter(head, genesis),
            height: header.height,
            block: header.hash(),
            times: Times {
                occurred_at: record.occurred_at,
                submitted_at: head.submitted_at,
                block_time: header.time,
                lag_ms: header.time.get().cast_signed() - record.occurred_at.get().cast_signed(),
            },
            outcome: match &file.outcome {
                Outcome::Accepted { .. } => Decision { accepted: true, rejection: None },
                Outcome::Rejected { code } => {
                    Decision { accepted: false, rejection: Some(Finding::of(*code)) }
                }
            },
            anchor: AnchorPoint { height: anchor.height, time: anchor.time, block: anchor.hash() },
            status: file.state.as_ref().map(|state| {
                let object = &state.flow.value.object;
                let ((kind_zh, kind_en), (zh, en)) = (object.label(), object.status());
                Named { zh: format!("{kind_zh}:{zh}"), en: format!("{kind_en}: {en}") }
            }),
        }
    }
}

fn submitter(head: &SubmissionHead, genesis: Option<&Genesis>) -> Submitter {
    let entry = genesis.and_then(|genesis| genesis.institution(&head.institution));
    let name =
        entry.map(|entry| Named { zh: entry.name.zh.to_string(), en: entry.name.en.to_string() });
    Submitter { institution: head.institution, name }
}
